"""Containers whose patterns a fresh network predicts: what it leaves of them (INFER-056)."""

from __future__ import annotations

from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.oracles.inference import input_scale
from conformance.scenes import masks, networks, runs


def container(backend: Any, g: int, masked: bool) -> Any:
    """Five groups whose stated scales are beside the truth; with a mask, bright nonsense stands under it."""
    found = networks.container(g, 5)
    if not masked:
        return found
    good = masks.mask(networks.N)
    found.X = np.where(good[..., None], found.X, np.float32(0))
    return masks.hides(backend, found, good)


def left(backend: Any, module: Any, config: Any, source: Any) -> float:
    """`√(Σ(Â − A)² / ΣA²)` over the good pixels, `Â` of the forward call under the batch's probe and the scale of INFER-009."""
    images = runs.images(source)
    offsets = np.ascontiguousarray(native.array(source.coords_relative).transpose(0, 3, 1, 2))
    probe = native.array(networks.first_batch(backend, source, config)[1])
    probe = np.broadcast_to(probe[:1, :1], (len(images), images.shape[1], *probe.shape[2:]))
    scale = np.full((len(images), 1, 1, 1), input_scale(images), np.float32)
    predicted = native.array(backend.forward(module, images, offsets, np.ascontiguousarray(probe), scale, scale)[0])
    good = getattr(source, "mask", None)
    seen = np.ones(images.shape, bool) if good is None else np.broadcast_to(good, images.shape)
    difference = (predicted.astype(float) - images)[seen]
    return float(np.sqrt(np.sum(difference**2) / np.sum(images[seen].astype(float) ** 2)))
