"""Raw records: scans, patterns that belong to their positions, and the files that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes.optics import curved_probe, object_image


def anisotropic_scan(n: int, seed: int = 5, origin: tuple[float, float] = (40.25, 25.5)) -> tuple[np.ndarray, np.ndarray]:
    """`(xcoords, ycoords)`, float64 `(n,)`, in pixels: a jittered raster, three times as wide as high, all points distinct."""
    rng = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(3 * n)))
    index = np.arange(n)
    x = origin[0] + 3.0 * (index % columns) + rng.uniform(-0.9, 0.9, n)
    y = origin[1] + 2.5 * (index // columns) + rng.uniform(-0.7, 0.7, n)
    return x, y


def patch_at(image: np.ndarray, x: float, y: float, N: int) -> np.ndarray:
    """`(N, N)` complex128 bilinear sample of `image` centred on column `x`, row `y`; zero outside, pixel N//2 on the point."""
    rows, columns = y + np.arange(N) - N // 2, x + np.arange(N) - N // 2
    padded = np.pad(image.astype(complex), 2)
    r = np.clip(rows, -1.5, image.shape[0] + 0.5) + 2
    c = np.clip(columns, -1.5, image.shape[1] + 0.5) + 2
    r0, c0 = np.floor(r).astype(int), np.floor(c).astype(int)
    fr, fc = (r - r0)[:, None], (c - c0)[None, :]
    corner = [padded[np.ix_(r0 + i, c0 + j)] for i in (0, 1) for j in (0, 1)]
    return (1 - fr) * ((1 - fc) * corner[0] + fc * corner[1]) + fr * ((1 - fc) * corner[2] + fc * corner[3])


def record(
    n: int = 23, N: int = 16, photons: float = 2.0e4, seed: int = 5, probe: np.ndarray | None = None, spread: float = 1.0
) -> dict[str, Any]:
    """Arrays of a raw record (DATA-001): amplitudes float32 `(n, N, N)` of the exposures at the very positions, noiseless.

    `probe`: another one than the usual, complex64 `(N, N)`; `spread`: how much farther apart the points lie than usual.
    """
    xcoords, ycoords = (place[0] + spread * (place - place[0]) for place in anisotropic_scan(n, seed))
    whole = object_image(int(ycoords.max()) + N + 20, int(xcoords.max()) + N + 20, seed)
    probe = curved_probe(N)[0] if probe is None else probe
    exits = np.stack([patch_at(whole, x, y, N) * probe for x, y in zip(xcoords, ycoords, strict=True)])
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(exits, norm="ortho"), axes=(-2, -1)))
    amplitude *= np.sqrt(photons / np.mean(np.sum(amplitude**2, axis=(-2, -1))))
    return {
        "xcoords": xcoords,
        "ycoords": ycoords,
        "diff3d": amplitude.astype(np.float32),
        "probeGuess": probe,
        "scan_index": np.zeros(n, dtype=np.int64),
        "objectGuess": whole,
    }


def write_npz(path: Path, **arrays: Any) -> Path:
    """Write the arrays that are not None; returns `path`."""
    np.savez(path, **{key: value for key, value in arrays.items() if value is not None})
    return path
