"""DATA: a file becomes a record, or one line says why it does not."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from conformance.backends.numpy_only import archive
from conformance.backends.numpy_only.archive import refuse
from conformance.backends.numpy_only.records import SCAN, Record, fitting, laid_out

NUMBERS = ("frame_index", "position_index")
MEMBERS = (*SCAN, "diffraction", "diff3d", "probeGuess", "scan_index", "objectGuess", "_metadata", *NUMBERS)


def read(
    path: Path, *, measurement: str = "amplitude", n_subsample: int | None = None, subsample_seed: int | None = None, **moves: Any
) -> Record:
    """The record of an NPZ file; ValueError of one line for what is wrong with it, FileNotFoundError where there is none.

    `moves` are `flip_x`, `flip_y`, `swap_xy` and `coord_scale` (DATA-008).
    """
    path = Path(path)
    if measurement not in ("amplitude", "counts"):
        refuse(path, "measurement", "'amplitude' or 'counts'", repr(measurement))
    if path.is_dir():
        refuse(path, "file", "an NPZ file", "a folder")
    found = archive.members(path, MEMBERS)
    metadata = archive.mapping(path, "_metadata", found.pop("_metadata")) if "_metadata" in found else None
    arrays = {name: archive.array(path, name, content) for name, content in found.items()}
    stack = "diffraction" if "diffraction" in arrays else "diff3d"
    for name in ("xcoords", "ycoords", stack, "probeGuess"):
        if name not in arrays:
            refuse(path, "diffraction or diff3d" if name == stack else name, "an array", f"only {', '.join(sorted(arrays))}")
    scan = {name: _scan(path, name, arrays, len(arrays["xcoords"])) for name in (*SCAN, "scan_index")}
    numbers = [arrays[name] for name in NUMBERS if name in arrays]
    if len(numbers) == 2 and numbers[0].size not in arrays[stack].shape:
        refuse(path, "frame_index", f"a number a pattern of {arrays[stack].shape}", numbers[0].size)
    wrong = partial(refuse, path)
    patterns = laid_out(arrays[stack], len(numbers[0] if len(numbers) == 2 else scan["xcoords"]), stack, wrong)
    fitting(arrays["probeGuess"], patterns.shape[-1], wrong)
    frames, places = _pairs(path, *numbers, patterns=len(patterns), positions=len(scan["xcoords"]))
    scan = {name: value[places] for name, value in scan.items()}
    diff3d = _amplitudes(path, stack, patterns[frames], measurement)
    rows = _rows(path, len(diff3d), n_subsample, subsample_seed)
    wide = {name: _complex(path, name, arrays[name]) for name in ("probeGuess", "objectGuess") if name in arrays}
    chosen = {"sample_indices": rows, "subsample_seed": subsample_seed} if n_subsample is not None else {}
    positions = _moved({name: scan[name][rows] for name in SCAN}, **moves)
    return Record(**positions, **wide, **chosen, scan_index=scan["scan_index"][rows], diff3d=diff3d[rows], metadata=metadata)


def _moved(
    scan: dict[str, np.ndarray], flip_x: bool = False, flip_y: bool = False, swap_xy: bool = False, coord_scale: float = 1.0
) -> dict[str, np.ndarray]:
    """Coordinates and starts alike turned, scaled, exchanged (DATA-008)."""
    factor = {"x": -coord_scale if flip_x else coord_scale, "y": -coord_scale if flip_y else coord_scale}
    source = {"x": "y", "y": "x"} if swap_xy else {"x": "x", "y": "y"}
    turned = {name: values * factor[name[0]] for name, values in scan.items()}
    return {name: turned[source[name[0]] + name[1:]] for name in scan}


def _scan(path: Path, name: str, arrays: dict[str, np.ndarray], count: int) -> np.ndarray:
    """One value a position: starts default to the coordinates, scan indices to zeros."""
    value = arrays.get(name, arrays.get(name.removesuffix("_start"), np.zeros(count, dtype=np.int64)))
    if value.shape != (count,) or value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        refuse(path, name, f"({count},) finite numbers", f"{value.dtype} {value.shape}, or a value that is not finite")
    if name == "scan_index" and (value != np.rint(value)).any():
        refuse(path, name, "whole numbers", "others")
    return value if name == "scan_index" else value.astype(np.float64)


def _complex(path: Path, name: str, value: np.ndarray) -> np.ndarray:
    if value.ndim != 2 or value.dtype.kind not in "cfiu" or not np.isfinite(value).all():
        refuse(path, name, "a plane of finite complex numbers", f"{value.dtype} {value.shape}, or a value that is not finite")
    return value.astype(np.complex64)


def _amplitudes(path: Path, name: str, stack: np.ndarray, measurement: str) -> np.ndarray:
    """Amplitudes in the file's precision: as they stand, or the square roots of counts (DATA-003)."""
    if not np.isfinite(stack).all() or (stack < 0).any():
        refuse(path, name, "finite values, none of them negative", "others")
    if measurement == "counts":
        return np.sqrt(stack, dtype=np.float64)
    if stack.dtype.kind != "f":
        warnings.warn(
            f"{path.name}: {name} holds integers: measurement='counts' takes their square root", UserWarning, stacklevel=3
        )
    return stack


def _pairs(path: Path, *numbers: np.ndarray, patterns: int, positions: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of patterns and of positions that belong together: those of one number, or all of them (DATA-004, DATA-013)."""
    if len(numbers) < 2:
        if patterns != positions:
            refuse(path, "xcoords, ycoords", f"{patterns} coords, one a pattern", positions)
        return np.arange(patterns), np.arange(patterns)
    for name, value, count in zip(NUMBERS, numbers, (patterns, positions), strict=True):
        if value.shape != (count,) or len(set(value.tolist())) != count:
            refuse(path, name, f"{count} numbers, none of them twice", f"shape {value.shape}")
    places = {number: place for place, number in enumerate(numbers[1].tolist())}
    frames = [row for row, number in enumerate(numbers[0].tolist()) if number in places]
    if not frames:
        refuse(path, "frame_index", "numbers that position_index holds too", "none in common")
    if not len(frames) == patterns == positions:
        warnings.warn(f"{path.name}: frame_index and position_index leave some without a partner", RuntimeWarning, stacklevel=3)
    return np.array(frames), np.array([places[numbers[0][row].item()] for row in frames])


def _rows(path: Path, patterns: int, count: int | None, seed: int | None) -> np.ndarray:
    """Which exposures are kept: all, or the draw of the seed in ascending order (DATA-008)."""
    if count is None:
        return np.arange(patterns)
    if not 0 < count <= patterns:
        refuse(path, "n_subsample", f"1 to {patterns} patterns", count)
    return np.sort(np.random.RandomState(seed).choice(patterns, count, replace=False))
