"""Stitching as the clause says it, patch by patch, in float64 (INFER-005, INFER-006); images up to their gauge (INFER-033)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def centred(offsets: np.ndarray) -> np.ndarray:
    """`(n, 2)` offsets [x, y] minus their mean, from `(n, 1, 1, 2)` (INFER-005)."""
    d = np.asarray(offsets, dtype=np.float64).reshape(-1, 2)
    return d - d.mean(axis=0)


def smallest_side(offsets: np.ndarray, M: int) -> tuple[float, float]:
    """The least height and width that hold every patch: `M + 2 · max |d|` along y and x (INFER-006)."""
    reach = np.abs(centred(offsets)).max(axis=0)
    return M + 2 * float(reach[1]), M + 2 * float(reach[0])


def moved(patch: np.ndarray, x: float, y: float, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` canvas with the `(M, M)` patch centred, then moved by (x, y): each pixel shares itself among four (bilinear)."""
    M = patch.shape[0]
    top, left = (shape[0] - M) // 2 + y, (shape[1] - M) // 2 + x
    beyond = max(-top, -left, top + M - shape[0], left + M - shape[1], 0)  # what a canvas too small does not show
    edge = int(np.ceil(beyond)) + 1
    canvas = np.zeros((shape[0] + 2 * edge, shape[1] + 2 * edge), dtype=np.complex128)
    r, c = int(np.floor(top)), int(np.floor(left))
    for i, wy in ((0, 1 - (top - r)), (1, top - r)):
        for j, wx in ((0, 1 - (left - c)), (1, left - c)):
            canvas[r + i + edge :, c + j + edge :][:M, :M] += wy * wx * patch
    return canvas[edge:-edge, edge:-edge]


def count(offsets: np.ndarray, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` how often each pixel is seen: `Σ_j move(1)` (INFER-005)."""
    return sum(moved(np.ones((M, M)), x, y, shape).real for x, y in centred(offsets))


def stitch(patches: np.ndarray, offsets: np.ndarray, M: int, shape: tuple[int, int]) -> np.ndarray:
    """`(H, W)` complex128: `Σ_j move(patch_j) / (Σ_j move(1) + 1e-9)` of the central `M × M` pixels (INFER-005)."""
    c = (patches.shape[1] - M) // 2
    crops = np.asarray(patches[:, c : c + M, c : c + M, 0], dtype=np.complex128)
    total = sum(moved(crop, x, y, shape) for crop, (x, y) in zip(crops, centred(offsets), strict=True))
    return total / (count(offsets, M, shape) + 1e-9)


def input_scale(images: np.ndarray) -> float:
    """`sqrt((N/2)² / mean Σ X²)` over the patterns of `(n, C, N, N)` (INFER-009)."""
    N = images.shape[-1]
    energy = np.sum(images.astype(np.float64) ** 2, axis=(-2, -1))
    return float(np.sqrt((N / 2) ** 2 / energy.mean()))


@dataclass(frozen=True)
class Match:
    """An image beside the truth: the relative error that is left, the shift (x, y) in pixels, the ramp in radians a pixel."""

    error: float
    shift: tuple[float, float]
    ramp: tuple[float, float]


def matched(image: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> Match:
    """Least squares of `c · (T − d·∇T + i k·r T)`, small `d` and `k`, to an image `(H, W)` under real weights (INFER-033)."""
    gradient_y, gradient_x = np.gradient(truth)
    y, x = (grid - grid.mean() for grid in np.mgrid[: truth.shape[0], : truth.shape[1]])
    first = np.sum(weight * truth.conj() * image) / np.sum(weight * np.abs(truth) ** 2)
    terms = [first * t for t in (truth, 1j * truth, -gradient_x, -gradient_y, 1j * x * truth, 1j * y * truth)]
    root = np.sqrt(weight).ravel()
    basis = np.stack([np.concatenate([t.real.ravel() * root, t.imag.ravel() * root]) for t in terms], axis=-1)
    wanted = np.concatenate([image.real.ravel() * root, image.imag.ravel() * root])
    found = np.linalg.lstsq(basis, wanted, rcond=None)[0]
    left = np.linalg.norm(wanted - basis @ found) / np.linalg.norm(basis[:, :2] @ found[:2])
    return Match(float(left), (float(found[2]), float(found[3])), (float(found[4]), float(found[5])))


def nearest(image: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> str:
    """Which of the sixteen turned, mirrored and conjugated images is most like the truth, up to a factor (INFER-031).

    Turned images are laid on the truth centre on centre; what of them does not lie on it is zero.
    """
    ways = {}
    for turn in range(4):
        for mirror in (False, True):
            turned = np.rot90(image[:, ::-1] if mirror else image, turn)
            laid = _laid(turned, truth.shape)
            for conjugate in (False, True):
                name = f"turned by {90 * turn}°" + ", mirrored" * mirror + ", conjugated" * conjugate
                seen = laid.conj() if conjugate else laid
                product = np.abs(np.sum(weight * truth.conj() * seen)) / np.sqrt(np.sum(weight * np.abs(seen) ** 2) + 1e-30)
                ways[name] = float(product)
    return max(ways, key=lambda name: ways[name])


def _laid(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An image centre on centre on a canvas of another shape: cut, or filled with zeros."""
    out = np.zeros(shape, dtype=complex)
    height, width = (min(a, b) for a, b in zip(image.shape, shape, strict=True))
    a, b = ([(side - part) // 2 for side, part in zip(of, (height, width), strict=True)] for of in (image.shape, shape))
    out[b[0] : b[0] + height, b[1] : b[1] + width] = image[a[0] : a[0] + height, a[1] : a[1] + width]
    return out
