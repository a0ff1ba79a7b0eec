"""Parts of PtychoPINN's PyTorch adapter: which functions a state of that line has, its physics with the settings it asks for."""

from __future__ import annotations

import importlib
import inspect
from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ptycho_torch import config_params as own
from ptycho_torch import helper
from ptycho_torch import model as network

from conformance import protocol, protocol_optional


def of(place: str) -> Any:
    """What stands at `module:name`; None where this state of the repository has no such module, or no such name in it."""
    module, _, name = place.partition(":")
    try:
        return getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise
        return None


def version() -> str:
    """Of the installed distribution; of a checkout that is only on the path, the name of its folder."""
    try:
        return metadata.version("ptychopinn")
    except metadata.PackageNotFoundError:
        return f"checkout {Path(str(own.__file__)).parents[1].name}"


MODES = {"pinn": "Unsupervised", "supervised": "Supervised"}
FACTORY = "ptycho_torch.config_factory:create_training_payload"
AREAS = ("config", "data", "grouping", "batch", "physics", "model", "loss", "training", "bundle", "inference", "dispatch", "cli")
AREAS += ("mapped", "counts", "weighted", "generators")
PROFILES = {"command": ("cli",), "run_training": ("supervised", "multimode"), "mapped": ("mmap",)}
PROFILES |= {"count_settings": ("ci",), "merge_weighted": ("varpro",), "architectures": ("generators",)}
"""A method, and what a state of the line that has it can be held to beside the core."""


def profiles(adapter: object) -> tuple[str, ...]:
    """The profiles of which this state of the line has the code."""
    return ("core", *(name for method, names in PROFILES.items() if hasattr(adapter, method) for name in names))


def surfaces(adapter: object) -> tuple[str, ...]:
    """The areas of which this state of the line has anything; what it lacks within one of them is a gap."""
    return tuple(area for area in AREAS if any(hasattr(adapter, name) for name in _methods(area)))


def _methods(area: str) -> list[str]:
    where = protocol if hasattr(protocol, area.capitalize()) else protocol_optional
    return [name for name in vars(getattr(where, area.capitalize())) if name[0] != "_"]


def offered(same: Mapping[str, str], calls: Mapping[str, str]) -> Callable[[type], type]:
    """A class decorator: methods of `same` are the functions at these places; one of `calls` is left out where there is none."""

    def keep(adapter: type) -> type:
        for method in [name for name, place in same.items() if of(place)]:
            setattr(adapter, method, staticmethod(of(same[method])))
        for method in [name for name, place in calls.items() if not of(place)]:
            delattr(adapter, method)
        return adapter

    return keep


def on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method: `function`, without gradients, with its arrays as tensors on the adapter's device."""

    def method(self: Any, *given: Any, **options: Any) -> Any:
        with torch.no_grad():
            return function(*(self.tensor(a) if isinstance(a, np.ndarray) else a for a in given), **options)

    return method


def factory(config: Any, **more: Any) -> Any:
    """The factory's settings of a canonical configuration in the factory's words, then `more`."""
    stated = vars(config) | vars(config.model) | {"max_epochs": config.nepochs, "model_type": MODES[config.model.model_type]}
    stated |= {"loss_function": "MAE"} if stated["model_type"] == "Supervised" else {}
    known = {name for kind in ("Data", "Model", "Training", "Inference") for name in vars(getattr(own, f"{kind}Config")())}
    known |= {"gridsize", "max_epochs", "neighbor_count", "model_type"}  # the factory's own words beside the fields
    stated = {name: value for name, value in stated.items() if value is not None and name in known}
    return of(FACTORY)(Path(config.train_data_file), Path(config.output_dir), stated | more)


def built(payload: Any) -> Any:
    """The module of these settings, by the generator of their architecture where this state has generators."""
    made = {f"{name}_config": getattr(payload, f"pt_{name}_config") for name in ("model", "data", "training")}
    made["inference_config"] = own.InferenceConfig()
    generator = of("ptycho_torch.generators.registry:resolve_generator")
    return generator(payload.tf_training_config).build_model(made) if generator else network.PtychoPINN_Lightning(**made)


def parsed(flags: Mapping[str, Any]) -> Namespace:
    """What the line's commands make of their flags: two of them are kept under other names."""
    kept = {"logger": "logger_backend", "checkpoint_monitor": "checkpoint_monitor_metric"}
    return Namespace(**{kept.get(name, name): value for name, value in flags.items()})


def save(models: Any, base_path: Path, config: Any, intensity_scale: float | None = None) -> None:
    """Both steps of `run_cdi_example_torch`: what the first writes alone cannot be read again."""
    of("ptycho_torch.model_manager:save_torch_bundle")(models, str(base_path), config, intensity_scale)
    if more := of("ptycho_torch.workflows.components:_persist_bundle_scaling_metadata"):
        more(Path(f"{base_path}.zip"), models["diffraction_to_obj"])


def sides(N: int, C: int, margin: int = 0) -> tuple[Any, Any]:
    """The line's settings for C patches of side N; it works a canvas' margin out from grid and distance of neighbours."""
    data = own.DataConfig(N=N, C=C, grid_size=(1 + (margin > 0),) * 2, max_neighbor_distance=float(margin))
    return data, own.ModelConfig(C_model=C, C_forward=C, max_position_jitter=0)


def diffract(field: Any, probe: Any) -> Any:
    lit = network.ProbeIllumination(own.ModelConfig(), own.DataConfig(N=field.shape[-1]))(field, probe)[0]
    return helper.pad_and_diffract(lit, pad=False)[0]


def translate(images: Any, offsets: Any) -> Any:
    return helper.Translation(images, offsets[:, None]).squeeze(1)


def merge(patches: Any, offsets: Any, M: Any) -> Any:
    settings = sides(patches.shape[-1], patches.shape[1])
    return helper.reassemble_patches_position_real(patches, offsets, *settings, padded_size=M)[0]


def merge_for_inference(patches: Any, offsets: Any, crop_size: Any = None, padded_size: Any = None) -> Any:
    """All patches of a batch in one group, as the line's inference hands them over."""
    patches, offsets = patches.reshape(1, -1, *patches.shape[-2:]), offsets.reshape(1, -1, 1, 2)
    more = {"crop_size": patches.shape[-1] if crop_size is None else crop_size, "padded_size": padded_size}
    return helper.reassemble_patches_position_real(patches, offsets, *sides(patches.shape[-1], patches.shape[1]), **more)[0]


def extract(canvas: Any, offsets: Any, N: int) -> Any:
    return helper.extract_channels_from_region(canvas, offsets, *sides(N, offsets.shape[1], canvas.shape[-1] - N))


def forward(module: Any, images: Any, *rest: Any) -> Any:
    ids = {"experiment_ids": torch.zeros(len(images), dtype=torch.long, device=images.device)}
    return module.eval()(images, *rest, **(ids if "experiment_ids" in inspect.signature(module.forward).parameters else {}))


def padded_size(N: int, gridsize: int, max_neighbor_distance: float) -> int:
    data = own.DataConfig(N=N, grid_size=(gridsize, gridsize), max_neighbor_distance=max_neighbor_distance)
    return helper.get_padded_size(data, own.ModelConfig())
