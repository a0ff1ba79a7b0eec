"""What is not finite is never written: the check at the door of bundles, checkpoints, records and reconstructions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.errors import ContractError

DIVERGED = "the training diverged; lower the learning rate, or set gradient_clip_val"


def refuse_not_finite(values: Mapping[str, Any], file: str | Path | None, hint: str = "nothing was written") -> None:
    """`ContractError` for the first array or tensor of `values` that holds a NaN or an infinity."""
    for name, value in values.items():
        if hasattr(value, "is_floating_point"):  # a tensor; half floats have no NumPy
            kind = value.is_floating_point() or value.is_complex()
            finite = value.isfinite() if kind and value.layout is not None and not value.is_meta else None
            bad = 0 if finite is None else int(finite.numel() - finite.sum())
        else:
            array = np.asarray(value)
            bad = int((~np.isfinite(array)).sum()) if array.dtype.kind in "fc" else 0
        if bad:
            found = f"NaN or Inf in {bad} of {np.prod(value.shape, dtype=int) if hasattr(value, 'shape') else 1} values: {hint}"
            raise ContractError(file=file, field=name, expected="finite values", found=found)
