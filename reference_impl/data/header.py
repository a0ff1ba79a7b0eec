"""What a file holds, from its headers and its small members alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reference_impl.data import checks, metadata, pairing
from reference_impl.data.npz import Archive, refuse_other_format
from reference_impl.data.record import PATTERN_KEYS, read_metadata
from reference_impl.errors import ContractError


@dataclass(frozen=True)
class FileHeader:
    """`n_patterns` exposures of `N` × `N` pixels; `nphotons` as the metadata state it, or None; the `keys` of the file."""

    n_patterns: int
    N: int
    nphotons: float | None
    keys: tuple[str, ...]


def inspect_file(path: str | Path) -> FileHeader:
    """Read the headers of an NPZ of DATA-001; the layout is judged as the reader judges it (DATA-004).

    Raises `FileNotFoundError` or `ContractError`, among others where probe and patterns differ in side (CONFIG-064).
    """
    refuse_other_format(path)
    with Archive(path) as archive:
        side = _probe_side(archive)
        key = archive.require(*PATTERN_KEYS)
        shape = archive.header(key).shape
        positions = archive.header(archive.require("xcoords")).shape
        if len(positions) != 1:
            raise ContractError(file=path, field="xcoords", expected="rank 1, (n,)", found=f"shape {positions}")
        last = checks.pattern_layout(shape, pairing.frame_count(archive, shape, positions[0]), key, path)
        if shape[1] != side:
            raise ContractError(file=path, field="probeGuess", expected=f"side {shape[1]} as the patterns", found=f"side {side}")
        nphotons = metadata.stated_nphotons(read_metadata(archive), path)
        count = shape[2] if last else shape[0]
        pairs = pairing.read(archive, count, positions[0], tell=False)
        if pairs is None:
            checks.equal_counts(count, positions[0], path)
        return FileHeader(n_patterns=count if pairs is None else len(pairs.frames), N=side, nphotons=nphotons, keys=archive.keys)


def _probe_side(archive: Archive) -> int:
    shape = archive.header(archive.require("probeGuess")).shape
    square = len(shape) == 2 and shape[0] == shape[1]
    trailing = len(shape) == 3 and shape[2] == 1 and shape[0] == shape[1]
    modes = len(shape) == 3 and shape[1] == shape[2]
    if not (square or trailing or modes):
        raise ContractError(file=archive.path, field="probeGuess", expected="(N,N), (N,N,1) or (P,N,N)", found=f"shape {shape}")
    return shape[1]
