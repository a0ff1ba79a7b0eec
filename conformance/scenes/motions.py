"""Images and groups with offsets that leave no mistake a place to hide: whole, fractional, half-pixel, duplicate, far off."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from conformance.connectors import native
from conformance.protocol import Native
from conformance.scenes.optics import field, object_image

# All components are multiples of 1/1024: float32 holds them exactly, so that a rounding in the test is no error of the backend;
# half precisions hold those of FINE, and of the kind "fine", not.
WHOLE = ((3, -2), (0, 0), (-4, 1), (5, 0))
FRACTIONAL = ((0.25, -1.75), (-3.375, 0.625), (0.0, 2.125), (-0.125, -0.25))
FINE = ((257 / 1024, -1791 / 1024), (-3455 / 1024, 641 / 1024), (1023 / 1024, 2177 / 1024), (-1 / 1024, -255 / 1024))
HALF = ((0.5, -0.5), (1.5, 2.5), (-2.5, -0.5), (0.5, 3.0))
OFF = ((17.0, 0.0), (-19.5, 2.0), (1.0, -40.0), (-10.25, 8.5))


@dataclass(frozen=True)
class MotionScene:
    """`(n, H, W)` images and the `(n, 2)` offsets `[dx, dy]` by which they are moved."""

    name: str
    images: np.ndarray
    offsets: np.ndarray

    def __str__(self) -> str:
        return self.name


def _images(count: int, height: int, width: int) -> np.ndarray:
    return np.stack([object_image(height, width, seed) for seed in range(21, 21 + count)])


def motion_scenes(kind: str) -> list[MotionScene]:
    """Complex and real images, even, odd and not square, moved by the offsets of `kind`: `whole` or `between` pixels."""
    lists = {
        "whole": {"whole": WHOLE},
        "between": {"fractional": FRACTIONAL, "fine": FINE, "half-pixel": HALF, "off-canvas": OFF},
    }[kind]
    sizes = ((12, 12), (13, 13), (9, 14))
    moved = [(name, np.asarray(offsets, np.float32)) for name, offsets in lists.items()]
    complexes = [MotionScene(f"{name}-{h}x{w}", _images(4, h, w), offsets) for name, offsets in moved for h, w in sizes]
    reals = [MotionScene(f"{name}-real", np.abs(_images(4, 11, 12)), offsets) for name, offsets in moved]
    return complexes + reals + ([_double()] if kind == "between" else [])


def _double() -> MotionScene:
    """Images in double precision, moved by offsets that single precision does not hold."""
    return MotionScene("double", _images(4, 9, 14).astype(np.complex128), np.asarray(FRACTIONAL) + [1 / 3, -0.1])


def dtypes(translate: Callable[[np.ndarray, np.ndarray], Native], scenes: Iterable[MotionScene]) -> dict[str, str]:
    """Scene → the dtype of its images once they are moved."""
    return {str(scene): native.dtype(translate(scene.images, scene.offsets)) for scene in scenes}


@dataclass(frozen=True)
class GroupScene:
    """Complex patches `(B, C, N, N)` at relative offsets `(B, C, 1, 2)`, float32, and the side of their canvas."""

    name: str
    patches: np.ndarray
    offsets: np.ndarray
    M: int

    def __str__(self) -> str:
        return self.name


def group_offsets(kind: str, B: int, C: int, seed: int = 17) -> np.ndarray:
    """`(B, C, 1, 2)` float32, distinct for each member, wider in x than in y; the kinds are those of this module's constants."""
    rng = np.random.default_rng(seed)
    step = {"whole": 1.0, "half": 0.5, "fraction": 0.125, "fine": 1 / 1024, "far": 0.5, "same": 1.0}[kind]
    reach = {"far": (60, 24), "same": (0, 0)}.get(kind, (round(4 / step), round(2 / step)))
    grid = np.stack([rng.integers(-limit, limit + 1, size=(B, C, 1)) for limit in reach], axis=-1) * step
    return (grid + (step if kind == "half" else 0)).astype(np.float32)


def group_scenes() -> list[GroupScene]:
    """Groups of one, four and nine patches; canvases as wide as the patch, with even and with odd padding."""
    return [
        GroupScene("g1-zero", field(3, 1, 12), np.zeros((3, 1, 1, 2), np.float32), 12),
        GroupScene("g1-moved", field(2, 1, 12), group_offsets("whole", 2, 1), 17),
        GroupScene("g2-whole", field(3, 4, 12), group_offsets("whole", 3, 4), 18),
        GroupScene("g2-odd-padding", field(2, 4, 16), group_offsets("fraction", 2, 4), 21),
        GroupScene("g2-half-pixel", field(3, 4, 16), group_offsets("half", 3, 4), 22),
        GroupScene("g2-duplicates", field(2, 4, 12), group_offsets("same", 2, 4), 14),
        GroupScene("g2-off-canvas", field(2, 4, 12), group_offsets("far", 2, 4), 16),
        GroupScene("g2-as-wide-as-the-patch", field(2, 4, 16), group_offsets("fraction", 2, 4), 16),
        GroupScene("g3-fraction", field(2, 9, 8), group_offsets("fraction", 2, 9), 14),
        GroupScene("g2-fine", field(2, 4, 16), group_offsets("fine", 2, 4), 22),
    ]


def canvases(count: int, side: int) -> np.ndarray:
    """`(count, side, side)` complex64, each another object."""
    return _images(count, side, side)


def coverage(offsets: np.ndarray, crop: int, side: int) -> np.ndarray:
    """`(side, side)`: how many squares of side `crop` cover a pixel, moved by minus each whole offset less the mean of all."""
    places = -(offsets.reshape(-1, 2) - offsets.reshape(-1, 2).mean(axis=0)).astype(int) + (side - crop) // 2
    y, x = np.mgrid[:side, :side]
    return np.sum([(x >= a) & (x < a + crop) & (y >= b) & (y < b + crop) for a, b in places], axis=0)


def bright_pixels(places: tuple[tuple[int, int], ...], side: int) -> np.ndarray:
    """`(n, side, side)` complex64: image `k` is dark but for pixel (row, column) `places[k]`: amplitude 2, phase 0.5."""
    images = np.zeros((len(places), side, side), np.complex64)
    for image, place in zip(images, places, strict=True):
        image[place] = 2 * np.exp(0.5j)
    return images


def consistent_group(offsets: np.ndarray, N: int, seed: int = 29) -> np.ndarray:
    """`(B, C, N, N)` patches of one object for each group, cut where the relative `offsets` (whole pixels) say: at minus them."""
    reach = int(np.abs(offsets).max())
    whole = [object_image(N + 2 * reach, N + 2 * reach, seed + b) for b in range(len(offsets))]
    starts = (reach - offsets.reshape(*offsets.shape[:2], 2)).astype(int)
    patches = [[o[y : y + N, x : x + N] for x, y in group] for o, group in zip(whole, starts, strict=True)]
    return np.array(patches, dtype=np.complex64)


def common_support(offsets: np.ndarray, N: int) -> np.ndarray:
    """`(B, C, N, N)` bool: pixels of each patch that the central windows of all members of its group cover (whole offsets)."""
    places = -offsets.reshape(*offsets.shape[:2], 2)
    shifts = np.moveaxis(places[:, :, None] - places[:, None], -1, 0)[..., None]
    # A patch's pixel lies at `pixel + place` on the canvas; member k's window covers `place_k + [N/4, 3N/4)` there.
    pixel = np.arange(N) - N // 4
    column, row = (np.all((pixel + shift >= 0) & (pixel + shift < N // 2), axis=2) for shift in shifts)
    return row[..., :, None] & column[..., None, :]


def planes(canvas: Native) -> np.ndarray:
    """A merged canvas as `(B, M, M)`, whether it came as that or as `(B, 1, M, M)`; any other form is the backend's fault."""
    found = native.array(canvas)
    flat = found[:, 0] if found.ndim == 4 and found.shape[1] == 1 else found
    if flat.ndim != 3 or flat.shape[-1] != flat.shape[-2]:
        raise native.Malformed(f"expected a canvas (B, M, M) or (B, 1, M, M), found {native.kind(canvas)}")
    return flat


def plane(canvas: Native) -> np.ndarray:
    """One canvas `(M, M)`, whatever axes of length one stand before it."""
    found = native.array(canvas)
    if found.ndim < 2 or found.size != found.shape[-1] * found.shape[-2]:
        raise native.Malformed(f"expected one canvas (M, M), found {native.kind(canvas)}")
    return found.reshape(found.shape[-2:])


def read_only(array: np.ndarray) -> np.ndarray:
    """A copy that cannot be written."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def strided(array: np.ndarray) -> np.ndarray:
    """The same values with gaps in memory and the last two axes in Fortran order."""
    wide = np.zeros((*array.shape[:-2], array.shape[-1], 2 * array.shape[-2]), array.dtype).swapaxes(-1, -2)
    wide[..., ::2, :] = array
    return wide[..., ::2, :]
