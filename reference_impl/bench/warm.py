"""Does a network pay as a start of the solver? Sweeps to an error, cold and warm, over overlap and dose, as a table in Markdown.

Each scan is one that the network has not seen (`simulation.known_scan` of another seed, pitch and dose), its probe known; sweeps
are counted by a bundle's object beside a flat one. What a sweep cannot reach at a dose is said as the error that cold ends with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates

from reference_impl.bundle.parameters import config_of
from reference_impl.config import InferenceConfig
from reference_impl.data import RawData
from reference_impl.engine import Settings, solve_record
from reference_impl.engine.begin import begin_with
from reference_impl.engine.solver import Solver
from reference_impl.inference import agreed, load_inference_bundle_torch, reassemble_cdi_image_torch
from reference_impl.inference.figures import light_of
from reference_impl.simulation.moved_probe import known_scan

OVERLAPS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.3)
"""Of neighbouring patches along an axis: 1 - pitch / N. (The probe is narrower: at 0.7 its intensity's waists hardly meet.)"""
PHOTONS = (1e3, 1e4, 1e5, 1e6)
PATTERNS, SEED, SWEEPS, WANTED, CROP = 256, 7, 100, 0.005, 32
LIT = 0.1  # of the brightest pixel's light: what the error is counted on
FEW = 10  # photons a pixel, on average
NEIGHBOURS = 6  # that groups are drawn from, as `infer` does
NEAR = 1.1
"""Times the smallest error that sweeps from a flat object lead to: where `WANTED` is out of reach, so many sweeps are counted."""


@dataclass(frozen=True)
class Course:
    """Errors after each sweep, the first before any."""

    errors: list[float]

    def sweeps_to(self, error: float) -> int | None:
        """The first sweep after which the error is no larger; None where it never is."""
        return next((number for number, one in enumerate(self.errors) if one <= error), None)


@dataclass(frozen=True)
class Row:
    """One scan: the courses from a flat object and from the network's."""

    overlap: float
    photons: float
    cold: Course
    warm: Course

    def __str__(self) -> str:
        goal = max(WANTED, NEAR * min(self.cold.errors[1:]))
        counts = ["never" if (found := one.sweeps_to(goal)) is None else str(found) for one in (self.cold, self.warm)]
        ends = " | ".join(f"{one.errors[-1]:.2g}" for one in (self.cold, self.warm))
        start = f"{self.warm.errors[0]:.2g}"
        return f"| {self.overlap:.0%} | {self.photons:.0e} | {start} | {goal:.2g} | {counts[0]} | {counts[1]} | {ends} |"


def table(bundle: Path, overlaps: tuple[float, ...] = OVERLAPS, photons: tuple[float, ...] = PHOTONS) -> int:
    """Print a row for each overlap and dose."""
    print("| overlap | photons | network | goal | sweeps, cold | sweeps, warm | ends, cold | ends, warm |")
    print("| --- " * 8 + "|")
    for row in rows(bundle, overlaps, photons):
        print(row, flush=True)
    return 0


def rows(bundle: Path, overlaps: tuple[float, ...], photons: tuple[float, ...]) -> Iterator[Row]:
    """Solve each scan twice."""
    models, params = load_inference_bundle_torch(bundle)
    model = config_of(params).model
    for overlap in overlaps:
        for dose in photons:
            record, truth = scan_of(model.N, (1 - overlap) * model.N, dose)
            config = InferenceConfig(
                model, bundle, Path("scan"), n_groups=len(record), neighbor_count=NEIGHBOURS, backend="pytorch"
            )
            _, _, results = reassemble_cdi_image_torch(record, config, M=CROP, train_results={"models": models})
            patches, offsets = results["obj_tensor_full"], results["global_offsets"]
            turned = agreed(patches, offsets, CROP, light_of(results["test_container"], config))
            begin = partial(begin_with, patches=turned, offsets=offsets, M=CROP)
            yield Row(overlap, dose, course(record, truth), course(record, truth, begin))


def scan_of(N: int, pitch: float, photons: float) -> tuple[RawData, np.ndarray]:
    """A scan that nothing was fitted to, and its object."""
    members = known_scan(PATTERNS, N, pitch, photons, SEED)
    names = ("xcoords", "ycoords", "diff3d", "probeGuess", "objectGuess")
    return RawData(**{name: members[name] for name in names}), members["objectGuess"].astype(np.complex128)


def course(record: RawData, truth: np.ndarray, begin: Any = None) -> Course:
    """The error before the first sweep and after each; Poisson's likelihood where photons are few."""
    errors: list[float] = []
    few = float(np.square(record.diff3d[0], dtype=float).sum()) < FEW * record.diff3d[0].size
    settings = Settings(sweeps=SWEEPS, refine_probe=False, likelihood="poisson" if few else "amplitude")

    def look(solver: Solver, *_: float) -> None:
        errors.append(error_of(solver, truth))

    def before(solver: Solver) -> None:
        if begin is not None:
            begin(solver)
        look(solver)

    solve_record(record, settings, told=look, before=before)
    return Course(errors)


def error_of(solver: Solver, truth: np.ndarray) -> float:
    """Relative complex error of the solver's object where light fell, once a complex factor is taken out.

    Its probe and positions are the truth's: neither ramp nor shift is free. `truth` is read between its pixels by splines.
    """
    x, y = solver.frame.origin
    rows, columns = np.mgrid[: solver.frame.height, : solver.frame.width]
    lit = (solver.light() > LIT).cpu().numpy()
    places = np.stack([rows[lit] + y, columns[lit] + x])
    wanted = map_coordinates(truth.real, places, order=3) + 1j * map_coordinates(truth.imag, places, order=3)
    found = solver.state.object.cpu().numpy()[lit].astype(np.complex128)
    factor = np.vdot(found, wanted) / np.vdot(found, found)
    return float(np.linalg.norm(factor * found - wanted) / np.linalg.norm(wanted))
