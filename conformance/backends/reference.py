"""The reference backend's adapter: it goes through the same door as a stranger's."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np
import torch

from conformance.protocol import BackendInfo
from reference_impl import __version__, batch, bundle, config, data, execution, grouping, inference, loss, physics
from reference_impl.dispatch import selector
from reference_impl.training import PtychoLightningModule, train_cdi_model_torch

CANONICAL = {
    "model": config.ModelConfig,
    "training": config.TrainingConfig,
    "inference": config.InferenceConfig,
    "execution": execution.PyTorchExecutionConfig,
}
MODULES = ("physics", "model", "loss", "batch", "training", "bundle", "inference", "dispatch.workflow")


class Reference:
    """Every surface of the contract, on one device; each method hands over and returns native objects."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # bounds are those of float32

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=self.device)

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="reference",
            version=__version__,
            profiles=("core", "cli"),
            devices=("cpu", "cuda") if torch.cuda.is_available() else ("cpu",),
            numeric_libraries=(f"torch {torch.__version__}", f"numpy {np.__version__}"),
            modules=tuple(f"reference_impl.{name}" for name in MODULES),
            distribution="ptycho-conformance",
            selector="reference_impl.dispatch.selector:run_cdi_example_with_backend",
        )

    canonical = staticmethod(lambda kind, **fields: CANONICAL[kind](**fields))
    registry = staticmethod(lambda: config.registry.cfg)
    defaults = staticmethod(config.registry.defaults)
    derived = staticmethod(config.registry.derived)
    lookup = staticmethod(config.registry.get)
    parameters = staticmethod(config.registry.params)
    check_registry = staticmethod(config.registry.validate)
    populate = staticmethod(config.populate_legacy_params)
    read_yaml = staticmethod(config.load_yaml_config)
    flatten = staticmethod(config.dataclass_to_legacy_dict)
    validate = staticmethod(config.validate)
    payload = staticmethod(config.create_training_payload)
    inference_payload = staticmethod(config.create_inference_payload)
    bridge = staticmethod(config.bridge.from_fields)

    def synchronise(self, configuration: Any, registry: MutableMapping[str, Any] | None = None) -> None:
        return config.update_legacy_dict(config.registry.cfg if registry is None else registry, configuration)

    read = staticmethod(data.load_data)
    record = staticmethod(data.RawData)
    write = staticmethod(data.RawData.to_file)
    group = staticmethod(data.RawData.generate_grouped_data)
    transform = staticmethod(grouping.transform)
    container_from_groups = staticmethod(batch.container_from_groups)
    container = staticmethod(batch.ensure_container)
    loaders = staticmethod(batch.build_loaders)

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> Any:
        return physics.diffract(self._tensor(field), self._tensor(probe))

    def translate(self, images: np.ndarray, offsets: np.ndarray) -> Any:
        return physics.translate(self._tensor(images), self._tensor(offsets))

    def merge(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> Any:
        return physics.merge(self._tensor(patches), self._tensor(offsets), M)

    def extract(self, canvas: np.ndarray, offsets: np.ndarray, N: int) -> Any:
        return physics.extract(self._tensor(canvas), self._tensor(offsets), N)

    padded_size = staticmethod(physics.padded_size)

    def merge_for_inference(self, patches: np.ndarray, offsets: np.ndarray, **sizes: int | None) -> Any:
        return physics.merge_for_inference(self._tensor(patches), self._tensor(offsets), **sizes)

    def normalise_probe(self, probe: np.ndarray, probe_scale: float) -> tuple[Any, float]:
        return batch.normalise_probe(self._tensor(probe), probe_scale)

    def physics_scale(self, images: np.ndarray, nphotons: float) -> float:
        return batch.physics_scaling_constant(torch.as_tensor(np.array(images)), nphotons)

    def observe_photons(self, amplitude: np.ndarray, seed: int) -> Any:
        return physics.observe_photons(self._tensor(amplitude), torch.Generator(self.device).manual_seed(seed))

    def simulation_scale(self, exit_wave: np.ndarray, nphotons: float) -> Any:
        return physics.simulation_scale(self._tensor(exit_wave), nphotons)

    def simulate(self, field: np.ndarray, probe: np.ndarray, nphotons: float, seed: int) -> Any:
        generator = torch.Generator(self.device).manual_seed(seed)
        return physics.simulate(self._tensor(field), self._tensor(probe), nphotons, generator)

    def module(self, configuration: Any) -> Any:
        return PtychoLightningModule.from_config(configuration).to(self.device)

    def weights(self, module: Any) -> Mapping[str, Any]:
        return module.state_dict()

    def with_weights(self, module: Any, weights: Mapping[str, np.ndarray]) -> Any:
        tensors = {name: self._tensor(value) for name, value in weights.items()}
        module.load_state_dict({**module.state_dict(), **tensors})
        return module

    def forward(self, module: Any, *arrays: np.ndarray) -> Sequence[Any]:
        with torch.no_grad():
            return module.eval()(*(self._tensor(array) for array in arrays))

    def predict(self, module: Any, *arrays: np.ndarray) -> Any:
        with torch.no_grad():
            return module.eval().forward_predict(*(self._tensor(array) for array in arrays))

    def likelihood(self, predicted: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> Any:
        return loss.poisson_nll(*(self._tensor(array) for array in (predicted, measured, scale)))

    def loss(self, module: Any, native_batch: Any) -> Any:
        return module.compute_loss(module.transfer_batch_to_device(native_batch, self.device, 0))

    def gradient(self, module: Any, native_batch: Any) -> Mapping[str, Any]:
        module.zero_grad()
        self.loss(module, native_batch).backward()
        return {name: parameter.grad for name, parameter in module.named_parameters()}

    def loss_names(self, module: Any) -> Mapping[str, str]:
        return {"train": module.loss_name, "val": module.val_loss_name}

    train = staticmethod(train_cdi_model_torch)
    load_checkpoint = staticmethod(lambda path: PtychoLightningModule.load_from_checkpoint(path))
    save = staticmethod(bundle.save_torch_bundle)
    load = staticmethod(inference.load_inference_bundle_torch)

    def stitch(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> Any:
        return inference.stitch(self._tensor(patches), self._tensor(offsets), M)

    def reconstruct(
        self, results: Any, test: Any, configuration: Any, execution: Any = None, **options: Any
    ) -> tuple[Any, Any, Any]:
        return inference.reassemble_cdi_image_torch(
            test, configuration, train_results=results, execution_config=execution, **options
        )

    def run(self, train: Any, test: Any, configuration: Any, execution: Any = None, **options: Any) -> Any:
        return selector.run_cdi_example_with_backend(train, test, configuration, execution_config=execution, **options)

    def run_training(self, train: Any, test: Any, configuration: Any, execution: Any = None) -> Any:
        return selector.train_cdi_model_with_backend(train, test, configuration, execution_config=execution)

    open = staticmethod(selector.load_inference_bundle_with_backend)
    command = staticmethod(lambda name: [sys.executable, "-m", "reference_impl", name])
    resolve_accelerator = staticmethod(execution.resolve_accelerator)
    validate_paths = staticmethod(execution.validate_paths)

    def execution_from_flags(self, flags: Mapping[str, Any], mode: str) -> Any:
        return execution.build_execution_config_from_args(Namespace(**flags), mode)
