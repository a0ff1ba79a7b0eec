"""The reference backend's adapter: it goes through the same door as a stranger's."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import numpy as np
import torch
from lightning.fabric.utilities import move_data_to_device

from conformance.connectors.names import version
from conformance.protocol import BackendInfo
from reference_impl import (
    __version__,
    batch,
    bundle,
    config,
    counts,
    data,
    drop_in,
    engine,
    exchange,
    execution,
    grouping,
    inference,
    loss,
    model,
    physics,
)
from reference_impl.data.report import reported
from reference_impl.dispatch import selector
from reference_impl.evaluate.figures import compared
from reference_impl.training import PtychoLightningModule, train_cdi_model_torch

KINDS = {"model": config.ModelConfig, "training": config.TrainingConfig, "inference": config.InferenceConfig}
KINDS |= {"execution": execution.PyTorchExecutionConfig}
PROFILES = ("core", "cli", "ptychodus", "reconstruct", "supervised", "multimode", "mmap", "ci", "varpro", "ranks", "interop")
PROFILES += ("generators", "judged")
LIBRARIES = ("torch", "lightning", "tensordict", "numpy", "scipy", "h5py")
MODULES = ("physics", "model", "loss", "batch", "training", "bundle", "inference", "engine", "dispatch.workflow")


def _on_tensors(function: Callable[..., Any]) -> Callable[..., Any]:
    """A method of the adapter: `function` with its arrays as tensors on the adapter's device."""

    def method(self: Reference, *arguments: Any, **options: Any) -> Any:
        return function(*(self._tensor(a) if isinstance(a, np.ndarray) else a for a in arguments), **options)

    return method


class Reference:
    """Every surface of the contract, on one device; each method hands over and returns native objects."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = torch.device(device)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # bounds are float32's

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(np.array(array), device=self.device)

    def _generator(self, seed: int) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(seed)

    def info(self) -> BackendInfo:
        return BackendInfo(
            name="reference",
            version=__version__,
            profiles=PROFILES,
            devices=("cpu", "cuda") if torch.cuda.is_available() else ("cpu",),
            numeric_libraries=tuple(f"{name} {version(name)}" for name in LIBRARIES),
            modules=tuple(f"reference_impl.{name}" for name in MODULES),
            distribution="ptycho-conformance",
            selector="reference_impl.dispatch.selector:run_cdi_example_with_backend",
        )

    canonical = staticmethod(lambda kind, **fields: KINDS[kind](**fields))
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
    masked = staticmethod(lambda raw, mask: raw.masked(data.good_pixels(mask)))
    group = staticmethod(grouping.generate_grouped_data)
    transform = staticmethod(grouping.transform)
    container_from_groups = staticmethod(batch.container_from_groups)
    container = staticmethod(batch.ensure_container)
    loaders = staticmethod(batch.build_loaders)
    mapped = staticmethod(batch.open_mapped)
    mapped_loader = staticmethod(batch.whole_batches)
    mapped_centre = staticmethod(batch.MappedDataset.centre)
    group_by = staticmethod(grouping.group_by)

    diffract = _on_tensors(physics.diffract)
    translate = _on_tensors(physics.translate)
    merge = _on_tensors(physics.merge)
    extract = _on_tensors(physics.extract)
    merge_weighted = _on_tensors(physics.merge_weighted)
    stitch_weighted = _on_tensors(inference.stitch_weighted)
    varpro_scales = _on_tensors(inference.varpro_scales)
    merge_for_inference = _on_tensors(physics.merge_for_inference)
    padded_size = staticmethod(physics.padded_size)

    normalise_probe = _on_tensors(batch.normalise_probe)
    simulation_scale = _on_tensors(physics.simulation_scale)
    physics_scale = staticmethod(batch.physics_scaling_constant)

    def observe_photons(self, amplitude: np.ndarray, seed: int) -> Any:
        return physics.observe_photons(self._tensor(amplitude), self._generator(seed))

    def simulate(self, field: np.ndarray, probe: np.ndarray, nphotons: float, seed: int) -> Any:
        return physics.simulate(self._tensor(field), self._tensor(probe), nphotons, self._generator(seed))

    def module(self, configuration: Any) -> Any:
        return PtychoLightningModule.from_config(configuration).to(self.device)

    architectures = staticmethod(model.makeable_architectures)
    weights = staticmethod(lambda module: module.state_dict())

    def with_weights(self, module: Any, weights: Mapping[str, np.ndarray]) -> Any:
        tensors = {name: self._tensor(value) for name, value in weights.items()}
        module.load_state_dict({**module.state_dict(), **tensors})
        return module

    _forward = _on_tensors(torch.no_grad()(lambda module, *tensors: module.eval()(*tensors)))

    def forward(self, module: Any, *arrays: Any, experiment_ids: Any = None) -> Any:
        return self._forward(module, *arrays, *([] if experiment_ids is None else [experiment_ids]))

    predict = _on_tensors(torch.no_grad()(lambda module, *tensors: module.eval().forward_predict(*tensors)))
    likelihood = _on_tensors(loss.poisson_nll)

    def loss(self, module: Any, native_batch: Any) -> Any:
        return module.eval().compute_loss(move_data_to_device(native_batch, self.device))

    def gradient(self, module: Any, native_batch: Any) -> Mapping[str, Any]:
        module.zero_grad()
        self.loss(module, native_batch).backward()
        return {name: parameter.grad for name, parameter in module.named_parameters() if parameter.requires_grad}

    loss_names = staticmethod(lambda module: {"train": module.loss_name, "val": module.val_loss_name})
    train = staticmethod(train_cdi_model_torch)
    load_checkpoint = staticmethod(lambda path: PtychoLightningModule.load_from_checkpoint(path))
    save = staticmethod(bundle.save_torch_bundle)
    load = staticmethod(inference.load_inference_bundle_torch)
    stitch = _on_tensors(inference.stitch)

    def reconstruct(
        self, results: Any, test: Any, configuration: Any, execution: Any = None, **options: Any
    ) -> tuple[Any, Any, Any]:
        if results is None:
            return engine.reconstruct(test, configuration, self.device)
        return inference.reassemble_cdi_image_torch(
            test, configuration, train_results=results, execution_config=execution, **options
        )

    def run(self, train: Any, test: Any, configuration: Any, execution: Any = None, **options: Any) -> Any:
        return selector.run_cdi_example_with_backend(train, test, configuration, execution_config=execution, **options)

    def run_training(self, train: Any, test: Any, configuration: Any, execution: Any = None, **options: Any) -> Any:
        return selector.train_cdi_model_with_backend(train, test, configuration, execution_config=execution, **options)

    open = staticmethod(selector.load_inference_bundle_with_backend)
    command = staticmethod(lambda name: [sys.executable, "-m", "reference_impl", name])
    resolve_accelerator = staticmethod(execution.resolve_accelerator)
    validate_paths = staticmethod(execution.validate_paths)

    count_settings = staticmethod(counts.CountSettings)
    counts_of = staticmethod(counts.counts_of)
    count_prepare = staticmethod(counts.prepare)
    count_train = staticmethod(counts.train)
    count_open = staticmethod(counts.open_checkpoint)
    count_statistics = staticmethod(lambda module: vars(module.statistics))
    count_object = staticmethod(torch.no_grad()(lambda module, batch: module.eval().object_of(batch[0])))
    count_predict = staticmethod(torch.no_grad()(lambda module, batch: module.eval().predicted(batch[0])))
    count_infer = staticmethod(counts.infer)
    count_loss = staticmethod(lambda module, batch: module.eval().compute_loss(batch))
    count_scale = staticmethod(lambda module, batch: module.initial_scale(batch))
    rectangular = _on_tensors(counts.rectangular)
    count_likelihood = _on_tensors(lambda *tensors: counts.count_likelihood(*tensors)[0])

    write_product = staticmethod(exchange.write_product)
    read_product = staticmethod(exchange.read_product)
    write_pair = staticmethod(exchange.write_pair)
    read_pair = staticmethod(exchange.read_pair)
    write_normalisation = staticmethod(exchange.write_normalisation)
    assemble_pair = staticmethod(exchange.assemble_pair)
    disc_overlap = staticmethod(exchange.disc_overlap)
    overlap_metrics = staticmethod(exchange.overlap_metrics)
    compare_models = staticmethod(exchange.compare_models)
    compare_objects = staticmethod(exchange.compare_objects)

    def judge(self, raw: Any, **settings: Any) -> list[dict[str, Any]]:
        return [row for row in reported(raw, **settings).plain()["checked"] if row["found"] is not None]

    granted = staticmethod(lambda raw, **settings: reported(raw, **settings).plain()["assumed"])

    def admit(self, raw: Any, **settings: Any) -> None:
        report = reported(raw, **settings)
        report.warn()
        report.refuse()

    disagreement = staticmethod(lambda *given, **options: vars(inference.disagreement(*given, **options)))
    agreed = staticmethod(inference.agreed)
    covered_share = staticmethod(inference.covered_share)
    flat_residual = staticmethod(inference.flat_residual)
    amplitude_residual = staticmethod(inference.amplitude_residual)
    compared = staticmethod(compared)

    def canvas_origin(self, offsets: np.ndarray, N: int, M: int) -> Any:
        return inference.canvas_frame(self._tensor(offsets), N, M).origin

    execution_from_flags = staticmethod(lambda flags, mode: execution.build_execution_config_from_args(Namespace(**flags), mode))
    drop_in = drop_in_torch = staticmethod(drop_in.folder)
