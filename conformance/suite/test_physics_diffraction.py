"""PHYS-001 … PHYS-006: from the exit wave to the amplitude on the detector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import fields, optics
from conformance.scenes.answers import finite

LIT = fields.lit_fields()
SIDES = ((16, 16), (15, 15), (10, 15))
CENTRED = ((0, 0), (0, 0), (0, 0))
TILTED = ((2, -3), (-4, 1), (0, 4))


def sides(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"


@pytest.mark.device
@pytest.mark.clause("PHYS-001~1", needs=("PHYS-002", "PHYS-003"), evidence="differential")
@pytest.mark.parametrize("scene", LIT, ids=str)
def test_exit_wave_is_object_times_probe(backend: Any, observe: Observer, scene: optics.FieldScene) -> None:
    """The amplitude is that of O·P_p, unconjugated.

    If this fails, suspect a conjugate or a probe broadcast along the wrong axis.
    """
    with observe.accepts("valid input"):
        amplitude = backend.diffract(scene.field, scene.probe)

    observe.close("amplitude", amplitude, oracle.diffract(scene.field, scene.probe))
    observe.dtype("dtype", amplitude, "float32")


@pytest.mark.device
@pytest.mark.clause("PHYS-001~1", evidence="algebraic")
def test_global_phase_is_invisible(backend: Any, observe: Observer) -> None:
    """A phase common to object and probe changes no amplitude. If this fails, suspect a real part taken before the modulus."""
    field, probe = optics.field(3, 4, 12), optics.curved_probe(12, 2)[None, None]
    turn = np.complex64(np.exp(0.9j))

    amplitude = backend.diffract(field, probe)

    observe.close("object_turned", backend.diffract(field * turn, probe), *finite(amplitude))
    observe.close("probe_turned", backend.diffract(field, probe * turn), *finite(amplitude))


@pytest.mark.device
@pytest.mark.clause("PHYS-001~1", evidence="algebraic")
def test_object_and_probe_enter_alike(backend: Any, observe: Observer) -> None:
    """O·P is a product: exchanging its factors changes nothing. If this fails, suspect one factor conjugated."""
    field, probe = optics.field(3, 4, 12), optics.field(3, 4, 12, seed=8)

    there = backend.diffract(field, probe[:, :, None])
    back = backend.diffract(probe, field[:, :, None])

    observe.close("exchanged", there, *finite(back))


@pytest.mark.device
@pytest.mark.clause("PHYS-002~1", evidence="differential")
@pytest.mark.parametrize("shape", SIDES, ids=sides)
def test_far_field_is_orthonormal_and_centred(backend: Any, observe: Observer, shape: tuple[int, int]) -> None:
    """The detector sees √fftshift(|F|²/HW). If this fails, suspect a missing 1/(HW), the inverse transform or a wrong shift."""
    field = fields.rectangle(2, 3, *shape)

    with observe.accepts("valid input"):
        amplitude = backend.diffract(field, fields.unit_probe(*shape))

    observe.close("amplitude", amplitude, np.abs(oracle.far_field(field)))


@pytest.mark.device
@pytest.mark.clause("PHYS-002~1", evidence="conservation")
@pytest.mark.parametrize("scene", LIT, ids=str)
def test_energy_is_conserved(backend: Any, observe: Observer, scene: optics.FieldScene) -> None:
    """ΣA² = Σ|Ψ|², channel by channel (Parseval). If this fails, suspect a transform that is not orthonormal."""
    exit_waves = scene.field.astype(complex)[:, :, None] * scene.probe

    with observe.accepts("valid input"):
        amplitude = native.array(backend.diffract(scene.field, scene.probe)).astype(float)

    observe.close("energy", np.sum(amplitude**2, axis=(-2, -1)), np.sum(np.abs(exit_waves) ** 2, axis=(2, 3, 4)))


@pytest.mark.device
@pytest.mark.clause("PHYS-002~1", evidence="conservation")
def test_no_light_gives_a_dark_detector(backend: Any, observe: Observer) -> None:
    """A dark exit wave gives a dark detector. If this fails, suspect a floor under the square root that is far too high."""
    dark = np.zeros((2, 1, 16, 16), np.complex64)

    amplitude = backend.diffract(dark, optics.curved_probe(16)[None, None])

    observe.close("dark", amplitude, np.zeros(dark.shape))


@pytest.mark.device
@pytest.mark.clause("PHYS-003~1", evidence="analytic")
@pytest.mark.parametrize("shape", SIDES, ids=sides)
def test_constant_wave_lands_in_the_centre(backend: Any, observe: Observer, shape: tuple[int, int]) -> None:
    """|ψ|·√(HW) in pixel (H//2, W//2), each channel its own.

    If this fails, suspect a missing shift, or one that rolls channels.
    """
    waves = fields.plane_waves(*shape, CENTRED)

    amplitude = backend.diffract(waves, fields.unit_probe(*shape))

    observe.close("centre", amplitude, fields.peaks(*shape, CENTRED))


@pytest.mark.device
@pytest.mark.clause("PHYS-003~1", evidence="symmetry")
@pytest.mark.parametrize("shape", SIDES, ids=sides)
def test_tilted_wave_lands_beside_the_centre(backend: Any, observe: Observer, shape: tuple[int, int]) -> None:
    """k cycles along x move the peak k columns to the right. If this fails, suspect the inverse transform or exchanged axes."""
    waves = fields.plane_waves(*shape, TILTED)

    amplitude = backend.diffract(waves, fields.unit_probe(*shape))

    observe.close("tilted", amplitude, fields.peaks(*shape, TILTED))


@pytest.mark.device
@pytest.mark.clause("PHYS-004~1", evidence="algebraic")
def test_modes_add_incoherently(backend: Any, observe: Observer) -> None:
    """A² = A₁² + A₂². If this fails, suspect a sum over modes before the modulus."""
    field, first, second = fields.orthogonal_modes()

    both = backend.diffract(field, np.concatenate([first, second], axis=2))
    apart = [native.array(backend.diffract(field, mode)).astype(float) for mode in (first, second)]

    observe.close("sum", both, np.hypot(*apart))
    observe.differs("interference", both, np.abs(oracle.far_field(field.astype(complex) * (first + second)[:, :, 0])))


@pytest.mark.device
@pytest.mark.clause("PHYS-004~1", needs=("PHYS-002", "PHYS-003"), evidence="differential")
def test_order_and_dark_modes_do_not_matter(backend: Any, observe: Observer) -> None:
    """Modes in any order, with or without a mode of zeros. If this fails, suspect a mode that is left out."""
    field, first, second = fields.orthogonal_modes()
    truth = oracle.diffract(field, np.concatenate([first, second], axis=2))

    reversed_modes = backend.diffract(field, np.concatenate([second, first], axis=2))
    with_a_dark_one = backend.diffract(field, np.concatenate([first, np.zeros_like(first), second], axis=2))

    observe.close("reversed", reversed_modes, truth)
    observe.close("dark_mode", with_a_dark_one, truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-005~1", evidence="analytic")
@pytest.mark.parametrize("amplitude", [0.7, 2.0, 4.5], ids=str)
def test_counts_have_poisson_mean_and_variance(backend: Any, observe: Observer, amplitude: float) -> None:
    """Mean and variance of the squared observation are A². If this fails, suspect a rate that was not squared."""
    rate, pixels = np.float32(amplitude).astype(float) ** 2, 200 * 200

    observed = native.array(backend.observe_photons(np.full((1, 1, 200, 200), amplitude, np.float32), 7))
    counts = observed.astype(float) ** 2

    observe.close("mean", counts.mean(), rate, spread=np.sqrt(rate / pixels))
    observe.close("variance", counts.var(), rate, spread=np.sqrt((rate + 2 * rate**2) / pixels))


@pytest.mark.device
@pytest.mark.clause("PHYS-005~1", evidence="conservation")
def test_counts_are_whole_and_dark_stays_dark(backend: Any, observe: Observer) -> None:
    """Squared observations are whole numbers, zero where A is. If this fails, suspect noise that is added to the amplitude."""
    amplitude = np.linspace(0, 5, 24 * 24, dtype=np.float32).reshape(1, 1, 24, 24) * (np.arange(24) > 3)

    counts = native.array(backend.observe_photons(amplitude.astype(np.float32), 7)).astype(float) ** 2

    observe.close("counts", counts, np.round(counts), dtype="float32")
    observe.equal("dark_pixels", counts[amplitude == 0], np.zeros(np.sum(amplitude == 0)))
    night = native.array(backend.observe_photons(np.zeros((1, 1, 400, 400), np.float32), 7))
    observe.equal("a dark detector", float(np.abs(night).sum()), 0.0)


@pytest.mark.device
@pytest.mark.clause("PHYS-005~1", evidence="conservation")
@pytest.mark.parametrize("amplitude", [40.0, 250.0], ids=str)
def test_bright_counts_are_poisson_counts_too(backend: Any, observe: Observer, amplitude: float) -> None:
    """Whole numbers with mean and variance A² where thousands of photons are counted.

    If this fails, suspect another distribution for bright pixels.
    """
    rate, pixels = amplitude**2, 200 * 200

    counts = native.array(backend.observe_photons(np.full((1, 1, 200, 200), amplitude, np.float32), 7)).astype(float) ** 2

    observe.close("counts", counts, np.round(counts), dtype="float32")
    observe.close("mean", counts.mean(), rate, spread=np.sqrt(rate / pixels))
    observe.close("variance", counts.var(), rate, spread=np.sqrt((rate + 2 * rate**2) / pixels))


@pytest.mark.device
@pytest.mark.clause("PHYS-005~1")
def test_noise_follows_its_seed(backend: Any, observe: Observer) -> None:
    """The same seed repeats, another differs. If this fails, suspect a generator that ignores its seed, or takes 0 for none."""
    amplitude = np.abs(optics.field(2, 1, 16)) * np.float32(3)

    once, again, other = (native.array(backend.observe_photons(amplitude, seed)) for seed in (0, 0, 7))

    observe.equal("repeated", once, again)
    observe.holds("another_seed", (once != other).any(), "another observation", "the same one")


@pytest.mark.clause("PHYS-006~1", evidence="analytic")
@pytest.mark.parametrize("shape", [(5, 16, 16), (3, 4, 12, 12)], ids=["one-channel", "g2"])
def test_simulation_reaches_its_photon_count(backend: Any, observe: Observer, shape: tuple[int, ...]) -> None:
    """s·Ψ holds nphotons on average. If this fails, suspect a mean over pixels or a sum over channels."""
    waves = optics.field(shape[0], int(np.prod(shape[1:-2])), shape[-1]).reshape(shape)

    with observe.accepts("valid input"):
        scale = float(native.array(backend.simulation_scale(waves, 2e5)))
        photons = np.mean(np.sum(np.abs(scale * waves.astype(complex)) ** 2, axis=(-2, -1)))

    observe.close("scale", scale, oracle.simulation_scale(waves, 2e5))
    observe.close("photons", photons, 2e5, dtype="float32")


@pytest.mark.clause("PHYS-006~1", evidence="analytic")
@pytest.mark.parametrize("shape", [(5, 16, 16), (3, 4, 12, 12)], ids=["one-channel", "g2"])
def test_dark_waves_have_their_part_in_the_mean(backend: Any, observe: Observer, shape: tuple[int, ...]) -> None:
    """One wave without light, one that is faint. If this fails, suspect a mean over those with light, or of their roots."""
    waves = optics.field(shape[0], int(np.prod(shape[1:-2])), shape[-1]).reshape(shape).copy()
    waves[1, ...], waves[2, ...] = 0, waves[2, ...] / 64

    scale = float(native.array(backend.simulation_scale(waves, 2e5)))

    observe.close("scale", scale, oracle.simulation_scale(waves, 2e5))


@pytest.mark.clause("PHYS-006~1", evidence="symmetry")
def test_simulation_scale_is_that_of_normalised_data(backend: Any, observe: Observer) -> None:
    """√nphotons/(N/2) for mean energy (N/2)²; twice the wave, half the scale. If this fails, suspect a missing square root."""
    waves = optics.field(3, 4, 12)
    waves = (waves * 6 / np.sqrt(np.mean(np.sum(np.abs(waves) ** 2, axis=(-2, -1))))).astype(np.complex64)

    scales = [float(native.array(backend.simulation_scale(waves * np.complex64(factor), 9e4))) for factor in (1, 2)]

    observe.close("closed_form", scales[0], 300 / 6.0)
    observe.close("twice_the_wave", scales[1], 150 / 6.0)
