"""The forward model in float64, from sums and definitions: Fourier matrices, pixels gathered one corner at a time.

Nothing here is fast, and nothing calls a fast Fourier transform: an error that a backend shares with a library cannot hide.
"""

from __future__ import annotations

import math

import numpy as np

COUNT_EPSILON = 1e-3  # PHYS-030
COUNT_THRESHOLD = 1e-6  # PHYS-030
INFERENCE_EPSILON = 1e-9  # PHYS-036


def centred_dft(n: int) -> np.ndarray:
    """`(n, n)` orthonormal Fourier matrix; row `r` holds the frequency `r - n//2` (PHYS-002)."""
    frequency, place = np.arange(n)[:, None] - n // 2, np.arange(n)[None, :]
    return np.exp(-2j * np.pi * ((frequency * place) % n) / n) / math.sqrt(n)


def far_field(wave: np.ndarray) -> np.ndarray:
    """Centred orthonormal transform of `(…, H, W)` waves (PHYS-002)."""
    return centred_dft(wave.shape[-2]) @ wave.astype(complex) @ centred_dft(wave.shape[-1]).T


def diffract(field: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """`(B, C, H, W)` detector amplitude of `field` under `probe` `(B|1, C|1, P, H, W)`: √Σ_p |F(O·P_p)|² (PHYS-001 … 004)."""
    exit_waves = field.astype(complex)[:, :, None] * probe.astype(complex)
    return np.sqrt(np.sum(np.abs(far_field(exit_waves)) ** 2, axis=2))


def smoothing_transfer(H: int, W: int, sigma: float) -> np.ndarray:
    """`(H, W)` factor of a centred far field under a Gaussian of `sigma` pixels (PHYS-008)."""
    v, u = (np.arange(H) - H // 2)[:, None] / H, (np.arange(W) - W // 2)[None, :] / W
    return np.exp(-2 * (np.pi * sigma) ** 2 * (u**2 + v**2))


def translate(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """`out(x, y) = in(x - dx, y - dy)` of one `(H, W)` image: bilinear, zero outside (PHYS-020)."""
    H, W = image.shape
    rows, columns = np.arange(H)[:, None] - float(dy), np.arange(W)[None, :] - float(dx)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - top, columns - left

    def at(r: np.ndarray, c: np.ndarray) -> np.ndarray:
        inside = (r >= 0) & (r < H) & (c >= 0) & (c < W)
        return np.where(inside, image[np.clip(r, 0, H - 1), np.clip(c, 0, W - 1)], 0)

    upper = (1 - right) * at(top, left) + right * at(top, left + 1)
    lower = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
    return (1 - down) * upper + down * lower


def on_canvas(patch: np.ndarray, M: int) -> np.ndarray:
    """`patch` in the middle of an `(M, M)` canvas of zeros, `(M - N)//2` before it (PHYS-030)."""
    N, start = patch.shape[-1], (M - patch.shape[-1]) // 2
    canvas = np.zeros((M, M), dtype=patch.dtype)
    canvas[start : start + N, start : start + N] = patch
    return canvas


def central_window(N: int) -> np.ndarray:
    """`(N, N)`: one on the central `N/2 × N/2` pixels, `N` a multiple of 4 (PHYS-030)."""
    window = np.zeros((N, N))
    window[N // 4 : N // 4 + N // 2, N // 4 : N // 4 + N // 2] = 1
    return window


def merge_group(patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
    """`(M, M)` canvas of one group, `patches` `(C, N, N)`, `offsets` `(C, 1, 2)`: Σ T(p)·T(w) / (Σ T(w) + 1e-3) (PHYS-030)."""
    moves = -np.asarray(offsets, dtype=float).reshape(-1, 2)
    window = on_canvas(central_window(patches.shape[-1]), M)
    masks = [translate(window, dx, dy) for dx, dy in moves]
    moved = [translate(on_canvas(patch, M), dx, dy) for patch, (dx, dy) in zip(patches, moves, strict=True)]
    count = sum(masks)
    total = sum(patch * mask for patch, mask in zip(moved, masks, strict=True))
    return np.where(count > COUNT_THRESHOLD, total / (count + COUNT_EPSILON), 0)


def merge(patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
    """`(B, M, M)` canvases of `patches` `(B, C, N, N)` at relative `offsets` `(B, C, 1, 2)` (PHYS-022, PHYS-030)."""
    return np.stack([merge_group(group, places, M) for group, places in zip(patches, offsets, strict=True)])


def extract(canvas: np.ndarray, offsets: np.ndarray, N: int) -> np.ndarray:
    """`(B, C, N, N)` patches of `canvas` `(B, M, M)`: moved by plus each offset, trimmed from `(M - N)//2` on (PHYS-033)."""
    start = (canvas.shape[-1] - N) // 2
    trim = slice(start, start + N)
    pairs = zip(canvas, np.asarray(offsets, dtype=float), strict=True)
    return np.array([[translate(whole, dx, dy)[trim, trim] for dx, dy in places.reshape(-1, 2)] for whole, places in pairs])


def even_ceil(value: float) -> int:
    """The next even whole number not below `value`."""
    return 2 * math.ceil(value / 2)


def padded_size(N: int, gridsize: int, max_neighbor_distance: float) -> int:
    """Side of a group's canvas (PHYS-032)."""
    return N + (gridsize - 1) * even_ceil(max_neighbor_distance)


def merge_for_inference(patches: np.ndarray, offsets: np.ndarray, crop: int, padded: int | None = None) -> np.ndarray:
    """`(M, M)` average by count of all patches' central `crop` pixels (PHYS-036)."""
    N = patches.shape[-1]
    inner = slice((N - crop) // 2, (N - crop) // 2 + crop)
    flat = patches.reshape(-1, N, N)[:, inner, inner]
    moves = np.asarray(offsets, dtype=float).reshape(-1, 2)
    moves = -(moves - moves.mean(axis=0))
    M = padded or crop + 2 * even_ceil(np.abs(moves).max())
    ones = on_canvas(np.ones((crop, crop)), M)
    total = sum(translate(on_canvas(patch, M), dx, dy) for patch, (dx, dy) in zip(flat, moves, strict=True))
    count = sum(translate(ones, dx, dy) for dx, dy in moves)
    return total / (count + INFERENCE_EPSILON)


def merged_patches(patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
    """The patches `(B, C, N, N)` that a group's common object shows at its members' places (PHYS-010)."""
    return extract(merge(patches, offsets, M), offsets, patches.shape[-1])


def predict(amplitude: np.ndarray, phase: np.ndarray, probe: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Predicted amplitude of patches `A·exp(iφ)` under a probe, divided by the output `scale`; nothing merged (PHYS-010)."""
    return diffract(amplitude * np.exp(1j * phase.astype(float)), probe) / scale


def predict_merged(
    amplitude: np.ndarray, phase: np.ndarray, offsets: np.ndarray, probe: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Predicted amplitude of a group's merged patches, on a canvas wide enough for offsets of up to 4 pixels (PHYS-010)."""
    patches = amplitude * np.exp(1j * phase.astype(float))
    return diffract(merged_patches(patches, offsets, patches.shape[-1] + 8), probe) / scale


def simulation_scale(exit_wave: np.ndarray, nphotons: float) -> float:
    """`√(nphotons / mean Σ|Ψ|²)` (PHYS-006)."""
    return math.sqrt(nphotons / np.mean(np.sum(np.abs(exit_wave.astype(complex)) ** 2, axis=(-2, -1))))
