"""Freedoms of the execution configuration and of the flags it is made of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace
from types import SimpleNamespace

from conformance.defects.changes import constant, every, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.twins import rows
from reference_impl import execution
from reference_impl.domains import fields as domains
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import trainer

ALL = ("test_execution", "test_execution_flags", "test_config_payload", "test_config_entries")


def an_execution_configuration_has_more_settings(plant: Plant) -> None:
    @dataclass(frozen=True)
    class Execution(PyTorchExecutionConfig):
        compile_network: bool = False
        benchmark: bool | None = None

    own = {"compile_network": domains.SWITCH, "benchmark": domains.optional(domains.SWITCH)}
    domains.OWN.update({("Execution", name): domain for name, domain in own.items()})
    plant.function(PyTorchExecutionConfig, lambda original: Execution)


def nobody_loads_beside(original, train, test, config, execution_config=None, overrides=None):
    if execution_config is not None and execution_config.num_workers:
        raise ValueError(f"num_workers: expected 0, for batches are made here, found {execution_config.num_workers}")
    return original(train, test, config, execution_config, overrides)


def the_ignored_device_is_a_user_warning(original, accelerator="auto", device=None):
    if device is None or accelerator == "auto":
        return original(accelerator, device)
    warnings.warn(f"Ignoring --device value {device!r}", UserWarning, stacklevel=2)
    return accelerator


def the_strategy_is_checked_before_the_trainer(original, module, memory, run, validates):
    if run.execution.strategy not in ("auto", "ddp", "fsdp"):
        raise ValueError(f"strategy: expected auto, ddp or fsdp, found {run.execution.strategy!r}")
    return original(module, memory, run, validates)


def warned_by_a_subclass(message, category, stacklevel=1):
    warnings.warn(f"W042: {message}; see the manual", type("HouseWarning", (category,), {}), stacklevel + 1)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-MORE-EXECUTION-SETTINGS", "the execution configuration has settings that the contract does not know", files=ALL,
    plant=an_execution_configuration_has_more_settings)
twin("TWIN-LOGGER-BY-NAME", "no logger is the logger 'none', not None", files=("test_execution_flags",),
    plant=function(execution.build_execution_config_from_args,
        result(lambda built: replace(built, logger_backend="none") if built.logger_backend is None else built)))
twin("TWIN-DEVICE-WARNED-AS-USER", "a device beside an accelerator is ignored with a UserWarning",
    files=("test_execution_flags",),
    plant=function(execution.resolve_accelerator, the_ignored_device_is_a_user_warning))
twin("TWIN-STRATEGY-CHECKED-EARLY", "an unknown strategy is refused as a ValueError before a trainer is made", files=ALL,
    plant=function(trainer._make_trainer, the_strategy_is_checked_before_the_trainer))
twin("TWIN-WARNINGS-OF-A-HOUSE", "warnings are of subclasses of their categories, and say more", files=ALL,
    plant=constant(execution, "warnings", SimpleNamespace(warn=warned_by_a_subclass)))
twin("TWIN-MUTABLE-EXECUTION", "the execution configuration can be changed after it was made", files=ALL,
    plant=every(method(PyTorchExecutionConfig, "__setattr__", instead(object.__setattr__)),
        method(PyTorchExecutionConfig, "__hash__", instead(lambda self: hash(len(fields(self)))))))
twin("TWIN-NOBODY-LOADS-BESIDE", "a training refuses workers by the setting's name", "EXEC-015:who_loads_changes_nothing[a-tail]",
    files=("test_config_effects",), plant=function(trainer.train_cdi_model_torch, nobody_loads_beside))
