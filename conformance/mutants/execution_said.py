"""Defects of what is said more than once or not at all, of values at the ends of ranges, and of the flags of an inference."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl import execution
from reference_impl.execution import PyTorchExecutionConfig

SAID = "EXEC-002:every_run_on_the_cpu_is_said"
RANGES = "EXEC-001:values_out_of_range_are_refused_at_construction"
ARRIVE = "EXEC-011:flags_of_inference_arrive"
_told: list[Any] = []


def it_is_said_once(original: Any, stacklevel: int = 2) -> str:
    if not _told:
        _told.append(original(stacklevel))
    return str(_told[0])


def a_zero_is_no_value(original: Any, args: Any, mode: str) -> Any:
    for name, value in list(vars(args).items()):
        if value == 0 and value is not False:
            delattr(args, name)
    return original(args, mode)


def a_negative_number_is_a_default(original: Any, self: Any) -> None:
    for name, default in (("inference_batch_size", None), ("early_stop_patience", 100)):
        if (getattr(self, name) or 0) < 0:
            object.__setattr__(self, name, default)
    original(self)


def what_agrees_is_not_told(original: Any, accelerator: str = "auto", device: str | None = None) -> str:
    return accelerator if device == accelerator else original(accelerator, device)


def a_flag_is_deprecated_whether_it_is_given(original: Any, args: Any, mode: str) -> Any:
    if "disable_mlflow" in vars(args):
        warnings.warn("--disable_mlflow is deprecated", DeprecationWarning, stacklevel=2)
    return original(args, mode)


def an_inference_has_its_own_way(name: str, value: Any) -> Any:
    def change(original: Any, args: Any, mode: str) -> Any:
        found = original(args, mode)
        return replace(found, **{name: value}) if mode == "inference" else found

    return change


def a_folder_must_be_new(original: Any, train: Any, test: Any, output_dir: Any) -> None:
    if output_dir is not None and Path(output_dir).exists():
        raise FileExistsError(f"{output_dir}: is there")
    original(train, test, output_dir)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-EXEC-002e", "that a run is on the CPU is said once a process", SAID,
    plant=function(execution.detect_accelerator, it_is_said_once))
mutant("GUARD-EXEC-011k", "a flag of zero is a flag that was left out", "EXEC-011:a_zero_is_a_value[checkpoint_save_top_k-0]",
    plant=function(execution.build_execution_config_from_args, a_zero_is_no_value))
mutant("GUARD-EXEC-001e", "negative numbers of epochs and of groups are the default's", f"{RANGES}[patience-neg]",
    f"{RANGES}[inference_batch_size-neg]", plant=method(PyTorchExecutionConfig, "__post_init__", a_negative_number_is_a_default))
mutant("GUARD-EXEC-010d", "a device beside the same accelerator is ignored in silence",
    "EXEC-010:beside_an_accelerator_a_device_is_ignored_aloud",
    plant=function(execution.resolve_accelerator, what_agrees_is_not_told))
mutant("GUARD-EXEC-011l", "a flag that nobody gave is called deprecated",
    "EXEC-011:the_progress_bar_is_on_unless_it_is_silenced[plain]",
    plant=function(execution.build_execution_config_from_args, a_flag_is_deprecated_whether_it_is_given))
mutant("GUARD-EXEC-011m", "an inference never draws a bar", ARRIVE,
    plant=function(execution.build_execution_config_from_args, an_inference_has_its_own_way("enable_progress_bar", False)))
mutant("GUARD-EXEC-011n", "in an inference --logger none writes a table", ARRIVE,
    plant=function(execution.build_execution_config_from_args, an_inference_has_its_own_way("logger_backend", "csv")))
mutant("GUARD-EXEC-012d", "an output folder that is there is refused", "EXEC-012:files_may_be_left_out_and_the_folder_is_made",
    plant=function(execution.validate_paths, a_folder_must_be_new))
