"""The arrays of a group: patterns, normalised amplitudes, labels, layouts (GROUP-030 to GROUP-040).

Image arrays are channel-last views `(n, N, N, C)` of channel-first storage `(n, C, N, N)`: the loader's permutation back costs
nothing.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reference_impl.errors import ContractError

Layout = Literal["channel", "flat", "grid"]

_BLOCK_BYTES = 1 << 20
"""1 MiB of working set a block stays in the cache: labels of 2,000 groups (g = 2, N = 64) take 0.11 s, 0.24 s in one piece."""


def gather_patterns(patterns: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """`patterns` `(n, N, N)` at `indices` `(m, C)`, as a channel-last view `(m, N, N, C)`; dtype kept."""
    storage = np.empty((*indices.shape, *patterns.shape[1:]), dtype=patterns.dtype)
    np.take(patterns, indices.reshape(-1), axis=0, out=storage.reshape(-1, *patterns.shape[1:]), mode="clip")
    return storage.transpose(0, 2, 3, 1)


def pattern_energies(patterns: np.ndarray) -> np.ndarray:
    """`Σ_{hw} x²` of each pattern of `(n, …)`, squared and summed in float64, block by block."""
    energies = np.empty(len(patterns))
    step = max(1, _BLOCK_BYTES // max(1, 8 * math.prod(patterns.shape[1:])))
    for start in range(0, len(patterns), step):
        block = patterns[start : start + step].astype(np.float64, order="C")
        block = block.reshape(len(block), -1)
        np.einsum("ij,ij->i", block, block, out=energies[start : start + step])
    return energies


def normalisation(mean_energy: float, N: int, file: str | Path | None = None) -> float:
    """`k = sqrt((N/2)² / mean Σ x²)` (GROUP-030); `ContractError`, which names `file`, where there is no energy."""
    if not mean_energy > 0 or not np.isfinite(mean_energy):
        found = f"a mean energy of {mean_energy:g}"
        raise ContractError(file=file, field="diffraction", expected="patterns with energy", found=found)
    return float(np.sqrt((N / 2) ** 2 / mean_energy))


def scaled(stack: np.ndarray, factor: float) -> np.ndarray:
    """`factor · stack` as float32 in the memory layout of `stack`; wide integers and float64 are multiplied in float64."""
    result = np.empty_like(stack, dtype=np.float32)
    scale = np.float32(factor) if stack.dtype in (np.float32, np.float16, np.uint16, np.uint8) else np.float64(factor)
    np.multiply(stack, scale, out=result, casting="same_kind")
    return result


def label_patches(object_image: np.ndarray, coords_nn: np.ndarray, N: int) -> np.ndarray:
    """The object around each member's absolute position (decision 1, GROUP-031), complex64 `(n, N, N, C)`, channel-last view.

    `object_image`: complex `(H, W)`; `coords_nn`: `(n, 1, 2, C)` positions `[x, y]` in pixels. Pixel (row, column) of a label is
    the bilinear interpolation at row `y + row − N//2`, column `x + column − N//2`; zero outside the object (GROUP-032).
    """
    image = np.asarray(object_image, dtype=np.complex64)
    n, _, _, C = coords_nn.shape
    storage = np.empty((n, C, N, N), dtype=np.complex64)
    corners = np.asarray(coords_nn, dtype=np.float64)[:, 0].transpose(0, 2, 1).reshape(-1, 2) - N // 2
    starts = np.floor(corners)
    fractions = (corners - starts).astype(np.float32)
    margin = N + 1
    limits = np.array([image.shape[1], image.shape[0]]) + margin
    starts = np.clip(starts + margin, 0, limits).astype(np.intp)
    # Real and imaginary parts side by side: interpolation is real arithmetic, one column is two numbers.
    # Rows side by side in memory, which the view needs: an object in Fortran order keeps its order through np.pad.
    padded = np.ascontiguousarray(np.pad(image, margin)).view(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (N + 1, 2 * (N + 1)))
    target = storage.reshape(-1, N, N).view(np.float32)
    step = max(1, _BLOCK_BYTES // (8 * (N + 1) ** 2))
    for first in range(0, len(starts), step):
        part = slice(first, first + step)
        _interpolate(windows[starts[part, 1], 2 * starts[part, 0]], fractions[part], target[part])
    return storage.transpose(0, 2, 3, 1)


def _interpolate(window: np.ndarray, fraction: np.ndarray, out: np.ndarray) -> None:
    """Blend `(b, N+1, 2(N+1))` real windows by `(b, 2)` fractions `[x, y]` into `(b, N, 2N)`; `window` is used up."""
    x, y = fraction[:, 0, None, None], fraction[:, 1, None, None]
    step = window[:, 1:] - window[:, :-1]
    step *= y
    rows = window[:, :-1]
    rows += step
    np.subtract(rows[..., 2:], rows[..., :-2], out=out)
    out *= x
    out += rows[..., :-2]


def transform(images: Any, source: Layout, target: Layout, gridsize: int) -> Any:
    """Change the layout of images or tensors (GROUP-040); channel `c` is row `c // g`, column `c % g`.

    `channel (B, N, N, C)`, `flat (B·C, N, N, 1)`, `grid (B, g, g, N, N, 1)`; exact inverses of each other.
    """
    g, C = gridsize, gridsize**2
    side = images.shape[-2] if source != "channel" else images.shape[1]
    if source == "channel":
        _expect(images.ndim == 4 and images.shape[3] == C, f"(B, N, N, {C})", images)
        grid = images.swapaxes(2, 3).swapaxes(1, 2).reshape(-1, g, g, side, images.shape[2], 1)
    elif source == "flat":
        _expect(images.ndim == 4 and images.shape[3] == 1 and images.shape[0] % C == 0, f"(B·{C}, N, N, 1)", images)
        grid = images.reshape(-1, g, g, images.shape[1], side, 1)
    else:
        _expect(images.ndim == 6 and images.shape[1:3] == (g, g) and images.shape[5] == 1, f"(B, {g}, {g}, N, N, 1)", images)
        grid = images
    height, width = grid.shape[3:5]
    if target == "grid":
        return grid
    if target == "flat":
        return grid.reshape(-1, height, width, 1)
    return grid.reshape(-1, C, height, width).swapaxes(1, 2).swapaxes(2, 3)


def _expect(condition: bool, expected: str, images: Any) -> None:
    if not condition:
        raise ContractError(field="images", expected=f"shape {expected}", found=f"shape {tuple(images.shape)}")
