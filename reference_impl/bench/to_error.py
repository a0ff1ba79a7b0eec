"""From raw data to an error (`nox -s bench -- --to-error`): what each way costs on one scan, as a table in Markdown.

Every way is the commands that a user types, each a process of its own, on the known scan of 1,024 patterns
(`simulation.known_scan`, as a contract file). Seconds are of the processor and of whole processes: starting, reading, checks
and writing included. The network's figures stand with and without its training.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reference_impl.bench.peers import HERE, Contender, contenders, error_of, written
from reference_impl.evaluate.gauge import registered
from reference_impl.evaluate.read import Picture

QUOTED = (("PtychoPINN's network, 10 epochs (quoted: two quiet cores)", 516.0, 0.0, 0.197),)
"""Ways that are not run here: training seconds, seconds after it, error."""
TRAIN = ("--preset", "unrolled", "--n-images", "all", "--accelerator", "cpu")
SWEEPS = (1, 2, 5, 20)
OF_PTYCHI = (5, 10, 15, 20)
"""Sweeps between two looks at pty-chi: 5, 15, 30 and 50 in all."""


@dataclass(frozen=True)
class Way:
    """`training`, `after`: processor seconds before and for this scan's object; `error`: relative complex error."""

    name: str
    training: float
    after: float
    error: float

    def __str__(self) -> str:
        training = f"{self.training:.0f}" if self.training else ""
        return f"| {self.name} | {training} | {self.after:.3g} | {self.training + self.after:.3g} | {self.error:.3g} |"


class Scan:
    """The known scan as a file, its truth, and commands that are run on it."""

    def __init__(self, folder: Path, patterns: int, N: int) -> None:
        self.folder, self.file = folder, folder / "scan.npz"
        self.truth, self.positions = written(folder, patterns, N)
        arrays = {name: np.load(folder / f"{name}.npy") for name in ("diff3d", "xcoords", "ycoords", "probeGuess")}
        np.savez(self.file, **arrays, objectGuess=self.truth.field.astype(np.complex64))

    def command(self, *words: str | Path) -> float:
        """Processor seconds of `python -m reference_impl WORDS`; `CalledProcessError` where it fails."""
        argv = [sys.executable, "-m", "reference_impl", *map(str, words), "--quiet"]
        path = os.pathsep.join(part for part in (str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")) if part)
        child = subprocess.Popen(argv, env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"})
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise subprocess.CalledProcessError(child.returncode, argv)
        return used.ru_utime + used.ru_stime

    def error(self, folder: Path) -> float:
        """Of `reconstruction.npz` in a folder."""
        with np.load(folder / "reconstruction.npz") as found:
            origin = tuple(float(value) for value in found["origin"])
            image = Picture("object", found["object"].astype(np.complex128), found["covered"], origin)
        pair = registered(image, self.truth)
        return float(np.linalg.norm((pair.image - pair.truth)[pair.common]) / np.linalg.norm(pair.truth[pair.common]))


def engine_ways(scan: Scan) -> Iterator[Way]:
    """The engine from a flat object, the probe kept as the file has it, and refined."""
    for told, words in {"probe kept": ["--keep-probe"], "probe refined": []}.items():
        for sweeps in SWEEPS:
            out = scan.folder / f"engine{sweeps}{len(words)}"
            took = scan.command("reconstruct", "--data", scan.file, "--output-dir", out, "--sweeps", str(sweeps), *words)
            yield Way(f"engine, {told}, {_sweeps(sweeps)}", 0.0, took, scan.error(out))


def network_ways(scan: Scan, flags: Sequence[str]) -> Iterator[Way]:
    """The network: stitched plainly, synchronised, and handed to the engine, which refines the probe."""
    net = scan.folder / "network"
    trained = scan.command("train", "--train-data-file", scan.file, "--output-dir", net, *TRAIN, *flags)
    asked = ("--model-path", net, "--test-data", scan.file, "--n-images", "all", "--accelerator", "cpu")
    for name, words in {"network": ["--plain"], "network, synchronised": []}.items():
        out = scan.folder / f"inferred{len(words)}"
        yield Way(name, trained, scan.command("infer", *asked, "--output-dir", out, *words), scan.error(out))
    for sweeps in SWEEPS:
        out = scan.folder / f"refined{sweeps}"
        took = scan.command("infer", *asked, "--output-dir", out, "--refine", str(sweeps))
        yield Way(f"network, synchronised, {_sweeps(sweeps)} of the engine", trained, took, scan.error(out / "refined"))


def _sweeps(count: int) -> str:
    return "one sweep" if count == 1 else f"{count} sweeps"


def ptychi_ways(scan: Scan, python: str) -> Iterator[Way]:
    """pty-chi's least-squares solver; the processor's time of its whole process."""
    with contenders({"ptychi": python}, scan.folder) as found:
        solver: Contender = found[0]
        for sweeps in OF_PTYCHI:
            used = solver.ask(sweeps=sweeps, save=str(solver.file))["process"]
            solver.course.sweeps.append(sweeps)
            error = error_of(np.load(solver.file), scan.truth, scan.positions)
            yield Way(f"pty-chi LSQML, {_sweeps(sum(solver.course.sweeps))}", 0.0, used, error)


def table(python: str | None, flags: Sequence[str], patterns: int = 1024, N: int = 64) -> int:
    """Print the table; `flags` are added to `train`; without `python`, of an environment with pty-chi, its rows are left out."""
    print("| way | training, s | after it, s | both, s | error |", "| --- | --- | --- | --- | --- |", sep="\n")
    print(*(Way(*quoted) for quoted in QUOTED), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as name:
        scan = Scan(Path(name), patterns, N)
        for way in engine_ways(scan):
            print(way, flush=True)
        for way in ptychi_ways(scan, python) if python else ():
            print(way, flush=True)
        for way in network_ways(scan, flags):
            print(way, flush=True)
    return 0
