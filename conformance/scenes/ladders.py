"""Networks whose kernels hand on what they see, so that only what lies between the kernels shows (MODEL-001, MODEL-004)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.oracles import model as oracle
from conformance.protocol import Native
from conformance.scenes import networks
from conformance.scenes.optics import curved_probe

Pair = tuple[int, int]
SOFT = {"gridsize": 1, "probe_big": False, "amp_activation": "softplus"}
SQUARE = 8
"""Pixels along what one pixel of the bottleneck sees, and of N = 128 along what a decoder makes of it."""
LITTLE = 1e-3
"""The share of an answer that counts as none: rounding, whatever way a library convolves."""


def handing_on(backend: Any, N: int, pairs: Iterable[Pair], signs: Mapping[Pair, float]) -> Native:
    """A module whose 3×3 kernels of these channels hand on their centres, by their sign; the rest is drawn."""
    made = networks.module(backend, networks.settings(backend, {**SOFT, "N": N}))
    every = {name: value for name, value in networks.values(backend.weights(made)).items() if value.ndim == 4}
    channels = {name: next(iter(oracle.kernels([value.shape])), (0, 0)) for name, value in every.items()}
    wanted = set(pairs)
    chosen = {name: _identity(every[name], signs.get(pair, 1.0)) for name, pair in channels.items() if pair in wanted}
    return backend.with_weights(made, chosen)


def _identity(kernel: np.ndarray, sign: float) -> np.ndarray:
    """A kernel of this shape that gives each channel one of those before it, all of them in turn."""
    last = kernel.shape[:2] == (3, 3)
    made = np.zeros_like(kernel)
    view = made.transpose(3, 2, 0, 1) if last else made
    out = np.arange(view.shape[0])
    view[out, out % view.shape[1], 1, 1] = sign
    return made


def _amplitudes(backend: Any, module: Native, images: np.ndarray) -> np.ndarray:
    """`(B, N/2, N/2)` central amplitudes of images `(B, N, N)`."""
    B, N = images.shape[:2]
    ones, offsets = np.ones((B, 1, 1, 1), np.float32), np.zeros((B, 1, 1, 2), np.float32)
    fed = networks.Inputs(images[:, None].astype(np.float32), offsets, curved_probe(N)[None, None], ones, ones)
    return networks.centre(native.array(backend.forward(module, *fed)[1]))[:, 0].astype(float)


def pooled(backend: Any) -> dict[str, float]:
    """By how much an object changes, as a share of what a brighter pixel makes: one that is moved within its square, and a
    fainter one beside it. No light of a brighter pixel is infinity.
    """
    image = np.zeros((4, networks.N, networks.N))
    row, column = 3 * SQUARE, 4 * SQUARE
    image[:, row + 3, column + 5] = 3.0, 3.0, 0.0, 6.0
    image[1, row, column], image[2, row + 6, column + 1] = 2.5, 3.0
    module = handing_on(backend, networks.N, oracle.encoder(networks.N, 1, 1), {})
    plain, beside, moved, brighter = _amplitudes(backend, module, image)
    whole = float(np.abs(brighter - plain).max())
    return {
        name: float(np.abs(one - plain).max()) / whole if whole else np.inf
        for name, one in (("a fainter pixel", beside), ("a pixel that is moved", moved))
    }


TURNED: dict[str, tuple[Pair, Pair]] = {"first": ((64, 128), (128, 128)), "second": ((128, 128), (128, 64))}
"""Convolution of the last block → its kernels, and those behind it: what is turned by both is as it was, but for a ReLU."""


def rectified(backend: Any, convolution: str) -> float:
    """How far objects of two images are apart whose signs are turned behind a convolution, as a share of the plain ones."""
    N = networks.N
    image = np.random.default_rng(4).uniform(1, 3, (2, N, N))
    pairs = [*oracle.encoder(N, 1, 1), *oracle.decoder(N, 1)]
    plain, turned = (
        float(np.ptp(_amplitudes(backend, handing_on(backend, N, pairs, signs), image), axis=0).max())
        for signs in ({}, dict.fromkeys(TURNED[convolution], -1.0))
    )
    return turned / plain if plain else np.inf


def repeated(backend: Any) -> float:
    """How far the middle pixels of the squares of an object are from each other, as a share of how far the squares are apart."""
    N = 2 * networks.N
    image = np.random.default_rng(6).uniform(0, 3, (1, N, N)) * np.hypot(*(np.mgrid[:N, :N] - N / 3)) / N
    found = _amplitudes(backend, handing_on(backend, N, oracle.decoder(N, 1), {}), image)[0]
    middle = SQUARE // 2
    one, other = (found[start::SQUARE, start::SQUARE] for start in (middle - 1, middle))
    spread = float(np.ptp(one))
    return float(np.abs(one - other).max()) / spread if spread else np.inf
