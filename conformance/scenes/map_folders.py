"""What may lie in a folder of scans beside them (BATCH-040), and what a manifest may say (BATCH-045)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import maps
from conformance.scenes.records import write_npz


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


BESIDE: dict[str, Callable[[Path, Path], Any]] = {
    "folder": lambda folder, path: shutil.copy(path, _made(folder / "older") / "another.npz"),
    "backup": lambda folder, path: shutil.copy(path, folder / f"{path.name}.bak"),
    "array": lambda folder, path: np.save(folder / "mask.npy", np.ones((16, 16), bool)),
}
"""Folder and one of its scans → something that is none of its scans."""


PLACES = {"first": 0.0, "quarter": 0.25, "middle": 0.5, "late": 0.93, "last": 1.0}
"""Where a byte of the largest file of a map is another, as a share of it."""


def large(folder: Path) -> Path:
    """A scan whose patterns take 24 MiB of a map, more than anybody looks at at once."""
    given = maps.arrays(0)
    rng, count = np.random.default_rng(7), 6 * 4096
    drawn = rng.random((count // 4096, maps.N, maps.N), np.float32)
    places = rng.uniform(20, 60, (2, count))
    scan = {"xcoords": places[0], "ycoords": places[1], "diff3d": np.tile(drawn, (4096, 1, 1)) + np.float32(0.5)}
    folder.mkdir(parents=True)
    return write_npz(folder / "large.npz", **scan, probeGuess=given["probeGuess"])


def damage(folder: Path, share: float) -> None:
    """One byte of the largest file there is another."""
    largest = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    size = largest.stat().st_size
    with open(largest, "r+b") as stream:
        stream.seek(min(size - 1, int(share * size)))
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 0x55]))


def as_text(version: Any) -> str:
    """A number as a text, and of a text another one."""
    return f"{version}x" if isinstance(version, str) else str(version)


def later(version: Any) -> Any:
    """A version after this one."""
    return f"{version}1" if isinstance(version, str) else version + 1


def touch(paths: Sequence[Path]) -> None:
    """The files were written an hour later, by what their system says."""
    for path in paths:
        before = path.stat()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 3_600_000_000_000))


def _flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x55
    path.write_bytes(content)


FAULTS: dict[str, Callable[[Path], None]] = {"flipped": _flipped, "gone": Path.unlink}
"""What may befall a file of a map."""


def unrefused(opened: Callable[[], Any], folder: Path, fault: str, words: str) -> list[str]:
    """The files of a map whose damage is neither refused with these words nor without effect."""
    whole, found = maps.values(maps.everything(opened())), []
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != maps.MANIFEST]:
        content = path.read_bytes()
        FAULTS[fault](path)
        told = _answer(opened, whole)
        found += [] if told == "as before" or (told.startswith("ValueError") and words in told) else [f"{path.name}: {told}"]
        path.write_bytes(content)
    return found


def _answer(opened: Callable[[], Any], whole: dict[str, np.ndarray]) -> str:
    try:
        changed = maps.unlike(maps.values(maps.everything(opened())), whole)
    except Exception as error:  # which one is the question
        kind = "ValueError" if isinstance(error, ValueError) else type(error).__name__
        return f"{kind}: {error}"
    return f"others: {', '.join(changed)}" if changed else "as before"
