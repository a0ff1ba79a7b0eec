"""One solver in a process of its own, which makes sweeps when it is told to: `python worker.py NAME FOLDER`.

It runs in other programs' environments: nothing here but the standard library and NumPy, and the solver is `with_NAME.py` beside
this file. A line in, `{"sweeps": 3, "save": FILE}`, is answered by a line out: the processor seconds and wall seconds of these
sweeps, the processor seconds of the whole process, and the peak of its memory beyond what it had before it saw the scan, in MiB.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np


def main(name: str, folder: str) -> None:
    """Answer lines until there are no more."""
    answers = os.fdopen(os.dup(1), "w")  # what a solver prints goes elsewhere
    with contextlib.redirect_stdout(sys.stderr):
        module = importlib.import_module(f"with_{name}")
        before = _peak()
        names = ("diff3d", "xcoords", "ycoords", "probeGuess")
        scan = {part: np.load(Path(folder) / f"{part}.npy", mmap_mode="r" if part == "diff3d" else None) for part in names}
        solver, setup = _timed(lambda: module.Solver(scan))
        _say(answers, {"setup": setup[0], "peak": _peak() - before})
        for line in sys.stdin:
            asked = json.loads(line)
            if "ffts" in asked:
                _say(answers, {"ffts": _timed(solver.ffts)[1]})
                continue
            _, seconds = _timed(lambda count=asked["sweeps"]: solver.sweeps(count))
            if "save" in asked:
                np.save(asked["save"], solver.object())
            _say(answers, {"processor": seconds[0], "wall": seconds[1], "peak": _peak() - before, "process": time.process_time()})


def _timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """`(answer, (processor seconds, wall seconds))`."""
    began = time.process_time(), time.perf_counter()
    found = work()
    return found, (time.process_time() - began[0], time.perf_counter() - began[1])


def _peak() -> float:
    """MiB of the resident set at its peak, of this program alone: `ru_maxrss` begins with what its parent had."""
    path = Path("/proc/self/status")
    if path.is_file():
        return next(int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith("VmHWM:")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(answers: TextIO, line: dict[str, Any]) -> None:
    answers.write(json.dumps(line) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
