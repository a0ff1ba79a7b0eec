"""Objects, probes and fields on small grids: complex, asymmetric, with structure at every scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FieldScene:
    """Object patches `(B, C, N, N)` complex64 under a probe `(B|1, C|1, P, N, N)` complex64."""

    name: str
    field: np.ndarray
    probe: np.ndarray

    def __str__(self) -> str:
        return self.name


def object_image(height: int, width: int, seed: int = 7) -> np.ndarray:
    """`(height, width)` complex64 object: amplitude in [0.4, 1.0], phase in [-1, 1] rad, no symmetry, one bright mark."""
    y, x = np.mgrid[:height, :width].astype(float)
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0.15, 0.45, size=2)
    amplitude = 0.7 + 0.2 * np.sin(a * x + 0.3 * y) * np.cos(b * y) + 0.1 * rng.uniform(-1, 1, size=(height, width))
    phase = np.tanh((x - 0.3 * width) / width + 1.7 * (y - 0.6 * height) / height) + 0.2 * np.sin(b * x * y / height)
    amplitude[height // 3, width // 4] = 1.0
    return (np.clip(amplitude, 0.4, 1.0) * np.exp(1j * np.clip(phase, -1, 1))).astype(np.complex64)


def curved_probe(N: int, modes: int = 1, seed: int = 11) -> np.ndarray:
    """`(modes, N, N)` complex64: off-centre Gaussians with defocus, astigmatism and coma; modes differ in place and phase."""
    v, u = (np.mgrid[:N, :N] + 0.5) / N - 0.5
    rng = np.random.default_rng(seed)
    planes = []
    for mode in range(modes):
        x0, y0 = 0.06 + 0.05 * mode, -0.04 + 0.03 * mode
        r2 = (u - x0) ** 2 + 1.4 * (v - y0) ** 2
        phase = 14 * r2 + 9 * (u * u - v * v) + 30 * u * r2 + rng.uniform(0, 2)
        planes.append((1.0 - 0.4 * mode) * np.exp(-r2 / 0.05) * np.exp(1j * phase))
    return np.stack(planes).astype(np.complex64)


def field(B: int, C: int, N: int, seed: int = 3) -> np.ndarray:
    """`(B, C, N, N)` complex64 patches of one object, each at its own place."""
    rng = np.random.default_rng(seed)
    whole = object_image(2 * N + 5, 3 * N + 2, seed)
    rows = rng.integers(0, N + 5, size=(B, C))
    columns = rng.integers(0, 2 * N + 2, size=(B, C))
    patches = [[whole[r : r + N, c : c + N] for r, c in zip(rr, cc, strict=True)] for rr, cc in zip(rows, columns, strict=True)]
    return np.asarray(patches, dtype=np.complex64)


def field_scenes() -> list[FieldScene]:
    """g = 1 and g = 2, one and two modes, shared and individual probes; B ≠ C ≠ N always, N even and odd."""
    own = np.stack([np.roll(curved_probe(12, 2), k, axis=-1) for k in range(3)])[:, None]
    return [
        FieldScene("g1", field(3, 1, 16), curved_probe(16)[None, None]),
        FieldScene("g2", field(3, 4, 16), curved_probe(16)[None, None]),
        FieldScene("g2-two-modes", field(3, 4, 12), curved_probe(12, 2)[None, None]),
        FieldScene("g2-own-probes", field(3, 4, 12), own),
        FieldScene("odd", field(2, 1, 15), curved_probe(15)[None, None]),
        FieldScene("zero-object", np.zeros((2, 1, 16, 16), np.complex64), curved_probe(16)[None, None]),
    ]
