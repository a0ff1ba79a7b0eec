"""Around a prediction of PtychoViT: the numbers that it divides by, and its patches put together (SIDE-022, SIDE-023)."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import atomic_write
from reference_impl.errors import ContractError
from reference_impl.exchange.checks import plane
from reference_impl.exchange.pair import named, read_pair
from reference_impl.formats.hdf5 import Hdf5Source

FALLBACK = "Normalization file not found"
"""What PtychoViT prints where it goes on without the numbers of `write_normalisation`."""


def write_normalisation(path: Path, stems: Sequence[Path]) -> dict[str, dict[str, str]]:
    """Leave a pickle `name of the pair → largest intensity of its dp` at `path`; return the settings of PtychoViT that name it.

    Raises `OSError`, `ContractError` for two pairs of one name and for a pair without light.
    """
    found: dict[str, float] = {}
    for stem in stems:
        if stem.name in found:
            raise ContractError(file=stem, field="stems", expected="pairs of different names", found=f"{stem.name!r} twice")
        found[stem.name] = _brightest(named(stem, "dp"))
    with atomic_write(path) as temporary:
        temporary.write_bytes(pickle.dumps(found, protocol=2))
    return {"data": {"normalization_dict_path": str(path), "test_normalization": str(path)}}


def _brightest(dp: Path) -> float:
    with Hdf5Source(dp) as source:
        largest = float(np.max(source.array("dp"), initial=0.0))
    if not 0 < largest < np.inf:
        raise ContractError(file=dp, field="dp", expected="a finite largest intensity above zero", found=f"{largest:g}")
    return largest


def assemble_pair(stem: Path, patches: Any, said: str = "") -> np.ndarray:
    """The object complex64 `(H, W)` of patches `(M, N, N)` at the positions of a pair, divided by how many lie on a pixel.

    Between pixels a patch is spread bilinearly, and its count likewise; a count below one divides by one. Raises `ContractError`.
    """
    if FALLBACK in said:
        raise ContractError(file=stem, field="said", expected="a prediction with the numbers of its pair", found=FALLBACK)
    given = read_pair(stem)
    pieces = plane(patches, "patches", 3, stem)
    N, (H, W) = pieces.shape[-1], given["object"].shape
    if pieces.shape != (len(given["xcoords"]), N, N):
        expected = f"square patches, one for each of {len(given['xcoords'])} positions"
        raise ContractError(file=stem, field="patches", expected=expected, found=f"shape {pieces.shape}")
    total, count = np.zeros((H + 2, W + 2), np.complex128), np.zeros((H + 2, W + 2))
    for piece, x, y in zip(pieces, given["xcoords"], given["ycoords"], strict=True):
        _lay(total, piece, x - N // 2, y - N // 2)
        _lay(count, np.ones((N, N)), x - N // 2, y - N // 2)
    return (total / np.maximum(count, 1))[1:-1, 1:-1].astype(np.complex64)


def _lay(canvas: np.ndarray, piece: np.ndarray, x: float, y: float) -> None:
    """Add a piece whose pixel [0, 0] lies at (x, y) of the canvas within its margin of one pixel; what lies beyond falls off."""
    rows, columns = (int(np.floor(start)) + 1 + np.arange(len(piece) + 1) for start in (y, x))
    spread = np.zeros((len(rows), len(columns)), canvas.dtype)
    for i, in_y in enumerate((1 - (y - np.floor(y)), y - np.floor(y))):
        for j, in_x in enumerate((1 - (x - np.floor(x)), x - np.floor(x))):
            spread[i : i + len(piece), j : j + len(piece)] += in_y * in_x * piece
    inside = [(axis >= 0) & (axis < side) for axis, side in zip((rows, columns), canvas.shape, strict=True)]
    canvas[np.ix_(rows[inside[0]], columns[inside[1]])] += spread[np.ix_(*inside)]
