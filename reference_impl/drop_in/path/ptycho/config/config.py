"""The canonical configuration objects, changeable: the client learns N from its data and sets it afterwards."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from reference_impl.config import canonical, registry

InferenceConfig = canonical.InferenceConfig


class ModelConfig(canonical.ModelConfig):
    """As the canonical one (CONFIG-010), with fields that may be set after construction."""

    __setattr__ = object.__setattr__
    __hash__ = None


@dataclass
class TrainingConfig(canonical.TrainingConfig):
    """As the canonical one, but that `n_groups` None means a group for each exposure: the client has no setting for it.

    The default of `nphotons` is the client's own.
    """

    nphotons: float = 1e6

    def __post_init__(self) -> None:
        stated = self.n_images if self.n_groups is None else self.n_groups
        super().__post_init__()
        self.n_groups = stated


def settled(config: Any, exposures: int | None = None) -> Any:
    """The canonical configuration that says the same, for this backend; `exposures` stands in for a number of groups."""
    kind = canonical.TrainingConfig if isinstance(config, canonical.TrainingConfig) else canonical.InferenceConfig
    values = {name: getattr(config, name) for name in canonical.field_names(kind)}
    model = {name: getattr(config.model, name) for name in canonical.field_names(canonical.ModelConfig)}
    groups = exposures if config.n_groups is None else config.n_groups
    if "torch_loss_mode" in values and config.model.model_type == "supervised":
        values["torch_loss_mode"] = "mae"  # labels have one distance (LOSS-013), and the client no setting for it
    return kind(**{**values, "model": canonical.ModelConfig(**model), "backend": "pytorch", "n_images": None, "n_groups": groups})


def update_legacy_dict(dictionary: MutableMapping[str, Any], config: Any) -> None:
    """Write a configuration of this module into a registry, in place (CONFIG-002)."""
    flat = config if isinstance(config, canonical.ModelConfig) else settled(config)
    registry.update_legacy_dict(dictionary, flat)
