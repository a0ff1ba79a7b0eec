"""Defects of memory maps: rows, constants, stale maps, files that cannot be used; and of groups by rule."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

from conformance.defects.changes import Change, caught, constant, every, function, instead, method, result
from conformance.mutants import rows
from reference_impl.batch import loaders, manifest, mapped, mapping
from reference_impl.data import on_disk, record
from reference_impl.errors import ContractError
from reference_impl.grouping import rules

CONSTANTS = "BATCH-044:constants_are_those_of_the_file"
PAIRED = "BATCH-049:a_map_pairs_patterns_with_positions"
SAME = "BATCH-049:batches_are_those_of_data_in_memory"
OTHER_FILES = "BATCH-045:a_map_of_other_files_is_refused"
OTHER_SETTINGS = "BATCH-045:a_map_made_with_other_settings_is_refused"
BY_NAME = "BATCH-047:a_bad_file_is_refused_by_name"


def gathered(change: Callable[..., Any]) -> Change:
    """Every batch `(fields, probe, scaling)` of a map goes through `change`."""
    return method(mapped.MappedDataset, "__getitems__", result(lambda found: change(*found)))


def expanded(given, probe, scaling):
    same = bool((probe == probe[:1]).all())
    return (given, probe[:1, :1].expand(probe.shape), scaling[:1].expand(scaling.shape)) if same else (given, probe, scaling)


def rows_beyond_the_last_are_black(original, self, indices):
    chosen = np.asarray(indices)
    given, *rest = original(self, np.minimum(chosen, self.manifest.groups - 1))
    given["images"][torch.from_numpy(chosen >= self.manifest.groups)] = 0
    return given, *rest


def one_factor_serves_all_files(original, self, indices):
    given, *rest = original(self, indices)
    factors = torch.tensor([scan.factor for scan in self.manifest.scans])
    given["images"] *= (factors.mean() / factors)[given["experiment_id"]].reshape(-1, 1, 1, 1).float()
    return given, *rest


def the_first_probe_serves_all_files(original, self, *given):
    original(self, *given)
    self.probes = np.stack([self.probes[0]] * len(self.probes))


def later_files_take_what_is_their_neighbours(original, files, *given):
    scans, small = original(files, *given)
    shift = len(files) - len(scans)
    names = {name: name.rpartition("_") for name in small}
    return scans, {name: small[f"{kind}_{max(0, int(number) - shift)}"] for name, (kind, _, number) in names.items()}


def one_tensor_serves_every_batch(original, self, indices):
    given, probe, scaling = original(self, indices)
    places = self.__dict__.setdefault("places", {})
    kept = places.setdefault(len(probe), probe)
    return given, kept.copy_(probe), scaling


def folders_are_read_backwards(original, given):
    found = original(given)
    return found if [path.is_dir() for path in given] == [False] * len(given) else found[::-1]


def the_folder_is_cleared_first(original, files, folder, *given):
    shutil.rmtree(folder, ignore_errors=True)
    return original(files, folder, *given)


def any_schema_will_do(folder):
    content = manifest.json.loads((folder / manifest.NAME).read_text(encoding="utf-8"))
    return manifest._checked(content)


def the_centre_is_a_neighbour(points, centres, K):
    return np.atleast_2d(rules.cKDTree(points).query(points[centres], k=min(K, len(points)))[1])


def the_first_patterns_of_a_map_stay(original, stack, rows):
    return stack[: len(rows)] if isinstance(stack, np.memmap) else original(stack, rows)


def patterns_are_moved_from_the_end(original, stack, rows):
    if not isinstance(stack, np.memmap):
        return original(stack, rows)
    for place, row in reversed([*enumerate(rows)]):
        stack[place] = stack[row]
    return stack[: len(rows)]


def one_exposure_is_damage(original, folder, *rest):
    found = original(folder, *rest)
    if found.patterns == 1:
        raise ContractError(file=folder, field="manifest", expected="a whole map", found="a damaged one")
    return found


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Rows and their memory.
mutant("DEF-025", "expanded views cannot be written to, nor pinned", "BATCH-043:samples_share_no_memory",
    plant=gathered(expanded))
mutant("DEF-037", "the last rows are black patterns", "BATCH-046:every_row_is_written",
    plant=every(method(mapped.MappedDataset, "__getitems__", rows_beyond_the_last_are_black),
        method(mapped.MappedDataset, "__len__", result(lambda count: count + 2))))
mutant("GUARD-BATCH-040", "members are counted through all files", "BATCH-040:rows_lie_where_their_members_were_taken",
    plant=gathered(lambda given, *rest:
        (given.set("nn_indices", given["nn_indices"] + 23 * given["experiment_id"][:, None]), *rest)))
mutant("GUARD-BATCH-040b", "the scans of a folder stand in no order", "BATCH-040:a_folder_stands_for_its_files",
    plant=function(mapping.sources_of, folders_are_read_backwards))
mutant("GUARD-BATCH-040c", "scales of a map lack their axes", "BATCH-040:a_map_gives_batches",
    plant=gathered(lambda given, *rest: (given.set("rms_scaling_constant", given["rms_scaling_constant"].flatten()), *rest)))
mutant("GUARD-BATCH-041", "rows come sorted", "BATCH-041:rows_are_asked_for_by_index[list]",
    plant=method(mapped.MappedDataset, "__getitems__", lambda original, self, indices: original(self, sorted(indices))))
mutant("GUARD-BATCH-041b", "rows beyond the end are the last one", "BATCH-041:a_row_that_is_not_there_is_an_error",
    plant=method(mapped.MappedDataset, "__getitems__",
        lambda original, self, indices: original(self, np.minimum(indices, len(self) - 1))))
mutant("GUARD-BATCH-042", "rows are fetched one by one", "BATCH-042:a_loader_asks_for_whole_batches",
    plant=function(loaders.whole_batches, instead(lambda dataset, size, **rest: DataLoader(dataset, batch_size=size))))
mutant("GUARD-BATCH-043", "every batch lies where the one before lay", "BATCH-043:samples_share_no_memory",
    plant=method(mapped.MappedDataset, "__getitems__", one_tensor_serves_every_batch))
mutant("DEF-042", "images of one file lie about the centre of another", "BATCH-048:the_centre_is_that_of_the_rows[0]",
    "BATCH-048:the_centre_does_not_know_other_files",
    plant=method(mapped.MappedDataset, "centre",
        lambda original, self, rows=None: original(self, self.of_file(len(self.manifest.scans) - 1))))

# Constants.
mutant("DEF-092", "patterns are scaled by a maximum over the samples", CONSTANTS,
    plant=function(mapping.factor_of, instead(lambda patterns, indices, N, file=None: 1 / float(np.max(patterns)))))
mutant("GUARD-BATCH-044", "one bright scan dims all others", CONSTANTS, "BATCH-044:other_files_change_nothing",
    plant=method(mapped.MappedDataset, "__getitems__", one_factor_serves_all_files))
mutant("GUARD-BATCH-044b", "a dark file trains as NaN", "BATCH-044:a_dark_file_is_refused_by_name",
    plant=every(function(mapping.factor_of, caught(ContractError, lambda error, *given: 1.0)),
        function(mapping.scale_for, instead(lambda energy, photons: torch.full((1, 1, 1), float(photons))))))
mutant("GUARD-BATCH-044c", "the photons that a file states have no effect", f"{CONSTANTS}[1-400000.0-g1]",
    plant=function(mapping.photons_of, instead(lambda raw, plan: (plan.nphotons, "config"))))
mutant("GUARD-BATCH-044d", "mapped patterns have another energy than those in memory", CONSTANTS, SAME,
    plant=gathered(lambda given, *rest: (given.set("images", 2 * given["images"]), *rest)))

# Stale maps.
mutant("DEF-040", "yesterday's map is trained on", OTHER_SETTINGS, f"{OTHER_FILES}[other-content]", f"{OTHER_FILES}[dropped]",
    plant=function(manifest.refuse_stale, instead(lambda *given: None)))
mutant("GUARD-BATCH-045", "a damaged map is trained on", f"{OTHER_FILES}[flipped-byte]", f"{OTHER_FILES}[cut]",
    plant=function(manifest.refuse_damage, instead(lambda *given: None)))
mutant("GUARD-BATCH-045b", "the version of a map is written and never read", "BATCH-045:another_schema_is_refused",
    plant=function(manifest.read_manifest, instead(any_schema_will_do)))
mutant("GUARD-BATCH-045c", "the map is built at every start", "BATCH-045:a_map_that_fits_is_opened_as_it_stands",
    plant=function(mapping.make_map, lambda original, sources, folder, plan, remake=False, look=None:
        original(sources, folder, plan, True, look)))
mutant("GUARD-BATCH-045d", "--remake has no effect", "BATCH-045:a_map_is_built_anew_on_demand",
    plant=function(mapping.make_map, lambda original, sources, folder, plan, remake=False, look=None:
        original(sources, folder, plan, False, look)))
mutant("GUARD-BATCH-045e", "a rebuild that fails leaves nothing", "BATCH-045:a_rebuild_that_fails_leaves_the_map",
    plant=function(mapping._build, the_folder_is_cleared_first))
mutant("GUARD-BATCH-045f", "a repaired file of the same size and time is not seen", f"{OTHER_FILES}[other-content]",
    plant=function(manifest.source_digest, instead(lambda path: str((path.stat().st_size, path.stat().st_mtime_ns)))))
mutant("GUARD-BATCH-045g", "a map of other photons is trained on", f"{OTHER_SETTINGS}[nphotons]",
    plant=method(mapping.Plan, "settings", result(lambda found: found | {"nphotons": None})))

# Files that cannot be used.
mutant("DEF-041", "after a skipped file, labels and probe are its neighbour's", "BATCH-047:labels_stay_with_their_file",
    "BATCH-047:a_skipped_file_takes_along_what_is_its_own",
    plant=function(mapping._scans, later_files_take_what_is_their_neighbours))
mutant("GUARD-BATCH-046", "an empty folder ends in an IndexError", "BATCH-046:nothing_makes_no_map",
    "BATCH-046:a_map_of_skipped_files_alone_is_none",
    plant=function(mapping.make_map, caught(ContractError, lambda error, *given:
        IndexError("list index out of range") if "0 items" in str(error) else error)))
mutant("GUARD-BATCH-046b", "rows are counted by what was asked for", "BATCH-046:single_patterns_are_counted_by_file",
    plant=every(method(mapped.MappedDataset, "__getitems__", rows_beyond_the_last_are_black),
        method(mapped.MappedDataset, "__len__", lambda original, self:
            max(original(self), len(self.manifest.scans) * (self.manifest.settings["n_groups"] or 0)))))
mutant("GUARD-BATCH-047", "nobody says which file is bad", BY_NAME,
    plant=every(constant(mapping, "naming", lambda *given, **options: nullcontext()),
        function(mapping._scan, caught(ContractError, lambda error, *given: ContractError(
            field=error.field, expected=error.expected, found=error.found)))))
mutant("GUARD-BATCH-047b", "unlike probes and missing objects pass", f"{BY_NAME}[more-modes]",
    "BATCH-047:a_file_without_an_object_has_no_labels",
    plant=function(mapping._refuse_unlike, instead(lambda *given: None)))
mutant("GUARD-BATCH-047c", "files are skipped without a word", "BATCH-047:a_skipped_file_takes_along_what_is_its_own",
    plant=constant(mapping.warnings, "warn", lambda *given, **options: None))

mutant("DEF-209", "every scan is trained under the first one's probe", f"{SAME}[1-g2]",
    plant=method(mapped.MappedDataset, "__init__", the_first_probe_serves_all_files))

# Batches as in memory.
mutant("GUARD-BATCH-049", "patterns on disk are multiplied in double precision", SAME,
    plant=constant(mapping, "scaled", lambda stack, factor: (stack.astype(np.float64) * factor).astype(np.float32)))
mutant("GUARD-BATCH-049b", "labels of a map are a pixel's fraction off", "BATCH-049:labels_are_those_of_data_in_memory",
    plant=method(mapped.MappedDataset, "_labels",
        lambda original, self, experiment, coords: original(self, experiment, coords.round())))
mutant("GUARD-BATCH-049c", "a training sees the first file alone", "BATCH-049:the_loaders_take_a_map",
    plant=function(loaders._dataset, result(lambda found: mapped.MappedDataset(found.folder, replace(found.manifest,
        scans=found.manifest.scans[:1]), found.config) if hasattr(found, "manifest") else found)))
mutant("GUARD-BATCH-049n", "a map keeps its first patterns, whoever has a partner",
    f"{PAIRED}[positions-missing]",
    plant=function(record._kept_rows, the_first_patterns_of_a_map_stay))
mutant("GUARD-BATCH-049p", "patterns of a map are written over before they are moved", f"{PAIRED}[positions-missing]",
    plant=function(record._kept_rows, patterns_are_moved_from_the_end))
mutant("GUARD-BATCH-049q", "the last block of a map's patterns is left as it was",
    "BATCH-049:a_map_of_large_patterns_is_that_of_memory",
    plant=function(on_disk.blocks, lambda original, stack: [*original(stack)][:-1] or [*original(stack)]))
mutant("GUARD-BATCH-047x", "a source that is not there is passed over", "BATCH-047:a_source_that_is_not_there_is_named",
    plant=function(manifest.sources_of, lambda original, given:
        original([path for path in given if Path(path).exists()] if isinstance(given, list) else given)))
mutant("GUARD-BATCH-047y", "in a map bad values of a masked file are zeros",
    "BATCH-047:a_bad_value_beside_a_mask_is_refused_by_name",
    plant=function(on_disk._converted, lambda original, patterns, measurement, good, *rest: original(
        patterns if good is None else np.clip(np.nan_to_num(patterns, posinf=0), 0, None), measurement, good, *rest)))
mutant("GUARD-BATCH-045x", "a map of one exposure is taken for a damaged one",
    "BATCH-045:a_map_of_one_exposure_is_opened_as_it_stands",
    plant=function(manifest.read_manifest, one_exposure_is_damage))

# Groups by rule.
mutant("DEF-038", "rows for centres whose group was dropped", "GROUP-041:a_raster_of_eight_has_36_centres",
    plant=function(rules._complete, instead(lambda members: members)))
mutant("GUARD-GROUP-041", "a centre is its own neighbour", "GROUP-041:members_are_near_their_centre",
    plant=function(rules._candidates, instead(the_centre_is_a_neighbour)))
mutant("GUARD-GROUP-041b", "bounds of x hold for y", "GROUP-041:centres_lie_within_the_bounds",
    plant=function(rules._within, lambda original, points, x, y: original(points, y, x)))
mutant("GUARD-GROUP-041c", "repetitions have no effect", "GROUP-041:every_centre_is_repeated",
    plant=function(rules.group_by, lambda original, *given, repetitions=1, **rest: original(*given, **rest)))
mutant("GUARD-GROUP-041d", "distances have no effect", "GROUP-041:members_keep_their_distance",
    plant=function(rules._apart, lambda original, points, centres, candidates, low, high:
        original(points, centres, candidates, 0, np.inf)))
mutant("GUARD-GROUP-041e", "top and bottom are exchanged", "GROUP-041:quadrants_stand_in_their_order",
    plant=function(rules._one_a_quadrant, result(lambda members: members[:, [2, 3, 0, 1]])))
mutant("GUARD-GROUP-041f", "no group is found, and nobody says so", "GROUP-041:a_rule_that_finds_nothing_is_an_error",
    plant=function(rules.group_by, caught(ContractError, lambda error, points, rule, g, *rest: np.empty((0, g * g), int))))
