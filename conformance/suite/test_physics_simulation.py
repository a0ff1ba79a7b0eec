"""PHYS-007, PHYS-016: what a simulated measurement says of the object that it was made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import optics

PHOTONS = 3.0e4
SCENES = [scene for scene in optics.field_scenes() if str(scene) in ("g1", "g2", "odd")]
MODES = [scene for scene in optics.field_scenes() if str(scene) in ("g2-two-modes", "g2-own-probes")]


@pytest.mark.device
@pytest.mark.clause("PHYS-007~1", evidence="differential")
@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_labels_are_illuminated_in_amplitude_and_bare_in_phase(backend: Any, observe: Observer, scene: optics.FieldScene) -> None:
    """|P·O| and the phase of O. If this fails, suspect labels of the object alone, or the probe's phase left in them."""
    with observe.accepts("valid input"):
        answer = backend.simulate(scene.field, scene.probe, PHOTONS, 3)

    observe.close("amplitude", answer["label_amp"], np.abs(scene.probe[:, :, 0].astype(complex) * scene.field), dtype="float32")
    observe.close("phase", answer["label_phase"], np.angle(scene.field.astype(complex)), dtype="float32")


@pytest.mark.device
@pytest.mark.clause("PHYS-007~1", evidence="conservation")
def test_images_and_labels_have_one_unit(backend: Any, observe: Observer) -> None:
    """(s·X)² counts photons with the scale s of the labels. If this fails, suspect two different scales."""
    scene = SCENES[1]

    answer = backend.simulate(scene.field, scene.probe, PHOTONS, 3)
    images, labels = (native.array(answer[name]).astype(float) for name in ("images", "label_amp"))
    counts = images**2 * PHOTONS / np.mean(np.sum(labels**2, axis=(-2, -1)))

    observe.close("counts", counts, np.round(counts))
    observe.at_least("photons", np.sum(counts), 0.9 * PHOTONS * images.shape[0] * images.shape[1])
    observe.at_most("photons", np.sum(counts), 1.1 * PHOTONS * images.shape[0] * images.shape[1])


@pytest.mark.device
@pytest.mark.clause("PHYS-007~1", evidence="conservation")
def test_labels_know_neither_noise_nor_dose(backend: Any, observe: Observer) -> None:
    """Seed and photon count move the images alone. If this fails, suspect labels in photons, or labels of the noisy wave."""
    scene = SCENES[1]

    first, other = (backend.simulate(scene.field, scene.probe, *draw) for draw in ((PHOTONS, 3), (PHOTONS / 7, 4)))

    observe.close("amplitude", other["label_amp"], native.array(first["label_amp"]))
    observe.close("phase", other["label_phase"], native.array(first["label_phase"]))
    observe.holds("noise", (native.array(first["images"]) != native.array(other["images"])).any(), "other images", "the same")


@pytest.mark.device
@pytest.mark.clause("PHYS-005~1", needs=("PHYS-007",))
def test_a_simulation_follows_its_seed(backend: Any, observe: Observer) -> None:
    """The same seed repeats it, another does not. If this fails, suspect noise that is drawn without the seed."""
    scene = SCENES[1]

    once, again, other = (
        native.array(backend.simulate(scene.field, scene.probe, PHOTONS, seed)["images"]).copy() for seed in (3, 3, 4)
    )

    observe.equal("repeated", again, once)
    observe.holds("another seed", bool((other != once).any()), "another observation", "the same one")


@pytest.mark.device
@pytest.mark.clause("PHYS-025~1", needs=("PHYS-005",))
def test_each_pixel_draws_its_own_photons(backend: Any, observe: Observer) -> None:
    """Equal light in all pixels of all patterns: seldom equal counts. If this fails, suspect a seed that is set in a loop."""
    even = np.full((2, 4, 8, 8), 3.0, np.float32)

    seen = native.array(backend.observe_photons(even, 7)).reshape(even.shape)

    observe.at_most("like those of another pattern", float((seen[1:] == seen[:1]).mean()), 0.4)
    observe.at_most("like those of another channel", float((seen[:, 1:] == seen[:, :1]).mean()), 0.4)
    observe.at_most("like those of another row", float((seen[..., 1:, :] == seen[..., :1, :]).mean()), 0.4)
    observe.at_most("like those of another column", float((seen[..., 1:] == seen[..., :1]).mean()), 0.4)


@pytest.mark.device
@pytest.mark.clause("PHYS-016~1", evidence="differential", needs=("PHYS-007",))
@pytest.mark.parametrize("scene", MODES, ids=str)
def test_labels_have_the_light_of_all_modes(backend: Any, observe: Observer, scene: optics.FieldScene) -> None:
    """√Σ|P_p·O|² and the phase of O. If this fails, suspect the first mode's light for all."""
    with observe.accepts("several modes"):
        answer = backend.simulate(scene.field, scene.probe, PHOTONS, 3)

    observe.close("amplitude", answer["label_amp"], _lit(scene), dtype="float32")
    observe.close("phase", answer["label_phase"], np.angle(scene.field.astype(complex)), dtype="float32")


@pytest.mark.device
@pytest.mark.clause("PHYS-016~1", evidence="conservation", needs=("PHYS-007",))
@pytest.mark.parametrize("scene", MODES, ids=str)
def test_modes_share_the_photons(backend: Any, observe: Observer, scene: optics.FieldScene) -> None:
    """Whole numbers, and `nphotons` a pattern in all. If this fails, suspect a mean over modes, or noise drawn mode by mode."""
    with observe.accepts("several modes"):
        images = native.array(backend.simulate(scene.field, scene.probe, PHOTONS, 3)["images"]).astype(float)

    counts = images**2 * PHOTONS / np.mean(np.sum(_lit(scene) ** 2, axis=(-2, -1)))

    observe.close("counts", counts, np.round(counts))
    observe.close("photons", float(np.mean(np.sum(counts, axis=(-2, -1)))), PHOTONS, dtype="float64")


NO_PHOTONS = pytest.mark.parametrize("photons", [0.0, -3.0e4, np.inf, np.nan], ids=["none", "negative", "infinite", "no-number"])


@pytest.mark.clause("PHYS-018~2", needs=("PHYS-006",))
@NO_PHOTONS
def test_no_photons_have_no_scale(backend: Any, observe: Observer, photons: float) -> None:
    """An error. If this fails, suspect a scale of zero."""
    waves = optics.field(2, 4, 16)

    with observe.raises("refusal", (ValueError, RuntimeError)):
        backend.simulation_scale(waves, photons)
    with observe.raises("dark waves", (ValueError, RuntimeError)):
        backend.simulation_scale(0 * waves, PHOTONS)


@pytest.mark.clause("PHYS-018~2", needs=("PHYS-007",))
@NO_PHOTONS
def test_no_photons_make_no_simulation(backend: Any, observe: Observer, photons: float) -> None:
    """An error. If this fails, suspect patterns of NaN."""
    scene = SCENES[1]

    with observe.raises("refusal", (ValueError, RuntimeError)):
        backend.simulate(scene.field, scene.probe, photons, 3)


def _lit(scene: optics.FieldScene) -> np.ndarray:
    """`(B, C, N, N)` the amplitude of an object's patches in the light of all modes."""
    waves = scene.probe.astype(complex) * scene.field[:, :, None]
    return np.sqrt(np.sum(np.abs(waves) ** 2, axis=2))
