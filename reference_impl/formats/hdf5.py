"""HDF5 as a source of names: links followed by hand, nothing outside the file's own folder, no array larger than what is stored.

HDF5 files can point elsewhere (external links, virtual data sets, external storage). Such files are common (Eiger masters), so
that they are followed, but only to files in the folder of the first one or below it. References to objects are never followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError, printable
from reference_impl.formats.stack import Stack

MAX_LINKS = 16
MAX_NAMES = 20_000
"""Objects that are looked at when the names of a file are listed."""
MAX_INFLATION, SMALL = 1100, 1 << 26
"""Deflate packs at most 1032 to 1; arrays up to 64 MiB may announce what they like (a compact fill value is no fault)."""
MAX_CHUNK = 1 << 30
"""Bytes of one chunk, which HDF5 unpacks as a whole; the largest detectors have 64 MiB a frame."""
MAX_ARRAY = 1 << 30
"""Bytes of an array that is read at once: positions, masks, probes (a thousand modes of 256 x 256)."""


class Hdf5Source:
    """An open HDF5 file. Raises `FileNotFoundError`, or `ContractError` where it is none. A context manager."""

    container = "HDF5"

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._room = self.path.resolve().parent
        self._stack = ExitStack()
        self._files: dict[Path, Any] = {}
        self._root = self._open(self.path)
        self.matlab = _written_by_matlab(self._root)

    def __enter__(self) -> Hdf5Source:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def names(self) -> list[str]:
        """Paths of the data sets that hard links of this file reach, in file order, without the leading slash."""
        return list(_walk(self._root, self.path))

    def has(self, name: str) -> bool:
        """Whether a data set or attribute (`path@name`) is there; a link to nowhere is not."""
        path, _, attribute = name.partition("@")
        found = self._find(path)
        return found is not None and (attribute in found.attrs if attribute else _is_dataset(found))

    def links(self, group: str) -> list[str]:
        """Names of the soft and external links in a group."""
        import h5py

        found = self._find(group)
        if not isinstance(found, h5py.Group):
            return []
        return [name for name in found if not isinstance(found.get(name, getlink=True), h5py.HardLink)]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a data set, as its program sees it (MATLAB counts axes the other way round)."""
        shape = tuple(self._dataset(name).shape)
        return shape[::-1] if self.matlab else shape

    def array(self, name: str) -> np.ndarray:
        """The numbers of a data set or of an attribute, read at once; MATLAB's axes in MATLAB's order."""
        path, _, attribute = name.partition("@")
        if attribute:
            value = np.asarray(self._require(path).attrs[attribute])
            if value.dtype.kind not in "biufc":
                raise self._fault(name, "numbers", f"dtype {value.dtype}")
            return value
        data = self._dataset(name)
        if data.size * data.dtype.itemsize > MAX_ARRAY:
            raise self._fault(name, f"at most {MAX_ARRAY >> 30} GiB", f"shape {data.shape}, {data.dtype}")
        try:
            value = _numbers(data[()])
        except Exception as error:  # HDF5 raises whatever its filters meet; it becomes one line
            raise self._fault(name, "a complete data set", printable(error, 160)) from error
        if value.dtype.kind not in "biufc":
            raise self._fault(name, "numbers", f"dtype {value.dtype}")
        return value.T if self.matlab else value

    def text(self, name: str) -> str:
        """An attribute of the file itself that is a text."""
        value = self._root.attrs[name] if name in self._root.attrs else None
        text = value.decode(errors="replace") if isinstance(value, bytes) else value
        if not isinstance(text, str):
            raise self._fault(name, "a text", "none" if text is None else type(text).__name__)
        return text

    def unit(self, name: str) -> str | None:
        """The text of the attribute `units` (or `unit`) of a data set."""
        found = self._find(name.partition("@")[0])
        for key in ("units", "unit"):
            value = None if found is None or key not in found.attrs else found.attrs[key]
            if isinstance(value, bytes | str):
                return value.decode(errors="replace") if isinstance(value, bytes) else value
        return None

    def stack(self, name: str, axes: list[str]) -> Stack:
        """Frames of a data set, read a piece at a time."""
        data = self._dataset(name)
        return Stack(data, axes[::-1] if self.matlab else axes, self.place(name))

    def place(self, name: str) -> str:
        """`FILE::/path`, for messages and the table."""
        return f"{self.path}::/{name.lstrip('/')}"

    def _dataset(self, name: str) -> Any:
        found = self._require(name)
        if not _is_dataset(found):
            raise self._fault(name, "a data set", "a group")
        self._bounded(found, name)
        return found

    def _require(self, name: str) -> Any:
        found = self._find(name)
        if found is None:
            near = [other for other in self.names() if other.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]][:3]
            hint = f"; is /{near[0]} meant?" if near else ""
            raise self._fault(name, "a data set of this name", f"none{hint}")
        return found

    def _find(self, name: str, links: int = 0) -> Any:
        """The object at `name`, links followed one by one; None where there is none."""
        import h5py

        file, current, parts = self._root, self._root, [part for part in name.split("/") if part]
        while parts:
            part = parts.pop(0)
            link = current.get(part, getlink=True) if isinstance(current, h5py.Group) else None
            if link is None:
                return None
            if isinstance(link, h5py.HardLink):
                current = current[part]
                continue
            links += 1
            if links > MAX_LINKS:
                raise self._fault(name, f"at most {MAX_LINKS} links on the way", "more")
            parts = [part for part in link.path.split("/") if part] + parts
            if isinstance(link, h5py.ExternalLink):
                file = self._open(self._inside(file, link.filename, name))
                current = file
            elif link.path.startswith("/"):
                current = file
        return current

    def _open(self, path: Path) -> Any:
        import h5py
        import hdf5plugin  # noqa: F401, registers the filters of detectors

        key = path.resolve()
        if key not in self._files:
            if not path.is_file():
                raise FileNotFoundError(f"{path}: file not found")
            try:
                self._files[key] = self._stack.enter_context(h5py.File(path, "r"))
            except Exception as error:  # h5py raises OSError, RuntimeError or KeyError, by what is broken
                found = printable(error, 160)
                raise ContractError(file=path, field="file", expected="a complete HDF5 file", found=found) from error
        return self._files[key]

    def _inside(self, file: Any, target: str, name: str) -> Path:
        """The path of another file that this one names; it must lie in the room."""
        path = (Path(file.filename).parent / target).resolve()
        if not path.is_relative_to(self._room):
            raise self._fault(name, "links into the folder of the file or below it", f"a link to {target[:120]!r}")
        if not path.is_file():
            raise self._fault(name, "files that are there", f"a link to {target[:120]!r}, which is not")
        return path

    def _bounded(self, data: Any, name: str) -> None:
        """Refuse what would read other people's files, or more than the file can hold."""
        if data.dtype.kind == "O" or data.shape is None:
            raise self._fault(name, "numbers", "references or strings" if data.shape is not None else "no data")
        if data.external:
            raise self._fault(name, "data inside HDF5 files", f"raw data in {data.external[0][0][:120]!r}")
        announced, stored = data.size * data.dtype.itemsize, data.id.get_storage_size()
        if data.is_virtual:
            sources = {part.file_name for part in data.virtual_sources()}
            paths = {self._inside(data.file, source, name) for source in sources if source != "."}
            stored = sum(path.stat().st_size for path in {*paths, Path(data.file.filename)})
        if data.chunks and np.prod(data.chunks, dtype=object) * data.dtype.itemsize > MAX_CHUNK:
            raise self._fault(name, f"chunks of at most {MAX_CHUNK >> 30} GiB", f"chunks of {data.chunks}")
        if announced > max(SMALL, stored * MAX_INFLATION):
            raise self._fault(
                name, f"at most {MAX_INFLATION} times what is stored", f"{announced} bytes announced, {stored} stored"
            )

    def _fault(self, name: str, expected: str, found: str) -> ContractError:
        return ContractError(file=self.path, field=f"/{name.lstrip('/')}", expected=expected, found=found)


def _is_dataset(found: Any) -> bool:
    import h5py

    return isinstance(found, h5py.Dataset)


def _walk(root: Any, path: Path) -> Iterator[str]:
    """Names of data sets below `root`, breadth first, hard links alone, each object once."""
    import h5py

    waiting, seen, count = [("", root)], {_address(root)}, 0
    while waiting:
        prefix, group = waiting.pop(0)
        for name in group:
            count += 1
            if count > MAX_NAMES:
                raise ContractError(file=path, field="file", expected=f"at most {MAX_NAMES} objects", found="more")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            found = group[name]
            if isinstance(found, h5py.Group):
                if _address(found) not in seen:
                    seen.add(_address(found))
                    waiting.append((f"{prefix}{name}/", found))
            elif isinstance(found, h5py.Dataset):
                yield f"{prefix}{name}"


def _numbers(value: Any) -> np.ndarray:
    """MATLAB writes complex numbers as pairs named `real` and `imag`."""
    array = np.asarray(value)
    if array.dtype.names == ("real", "imag"):
        return array["real"] + 1j * array["imag"]
    return array


def _address(group: Any) -> tuple[int, int]:
    import h5py

    info = h5py.h5o.get_info(group.id)
    return info.fileno, info.addr


def _written_by_matlab(root: Any) -> bool:
    """Whether MATLAB saved this file (version 7.3): its axes then stand the other way round."""
    import h5py

    for name in root:
        if isinstance(root.get(name, getlink=True), h5py.HardLink) and "MATLAB_class" in root[name].attrs:
            return True
    return False
