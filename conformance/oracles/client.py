"""What a client may expect, in float64: amplitudes of counts, and an object on a canvas whose middle is the object's."""

from __future__ import annotations

import numpy as np


def scaled_amplitudes(counts: np.ndarray) -> np.ndarray:
    """`(n, N, N)`: `k · √counts`, `k = (N/2) / sqrt(mean Σ counts)`: the root once, then mean energy (N/2)² (GROUP-030)."""
    photons = counts.astype(np.float64)
    return np.sqrt(photons) * (counts.shape[-1] / 2) / np.sqrt(photons.sum(axis=(-2, -1)).mean())


def on_canvas(whole: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """`shape` pixels of an object, bilinear, the middles `(side - 1) / 2` of both on one another; zero outside the object."""
    rows, columns = (np.arange(s) + (S - s) / 2 for s, S in zip(shape, whole.shape, strict=True))
    padded = np.pad(whole.astype(np.complex128), 1)
    r, c = (np.clip(v + 1, 0, S) for v, S in zip((rows, columns), whole.shape, strict=True))
    i, j = r.astype(int), c.astype(int)
    fr, fc = (r - i)[:, None], (c - j)[None, :]
    corner = [[padded[np.ix_(i + a, j + b)] for b in (0, 1)] for a in (0, 1)]
    return (1 - fr) * ((1 - fc) * corner[0][0] + fc * corner[0][1]) + fr * ((1 - fc) * corner[1][0] + fc * corner[1][1])


def covered(x: np.ndarray, y: np.ndarray, M: int, whole: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """`shape` bool: canvas pixels at least one pixel inside the central `M × M` of the patch of some position [x, y]."""
    rows, columns = (np.arange(s) + (S - s) / 2 for s, S in zip(shape, whole, strict=True))
    low, high = 1 - M // 2, M - M // 2 - 2
    seen = np.zeros(shape, bool)
    for a, b in zip(x, y, strict=True):
        seen |= ((rows >= b + low) & (rows <= b + high))[:, None] & ((columns >= a + low) & (columns <= a + high))[None, :]
    return seen


def within(x: np.ndarray, y: np.ndarray, M: int, whole: tuple[int, int], shape: tuple[int, int]) -> np.ndarray:
    """`shape` bool: canvas pixels that are `covered`, and at no square's rim: there one between pixels counts in part."""
    seen, rim = np.zeros(shape, bool), np.zeros(shape, bool)
    for a, b in zip(x, y, strict=True):
        inner, outer = (covered(np.array([a]), np.array([b]), side, whole, shape) for side in (M, M + 6))
        seen, rim = seen | inner, rim | (outer & ~inner)
    return seen & ~rim
