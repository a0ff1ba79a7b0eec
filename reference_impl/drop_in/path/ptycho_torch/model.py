"""The reference's module, made of the client's settings, which travel in its checkpoints."""

from __future__ import annotations

from typing import Any

from ptycho_torch import settings
from reference_impl.training.hyperparameters import plain
from reference_impl.training.lightning_module import PtychoLightningModule


class PtychoPINN_Lightning(PtychoLightningModule):
    """`load_from_checkpoint` needs nothing but the file; the client hands over again what it read there."""

    def __init__(self, model_config: Any, data_config: Any, training_config: Any, inference_config: Any) -> None:
        sent = {"data_config": data_config, "model_config": model_config}
        own = settings.own({**sent, "training_config": training_config, "inference_config": inference_config})
        sides = settings.translate(**own)
        super().__init__(sides.model, sides.data, sides.training, sides.inference)
        self.save_hyperparameters({name: plain(config) for name, config in own.items()})
