"""Loading a file with subsampling and coordinate transforms (DATA-008)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_impl.atomic import atomic_write
from reference_impl.data.mask import good_pixels
from reference_impl.data.npz import Archive, refuse_other_format
from reference_impl.data.record import MEASUREMENTS, RawData, read_fields
from reference_impl.domains.fields import refuse_outside
from reference_impl.errors import ContractError


def load_data(
    file: str | Path,
    n_images: int | None = None,
    n_subsample: int | None = None,
    flip_x: bool = False,
    flip_y: bool = False,
    swap_xy: bool = False,
    coord_scale: float = 1.0,
    subsample_seed: int | None = None,
    *,
    measurement: str = "amplitude",
    indices_dir: str | Path | None = None,
    mask: np.ndarray | str | Path | None = None,
) -> RawData:
    """Read `file`, keep some of its exposures, transform its positions.

    `n_subsample` exposures are drawn without replacement, as `RandomState(subsample_seed).choice` draws them, and kept in
    ascending order; without it the first `n_images` are kept. The drawn indices travel on the record as `sample_indices` and
    `subsample_seed`; with `indices_dir` they are also written, one a line, to `subsample_seed<seed>_indices.txt` there.
    `mask`, an array `(N, N)` or a file of one (True is good), hides pixels beside those that the file's own hides (DATA-012).
    Positions: flipped (negated) first, then swapped, then multiplied by `coord_scale`; the starts likewise.
    Raises `FileNotFoundError`, `ContractError`, and `OSError` where the indices cannot be written.
    """
    if measurement not in MEASUREMENTS:
        raise ContractError(field="measurement", expected=f"one of {MEASUREMENTS}", found=repr(measurement))
    refuse_other_format(file)
    with Archive(file) as archive:
        fields = read_fields(archive, measurement, None if mask is None else good_pixels(mask))
    whole = RawData(**fields, file=file)
    indices = selection(len(whole), n_images, n_subsample, subsample_seed)
    record = whole if indices is None else _subset(whole, indices)
    if n_subsample is not None:
        record.sample_indices = np.arange(len(whole)) if indices is None else indices
        record.subsample_seed = subsample_seed
        if indices_dir is not None:
            _write_indices(record.sample_indices, subsample_seed, Path(indices_dir))
    _transform_positions(record, flip_x, flip_y, swap_xy, coord_scale)
    return record


def ensure_same_subsample(first: RawData, second: RawData) -> None:
    """Raise `RuntimeError` ("Subsample index mismatch") where two loads with one seed hold different exposures (DATA-008)."""
    if first.sample_indices is None or second.sample_indices is None or first.subsample_seed != second.subsample_seed:
        return
    if not np.array_equal(first.sample_indices, second.sample_indices):
        raise RuntimeError(
            f"Subsample index mismatch for seed {first.subsample_seed}: expected equal indices, found "
            f"{len(first.sample_indices)} and {len(second.sample_indices)} that differ"
        )


def subsampled(whole: RawData, n_subsample: int, seed: int) -> RawData:
    """A record of `n_subsample` of the exposures, drawn as `load_data` draws them; the record itself where it has no more."""
    indices = selection(len(whole.xcoords), None, n_subsample, seed)
    return whole if indices is None else _subset(whole, indices)


def selection(count: int, n_images: int | None, n_subsample: int | None, seed: int | None) -> np.ndarray | None:
    """The exposures of `count` that are kept, ascending; None for all."""
    for name, value in (("n_subsample", n_subsample), ("n_images", n_images), ("subsample_seed", seed)):
        refuse_outside(name, value)
    if n_subsample is not None:
        if n_subsample >= count:
            return None
        # A private generator of the legacy kind: the same numbers as np.random.seed, without touching the global state.
        return np.sort(np.random.RandomState(seed).choice(count, n_subsample, replace=False))
    return None if n_images is None or n_images >= count else np.arange(n_images)


def _subset(whole: RawData, indices: np.ndarray) -> RawData:
    def taken(name: str) -> np.ndarray | None:
        value = getattr(whole, name, None)
        return None if value is None else value[indices]

    names = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index", "Y")
    rest = {name: getattr(whole, name, None) for name in ("probeGuess", "objectGuess", "norm_Y_I", "metadata", "mask", "file")}
    part = RawData(**{name: taken(name) for name in names}, **rest)
    part.label_light = getattr(whole, "label_light", None)
    return part


def _write_indices(indices: np.ndarray, seed: int | None, folder: Path) -> None:
    name = "subsample_unseeded_indices.txt" if seed is None else f"subsample_seed{seed}_indices.txt"
    with atomic_write(folder / name) as temporary:
        temporary.write_text("".join(f"{index}\n" for index in indices))


def _transform_positions(record: RawData, flip_x: bool, flip_y: bool, swap_xy: bool, scale: float) -> None:
    for suffix in ("", "_start"):
        x, y = getattr(record, f"xcoords{suffix}"), getattr(record, f"ycoords{suffix}")
        x, y = -x if flip_x else x, -y if flip_y else y
        x, y = (y, x) if swap_xy else (x, y)
        setattr(record, f"xcoords{suffix}", x * scale)
        setattr(record, f"ycoords{suffix}", y * scale)
