"""Many short trainings of the client in one process: what differs between them, and what came of each.

    python client_cases.py question.json

As with `client_steps`, NumPy and the backend alone are imported. A case that is refused leaves the error's message.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from client_steps import Answer, answered, error_of  # the folder of this file is on the path of its process


def settings_cases(job: Answer, folder: Path) -> Answer:
    """Case → what a model of these settings and files predicts for the scan, as a digest; or how it is refused."""
    return {name: _seen(lambda case=case: _trained(job | case, folder)) for name, case in job["cases"].items()}


def other_cases(job: Answer, folder: Path) -> Answer:
    """Case → losses of each epoch and the image of the scan with the other library; or how it is refused."""
    return {name: _seen(lambda case=case: _other_trained(job, case, folder)) for name, case in job["cases"].items()}


def _seen(look: Callable[[], Any]) -> Answer:
    found: list[Any] = []
    error = error_of(lambda: found.append(look()))
    return {"seen": found[0] if found else None, "refusal": error["message"], "kinds": error["kinds"]}


def _digest(array: Any) -> str:
    found = np.ascontiguousarray(array)
    return f"{found.dtype} {found.shape} {hashlib.sha256(found.tobytes()).hexdigest()[:12]}"


def _trained(case: Answer, folder: Path) -> Answer:
    import ptycho.loader
    import ptycho.model_manager
    import ptycho.params
    import ptycho.probe
    from ptycho.config.config import ModelConfig, TrainingConfig, update_legacy_dict
    from ptycho.raw_data import RawData
    from ptycho.workflows.components import load_inference_bundle, run_cdi_example

    record, test = (RawData.from_file(folder / case[name]) for name in ("train", "test"))
    paths = {"train_data_file": Path(), "test_data_file": None, "output_dir": Path()}
    config = TrainingConfig(model=ModelConfig(N=record.diff3d.shape[-1], **case["model"]), **paths, **case["training"])
    update_legacy_dict(ptycho.params.cfg, config)
    run_cdi_example(record, test, config)
    place = folder / f"case_{os.getpid()}"
    ptycho.model_manager.save(place)
    model, _ = load_inference_bundle(place)
    view = RawData.from_file(folder / case["view"])
    grouping = {"K": case["neighbours"], "nsamples": case["samples"], "gridsize": case["model"]["gridsize"], "seed": 1}
    groups = view.generate_grouped_data(config.model.N, **grouping)
    ptycho.probe.set_probe_guess(None, view.probeGuess)
    container = ptycho.loader.load(lambda: groups, view.probeGuess, which=None, create_split=False)
    scale = ptycho.params.get("intensity_scale")
    inputs = [np.asarray(container.X) * scale, np.asarray(container.local_offsets)]
    patches = np.asarray(model.predict(inputs))
    seen = {"patches": _digest(patches), "rows": [len(patches), int(np.size(container.global_offsets)) // 2]}
    if not case.get("turned"):
        return seen
    turned = np.asarray(model.predict([np.ascontiguousarray(array[::-1]) for array in inputs]))
    groups, back = (array.reshape(len(container.X), -1, *array.shape[1:]) for array in (patches, turned))
    far = np.abs(groups - back[::-1]).max() / np.abs(groups).max()
    return seen | {"far once groups are turned": float(far)}


def _other_trained(job: Answer, case: Answer, folder: Path) -> Answer:
    from lightning.pytorch.callbacks import Callback
    from ptycho_torch.api.base_api import DataloaderFormats, InferenceEngine, PtychoDataLoader, PtychoModel, Trainer
    from ptycho_torch.lightning_utils import find_best_checkpoint
    from ptycho_torch.model import PtychoPINN_Lightning

    seen: Answer = {"train": [], "val": [], "weights": []}

    class Collector(Callback):
        """Losses, and the weights as they are after each epoch."""

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            seen["train"] += [float(trainer.callback_metrics[module.loss_name])]
            seen["weights"] += [_weights(module)]

        def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
            if not trainer.sanity_checking:
                seen["val"] += [float(trainer.callback_metrics[module.val_loss_name])]

    configs = _configs(job, case)
    place = {"data_dir": folder / case["files"], "output_dir": folder / case["name"]}
    loader = PtychoDataLoader(config_manager=configs, data_format=DataloaderFormats("lightning_only_module"), **place)
    model = PtychoModel._new_model(model=PtychoPINN_Lightning, config_manager=configs)
    trainer = Trainer._from_lightning(model=model, dataloader=loader, orchestration="lightning", config_manager=configs)
    trainer._trainer.callbacks.append(Collector())
    trainer.train(orchestration="lightning", experiment_name="")
    scan = np.load(folder / "scan.npz")
    told = {"diff_patterns": scan["diff3d"], "probe": scan["probeGuess"], "config_manager": configs}
    positions = np.column_stack((scan["ycoords"], scan["xcoords"]))
    view = PtychoDataLoader.from_np(positions=positions, **told)
    image = InferenceEngine(config_manager=configs, ptycho_model=model).predict_and_stitch(view)
    best = find_best_checkpoint(Path(loader.output_dir))
    own = configs.__dict__
    kept = PtychoPINN_Lightning.load_from_checkpoint(best, **{name: own[name] for name in job["kinds"]})
    return seen | {"image": _digest(image), "best": _weights(kept)}


def _configs(job: Answer, case: Answer) -> Any:
    from ptycho_torch import config_params
    from ptycho_torch.api.base_api import ConfigManager

    stated = {name: job["settings"][name] | case["settings"].get(name, {}) for name in job["kinds"]}
    sent = {name: {key: tuple(v) if isinstance(v, list) else v for key, v in stated[name].items()} for name in stated}
    own = {name: getattr(config_params, kind)(**sent[name]) for name, kind in job["kinds"].items()}
    return ConfigManager(**pickle.loads(pickle.dumps(own | {"datagen_config": config_params.DatagenConfig()})))


def _weights(module: Any) -> str:
    state = sorted((name, value.detach().cpu().numpy()) for name, value in module.state_dict().items())
    whole = b"".join(name.encode() + np.ascontiguousarray(array).tobytes() for name, array in state)
    return hashlib.sha256(whole).hexdigest()[:12]


if __name__ == "__main__":
    answered(Path(sys.argv[1]), (settings_cases, other_cases))
