"""What values every setting takes: one row a setting, for flags, Python callers, bundles from strangers and YAML alike.

A row says type, range (always finite), choices and whether None is allowed. Bounds are generous: they keep out what cannot be
meant (infinity, a million filters, a loss weight of 7), not what is unwise. `FIELDS` covers the fields of every configuration,
`FLAGS` what a command takes besides; a field or a flag without a row fails a test.
"""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from reference_impl.domains.architectures import known_architectures
from reference_impl.domains.domain import Domain, choice, optional, real, whole
from reference_impl.errors import ContractError, printable

SUPPORTED_SIZES = (64, 128, 256)
"""Patch sides N for which a network exists (MODEL-002)."""

RETIRED_SCHEDULERS = ("MultiStage", "Adaptive")
"""Names that are accepted with a warning and keep the learning rate constant (TRAIN-041)."""

LARGEST_SEED = 2**32 - 1
"""What NumPy's legacy generator takes."""
LONGEST_SHOWN = 80
"""Characters of a refused value that a message repeats."""

SWITCH, TEXT, PATH = Domain("switch"), Domain("text"), Domain("path")
_COUNT, _FEW = whole(1, 10**9), whole(1, 10**6)
_RATE = real(1e-37, 1e6, remark="{name} must be positive")  # float32 holds nothing smaller
_PHOTONS = real(1e-6, 1e18)  # NumPy draws no Poisson number of a larger mean
_SHARE, _BETA = real(0, 1), real(0, 1, below=True)

ALGORITHMS = ("norm", "value", "agc")
ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "tpu", "mps")
LOGGERS = ("csv", "tensorboard", "mlflow", "none")
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed")
ACTIVATIONS = ("sigmoid", "swish", "softplus", "relu")

_SCHEDULER = choice("Default", "Exponential", "WarmupCosine", "ReduceLROnPlateau", *RETIRED_SCHEDULERS)
_LOGGER = optional(choice(*LOGGERS))
_ALGORITHM = choice(*ALGORITHMS)

FIELDS: dict[str, Domain] = {
    # the model
    "N": Domain("choice", choices=lambda: SUPPORTED_SIZES, remark="Unsupported input size"),
    "gridsize": whole(1, 16),
    "n_filters_scale": real(0, 16, above=True),
    "model_type": choice("pinn", "supervised"),
    "amp_activation": choice(*ACTIVATIONS),
    "object_big": SWITCH,
    "probe_big": SWITCH,
    "probe_mask": SWITCH,
    "pad_object": SWITCH,
    "probe_scale": real(1e-6, 1e6),
    "gaussian_smoothing_sigma": real(0, 256),
    "architecture": Domain("choice", choices=known_architectures),
    "fno_modes": whole(1, 256),
    "fno_width": whole(1, 4096),
    "fno_blocks": whole(0, 64),
    "fno_cnn_blocks": whole(0, 64),
    "fno_input_transform": choice("none", "sqrt", "log1p", "instancenorm"),
    "generator_output_mode": choice("real_imag", "amp_phase_logits", "amp_phase"),
    "max_hidden_channels": optional(_FEW),
    "resnet_width": optional(_FEW),
    # data and groups
    "train_data_file": optional(PATH),
    "test_data_file": optional(PATH),
    "model_path": PATH,
    "output_dir": PATH,
    "nphotons": _PHOTONS,
    "nphotons_source": optional(choice("override", "metadata", "default")),
    "n_groups": optional(_COUNT),
    "n_images": optional(_COUNT),
    "n_subsample": optional(_COUNT),
    "subsample_seed": optional(whole(0, LARGEST_SEED)),
    "neighbor_count": _FEW,
    "neighbor_pool_size": optional(_FEW),
    "sequential_sampling": SWITCH,
    "enable_oversampling": SWITCH,
    "positions_provided": SWITCH,
    "batch_size": whole(1, 2**20, power_of_two=True),
    # training
    "backend": choice("tensorflow", "pytorch"),
    "debug": SWITCH,
    "nepochs": _FEW,
    "mae_weight": _SHARE,
    "nll_weight": _SHARE,
    "realspace_mae_weight": real(0, 1e6),
    "realspace_weight": real(0, 1e6),
    "torch_loss_mode": choice("poisson", "mae"),
    "probe_trainable": SWITCH,
    "intensity_scale_trainable": SWITCH,
    "gradient_clip_val": optional(real(1e-37, 1e12, remark="{name} must be positive")),
    "gradient_clip_algorithm": _ALGORITHM,
    "optimizer": choice("adam", "adamw", "sgd"),
    "momentum": _SHARE,
    "weight_decay": real(0, 1e3),
    "adam_beta1": _BETA,
    "adam_beta2": _BETA,
    "scheduler": _SCHEDULER,
    "lr_warmup_epochs": whole(0, 10**6),
    "lr_min_ratio": _SHARE,
    "plateau_factor": real(0, 1, above=True, below=True),
    "plateau_patience": whole(0, 10**6),
    "plateau_min_lr": real(0, 1e6),
    "plateau_threshold": _SHARE,
    # execution
    "accelerator": choice(*ACCELERATORS),
    "strategy": TEXT,
    "devices": whole(1, 64),
    "num_nodes": whole(1, 4096),
    "precision": choice(*PRECISIONS),
    "channels_last": SWITCH,
    "deterministic": choice(True, False, "warn"),
    "accum_steps": replace(_FEW, remark="{name} must be positive"),
    "num_workers": whole(0, 256, remark="{name} must be non-negative"),
    "pin_memory": SWITCH,
    "persistent_workers": SWITCH,
    "prefetch_factor": optional(replace(_FEW, remark="{name} must be positive")),
    "learning_rate": _RATE,
    "enable_progress_bar": SWITCH,
    "enable_checkpointing": SWITCH,
    "checkpoint_save_top_k": whole(-1, 10**6, remark="-1 keeps all, 0 none"),
    "checkpoint_monitor_metric": TEXT,
    "checkpoint_mode": choice("min", "max", remark="Invalid checkpoint_mode"),
    "early_stop_patience": replace(_COUNT, remark="{name} must be positive"),
    "logger_backend": _LOGGER,
    "inference_batch_size": optional(replace(_FEW, remark="{name} must be positive")),
    # the torch side
    "C": whole(1, 256),
    "K": _FEW,
    "grid_size": Domain("pair", 1, 16),
    "max_neighbor_distance": real(0, 1e6, above=True),
    "mode": choice("Unsupervised", "Supervised", remark="Invalid mode"),
    "C_model": whole(1, 256),
    "C_forward": whole(1, 256),
    "intensity_scale": optional(real(0, 1e30, above=True)),
    "num_datasets": whole(1, 10**6),
    "nll": SWITCH,
    "epochs": _FEW,
}
"""Field name → its values, in whichever configuration the field stands; `OWN` has the exceptions."""

OWN: dict[tuple[str, str], Domain] = {
    ("TrainingConfig", "n_groups"): _COUNT,
    ("TrainingConfig", "intensity_scale"): real(0, 1e30, above=True),  # of a bundle: it always states one
    ("TorchDataConfig", "N"): whole(1, 2**16),
    ("TorchModelConfig", "amp_activation"): choice(*ACTIVATIONS, "silu", "SiLU", remark="Unknown activation"),
    ("TorchModelConfig", "probe_mask"): Domain("mask"),
    ("TorchInferenceConfig", "batch_size"): _FEW,
}
"""(class, field) → its values where they differ: the class knows more, or the name means something else there."""

FLAGS: dict[str, Domain] = {
    "measurement": choice("amplitude", "counts"),
    "device": optional(TEXT),
    "resume": optional(PATH),
    "override": optional(TEXT),
    "preset": choice("quick", "standard", "thorough", "unrolled"),
    "labels": choice("none", "engine"),
    "rect_s1s2_init": choice("ones", "data"),
    "views": optional(whole(0, 64)),
    "groups": replace(_COUNT, also=("all",)),
    "stitch_crop_size": whole(1, 2**12),
    "patch_weighting": choice("count", "uniform", "central", "probe"),
    "varpro_scaling": choice("none", "global"),
    "mask_file": optional(PATH),
    "map_dir": optional(PATH),
    "picture": optional(PATH),
    "position_scale": real(0, 1e15, above=True),
    "accept": optional(TEXT),
    "seed": whole(0, LARGEST_SEED),
    "input_file": PATH,
    "output_file": PATH,
    "crop": optional(whole(8, 2**14)),
    "pad": optional(whole(8, 2**14)),
    "bin": whole(1, 64),
    "centre": optional(TEXT),
    "zero_frequency": choice("auto", "centre", "corner"),
    "mask_good": choice("nonzero", "zero"),
    "clip_negatives": real(0, 1e12),
    "threshold": real(0, 1e12),
    "frames": optional(TEXT),
    "drop_dark": real(0, 1),
    "drop_saturated": real(0, 1e12, above=True),
    "position_unit": choice("m", "cm", "mm", "um", "nm", "angstrom", "pm", "pixel"),
    "quantity": optional(TEXT),
    "axes": optional(TEXT),
    "place": optional(TEXT),
    "target": choice("cxi", "product"),
    "held_out": real(0, 0.9),
    "sweeps": whole(0, 10**4),
    "solver_sweeps": whole(1, 10**6),
    "refine": optional(whole(1, 10**6)),
    "solver_batch": optional(whole(1, 2**16)),
    "picture_every": optional(whole(1, 10**6)),
    "solver_modes": optional(whole(1, 10)),
    "solver_device": choice("auto", "cpu", "gpu", "cuda"),
    "likelihood": choice("amplitude", "poisson"),
    "evaluation_dir": optional(PATH),
    "object": choice("lines", "dead_leaves", "grf"),
    "probe": choice("curved", "ideal", "zernike", "zone_plate", "file"),
    "probe_file": optional(PATH),
    "recipe": optional(PATH),
    "mode_power": real(0, 1e6, above=True),
    "share": real(0, 1, above=True),
    "beam_stop": real(0, 2**10),
    "side": whole(4, 2**10),
    "size": optional(whole(8, 2**13)),
    "patterns": whole(1, 10**6),
    "photons": _PHOTONS,
}
"""What a command takes that is no field of a configuration."""


def domain_of(name: str, owner: str = "") -> Domain:
    """The domain of a field of the class `owner`, or of a flag; `KeyError` where it has none."""
    if (owner, name) in OWN:
        return OWN[owner, name]
    return FIELDS[name] if name in FIELDS else FLAGS[name]


def shown(value: Any) -> str:
    """A refused value as a message repeats it: printable, one line, short."""
    try:
        text = repr(value)
    except Exception as error:  # the repr of a stranger's object may do anything
        text = f"a {type(value).__name__} ({type(error).__name__})"
    return printable(text, LONGEST_SHOWN)


def refuse_outside(name: str, value: Any, *, owner: str = "", label: str | None = None, file: str | Path | None = None) -> None:
    """`ContractError` where `value` is outside of the domain of `name`; `label` is what the user calls it."""
    domain = domain_of(name, owner)
    if not domain.accepts(value):
        too_large = domain.kind != "choice" and isinstance(value, int | float) and value > domain.high
        remark = f" ({domain.remark.format(name=name)})" if domain.remark and not too_large else ""
        raise ContractError(file=file, field=label or name, expected=domain.expected, found=shown(value) + remark)


def check_fields(config: Any, file: str | Path | None = None, place: str = "") -> None:
    """Every field of a configuration object within its domain; `place` goes before the field's name in the message."""
    owner = type(config).__name__
    for field in fields(config):
        if field.name != "model":  # a configuration of its own
            value = getattr(config, field.name)
            refuse_outside(field.name, value, owner=owner, label=f"{place}{field.name}", file=file)
