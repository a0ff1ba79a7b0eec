"""What a memory map on disk says of itself: schema, settings, sources and the checksum of every array (BATCH-045)."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data.npz import Archive
from reference_impl.domains.fields import shown
from reference_impl.errors import ContractError

NAME, SCHEMA, VERSION = "mmap_manifest.json", "ptycho_conformance_map", 1
REBUILD = "Rebuild it with remake_map=True"
MOST_BYTES = 1 << 26
"""64 MiB: a manifest has some 300 bytes a file."""
CHUNK = 1 << 24

PATTERNS = "patterns"
ROWS: dict[str, str] = {
    "coords_relative": "<f4",
    "coords_global": "<f8",
    "coords_center": "<f8",
    "nn_indices": "<i8",
    "experiment_id": "<i8",
}
"""Array with one row a group → its dtype; `patterns` has one row a pattern."""


@dataclass(frozen=True)
class Scan:
    """One file of a map: what it is called, the digest of its content, how many rows it has, and its constants (BATCH-044)."""

    name: str
    digest: str
    patterns: int
    groups: int
    factor: float
    physics: float
    nphotons: float
    nphotons_source: str


@dataclass(frozen=True)
class Manifest:
    """`settings` shaped the rows; `sources` are the names and digests of all files that were asked for, skipped ones too."""

    settings: Mapping[str, Any]
    sources: Sequence[Sequence[str]]
    scans: tuple[Scan, ...]
    arrays: Mapping[str, int]

    @property
    def groups(self) -> int:
        """Rows of the map."""
        return sum(scan.groups for scan in self.scans)

    @property
    def patterns(self) -> int:
        """Patterns of the map."""
        return sum(scan.patterns for scan in self.scans)

    @property
    def digest(self) -> str:
        """The digest of all that the map holds."""
        return hashlib.blake2b(self.text().encode(), digest_size=16).hexdigest()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Array → shape: what stands on disk, and nothing beyond it (BATCH-046)."""
        N, C, L = self.settings["N"], self.settings["gridsize"] ** 2, self.groups
        rows = {"coords_center": (1, 1, 2), "nn_indices": (C,), "experiment_id": ()}
        return {PATTERNS: (self.patterns, N, N), **{name: (L, *rows.get(name, (C, 1, 2))) for name in ROWS}}

    def text(self) -> str:
        """The manifest as JSON."""
        content = {"schema": SCHEMA, "schema_version": VERSION, **asdict(self)}
        return json.dumps(content, indent=1, sort_keys=True) + "\n"


def file_of(folder: Path, array: str) -> Path:
    """Where an array of a map stands."""
    return folder / f"{array}.bin"


def dtype_of(array: str) -> np.dtype:
    """Its dtype: little-endian, whatever the machine."""
    return np.dtype(ROWS.get(array, "<f4"))


def sources_of(given: str | Path | Sequence[str | Path]) -> list[Path]:
    """The files meant: each file, and of each folder its NPZ files by name. `ContractError` for none, or one that comes twice."""
    found: list[Path] = []
    for path in [Path(given)] if isinstance(given, str | Path) else [Path(one) for one in given]:
        inside = sorted(path.glob("*.npz")) if path.is_dir() else [path]
        if not inside:
            raise ContractError(
                file=path, field="sources", expected="NPZ files in this folder", found="none (resulted in 0 items)"
            )
        found += inside
    if not found:
        raise ContractError(field="sources", expected="files, or folders of files", found="none (resulted in 0 items)")
    for path in found:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: expected a file, found none")
    twice = next((path for i, path in enumerate(found) if any(os.path.samefile(path, other) for other in found[:i])), None)
    if twice is not None:
        raise ContractError(file=twice, field="sources", expected="each file once", found="this one twice")
    return found


def source_digest(path: Path) -> str:
    """The digest of a file's content: names, sizes and checksums of its members, which are compared when it is read.

    That costs some hundred bytes, however large the file is.
    """
    with Archive(path) as archive:
        said = [(member.name, member.size, member.crc) for member in archive.members]
    return hashlib.blake2b(repr(sorted(said)).encode(), digest_size=16).hexdigest()


def checksum(path: Path) -> int:
    """CRC-32 of a file, a piece at a time."""
    found = 0
    with open(path, "rb") as stream:
        while piece := stream.read(CHUNK):
            found = zlib.crc32(piece, found)
    return found


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a map, checked; `ContractError` that says how to rebuild where it is none of this schema."""
    path = folder / NAME
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["schema_version"]
        if (content.get("schema"), version) != (SCHEMA, VERSION):
            found = f"{shown(content.get('schema'))}, schema_version {shown(version)}. {REBUILD}"
            raise ContractError(file=path, field="schema_version", expected=f"{SCHEMA}, schema_version {VERSION}", found=found)
        return _checked(content)
    except ContractError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        found = f"{type(error).__name__}: {shown(error)}. {REBUILD}"
        raise ContractError(file=path, field="schema_version", expected="a manifest of a map", found=found) from error


def _checked(content: Mapping[str, Any]) -> Manifest:
    scans = tuple(Scan(**scan) for scan in content["scans"])
    kinds = {"str": str, "int": int, "float": float}
    for scan in scans:
        for field in fields(Scan):
            value = getattr(scan, field.name)
            if type(value) is not kinds[str(field.type)]:
                raise TypeError(f"{field.name}: {shown(value)}")
        if min(scan.patterns, scan.groups) < 1 or not all(np.isfinite([scan.factor, scan.physics, scan.nphotons])):
            raise ValueError(f"{shown(scan.name)} has impossible numbers")
    settings, arrays = dict(content["settings"]), dict(content["arrays"])
    if not scans or any(type(settings[name]) is not int or not 1 <= settings[name] <= 1 << 16 for name in ("N", "gridsize")):
        raise ValueError("no files, or no side of the patterns")
    if sorted(arrays) != sorted([PATTERNS, *ROWS, "scans"]):
        raise ValueError(f"arrays {sorted(arrays)}")
    return Manifest(settings, [list(source) for source in content["sources"]], scans, arrays)


def refuse_stale(folder: Path, manifest: Manifest, settings: Mapping[str, Any], sources: Sequence[Sequence[str]]) -> None:
    """`ContractError` where a map was made with other settings or of other files than are asked for now (BATCH-045)."""
    names = [name for name in {**settings, **manifest.settings} if settings.get(name) != manifest.settings.get(name)]
    if names:
        then, now = manifest.settings.get(names[0]), settings.get(names[0])
        found = f"a map that was made with {shown(then)}. {REBUILD}"
        raise ContractError(file=folder, field=names[0], expected=f"{shown(now)}, as this run says", found=found)
    then, now = [list(source) for source in manifest.sources], [list(source) for source in sources]
    if then != now:
        other = next((a for a, b in zip(now, then, strict=False) if a != b), None)
        said = f"{other[0]} is not the file that it was made of" if other else f"a map of {len(then)} files, not {len(now)}"
        raise ContractError(file=folder, field="sources", expected="a map of these files", found=f"{said}. {REBUILD}")


def refuse_damage(folder: Path, manifest: Manifest) -> None:
    """`ContractError` where an array is longer, shorter or other than what was written."""
    sizes = {name: int(np.prod(shape)) * dtype_of(name).itemsize for name, shape in manifest.shapes().items()}
    for name, crc in manifest.arrays.items():
        path = folder / "scans.npz" if name == "scans" else file_of(folder, name)
        size = path.stat().st_size if path.is_file() else -1
        if size < 0 or size != sizes.get(name, size):
            found = f"{'none' if size < 0 else f'{size} bytes'}. {REBUILD}"
            raise ContractError(file=path, field=name, expected=f"{sizes.get(name, 'some')} bytes", found=found)
        if checksum(path) != crc:
            raise ContractError(file=path, field=name, expected="the content that was written", found=f"damage. {REBUILD}")
