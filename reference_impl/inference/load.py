"""Opening a bundle for inference (INFER-001)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reference_impl.policy import require_torch

require_torch()

from torch import nn  # noqa: E402

from reference_impl.bundle import load_torch_bundle  # noqa: E402
from reference_impl.config import ARCHIVE_NAME  # noqa: E402


def load_inference_bundle_torch(
    bundle_dir: str | Path, model_name: str = "diffraction_to_obj"
) -> tuple[dict[str, nn.Module], dict[str, Any]]:
    """Both models and the parameters of `<bundle_dir>/wts.h5.zip`; `{"models": models}` serves as results of a training.

    Raises `KeyError` where the bundle has no `model_name` (DISPATCH-006), and what `load_torch_bundle` raises.
    """
    models, params = load_torch_bundle(Path(bundle_dir) / ARCHIVE_NAME.removesuffix(".zip"), model_name)
    if model_name not in models:
        raise KeyError(f"{bundle_dir}: model_name: expected one of {sorted(models)}, found {model_name!r}")
    return models, params
