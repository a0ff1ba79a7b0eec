"""PHYS: diffraction by FFT, translation by gathering four neighbours, merging and extraction as specs/physics.md says."""

from __future__ import annotations

import math

import numpy as np
from scipy import fft


def diffract(field: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """PHYS-001 to 004: `(B, C, H, W)` patches under `(B|1, C|1, P, H, W)` modes → amplitude `(B, C, H, W)` float32."""
    B, C, *sides = field.shape
    fits = probe.ndim == 5 and probe.shape[0] in (1, B) and probe.shape[1] in (1, C) and list(probe.shape[3:]) == sides
    if not fits:
        raise ValueError(f"PROBE-RANK-001: expected a probe (B, C, P, H, W) for patches {field.shape}, found {probe.shape}")
    far = fft.fftshift(fft.fft2(_wide(field)[:, :, None] * probe, norm="ortho"), axes=(-2, -1))
    return np.sqrt(_energy(far, axis=2)).astype(np.float32)


def translate(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """PHYS-020: `(n, H, W)` images, each moved by its own `[dx, dy]`; zero comes in from outside, the dtype is kept."""
    (_, H, W), moves = images.shape, np.asarray(offsets, dtype=np.float64)
    return bilinear(images, np.arange(H) - moves[:, 1:], np.arange(W) - moves[:, :1])


def bilinear(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Image k `(H, W)` of n at every crossing of `rows[k]` `(h,)` and `columns[k]` `(w,)`: `(n, h, w)`, zero outside."""
    k = np.arange(len(images))[:, None, None]
    out: np.ndarray | float = 0.0
    for row, weight_y in _neighbours(rows, images.shape[1]):
        for column, weight_x in _neighbours(columns, images.shape[2]):
            out = out + weight_y[:, :, None] * weight_x[:, None, :] * images[k, row[:, :, None], column[:, None, :]]
    return np.asarray(out).astype(images.dtype)


def _neighbours(places: np.ndarray, side: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pixels before and behind each place and their weights; a pixel that does not exist has none."""
    before = np.floor(places)
    share = places - before
    pairs = ((before, 1 - share), (before + 1, share))
    return [(np.clip(at, 0, side - 1).astype(int), weight * ((at >= 0) & (at < side))) for at, weight in pairs]


def merge(patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
    """PHYS-030: the average of a group's central windows: `(B, C, N, N)` at `(B, C, 1, 2)` → `(B, M, M)`."""
    B, C, N, _ = patches.shape
    edge = (N - N // 2) // 2
    window = np.zeros((N, N))
    window[edge : edge + N // 2, edge : edge + N // 2] = 1
    moves = -offsets.reshape(B * C, 2)
    moved = translate(_pad(_wide(patches).reshape(-1, N, N), M), moves).reshape(B, C, M, M)
    seen = translate(_pad(np.broadcast_to(window, (B * C, N, N)), M), moves).reshape(B, C, M, M)
    count = seen.sum(axis=1)
    return np.where(count > 1e-6, (moved * seen).sum(axis=1) / (count + 1e-3), 0).astype(patches.dtype)


def extract(canvas: np.ndarray, offsets: np.ndarray, N: int) -> np.ndarray:
    """PHYS-033: what each member of a group sees of its canvas `(B, 1, M, M)`: `(B, C, N, N)`."""
    B, C, M = len(canvas), offsets.shape[1], canvas.shape[-1]
    moved = translate(np.repeat(canvas[:, 0], C, axis=0), offsets.reshape(B * C, 2)).reshape(B, C, M, M)
    return _centre(moved, N)


def padded_size(N: int, gridsize: int, max_neighbor_distance: float) -> int:
    """PHYS-032: the side of a group's canvas, without a buffer."""
    return N + (gridsize - 1) * _even_ceil(max_neighbor_distance)


def merge_for_inference(
    patches: np.ndarray, offsets: np.ndarray, crop_size: int | None = None, padded_size: int | None = None
) -> np.ndarray:
    """PHYS-036: all patches of all groups averaged by count on one canvas `(M, M)`."""
    N = patches.shape[-1]
    crop = N if crop_size is None else crop_size
    if not 0 < crop <= N:
        raise ValueError(f"crop_size: expected 1 to {N}, found {crop}")
    if padded_size is not None and padded_size < N:
        raise ValueError(f"padded_size: expected at least {N}, found {padded_size}")
    places = np.asarray(offsets, dtype=np.float64).reshape(-1, 2)
    moves = places.mean(axis=0) - places
    M = crop + 2 * _even_ceil(np.abs(moves).max()) if padded_size is None else padded_size
    flat = _centre(_wide(patches).reshape(-1, N, N), crop)
    count = translate(_pad(np.ones(flat.shape), M), moves).sum(axis=0)
    return (translate(_pad(flat, M), moves).sum(axis=0) / (count + 1e-9)).astype(patches.dtype)


def observe_photons(amplitude: np.ndarray, seed: int) -> np.ndarray:
    """PHYS-005: the square root of a Poisson count of mean A²."""
    return np.sqrt(np.random.default_rng(seed).poisson(np.asarray(amplitude, dtype=np.float64) ** 2)).astype(np.float32)


def simulation_scale(exit_wave: np.ndarray, nphotons: float) -> float:
    """PHYS-006: the factor that brings exit waves `(…, N, N)` to `nphotons` photons on average; `ValueError` for none."""
    energy = float(np.mean(_energy(exit_wave, axis=(-2, -1))))
    if not 0 < nphotons < np.inf or not 0 < energy < np.inf:
        raise ValueError(f"nphotons: expected photons of a wave with light, found {nphotons!r} and an energy of {energy:g}")
    return float(np.sqrt(nphotons / energy))


def simulate(field: np.ndarray, probe: np.ndarray, nphotons: float, seed: int) -> dict[str, np.ndarray]:
    """PHYS-007: noisy amplitudes, illuminated label amplitudes and bare label phases, in the units of the wave that came in."""
    lit = np.sqrt(_energy(_wide(field)[:, :, None] * probe, axis=2))
    scale = simulation_scale(lit, nphotons)
    noisy = observe_photons(scale * diffract(field, probe), seed) / scale
    return {"images": noisy.astype(np.float32), "label_amp": lit.astype(np.float32), "label_phase": np.angle(field)}


def _energy(wave: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    return (np.abs(_wide(wave)) ** 2).sum(axis=axis)


def _wide(image: np.ndarray) -> np.ndarray:
    """Double precision: what is summed here is rounded once, at the end."""
    return image.astype(np.complex128 if np.iscomplexobj(image) else np.float64)


def _even_ceil(distance: float) -> int:
    return 2 * math.ceil(distance / 2)


def _pad(images: np.ndarray, M: int) -> np.ndarray:
    before = (M - images.shape[-1]) // 2
    side = (before, M - images.shape[-1] - before)
    return np.pad(images, ((0, 0), side, side))


def _centre(images: np.ndarray, side: int) -> np.ndarray:
    start = (images.shape[-1] - side) // 2
    return images[..., start : start + side, start : start + side]
