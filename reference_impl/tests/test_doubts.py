"""A solver that settles far from its patterns says so, at every door; one that does not says nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reference_impl.cli import labels
from reference_impl.cli.doubts import doubts
from reference_impl.cli.main import main
from reference_impl.cli.progress import Reporter
from reference_impl.data import RawData
from reference_impl.engine.noise import Noise
from reference_impl.simulation.moved_probe import gaussian_probe, intensity, known_scan

N = 32
FAR = "the solver ended at a relative residual of 0."


def right() -> dict[str, Any]:
    return known_scan(100, N, 3.0, seed=3)


def black() -> dict[str, Any]:
    """Squares of 2 % transmission over half of the object: the solver stays in a state with its edges at wrong places."""
    made, rng = right(), np.random.default_rng(0)
    thing, dark = made["objectGuess"].astype(complex), np.zeros(made["objectGuess"].shape, bool)
    while dark.mean() < 0.5:
        row, column, high, wide = *rng.integers(-4, len(dark), 2), *rng.integers(4, 10, 2)
        dark[max(row, 0) : max(row + high, 0), max(column, 0) : max(column + wide, 0)] = True
    light = intensity(np.where(dark, 0.02 * thing, thing), gaussian_probe(N)[None], made["xcoords"], made["ycoords"])
    gain = 1e9 / light.sum(axis=(1, 2)).mean()
    probe = (gaussian_probe(N) * np.sqrt(gain)).astype(np.complex64)
    return made | {"diff3d": np.sqrt(rng.poisson(light * gain)).astype(np.float32), "probeGuess": probe}


def wide() -> dict[str, Any]:
    """A probe that is too wide, and kept."""
    return right() | {"probeGuess": (gaussian_probe(N, width=0.13) * np.sqrt(1e6)).astype(np.complex64)}


def misplaced() -> dict[str, Any]:
    """Positions off by half a pixel."""
    made, rng = right(), np.random.default_rng(1)
    return made | {name: made[name] + rng.normal(0, 0.35, 100) for name in ("xcoords", "ycoords")}


@pytest.mark.parametrize(("make", "says"), [(black, True), (wide, True), (misplaced, True), (right, False)])
def test_a_solver_that_settles_far_from_its_patterns_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Any, says: bool
) -> None:
    """Whatever the reason: what is left, what noise alone would leave, and what to try."""
    path = tmp_path / "scan.npz"
    np.savez(path, **make())
    flags = ("--keep-probe", "--accelerator", "cpu", "--quiet")
    assert main(["reconstruct", "--data", str(path), "--output-dir", str(tmp_path / "out"), *flags]) == 0
    said = capsys.readouterr().err
    assert (FAR in said) == says and (f"{path}: {FAR}" in said and "without --keep-probe" in said) == says


@pytest.mark.parametrize(("make", "says"), [(wide, True), (right, False)])
def test_labels_far_from_their_patterns_are_doubted(make: Any, says: bool, recwarn: pytest.WarningsRecorder) -> None:
    """A network would learn them."""
    record = RawData(**{name: value for name, value in make().items() if name != "_metadata"})
    args = SimpleNamespace(labels="engine", views=0, nphotons=None, seed=0, train_data_file="scan.npz")
    labels.labelled_record(args, record, SimpleNamespace(nphotons=1e9), Reporter(True))
    assert any(FAR in str(one.message) for one in recwarn) == says


def test_positions_that_noise_moves_are_doubted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At 500 photons a pattern refined positions are worse than given ones; at 1e6 they are not."""
    for photons, says in ((500.0, True), (1e6, False)):
        path, rng = tmp_path / f"{photons:g}.npz", np.random.default_rng(2)
        made = known_scan(100, N, 3.0, photons, seed=3)
        moved = {name: made[name] + rng.normal(0, 0.35, 100) for name in ("xcoords", "ycoords")}
        np.savez(path, **made | moved)
        out = tmp_path / path.stem
        flags = ("--keep-probe", "--refine-positions", "--accelerator", "cpu", "--quiet")
        assert main(["reconstruct", "--data", str(path), "--output-dir", str(out), *flags]) == 0
        assert ("leave out --refine-positions" in capsys.readouterr().err) == says
        with np.load(out / "reconstruction.npz") as found:
            wrong = found["positions"] - np.stack([made["xcoords"], made["ycoords"]], axis=1)
        worse = np.std(wrong, axis=0).mean() > 0.35
        assert worse == says


def test_a_doubt_needs_a_settled_residual_and_a_photon() -> None:
    """Where sweeps were cut short or nobody knows what a photon is, nothing is claimed."""
    noise = Noise(0.001, 100.0)
    for settled, known, count in ((True, noise, 1), (False, noise, 0), (True, None, 0)):
        found = SimpleNamespace(residuals=[0.01], settled=settled)
        assert len(list(doubts(found, 0.5, known, Path("scan.npz")))) == count
