"""Defects of settings that reach one of two paths, of keys and rooms of maps, of errors that are taken for absence."""

from __future__ import annotations

import math
import os
from dataclasses import replace

from conformance.defects.changes import function, instead, method, result
from conformance.mutants import rows
from reference_impl.batch import fields, loaders, mapped, mapping
from reference_impl.data import on_disk, pairing
from reference_impl.data.npz import Archive
from reference_impl.data.record import PATTERN_KEYS

BESIDE = "BATCH-049:files_of_every_form_lie_beside_each_other"
BROKEN = "BATCH-036:an_error_of_any_attribute_is_reported"
FAILING = "BATCH-057:an_attribute_that_fails_is_not_absent"
HELD = "BATCH-056:a_map_holds_what_was_asked_for"
SAID = "BATCH-059:a_map_says_what_its_files_are_read_with"
SETTINGS = "BATCH-040:settings_of_groups_act_through_a_map"
TOLD = set()
WORKERS = "BATCH-031:both_loaders_have_the_workers_that_were_asked_for"


def room_of_dropped_patterns_stays(original, path, target, **options):
    found = original(path, target, **options)
    with Archive(path) as archive:
        shape = archive.header(archive.require(*PATTERN_KEYS)).shape
    os.truncate(target, target.stat().st_size + 4 * math.prod(shape) - found.diff3d.nbytes)
    return found


def masks_of_all_files_are_none(original, self, *given):
    original(self, *given)
    if self.masks is not None and not self.masks.all(axis=(1, 2)).any():
        self.masks = None


def an_attribute_error_is_absence(container, name):
    return container.get(name) if isinstance(container, dict) else getattr(container, name, None)


def any_error_of_a_scale_is_absence(original, container, name):
    try:
        return original(container, name)
    except Exception:
        if "scaling" in name:
            return None
        raise


def told_once(original, archive, frames, positions, tell=True):
    folder = archive.path.parent
    first = tell and folder not in TOLD
    found = original(archive, frames, positions, first)
    if found is not None:
        TOLD.add(folder)
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-040f", "the pool of neighbours does not reach a map", f"{SETTINGS}[pool]", f"{SETTINGS}[pool-of-a-part]",
    plant=function(mapping._groups, lambda original, points, plan: original(points, replace(plan, neighbor_pool_size=None))))
mutant("GUARD-BATCH-040g", "a map takes seed 0 for none", f"{SETTINGS}[by-another-seed]",
    plant=function(mapping._groups, lambda original, points, plan:
        original(points, replace(plan, subsample_seed=plan.subsample_seed or 42))))
mutant("GUARD-BATCH-056", "a map of another pool of neighbours is opened as if it fitted", f"{HELD}[pool]", f"{HELD}[no-pool]",
    plant=method(mapping.Plan, "settings", result(lambda found: found | {"neighbor_pool_size": None})))
mutant("GUARD-BATCH-056b", "a map of more groups than points is opened where nobody allows them", f"{HELD}[oversampling]",
    plant=method(mapping.Plan, "settings", result(lambda found: found | {"enable_oversampling": None})))
mutant("GUARD-BATCH-049z", "a map of files that all have a mask has none",
    "BATCH-049:the_loss_of_a_map_is_that_of_data_in_memory[masked]",
    plant=method(mapped.MappedDataset, "__init__", masks_of_all_files_are_none))
mutant("GUARD-BATCH-049r", "behind a file with dropped frames rows show other patterns", BESIDE,
    plant=function(on_disk.read_on_disk, room_of_dropped_patterns_stays))
mutant("GUARD-BATCH-057", "an attribute whose reading fails is absent", f"{FAILING}[probe]", f"{FAILING}[experiment_id]",
    plant=function(fields.attribute, instead(an_attribute_error_is_absence)))
mutant("GUARD-BATCH-036b", "scales that cannot be read are ones", f"{BROKEN}[rms_scaling_constant-file]",
    f"{BROKEN}[physics_scaling_constant-key]", plant=function(fields.attribute, any_error_of_a_scale_is_absence))
mutant("GUARD-BATCH-031h", "validation has no workers", WORKERS,
    plant=function(loaders.make_loader, lambda original, dataset, size, execution=None, *, shuffle=False, generator=None:
        original(dataset, size, execution if generator else None, shuffle=shuffle, generator=generator)))
mutant("GUARD-BATCH-031k", "training has no workers", WORKERS,
    plant=function(loaders.make_loader, lambda original, dataset, size, execution=None, *, shuffle=False, generator=None:
        original(dataset, size, None if generator else execution, shuffle=shuffle, generator=generator)))
mutant("GUARD-BATCH-059", "integers in a map are amplitudes without a word", f"{SAID}[integers]",
    plant=function(on_disk.warn_of_integers, instead(lambda *given: None)))
mutant("GUARD-BATCH-059b", "of several files with dropped frames the first is told", f"{SAID}[frames-missing]",
    plant=function(pairing.read, told_once))
