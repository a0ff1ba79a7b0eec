"""PHYS-009, TRAIN-072, INFER-017, INFER-038, INFER-039: several modes in prediction, training and reconstruction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import engines, modes, networks, odd_engines, smoothing
from conformance.scenes.optics import curved_probe

NETWORKS = pytest.mark.parametrize(
    ("g", "model"),
    [(1, {"object_big": False}), (2, {"object_big": True}), (2, {"probe_mask": True}), (1, {"gaussian_smoothing_sigma": 0.8})],
    ids=["plain", "merged", "masked", "smoothed"],
)


@pytest.mark.device
@pytest.mark.clause("PHYS-009~1", evidence="algebraic", needs=("MODEL-020", "PHYS-004"))
@NETWORKS
def test_a_prediction_is_the_sum_over_its_modes(backend: Any, observe: Observer, g: int, model: dict[str, Any]) -> None:
    """A² = A₁² + A₂² + A₃² through the whole chain. If this fails, suspect a mask on one mode, or a sum before the modulus."""
    config = networks.settings(backend, {"gridsize": g, **smoothing.taken(backend, model)})

    whole, *parts = modes.predicted(
        backend, config, g, lambda p: p, lambda p: p[:, :, :1], lambda p: p[:, :, 1:2], lambda p: p[:, :, 2:]
    )

    observe.close("sum", whole, np.sum(parts, axis=0))
    observe.differs("weakest", whole, np.sum(parts[:2], axis=0))


@pytest.mark.device
@pytest.mark.clause("PHYS-009~1", evidence="symmetry", needs=("MODEL-020", "PHYS-004"))
@NETWORKS
def test_modes_may_be_mixed(backend: Any, observe: Observer, g: int, model: dict[str, Any]) -> None:
    """Another order, a unitary mixing: the same light. If this fails, suspect modes that are treated unlike each other."""
    config = networks.settings(backend, {"gridsize": g, **smoothing.taken(backend, model)})

    plain, turned, mixed = modes.predicted(backend, config, g, lambda p: p, lambda p: p[:, :, ::-1], modes.mixed)

    observe.close("order", turned, plain)
    observe.close("mixing", mixed, plain)


@pytest.mark.device
@pytest.mark.clause("TRAIN-072~1", evidence="symmetry", needs=("LOSS-002", "BATCH-051"))
def test_the_order_of_modes_does_not_matter_to_the_loss(backend: Any, observe: Observer) -> None:
    """Loss and gradient with the modes turned round. If this fails, suspect a loader that hands on the first."""
    probe = curved_probe(networks.N, 2)

    (loss, gradient), (turned_loss, turned_gradient) = (modes.evaluated(backend, p.copy()) for p in (probe, probe[::-1]))

    observe.close("loss", turned_loss, loss)
    observe.close("gradient", turned_gradient, gradient)


@pytest.mark.slow
@pytest.mark.clause("TRAIN-072~1", evidence="differential", needs=("TRAIN-004", "BATCH-051"))
def test_the_weaker_mode_takes_part_in_training(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Its conjugate in its place leaves other weights. If this fails, suspect a loader that hands on one mode."""
    first, second = curved_probe(networks.N, 2)

    plain, other = (modes.learned(backend, tmp_path / k, np.stack([first, p])) for k, p in (("a", second), ("b", second.conj())))

    observe.differs("another weaker mode", other, plain)


@pytest.mark.slow
@pytest.mark.clause("INFER-017~1", needs=("DATA-017", "BUNDLE-030", "INFER-001"))
def test_modes_go_from_file_to_bundle_to_picture(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Read, trained, saved, opened, reconstructed. If this fails, suspect a probe squeezed between two parts."""
    with observe.accepts("training"):
        run = modes.trained_from_a_file(backend, tmp_path, 2)
    with observe.accepts("opening"):
        opened, _ = backend.load(run.folder)

    with observe.accepts("reconstruction"):
        found = [modes.pictured(backend, run, models, 2) for models in (opened, native.item(run.results, "models"))]
    observe.equal("picture", *found)


@pytest.mark.slow
@pytest.mark.clause("INFER-017~1", needs=("DATA-017", "INFER-001"))
def test_a_model_is_bound_to_no_number_of_modes(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Trained under one mode, asked with one and three. If this fails, suspect a shape kept with the weights."""
    run = modes.trained_from_a_file(backend, tmp_path, 1)
    opened, _ = backend.load(run.folder)

    with observe.accepts("another number of modes"):
        shapes = [modes.pictured(backend, run, opened, count).shape for count in (1, 3)]
    observe.equal("canvas", *shapes)


@pytest.mark.slow
@pytest.mark.clause("INFER-038~2", evidence="differential", needs=("INFER-033",))
def test_an_engine_takes_the_light_of_two_modes(backend: Any, observe: Observer) -> None:
    """The object behind partly coherent patterns. If this fails, suspect an engine that keeps the first mode."""
    found = engines.match(backend, modes.LIGHT)

    observe.close("object", found.error, 0.0)


@pytest.mark.clause("INFER-038~2")
def test_modes_of_a_large_detector_are_taken(backend: Any, observe: Observer) -> None:
    """Three of 256 pixels. If this fails, suspect parts that are smaller than a pattern, of which there are none."""
    odd_engines.under_dark_modes(backend)

    with observe.accepts("a large detector"):
        odd_engines.large(backend)


@pytest.mark.slow
@pytest.mark.clause("INFER-039~1", evidence="differential", needs=("INFER-038",))
def test_an_engines_modes_have_the_powers_of_the_light(backend: Any, observe: Observer) -> None:
    """Eigenvalues of the mutual intensity, the largest first. If this fails, suspect modes in the order of the file."""
    engines.claimed(backend)
    truth = modes.orthogonal_shares(engines.light_of_two_modes())

    observe.close("shares", modes.powers(modes.final_probe(backend)), truth)


@pytest.mark.slow
@pytest.mark.clause("INFER-039~1", evidence="algebraic", needs=("INFER-038",))
def test_an_engines_modes_are_orthogonal(backend: Any, observe: Observer) -> None:
    """No light is told twice. If this fails, suspect modes as the updates left them."""
    engines.claimed(backend)

    observe.close("largest cosine", modes.coherence(modes.final_probe(backend)), 0.0)
