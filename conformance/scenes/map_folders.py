"""What may lie in a folder of scans beside them (BATCH-040)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


BESIDE: dict[str, Callable[[Path, Path], Any]] = {
    "folder": lambda folder, path: shutil.copy(path, _made(folder / "older") / "another.npz"),
    "backup": lambda folder, path: shutil.copy(path, folder / f"{path.name}.bak"),
    "array": lambda folder, path: np.save(folder / "mask.npy", np.ones((16, 16), bool)),
}
"""Folder and one of its scans → something that is none of its scans."""
