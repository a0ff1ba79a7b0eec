"""Defects of what is said more than once, and of flags whose value is zero."""

from __future__ import annotations

from typing import Any

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl import execution

SAID = "EXEC-002:every_run_on_the_cpu_is_said"
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


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-EXEC-002e", "that a run is on the CPU is said once a process", SAID,
    plant=function(execution.detect_accelerator, it_is_said_once))
mutant("GUARD-EXEC-011k", "a flag of zero is a flag that was left out", "EXEC-011:a_zero_is_a_value[checkpoint_save_top_k-0]",
    plant=function(execution.build_execution_config_from_args, a_zero_is_no_value))
