"""PtychoPINN's PyTorch line: `ptycho_torch`, and the modules of `ptycho` that it needs. One adapter for every state of it: a
function that a state lacks is a method that is not claimed. What was found stands in `ptycho_torch.md` beside this file.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from ptycho import params
from ptycho.config import config as canonical
from ptycho.raw_data import RawData
from ptycho_torch import config_params as own
from ptycho_torch import model as network

from conformance.backends import ptycho_torch_parts as parts
from conformance.backends.ptycho_torch_parts import of, offered, on_tensors
from conformance.backends.ptycho_torch_profiles import Counts, Mapped, Weighted
from conformance.protocol import BackendInfo

FLOW, FACTORY, CLI = (f"ptycho_torch.{name}" for name in ("workflows.components", "config_factory", "cli.shared"))
PARAMS, CONFIG, SELECTOR = "ptycho.params", "ptycho.config.config", "ptycho.workflows.backend_selector"
KINDS = {kind: f"{kind.title()}Config" for kind in ("model", "training", "inference")} | {"execution": "PyTorchExecutionConfig"}

# Method → the function that it is; then: method → the function that it calls with what it is given in another form.
SAME = {"lookup": f"{PARAMS}:get", "parameters": f"{PARAMS}:params", "check_registry": f"{PARAMS}:validate"}
SAME |= {"read_yaml": f"{CONFIG}:load_yaml_config", "flatten": f"{CONFIG}:dataclass_to_legacy_dict"}
SAME |= {"payload": f"{FACTORY}:create_training_payload", "inference_payload": f"{FACTORY}:create_inference_payload"}
SAME |= {"populate": f"{FACTORY}:populate_legacy_params", "load": f"{FLOW}:load_inference_bundle_torch"}
SAME |= {"container": f"{FLOW}:_ensure_container"}
SAME |= {"normalise_probe": "ptycho_torch.helper:normalize_probe_like_tf", "validate_paths": f"{CLI}:validate_paths"}
SAME |= {"open": f"{SELECTOR}:load_inference_bundle_with_backend"}
SAME |= {"physics_scale": "ptycho_torch.helper:derive_intensity_scale_from_amplitudes"}
SAME |= {"resolve_accelerator": f"{CLI}:resolve_accelerator"}
CALLS = {"defaults": f"{PARAMS}:DEFAULT_CFG", "bridge": "ptycho_torch.config_bridge:to_model_config"}
CALLS |= {"module": parts.FACTORY, "train": f"{FLOW}:train_cdi_model_torch"}
CALLS |= {"container_from_groups": "ptycho_torch.data_container_bridge:PtychoDataContainerTorch"}
CALLS |= {"stitch": f"{FLOW}:_reassemble_cdi_image_torch", "reconstruct": f"{FLOW}:_reassemble_cdi_image_torch"}
CALLS |= {"architectures": "ptycho_torch.generators.registry:_REGISTRY"}
CALLS |= {"loaders": f"{FLOW}:_build_lightning_dataloaders"}
CALLS |= {"run": f"{SELECTOR}:run_cdi_example_with_backend", "run_training": f"{SELECTOR}:train_cdi_model_with_backend"}
CALLS |= {"execution_from_flags": f"{CLI}:build_execution_config_from_args", "command": f"{CLI}:validate_paths"}
CALLS |= dict.fromkeys(("canonical", "synchronise", "validate"), f"{CONFIG}:PyTorchExecutionConfig")  # the line's own settings
CALLS |= {"save": "ptycho_torch.model_manager:save_torch_bundle"}
CALLS |= {"merge_for_inference": "ptycho_torch.helper:normalize_probe_like_tf"}  # `crop_size` came with it
STACK = {place.split(":")[0] for place in (SAME | CALLS).values() if place.startswith("ptycho_torch.")} - {CLI}


@offered(SAME, CALLS)
class Backend(Mapped, Counts, Weighted):
    """The surfaces that the installed state of the line offers, on one device; native objects are handed over and returned."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)

    def tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=self.device)

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="ptycho_torch",
            version=parts.version(),
            profiles=parts.profiles(self),
            devices=("cpu", "cuda") if torch.cuda.is_available() else ("cpu",),
            numeric_libraries=tuple(f"{name} {metadata.version(name)}" for name in ("torch", "lightning", "numpy")),
            modules=tuple(name for name in ("ptycho_torch.model", *sorted(STACK)) if of(f"{name}:__name__")),
            distribution="ptychopinn",
            selector=f"{SELECTOR}:run_cdi_example_with_backend" if hasattr(self, "run") else None,
            surfaces=parts.surfaces(self),
        )

    canonical = staticmethod(lambda kind, **fields: getattr(canonical, KINDS[kind])(**fields))
    registry = staticmethod(lambda: params.cfg)
    defaults = staticmethod(lambda: dict(params.DEFAULT_CFG))
    derived = staticmethod(lambda: {key: getattr(params, f"get_{key}")() for key in ("bigN", "padding_size", "padded_size")})
    record = staticmethod(lambda **arrays: (RawData if "xcoords_start" in arrays else RawData.from_coords_without_pc)(**arrays))
    write = staticmethod(lambda raw, path: raw.to_file(str(path)))
    group = staticmethod(lambda raw, **options: raw.generate_grouped_data(**options))
    diffract, translate, merge, extract = map(on_tensors, (parts.diffract, parts.translate, parts.merge, parts.extract))
    merge_for_inference, forward = map(on_tensors, (parts.merge_for_inference, parts.forward))
    padded_size, save = staticmethod(parts.padded_size), staticmethod(parts.save)
    predict = on_tensors(lambda module, *tensors: module.eval().forward_predict(*tensors))
    likelihood = on_tensors(lambda predicted, measured, scale: network.PoissonLoss()(predicted * scale, measured * scale).mean())
    # `neuralop_uno` is locked to one data set: it refuses every other side, scale and grid (generators/neuralop_uno.py).
    architectures = staticmethod(lambda: [name for name in of(CALLS["architectures"]) if name != "neuralop_uno"])
    weights = staticmethod(lambda module: module.state_dict())
    loss = staticmethod(lambda module, batch: module.compute_loss(batch))
    loss_names = staticmethod(lambda module: {"train": module.loss_name, "val": module.val_loss_name})
    load_checkpoint = staticmethod(lambda path: network.PtychoPINN_Lightning.load_from_checkpoint(path))
    stitch = staticmethod(lambda patches, offsets, M: of("ptycho.tf_helper:reassemble_position")(patches, offsets, M=M)[..., 0])
    run_training = staticmethod(lambda train, test, config, execution=None: of(CALLS["run_training"])(train, test, config))
    execution_from_flags = staticmethod(lambda flags, mode: of(CALLS["execution_from_flags"])(parts.parsed(flags), mode))
    command = staticmethod(lambda name: [sys.executable, "-m", f"ptycho_torch.{name.replace('infer', 'inference')}"])

    def synchronise(self, config: Any, registry: Any = None) -> None:
        canonical.update_legacy_dict(params.cfg if registry is None else registry, config)

    def read(self, path: Path, **options: Any) -> Any:
        """The commands call `from_file`; who wants a part of a file, or other positions, calls `load_data`."""
        return (of("ptycho.workflows.components:load_data") if options else RawData.from_file)(str(path), **options)

    def validate(self, config: Any) -> None:
        """By kind; an execution configuration validates itself when it is made."""
        getattr(canonical, f"validate_{type(config).__name__.removesuffix('Config').lower()}_config", lambda _: None)(config)

    def bridge(self, kind: str, overrides: Mapping[str, Any] | None = None, **fields: Any) -> Any:
        made = [getattr(own, name) for name in ("DataConfig", "ModelConfig", "TrainingConfig", "InferenceConfig")]
        some = [cls(**{name: fields.pop(name) for name in [*fields] if name in cls.__dataclass_fields__}) for cls in made]
        some[2] = own.TrainingConfig(**vars(some[2]) | fields)  # what nobody knows is refused there
        plain = of(CALLS["bridge"])(*some[:2], overrides if kind == "model" else None)
        given = {"training": (plain, *some[:3]), "inference": (plain, some[0], some[3])}
        return plain if kind == "model" else of(f"ptycho_torch.config_bridge:to_{kind}_config")(*given[kind], overrides)

    def container_from_groups(self, grouped: Mapping[str, Any], probe: Any, nphotons: float = 1e9) -> Any:
        made = of(CALLS["container_from_groups"])(dict(grouped), probe)
        (of(f"{FLOW}:_attach_physics_scale") or (lambda *_: None))(made, SimpleNamespace(nphotons=nphotons))
        return made

    def loaders(self, train: Any, test: Any, config: Any) -> Any:
        """Of a memory map that line makes a module of data, from the factory's settings."""
        if not isinstance(train, of("ptycho_torch.dataloader:PtychoDataset") or ()):
            return of(CALLS["loaders"])(train, test, config)
        made = of(CALLS["loaders"])(train, test, config, payload=parts.factory(config))
        made.setup("fit")
        return made.train_dataloader(), made.val_dataloader()

    def module(self, config: Any) -> Any:
        """As a training makes it."""
        return parts.built(parts.factory(config)).to(self.device)

    def with_weights(self, module: Any, weights: Mapping[str, np.ndarray]) -> Any:
        module.load_state_dict({**module.state_dict(), **{name: self.tensor(value) for name, value in weights.items()}})
        return module

    def gradient(self, module: Any, batch: Any) -> Mapping[str, Any]:
        module.zero_grad()
        module.compute_loss(batch).backward()
        return {name: parameter.grad for name, parameter in module.named_parameters()}

    def train(self, train: Any, test: Any, config: Any, execution: Any = None, overrides: Any = None) -> Any:
        return of(CALLS["train"])(train, test, config, execution, *([dict(overrides)] if overrides else []))

    def reconstruct(self, results: Any, test: Any, config: Any, execution: Any = None, **options: Any) -> Any:
        """As `run_cdi_example_torch` calls it: there is no argument for the execution configuration."""
        turned = {"flip_x": False, "flip_y": False, "transpose": False, "M": 20} | options
        return of(CALLS["reconstruct"])(test, config, **turned, train_results=results)

    def run(self, train: Any, test: Any, config: Any, execution: Any = None, **options: Any) -> Any:
        return of(CALLS["run"])(train, test, config, torch_execution_config=execution, **options)
