"""Payloads: one consistent set of configurations out of a data file, explicit overrides and an execution configuration.

Precedence (CONFIG-061): explicit overrides, execution configuration, torch-side defaults, canonical defaults; a command states
its own defaults as overrides. Order (CONFIG-001): the registry is synchronised with everything that is known, then the file is
opened for `N` and `nphotons`, then the registry is synchronised again.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reference_impl.config import bridge
from reference_impl.config.canonical import (
    ARCHIVE_NAME,
    InferenceConfig,
    ModelConfig,
    TrainingConfig,
    field_names,
    validate_inference_config,
    validate_training_config,
)
from reference_impl.config.registry import populate_legacy_params
from reference_impl.config.torch_side import TorchDataConfig, TorchInferenceConfig, TorchModelConfig, TorchTrainingConfig
from reference_impl.domains.fields import SUPPORTED_SIZES
from reference_impl.errors import ContractError

if TYPE_CHECKING:
    from reference_impl.execution import PyTorchExecutionConfig

DEFAULT_NPHOTONS = 1e9
ALL = "all"
"""`n_groups` of as many groups as the file has patterns."""

ALIASES = {"max_epochs": "epochs", "nepochs": "epochs", "neighbor_count": "K"}
"""Override → the setting it names (CONFIG-068); `model_type` and `grid_size` are translated as well."""

AUDITED = ("accelerator", "deterministic", "num_workers", "enable_progress_bar", "logger_backend")
"""Settings of the execution configuration that every audit states (CONFIG-066); those of the training are added."""

_SHARED_WITH_EXECUTION = ("learning_rate", "scheduler", "accum_steps", "gradient_clip_val", "gradient_clip_algorithm")

_CHANNELS = ("C", "C_model", "C_forward")


@dataclass(frozen=True)
class TrainingPayload:
    """Everything a training needs (CONFIG-060); `overrides_applied` is the audit (CONFIG-066)."""

    tf_training_config: TrainingConfig
    pt_data_config: TorchDataConfig
    pt_model_config: TorchModelConfig
    pt_training_config: TorchTrainingConfig
    pt_inference_config: TorchInferenceConfig
    execution_config: PyTorchExecutionConfig
    overrides_applied: dict[str, Any]


@dataclass(frozen=True)
class InferencePayload:
    """Everything a reconstruction needs (CONFIG-060)."""

    tf_inference_config: InferenceConfig
    pt_data_config: TorchDataConfig
    pt_inference_config: TorchInferenceConfig
    execution_config: PyTorchExecutionConfig
    overrides_applied: dict[str, Any]


def create_training_payload(
    train_data_file: str | Path,
    output_dir: str | Path,
    overrides: Mapping[str, Any] | None = None,
    execution_config: PyTorchExecutionConfig | None = None,
) -> TrainingPayload:
    """The payload of a training (CONFIG-060 to CONFIG-068); `overrides` is read, never changed.

    Raises `FileNotFoundError` ("Training data file not found", "Test data file not found") and `ContractError`: missing
    `n_groups`, an unknown override (with the nearest known name), a file without a readable probe, a value that validation
    refuses.
    """
    stated = {"train_data_file": train_data_file, "output_dir": output_dir, **(overrides or {})}
    settings = _settings(stated, _names(TorchDataConfig, TorchModelConfig, TorchTrainingConfig, TrainingConfig, ModelConfig))
    file = _existing(settings["train_data_file"], "Training data file")
    if settings.get("test_data_file") is not None:
        _existing(settings["test_data_file"], "Test data file")
    _require_groups(settings)
    execution = _execution(settings, execution_config)
    payload, photons = _from_file(file, settings, lambda known: _training_payload(known, execution))
    validate_training_config(payload.tf_training_config)
    populate_legacy_params(payload.tf_training_config, force=True)
    payload.overrides_applied.update(photons, **(overrides or {}))
    return payload


def create_inference_payload(
    model_path: str | Path,
    test_data_file: str | Path,
    output_dir: str | Path,
    overrides: Mapping[str, Any] | None = None,
    execution_config: PyTorchExecutionConfig | None = None,
) -> InferencePayload:
    """The payload of a reconstruction (CONFIG-070); `model_path` is the folder that holds the bundle.

    Raises `FileNotFoundError` ("Model directory not found", "Test data file not found") and `ContractError` ("Model archive not
    found", missing `n_groups`, an unknown override, …).
    """
    stated = {"model_path": model_path, "test_data_file": test_data_file, "output_dir": output_dir, **(overrides or {})}
    names = _names(TorchDataConfig, TorchInferenceConfig, InferenceConfig, ModelConfig) | {"mode", "C_model", "C_forward"}
    settings = _settings(stated, names)
    folder = Path(settings["model_path"])
    if not folder.is_dir():
        raise FileNotFoundError(f"Model directory not found: {folder}")
    if not (folder / ARCHIVE_NAME).is_file():
        raise ContractError(
            file=folder, field="model_path", expected=f"a folder with {ARCHIVE_NAME}", found="none (Model archive not found)"
        )
    file = _existing(settings["test_data_file"], "Test data file")
    _require_groups(settings)
    settings.setdefault("K", 4)
    settings.setdefault("probe_big", settings.get("object_big", True))
    execution = _execution(settings, execution_config)
    payload, photons = _from_file(file, settings, lambda known: _inference_payload(known, execution))
    validate_inference_config(payload.tf_inference_config)
    populate_legacy_params(payload.tf_inference_config, force=True)
    payload.overrides_applied.update(photons, **(overrides or {}))
    return payload


def _names(*classes: type) -> set[str]:
    """The names that an override may have: fields of the classes and of the execution configuration, and the aliases."""
    from reference_impl.execution import PyTorchExecutionConfig

    known = {name for kind in (*classes, PyTorchExecutionConfig) for name in field_names(kind)} - {"model", "nphotons_source"}
    return known | {alias for alias, name in ALIASES.items() if name in known} | {"gridsize", "grid_size", "model_type"}


def _settings(stated: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """Overrides under the torch side's names; two names that contradict each other are refused, as are unknown ones."""
    bridge.refuse_unknown(stated, known)
    settings: dict[str, Any] = {}
    for given, value in stated.items():
        name, value = _translated(given, value)
        if name in settings and settings[name] != value:
            raise ContractError(field=given, expected=f"the same as its alias, {settings[name]!r}", found=repr(value))
        settings[name] = value
    return settings


def _require_groups(settings: dict[str, Any]) -> None:
    """`n_groups` must be there, or the deprecated `n_images`, which then gives it and is gone (CONFIG-011, CONFIG-062)."""
    images = settings.pop("n_images", None)
    if settings.get("n_groups") is None:
        if images is None:
            raise ContractError(field="n_groups", expected="a number of groups", found="none (n_groups is required)")
        warnings.warn("n_images is deprecated: it counts groups; use n_groups instead", DeprecationWarning, stacklevel=3)
        settings["n_groups"] = images


def _translated(name: str, value: Any) -> tuple[str, Any]:
    if name == "model_type":
        modes = {canonical: mode for mode, canonical in bridge.MODES.items()}
        if value not in modes:
            raise ContractError(field="model_type", expected=f"one of {sorted(modes)}", found=f"{value!r} (Invalid mode)")
        return "mode", modes[value]
    if name == "grid_size":
        return "gridsize", bridge.gridsize_of(value)
    return ALIASES.get(name, name), value


def _existing(path: str | Path, what: str) -> Path:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{what} not found: {path}")
    return Path(path)


def _execution(settings: Mapping[str, Any], given: PyTorchExecutionConfig | None) -> PyTorchExecutionConfig:
    """The execution configuration with the overrides that name its settings; the given object itself where none does."""
    from reference_impl.execution import PyTorchExecutionConfig

    execution = PyTorchExecutionConfig() if given is None else given
    # Accumulation by override is the training step's; in the execution configuration it would be the trainer's (EXEC-004).
    names = [field.name for field in fields(execution) if field.name in settings and field.name != "accum_steps"]
    return replace(execution, **{name: settings[name] for name in names}) if names else execution


def _from_file(file: Path, settings: dict[str, Any], build: Any) -> tuple[Any, dict[str, Any]]:
    """The payload with `N` (CONFIG-064) and `nphotons` (CONFIG-065) resolved, and the audit of both.

    The registry is synchronised before the file is opened. An override of `N` that the file contradicts stays, with a warning.
    """
    from reference_impl.data import inspect_file

    every = settings["n_groups"] == ALL
    known = {**settings, "n_groups": 1} if every else settings
    populate_legacy_params(_canonical(build({"nphotons": DEFAULT_NPHOTONS, **known})), force=True)
    stated = {name: settings.get(name) for name in ("N", "nphotons")}
    header = None if None not in stated.values() and not every else inspect_file(file)
    if stated["N"] is not None and header is not None and header.N != stated["N"]:
        warnings.warn(f"{file}: N={stated['N']} was asked for, the file holds N={header.N}", UserWarning, stacklevel=3)
    N, N_source = (stated["N"], "override") if stated["N"] is not None else (_supported(header.N, file), "file")
    settings = {**settings, "n_groups": header.n_patterns} if every else settings
    if stated["nphotons"] is not None:
        nphotons, source = stated["nphotons"], "override"
    elif header.nphotons is not None:
        nphotons, source = header.nphotons, "metadata"
    else:
        nphotons, source = DEFAULT_NPHOTONS, "default"
    audit = {"N": N, "N_source": N_source, "nphotons": nphotons, "nphotons_source": source}
    return build({**settings, "N": N, "nphotons": nphotons, "nphotons_source": source}), audit


def _supported(N: int, file: Path) -> int:
    """The patch side of a file, where a network exists for it (CONFIG-012)."""
    if N not in SUPPORTED_SIZES:
        smaller = [side for side in SUPPORTED_SIZES if side < N]
        cure = f"crop the patterns to {smaller[-1]}" if smaller else "the network takes none so small"
        raise ContractError(
            file=file,
            field="N, the side of the patterns",
            expected=f"one of {SUPPORTED_SIZES} pixels, which is what the network takes",
            found=f"{N} (Unsupported input size): {cure}",
        )
    return N


def _canonical(payload: TrainingPayload | InferencePayload) -> TrainingConfig | InferenceConfig:
    return payload.tf_training_config if isinstance(payload, TrainingPayload) else payload.tf_inference_config


def _training_payload(settings: Mapping[str, Any], execution: PyTorchExecutionConfig) -> TrainingPayload:
    data, model = _data_side(settings), _model_side(settings)
    inherited = {name: getattr(execution, name) for name in _SHARED_WITH_EXECUTION}
    stated = _only(settings, TorchTrainingConfig)
    # The torch side travels in checkpoints, which hold plain values (MODEL-022).
    stated |= {name: str(value) for name, value in stated.items() if isinstance(value, Path)}
    training = TorchTrainingConfig(**(inherited | stated))
    canonical = bridge.training_config(
        bridge.to_model_config(data, model, _without(_only(settings, ModelConfig), model, data)),
        data,
        model,
        training,
        {"nphotons": data.nphotons, **_without(_only(settings, TrainingConfig), training, data, model)},
    )
    audit = {name: getattr(execution, name) for name in AUDITED}
    audit |= {name: getattr(training, name) for name in _SHARED_WITH_EXECUTION}
    return TrainingPayload(
        canonical, data, model, training, _inference_side(settings, execution, "inference_batch_size"), execution, audit
    )


def _inference_payload(settings: Mapping[str, Any], execution: PyTorchExecutionConfig) -> InferencePayload:
    data, model = _data_side(settings), _model_side(settings)
    canonical = bridge.to_inference_config(
        bridge.to_model_config(data, model, _without(_only(settings, ModelConfig), model, data)),
        data,
        TorchInferenceConfig(),
        _without(_only(settings, InferenceConfig), data),
    )
    audit = {name: getattr(execution, name) for name in (*AUDITED, "learning_rate", "scheduler", "accum_steps")}
    return InferencePayload(canonical, data, _inference_side(settings, execution, "batch_size"), execution, audit)


def _data_side(settings: Mapping[str, Any]) -> TorchDataConfig:
    g = settings.get("gridsize", TorchDataConfig().grid_size[0])
    for name in _CHANNELS:
        if settings.get(name, g * g) != g * g:
            raise ContractError(field=name, expected=f"gridsize² = {g * g}", found=repr(settings[name]))
    return TorchDataConfig(**(_only(settings, TorchDataConfig) | {"grid_size": (g, g), "C": g * g}))


def _model_side(settings: Mapping[str, Any]) -> TorchModelConfig:
    channels = settings.get("gridsize", TorchDataConfig().grid_size[0]) ** 2
    return TorchModelConfig(**(_only(settings, TorchModelConfig) | {"C_model": channels, "C_forward": channels}))


def _inference_side(settings: Mapping[str, Any], execution: PyTorchExecutionConfig, name: str) -> TorchInferenceConfig:
    """Groups a forward pass: the override `name`, else the execution configuration, else the default (INFER-012)."""
    size = settings.get(name) or execution.inference_batch_size
    return TorchInferenceConfig() if size is None else TorchInferenceConfig(batch_size=size)


def _only(settings: Mapping[str, Any], kind: type) -> dict[str, Any]:
    names = set(field_names(kind))
    return {name: value for name, value in settings.items() if name in names}


def _without(settings: Mapping[str, Any], *sides: Any) -> dict[str, Any]:
    """The settings that the torch side does not carry: the bridge translates the others."""
    carried = {name for side in sides for name in field_names(type(side))} | {"gridsize"}
    return {name: value for name, value in settings.items() if name not in carried}
