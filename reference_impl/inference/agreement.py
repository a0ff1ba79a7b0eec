"""Do the patches fit together? How much they disagree where they overlap.

The amplitude residual compares each patch with its own pattern: positions, their unit and the detector's orientation do not enter
it. Where two patches overlap they show the same piece of the object, and these do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reference_impl.inference.stitch import refuse_unfit

CHUNK = 512  # patches placed at once: 512 · 20² complex128 = 3 MB
SWEEPS = 3  # of phase alignment after the first pass, which leaves the figure within 5 % of where they lead (100 patches)
ROUNDS = 40  # of synchronisation: 100 patches stray by 8.3 mrad after none, 7.1 after 5, 6.6 after 20 and from there on
FREE = 0.9  # a scan whose patches gained 2 % (0.127 of 0.130) came out no better for it (error 0.1667, plain 0.1657)
LIT = 1e-2  # of the brightest pixel's light: with less a pixel of a patch was not measured


@dataclass(frozen=True)
class Disagreement:
    """How much overlapping patches disagree: root of the mean variance over the mean square, pixels weighted by their light.

    `plain`: of the patches as they are stitched; `aligned`: after each was turned by one global phase, which its pattern does not
    fix; `shuffled`: with the patches dealt out to the positions at random, what patches disagree by that have nothing to do with
    their places; all three are NaN where no two patches overlap. `overlapping`: the share of the lit pixels that at least two
    patches cover.
    """

    plain: float
    aligned: float
    shuffled: float
    overlapping: float

    @property
    def phases_are_free(self) -> bool:
        """Whether one phase a patch, agreed over the overlaps, makes the patches fit so much better that it is worth doing."""
        return self.aligned < FREE * self.plain  # False for NaN


def disagreement(patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None = None) -> Disagreement:
    """How much complex `patches` `(n, N, N, 1)` at `offsets` `(n, 1, 1, 2)` [x, y] px disagree, of each its central `M` pixels.

    `light` `(N, N)`: intensity of the probe, ones unless given; where a patch was not lit it says nothing. Patches lie on the
    nearest whole pixel: interpolation would smooth away some of what is measured here.
    """
    crops, weight, cells = _placed(patches, offsets, M, light)
    seen, total = cells.sum(weight > 0), cells.sum(weight)
    twice, filled = seen >= 2, np.where(seen > 0, total, 1.0)
    if not twice.any():
        return Disagreement(np.nan, np.nan, np.nan, 0.0)

    def common(placed: np.ndarray) -> np.ndarray:
        return cells.sum(weight * placed) / filled

    def spread(placed: np.ndarray) -> float:
        square = float(cells.sum(weight * np.abs(placed) ** 2)[twice].sum())
        shared = float(np.sum(np.abs(common(placed)[twice]) ** 2 * total[twice]))
        return float(np.sqrt(max(0.0, 1 - shared / square))) if square > 0 else 0.0

    plain, shuffled = spread(crops), spread(crops[_dealt(len(crops))])
    crops = _joined(crops, weight, cells)
    for _ in range(SWEEPS):
        crops = _turned(crops, weight, cells, common(crops))
    return Disagreement(plain, spread(crops), shuffled, float(twice.sum() / (seen > 0).sum()))


def phases(patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None = None) -> np.ndarray:
    """`(n,)` complex128 of modulus 1: what each patch is to be multiplied by so that all agree where they overlap.

    Arguments as of `disagreement`. A pattern does not fix the global phase of its patch; that of the whole image stays free. Each
    patch is turned to the mean of all, in turns, from a first round that joins them from the middle outwards: fixed-point sweeps
    of angular synchronisation (Singer, Appl. Comput. Harmon. Anal. 30 (2011) 20). A patch without a neighbour keeps its phase.
    """
    crops, weight, cells = _placed(patches, offsets, M, light)
    total = cells.sum(weight)
    filled = np.where(total > 0, total, 1.0)
    turned = _joined(crops, weight, cells)
    for _ in range(ROUNDS):
        turned = _turned(turned, weight, cells, cells.sum(weight * turned) / filled)
    projection = np.sum(weight * turned * np.conj(crops), axis=(1, 2), dtype=np.complex128)
    return np.exp(1j * np.angle(projection))


def agreed(patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None = None) -> np.ndarray:
    """`(n, N, N, 1)` complex64: the patches with one phase each, agreed over the overlaps, where that makes them fit better.

    Elsewhere they are returned as they came. Arguments as of `disagreement`. The phase of the whole image stays: the turns have
    none on average. Raises `ContractError` for what cannot be stitched.
    """
    refuse_unfit(patches, offsets, M)
    if not disagreement(patches, offsets, M, light).phases_are_free:
        return patches
    turns = phases(patches, offsets, M, light)
    turns *= np.exp(-1j * np.angle(turns.mean()))
    return patches * turns.astype(np.complex64)[:, None, None, None]


def _placed(patches: np.ndarray, offsets: np.ndarray, M: int, light: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, _Cells]:
    """Central crops `(n, M, M)` complex64, the weight of each of their pixels, and the cells that they lie on."""
    N = patches.shape[1]
    inner = slice((N - M) // 2, (N - M) // 2 + M)
    crops = np.ascontiguousarray(patches[:, inner, inner, 0]).astype(np.complex64)
    weight = np.ones((M, M)) if light is None else np.asarray(light, np.float64)[inner, inner]
    weight = np.broadcast_to(np.where(weight > LIT * weight.max(), weight, 0.0), crops.shape)
    cells = _Cells(np.rint(offsets.reshape(-1, 2)).astype(np.int64), M)
    return crops, weight, cells


def _dealt(count: int) -> np.ndarray:
    """`(count,)` numbers in an order in which none stands in its own place: each in that of the one drawn before it."""
    drawn = np.random.default_rng(0).permutation(count)
    order = np.empty_like(drawn)
    order[drawn] = np.roll(drawn, 1)
    return order


def _joined(crops: np.ndarray, weight: np.ndarray, cells: _Cells) -> np.ndarray:
    """Crops turned one by one, from the middle outwards, each to the phase of those that lie there already."""
    middle = np.abs(cells.corners - np.median(cells.corners, axis=0)).max(axis=1)
    sums, turned = np.zeros(len(cells.names), np.complex128), crops.copy()
    for number in np.argsort(middle, kind="stable"):
        index = cells.of(number)
        projection = np.sum(weight[number] * np.conj(crops[number]) * sums[index])
        turned[number] = crops[number] * np.exp(1j * np.angle(projection))
        sums[index] += weight[number] * turned[number]
    return turned


def _turned(crops: np.ndarray, weight: np.ndarray, cells: _Cells, common: np.ndarray) -> np.ndarray:
    """Each crop turned by the phase that brings it nearest to the `common` image so far."""
    turned = np.empty_like(crops)
    for part, index in cells.parts():
        projection = np.sum(weight[part] * np.conj(crops[part]) * common[index], axis=(1, 2))
        turned[part] = crops[part] * np.exp(1j * np.angle(projection))[:, None, None]
    return turned


class _Cells:
    """The pixels that crops of side `M` with corners `(n, 2)` [column, row] lie on; those that none covers take no memory.

    So the memory is that of the crops, not that of a canvas: positions may be anything.
    """

    def __init__(self, corners: np.ndarray, M: int) -> None:
        self.corners, self.M = corners - corners.min(axis=0), M
        self.width = int(self.corners[:, 0].max()) + M
        self.names = np.unique(np.concatenate([np.unique(place) for _, place in self._places()]))

    def _places(self) -> Iterator[tuple[slice, np.ndarray]]:
        steps = np.arange(self.M, dtype=np.int64)
        inner = steps[:, None] * self.width + steps
        for first in range(0, len(self.corners), CHUNK):
            part = slice(first, first + CHUNK)
            corner = self.corners[part, 1] * self.width + self.corners[part, 0]
            yield part, corner[:, None, None] + inner

    def of(self, number: int) -> np.ndarray:
        """The cells `(M, M)` of one crop."""
        steps, (column, row) = np.arange(self.M, dtype=np.int64), self.corners[number]
        return np.searchsorted(self.names, (row + steps[:, None]) * self.width + column + steps)

    def parts(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Crops by the chunk, with the cell of each of their pixels `(b, M, M)`."""
        for part, place in self._places():
            yield part, np.searchsorted(self.names, place)

    def sum(self, crops: np.ndarray) -> np.ndarray:
        """Sum of real or complex crops `(n, M, M)` on each cell, float64 or complex128."""
        total = np.zeros(len(self.names), np.complex128 if np.iscomplexobj(crops) else np.float64)
        for part, index in self.parts():
            values, places = crops[part].reshape(-1), index.reshape(-1)
            total += np.bincount(places, values.real, len(total))
            if np.iscomplexobj(crops):
                total.imag += np.bincount(places, values.imag, len(total))
        return total
