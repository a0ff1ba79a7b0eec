"""Configuration: canonical objects, the flat registry, the torch side, the bridge between them, and the factory."""

from __future__ import annotations

from reference_impl.config.canonical import (
    ARCHIVE_NAME,
    SUPPORTED_SIZES,
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
    declare_architecture,
    known_architectures,
    load_yaml_config,
    validate_inference_config,
    validate_model_config,
    validate_training_config,
)
from reference_impl.config.registry import (
    cfg,
    dataclass_to_legacy_dict,
    defaults,
    derived,
    get,
    params,
    populate_legacy_params,
    reset,
    update_legacy_dict,
    validate,
)
from reference_impl.config.torch_side import TorchDataConfig, TorchInferenceConfig, TorchModelConfig, TorchTrainingConfig

__all__ = [
    "ARCHIVE_NAME",
    "SUPPORTED_SIZES",
    "InferenceConfig",
    "ModelConfig",
    "TorchDataConfig",
    "TorchInferenceConfig",
    "TorchModelConfig",
    "TorchTrainingConfig",
    "TrainingConfig",
    "cfg",
    "dataclass_to_legacy_dict",
    "declare_architecture",
    "defaults",
    "derived",
    "get",
    "known_architectures",
    "load_yaml_config",
    "params",
    "populate_legacy_params",
    "reset",
    "update_legacy_dict",
    "validate",
    "validate_inference_config",
    "validate_model_config",
    "validate_training_config",
]
