"""Files from strangers, tried one after the other in a process of its own: what it said, ran, took, and whether it lived."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reference_impl.errors import ContractError

MOST_SECONDS, MOST_KILOBYTES = 2.0, 200 << 10
"""Of processor time, and of memory beyond what the process had."""
FORBIDDEN = (
    "pickle.find_class",
    "os.system",
    "os.posix_spawn",
    "os.exec",
    "os.fork",
    "subprocess.Popen",
    "socket.connect",
    "exec",
)


def attempts(files: list[tuple[str, bytes]], read: Callable[[Path], Any], folder: Path) -> list[dict[str, Any]]:
    """What a process of its own makes of each file: its words, what was run, seconds of processor and kilobytes it took.

    A process that dies says less than there were files.
    """
    get, put = os.pipe()
    child = os.fork()
    if not child:
        ran: list[str] = []
        sys.addaudithook(lambda event, _: ran.append(event) if event.startswith(FORBIDDEN) else None)
        sys.setrecursionlimit(1000)
        for name, data in files:
            (folder / name).write_bytes(data)
            ran.clear()
            before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            said = _said(read, folder / name)
            took = {
                "seconds": time.process_time() - start,
                "kilobytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before,
            }
            os.write(put, json.dumps({**said, **took, "ran": list(ran)}).encode() + b"\n")
        os._exit(0)
    os.close(put)
    with os.fdopen(get) as stream:
        lines = [json.loads(line) for line in stream]
    os.waitpid(child, 0)
    return lines


def _said(read: Callable[[Path], Any], path: Path) -> dict[str, str]:
    try:
        read(path)
    except ContractError as error:
        return {"kind": "refused", "said": str(error)}
    except BaseException as error:
        return {"kind": type(error).__name__, "said": str(error)[:500]}
    return {"kind": "read", "said": ""}


def faults(names: list[str], answers: list[dict[str, Any]], file: str) -> list[str]:
    """Every answer that is not a short printable line about the file, in little time and memory, with nothing run."""
    found = [f"{name}: the process died" for name in names[len(answers) :][:1]]
    for name, one in zip(names, answers, strict=False):
        line = one["said"]
        wrong = one["kind"] != "refused" or file not in line or not line.isprintable() or len(line) > 300
        if wrong or one["ran"] or one["seconds"] > MOST_SECONDS or one["kilobytes"] > MOST_KILOBYTES or "weights_only" in line:
            found.append(f"{name}: {one}")
    return found
