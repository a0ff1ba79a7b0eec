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
from client_calls import (  # the folder of this file is on the path
    changed_by_placing,
    contained,
    exposures,
    forms,
    image_of,
    record_of,
    together,
)
from client_told import Answer, error_of, told_by
from client_torch_steps import TORCH_STEPS

BRIGHTER = 3
"""By how much the images that are kept are brighter than the object, whose amplitude is at most 1."""
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
        config.model.N = scene["N"]
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
    _, _, earlier = run_cdi_example(test, record, config)
    ptycho.model_manager.save(folder / "before" / "of another run")
    amplitude, phase, results = run_cdi_example(record, test, config)
    error_of(lambda: run_cdi_example(None, None, config))  # nothing to train on: the model that is there stays
    output = folder / "output"
    ptycho.params.cfg.update(job["elsewhere"])  # what another configuration has left there
    ptycho.model_manager.save(output)
    saved = [(place / "wts.h5.zip").read_bytes() for place in (folder / "before" / "of another run", output)]
    save_outputs(amplitude, phase, results, str(output))
    shown, kept = BRIGHTER * np.load(folder / "scan.npz")["objectGuess"], str(folder / "outputs" / "of this run")
    save = lambda image, told: save_outputs(np.abs(image), np.angle(image), told, kept)  # noqa: E731
    refused = error_of(lambda: (save(shown.T, earlier), save(shown, results)))["message"]
    container = contained(RawData.from_file(folder / "train_data.npz"), shape[-1], job)
    patterns = {"X": np.asarray(container.X), "offsets": np.asarray(container.global_offsets, dtype=np.float64)}
    patterns["probe"] = np.asarray(record.probeGuess)
    np.savez(folder / "train.npz", counts=np.load(folder / "train_data.npz")["diff3d"], **patterns)
    left = sorted(str(path.relative_to(folder)) for path in Path.cwd().rglob("*"))
    told = {"shape": shape, "left_behind": left, "renewed": saved[0] != saved[1]}
    return told | {"kept": refused, "results": told_by(results)}


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
    record = record_of(scan, scan["xcoords"], scan["ycoords"])
    ptycho.probe.set_probe_guess(None, record.probeGuess)
    container = contained(record, config.model.N, job)
    scale = ptycho.params.get("intensity_scale")
    patches = np.asarray(model.predict([container.X * scale, container.local_offsets]))
    before = patches.copy()
    image = np.squeeze(ptycho.tf_helper.reassemble_position(patches, container.global_offsets, M=20))
    X = np.asarray(container.X)
    placed = image_of(container, scan, "patches", patches)
    narrow = image_of(container, scan, "patches", patches, job["narrow"])
    edge = contained(record_of(scan, scan["edge_x"], scan["edge_y"]), config.model.N, job)
    corners = image_of(edge, scan, "edge_patches", patches)
    offsets = np.asarray(container.global_offsets, dtype=np.float64)
    shown = {"image": image, "placed": placed, "narrow": narrow, "corners": corners}
    sloped = contained(record_of(scan, scan["slope_x"], scan["slope_y"]), config.model.N, job)
    shown["slope"] = image_of(sloped, scan, "slope_patches", patches)
    shown["odd"] = image_of(container, scan, "patches", patches, job["odd"])
    np.savez(folder / f"{job['name']}.npz", X=X, patches=patches, offsets=offsets, **shown)
    changed = [] if np.array_equal(patches, before) else ["patches"]
    changed += changed_by_placing(container, scan) if X.shape[-1] == 1 else []
    unknown = error_of(lambda: ptycho.params.get("a_key_that_nobody_set"))
    return {"scale": float(scale), "unknown": unknown, "changed": changed}


def grouped(job: Answer, folder: Path) -> Answer:
    """Case → how many groups of these arguments there are, and a digest of their positions in order."""
    import ptycho.loader
    from ptycho.raw_data import RawData

    record, seen = RawData.from_file(folder / "train_data.npz"), {}
    file = dict(np.load(folder / "train_data.npz"))
    for name, asked in job["cases"].items():
        groups = record.generate_grouped_data(record.diff3d.shape[-1], **asked)
        container = ptycho.loader.load(lambda groups=groups: groups, record.probeGuess, which=None, create_split=False)
        places = np.asarray(container.global_offsets, dtype=np.float64)
        digest = hashlib.sha256(places.tobytes()).hexdigest()[:12]
        X = np.moveaxis(np.asarray(container.X), -1, 1)
        shown = exposures(X.reshape(-1, *X.shape[2:]), file["diff3d"])
        owed = np.column_stack((file["xcoords"], file["ycoords"]))[shown]
        by_group = (points.reshape(len(X), -1, 2).tolist() for points in (places, owed))
        both = [[sorted(group) for group in groups] for groups in by_group]
        seen[name] = {"X": list(np.shape(container.X)), "places": digest, "at": both}
    return seen


def refuse(job: Answer, folder: Path) -> Answer:
    """The errors of input that cannot be worked with, and what of the registry is another afterwards."""
    import ptycho.params
    from ptycho.raw_data import RawData
    from ptycho.workflows.components import load_inference_bundle

    scan = np.load(folder / "scan.npz")
    calls: dict[str, Callable[[], Any]] = {
        "no-file": lambda: RawData.from_file(folder / "nowhere.npz"),
        "no-probe": lambda: RawData.from_file(folder / "no_probe.npz"),
        "few-positions": lambda: RawData.from_file(folder / "few_positions.npz"),
        "no-bundle": lambda: load_inference_bundle(folder / "empty"),
        "broken-bundle": lambda: load_inference_bundle(folder / "broken"),
        "few-in-memory": lambda: record_of(scan, scan["xcoords"][:5], scan["ycoords"][:5]),
    }
    before = dict(ptycho.params.cfg)
    errors = {name: error_of(call) for name, call in calls.items()}
    after = dict(ptycho.params.cfg)
    return {"errors": errors, "changed": [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]}


STEPS = (found, configure, settle, train, reconstruct, together, grouped, forms, refuse, doors)


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
    answered(Path(sys.argv[1]), (*STEPS, *TORCH_STEPS))
