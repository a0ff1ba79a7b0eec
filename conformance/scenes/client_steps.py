"""The client's calls, in a process that has the backend's packages on its path and nothing of the harness.

    python client_steps.py question.json

`question.json` names steps with what they need, and the folder to work in; the file that it calls `answer` and `<step>.npz` hold
what was seen. A step that fails leaves its error there. NumPy and the backend alone are imported.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import pickle
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from client_told import Answer, error_of, told_by  # the folder of this file is on the path of its process

NUMERIC = ("torch", "tensorflow", "jax")


def found(job: Answer, folder: Path) -> Answer:
    """Which of the packages are found, and which of the modules can be imported, each with all the names that are used."""
    packages = {name: find_spec(name) is not None for name in job["packages"]}
    missing = []
    for module, names in job["modules"].items():
        try:
            loaded = importlib.import_module(module)
        except ImportError as error:
            missing.append(f"{module}: {error}")
        else:
            missing += [f"{module}.{name}" for name in names if not hasattr(loaded, name)]
    return {"packages": packages, "missing": missing}


def configure(job: Answer, folder: Path) -> Answer:
    """Both configurations from the settings, pickled for the processes that work; the patch side is not known yet."""
    from ptycho.config.config import InferenceConfig, ModelConfig, TrainingConfig

    model, training = job["model"], job["training"]
    paths = {"train_data_file": Path(), "test_data_file": None, "output_dir": Path()}
    config = TrainingConfig(model=ModelConfig(N=0, **model), **paths, **training)
    places = {"model_path": Path(), "test_data_file": Path(), "output_dir": Path()}
    inference = InferenceConfig(model=ModelConfig(N=job["N"], **model), debug=False, **places)
    (folder / "training.pickle").write_bytes(pickle.dumps(config))
    (folder / "inference.pickle").write_bytes(pickle.dumps(inference))
    return {"numeric": [name for name in NUMERIC if name in sys.modules]}


def settle(job: Answer, folder: Path) -> Answer:
    """The child's first lines: the side that the data have, and the registry."""
    import ptycho.params
    from ptycho.config.config import update_legacy_dict

    config = pickle.loads((folder / "training.pickle").read_bytes())
    config.model.N = job["N"]
    update_legacy_dict(ptycho.params.cfg, config)
    return {"registry": {key: ptycho.params.cfg[key] for key in job["registry"] if key in ptycho.params.cfg}}


def doors(job: Answer, folder: Path) -> Answer:
    """The registry that each of several configurations leaves, over what stands in `before`; the data say the side."""
    import ptycho.params
    from ptycho.config.config import ModelConfig, TrainingConfig, update_legacy_dict

    found = []
    for scene in job["scenes"]:
        paths = {"train_data_file": Path(), "test_data_file": None, "output_dir": Path()}
        config = TrainingConfig(model=ModelConfig(N=0, **scene["model"]), **paths, **scene["training"])
        config = pickle.loads(pickle.dumps(config))
        config.model.N = job["N"]
        ptycho.params.cfg.update(scene["before"])
        update_legacy_dict(ptycho.params.cfg, config)
        found.append({key: ptycho.params.cfg.get(key) for key in scene["before"]})
    return {"registries": found}


def train(job: Answer, folder: Path) -> Answer:
    """Read what was exported, train, save."""
    import ptycho.model_manager
    import ptycho.params
    from ptycho.config.config import update_legacy_dict
    from ptycho.raw_data import RawData
    from ptycho.workflows.components import run_cdi_example, save_outputs

    config = pickle.loads((folder / "training.pickle").read_bytes())
    test, record = (RawData.from_file(folder / f"{name}_data.npz") for name in ("test", "train"))
    shape = [int(side) for side in record.diff3d.shape]
    config.model.N = shape[-1]
    update_legacy_dict(ptycho.params.cfg, config)
    run_cdi_example(test, record, config)
    ptycho.model_manager.save(folder / "before" / "of another run")
    amplitude, phase, results = run_cdi_example(record, test, config)
    output = folder / "output"
    ptycho.params.cfg.update(job["elsewhere"])  # what another configuration has left there
    ptycho.model_manager.save(output)
    saved = [(place / "wts.h5.zip").read_bytes() for place in (folder / "before" / "of another run", output)]
    save_outputs(amplitude, phase, results, str(output))
    shown, kept = np.load(folder / "scan.npz")["objectGuess"], str(folder / "outputs" / "of this run")
    refused = error_of(lambda: save_outputs(np.abs(shown), np.angle(shown), results, kept))["message"]
    patterns = _container(RawData.from_file(folder / "train_data.npz"), shape[-1], job).X
    np.savez(folder / "train.npz", X=np.asarray(patterns), counts=np.load(folder / "train_data.npz")["diff3d"])
    left = sorted(str(path.relative_to(folder)) for path in Path.cwd().rglob("*"))
    told = {"shape": shape, "left_behind": left, "renewed": saved[0] != saved[1]}
    return told | {"kept": refused, "results": told_by(results)}


def _container(record: Any, N: int, job: Answer) -> Any:
    import ptycho.loader

    groups = record.generate_grouped_data(N, K=job["neighbours"], nsamples=job["samples"], gridsize=job["gridsize"])
    return ptycho.loader.load(lambda: groups, record.probeGuess, which=None, create_split=False)


def reconstruct(job: Answer, folder: Path) -> Answer:
    """Open the model, predict the patches of a scan in memory, place them on the object; then place known patches."""
    import ptycho.params
    import ptycho.probe
    import ptycho.tf_helper
    from ptycho.config.config import update_legacy_dict
    from ptycho.workflows.components import load_inference_bundle

    config = pickle.loads((folder / "inference.pickle").read_bytes())
    update_legacy_dict(ptycho.params.cfg, config)
    model, _ = load_inference_bundle(folder / job["bundle"])
    scan = np.load(folder / "scan.npz")
    record = _in_memory(scan, scan["xcoords"], scan["ycoords"])
    ptycho.probe.set_probe_guess(None, record.probeGuess)
    container = _container(record, config.model.N, job)
    scale = ptycho.params.get("intensity_scale")
    patches = np.asarray(model.predict([container.X * scale, container.local_offsets]))
    image = np.squeeze(ptycho.tf_helper.reassemble_position(patches, container.global_offsets, M=20))
    X = np.asarray(container.X)
    placed = _placed(container, scan, "patches", patches)
    narrow = _placed(container, scan, "patches", patches, job["narrow"])
    edge = _container(_in_memory(scan, scan["edge_x"], scan["edge_y"]), config.model.N, job)
    corners = _placed(edge, scan, "edge_patches", patches)
    offsets = np.asarray(container.global_offsets, dtype=np.float64)
    shown = {"image": image, "placed": placed, "narrow": narrow, "corners": corners}
    np.savez(folder / f"{job['name']}.npz", X=X, patches=patches, offsets=offsets, **shown)
    return {"scale": float(scale), "unknown": error_of(lambda: ptycho.params.get("a_key_that_nobody_set"))}


def _in_memory(scan: Any, x: np.ndarray, y: np.ndarray) -> Any:
    from ptycho.raw_data import RawData

    parts = {name: scan[name] for name in ("diff3d", "probeGuess", "objectGuess")}
    return RawData.from_coords_without_pc(xcoords=x, ycoords=y, scan_index=np.zeros(len(x), dtype=int), **parts)


def _placed(container: Any, scan: Any, name: str, instead: np.ndarray, M: int = 20) -> np.ndarray:
    """The image of known patches `name`, `M` central pixels of each at their places; of `instead` in groups of several."""
    import ptycho.tf_helper

    X = np.asarray(container.X)
    known = scan[name][_exposures(X, scan["diff3d"])][..., None] if X.shape[-1] == 1 else instead
    return np.squeeze(ptycho.tf_helper.reassemble_position(known, container.global_offsets, M=M))


def _exposures(X: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Which exposure each group holds: the one whose pattern is most like it."""
    groups, patterns = (np.asarray(array, np.float64).reshape(len(array), -1) for array in (X, counts))
    groups, patterns = (a / np.linalg.norm(a, axis=1, keepdims=True) for a in (groups, np.sqrt(patterns)))
    return np.argmax(groups @ patterns.T, axis=1)


def grouped(job: Answer, folder: Path) -> Answer:
    """Case → how many groups of these arguments there are, and a digest of their positions in order."""
    import ptycho.loader
    from ptycho.raw_data import RawData

    record, seen = RawData.from_file(folder / "train_data.npz"), {}
    for name, asked in job["cases"].items():
        groups = record.generate_grouped_data(record.diff3d.shape[-1], **asked)
        container = ptycho.loader.load(lambda groups=groups: groups, record.probeGuess, which=None, create_split=False)
        places = np.asarray(container.global_offsets, dtype=np.float64)
        seen[name] = {"X": list(np.shape(container.X)), "places": hashlib.sha256(places.tobytes()).hexdigest()[:12]}
    return seen


def refuse(job: Answer, folder: Path) -> Answer:
    """The errors of input that cannot be worked with."""
    from ptycho.raw_data import RawData
    from ptycho.workflows.components import load_inference_bundle

    calls: dict[str, Callable[[], Any]] = {
        "no-file": lambda: RawData.from_file(folder / "nowhere.npz"),
        "no-probe": lambda: RawData.from_file(folder / "no_probe.npz"),
        "few-positions": lambda: RawData.from_file(folder / "few_positions.npz"),
        "no-bundle": lambda: load_inference_bundle(folder / "empty"),
        "broken-bundle": lambda: load_inference_bundle(folder / "broken"),
    }
    return {"errors": {name: error_of(call) for name, call in calls.items()}}


def torch_train(job: Answer, folder: Path) -> Answer:
    """The other library: settings, data of a folder, a training with the client's own callback, the best checkpoint."""
    from lightning.pytorch.callbacks import Callback
    from ptycho_torch import config_params
    from ptycho_torch.api.base_api import ConfigManager, DataloaderFormats, PtychoDataLoader, PtychoModel, Trainer
    from ptycho_torch.lightning_utils import find_best_checkpoint
    from ptycho_torch.model import PtychoPINN_Lightning

    sent = {name: {key: tuple(v) if isinstance(v, list) else v for key, v in job[name].items()} for name in job["kinds"]}
    own = {name: getattr(config_params, kind)(**sent[name]) for name, kind in job["kinds"].items()}
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
    trainer._trainer.callbacks.append(Collector())
    trainer.train(orchestration="lightning", experiment_name="")
    best = find_best_checkpoint(Path(loader.output_dir))
    return seen | {"checkpoint": None if best is None else str(best)}


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
    scan = np.load(folder / "scan.npz")

    def seen(probe: np.ndarray, size: float = 1.0) -> np.ndarray:
        told = {"diff_patterns": scan["diff3d"], "positions": np.column_stack((scan["ycoords"], scan["xcoords"])) * size}
        loader = PtychoDataLoader.from_np(probe=probe, config_manager=configs, **told)
        return np.asarray(InferenceEngine(config_manager=configs, ptycho_model=model).predict_and_stitch(loader))

    light = scan["probeGuess"]
    two = np.concatenate([light, np.roll(light, (9, -6), axis=(-2, -1))])
    shown = {"image": seen(light), "less": seen(light, 1 - 2.0**-40), "two": seen(two), "swapped": seen(two[::-1])}
    np.savez(folder / "torch_reconstruct.npz", **shown)
    told = {name: {key: getattr(own[name], key) for key in keys} for name, keys in job["told"].items()}
    return {"missing": [], "mode": configs.model_config.mode, "told": told}


STEPS = (found, configure, settle, train, reconstruct, grouped, refuse, doors, torch_train, torch_reconstruct)


def answered(question: Path, steps: Sequence[Callable[[Answer, Path], Answer]]) -> None:
    """Do the steps of a question, one after the other; one that fails leaves its error, and the next one is tried."""
    job = json.loads(question.read_text(encoding="utf-8"))
    folder, answers = Path(job["folder"]), {}
    os.chdir(job["cwd"])
    for name, part in job["steps"].items():
        step = next(step for step in steps if step.__name__ == part["do"])
        try:
            answers[name] = {"said": step(part, folder), "error": None, "trace": ""}
        except Exception as error:
            answers[name] = {"said": {}, "error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()[-3000:]}
    Path(job["answer"]).write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    answered(Path(sys.argv[1]), STEPS)
