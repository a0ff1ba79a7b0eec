"""PtychoPINN's PyTorch line beyond the core: memory maps, absolute counts, weights and factors, by that line's own functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from ptycho_torch import config_params as own
from ptycho_torch import helper
from ptycho_torch import model as network

from conformance.backends.ptycho_torch_parts import built, factory, of, offered, on_tensors, sides

DATA, CONTRACT, REASSEMBLY, LOGS = (
    f"ptycho_torch.{name}" for name in ("dataloader", "scaling_contract", "reassembly", "lightning_utils")
)
COUNTS = ("count_settings", "counts_of", "count_prepare", "count_train", "count_open", "count_statistics", "count_object")
COUNTS += ("count_predict", "count_infer", "count_loss", "count_scale", "rectangular", "count_likelihood")


@offered({}, dict.fromkeys(("mapped", "mapped_loader", "group_by"), f"{DATA}:_validate_writer_inputs"))
class Mapped:
    """Its `PtychoDataset`: a folder of scans in one memory-mapped TensorDict."""

    def mapped(self, sources: Sequence[Path], folder: Path, config: Any, remake: bool = False, skip: bool = False) -> Any:
        """That line maps one folder, in the order of names: files from elsewhere are linked into one, numbered."""
        if skip:
            raise NotImplementedError("PtychoDataset has no way to leave a file out")
        place = sources[0] if len(sources) == 1 and sources[0].is_dir() else _linked(sources, folder)
        made = factory(config)
        settings = (made.pt_model_config, made.pt_data_config)
        return of(f"{DATA}:PtychoDataset")(str(place), *settings, data_dir=str(folder / "memmap"), remake_map=remake)

    def mapped_loader(self, dataset: Any, batch_size: int) -> Any:
        """Without its collate functions, which know one kind of answer alone."""
        return of(f"{DATA}:TensorDictDataLoader")(dataset, batch_size=batch_size, collate_fn=lambda batch: batch)

    def group_by(self, points: np.ndarray, rule: str, gridsize: int, seed: int | None = None, **options: Any) -> Any:
        """As `from_np` groups what lies in memory; it has no seed of its own, so that NumPy's is set."""
        N, K, C = 4, options.get("K", 6), gridsize**2
        asked = {"K": K, "K_quadrant": K, "n_subsample": options.get("repetitions", 1), "neighbor_function": rule}
        asked |= {name: options[name] for name in ("x_bounds", "y_bounds") if name in options}
        apart = {f"{end}_neighbor_distance": options.get(f"{end}_distance", far) for end, far in (("min", 0.0), ("max", np.inf))}
        data = own.DataConfig(**{"x_bounds": (0, 1), "y_bounds": (0, 1)} | asked | apart, N=N, C=C, grid_size=(gridsize,) * 2)
        np.random.seed(seed)  # noqa: NPY002 — the generator that `patch_generator` draws from
        light = np.ones((len(points), N, N), np.float32), np.ones((N, N), np.complex64)
        grouped = of(f"{DATA}:PtychoDataset").from_np(*light, points[:, ::-1], own.ModelConfig(C_model=C, C_forward=C), data)
        return grouped.mmap_ptycho["nn_indices"]


def _linked(sources: Sequence[Path], folder: Path) -> Path:
    """A folder beside the map that holds nothing but these scans, their names in the order given."""
    place = folder.with_name(f"{folder.name}-sources")
    place.mkdir(parents=True, exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    files = [path for one in sources for path in (sorted(one.glob("*.npz")) if one.is_dir() else [one])]
    for number, path in enumerate(files):
        (place / f"{number:03d}-{path.name}").symlink_to(path.resolve())
    return place


@offered({}, dict.fromkeys(COUNTS, f"{CONTRACT}:validate_contract_coherence"))
class Counts:
    """Its profile of absolute intensities (`ci_intensity_v2`)."""

    device: torch.device

    def count_settings(self, config: Any, **fields: Any) -> Any:
        """The factory's bundle of that profile but for the pair and what is configured; its word for a CNN's output."""
        given = {"scale_contract_version", "measurement_domain", "loss_function", *vars(config), *vars(config.model)}
        stated = {name: value for name, value in of("ptycho_torch.config_factory:CI_PROFILE_BUNDLE").items() if name not in given}
        polar = fields.get("generator_output_mode", config.model.generator_output_mode) == "amp_phase"
        return factory(config, **stated | fields | ({"cnn_output_mode": "amp_phase"} if polar else {}))

    counts_of = on_tensors(
        lambda amplitude, scale, probe: of(f"{CONTRACT}:adapt_normalized_amplitude_to_ci")(amplitude, probe, scale)
    )

    def count_prepare(self, train: Mapping[str, Any], test: Mapping[str, Any] | None, settings: Any) -> Mapping[str, Any]:
        """One dataset of both splits, statistics of the training's rows: as its data modules do it."""
        n = len(train["intensity"])
        whole = laid([train] if test is None else [train, test], settings.pt_model_config, settings.pt_data_config)
        statistics = whole.set_ci_statistics_from_indices(torch.arange(n))
        rows = [torch.utils.data.Subset(whole, range(*ends)) for ends in ((0, n), (n, len(whole)))]
        collate, size = of(f"{DATA}:Collate_Lightning")(), settings.pt_training_config.batch_size
        loaders = [of(f"{DATA}:TensorDictDataLoader")(part, batch_size=size, collate_fn=collate) for part in rows]
        settings.pt_model_config.num_datasets = whole.n_files
        module = built(settings).to(self.device)
        module.register_ci_statistics(statistics)
        if settings.pt_model_config.rect_s1s2_init == "data":
            module.calibrate_rect_s1s2(next(iter(loaders[0])))
        return {"train": loaders[0], "test": None if test is None else loaders[1], "module": module, "statistics": statistics}

    def count_train(self, prepared: Mapping[str, Any], execution: Any = None) -> Mapping[str, Any]:
        """Lightning's trainer on its module, its log of settings, and a checkpoint where its loader looks for one."""
        import lightning

        module, folder = prepared["module"], Path(prepared["module"].training_config.output_dir)
        kept = lightning.pytorch.callbacks.ModelCheckpoint(folder / "checkpoints", save_last=True)
        log = lightning.pytorch.loggers.CSVLogger(folder)
        quiet = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
        trainer = lightning.Trainer(
            max_epochs=module.training_config.epochs, accelerator="cpu", devices=1, callbacks=[kept], logger=log, **quiet
        )
        trainer.fit(module, prepared["train"], prepared["test"])
        configs = (module.data_config, module.model_config, module.training_config, module.inference_config)
        of(f"{LOGS}:ConfigLogger")(*configs, own.DatagenConfig()).on_train_start(SimpleNamespace(log_dir=folder), module)
        series = of("ptycho_torch.training_history:build_training_history")(Path(log.log_dir), model=module)["series"]
        losses = {side: series[f"{name}_epoch" if f"{name}_epoch" in series else name]["value"] for side, name in _losses(module)}
        return {"history": losses, "module": module}

    def count_open(self, checkpoint: Path) -> Any:
        return of(f"{LOGS}:load_checkpoint_with_configs")(str(checkpoint), network.PtychoPINN_Lightning, device="cpu")[0]

    count_statistics = staticmethod(lambda module: module.get_ci_statistics())

    def count_object(self, module: Any, batch: Any) -> Any:
        scaler, caught = passed(module, batch)
        s1, s2 = (s[batch[0]["experiment_id"]].view(-1, 1, 1, 1) for s in (scaler.s1, scaler.s2))
        return torch.complex(s1 * caught["x"].real, s2 * caught["x"].imag).detach()

    count_predict = staticmethod(lambda module, batch: passed(module, batch)[1]["out"])

    @torch.no_grad()
    def count_infer(self, module: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """As `reconstruct_image_barycentric` does before it stitches: patches, then both factors from the data at hand."""
        whole = laid([data], module.model_config, module.data_config)
        whole.data_dict["ci_statistics"] = module.get_ci_statistics()
        how = {"device": self.device, "precision": "32-true", "channels_swapped": False}
        configs = (module.data_config, module.model_config)
        made = of(f"{REASSEMBLY}:_prepare_ci_varpro_batch")(module.eval(), whole[list(range(len(whole)))][0], *configs, **how)
        s1, s2 = _solved(made.measured_intensity, (made.x1, made.x2, made.x3))
        patches = torch.complex(s1 * made.texture_raw.real, s2 * made.texture_raw.imag)
        return {"object": patches, "predicted": s1**2 * made.x1 + s2**2 * made.x2 + s1 * s2 * made.x3}

    count_loss = staticmethod(lambda module, batch: module.compute_loss(batch))

    def count_scale(self, module: Any, batch: Any) -> float:
        """Its only function for it sets both factors to what it finds; they are put back: whoever measures wants no more."""
        scaler = module.model.forward_model.rect_scaler
        before = [factor.detach().clone() for factor in (scaler.s1, scaler.s2)]
        found = module.calibrate_rect_s1s2(batch)
        scaler.s1.data, scaler.s2.data = before
        return float(found)

    @on_tensors
    def rectangular(real: Any, imaginary: Any, s1: float, s2: float, probe: Any, normalization: Any) -> Any:  # noqa: N805
        scaler = network.RectangularScaledDiffraction(own.ModelConfig())
        scaler.s1.data.fill_(s1)
        scaler.s2.data.fill_(s2)
        scale, ids = 1 / normalization[..., 0], torch.zeros(len(real), dtype=torch.long)
        return scaler(torch.complex(real, imaginary), None, probe, scale, ids)

    count_likelihood = on_tensors(
        lambda predicted, measured, mean: of(f"{CONTRACT}:normalize_ci_poisson_per_sample")(
            network.CIIntensityPoissonLoss()(predicted, measured), mean
        ).mean()
    )


def _losses(module: Any) -> list[tuple[str, str]]:
    return [("train_loss", module.loss_name), ("val_loss", module.val_loss_name)]


def laid(parts: Sequence[Mapping[str, Any]], model: Any, data: Any) -> Any:
    """A `PtychoDataset` of groups that lie in memory, filled as `from_np` fills one; it has one probe an experiment."""
    from tensordict import TensorDict

    made = of(f"{DATA}:PtychoDataset").__new__(of(f"{DATA}:PtychoDataset"))
    together = {
        name: torch.as_tensor(np.concatenate([one[name] for one in parts])) for name in ("intensity", "offsets", "experiment_id")
    }
    made.model_config, made.data_config, made.length = model, data, len(together["intensity"])
    if judged := of("ptycho_torch.object_compatibility:resolve_model_object_compatibility"):  # since July 2026's `refactor`
        made.object_compatibility = judged(model)
    made.ci_contract_active = of(f"{DATA}:_ci_profile_active")(model, data)
    made.n_files = int(together["experiment_id"].max()) + 1
    normalised, factor = helper.normalize_probe_like_tf(parts[0]["probe"], probe_scale=data.probe_scale)
    probes = {"probes": torch.as_tensor(normalised), "probes_physical": torch.as_tensor(parts[0]["probe"])}
    made.data_dict = {name: probe.to(torch.complex64).expand(made.n_files, *probe.shape) for name, probe in probes.items()}
    made.data_dict["probe_scaling"] = torch.full((made.n_files,), float(factor))
    fields = {"coords_relative": together["offsets"].float(), "experiment_id": together["experiment_id"]}
    fields |= {name: together["intensity"].float() for name in ("images", "measured_intensity")}
    made.mmap_ptycho = TensorDict(fields, batch_size=made.length)
    return made


def passed(module: Any, batch: Any) -> tuple[Any, dict[str, Any]]:
    """Its rectangular forward, what went into it, and (`out`) what came out, for one batch."""
    scaler, caught = module.model.forward_model.rect_scaler, {}  # type: ignore[var-annotated]
    handle = scaler.register_forward_hook(lambda _, args, given, out: caught.update(given, out=out), with_kwargs=True)
    try:
        with torch.no_grad():
            module.eval().compute_loss(batch)
    finally:
        handle.remove()
    return scaler, caught


def _solved(measured: Any, terms: Sequence[Any]) -> tuple[Any, Any]:
    scaler = of(f"{REASSEMBLY}:VarProScaler")(measured.device)
    scaler.accumulate_batch_from_basis(measured, *terms)
    canvas = torch.complex(*terms[:2])  # of no interest here: the factors come back beside it
    return of(f"{REASSEMBLY}:apply_varpro_canvas_scaling")(canvas, scaler, verbose=False)[1:]


@offered({}, dict.fromkeys(("merge_weighted", "stitch_weighted", "varpro_scales"), f"{REASSEMBLY}:compute_varpro_basis"))
class Weighted:
    """Its training's weighted merge, and the accumulator and the factors of `reconstruct_image_barycentric`."""

    @on_tensors
    def merge_weighted(patches: Any, offsets: Any, M: int, weighting: str, probe: Any = None) -> Any:  # noqa: N805
        """`central` is what its training calls `uniform` and takes for any other word; `uniform` is the merge of inference."""
        N, settings = patches.shape[-1], sides(patches.shape[-1], patches.shape[1])
        if weighting == "uniform":
            return helper.reassemble_patches_position_real(patches, offsets, *settings, crop_size=N, padded_size=M)[0]
        modes = None if probe is None else probe.reshape(1, 1, -1, *probe.shape[-2:])
        how = {"probe": modes, "use_probe_weights": weighting == "probe", "padded_size": M}
        return helper.reassemble_patches_position_real_probe(patches, offsets, *settings, **how)[0]

    @on_tensors
    def stitch_weighted(patches: Any, offsets: Any, M: int, weighting: str, probe: Any = None, shape: Any = None) -> Any:  # noqa: N805
        """Canvas, middle and crop as in `reconstruct_image_barycentric`, which knows `uniform` and `probe`."""
        places, middle = offsets.reshape(-1, 2), offsets.reshape(-1, 2).mean(dim=0)
        ends = [int(end) for end in (places - middle).abs().amax(dim=0).ceil()]
        canvas = tuple(shape or of(f"{REASSEMBLY}:padded_canvas_size")(M, *ends[::-1]))
        if weighting not in ("uniform", "probe"):
            raise ValueError("patch_weighting must be 'uniform' or 'probe'")  # as it says itself, within a longer function
        cut = slice(patches.shape[1] // 2 - M // 2, patches.shape[1] // 2 + M // 2)
        light = torch.ones(patches.shape[1:3]) if probe is None else probe.abs().square().reshape(-1, *patches.shape[1:3]).sum(0)
        total, weights = torch.zeros(canvas, dtype=torch.complex64), torch.zeros(canvas)
        accumulator = of(f"{REASSEMBLY}:VectorizedWeightedAccumulator")(canvas, patches.device)
        centred = (places - middle + torch.tensor([canvas[1] // 2, canvas[0] // 2])).float()
        accumulator.accumulate_batch(
            total, weights, patches[:, cut, cut, 0], centred, light[cut, cut], M, uniform_weighting=weighting == "uniform"
        )
        anchor = of(f"{REASSEMBLY}:build_canvas_anchor")(middle, canvas)["canvas_origin_offset"]
        dropped = accumulator.patches_total - accumulator.patches_accepted
        return {"image": total / (weights + 1e-12), "origin": [-shift for shift in anchor], "dropped": dropped}

    @on_tensors
    def varpro_scales(real: Any, imaginary: Any, probe: Any, measured: Any) -> Any:  # noqa: N805
        terms = of(f"{REASSEMBLY}:compute_varpro_basis")(probe[None, None], real[:, None], imaginary[:, None])[2:]
        return tuple(float(scale) for scale in _solved(measured[:, None], terms))
