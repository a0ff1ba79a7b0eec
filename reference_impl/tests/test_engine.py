"""The iterative solver: what it recovers, what it refines, when it stops, what it refuses."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.data import RawData
from reference_impl.engine import Settings, Solution, solve_record
from reference_impl.engine import probe as modes
from reference_impl.engine.canvas import Patches, frame_of
from reference_impl.engine.problem import problem_of
from reference_impl.engine.solver import Solver
from reference_impl.engine.waves import change, moved, turns
from reference_impl.errors import ContractError
from reference_impl.simulation.moved_probe import known_scan

QUICK = Settings(sweeps=25, batch=12, settle=False, refine_probe=False)


def record(**changes: Any) -> SimpleNamespace:
    """81 patterns of 32 x 32 pixels with their truth."""
    return SimpleNamespace(**{**known_scan(81, 32, 3.0, seed=3), **changes})


def error(found: Solution, truth: np.ndarray) -> float:
    """Relative complex error where there is light, after one complex factor; the truth is moved onto the canvas's pixels."""
    (x, y), (height, width) = found.frame.origin, found.object.shape
    q = np.fft.fftfreq(len(truth))
    turn = np.exp(2j * np.pi * ((y % 1) * q[:, None] + (x % 1) * q))
    wide = np.fft.ifft2(np.fft.fft2(truth) * turn)
    image = wide[int(y // 1) :, int(x // 1) :][:height, :width]
    inner = slice(height // 4, -height // 4), slice(width // 4, -width // 4)
    one, other = found.object[inner].ravel(), image[inner].ravel()
    factor = np.vdot(one, other) / np.vdot(one, one)
    return float(np.linalg.norm(factor * one - other) / np.linalg.norm(other))


def test_a_known_probe_gives_the_object() -> None:
    """Noise alone is left: 1e9 photons a pattern are 1e-3 of its amplitude here."""
    given = record()
    found = solve_record(given, QUICK)
    assert error(found, given.objectGuess) < 2e-3
    assert found.residuals[-1] < found.residuals[0] / 10
    assert found.object.dtype == np.complex64 and found.probe.shape == (1, 32, 32)


def test_the_same_seed_gives_the_same_bits() -> None:
    """Whatever the global generators did in between."""
    first = solve_record(record(), replace(QUICK, sweeps=3))
    torch.manual_seed(1)
    np.random.seed(1)
    again, other = (solve_record(record(), replace(QUICK, sweeps=3, seed=seed)) for seed in (0, 1))
    assert np.array_equal(first.object, again.object) and first.residuals == again.residuals
    assert not np.array_equal(first.object, other.object)


def test_the_record_stays_as_it_is() -> None:
    """Patterns, probe and positions are read only."""
    given = record()
    before = {name: np.copy(getattr(given, name)) for name in ("diff3d", "probeGuess", "xcoords", "ycoords")}
    solve_record(given, replace(QUICK, sweeps=6, refine_probe=True, refine_positions=True))
    for name, values in before.items():
        assert np.array_equal(getattr(given, name), values), name


def test_a_wrong_probe_is_refined() -> None:
    """A probe that is a fifth too wide: refined, it leaves a third of the residual that it leaves when it is kept."""
    given = record()
    v, u = np.mgrid[:32, :32] - 16
    given.probeGuess = given.probeGuess * np.exp((u**2 + v**2) / 200).astype(np.complex64)
    kept, refined = (solve_record(given, replace(QUICK, refine_probe=refine)) for refine in (False, True))
    assert refined.residuals[-1] < kept.residuals[-1] / 3


def test_wrong_positions_are_refined() -> None:
    """Errors of half a pixel shrink to a fifth of that."""
    given, rng = record(), np.random.default_rng(1)
    true = np.stack([given.xcoords, given.ycoords], axis=1)
    start = true + rng.normal(0, 0.35, true.shape)
    given.xcoords, given.ycoords = start.T.copy()
    found = solve_record(given, replace(QUICK, sweeps=60, refine_positions=True)).positions
    after, before = (np.std(places - true, axis=0).max() for places in (found, start))
    assert after < before / 5


def test_two_modes_are_told_apart() -> None:
    """A second incoherent mode with a fifth of the power: found from one guess, its share to 3 % of the whole."""
    given = record(**known_scan(81, 32, 3.0, seed=3, second=0.2))
    given.probeGuess = given.probeGuess[0]
    one, two = (solve_record(given, replace(QUICK, sweeps=90, refine_probe=True, modes=modes)) for modes in (1, 2))
    power = np.sum(np.abs(two.probe) ** 2, axis=(1, 2))
    assert two.residuals[-1] < one.residuals[-1] / 3
    assert abs(power[1] / power.sum() - 0.2) < 0.03
    assert abs(np.vdot(two.probe[0], two.probe[1])) < 1e-4 * power.sum()


def test_a_masked_pixel_says_nothing() -> None:
    """What stands under the mask changes no bit."""
    good = np.random.default_rng(2).random((32, 32)) > 0.1
    given = record()
    results = []
    for value in (0.0, 1e3):
        patterns = np.where(good, given.diff3d, np.float32(value))
        made = RawData(given.xcoords, given.ycoords, diff3d=patterns, probeGuess=given.probeGuess, mask=good)
        results.append(solve_record(made, replace(QUICK, sweeps=4)).object)
    assert np.array_equal(*results)
    whole = solve_record(SimpleNamespace(**{**vars(given), "diff3d": patterns * good}), replace(QUICK, sweeps=4)).object
    assert not np.array_equal(whole, results[0])


def test_light_under_a_mask_is_light_of_the_probe() -> None:
    """A mask over nine tenths of it leaves the probe as strong as it is: else the object had to be three times as bright."""
    given, good = record(), np.ones((32, 32), bool)
    bright = given.diff3d.mean(axis=0)
    good[bright > np.quantile(bright, 0.99)] = False
    assert np.sum((given.diff3d * good) ** 2) < 0.1 * np.sum(given.diff3d**2)
    masked = RawData(given.xcoords, given.ycoords, diff3d=given.diff3d, probeGuess=given.probeGuess, mask=good)
    start = [Solver(problem_of(one, torch.device("cpu"), QUICK), QUICK) for one in (given, masked)]
    whole, found = (solver.state.probe.abs().square().sum() / solver.problem.unit**2 for solver in start)
    assert found == pytest.approx(float(whole), rel=0.3)


def test_few_photons_are_better_told_by_their_own_likelihood() -> None:
    """Both likelihoods come near the object at 2,000 photons a pattern, neither runs away."""
    given = record(**known_scan(81, 32, 3.0, photons=2e3, seed=3))
    for likelihood in ("amplitude", "poisson"):
        found = solve_record(given, replace(QUICK, likelihood=likelihood))
        assert error(found, given.objectGuess) < 0.2, likelihood


def test_the_likelihoods_agree_where_the_model_fits() -> None:
    """Near the measured modulus both ask for the same step, to first order."""
    waves = torch.randn(2, 1, 8, 8, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    modulus = torch.fft.fft2(waves, norm="ortho").abs()[:, 0]
    one, other = (change(waves, modulus * 1.001, None, kind)[0] for kind in ("amplitude", "poisson"))
    torch.testing.assert_close(one, other, rtol=2e-3, atol=1e-7)
    torch.testing.assert_close(one, 0.001 * waves, rtol=1e-2, atol=1e-6)


def test_a_probe_moves_by_fractions() -> None:
    """By a whole pixel it is rolled; x is the column."""
    probe = torch.randn(1, 8, 8, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    found = moved(torch.fft.fft2(probe), turns(torch.tensor([[1.0, -2.0]]), 8))
    torch.testing.assert_close(found[0], probe.roll((-2, 1), dims=(1, 2)), rtol=1e-4, atol=1e-5)


def test_patches_are_read_and_added_where_they_lie() -> None:
    """Reading and adding are transposes of each other."""
    frame = frame_of(np.array([[0.0, 0.0], [5.0, 3.0]]), 4, 0)
    patches = Patches(torch.tensor([[0, 0], [2, 1]]), frame)
    draw = torch.Generator().manual_seed(0)
    canvas = torch.randn(frame.height, frame.width, dtype=torch.complex64, generator=draw)
    values = torch.randn(2, 4, 4, dtype=torch.complex64, generator=draw)
    assert torch.equal(patches.read(canvas)[1], canvas[1:5, 2:6])
    added, light = torch.zeros_like(canvas), torch.zeros(canvas.shape)
    patches.add(values, added)
    patches.add(torch.ones(4, 4), light)
    read = torch.vdot(values.flatten(), patches.read(canvas).flatten())
    assert light.sum() == 32 and light.max() == 2
    torch.testing.assert_close(read, torch.vdot(added.flatten(), canvas.flatten()))


def test_modes_become_orthogonal_and_keep_their_sum() -> None:
    """The incoherent sum of patterns is that of the modes that were given."""
    given = torch.randn(3, 6, 6, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    found = modes.orthogonal(given)
    flat = found.reshape(3, -1)
    gram = flat @ flat.mH
    torch.testing.assert_close(gram, torch.diag(gram.diagonal()), rtol=0, atol=1e-4)
    assert gram.diagonal().real.diff().max() < 0
    torch.testing.assert_close(found.abs().square().sum(0), given.abs().square().sum(0))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"probeGuess": None}, "probeGuess"),
        ({"probeGuess": np.zeros((32, 32), np.complex64)}, "probeGuess"),
        ({"probeGuess": np.ones((16, 16), np.complex64)}, "probeGuess"),
        ({"diff3d": np.zeros((81, 32, 32), np.float32)}, "diff3d"),
        ({"diff3d": -np.ones((81, 32, 32), np.float32)}, "diff3d"),
        ({"diff3d": np.full((81, 32, 32), np.nan, np.float32)}, "diff3d"),
        ({"diff3d": np.ones((80, 32, 32), np.float32)}, "xcoords, ycoords"),
        ({"xcoords": np.full(81, np.inf)}, "xcoords, ycoords"),
    ],
)
def test_what_is_no_experiment_is_refused(changes: dict[str, Any], field: str) -> None:
    """One line that names the field."""
    with pytest.raises(ContractError) as caught:
        solve_record(record(**changes), QUICK)
    assert caught.value.field == field
