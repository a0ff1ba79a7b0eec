"""PHYS: what holds for every image, offset and probe, on examples that nobody chose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import strategies


@pytest.mark.clause("PHYS-020~2", evidence="differential")
@strategies.every(scene=strategies.moved_images())
def test_every_image_moves_by_every_offset(backend: Any, observe: Observer, scene: tuple[np.ndarray, np.ndarray]) -> None:
    """Any shape, any offset, far outside too. If this fails, suspect an image of one row, or an offset beyond the image."""
    images, offsets = scene
    truth = [oracle.translate(image, *offset) for image, offset in zip(images, offsets, strict=True)]

    moved = backend.translate(images, offsets)

    observe.close("moved", moved, np.stack(truth), dtype=str(images.dtype))


@pytest.mark.clause("PHYS-033~2", evidence="differential")
@strategies.every(scene=strategies.cut_canvases())
def test_every_canvas_is_cut_at_its_offsets(backend: Any, observe: Observer, scene: tuple[np.ndarray, np.ndarray, int]) -> None:
    """Odd margins, none, and offsets beyond them. If this fails, suspect the margin's rounding."""
    canvas, offsets, N = scene

    patches = backend.extract(canvas, offsets, N)

    observe.close("patches", patches, oracle.extract(canvas[:, 0], offsets, N))


@pytest.mark.clause("PHYS-002~1", evidence="conservation")
@strategies.every(scene=strategies.illuminated_fields())
def test_every_exit_wave_keeps_its_energy(backend: Any, observe: Observer, scene: tuple[np.ndarray, np.ndarray]) -> None:
    """Parseval, for one probe for all or one each. If this fails, suspect the norm, or a probe's axes that are exchanged."""
    field, probe = scene
    waves = np.abs(field.astype(complex)[:, :, None] * probe) ** 2

    amplitude = native.array(backend.diffract(field, probe)).astype(float)

    observe.close("energy", np.sum(amplitude**2, axis=(-2, -1)), waves.sum(axis=(2, 3, 4)))
