"""LOSS-001, LOSS-003 … LOSS-005, LOSS-009, LOSS-018: the likelihood on arrays, and in the dark under modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import loss as oracle
from conformance.scenes import ends, losses, networks
from conformance.scenes.answers import number


@pytest.mark.device
@pytest.mark.clause("LOSS-001~1", evidence="analytic")
def test_likelihood_of_two_against_three(backend: Any, observe: Observer) -> None:
    """Â = 2, x = 3: 4 − 9·ln 4 + lnΓ(10). If this fails, suspect a side that was not squared, or a log-gamma term left out."""
    one = np.ones((1, 1, 1, 1), np.float32)

    found = number(backend.likelihood(2 * one, 3 * one, one))

    observe.close("value", found, 4 - 9 * math.log(4) + math.lgamma(10))


@pytest.mark.device
@pytest.mark.clause("LOSS-001~1", evidence="differential")
@pytest.mark.parametrize("shape", [(1, 1, 12, 12), (3, 4, 8, 8), (5, 4, 9, 9)], ids=["one", "g2", "odd"])
def test_likelihood_is_a_sum_over_pixels_and_a_mean_over_samples(backend: Any, observe: Observer, shape: tuple[int, ...]) -> None:
    """Σ over C, H, W, mean over B. If this fails, suspect a mean over pixels, or a sum over samples."""
    seen = losses.amplitudes(shape)

    observe.close("value", number(backend.likelihood(*seen)), oracle.poisson_nll(*seen))


@pytest.mark.device
@pytest.mark.clause("LOSS-001~1", evidence="differential")
@pytest.mark.parametrize("light", [0.03, 0.1])
def test_faint_light_has_the_likelihood_of_the_formula(backend: Any, observe: Observer, light: float) -> None:
    """A thousandth of a photon a pixel, and one that is seen. If this fails, suspect what is added inside of the logarithm."""
    predicted, _, scale = losses.amplitudes((3, 4, 8, 8))
    faint, seen = np.full_like(predicted, light) / scale, np.ones_like(predicted) / scale

    found = number(backend.likelihood(faint, seen, scale))

    observe.close("value", found, oracle.poisson_nll(faint, seen, scale))


@pytest.mark.clause("LOSS-019~1", evidence="differential")
@pytest.mark.parametrize("scale", [500.0, 4000.0], ids=["usual", "bright"])
def test_bright_light_has_the_likelihood_of_the_formula(backend: Any, observe: Observer, scale: float) -> None:
    """Up to sixty million photons a pixel, nearly fitted. If this fails, suspect sums or logarithms in single precision."""
    seen = ends.nearly_fitted(scale)

    observe.close("value", number(backend.likelihood(*seen)), oracle.poisson_nll(*seen))


@pytest.mark.clause("LOSS-001~1", evidence="finite-difference")
def test_likelihood_has_the_slope_of_a_poisson_law(backend: Any, observe: Observer) -> None:
    """∂/∂Â = 2S²(Â − x²/Â)/B by central differences. If this fails, suspect a rate that is not the square of the prediction."""
    predicted, measured, scale = losses.amplitudes((2, 1, 4, 4))
    step = np.float32(2.0**-7)

    slopes = [
        (number(backend.likelihood(up, measured, scale)) - number(backend.likelihood(down, measured, scale))) / (2 * step)
        for up, down in losses.neighbours(predicted, step)
    ]

    observe.close("slope", np.array(slopes), oracle.nll_slope(predicted, measured, scale).ravel())


@pytest.mark.device
@pytest.mark.clause("LOSS-002~1", evidence="differential", needs=("MODEL-020", "LOSS-006"))
@pytest.mark.parametrize("mode", ["poisson", "mae"])
def test_dim_data_are_divided_by_their_own_mean(backend: Any, observe: Observer, mode: str) -> None:
    """Amplitudes of a millionth. If this fails, suspect more than 1e-8 beside the mean, or a least mean."""
    config = networks.settings(backend, torch_loss_mode=mode)

    seen = losses.see(backend, config, losses.in_other_units(networks.container(2), np.float32(2.0**-20)))

    term = {"poisson": seen.likelihood, "mae": seen.absolute_error}[mode]
    observe.close("loss", seen.loss, term / seen.normaliser)


@pytest.mark.device
@pytest.mark.clause("LOSS-003~1", needs=("LOSS-004",), evidence="differential")
def test_both_sides_are_scaled(backend: Any, observe: Observer) -> None:
    """Likelihood of S·Â and S·x, sample by sample. If this fails, suspect a scale on one side, or one of shape (B,)."""
    predicted, measured, scale = losses.amplitudes((3, 4, 8, 8))
    ones = np.ones_like(scale)

    found = number(backend.likelihood(predicted, measured, scale))

    observe.close("value", found, number(backend.likelihood(predicted * scale, measured * scale, ones)))
    observe.differs("other_scale", found, number(backend.likelihood(predicted, measured, ones)))


@pytest.mark.device
@pytest.mark.clause("LOSS-003~1", evidence="symmetry")
@pytest.mark.parametrize("brightness", [0.5, 1.0, 8.0], ids=str)
@pytest.mark.parametrize("factor", [0.75, 1.25], ids=["darker", "brighter"])
def test_measurement_is_the_best_prediction(backend: Any, observe: Observer, brightness: float, factor: float) -> None:
    """For every S the optimum is Â = x. If this fails, suspect a scale that is applied to one side only."""
    _, measured, scale = losses.amplitudes((3, 4, 8, 8))

    best, off = (
        number(backend.likelihood(measured * np.float32(f), measured, scale * np.float32(brightness))) for f in (1.0, factor)
    )

    observe.at_most("best", best, off)


@pytest.mark.device
@pytest.mark.clause("LOSS-004~1", evidence="differential")
@pytest.mark.parametrize("count", [0.5, 2.25, 6.71], ids=str)
def test_fractions_of_a_photon_are_observed(backend: Any, observe: Observer, count: float) -> None:
    """Fractional counts have a likelihood. If this fails, suspect a distribution that checks its support, or a rounding."""
    measured = np.full((2, 1, 3, 3), math.sqrt(count), np.float32)
    predicted, scale = np.full_like(measured, 1.5), np.ones((2, 1, 1, 1), np.float32)

    with observe.accepts("fractions"):
        found = number(backend.likelihood(predicted, measured, scale))

    observe.close("value", found, oracle.poisson_nll(predicted, measured, scale))


@pytest.mark.device
@pytest.mark.clause("LOSS-004~1", evidence="analytic")
def test_half_a_photon_has_the_gamma_of_three_halves(backend: Any, observe: Observer) -> None:
    """λ = 1, y = ½: 1 + lnΓ(3/2). If this fails, suspect a factorial in the place of the gamma function."""
    one = np.ones((1, 1, 1, 1), np.float32)

    with observe.accepts("half_a_photon"):
        found = number(backend.likelihood(one, one * np.float32(math.sqrt(0.5)), one))

    observe.close("value", found, 1 + math.lgamma(1.5))


@pytest.mark.device
@pytest.mark.clause("LOSS-005~1", needs=("LOSS-001",), evidence="differential")
def test_log_gamma_moves_only_the_value(backend: Any, observe: Observer) -> None:
    """Differences of two predictions are those of λ − y·ln λ. If this fails, suspect a term that depends on both sides."""
    predicted, measured, scale = losses.amplitudes((3, 4, 8, 8))
    other = predicted[::-1] + np.float32(0.5)

    found = number(backend.likelihood(other, measured, scale)) - number(backend.likelihood(predicted, measured, scale))

    observe.close("difference", found, oracle.short_nll(other, measured, scale) - oracle.short_nll(predicted, measured, scale))


@pytest.mark.device
@pytest.mark.clause("LOSS-005~1", evidence="algebraic")
def test_optimum_has_the_entropy_of_the_observation(backend: Any, observe: Observer) -> None:
    """At Â = x the likelihood is Σ y − y·ln y + lnΓ(y + 1). If this fails, suspect a term that depends on both sides."""
    _, measured, scale = losses.amplitudes((3, 4, 8, 8))

    observe.close("value", number(backend.likelihood(measured, measured, scale)), losses.entropy(measured, scale))


@pytest.mark.device
@pytest.mark.clause("LOSS-009~1")
@pytest.mark.parametrize("case", losses.DARK, ids=["neither", "observation", "prediction", "both"])
def test_likelihood_of_darkness_is_finite(backend: Any, observe: Observer, case: tuple[float, float]) -> None:
    """Zeros on either side. If this fails, suspect the logarithm of a zero rate."""
    predicted, measured = (np.full((2, 4, 6, 6), value, np.float32) for value in case)

    with observe.accepts("valid input"):
        found = native.array(backend.likelihood(predicted, measured, np.full((2, 1, 1, 1), 30, np.float32)))

    observe.holds("finite", np.isfinite(found).all(), "a finite number", str(found))


@pytest.mark.device
@pytest.mark.clause("LOSS-009~1", needs=("BATCH-020", "LOSS-030"))
def test_gradients_survive_darkness_under_every_weight(backend: Any, observe: Observer) -> None:
    """An object that is dark and flat, as its label is. If this fails, suspect the root of squares for a modulus."""
    config = networks.settings(backend, {"amp_activation": "relu", "probe_big": False}, **losses.EVERY_TERM)
    dark = losses.nothing_but_dark()
    batch = networks.first_batch(backend, networks.Container(**vars(dark) | {"Y": np.zeros_like(dark.Y)}), config)

    total, _, broken = losses.descended(backend, losses.blinded(backend, networks.module(backend, config)), batch)

    observe.holds("loss", np.isfinite(total).all(), "a finite loss", str(total))
    observe.equal("gradients_that_are_not_finite", broken, [])


@pytest.mark.slow
@pytest.mark.clause("LOSS-018~1", needs=("LOSS-009",))
@pytest.mark.parametrize("source", losses.DARK_SOURCES, ids=lambda source: source.__name__.replace("_", "-"))
@pytest.mark.parametrize("state", [losses.seeing, losses.blinded], ids=["seeing", "blind"])
def test_gradients_survive_darkness_under_modes(backend: Any, observe: Observer, source: Any, state: Any) -> None:
    """Two modes with light and one without. If this fails, suspect a root that is safe under one mode alone."""
    config = networks.settings(backend, {"amp_activation": "relu", "probe_big": False})
    batch = networks.first_batch(backend, losses.under_modes(source()), config)
    module = state(backend, networks.module(backend, config))

    total, gradients, broken = losses.descended(backend, module, batch)

    observe.holds("loss", np.isfinite(total).all(), "a finite loss", str(total))
    observe.equal("gradients_that_are_not_finite", broken, [])
    observe.at_least("gradients", gradients, 1)
