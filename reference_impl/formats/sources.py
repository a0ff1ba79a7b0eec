"""From a path to a source of names: the container is found by its first bytes, not by the ending of its name."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from reference_impl.errors import ContractError
from reference_impl.formats.hdf5 import Hdf5Source
from reference_impl.formats.images import RAW, ImageSource
from reference_impl.formats.matlab import MatlabSource
from reference_impl.formats.npz import NpzSource
from reference_impl.formats.text import TextSource

Source = Hdf5Source | NpzSource | MatlabSource | ImageSource
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
_STARTS = (
    (b"PK\x03\x04", NpzSource),
    (b"BZh", NpzSource),
    (b"\x93NUMPY", ImageSource),
    (b"II*\x00", ImageSource),
    (b"MM\x00*", ImageSource),
    (b"II+\x00", ImageSource),
    (b"MM\x00+", ImageSource),
    (b"MATLAB 5.0", MatlabSource),
)
_PLACE = re.compile(r"(?P<file>.*?)(?:::(?P<name>[^*]*(?:\*(?![-+.\d])[^*]*)?)(?:\*(?P<factor>[-+.\deE]+))?)?")


def place(text: str, field: str) -> tuple[Path, str, float]:
    """`(file, name, multiplier)` of `FILE`, `FILE::name` or `FILE::name*1e-6`."""
    found = _PLACE.fullmatch(text)
    try:
        factor = 1.0 if not found or found["factor"] is None else float(found["factor"])
    except ValueError:
        found = None
    if not found or not found["file"]:
        raise ContractError(field=field, expected="FILE, FILE::name or FILE::name*number", found=repr(text[:80]))
    return Path(found["file"]).expanduser(), (found["name"] or "").strip(), factor


def open_source(path: Path) -> Source | TextSource:
    """An open source, a context manager. Raises `FileNotFoundError`, or `ContractError` that names what is read at all."""
    if path.is_dir():
        return ImageSource(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: file not found")
    with open(path, "rb") as stream:
        head = stream.read(1 << 13)
    # HDF5 allows a block of the user's before its signature, at 512 bytes or a power of two of them; MATLAB 7.3 uses 512.
    if head.startswith(HDF5_MAGIC) or any(head[place_:].startswith(HDF5_MAGIC) for place_ in (512, 1024, 2048, 4096)):
        return Hdf5Source(path)
    if path.suffix.lower() in RAW:
        return ImageSource(path)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind(path)
    if path.suffix in (".npz", ".bz2"):
        return NpzSource(path)
    if path.suffix.lower() in (".h5", ".hdf5", ".cxi", ".nxs", ".ptyd", ".ptyr"):
        return Hdf5Source(path)
    if b"\x00" not in head:
        return TextSource(path)
    found = f"a file that begins with {head[:8]!r}" if head else "an empty file"
    expected = "HDF5 (NeXus, CXI, ptypy, MATLAB 7.3), NPZ, MATLAB 5, NPY, TIFF, or a table of text"
    raise ContractError(file=path, field="file", expected=expected, found=found)


def shape_of(source: Source, name: str) -> tuple[int, ...]:
    """Shape of what `name` is, or none where it is no array of numbers: for lists, not for reading."""
    with suppress(ContractError):
        return source.shape(name) if source.has(name) else ()
    return ()


def inventory(source: Source) -> str:
    """What a file holds that may be patterns, for a message."""
    found = []
    for name in source.names():
        if len(found) < 3 and len(shape := shape_of(source, name)) >= 3:
            found.append(f"{name} {shape}")
    names = ", ".join(source.names()[:6])
    return f"stacks {'; '.join(found)}" if found else f"no stack of frames, but {names or 'nothing'}"
