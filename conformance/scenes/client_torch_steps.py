"""The client's calls of the other library, as steps of `client_steps`; imported by it alone."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from client_told import Answer, error_of


def _settings(job: Answer) -> tuple[Answer, Answer]:
    """The client's configurations of the other library, and what each was made of."""
    from ptycho_torch import config_params

    sent = {name: {key: tuple(v) if isinstance(v, list) else v for key, v in job[name].items()} for name in job["kinds"]}
    return {name: getattr(config_params, kind)(**sent[name]) for name, kind in job["kinds"].items()}, sent


def torch_refuse(job: Answer, folder: Path) -> Answer:
    """The errors of the other library for input that cannot be worked with."""
    from ptycho_torch.api.base_api import ConfigManager, DataloaderFormats, PtychoDataLoader, PtychoModel

    own, _ = _settings(job)
    own["training_config"].n_devices = 1
    told = {"config_manager": ConfigManager(**own), "data_format": DataloaderFormats("lightning_only_module")}

    def opened(name: str) -> Callable[[], Any]:
        return lambda: PtychoDataLoader(data_dir=folder / name, output_dir=folder / "output_refused", **told)

    calls = {name: opened(name) for name in ("empty", "no_probe", "few_positions")}
    calls |= {
        name: lambda name=name: PtychoModel._extract_configs_from_checkpoint(str(folder / "broken" / name))
        for name in ("nowhere.ckpt", "cut_off.ckpt")
    }
    return {"errors": {name: error_of(call) for name, call in calls.items()}}


def torch_train(job: Answer, folder: Path) -> Answer:
    """The other library: settings, data of a folder, a training with the client's own callback, the best checkpoint."""
    from lightning.pytorch.callbacks import Callback
    from ptycho_torch import config_params
    from ptycho_torch.api.base_api import ConfigManager, DataloaderFormats, PtychoDataLoader, PtychoModel, Trainer
    from ptycho_torch.lightning_utils import find_best_checkpoint
    from ptycho_torch.model import PtychoPINN_Lightning

    own, sent = _settings(job)
    own = pickle.loads(pickle.dumps(own | {"datagen_config": config_params.DatagenConfig()}))
    kept = {name: all(getattr(own[name], key) == value for key, value in sent[name].items()) for name in sent}
    own["training_config"].n_devices = 1  # the client sets what it finds
    configs = ConfigManager(**own)
    seen: Answer = {"train": [], "val": [], "kept": kept, "devices": own["training_config"].n_devices}

    class Collector(Callback):
        """Losses as Lightning shows them."""

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            seen["train"] += [float(trainer.callback_metrics[module.loss_name])]

        def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
            if not trainer.sanity_checking:
                seen["val"] += [float(trainer.callback_metrics[module.val_loss_name])]

    loader = PtychoDataLoader(
        data_dir=folder / "alone [1]",
        config_manager=configs,
        data_format=DataloaderFormats("lightning_only_module"),
        output_dir=folder / "output_torch [1]",
    )
    model = PtychoModel._new_model(model=PtychoPINN_Lightning, config_manager=configs)
    trainer = Trainer._from_lightning(model=model, dataloader=loader, orchestration="lightning", config_manager=configs)
    trainer._trainer.callbacks.append(Callback())
    trainer._trainer.callbacks.append(Collector())
    trainer.train(orchestration="lightning", experiment_name="")
    best = find_best_checkpoint(Path(loader.output_dir))
    left = sorted(str(path) for path in Path().rglob("*"))
    return seen | {"checkpoint": None if best is None else str(best), "left_behind": left}


def torch_reconstruct(job: Answer, folder: Path) -> Answer:
    """Open the checkpoint with nothing but itself, predict and stitch a scan in memory."""
    from ptycho_torch.api.base_api import ConfigManager, InferenceEngine, PtychoDataLoader, PtychoModel
    from ptycho_torch.model import PtychoPINN_Lightning

    names = ("data_config", "model_config", "training_config", "inference_config")
    own = dict(zip(names, PtychoModel._extract_configs_from_checkpoint(job["checkpoint"]), strict=True))
    if any(config is None for config in own.values()):
        return {"missing": [name for name, config in own.items() if config is None]}
    model = PtychoModel(**own)
    model.model = PtychoPINN_Lightning.load_from_checkpoint(Path(job["checkpoint"]), **own)
    configs = ConfigManager.from_loaded_model(model)
    configs.validate_arch_compatibility(model)
    scan = dict(np.load(folder / "scan.npz"))
    scan["positions"] = np.column_stack((scan["ycoords"], scan["xcoords"]))
    given = {name: array.copy() for name, array in scan.items()}

    def fresh() -> Any:
        return InferenceEngine(config_manager=configs, ptycho_model=model)

    def seen(probe: np.ndarray, size: float = 1.0, by: Any = None, rows: slice = slice(None)) -> np.ndarray:
        places = scan["positions"][rows] if size == 1 else scan["positions"] * size
        told = {"diff_patterns": scan["diff3d"][rows], "positions": places}
        loader = PtychoDataLoader.from_np(probe=probe, config_manager=configs, **told)
        return np.array((by or fresh()).predict_and_stitch(loader))

    light = scan["probeGuess"]
    two = np.concatenate([light, np.roll(light, (9, -6), axis=(-2, -1))])
    used, part = fresh(), slice(0, 5)
    shown = {"image": seen(light, by=used), "less": seen(light, 1 - 2.0**-40), "two": seen(two), "swapped": seen(two[::-1])}
    scan["positions"] = given["positions"] = given["positions"] + (3, 8)
    shown["moved"] = seen(light, rows=part)
    shown |= {"used": seen(light, by=used, rows=part), "fresh": seen(light, rows=part)}
    np.savez(folder / "torch_reconstruct.npz", **shown)
    told = {name: {key: getattr(own[name], key) for key in keys} for name, keys in job["told"].items()}
    changed = [name for name, array in given.items() if not np.array_equal(scan[name], array)]
    return {"missing": [], "mode": configs.model_config.mode, "told": told, "changed": changed}


TORCH_STEPS = (torch_refuse, torch_train, torch_reconstruct)
