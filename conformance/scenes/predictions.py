"""Pairs of PtychoViT, what it divides them by, and patches that were predicted for them."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from conformance.connectors import native
from conformance.scenes import interop
from conformance.scenes.optics import field, object_image
from conformance.scenes.records import anisotropic_scan, patch_at

N = 16
BRIGHTNESS = {"faint": 0.25, "bright": 9.0, "bright.v2": 4.0}
"""Name of a pair → how much brighter its amplitudes are than those of `interop.pair`."""
KEYS = ("normalization_dict_path", "test_normalization")


class _Plain(pickle.Unpickler):
    """Opens what needs no class and no function."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise native.Malformed(f"expected plain values, found a pickle that calls {module}.{name}")


def mapping(path: Path) -> Any:
    """What a pickle of plain values holds; nothing in it runs."""
    try:
        return _Plain(io.BytesIO(path.read_bytes())).load()
    except (pickle.UnpicklingError, EOFError) as error:
        raise native.Malformed(f"expected a pickle, found {error}") from error


def pairs(folder: Path) -> list[Path]:
    """A pair for each brightness, as another program writes it."""
    given = interop.pair()
    folder.mkdir(parents=True, exist_ok=True)
    return [
        interop.foreign_pair(folder / name, {**given, "diffraction": given["diffraction"] * np.float32(factor)})
        for name, factor in BRIGHTNESS.items()
    ]


def largest() -> dict[str, float]:
    """Name → the largest intensity of the pair."""
    amplitude = float(interop.pair()["diffraction"].max())
    return {name: (factor * amplitude) ** 2 for name, factor in BRIGHTNESS.items()}


def twice(folder: Path) -> list[Path]:
    """Two pairs of one name in two folders."""
    return [*pairs(folder), pairs(folder / "other")[0]]


def dark(folder: Path) -> list[Path]:
    """One of two pairs has no light."""
    given = interop.pair()
    return [pairs(folder)[0], interop.foreign_pair(folder / "dark", {**given, "diffraction": 0 * given["diffraction"]})]


def absent(folder: Path) -> list[Path]:
    """One of two pairs is not there."""
    return [pairs(folder)[0], folder / "nowhere"]


NO_NUMBERS: dict[str, tuple[str, Callable[[Path], list[Path]]]] = {
    "twice": ("faint", twice),
    "dark": ("dark", dark),
    "absent": ("nowhere", absent),
}
"""What cannot be written, and the name in the refusal."""


def whole_places() -> tuple[np.ndarray, np.ndarray]:
    """Positions on pixels, those of `interop.pair` rounded; none reaches beyond the object."""
    x, y = anisotropic_scan(12, origin=(12.25, 10.5))
    return np.round(x), np.round(y)


def predicted(stem: Path, kind: str) -> tuple[np.ndarray, dict[str, Any]]:
    """`(patches, pair)`: cut from the pair's object at whole places, or any patches between pixels and beyond the rim."""
    given = interop.pair()
    if kind == "cut":
        x, y = whole_places()
        given |= {"xcoords": x, "ycoords": y, "object": object_image(39, 54, 21)}
        patches = np.stack([patch_at(given["object"], *place, N) for place in zip(x, y, strict=True)])
    else:
        # One reaches beyond the first row and column, one beyond the last.
        given |= {"xcoords": _with_ends(given["xcoords"], 3.25, 51.5), "ycoords": _with_ends(given["ycoords"], 4.75, 37.25)}
        patches = field(len(given["xcoords"]), 1, N)[:, 0] * np.linspace(0.5, 2, len(given["xcoords"]))[:, None, None]
    interop.foreign_pair(stem, given)
    return patches.astype(np.complex64), given


def _with_ends(values: np.ndarray, first: float, last: float) -> np.ndarray:
    return np.concatenate([[first], values[1:-1], [last]])


def covered(given: dict[str, Any]) -> np.ndarray:
    """`(H, W)` bool: where a patch of whole places lies."""
    found = np.zeros(given["object"].shape, bool)
    for x, y in zip(given["xcoords"].astype(int), given["ycoords"].astype(int), strict=True):
        found[y - N // 2 : y + N // 2, x - N // 2 : x + N // 2] = True
    return found


NO_PATCHES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "one-less": lambda patches: patches[:-1],
    "not-square": lambda patches: patches[:, :, 1:],
    "not-finite": lambda patches: np.where(np.arange(len(patches))[:, None, None] == 3, np.nan, patches).astype(np.complex64),
    "flat": lambda patches: patches.reshape(len(patches), -1),
}
