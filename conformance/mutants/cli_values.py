"""Defects of values: what is typed behind a flag, numbers that a command takes from elsewhere, the model that is the last."""

from __future__ import annotations

from typing import Any

from conformance.defects.changes import function, method, source
from conformance.mutants import rows
from reference_impl.cli import infer
from reference_impl.cli.flags import Parser

CREATED = "CLIENT-006:a_training_leaves_a_model_and_nothing_else_behind"


def values_are_spelt_evenly(original: Any, self: Any, given: list[str]) -> Any:
    return original(self, [token.replace("_", "-") if token.startswith("--") else token for token in given])


def every_pattern_is_placed(original: Any, args: Any, *rest: Any) -> Any:
    args.n_groups = "all"
    return original(args, *rest)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-002c", "an underscore in a path becomes a hyphen", "CLI-002:a_value_is_kept_as_it_was_typed[equals]",
    plant=method(Parser, "_spelled", values_are_spelt_evenly))
mutant("GUARD-CLI-006c", "an inference places every pattern", "CLI-006:infer_places_as_many_groups_as_it_is_told",
    plant=function(infer._config, every_pattern_is_placed))
mutant("GUARD-CLIENT-006c", "what is saved is the first model of the process", CREATED,
    plant=source("drop_in/path/ptycho/workflows/components.py", "model_manager.latest = model_manager.Trained(",
        "model_manager.latest = model_manager.latest or model_manager.Trained("))
