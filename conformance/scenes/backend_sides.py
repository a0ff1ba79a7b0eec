"""What the backend-side objects of a payload say. In which of them a setting stands CONFIG-063 says of the channels alone."""

from __future__ import annotations

from typing import Any

PARTS = ("pt_data_config", "pt_model_config", "pt_training_config", "pt_inference_config")


def said(payload: Any, *names: str, otherwise: Any = None) -> Any:
    """The value of the first object that has one of these names; `otherwise` where none has: silence contradicts nobody."""
    parts = [getattr(payload, part, None) for part in PARTS]
    return next((getattr(part, name) for part in parts for name in names if hasattr(part, name)), otherwise)


def photons(payload: Any) -> float:
    """The photon number of a training payload, by the backend-side objects where they have it."""
    return float(said(payload, "nphotons", otherwise=payload.tf_training_config.nphotons))
