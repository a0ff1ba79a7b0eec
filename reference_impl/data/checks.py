"""Checks of the arrays of a raw record; each fault is a `ContractError` that names file and field."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_impl.errors import ContractError

Source = str | Path | None
"""Where the arrays came from, for messages."""


def positions(value: np.ndarray, field: str, file: Source = None) -> np.ndarray:
    """Positions in pixels as float64 `(n,)`, finite."""
    array = np.asarray(value)
    if array.ndim != 1:
        raise ContractError(file=file, field=field, expected="rank 1, (n,)", found=f"shape {array.shape}")
    if array.dtype.kind not in "iuf":
        raise ContractError(file=file, field=field, expected="real numbers", found=f"dtype {array.dtype}")
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise ContractError(file=file, field=field, expected="finite positions", found=_bad_count(array))
    return array


def pattern_layout(shape: tuple[int, ...], n_positions: int, field: str = "diffraction", file: Source = None) -> bool:
    """Whether patterns of `shape` are `(H, W, M)` and must be moved to `(M, H, W)` (DATA-004).

    First choice: the first axis as long as the positions, the others equal; second: the last axis so long, the first two equal;
    else the two equal sides are the detector. Raises where the rank is not 3, the detector is not square, or patterns outnumber
    positions.
    """
    if len(shape) != 3:
        raise ContractError(file=file, field=field, expected="rank 3, (M, N, N)", found=f"shape {shape}")
    front, back = shape[1] == shape[2], shape[0] == shape[1]
    last = back and (shape[2] == n_positions if front else True) and not (front and shape[0] == n_positions)
    # Stacks with as many rows as positions and fewer columns are patterns that are not square, not a transposed stack.
    if not (front or back) or 0 in shape or (last and shape[0] == n_positions > shape[2]):
        raise ContractError(file=file, field=field, expected="square patterns, (M, N, N)", found=f"shape {shape}")
    count = shape[2] if last else shape[0]
    if count > n_positions:
        found = f"{n_positions} positions. Every pattern needs a position"
        raise ContractError(file=file, field="xcoords", expected=f"at least {count} positions for {count} patterns", found=found)
    return last


def equal_counts(n_patterns: int, n_positions: int, file: Source = None) -> None:
    """Every position has a pattern: which ones are surplus cannot be seen from their number (DATA-004)."""
    if n_positions > n_patterns:
        found = (
            f"{n_positions}, and which {n_positions - n_patterns} are surplus is unknown: frame_index and position_index in the "
            "file say which belong together"
        )
        raise ContractError(file=file, field="xcoords", expected=f"{n_patterns} positions for {n_patterns} patterns", found=found)


MASK_ADVICE = "a mask leaves bad pixels out: key mask in the file, (N, N), True where a pixel is good, or --mask FILE"


def mask(value: np.ndarray, N: int, file: Source = None) -> np.ndarray:
    """The good pixels of the detector as bool `(N, N)`: True, or 1, where a pixel is good (DATA-012)."""
    array = np.asarray(value)
    if array.shape != (N, N):
        raise ContractError(file=file, field="mask", expected=f"shape ({N}, {N}) as a pattern", found=f"shape {array.shape}")
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        found = f"dtype {array.dtype}" if array.dtype.kind not in "biuf" else "other values"
        raise ContractError(file=file, field="mask", expected="True or 1 for a good pixel, False or 0 for a bad one", found=found)
    good = array.astype(bool)
    if not good.any():
        raise ContractError(file=file, field="mask", expected="a good pixel at least (True is good)", found="none")
    return good


def masked(patterns: np.ndarray, good: np.ndarray) -> np.ndarray:
    """A copy of `(…, N, N)` with zeros where `good` `(N, N)` is False, whatever stood there (DATA-012)."""
    return np.where(good, patterns, np.zeros((), patterns.dtype))


def scan_index(value: np.ndarray | None, count: int, file: Source = None) -> np.ndarray:
    """One whole number an exposure, `(count,)`; zeros where there is none."""
    index = np.zeros(count, dtype=np.int64) if value is None else np.asarray(value)
    if index.shape != (count,):
        raise ContractError(file=file, field="scan_index", expected=f"shape ({count},)", found=f"shape {index.shape}")
    if index.dtype.kind not in "biuf":
        raise ContractError(file=file, field="scan_index", expected="whole numbers", found=f"dtype {index.dtype}")
    if index.dtype.kind == "f" and not np.isfinite(index).all():
        raise ContractError(file=file, field="scan_index", expected="whole numbers", found=_bad_count(index))
    if index.dtype.kind == "f" and (index != np.rint(index)).any():
        found = f"{index[index != np.rint(index)][0]:.6g}"
        raise ContractError(file=file, field="scan_index", expected="whole numbers", found=found)
    return index


def pattern_values(patterns: np.ndarray, field: str = "diffraction", file: Source = None) -> None:
    """Patterns `(n, N, N)` are real, finite and not negative; two passes without temporaries."""
    if patterns.dtype.kind not in "iuf":
        raise ContractError(file=file, field=field, expected="real numbers (amplitudes)", found=f"dtype {patterns.dtype}")
    if patterns.size == 0:
        raise ContractError(file=file, field=field, expected="at least one pattern", found=f"shape {patterns.shape}")
    lowest, highest = patterns.min(), patterns.max()
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        found = f"{_bad_count(patterns)}, {_places(~np.isfinite(patterns))}; {MASK_ADVICE}"
        raise ContractError(file=file, field=field, expected="finite values", found=found)
    if lowest < 0:
        negative = patterns < 0
        found = f"a minimum of {lowest:.6g}, {int(negative.sum())} negative values, {_places(negative)}; {MASK_ADVICE}"
        raise ContractError(file=file, field=field, expected="amplitudes >= 0", found=found)


def _places(bad: np.ndarray) -> str:
    pixels, frames = bad.any(axis=0), int(bad.any(axis=(1, 2)).sum())
    return f"at {int(pixels.sum())} of {pixels.size} pixels in {frames} of {len(bad)} patterns"


def probe(value: np.ndarray, N: int | None, file: Source = None) -> np.ndarray:
    """The probe as complex64 `(N, N)` or `(P, N, N)`; `(N, N, 1)` loses its last axis (BATCH-050). `N` is the patterns' side."""
    array = _complex(value, "probeGuess", file)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or array.shape[-1] != array.shape[-2] or array.shape[0] == 0:
        raise ContractError(file=file, field="probeGuess", expected="(N,N), (N,N,1) or (P,N,N)", found=f"shape {np.shape(value)}")
    if N is not None and array.shape[-1] != N:
        raise ContractError(file=file, field="probeGuess", expected=f"side {N} as the patterns", found=f"side {array.shape[-1]}")
    return array


def object_image(value: np.ndarray, file: Source = None) -> np.ndarray:
    """The object as complex64 `(H, W)`."""
    array = _complex(value, "objectGuess", file)
    if array.ndim != 2:
        raise ContractError(file=file, field="objectGuess", expected="rank 2, (H, W)", found=f"shape {array.shape}")
    return array


def _complex(value: np.ndarray, field: str, file: Source) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fc":
        raise ContractError(file=file, field=field, expected="complex64", found=f"dtype {array.dtype}")
    if not np.isfinite(array).all():
        raise ContractError(file=file, field=field, expected="finite values", found=_bad_count(array))
    return array.astype(np.complex64, copy=False)


def _bad_count(array: np.ndarray) -> str:
    nan, infinite = int(np.isnan(array).sum()), int(np.isinf(array).sum())
    parts = [f"{count} {name}" for count, name in ((nan, "NaN"), (infinite, "infinite")) if count]
    return " and ".join(parts) + f" of {array.size} values"
