"""CLI-027, CLI-028: contract files that commands make."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import made

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-027~1", needs=("DATA-001",), evidence="analytic")
def test_a_conversion_does_what_its_flags_say(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Counts, units, turns, threshold, what is left out. If this fails, suspect a turn about the corner."""
    done, path = made.converted(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    amplitudes, positions = made.expected()

    record = backend.read(path)

    observe.close("patterns", native.array(record.diff3d), amplitudes, dtype="float32")
    found = np.stack([native.array(record.xcoords), native.array(record.ycoords)], axis=-1).astype(float)
    observe.close("positions", found - found[:1], positions, dtype="float64")
    observe.close("probe", np.squeeze(native.array(record.probeGuess)), made.probe(), dtype="complex64")
    observe.equal("in the file", made.kinds(path), made.KINDS)


@pytest.mark.clause("CLI-028~1", needs=("DATA-001",), evidence="conservation")
@pytest.mark.parametrize(("name", "count"), [("train", made.PATTERNS), ("test", made.TESTS)], ids=["train", "test"])
def test_a_simulation_makes_what_it_was_told(backend: Any, observe: Observer, shared_folder: Path, name: str, count: int) -> None:
    """So many patterns, of so many whole photons. If this fails, suspect a dose that is scaled after the counting."""
    done, folder = made.simulated(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    record = backend.read(folder / f"{name}.npz")

    counts = native.array(record.diff3d).astype(float) ** 2
    observe.equal("shape", counts.shape, (count, made.N, made.N))
    observe.close("whole", counts, np.rint(counts), dtype="float32")
    observe.close("photons", float(np.mean(np.sum(counts, axis=(-2, -1)))), made.PHOTONS, dtype="float64")
    observe.equal("in the file", made.kinds(folder / f"{name}.npz"), made.KINDS)
    observe.equal("quiet", done.stdout, "")


@pytest.mark.clause("CLI-028~1", needs=("DATA-001",), evidence="symmetry")
def test_a_simulation_repeats_itself_by_its_seed(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The same seed, the same bits; another, another. If this fails, suspect a generator of the process."""
    calls = [made.simulated(backend, shared_folder, name, **more) for name, more in
             (("", {}), ("-again", {}), ("-other", {"seed": made.SEED + 1}))]  # fmt: skip
    observe.equal("exit codes", [done.returncode for done, _ in calls], [0, 0, 0])

    first, again, other = (native.array(backend.read(folder / "train.npz").diff3d) for _, folder in calls)

    observe.equal("same seed", again, first)
    observe.holds("another seed", not np.array_equal(other, first), "other patterns", "the same bits")
