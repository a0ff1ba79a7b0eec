"""Settings for one call alone, which stand above both configurations (CONFIG-061, EXEC-004, EXEC-005)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig

ALIASES = {"epochs": "nepochs", "max_epochs": "nepochs", "K": "neighbor_count"}
RESUME, RESUME_OVERRIDE, START = "resume_from", "resume_override", "start_from"
TRAINER_ACCUMULATION = "accumulate_grad_batches"


@dataclass(frozen=True)
class Run:
    """What one call of the training works with; `resume_from` is a checkpoint to go on from, though `changing` what they name.

    `start_from`: the first weights by name, as a module's `state_dict` has them, or None for drawn ones.
    """

    config: TrainingConfig
    execution: PyTorchExecutionConfig
    resume_from: Path | None = None
    changing: tuple[str, ...] = ()
    start_from: Mapping[str, Any] | None = None


def settle(config: TrainingConfig, execution: PyTorchExecutionConfig, overrides: Mapping[str, Any] | None) -> Run:
    """The settings of a call. The arguments stay as they are.

    An override is a field of the model, training or execution configuration (of all that have it), an alias of one,
    `resume_from`, or `resume_override`: the settings that may differ from those of that checkpoint; `start_from`, the first
    weights (`state_dict` of a module). Raises `ContractError` for an unknown name, with the nearest known one, and for two names
    of one setting that contradict each other; `FileNotFoundError` for a checkpoint that is not there; `RuntimeError` where the
    trainer is asked to accumulate (`accumulate_grad_batches`).
    """
    settings = _by_name(overrides or {})
    _refuse_trainer_accumulation(execution, settings)
    resume_from, changing = _existing(settings.pop(RESUME, None)), settings.pop(RESUME_OVERRIDE, ())
    start_from = settings.pop(START, None)
    parts = {kind: _names(kind) & settings.keys() for kind in (ModelConfig, TrainingConfig, PyTorchExecutionConfig)}
    _refuse_unknown(settings.keys() - set().union(*parts.values()))
    chosen = {kind: {name: settings[name] for name in names} for kind, names in parts.items()}
    model = replace(config.model, **chosen[ModelConfig])
    if "nphotons" in settings:  # said for this call: it stands above a record's metadata too (CONFIG-065)
        chosen[TrainingConfig]["nphotons_source"] = "override"
    return Run(
        config=replace(config, **{"model": model, **chosen[TrainingConfig]}),
        execution=replace(execution, **chosen[PyTorchExecutionConfig]),
        resume_from=resume_from,
        changing=(changing,) if isinstance(changing, str) else tuple(changing),
        start_from=start_from,
    )


def _by_name(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides under the settings' own names; two names of one setting say the same, or are refused (CONFIG-079)."""
    settings: dict[str, Any] = {}
    for given, value in overrides.items():
        name = ALIASES.get(given, given)
        if name in settings and settings[name] != value:
            expected = f"the same as under its other name, {settings[name]!r}"
            raise ContractError(field=f"override {given!r}", expected=expected, found=repr(value))
        settings[name] = value
    return settings


def _names(kind: type) -> set[str]:
    return {field.name for field in fields(kind)} - {"nphotons_source"}


def _refuse_trainer_accumulation(execution: PyTorchExecutionConfig, settings: dict[str, Any]) -> None:
    """EXEC-004: the step accumulates (override `accum_steps`); a trainer around it would refuse or count twice."""
    asked = settings.pop(TRAINER_ACCUMULATION, 1)
    asked = execution.accum_steps if "accum_steps" not in settings and asked == 1 else asked
    if asked != 1:
        raise RuntimeError(
            f"accum_steps: expected 1 in the execution configuration, found {asked}; under manual optimisation the trainer "
            f"cannot accumulate ({TRAINER_ACCUMULATION}), the step does: give the override accum_steps={asked}"
        )


def _refuse_unknown(unknown: set[str]) -> None:
    if unknown:
        known = {RESUME, RESUME_OVERRIDE, START, *ALIASES}.union(
            *(_names(kind) for kind in (ModelConfig, TrainingConfig, PyTorchExecutionConfig))
        )
        name = min(unknown)
        near = get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]
        raise ContractError(field=f"override {name!r}", expected=f"a known setting (nearest: {near!r})", found="no such setting")


def _existing(checkpoint: str | Path | None) -> Path | None:
    if checkpoint is not None and not Path(checkpoint).is_file():
        raise FileNotFoundError(f"{checkpoint}: {RESUME}: expected a checkpoint file, found none")
    return None if checkpoint is None else Path(checkpoint)
