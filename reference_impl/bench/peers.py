"""The engine beside pty-chi on one scan, in turns in one run (`nox -s bench -- --peers`): a table in Markdown.

Each solver has a process of its own and one core. They make the same number of sweeps one after the other, so that a busy machine
slows both; then the error of each object is taken, at nobody's cost. Seconds are the processor's, of all sweeps so far without
reading and setting up: on a quiet core they are the clock's.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.evaluate.gauge import registered
from reference_impl.evaluate.read import Picture
from reference_impl.simulation.moved_probe import gaussian_probe, intensity, jittered_raster, smooth_object

ERRORS = (0.05, 0.005, 0.001)
TURNS = (1, 1, 1, 1, 1, 2, 3, 5, 5, 5, 5, 5, 5, 10, 10, 20, 20)
"""Sweeps of each turn: what lies between two turns cannot be told apart."""
PITCH, PHOTONS, CHUNK = 6.0, 1e9, 256
COPIES = 5
"""Of the patterns in float32, that both solvers and the file together hold at most."""
LIT = 0.1
"""Of the brightest pixel's light: what gets less is not compared."""
HEAD = ("N", "patterns", "solver", "s a sweep", *(f"s to {error:g}" for error in ERRORS), "last error", "sweeps", "peak MiB")


@dataclass
class Course:
    """What a solver did so far: `seconds` and `errors` after each turn, `sweeps` made in each."""

    name: str
    peak: float = 0.0
    sweeps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    @property
    def total(self) -> float:
        return sum(self.seconds)

    @property
    def sweep(self) -> float:
        """Processor seconds of a sweep: the median of all turns but the first, in which much is computed once."""
        each = [took / count for took, count in zip(self.seconds, self.sweeps, strict=True)]
        return statistics.median(each[1:] or each)

    def reached(self, error: float) -> float | None:
        """Processor seconds to the first turn whose error is at most this one; None: never."""
        at = next((k for k, found in enumerate(self.errors) if found <= error), None)
        return None if at is None else sum(self.seconds[: at + 1])


def written(folder: Path, patterns: int, N: int, seed: int = 0, photons: float = PHOTONS) -> tuple[Picture, np.ndarray]:
    """The known scan of these sizes as arrays in a folder, made by chunks; `(truth, positions)`.

    The scan is `simulation.known_scan`'s: a jittered raster of 6 px, a smooth object, the defocused Gaussian probe.
    """
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(patterns)) * PITCH) + N + 8
    thing, probe = smooth_object(side, rng), gaussian_probe(N)
    x, y = jittered_raster(patterns, PITCH, (side - 1) / 2, rng)
    gain = photons / float(np.sum(np.abs(probe) ** 2))
    stack = np.lib.format.open_memmap(folder / "diff3d.npy", "w+", np.float32, (patterns, N, N))
    light = np.zeros(thing.shape)
    for first in range(0, patterns, CHUNK):
        part = slice(first, first + CHUNK)
        stack[part] = np.sqrt(rng.poisson(intensity(thing, probe[None], x[part], y[part]) * gain))
    for column, row in zip(np.rint(x).astype(int) - N // 2, np.rint(y).astype(int) - N // 2, strict=True):
        light[row : row + N, column : column + N] += np.abs(probe) ** 2
    stack.flush()
    for name, values in {"xcoords": x, "ycoords": y, "probeGuess": (probe * np.sqrt(gain)).astype(np.complex64)}.items():
        np.save(folder / f"{name}.npy", values)
    return Picture("truth", thing.astype(np.complex128), light > LIT * light.max(), (0.0, 0.0)), np.stack([x, y], axis=-1)


def error_of(field: np.ndarray, truth: Picture, positions: np.ndarray) -> float:
    """Relative complex error of an object with the positions' mean in its middle, once factor, ramp and shift are taken out."""
    middle = np.array([field.shape[1] // 2, field.shape[0] // 2])
    x, y = positions.mean(axis=0) - middle
    covered = np.ones(field.shape, dtype=bool)
    pair = registered(Picture("object", field.astype(np.complex128), covered, (float(x), float(y))), truth)
    common = pair.common
    return float(np.linalg.norm((pair.image - pair.truth)[common]) / np.linalg.norm(pair.truth[common]))


HERE = Path(__file__).resolve().parent


class Contender:
    """A solver in its process."""

    def __init__(self, name: str, python: str, folder: Path) -> None:
        self.file = folder / f"{name}.npy"
        path = str(HERE.parent.parent) if python == sys.executable else ""
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        argv = [python, str(HERE / "worker.py"), name, str(folder)]
        self.log = (folder / f"{name}.log").open("w+")
        self.child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment
        )
        self.course = Course(name)
        self.course.peak = self.answer()["peak"]

    def answer(self) -> dict[str, Any]:
        """Its next line; `RuntimeError` with its last words where there is none."""
        line = self.child.stdout.readline() if self.child.stdout else ""
        if not line:
            self.log.seek(0)
            raise RuntimeError(f"{self.course.name}: {self.log.read().strip().splitlines()[-1:]}")
        return json.loads(line)

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Send a line, and return the answer."""
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(asked) + "\n")
        self.child.stdin.flush()
        return self.answer()

    def turn(self, sweeps: int, truth: Picture, positions: np.ndarray) -> None:
        """Make sweeps, and take the error."""
        found = self.ask(sweeps=sweeps, save=str(self.file))
        self.course.sweeps.append(sweeps)
        self.course.seconds.append(found["processor"])
        self.course.peak = found["peak"]
        self.course.errors.append(error_of(np.load(self.file), truth, positions))


@contextmanager
def contenders(pythons: dict[str, str], folder: Path) -> Iterator[list[Contender]]:
    """The solvers, each in its process; they end with the block."""
    found: list[Contender] = []
    try:
        for name, python in pythons.items():
            found.append(Contender(name, python, folder))
        yield found
    finally:
        for one in found:
            one.child.kill()
            one.child.wait()
            one.log.close()


def duel(pythons: dict[str, str], patterns: int, N: int, limit: float) -> tuple[list[Course], float]:
    """`(courses, seconds of the two transforms of each pattern of a sweep)`; `limit`: processor seconds of each solver."""
    transforms = []
    with tempfile.TemporaryDirectory() as name:
        truth, positions = written(Path(name), patterns, N)
        with contenders(pythons, Path(name)) as found:
            for sweeps in TURNS:
                waiting = [one for one in found if _goes_on(one.course, sweeps, limit)]
                for one in waiting:
                    one.turn(sweeps, truth, positions)
                if not waiting:
                    break
                transforms.append(found[0].ask(ffts=True)["ffts"][0])
            return [one.course for one in found], statistics.median(transforms)


def _goes_on(course: Course, sweeps: int, limit: float) -> bool:
    done = course.errors and course.errors[-1] <= min(ERRORS)
    return not done and (not course.seconds or course.total + sweeps * course.sweep <= limit)


def rows(courses: Sequence[Course], transforms: float, patterns: int, N: int) -> Iterator[str]:
    """The Markdown rows of one scan."""
    first, *others = courses
    for course in courses:
        times = [_told(course.reached(error), course) for error in ERRORS]
        last = f"{course.errors[-1]:.2g}", sum(course.sweeps), f"{course.peak:.0f}"
        yield _row(N, patterns, course.name, f"{course.sweep:.3g}", *times, *last)
    for other in others:
        times = [_ratio(other.reached(error), first.reached(error), other) for error in ERRORS]
        memory = f"{other.peak / first.peak:.1f} ×" if first.peak else ""
        yield _row(N, patterns, f"{other.name} over {first.name}", f"{other.sweep / first.sweep:.1f} ×", *times, "", "", memory)
    yield _row(N, patterns, "two FFTs a pattern", f"{transforms:.3g}", "", "", "", "", "", "")
    yield _row(N, patterns, f"{first.name} over these", f"{first.sweep / transforms:.1f} ×", "", "", "", "", "", "")


def _told(seconds: float | None, course: Course) -> str:
    return f"> {course.total:.3g}" if seconds is None else f"{seconds:.3g}"


def _ratio(other: float | None, own: float | None, course: Course) -> str:
    if own is None:
        return ""
    return f"> {course.total / own:.1f} ×" if other is None else f"{other / own:.1f} ×"


def _row(*cells: object) -> str:
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def memory_free() -> float:
    """Bytes; infinite where the system does not say."""
    path = Path("/proc/meminfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), np.inf)


def table(python: str, sizes: Sequence[int], counts: Sequence[int], limit: float) -> int:
    """Print the table; `python` is the interpreter of an environment with pty-chi."""
    pythons = {"engine": sys.executable, "ptychi": python}
    print(_row(*HEAD), _row(*["---"] * len(HEAD)), sep="\n", flush=True)
    for patterns in counts:
        for N in sizes:
            wanted, free = COPIES * 4 * patterns * N**2, memory_free()
            if wanted > free:
                told = f"left out: needs about {wanted / 1e9:.0f} GB, {free / 1e9:.0f} GB are free"
                print(_row(N, patterns, told, *[""] * (len(HEAD) - 3)), flush=True)
                continue
            courses, transforms = duel(pythons, patterns, N, limit)
            print(*rows(courses, transforms, patterns, N), sep="\n", flush=True)
    return 0
