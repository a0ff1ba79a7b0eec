"""Configuration: canonical objects, the flat registry, the torch side, the bridge between them, and the factory."""

from __future__ import annotations

from reference_impl.config.bridge import to_inference_config, to_model_config, to_training_config, torch_side_of
from reference_impl.config.canonical import (
    ARCHIVE_NAME,
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
    load_yaml_config,
    validate,
    validate_inference_config,
    validate_model_config,
    validate_training_config,
)
from reference_impl.config.factory import (
    InferencePayload,
    TrainingPayload,
    create_inference_payload,
    create_training_payload,
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
)
from reference_impl.config.torch_side import TorchDataConfig, TorchInferenceConfig, TorchModelConfig, TorchTrainingConfig
from reference_impl.domains.architectures import declare_architecture, known_architectures
from reference_impl.domains.fields import SUPPORTED_SIZES

__all__ = [
    "ARCHIVE_NAME",
    "SUPPORTED_SIZES",
    "InferenceConfig",
    "InferencePayload",
    "ModelConfig",
    "TorchDataConfig",
    "TorchInferenceConfig",
    "TorchModelConfig",
    "TorchTrainingConfig",
    "TrainingConfig",
    "TrainingPayload",
    "cfg",
    "create_inference_payload",
    "create_training_payload",
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
    "to_inference_config",
    "to_model_config",
    "to_training_config",
    "torch_side_of",
    "update_legacy_dict",
    "validate",
    "validate_inference_config",
    "validate_model_config",
    "validate_training_config",
]
