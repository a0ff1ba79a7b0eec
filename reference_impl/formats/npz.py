"""NPZ archives, packed by bzip2 or not, as a source of names. The strict reader of `data.npz` reads them."""

from __future__ import annotations

import bz2
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data.npz import Archive
from reference_impl.errors import ContractError, printable
from reference_impl.formats.stack import Stack

LARGEST_UNPACKED = 1 << 35
"""32 GiB: a million patterns of 90 x 90 pixels."""
UNPACKED_AT_ONCE, UNPACKED_FREELY, MAX_INFLATION = 1 << 24, 1 << 28, 400
"""Above 256 MiB no file unpacks to more than 400 times its size: sparse counts reach about 100."""


class Pieces:
    """An array of an archive whose first long axis is read in pieces, forwards; going back begins anew."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._archive, self._name = archive, name
        header, self._stream = archive.content(name)
        self.shape, self.dtype, self._at = header.shape, header.dtype, 0

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        ones = next((number for number, part in enumerate(index) if isinstance(part, slice)), len(index))
        start, stop, _ = index[ones].indices(self.shape[ones])
        if start < self._at:
            self._stream, self._at = self._archive.content(self._name)[1], 0
        block = np.empty((max(0, stop - start), *self.shape[ones + 1 :]), self.dtype)
        one = block[:1] if len(block) else np.empty((1, *self.shape[ones + 1 :]), self.dtype)
        while self._at < start:
            self._stream.fill(_bytes(one))
            self._at += 1
        if block.size:
            self._stream.fill(_bytes(block))
        self._at = max(self._at, stop)
        if self._at == self.shape[ones]:
            self._stream.end()
        return block[(slice(None), *index[ones + 1 :])]


def _bytes(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))


class NpzSource:
    """An open NPZ. Raises `FileNotFoundError`, or `ContractError` where it is none. A context manager."""

    container, matlab = "NPZ", False

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._stack = ExitStack()
        inner = self.path
        if self.path.suffix == ".bz2":
            inner = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / self.path.stem
            try:
                unpack(self.path, inner)
            except BaseException:
                self._stack.close()
                raise
        self._archive = self._stack.enter_context(Archive(inner, shown=self.path))

    def __enter__(self) -> NpzSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def names(self) -> list[str]:
        """Names of the arrays, in file order."""
        return list(self._archive.keys)

    def has(self, name: str) -> bool:
        """Whether an array is there and is not `None`: programs write their empty fields as `None`."""
        return self._archive.present(name)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of an array, from its header."""
        return self._archive.header(name).shape

    def array(self, name: str) -> np.ndarray:
        """The numbers of an array; pickled objects are refused."""
        return self._archive.array(self._archive.require(name))

    def text(self, name: str) -> str:
        """The string that an array of no axes holds."""
        return self._archive.text(name)

    def unit(self, name: str) -> str | None:
        """NPZ states no units."""
        return None

    def stack(self, name: str, axes: list[str]) -> Stack:
        """Frames of an array, read in pieces where the scan's axis comes first."""
        header = self._archive.header(name)
        leading = next((axis for axis in axes if axis != "1"), "")
        if header.fortran or leading not in ("m", "sy"):
            return Stack(self.array(name), axes, self.place(name))
        return Stack(Pieces(self._archive, name), axes, self.place(name))

    def place(self, name: str) -> str:
        """`FILE::name`, for messages and the table."""
        return f"{self.path}::{name}"


def unpack(path: Path, target: Path) -> None:
    """Unpack a bzip2 file, a piece at a time; `ContractError` where it is damaged or larger than `LARGEST_UNPACKED`."""
    size, most = 0, min(LARGEST_UNPACKED, max(UNPACKED_FREELY, MAX_INFLATION * path.stat().st_size))
    try:
        with bz2.open(path) as packed, open(target, "wb") as stream:
            while chunk := packed.read(UNPACKED_AT_ONCE):
                size += len(chunk)
                if size > most:
                    raise ContractError(file=path, field="archive", expected=f"at most {most} bytes unpacked", found="more")
                stream.write(chunk)
    except FileNotFoundError:
        raise
    except (EOFError, OSError) as error:
        found = f"{printable(error, 100)} (truncated, or no bzip2)"
        raise ContractError(file=path, field="archive", expected="a complete bzip2 file", found=found) from error
