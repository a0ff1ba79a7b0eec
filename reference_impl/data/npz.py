"""Reading and writing NPZ archives: nothing in a file can run code (decision 21), and every fault names file and field.

An archive is a zip of `.npy` members. Their headers are read by a pattern, never evaluated; pickled objects are refused, except
the 0-d object array holding a string that `_metadata` used to be.
"""

from __future__ import annotations

import difflib
import math
import re
import struct
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy as np

from reference_impl.atomic import atomic_write
from reference_impl.data.text import is_none_in_object_array, string_in_object_array
from reference_impl.errors import ContractError, reason_of
from reference_impl.stored.finite import refuse_not_finite
from reference_impl.stored.members import Member
from reference_impl.stored.zips import Limits, MemberStream, ZipReader, seal

LIMITS = Limits(members=4096, largest=1 << 37, floor=1 << 26, ratio=400)
"""128 GiB: the largest scan of the literature that we know of, 10^6 patterns of 256², is 244 GiB in float32 and does not fit a
single-file NPZ in practice. A member above 64 MiB must not inflate more than 400-fold: sparse counts reach about 100."""

MAX_TEXT_BYTES = 1 << 20
"""1 MiB: the largest `_metadata`; that of a long beam-time log has some 10 kB."""

MAX_NONE_BYTES = 4096
"""A member that holds `None` has some two hundred bytes."""

MAX_HEADER_BYTES, MAX_AXES = 10_000, 32
_DESCR = r"'descr': *'([<>|=]?[a-zA-Z?][0-9]{0,9})'"
_ORDER = r"'fortran_order': *(True|False)"
_SHAPE = r"'shape': *\(((?:[0-9]{1,19}L?, *)*[0-9]{0,19}L?)\)"
_HEADER = re.compile(rf"\{{{_DESCR}, *{_ORDER}, *{_SHAPE},? *\}} *\n?")
"""What NumPy and those who copy it write, its keys in the order of the alphabet (NEP 1); numbers of Python 2 end with L."""


@dataclass(frozen=True)
class Header:
    """What a member announces: shape, dtype, and whether its first axis is the fastest."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool = False


FORMATS = {
    b"\x89HDF\r\n\x1a\n": "HDF5 (also NeXus, CXI, MATLAB 7.3)",
    b"MATLAB 5.0": "MATLAB",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"\x93NUMPY": "NPY, a single array",
    b"BZh": "compressed by bzip2",
    b"\x1f\x8b": "compressed by gzip",
}
"""First bytes of what `convert` reads and the commands behind it do not; HDF5 by its specification at byte 0 unless a user block
stands before it, which nobody's detector writes."""


def refuse_other_format(path: str | Path) -> None:
    """`ContractError` that names `convert` where a file that should be a contract NPZ is of another known format."""
    with suppress(OSError), open(path, "rb") as stream:  # what cannot be opened is told by whoever reads it
        head = stream.read(10)
        found = next((name for magic, name in FORMATS.items() if head.startswith(magic)), None)
        if found is not None:
            convert = f"python -m reference_impl convert --source {path} --output scan.npz"
            raise ContractError(
                file=path, field="file", expected="a contract NPZ", found=f"{found}: convert it first ({convert})"
            )


class Archive:
    """An open NPZ. Raises `FileNotFoundError` where there is no file, `ContractError` where it is no complete archive.

    `shown`: the file that messages name, where `path` is an unpacked copy of it.
    """

    def __init__(self, path: str | Path, shown: str | Path | None = None) -> None:
        self.path = Path(path if shown is None else shown)
        self._zip = ZipReader(Path(path), LIMITS, file=self.path, kind="NPZ archive")
        self._members: dict[str, str] = {}
        self._verified = False
        try:
            for name in self._zip.members:
                key = name.removesuffix(".npy")
                if key in self._members:
                    self._zip.refuse(key, "one array of this name", f"two, {self._members[key]} and {name}")
                self._members[key] = name
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._zip.close()

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the arrays, in file order."""
        return tuple(self._members)

    @property
    def members(self) -> tuple[Member, ...]:
        """What the directory says of each entry: name, size, checksum."""
        return tuple(self._zip.members.values())

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def require(self, *alternatives: str) -> str:
        """The first of `alternatives` that is present; `ContractError` names them all and the nearest key otherwise."""
        for key in alternatives:
            if key in self:
                return key
        expected = " or ".join(f"'{key}'" for key in alternatives)
        shown = ", ".join(repr(key) for key in sorted(self.keys)[:12]) + (", …" if len(self.keys) > 12 else "")
        found = f"{len(self.keys)} keys: {shown}{_suggestion(alternatives, self.keys)}"
        raise ContractError(file=self.path, field=alternatives[0], expected=f"a key {expected}", found=found)

    def misspelt(self, optional: Iterable[str]) -> dict[str, str]:
        """Names in this file that nobody asks for, close to an `optional` one that it lacks: name → what it may mean."""
        missing = {name for name in optional if name not in self}
        strangers = [key for key in self.keys if key not in set(optional)]
        near = {key: difflib.get_close_matches(key, missing, n=1, cutoff=0.8) for key in strangers if len(key) < 40}
        return {key: hits[0] for key, hits in near.items() if hits}

    def header(self, key: str) -> Header:
        """Shape and dtype of a member, without its data."""
        return self._read_header(key, self._zip.open(self._members[key]))

    def array(self, key: str, kinds: str = "biufc") -> np.ndarray:
        """The array `key`, whose dtype kind must be among `kinds`, owned and writable.

        `ContractError` where it is another, where the data are not exactly as long as announced, or are damaged; the digest of
        the file, where it states one, is compared before the first array is read.
        """
        return self._filled(key, *self.content(key, kinds))

    def content(self, key: str, kinds: str = "biufc") -> tuple[Header, MemberStream]:
        """Header and bytes of an array for who reads it in pieces, refused as `array` refuses it; the caller ends the stream."""
        stream = self._zip.open(self._members[key])
        header = self._read_header(key, stream)
        if header.dtype.kind not in kinds:
            found = "object dtype (pickled objects are never loaded)" if header.dtype.hasobject else f"dtype {header.dtype}"
            raise ContractError(file=self.path, field=key, expected="an array of numbers", found=found)
        self._refuse_other_length(key, header, stream)
        if not self._verified:
            self._zip.verify()
            self._verified = True
        return header, stream

    def _refuse_other_length(self, key: str, header: Header, stream: MemberStream) -> None:
        announced = math.prod(header.shape) * header.dtype.itemsize
        if announced != stream.left:
            found = f"{stream.left} ({'truncated' if announced > stream.left else 'too many'})"
            raise ContractError(file=self.path, field=key, expected=f"{announced} bytes of data", found=found)

    def _filled(self, key: str, header: Header, stream: MemberStream) -> np.ndarray:
        try:
            array = np.empty(header.shape, header.dtype, order="F" if header.fortran else "C")
        except (MemoryError, ValueError) as error:
            self._refuse(key, "an array that fits into memory", f"shape {header.shape} of {header.dtype}", error)
        flat = array.T if header.fortran else array
        if array.size and array.itemsize:
            stream.fill(memoryview(flat.reshape(-1).view(np.uint8)))
        stream.end()
        return array

    def text(self, key: str) -> str:
        """The string in a 0-d unicode array, or in a 0-d object array read by a machine that admits no callable."""
        name = self._members[key]
        if self._zip.members[name].size > MAX_TEXT_BYTES:
            raise ContractError(file=self.path, field=key, expected=f"at most {MAX_TEXT_BYTES} bytes", found="more")
        stream = self._zip.open(name)
        header = self._read_header(key, stream)
        if header.shape not in ((), (1,)) or header.dtype.kind not in "UO":
            found = f"dtype {header.dtype}, shape {header.shape}"
            raise ContractError(file=self.path, field=key, expected="a 0-d array holding a string", found=found)
        if header.dtype.kind == "O":
            return string_in_object_array(stream.rest(), self.path, key)
        self._refuse_other_length(key, header, stream)
        array = self._filled(key, header, stream)
        try:
            return str(array.reshape(-1)[0])
        except Exception as error:  # numbers that are no characters
            self._refuse(key, "text in Unicode", reason_of(error), error)

    def present(self, key: str) -> bool:
        """Whether `key` is there and is not a 0-d object array of `None`, as `numpy.savez(…, scan_index=None)` writes it."""
        if key not in self:
            return False
        stream = self._zip.open(self._members[key])
        header = self._read_header(key, stream)
        if not header.dtype.hasobject or header.shape != () or stream.member.size > MAX_NONE_BYTES:
            return True
        return not is_none_in_object_array(stream.rest())

    def _read_header(self, key: str, stream: MemberStream) -> Header:
        head = bytearray(8)
        stream.fill(memoryview(head))
        if head[:6] != b"\x93NUMPY" or head[6] not in (1, 2, 3) or head[7]:
            self._refuse(key, "a complete array", "unreadable data: no header of NumPy's format 1.0, 2.0 or 3.0")
        width = bytearray(2 if head[6] == 1 else 4)
        stream.fill(memoryview(width))
        (length,) = struct.unpack("<H" if head[6] == 1 else "<L", width)
        if length > MAX_HEADER_BYTES:
            self._refuse(key, "a complete array", f"unreadable data: a header of {length} bytes")
        text = bytearray(length)
        stream.fill(memoryview(text))
        found = _HEADER.fullmatch(text.decode("latin-1").replace('"', "'"))
        if found is None:
            self._refuse(key, "an array of numbers or text", f"the header {text.decode('latin-1').strip()}")
        shape = tuple(int(part.rstrip("L")) for part in found[3].replace(" ", "").split(",") if part)
        if len(shape) > MAX_AXES:
            self._refuse(key, f"at most {MAX_AXES} axes", f"{len(shape)}")
        try:
            return Header(shape=shape, dtype=np.dtype(found[1]), fortran=found[2] == "True")
        except TypeError as error:
            self._refuse(key, "a dtype of NumPy", found[1], error)

    def _refuse(self, key: str, expected: str, found: str, error: Exception | None = None) -> NoReturn:
        raise ContractError(file=self.path, field=key, expected=expected, found=found) from error


def write_npz(path: str | Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as an NPZ, whole or not at all, sealed by a digest.

    Raises `OSError` that names `path`, and `ContractError` for values that are not finite.
    """
    refuse_not_finite(arrays, path)
    with atomic_write(path) as temporary, open(temporary, "w+b") as stream:
        np.savez(stream, **arrays)
        seal(stream)


def _suggestion(wanted: Iterable[str], present: Iterable[str]) -> str:
    names = [key for key in present if len(key) < 40]
    near = [hit for key in wanted for hit in difflib.get_close_matches(key, names, n=1, cutoff=0.6)]
    return f"; is '{near[0]}' meant?" if near else ""
