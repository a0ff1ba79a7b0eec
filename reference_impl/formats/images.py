"""NPY, TIFF and EMPAD files, and folders of NPY or TIFF, as a source of one stack of frames, a piece at a time."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from reference_impl.errors import ContractError, printable
from reference_impl.formats.stack import Joined, Stack

TIFF, NPY, RAW = (".tif", ".tiff"), (".npy",), (".raw",)
MAX_HEADER = 10_000  # NumPy's own limit, in characters
MAX_PIXELS = 1 << 26
"""Pixels of one TIFF page: 8192 x 8192. The largest detectors of this field have 4148 x 4362."""
FRAMES = "frames"


class NpyArray:
    """An `.npy` file whose leading axis is read in pieces, without mapping it into memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "rb") as stream:
            try:
                version = npy.read_magic(stream)
                read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
                self.shape, self._fortran, self.dtype = read(stream, max_header_size=MAX_HEADER)
            except (ValueError, EOFError, OSError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
                found = printable(error, 160)
                raise ContractError(file=path, field="file", expected="an NPY file", found=found) from error
            self._begin = stream.tell()
        if self.dtype.kind not in "biufc":
            found = "pickled objects, which are never loaded" if self.dtype.hasobject else f"dtype {self.dtype}"
            raise ContractError(file=path, field="file", expected="numbers", found=found)
        announced = int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize
        stored = path.stat().st_size - self._begin
        if announced > stored:
            raise ContractError(file=path, field="file", expected=f"{announced} bytes of data", found=f"{stored} (truncated)")

    def __getitem__(self, index: Any) -> np.ndarray:
        if not self.shape or self._fortran:
            return self._whole[index if self.shape else ()]
        first, *rest = index if isinstance(index, tuple) else (index,)
        start, stop, _ = first.indices(self.shape[0]) if isinstance(first, slice) else (first, first + 1, 1)
        one = int(np.prod(self.shape[1:]))
        with open(self.path, "rb") as stream:
            stream.seek(self._begin + start * one * self.dtype.itemsize)
            block = np.fromfile(stream, self.dtype, (stop - start) * one).reshape(-1, *self.shape[1:])
        return block[(slice(None) if isinstance(first, slice) else 0, *rest)]

    @cached_property
    def _whole(self) -> np.ndarray:
        """All of it: a Fortran array's first axis is its fastest, and no piece of it lies together."""
        with open(self.path, "rb") as stream:
            stream.seek(self._begin)
            return np.fromfile(stream, self.dtype, int(np.prod(self.shape))).reshape(self.shape, order="F")


class EmpadRaw:
    """Frames of an EMPAD detector: 130 rows of 128 float32 each, of which the last two are no pixels (Tate 2016, M&M 22, 237)."""

    ROWS, WRITTEN, COLUMNS = 128, 130, 128

    def __init__(self, path: Path) -> None:
        self.path, self.dtype = path, np.dtype("<f4")
        count, rest = divmod(path.stat().st_size, self.WRITTEN * self.COLUMNS * self.dtype.itemsize)
        if not count or rest:
            expected = f"frames of {self.WRITTEN} x {self.COLUMNS} float32, as an EMPAD writes them"
            raise ContractError(file=path, field="file", expected=expected, found=f"{path.stat().st_size} bytes")
        self.shape = (count, self.ROWS, self.COLUMNS)

    def __getitem__(self, index: Any) -> np.ndarray:
        first, *rest = index if isinstance(index, tuple) else (index,)
        start, stop, _ = first.indices(self.shape[0])
        one = self.WRITTEN * self.COLUMNS
        with open(self.path, "rb") as stream:
            stream.seek(start * one * self.dtype.itemsize)
            block = np.fromfile(stream, self.dtype, (stop - start) * one).reshape(-1, self.WRITTEN, self.COLUMNS)
        return block[:, : self.ROWS][(slice(None), *rest)]


class TiffPages:
    """The pages of a TIFF file as an array `(pages, H, W)`."""

    def __init__(self, path: Path) -> None:
        import tifffile

        self.path = path
        try:
            with _complaints(path), tifffile.TiffFile(path) as file:
                page, count = file.pages[0], len(file.pages)
                self.shape, self.dtype = (count, *page.shape), np.dtype(page.dtype)
        except ContractError:
            raise
        except FileNotFoundError:
            raise
        except Exception as error:  # tifffile raises whatever a damaged tag leads to
            found = printable(error, 160) or type(error).__name__
            raise ContractError(file=path, field="file", expected="a complete TIFF file", found=found) from error
        if len(self.shape) != 3 or np.prod(self.shape[1:], dtype=object) > MAX_PIXELS:
            expected = f"one grey value a pixel, at most {MAX_PIXELS} pixels a page"
            raise ContractError(file=path, field="file", expected=expected, found=f"pages of shape {self.shape[1:]}")

    def __getitem__(self, index: Any) -> np.ndarray:
        import tifffile

        first, *rest = index if isinstance(index, tuple) else (index,)
        start, stop, _ = first.indices(self.shape[0]) if isinstance(first, slice) else (first, first + 1, 1)
        with _complaints(self.path), tifffile.TiffFile(self.path) as file:
            pages = [file.pages[number] for number in range(start, stop)]
            if any(page.shape != self.shape[1:] for page in pages):
                raise ContractError(file=self.path, field="page", expected=f"pages of {self.shape[1:]}", found="other sizes")
            block = np.stack([page.asarray() for page in pages])
        return block[(slice(None) if isinstance(first, slice) else 0, *rest)]


@contextmanager
def _complaints(path: Path) -> Iterator[None]:
    """tifffile reads what it can of a damaged file and writes the damage to its log; here that is an error."""
    said: list[str] = []
    handler, logger = logging.Handler(logging.ERROR), logging.getLogger("tifffile")
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    before, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
    if said:
        raise ContractError(file=path, field="file", expected="a complete TIFF file", found=printable(said[0], 160))


class ImageSource:
    """A TIFF or NPY file, or a folder of them, as the one name `frames`."""

    matlab = False

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        files = [self.path] if self.path.is_file() else image_files(self.path)
        if not files:
            raise ContractError(file=path, field="folder", expected="files *.tif, *.tiff or *.npy", found="none")
        ending = files[0].suffix.lower()
        self.container, kind = (
            ("TIFF", TiffPages) if ending in TIFF else ("EMPAD", EmpadRaw) if ending in RAW else ("NPY", NpyArray)
        )
        opened = [kind(file) for file in files]
        self._arrays: list[Any] = opened
        self._files = files

    def __enter__(self) -> ImageSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._arrays.clear()

    def names(self) -> list[str]:
        """The one name."""
        return [FRAMES]

    def has(self, name: str) -> bool:
        """Whether it is that name."""
        return name == FRAMES

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the file; of a folder, that of its files with their number of frames."""
        first = self._arrays[0].shape
        if len(self._arrays) == 1:
            return tuple(first)
        counts = [1 if len(array.shape) == 2 else array.shape[0] for array in self._arrays]
        return (sum(counts), *first[-2:])

    def array(self, name: str) -> np.ndarray:
        """Everything at once: for masks and probes."""
        if len(self._arrays) != 1:
            raise ContractError(file=self.path, field="folder", expected="one file", found=f"{len(self._arrays)} files")
        whole = self._arrays[0][slice(None)]
        return whole[0] if self.container == "TIFF" and len(whole) == 1 else whole

    def unit(self, name: str) -> str | None:
        """Images state no unit."""
        return None

    def stack(self, name: str, axes: list[str]) -> Stack | Joined:
        """The frames, file after file in the order of the numbers in their names."""
        if len(self._arrays) == 1:
            return Stack(self._arrays[0], axes, self.place(name))
        parts = [
            Stack(array, ["y", "x"] if len(array.shape) == 2 else ["m", "y", "x"], str(file))
            for array, file in zip(self._arrays, self._files, strict=True)
        ]
        return Joined(parts, str(self.path))

    def place(self, name: str) -> str:
        """The file or folder."""
        return str(self.path)


def image_files(folder: Path) -> list[Path]:
    """The TIFF files of a folder, else its NPY files, `a2` before `a10`; links that leave the folder are passed over."""
    room = folder.resolve()
    for endings in (TIFF, NPY):
        found = [path for path in folder.iterdir() if path.suffix.lower() in endings and path.resolve().is_relative_to(room)]
        if found:
            return sorted(
                found, key=lambda path: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.name)]
            )
    return []
