"""The zip around a bundle: written with fixed times and order, read member by member in memory (BUNDLE-001, 002, 021, 035)."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from reference_impl.atomic import atomic_write
from reference_impl.errors import ContractError

MANIFEST = "manifest.dill"
LARGEST_PICKLE = 1 << 24  # 16 MiB; a manifest has 600 bytes, parameters 2 kB
LARGEST_WEIGHTS = 1 << 36  # 64 GiB; the widest network of the contract (N = 256, scale 2) has 52 MB
# Weights inflate 1.1-fold; what inflates a hundredfold beyond 64 MiB is a bomb (deflate's own limit is 1032).
RATIO_FLOOR, LARGEST_RATIO = 1 << 26, 100

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def write_entries(entries: Mapping[str, bytes], path: Path) -> None:
    """Write a deflated zip of `entries` in their order, all of 1980-01-01, whole or not at all: equal entries, equal bytes."""
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o644 << 16
            # Level 1: float weights shrink by a tenth whatever the level, and level 6 takes twice as long.
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, compresslevel=1)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class BundleReader:
    """An open archive; every entry is read in memory by its exact name. Raises `ContractError` naming archive and entry."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except _DAMAGE as error:
            found = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ContractError(file=path, field="archive", expected="a complete zip archive", found=found) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        try:
            for info in self._zip.infolist():
                self._admit(info)
        except ContractError:
            self._zip.close()
            raise

    def __enter__(self) -> BundleReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _admit(self, info: zipfile.ZipInfo) -> None:
        """Refuse entries that leave their folder, stand twice, are encrypted, or announce more than they can honestly hold."""
        name = info.filename
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or name != info.orig_filename:
            self._refuse(repr(name), "a path inside the archive", "one that leads outside of it")
        if name.casefold() in {other.casefold() for other in self._entries}:
            self._refuse(name, "one entry of this name", "two")
        if info.flag_bits & 0x1:
            self._refuse(name, "a readable entry", "an encrypted one")
        limit = LARGEST_WEIGHTS if name.endswith(".pth") else LARGEST_PICKLE
        if info.file_size > max(RATIO_FLOOR, LARGEST_RATIO * info.compress_size) or info.file_size > limit:
            found = f"{info.compress_size} that announce {info.file_size} bytes"
            self._refuse(name, f"at most {limit} bytes, {LARGEST_RATIO}-fold deflated", found)
        self._entries[name] = info

    def require(self, names: tuple[str, ...]) -> None:
        """Exactly these entries (BUNDLE-002)."""
        for name in names:
            if name not in self._entries:
                self._refuse(name, "this entry", "none")
        for name in self._entries:
            if name not in names:
                self._refuse(name, f"no entries beside {', '.join(names)}", "this one")

    def read(self, name: str) -> bytes:
        """The content of an entry, its checksum verified."""
        if name not in self._entries:
            self._refuse(name, "this entry", "none")
        info = self._entries[name]
        try:
            with self._zip.open(info) as stream:
                data = stream.read(info.file_size + 1)
        except _DAMAGE as error:
            found = f"a damaged one ({type(error).__name__}: {' '.join(str(error).split())})"
            raise ContractError(file=self.path, field=name, expected="a complete entry", found=found) from error
        if len(data) != info.file_size:
            self._refuse(name, f"{info.file_size} bytes", f"{len(data)}")
        return data

    def _refuse(self, entry: str, expected: str, found: str) -> None:
        raise ContractError(file=self.path, field=entry, expected=expected, found=found)
