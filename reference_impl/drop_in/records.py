"""What the client sends as data, and how it becomes the reference's: the one place where counts turn into amplitudes.

The client counts photons, in whatever dtype: in a file that it exported, which always holds `bad_pixels`, and in memory. A file
without `bad_pixels` is not the client's: there integers are counts, and floating-point numbers amplitudes as in every contract
file (DATA-001).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data.npz import Archive
from reference_impl.data.record import PATTERN_KEYS, amplitudes
from reference_impl.errors import ContractError

BAD_PIXELS = "bad_pixels"


def measurement_of(path: str | Path) -> str:
    """`counts` or `amplitude`: what the patterns of a file are. Raises `FileNotFoundError`, `ContractError`."""
    with Archive(path) as archive:
        patterns = archive.header(archive.require(*PATTERN_KEYS))
        mask = archive.array(BAD_PIXELS, kinds="b") if BAD_PIXELS in archive else None
    if mask is not None:
        _accept_filled(mask, patterns.shape[-2:], Path(path))
    return "counts" if mask is not None or patterns.dtype.kind in "iu" else "amplitude"


def in_memory(diff3d: Any) -> np.ndarray:
    """Counts `(n, N, N)` that the client holds in memory as float32 amplitudes. Raises `ContractError` for what is no count."""
    patterns = np.asarray(diff3d)
    if patterns.ndim != 3 or patterns.dtype.kind not in "iuf" or (patterns.size and not patterns.min() >= 0):
        lowest = f", minimum {patterns.min()}" if patterns.size and patterns.dtype.kind in "iuf" else ""
        found = f"dtype {patterns.dtype}, shape {patterns.shape}{lowest}"
        raise ContractError(field="diff3d", expected="photon counts >= 0, (n, N, N)", found=found)
    return amplitudes(patterns, "counts")


def _accept_filled(mask: np.ndarray, shape: tuple[int, ...], file: Path) -> None:
    """The client has filled bad pixels before it sends patterns; their values count as measured, and that is said."""
    if mask.shape != shape:
        raise ContractError(file=file, field=BAD_PIXELS, expected=f"shape {shape} as a pattern", found=f"shape {mask.shape}")
    if mask.any():
        text = f"{file}: bad_pixels: {int(mask.sum())} of {mask.size} pixels were filled by the client; they count as measured"
        warnings.warn(text, UserWarning, stacklevel=4)
