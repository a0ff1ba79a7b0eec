"""The dual-model archive `wts.h5.zip`: written whole or not at all, read without running anything that stands in it."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.bundle.archive import load_torch_bundle, save_torch_bundle  # noqa: E402

__all__ = ["load_torch_bundle", "save_torch_bundle"]
