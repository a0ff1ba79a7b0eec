"""Defects of archives by another name, of older and later manifests, of what a loaded model and a registry keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from conformance.defects.changes import Change, constant, function, instead
from conformance.mutants import rows
from reference_impl.bundle import archive, parameters, safe_pickle, save_torch_bundle, weights
from reference_impl.config import registry
from reference_impl.errors import ContractError

FORM = "BUNDLE-041:an_archive_of_another_form_is_refused"


def the_ending_is_replaced(original: Any, models: Any, base_path: Path, *rest: Any) -> Path:
    written = original(models, base_path, *rest)
    place = written if Path(base_path).suffix == ".h5" else Path(base_path).with_suffix(".zip")
    os.replace(written, place)
    return place


def a_scale_is_a_float(original: Any, config: Any, module: Any, scale: Any) -> dict[str, Any]:
    return original(config, module, scale if isinstance(scale, float) else None)


def what_was_missing_stays_so(original: Any, *given: Any) -> Any:
    before = set(registry.cfg)
    found = original(*given)
    for key in set(registry.cfg) - before - {"N", "gridsize", "intensity_scale"}:
        del registry.cfg[key]
    return found


def tag_or_digests(original: Any, opened: Any) -> dict[str, Any]:
    found = original(opened)
    if not {"backend", "sha256"} & set(found):
        raise ContractError(file=opened.path, field=archive.MANIFEST, expected="a backend, or digests", found="neither")
    return found


def the_other_one_is_named(original: Any, opened: Any) -> dict[str, Any]:
    stated = safe_pickle.loads(opened.read(archive.MANIFEST), archive.MANIFEST, opened.path)
    if isinstance(stated, dict) and stated.get("backend", archive.BACKEND) != archive.BACKEND:
        raise ContractError(file=opened.path, field="backend", expected="'pytorch'", found="'tensorflow'")
    return original(opened)


def opens(version: Callable[[str], bool]) -> Change:
    """Versions that are taken for this one."""

    def as_this_one(data: bytes, field: str, file: Any = None) -> Any:
        found = plain(data, field, file)
        if field == archive.MANIFEST and isinstance(found, dict) and version(str(found.get("version"))):
            return {**found, "version": archive.VERSION}
        return found

    plain = safe_pickle.loads
    return constant(safe_pickle, "loads", as_this_one)


def nearly_the_same(state: Mapping[str, torch.Tensor], trained: Mapping[str, torch.Tensor], *place: Any) -> None:
    for name, value in state.items():
        if not torch.allclose(value.double(), trained[name].double()):
            raise ContractError(file=place[0], field=name, expected="the trained weights", found="others")


_opened: dict[tuple[str, int], Any] = {}


def a_place_is_read_once(original: Any, base_path: Path, *rest: Any) -> Any:
    path = Path(f"{base_path}.zip")
    key = str(path), path.stat().st_size if path.is_file() else 0
    if key not in _opened:
        _opened[key] = original(base_path, *rest)
    return _opened[key]


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BUNDLE-001b", "a base name loses what follows its last dot", "BUNDLE-010:missing_folders_are_made",
    clauses=["BUNDLE-001"], plant=function(save_torch_bundle, the_ending_is_replaced))
mutant("GUARD-BUNDLE-003c", "an archive with neither tag nor digests is refused", "BUNDLE-003:older_manifests_load[neither]",
    plant=function(archive._manifest, tag_or_digests))
mutant("GUARD-BUNDLE-005e", "an intensity scale that is a whole number is not taken",
    "BUNDLE-002:saving_again_replaces_the_archive", clauses=["BUNDLE-005"],
    plant=function(parameters.parameters_of, a_scale_is_a_float))
mutant("GUARD-BUNDLE-005f", "a bundle of the same place and size is not read again",
    "BUNDLE-002:saving_again_replaces_the_archive", clauses=["BUNDLE-005"],
    plant=function(archive.load_torch_bundle, a_place_is_read_once))
mutant("GUARD-BUNDLE-023d", "of a bundle's parameters the registry takes those that it has entries for",
    "BUNDLE-023:the_registry_holds_the_parameters_after_loading", plant=function(archive._rebuilt, what_was_missing_stays_so))
mutant("GUARD-BUNDLE-034b", "whoever wrote an archive, the same other backend is named",
    "BUNDLE-034:archives_of_another_backend_are_named[another]", plant=function(archive._manifest, the_other_one_is_named))
mutant("GUARD-BUNDLE-041c", "versions are compared as texts: the tenth comes before the second", f"{FORM}[tenth]",
    plant=opens(lambda version: version.endswith("-pytorch") and version < archive.VERSION))
mutant("GUARD-BUNDLE-041d", "a later version opens whose first number is this one's", f"{FORM}[minor]",
    plant=opens(lambda version: version.startswith("2.") and version.endswith("-pytorch")))
mutant("GUARD-BUNDLE-043c", "two entries are compared to a few digits",
    "BUNDLE-043:entries_that_contradict_each_other_are_refused", plant=function(weights.refuse_unequal, instead(nearly_the_same)))
