"""Contract files of a conversion, written as the frames go by: memory does not grow with them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from reference_impl.data.geometry_record import Conversion
from reference_impl.data.metadata import KEY
from reference_impl.stored.zips import seal

PATTERNS = "diff3d"


class _Growing:
    """A contract file whose patterns come in pieces, and whose other members come after them."""

    def __init__(self, stream: BinaryIO, shape: tuple[int, int, int]) -> None:
        self._stream = stream
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED)
        self._member = self._zip.open(f"{PATTERNS}.npy", "w", force_zip64=True)
        npy.write_array_header_1_0(self._member, {"descr": "<f4", "fortran_order": False, "shape": shape})

    def add(self, amplitudes: np.ndarray) -> None:
        """Some more patterns `(n, N, N)`."""
        self._member.write(np.ascontiguousarray(amplitudes, "<f4").data)

    def finish(self, arrays: Mapping[str, np.ndarray]) -> None:
        """The other members, then the seal."""
        self._member.close()
        for name, value in arrays.items():
            piece = io.BytesIO()
            npy.write_array(piece, np.asanyarray(value), allow_pickle=False)
            self._zip.writestr(f"{name}.npy", piece.getvalue())
        self.close()
        seal(self._stream)

    def close(self) -> None:
        """No more members: before the stream is closed, of a file that came to nothing as well."""
        self._member.close()
        self._zip.close()


def write(
    made: Conversion,
    parts: Mapping[Path, np.ndarray],
    probe_of: Callable[[], np.ndarray],
    describe: Callable[[Conversion], dict[str, Any]],
) -> None:
    """Write the frames of each part, numbers into the kept ones, to its path, in one pass over the source.

    `probe_of` is asked once all frames have gone by: then `made` knows their photons and their mean. Raises `OSError`.
    """
    with ExitStack() as stack:
        files = {}
        for path, numbers in parts.items():
            stream = stack.enter_context(open(path, "w+b"))
            files[path] = stack.enter_context(closing(_Growing(stream, (len(numbers), made.N, made.N))))
        start = 0
        for block in made.blocks():
            for path, numbers in parts.items():
                low, high = np.searchsorted(numbers, (start, start + len(block)))
                if low < high:
                    files[path].add(block[numbers[low:high] - start])
            start += len(block)
        probe = probe_of()
        told = np.array(json.dumps(describe(made), sort_keys=True))
        for path, numbers in parts.items():
            files[path].finish({**_members(made, numbers), "probeGuess": probe, KEY: told})


def _members(made: Conversion, numbers: np.ndarray) -> dict[str, np.ndarray]:
    y, x = (np.ascontiguousarray(axis) for axis in made.positions[numbers].T)
    found: dict[str, np.ndarray] = {"xcoords": x, "ycoords": y, "xcoords_start": x, "ycoords_start": y}
    found["scan_index"] = np.zeros(len(numbers), np.int64)
    if made.thing is not None:
        found["objectGuess"] = made.thing
    if not made.mask.all():
        found["mask"] = made.mask
    return found
