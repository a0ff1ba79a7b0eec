"""Freedoms of the execution configuration and of the flags it is made of."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields, replace

from conformance.defects.planting import Plant
from conformance.twins import twin
from reference_impl import execution
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import trainer

ALL = ("test_execution", "test_execution_flags", "test_config_payload", "test_config_entries")


@twin("TWIN-MORE-EXECUTION-SETTINGS", "the execution configuration has settings that the contract does not know", files=ALL)
def an_execution_configuration_has_more_settings(plant: Plant) -> None:
    @dataclass(frozen=True)
    class Execution(PyTorchExecutionConfig):
        compile_network: bool = False
        benchmark: bool | None = None

    plant.function(PyTorchExecutionConfig, lambda original: Execution)


@twin("TWIN-LOGGER-BY-NAME", "no logger is the logger 'none', not None", files=("test_execution_flags",))
def the_logger_none_keeps_its_name(plant: Plant) -> None:
    def named(original):
        def build(args, mode):
            built = original(args, mode)
            return replace(built, logger_backend="none") if built.logger_backend is None else built

        return build

    plant.function(execution.build_execution_config_from_args, named)


@twin(
    "TWIN-DEVICE-WARNED-AS-USER", "a device beside an accelerator is ignored with a UserWarning", files=("test_execution_flags",)
)
def the_ignored_device_is_a_user_warning(plant: Plant) -> None:
    def as_user(original):
        def resolve(accelerator="auto", device=None):
            if device is None or accelerator == "auto":
                return original(accelerator, device)
            warnings.warn(f"Ignoring --device value {device!r}", UserWarning, stacklevel=2)
            return accelerator

        return resolve

    plant.function(execution.resolve_accelerator, as_user)


@twin("TWIN-STRATEGY-CHECKED-EARLY", "an unknown strategy is refused as a ValueError before a trainer is made", files=ALL)
def the_strategy_is_checked_before_the_trainer(plant: Plant) -> None:
    def early(original):
        def make(module, memory, run, validates):
            if run.execution.strategy not in ("auto", "ddp", "fsdp"):
                raise ValueError(f"strategy: expected auto, ddp or fsdp, found {run.execution.strategy!r}")
            return original(module, memory, run, validates)

        return make

    plant.function(trainer._make_trainer, early)


@twin("TWIN-MUTABLE-EXECUTION", "the execution configuration can be changed after it was made", files=ALL)
def the_execution_configuration_is_not_frozen(plant: Plant) -> None:
    plant.method(PyTorchExecutionConfig, "__setattr__", lambda original: object.__setattr__)
    plant.method(PyTorchExecutionConfig, "__hash__", lambda original: lambda self: hash(len(fields(self))))
