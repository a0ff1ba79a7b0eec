"""The zip around a bundle: written with fixed times and order, read member by member in memory (BUNDLE-001, 002, 021, 035)."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from reference_impl.atomic import atomic_write
from reference_impl.stored.zips import Limits, Member, ZipReader

MANIFEST = "manifest.dill"
LARGEST_PICKLE = 1 << 20  # 1 MiB; a manifest has 600 bytes, parameters 2 kB
# 64 GiB of weights; the widest network of the contract (N = 256, scale 2) has 52 MB. Weights hardly inflate: what inflates
# a hundredfold beyond 16 MiB is a bomb. Of members a bundle has five.
LIMITS = Limits(members=100, largest=1 << 36, floor=1 << 24, ratio=100)


def write_entries(entries: Mapping[str, bytes], path: Path) -> None:
    """Write a deflated zip of `entries` in their order, all of 1980-01-01, whole or not at all: equal entries, equal bytes."""
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o644 << 16
            # Level 0: float weights shrink by a fourteenth at any other level, in twenty times the time.
            archive.writestr(info, data, zipfile.ZIP_DEFLATED, compresslevel=0)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


class BundleReader:
    """An open archive; every entry is read in memory by its exact name. Raises `ContractError` naming archive and entry."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = ZipReader(path, LIMITS, file=path)
        self._entries: dict[str, Member] = {}
        self._folded: set[str] = set()
        try:
            for member in self._zip.members.values():
                self._admit(member)
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> BundleReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _admit(self, member: Member) -> None:
        """Refuse entries that leave their folder, stand twice where case is ignored, or announce more than they need."""
        name = member.name
        if name.startswith("/") or ".." in PurePosixPath(name).parts or any(mark in name for mark in "\\:\0"):
            self._zip.refuse(repr(name), "a path inside the archive", "one that leads outside of it")
        if name.casefold() in self._folded:
            self._zip.refuse(name, "one entry of this name", "two")
        if not name.endswith(".pth") and member.size > LARGEST_PICKLE:
            self._zip.refuse(name, f"at most {LARGEST_PICKLE} bytes", f"{member.size}")
        self._folded.add(name.casefold())
        self._entries[name] = member

    def require(self, names: tuple[str, ...]) -> None:
        """Exactly these entries (BUNDLE-002)."""
        for name in names:
            if name not in self._entries:
                self._zip.refuse(name, "this entry", "none")
        for name in self._entries:
            if name not in names:
                self._zip.refuse(name, f"no entries beside {', '.join(names)}", "this one")

    def read(self, name: str) -> bytes:
        """The content of an entry, its checksum verified."""
        if name not in self._entries:
            self._zip.refuse(name, "this entry", "none")
        return self._zip.read(name)
