"""Settings, data, model, trainer and inference as the client drives them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from ptycho_torch import samples, settings
from ptycho_torch.config_params import DataConfig, DatagenConfig, InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.batch.loaders import build_loaders
from reference_impl.drop_in.canvas import on_object
from reference_impl.inference import absolute_offsets, agreed, predict_patches
from reference_impl.training.checkpoints import read_checkpoint
from reference_impl.training.overrides import Run
from reference_impl.training.trainer import fit


class DataloaderFormats(Enum):
    """Where loaders come from: the reference knows one way."""

    lightning_module = "lightning_only_module"


@dataclass
class ConfigManager:
    """The client's settings, side by side."""

    data_config: DataConfig
    model_config: ModelConfig
    training_config: TrainingConfig
    inference_config: InferenceConfig
    datagen_config: DatagenConfig | None = None

    @classmethod
    def from_loaded_model(cls, ptycho_model: PtychoModel) -> ConfigManager:
        """The settings that a model was made with."""
        return cls(**{name: getattr(ptycho_model, name) for name in settings.KINDS})

    def validate_arch_compatibility(self, ptycho_model: PtychoModel) -> None:
        """Raise `ContractError` where these settings describe other weights than the model has."""
        settings.refuse_other_shape(self.sides(), ptycho_model.model)

    def own(self) -> dict[str, Any]:
        """The four configurations by name."""
        return {name: getattr(self, name) for name in settings.KINDS}

    def sides(self) -> settings.Sides:
        """The reference's own settings."""
        return settings.translate(**self.own())


class PtychoModel:
    """A module with the settings that it was made with; `model` is the Lightning module, None until one is set."""

    def __init__(self, model_config: Any, data_config: Any, training_config: Any, inference_config: Any) -> None:
        self.model_config, self.data_config = model_config, data_config
        self.training_config, self.inference_config = training_config, inference_config
        self.model: Any = None

    @classmethod
    def _new_model(cls, model: type, config_manager: ConfigManager) -> PtychoModel:
        """A fresh model of the class `model`, its weights drawn with seed 42."""
        made = cls(**config_manager.own())
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(samples.SEED)
            made.model = model(**config_manager.own())
        return made

    @staticmethod
    def _extract_configs_from_checkpoint(path: str) -> tuple[Any, Any, Any, Any]:
        """Data, model, training and inference settings of a checkpoint; tensors and plain values only are read."""
        kept = read_checkpoint(path)["hyper_parameters"]
        own = settings.own(kept) if set(settings.KINDS) <= set(kept) else dict.fromkeys(settings.KINDS)
        return own["data_config"], own["model_config"], own["training_config"], own["inference_config"]


class PtychoDataLoader:
    """Training data of a folder, or patterns in memory; `output_dir` is the folder of this run."""

    def __init__(
        self,
        data_dir: str | Path,
        config_manager: ConfigManager,
        data_format: DataloaderFormats = DataloaderFormats.lightning_module,
        output_dir: str | Path = ".",
    ) -> None:
        self.train, self.validation = samples.training_containers(Path(data_dir), config_manager.data_config, config_manager)
        self.output_dir = str(Path(output_dir) / f"run_{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")

    @classmethod
    def from_np(
        cls, diff_patterns: np.ndarray, probe: np.ndarray, positions: np.ndarray, config_manager: ConfigManager
    ) -> PtychoDataLoader:
        """Counts `(n, N, N)`, probe `(P, N, N)`, positions `(n, 2)` **[y, x]** in object pixels, for an inference."""
        made = cls.__new__(cls)
        made.container, made.shape = samples.inference_container(diff_patterns, probe, positions, config_manager.data_config)
        return made


class Trainer:
    """One training; callbacks that are appended to `_trainer.callbacks` are called by Lightning's own trainer."""

    def __init__(self, model: PtychoModel, dataloader: PtychoDataLoader, config_manager: ConfigManager) -> None:
        self._model, self._data, self._configs = model, dataloader, config_manager
        self._trainer = SimpleNamespace(callbacks=[])

    @classmethod
    def _from_lightning(
        cls, model: PtychoModel, dataloader: PtychoDataLoader, orchestration: str, config_manager: ConfigManager
    ) -> Trainer:
        return cls(model, dataloader, config_manager)

    def train(self, orchestration: str = "lightning", experiment_name: str = "") -> None:
        """Fit the model in place; checkpoints and metrics lie in the run's folder. Raises `RuntimeError`, `ContractError`."""
        sides = self._configs.sides()
        data = self._data
        config = sides.canonical(
            n_groups=len(data.train), nphotons=data.train.nphotons, train_data_file=Path(), output_dir=Path(data.output_dir)
        )
        loaders = build_loaders(data.train, data.validation, config, sides.execution)
        fit(self._model.model, *loaders, Run(config, sides.execution), self._trainer.callbacks)


class InferenceEngine:
    """A trained model on new patterns."""

    def __init__(self, config_manager: ConfigManager, ptycho_model: PtychoModel) -> None:
        self._configs, self._model = config_manager, ptycho_model

    def predict_and_stitch(self, data_loader: PtychoDataLoader) -> np.ndarray:
        """`(H, W)` complex64 on the client's object grid; overlaps weighted by the probe's intensity, or all alike.

        Where patches fit better with one phase each, agreed over their overlaps, they are turned first.
        """
        container, inference = data_loader.container, self._configs.inference_config
        sides = self._configs.sides()
        config = sides.canonical(n_groups=len(container), nphotons=container.nphotons, train_data_file=Path())
        patches = predict_patches(self._model.model, container, config, sides.execution)
        weights = samples.weights_of(container.probe.numpy(), inference.patch_weighting)
        offsets, M = absolute_offsets(container), inference.middle_trim
        return on_object(agreed(patches, offsets, M, weights), offsets, M, data_loader.shape, weights)
