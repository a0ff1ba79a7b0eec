"""The solver's steps: who makes one with whom, how long it is, when it is enough, and what noise leaves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from reference_impl.engine import solve_record, solver
from reference_impl.engine.batches import batch_size, mini_batches
from reference_impl.engine.noise import noise_of, photons_of, variance
from reference_impl.engine.settling import HALVINGS, WINDOW, Settling
from reference_impl.engine.solver import Solver
from reference_impl.simulation.moved_probe import gaussian_probe, known_scan
from reference_impl.tests.test_engine import QUICK, record


def test_steps_are_halved_and_then_it_is_over() -> None:
    """A residual that stays where it is: after the last halving nothing more is done; one that falls goes on."""
    still, falling = Settling(), Settling()
    for sweep in range(2 * WINDOW * (HALVINGS + 1)):
        assert not still.done
        still, falling = still.after(0.1, True), falling.after(0.97**sweep, True)
    assert still.done and not falling.done and falling.scale == 1.0
    assert not Settling(still.residuals, done=False).after(0.1, False).done


def test_a_residual_that_rises_halves_the_steps() -> None:
    """Small mini-batches may take steps too long; once, not at every sweep that follows."""
    rising = Settling()
    for residual in (0.1, 0.05, 0.04, 0.08, 0.1, 0.1):
        rising = rising.after(residual, False)
    assert rising.scale == 0.5 and not rising.done


def test_a_residual_that_explodes_is_left_for_the_best_state() -> None:
    """Of a solver whose object was spoiled after the sixth sweep nothing is left of it, and its steps are half as long."""
    spoiled = []

    def told(solver: Solver, residual: float) -> None:
        if solver.state.sweep == 6:
            solver.state.object.mul_(1e6)
            solver.state.object_velocity.fill_(1e9)
        spoiled.append(residual)

    found = solve_record(record(), QUICK, told=told)
    assert spoiled[6] > 100 * spoiled[5] and found.residuals[-1] < spoiled[5]
    still = Settling((0.1, math.nan), 1.0, 2)
    assert still.astray and not still.lowest and still.after(0.1, True).lowest
    assert Settling((0.1,)).after(math.nan, False).scale == 0.5


def test_a_solution_down_to_the_noise_has_its_chi_square() -> None:
    """At 2e4 photons a pattern the misfit is that of the noise which was drawn; another object leaves far more."""
    given = record(**known_scan(81, 32, 3.0, photons=2e4, seed=3))
    settings = replace(QUICK, sweeps=40)
    seen: list[Solver] = []
    found = solve_record(given, settings, told=lambda solver, _: seen.append(solver))
    noise = noise_of(seen[-1], photons_of(given.diff3d, None))
    exact = known_scan(81, 32, 3.0, photons=1e10, seed=3)["diff3d"] * np.sqrt(2e4 / 1e10)
    drawn = np.linalg.norm(given.diff3d - exact) / np.linalg.norm(given.diff3d)
    assert noise.floor == pytest.approx(drawn, rel=0.05) and noise.floor == pytest.approx(found.residuals[-1], rel=0.3)
    assert 0.6 < noise.chi_square < 1.1
    seen[-1].state.object.fill_(1)
    assert noise_of(seen[-1], 1.0).chi_square > 10


def test_the_variance_of_roots_is_that_of_draws() -> None:
    """A quarter where there is light, the mean where there is none."""
    draw, means = np.random.default_rng(0), np.array([0.01, 0.5, 3.0, 50.0, 1e4])
    drawn = np.mean((np.sqrt(draw.poisson(means, (400_000, 5))) - np.sqrt(means)) ** 2, axis=0)
    assert variance(means) == pytest.approx(drawn, rel=0.05)
    assert photons_of(np.sqrt(draw.poisson(3.0, (4, 8, 8))), None) == 1.0
    scaled = np.sqrt(draw.poisson(3.0, (4, 8, 8)) / 7)
    assert photons_of(scaled, None) is None
    assert photons_of(scaled, 192.0) == pytest.approx(7, rel=0.1)


@pytest.mark.parametrize(("count", "size"), [(81, 12), (80, 8), (7, 3), (5, 64), (1, 1)])
def test_mini_batches_lie_apart(count: int, size: int) -> None:
    """Each pattern comes once; those of a mini-batch are further from each other than patterns drawn at random."""
    positions = np.random.default_rng(0).uniform(0, 50, (count, 2))
    dealt = mini_batches(positions, size, np.random.default_rng(1))
    assert sorted(np.concatenate(dealt)) == list(range(count)) and max(map(len, dealt)) <= size
    if count > 50:
        drawn = np.split(np.random.default_rng(2).permutation(count), np.cumsum([len(batch) for batch in dealt])[:-1])
        apart, random = (np.mean([pdist(positions[batch]).min() for batch in cut]) for cut in (dealt, drawn))
        assert apart > 1.3 * random


def test_a_mini_batch_lights_the_scan_once() -> None:
    """Twice the patterns on the same area make mini-batches of as many patterns, on twice the area of twice as many."""
    probe = torch.from_numpy(gaussian_probe(64))[None]
    draw = np.random.default_rng(0)
    dense, denser, wider = (draw.uniform(0, side, (count, 2)) for side, count in ((400, 4000), (400, 8000), (583, 8000)))
    once, again, more = (batch_size(positions, probe) for positions in (dense, denser, wider))
    assert again == pytest.approx(once, rel=0.1) and more == pytest.approx(2 * once, rel=0.1)


def test_a_mini_batch_in_parts_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few patterns are worked on together: memory and caches, no result, depend on it."""
    settings = replace(QUICK, sweeps=7, batch=27, refine_probe=True, refine_positions=True, modes=2)
    whole = solve_record(record(), settings)
    monkeypatch.setattr(solver, "TOGETHER", 5 * 2 * 32**2)
    parts = solve_record(record(), settings)
    assert np.allclose(whole.object, parts.object, atol=2e-4) and np.allclose(whole.positions, parts.positions, atol=2e-4)


def test_what_is_kept_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved probes, patches and weights are the same whether they are kept from sweep to sweep or made anew."""
    settings = replace(QUICK, sweeps=4)
    kept = solve_record(record(), settings)
    monkeypatch.setattr(solver, "KEPT", 0)
    assert np.array_equal(kept.object, solve_record(record(), settings).object)
