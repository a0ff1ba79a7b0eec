"""Defects of what a bundle that is refused leaves behind."""

from __future__ import annotations

from typing import Any

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.bundle import archive, weights
from reference_impl.config import registry
from reference_impl.errors import ContractError

LEAVES = "BUNDLE-042:a_refused_archive_leaves_the_registry"


def its_parameters_stay(original: Any, params: Any, *rest: Any) -> Any:
    try:
        return original(params, *rest)
    except ContractError:
        registry.cfg.update({key: value for key, value in params.items() if not key.startswith("_")})
        raise


def the_first_numbers_are_compared(original: Any, state: Any, trained: Any, *rest: Any) -> Any:
    first = {name: value.reshape(-1)[:4] for name, value in state.items()}
    return original(first, {name: value.reshape(-1)[:4] for name, value in trained.items()}, *rest)


def nothing_is_left(original: Any, *given: Any) -> Any:
    try:
        return original(*given)
    except ContractError:
        registry.cfg.clear()
        raise


def what_is_private_is_registered(original: Any, params: Any, *rest: Any) -> Any:
    found = original(params, *rest)
    registry.cfg.update(params)
    return found


def how_it_was_trained_is_registered(original: Any, params: Any, *rest: Any) -> Any:
    found = original(params, *rest)
    registry.cfg.update({"num_workers": 0, "accelerator": "cpu"})
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BUNDLE-042", "a refused bundle leaves its parameters in the registry",
    f"{LEAVES}[weight-missing]", f"{LEAVES}[another-width]",
    plant=function(archive._rebuilt, its_parameters_stay))
mutant("GUARD-BUNDLE-042b", "a refused bundle empties the registry", f"{LEAVES}[weight-missing]",
    plant=function(archive._rebuilt, nothing_is_left))
STAYS = "CONFIG-004:opening_a_bundle_brings_no_setting_of_its_run"
mutant(
    "GUARD-CONFIG-004b",
    "the rate of who trained is in the registry of who opens the bundle",
    STAYS,
    plant=function(archive._rebuilt, what_is_private_is_registered),
)
mutant(
    "GUARD-CONFIG-004c",
    "opening a bundle registers workers and accelerator",
    STAYS,
    plant=function(archive._rebuilt, how_it_was_trained_is_registered),
)
CONTRADICT = "BUNDLE-043:entries_that_contradict_each_other_are_refused"
mutant(
    "GUARD-BUNDLE-043",
    "an autoencoder that is not the model's is dropped without a word",
    CONTRADICT,
    plant=function(weights.refuse_unequal, lambda original, *given: None),
)
mutant(
    "GUARD-BUNDLE-043b",
    "two entries are compared by the first numbers of each weight",
    CONTRADICT,
    plant=function(weights.refuse_unequal, the_first_numbers_are_compared),
)
