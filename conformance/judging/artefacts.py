"""What a check leaves beside its report for people: the two images behind a red, and pictures that a backend drew."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.judging.compare import remove_gauge

SIDES = (4, 64)
"""Smallest and largest side of an image that is kept: 64 × 64 complex64 twice are 64 kB before compression."""
LARGEST_PICTURE = 4_000_000  # bytes


def place(check: str, name: str, kind: str) -> str:
    """`artefacts/<check>.<observation>.<kind>`, safe as the name of a file on every system."""
    safe = [re.sub(r"[^A-Za-z0-9_.@-]+", "-", part).strip("-") for part in (check, name)]
    return f"artefacts/{'.'.join(safe)}.{kind}"


def image(value: np.ndarray, where: tuple[int, ...]) -> np.ndarray | None:
    """The image (last two axes) of `value` that holds the element `where`, in single precision; None where there is none."""
    if value.ndim < 2 or not all(SIDES[0] <= side <= SIDES[1] for side in value.shape[-2:]):
        return None
    return value[where[:-2]].astype(np.complex64 if np.iscomplexobj(value) else np.float32)


def arrays(
    folder: Path, check: str, name: str, value: Any, truth: Any, where: tuple[int, ...], gauge: tuple[str, ...]
) -> dict[str, str]:
    """Write `found` and `truth` around the worst element as an archive, the freedoms taken out; returns name → its place."""
    wide = [x.astype(np.complex128 if np.iscomplexobj(x) else np.float64) for x in map(native.array, (value, truth))]
    seen, wanted = (image(x, where) for x in (remove_gauge(wide[0], wide[1], gauge)[0], wide[1]))
    if seen is None or wanted is None:
        return {}
    target = folder / place(check, name, "npz")
    target.parent.mkdir(exist_ok=True)
    np.savez_compressed(target, found=seen, truth=wanted)
    return {name: place(check, name, "npz")}


def picture(folder: Path, check: str, name: str, path: Path) -> dict[str, str]:
    """Copy a PNG; one that is absent or too large is left where it is."""
    if not path.is_file() or path.stat().st_size > LARGEST_PICTURE:
        return {}
    target = folder / place(check, name, "png")
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(path, target)
    return {name: place(check, name, "png")}
