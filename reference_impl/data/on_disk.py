"""A record whose patterns lie in a file, mapped into memory: read a piece at a time, however many there are."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from reference_impl.data import checks, pairing
from reference_impl.data.mask import good_pixels
from reference_impl.data.npz import Archive, Header, refuse_other_format
from reference_impl.data.record import MEASUREMENTS, RawData, amplitudes, read_fields, warn_of_integers
from reference_impl.errors import ContractError
from reference_impl.stored.members import MemberStream

BLOCK_BYTES = 1 << 22
"""Of patterns that are converted at a time: 4 MiB stay in the cache."""


def read_on_disk(
    path: str | Path,
    target: Path,
    *,
    measurement: str = "amplitude",
    mask: np.ndarray | str | Path | None = None,
    coord_scale: float = 1.0,
) -> RawData:
    """The record of `path` as `load_data` reads it, with `diff3d` a map of float32 amplitudes appended to the file `target`.

    Memory: the arrays beside the patterns. Whatever is refused, `target` is then as long as before. Raises `FileNotFoundError`,
    `ContractError`, `OSError`.
    """
    if measurement not in MEASUREMENTS:
        raise ContractError(field="measurement", expected=f"one of {MEASUREMENTS}", found=repr(measurement))
    refuse_other_format(path)
    start = target.stat().st_size if target.exists() else 0
    raw = target.with_name(f"{target.name}.raw")
    try:
        with Archive(path) as archive:
            given = None if mask is None else good_pixels(mask)
            fields = read_fields(archive, measurement, given, partial(_mapped, target=target, start=start, raw=raw))
        good = fields.pop("mask")
        record = RawData(**fields, file=path)  # the patterns are masked already
        record.mask = None if good is None else checks.mask(good, record.diff3d.shape[-1], path)
        for name in ("xcoords", "ycoords", "xcoords_start", "ycoords_start"):
            setattr(record, name, getattr(record, name) * coord_scale)
        os.truncate(target, start + record.diff3d.nbytes)
    except BaseException:
        if target.exists():
            os.truncate(target, start)
        raise
    finally:
        raw.unlink(missing_ok=True)
    return record


def blocks(stack: np.ndarray) -> Iterator[slice]:
    """Parts of the first axis that fit into the cache."""
    step = max(1, BLOCK_BYTES // max(1, 8 * math.prod(stack.shape[1:])))
    return (slice(start, min(start + step, len(stack))) for start in range(0, len(stack), step))


def _mapped(
    archive: Archive,
    key: str,
    xcoords: np.ndarray,
    measurement: str,
    mask: np.ndarray | None,
    *,
    target: Path,
    start: int,
    raw: Path,
) -> np.ndarray:
    """The patterns `key` as float32 amplitudes `(n, N, N)`, written to `target` from byte `start` on."""
    header, stream = archive.content(key)
    count = checks.positions(xcoords, "xcoords", archive.path).size
    legacy = checks.pattern_layout(header.shape, pairing.frame_count(archive, header.shape, count), key, archive.path)
    good = None if mask is None else checks.mask(mask, header.shape[0 if legacy else 1], archive.path)
    as_it_is = header.dtype == np.float32 and not header.fortran and not legacy and measurement == "amplitude" and good is None
    found = _copied(header, stream, target if as_it_is else raw, start if as_it_is else 0)
    patterns = np.moveaxis(found, 2, 0) if legacy else found
    if good is None:
        checks.pattern_values(patterns, key, archive.path)
    warn_of_integers(archive.path, key, patterns.dtype, measurement)
    return patterns if as_it_is else _converted(patterns, measurement, good, target, start, archive.path, key)


def _copied(header: Header, stream: MemberStream, path: Path, start: int) -> np.ndarray:
    """The content of a member in the file `path` from byte `start` on, mapped."""
    if 0 in header.shape:
        stream.end()
        return np.empty(header.shape, header.dtype)
    order = "F" if header.fortran else "C"
    found = _map(path, header.dtype, start, header.shape, order)
    flat = (found.T if header.fortran else found).reshape(-1).view(np.uint8)
    stream.fill(memoryview(flat))
    stream.end()
    return found


def _converted(
    patterns: np.ndarray, measurement: str, good: np.ndarray | None, target: Path, start: int, file: Path, key: str
) -> np.ndarray:
    found = _map(target, np.dtype(np.float32), start, patterns.shape)
    for part in blocks(patterns):
        block = patterns[part] if good is None else checks.masked(patterns[part], good)
        if good is not None:
            checks.pattern_values(block, key, file)
        found[part] = amplitudes(block, measurement)
    return found


def _map(path: Path, dtype: np.dtype, start: int, shape: tuple[int, ...], order: str = "C") -> np.ndarray:
    with open(
        path, "ab"
    ) as stream:  # the space first: a full disk is an error here, and kills the process at the first write there
        os.posix_fallocate(stream.fileno(), start, math.prod(shape) * dtype.itemsize)
    return np.memmap(path, dtype=dtype, mode="r+", offset=start, shape=shape, order=order)
