"""Where photons are few: the engine's settled error beside pty-chi's, dose by dose, as a table in Markdown (`bench --doses`).

Both know the probe and keep it. The engine stops by itself; pty-chi is asked for more sweeps until its error has not moved by 1 %
over `LOOK` of them, and its best error on the way is told as well: a user, who knows no truth, would not know where it was.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from reference_impl.bench.peers import contenders, error_of, written
from reference_impl.engine import Settings, solve_record
from reference_impl.engine.settings import LIKELIHOODS
from reference_impl.evaluate.read import Picture

DOSES = (1e3, 1e4, 1e5)
PATTERNS, N = 256, 64
LOOK, MOST, STILL = 10, 200, 0.01
NAMES = ("diff3d", "xcoords", "ycoords", "probeGuess")


@dataclass(frozen=True)
class Course:
    """Errors after each look, and the sweeps made until then."""

    errors: list[float]
    sweeps: int

    def __str__(self) -> str:
        return f"{self.errors[-1]:.3g} | {min(self.errors):.3g} | {self.sweeps}"


def by_engine(folder: Path, truth: Picture, positions: np.ndarray, likelihood: str) -> Course:
    """The engine's own settled state."""
    record = SimpleNamespace(**{name: np.load(folder / f"{name}.npy") for name in NAMES})
    errors: list[float] = []

    def told(solver: object, _: float) -> None:
        errors.append(error_of(solver.state.object.numpy(), truth, positions))  # type: ignore[attr-defined]

    found = solve_record(record, Settings(refine_probe=False, likelihood=likelihood), told=told)
    return Course(errors, len(found.residuals))


def by_ptychi(folder: Path, python: str, truth: Picture, positions: np.ndarray) -> Course:
    """pty-chi's, once it no longer moves."""
    errors: list[float] = []
    with contenders({"ptychi": python}, folder) as (solver,):
        while len(errors) * LOOK < MOST and (len(errors) < 2 or abs(errors[-1] / errors[-2] - 1) > STILL):
            solver.ask(sweeps=LOOK, save=str(solver.file))
            errors.append(error_of(np.load(solver.file), truth, positions))
    return Course(errors, len(errors) * LOOK)


def rows(python: str, doses: tuple[float, ...], patterns: int) -> Iterator[str]:
    """A row for each dose and solver."""
    for dose in doses:
        with tempfile.TemporaryDirectory() as name:
            truth, positions = written(Path(name), patterns, N, photons=dose)
            for likelihood in LIKELIHOODS:
                yield f"| {dose:.0e} | engine, {likelihood} | {by_engine(Path(name), truth, positions, likelihood)} |"
            yield f"| {dose:.0e} | pty-chi LSQML | {by_ptychi(Path(name), python, truth, positions)} |"


def table(python: str, doses: tuple[float, ...] = DOSES, patterns: int = PATTERNS) -> int:
    """Print the table; `python` is the interpreter of an environment with pty-chi."""
    print("| photons | solver | settled error | best on the way | sweeps |", "| --- | --- | --- | --- | --- |", sep="\n")
    for row in rows(python, doses, patterns):
        print(row, flush=True)
    return 0
