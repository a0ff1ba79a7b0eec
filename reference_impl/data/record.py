"""The raw record of a scan: patterns and the positions they were taken at (DATA-001 to DATA-007, 009, 010)."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data import checks, metadata, pairing
from reference_impl.data.mask import joined
from reference_impl.data.npz import Archive, refuse_other_format, write_npz
from reference_impl.errors import ContractError, printable

PATTERN_KEYS = ("diffraction", "diff3d")
"""Both names are read, the first one wins (decision 18); `diff3d` is written."""

COORDINATES = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")

OPTIONAL_KEYS = (
    "xcoords_start",
    "ycoords_start",
    "scan_index",
    "objectGuess",
    "mask",
    pairing.FRAMES,
    pairing.POSITIONS,
    metadata.KEY,
)
"""What a file may lack."""

MEASUREMENTS = ("amplitude", "counts")


class RawData:
    """A scan of `n` exposures.

    `xcoords, ycoords, xcoords_start, ycoords_start`: float64 `(n,)`, object pixels, x horizontal; starts default to the others.
    `diff3d`: real `(n, N, N)` amplitudes (square root of photons), dtype as given. `probeGuess`: complex64 `(N, N)`, `(P, N, N)`.
    `scan_index`: integer `(n,)`. `objectGuess`: complex64 `(H, W)` or None. `Y`: ground-truth patches `(n, N, N)` or None, dtype
    as given (BATCH-010 judges it). `metadata`: mapping or None. `sample_indices`, `subsample_seed`: the draw of `load_data`.
    `mask`: bool `(N, N)`, True where a pixel is good, or None for all; `diff3d` is zero under it, whatever was given (DATA-012).
    `label_light`: float32 `(N, N)`, how much light the pixels of `Y` had where a solver made it (`engine.labels`), else None.

    Raises `ContractError` ("matching shapes", "square patterns", "Every pattern needs a position", "surplus", …).
    """

    label_light: np.ndarray | None = None

    def __init__(
        self,
        xcoords: np.ndarray,
        ycoords: np.ndarray,
        xcoords_start: np.ndarray | None = None,
        ycoords_start: np.ndarray | None = None,
        diff3d: np.ndarray | None = None,
        probeGuess: np.ndarray | None = None,
        scan_index: np.ndarray | None = None,
        objectGuess: np.ndarray | None = None,
        Y: np.ndarray | None = None,
        norm_Y_I: np.ndarray | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        mask: np.ndarray | None = None,
        file: str | Path | None = None,
    ) -> None:
        self.file = None if file is None else Path(file)
        if diff3d is None:
            raise ContractError(file=file, field="diff3d", expected="patterns (n, N, N)", found="none")
        starts = (xcoords if xcoords_start is None else xcoords_start, ycoords if ycoords_start is None else ycoords_start)
        self._set_positions(xcoords, ycoords, *starts)
        self._set_patterns(np.asarray(diff3d), mask)
        self.scan_index = checks.scan_index(scan_index, len(self.diff3d), self.file)
        side = self.diff3d.shape[-1]
        self.probeGuess = None if probeGuess is None else checks.probe(probeGuess, side, self.file)
        self.objectGuess = None if objectGuess is None else checks.object_image(objectGuess, self.file)
        self.Y = None if Y is None else np.asarray(Y)
        if self.Y is not None and self.Y.shape != self.diff3d.shape:
            raise ContractError(file=self.file, field="Y", expected=f"shape {self.diff3d.shape}", found=f"shape {self.Y.shape}")
        self.norm_Y_I = norm_Y_I
        self.metadata = None if metadata is None else dict(metadata)
        self.sample_indices: np.ndarray | None = None
        self.subsample_seed: int | None = None

    def _set_positions(self, *values: np.ndarray) -> None:
        shapes = {name: np.shape(value) for name, value in zip(COORDINATES, values, strict=True)}
        if len(set(shapes.values())) > 1:
            found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise ContractError(file=self.file, field="xcoords", expected="coordinate arrays of matching shapes", found=found)
        for name, value in zip(COORDINATES, values, strict=True):
            setattr(self, name, checks.positions(value, name, self.file))

    def _set_patterns(self, patterns: np.ndarray, mask: np.ndarray | None = None) -> None:
        count = len(self.xcoords)
        if checks.pattern_layout(patterns.shape, count, "diff3d", self.file):
            patterns = np.ascontiguousarray(np.moveaxis(patterns, 2, 0))
        checks.equal_counts(len(patterns), count, self.file)
        self.mask = None if mask is None else checks.mask(mask, patterns.shape[-1], self.file)
        self.diff3d = patterns if self.mask is None else checks.masked(patterns, self.mask)
        checks.pattern_values(self.diff3d, "diff3d", self.file)

    def __len__(self) -> int:
        return len(self.diff3d)

    @property
    def nphotons(self) -> float | None:
        """Photons a pattern as the metadata state them, or None."""
        return metadata.stated_nphotons(self.metadata, self.file)

    @classmethod
    def from_coords_without_pc(
        cls,
        xcoords: np.ndarray,
        ycoords: np.ndarray,
        diff3d: np.ndarray,
        probeGuess: np.ndarray | None,
        scan_index: np.ndarray | None = None,
        objectGuess: np.ndarray | None = None,
        **optional: Any,
    ) -> RawData:
        """A record whose start positions are its positions; `optional` as in the constructor (DATA-007)."""
        return cls(xcoords, ycoords, None, None, diff3d, probeGuess, scan_index, objectGuess, **optional)

    @classmethod
    def from_file(cls, path: str | Path, measurement: str = "amplitude") -> RawData:
        """Read an NPZ of DATA-001; patterns become float32 amplitudes `(n, N, N)`.

        `measurement="counts"` says that the file holds photon counts: their square root is taken once (decision 22). Ground truth
        `Y` in the file is ignored (DATA-007). Raises `FileNotFoundError` or `ContractError` (file, field, expected, found).
        """
        if measurement not in MEASUREMENTS:
            raise ContractError(field="measurement", expected=f"one of {MEASUREMENTS}", found=repr(measurement))
        refuse_other_format(path)
        with Archive(path) as archive:
            return cls(**read_fields(archive, measurement), file=path)

    def to_file(self, path: str | Path) -> None:
        """Write the record as NPZ, whole or not at all, sealed by a digest; `_metadata` as a unicode array (decision 21)."""
        names = (*COORDINATES, "diff3d", "probeGuess", "scan_index", "objectGuess", "Y", "mask")
        arrays = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        if self.metadata is not None:
            arrays[metadata.KEY] = np.array(metadata.text(self.metadata))
        write_npz(path, arrays)

    def masked(self, mask: np.ndarray) -> RawData:
        """This record with the pixels hidden where `mask` `(N, N)` is False, beside those that its own mask hides (DATA-012)."""
        hidden = copy.copy(self)
        hidden.mask = joined(self.mask, checks.mask(mask, self.diff3d.shape[-1], self.file), self.file)
        hidden.diff3d = checks.masked(self.diff3d, hidden.mask)
        return hidden


def read_fields(
    archive: Archive, measurement: str, mask: np.ndarray | None = None, read: Callable[..., np.ndarray] | None = None
) -> dict[str, Any]:
    """The constructor's arguments from an open archive (DATA-001, DATA-002, DATA-004, DATA-012, DATA-013).

    `mask` hides pixels beside those that the file's own mask hides; `read` takes the place of `_amplitudes`.
    """
    read = _amplitudes if read is None else read
    fields: dict[str, Any] = {name: archive.array(archive.require(name)) for name in ("xcoords", "ycoords")}
    fields["mask"] = joined(archive.array("mask") if archive.present("mask") else None, mask, archive.path)
    fields["diff3d"] = read(archive, archive.require(*PATTERN_KEYS), fields["xcoords"], measurement, fields["mask"])
    fields["probeGuess"] = archive.array(archive.require("probeGuess"))
    for axis in ("xcoords", "ycoords"):
        start = f"{axis}_start"
        fields[start] = archive.array(start) if archive.present(start) else fields[axis]
    for name in ("scan_index", "objectGuess"):
        fields[name] = archive.array(name) if archive.present(name) else None
    fields["metadata"] = read_metadata(archive)
    for name, meant in archive.misspelt(OPTIONAL_KEYS).items():
        warnings.warn(f"{archive.path}: {printable(name)!r} is not read; is {meant!r} meant?", UserWarning, stacklevel=4)
    return paired(fields, pairing.read(archive, len(fields["diff3d"]), len(fields["xcoords"])))


def paired(fields: dict[str, Any], pairs: pairing.Pairs | None) -> dict[str, Any]:
    """`fields` with patterns and positions that belong together, in the order of the patterns; as they are without `pairs`."""
    if pairs is None:
        return fields
    count = len(fields["xcoords"])
    kept = {"diff3d": _kept_rows(fields["diff3d"], pairs.frames), **{name: fields[name][pairs.positions] for name in COORDINATES}}
    index = fields["scan_index"]
    if index is not None and index.ndim == 1:
        kept["scan_index"] = index[pairs.positions if len(index) == count else pairs.frames]
    return {**fields, **kept}


def _kept_rows(stack: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`stack[rows]`, rows ascending; a map on disk is moved together where it lies, and takes no memory."""
    if not isinstance(stack, np.memmap):
        return stack[rows]
    for place, row in enumerate(rows):  # row >= place: what is still to be moved is never written over
        if row != place:
            stack[place] = stack[row]
    return stack[: len(rows)]


def read_metadata(archive: Archive) -> dict[str, Any] | None:
    """The parsed `_metadata`, or None where the file has none."""
    return metadata.parse(archive.text(metadata.KEY), archive.path) if metadata.KEY in archive else None


def _amplitudes(archive: Archive, key: str, xcoords: np.ndarray, measurement: str, mask: np.ndarray | None = None) -> np.ndarray:
    patterns = archive.array(key)
    count = checks.positions(xcoords, "xcoords", archive.path).size
    if checks.pattern_layout(patterns.shape, pairing.frame_count(archive, patterns.shape, count), key, archive.path):
        patterns = np.moveaxis(patterns, 2, 0)
    if mask is not None:
        patterns = checks.masked(patterns, checks.mask(mask, patterns.shape[-1], archive.path))
    checks.pattern_values(patterns, key, archive.path)
    warn_of_integers(archive.path, key, patterns.dtype, measurement)
    return np.ascontiguousarray(amplitudes(patterns, measurement))


def warn_of_integers(path: Path, key: str, dtype: np.dtype, measurement: str) -> None:
    """Integers are rarely amplitudes: a `UserWarning` names the option that says what they are (decision 22)."""
    if measurement == "amplitude" and dtype.kind in "iu":
        text = f"{path}: {key}: integers read as amplitudes; if they are photon counts, say measurement='counts'"
        warnings.warn(text, UserWarning, stacklevel=6)


def amplitudes(patterns: np.ndarray, measurement: str) -> np.ndarray:
    """Patterns as float32 amplitudes; the root of counts is taken here and nowhere else (decision 22)."""
    if measurement == "counts":
        exact = patterns.dtype.itemsize <= 2 or patterns.dtype == np.float32
        patterns = np.sqrt(patterns, dtype=np.float32 if exact else np.float64)
    return patterns.astype(np.float32, copy=False)
