"""Reading NPZ archives of strangers: nothing in a file can run code (decision 21), and every fault names file and field.

An archive is a zip of `.npy` members. Members are read with their headers checked first; pickled objects are refused, except
the 0-d object array holding a string that `_metadata` used to be, which an unpickler without callables reads.
"""

from __future__ import annotations

import difflib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import numpy as np
from numpy.lib import format as npy

from reference_impl.data.text import is_none_in_object_array, string_in_object_array
from reference_impl.errors import ContractError

MAX_MEMBER_BYTES = 1 << 37
"""128 GiB: no member announces more. The largest scan of the literature that we know of, 10^6 patterns of 256², is 244 GiB
in float32 and does not fit a single-file NPZ in practice."""

MAX_RATIO, RATIO_FLOOR_BYTES = 400, 1 << 28
"""A member above 256 MiB must not inflate more than 400-fold (deflate's own limit is 1032; sparse counts reach about 100)."""

MAX_TEXT_BYTES = 1 << 24
"""16 MiB: the largest `_metadata`."""

MAX_NONE_BYTES = 4096
"""A member that holds `None` has some two hundred bytes."""

_READ_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, OSError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class Header:
    """What a member announces: shape and dtype."""

    shape: tuple[int, ...]
    dtype: np.dtype


class Archive:
    """An open NPZ. Raises `FileNotFoundError` where there is no file, `ContractError` where it is no complete archive."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._zip = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, EOFError, struct.error) as error:
            found = f"no zip directory ({error}): truncated, or not an NPZ"
            raise ContractError(file=path, field="archive", expected="a complete NPZ archive", found=found) from error
        self._members = {name.removesuffix(".npy"): name for name in self._zip.namelist()}

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the arrays, in file order."""
        return tuple(self._members)

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def require(self, *alternatives: str) -> str:
        """The first of `alternatives` that is present; `ContractError` names them all and the nearest key otherwise."""
        for key in alternatives:
            if key in self:
                return key
        expected = " or ".join(f"'{key}'" for key in alternatives)
        found = f"keys {sorted(self.keys)}{_suggestion(alternatives, self.keys)}"
        raise ContractError(file=self.path, field=alternatives[0], expected=f"a key {expected}", found=found)

    def header(self, key: str) -> Header:
        """Shape and dtype of a member, without its data."""
        with self._open(key) as stream:
            return self._read_header(key, stream)

    def array(self, key: str, kinds: str = "biufc") -> np.ndarray:
        """The array `key`, whose dtype kind must be among `kinds`; `ContractError` otherwise, also where the data end early."""
        header = self.header(key)
        if header.dtype.kind not in kinds:
            found = "object dtype (pickled objects are never loaded)" if header.dtype.hasobject else f"dtype {header.dtype}"
            raise ContractError(file=self.path, field=key, expected="an array of numbers", found=found)
        info = self._zip.getinfo(self._members[key])
        announced = int(np.prod(header.shape, dtype=object)) * header.dtype.itemsize
        if announced > info.file_size:
            found = f"{info.file_size} (truncated)"
            raise ContractError(file=self.path, field=key, expected=f"{announced} bytes of data", found=found)
        with self._open(key) as stream:
            try:
                return npy.read_array(stream, allow_pickle=False)
            except _READ_ERRORS as error:
                self._unreadable(key, error)

    def text(self, key: str) -> str:
        """The string in a 0-d unicode array, or in a 0-d object array read by an unpickler that admits no callable."""
        header = self.header(key)
        if self._zip.getinfo(self._members[key]).file_size > MAX_TEXT_BYTES:
            raise ContractError(file=self.path, field=key, expected=f"at most {MAX_TEXT_BYTES} bytes", found="more")
        if header.shape not in ((), (1,)) or header.dtype.kind not in "UO":
            found = f"dtype {header.dtype}, shape {header.shape}"
            raise ContractError(file=self.path, field=key, expected="a 0-d array holding a string", found=found)
        if header.dtype.kind == "U":
            return str(self.array(key, kinds="U").reshape(-1)[0])
        with self._open(key) as stream:
            self._read_header(key, stream)
            payload = stream.read()
        return string_in_object_array(payload, self.path, key)

    def present(self, key: str) -> bool:
        """Whether `key` is there and is not a 0-d object array of `None`, as `numpy.savez(…, scan_index=None)` writes it."""
        if key not in self:
            return False
        header, info = self.header(key), self._zip.getinfo(self._members[key])
        if not header.dtype.hasobject or header.shape != () or info.file_size > MAX_NONE_BYTES:
            return True
        with self._open(key) as stream:
            self._read_header(key, stream)
            return not is_none_in_object_array(stream.read())

    def _open(self, key: str) -> io.BufferedIOBase:
        info = self._zip.getinfo(self._members[key])
        inflated = info.file_size / max(1, info.compress_size)
        if info.file_size > MAX_MEMBER_BYTES or (info.file_size > RATIO_FLOOR_BYTES and inflated > MAX_RATIO):
            found = f"{info.file_size} bytes, {inflated:.0f}-fold inflated"
            expected = f"at most {MAX_MEMBER_BYTES} bytes and {MAX_RATIO}-fold inflation"
            raise ContractError(file=self.path, field=key, expected=expected, found=found)
        try:
            return self._zip.open(info)
        except _READ_ERRORS as error:
            self._unreadable(key, error)

    def _read_header(self, key: str, stream: io.BufferedIOBase) -> Header:
        try:
            version = npy.read_magic(stream)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(stream)
        except _READ_ERRORS as error:
            self._unreadable(key, error)
        return Header(shape=tuple(shape), dtype=dtype)

    def _unreadable(self, key: str, error: Exception) -> NoReturn:
        found = f"unreadable or truncated data ({' '.join(str(error).split())})"
        raise ContractError(file=self.path, field=key, expected="a complete array", found=found) from error


def _suggestion(wanted: Iterable[str], present: Iterable[str]) -> str:
    names = list(present)
    near = [hit for key in wanted for hit in difflib.get_close_matches(key, names, n=1, cutoff=0.6)]
    return f"; is '{near[0]}' meant?" if near else ""
