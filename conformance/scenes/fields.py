"""Fields for the forward model beyond those of `optics`: odd and unequal sides, arrays awkward to read, plane waves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.scenes.motions import consistent_group, group_offsets, read_only, strided
from conformance.scenes.optics import FieldScene, curved_probe, field, field_scenes, object_image


def lit_fields() -> list[FieldScene]:
    """The field scenes with light in them, a rectangular one, and one in read-only and in strided arrays."""
    lit = [scene for scene in field_scenes() if scene.field.any()]
    wide = FieldScene("rectangular-two-modes", rectangle(2, 3, 10, 15), rectangle(1, 2, 10, 15, seed=31)[:, None])
    awkward = lit[2]
    hard = replace(awkward, name="read-only", field=read_only(awkward.field), probe=read_only(awkward.probe))
    gaps = replace(awkward, name="strided", field=strided(awkward.field), probe=strided(awkward.probe))
    return [*lit, wide, hard, gaps]


def rectangle(B: int, C: int, height: int, width: int, seed: int = 19) -> np.ndarray:
    """`(B, C, height, width)` complex64 objects, each another."""
    images = [object_image(height, width, seed + k) for k in range(B * C)]
    return np.stack(images).reshape(B, C, height, width)


def plane_waves(height: int, width: int, ramps: tuple[tuple[int, int], ...]) -> np.ndarray:
    """`(1, C, height, width)` complex64: channel c has modulus `c + 1` and `ramps[c]` cycles of phase along (x, y)."""
    y, x = np.mgrid[:height, :width]
    waves = [(c + 1) * np.exp(2j * np.pi * (k * x / width + m * y / height) + 0.4j) for c, (k, m) in enumerate(ramps)]
    return np.stack(waves)[None].astype(np.complex64)


def peaks(height: int, width: int, ramps: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The far field of `plane_waves`: all amplitude `(c + 1)·√(H·W)` in pixel `(H//2 + m, W//2 + k)` (PHYS-003)."""
    far = np.zeros((1, len(ramps), height, width))
    for c, (k, m) in enumerate(ramps):
        far[0, c, height // 2 + m, width // 2 + k] = (c + 1) * np.sqrt(height * width)
    return far


def unit_probe(height: int, width: int) -> np.ndarray:
    """A probe `(1, 1, 1, height, width)` of ones."""
    return np.ones((1, 1, 1, height, width), np.complex64)


def orthogonal_modes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A field `(3, 4, 12, 12)` and two probes `(1, 1, 1, 12, 12)` whose fields would interfere strongly."""
    first = curved_probe(12, 1, seed=11)[None, None]
    ramp = np.exp(2j * np.pi * np.arange(12) / 12)
    return field(3, 4, 12), first, (first * ramp).astype(np.complex64)


def true_and_flat(brightness: float, N: int = 32) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Patches `(2, 4, N, N)` of one object for each group, flat ones of `brightness` × its mean amplitude, offsets, a probe."""
    offsets = np.clip(group_offsets("whole", 2, 4), -2, 2)
    true = consistent_group(offsets, N)
    flat = np.full_like(true, brightness * np.mean(np.abs(true)))
    return true, flat, offsets, curved_probe(N)[None, None]


MASKS: tuple[dict[str, bool], ...] = ({"probe_mask": True}, {"probe_mask": True, "object_big": False}, {"probe_mask": False})
"""Models with a mask, merged and not, and without one."""
SOFT = 0.1
"""What a rim that is a pixel or two soft may take of the light within 0.2·N, and leave of that beyond N/3 (PHYS-001)."""


def rim_probe(N: int = 64) -> np.ndarray:
    """`(N, N)` complex64: light between N/3 and 0.42·N from the centre, five pixels and more beyond the disc of PHYS-001."""
    radius = np.hypot(*(np.mgrid[:N, :N] - (N - 1) / 2))
    return np.where((radius > N / 3) & (radius < 0.42 * N), np.complex64(0.5 + 0.25j), 0)


def astray(one: np.ndarray, other: np.ndarray) -> float:
    """How far an array is from another, as a share of the other."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))
