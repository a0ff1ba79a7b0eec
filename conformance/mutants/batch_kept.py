"""Defects of what a map is known by, of the order in which it is trained on, and of the last questions of a loader."""

from __future__ import annotations

from pathlib import Path

from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.batch import fields, loaders, manifest, mapping
from reference_impl.batch.dataset import collate_batch
from reference_impl.batch.mapped import MappedDataset

DAMAGE = "BATCH-045:damage_of_any_array_of_a_map_is_refused"
TOUCHED = "BATCH-045:a_map_of_files_that_were_touched_is_opened"
SCHEMA = "BATCH-045:another_schema_is_refused[later]"
BY_HAND = "BATCH-056:photons_by_hand_are_asked_for_by_hand"
ORDER = "BATCH-061:a_map_is_trained_on_in_the_order_of_a_container"
ASKS = "BATCH-042:a_loader_asks_for_whole_batches"
TRAILING = "BATCH-050:a_trailing_axis_is_no_mode"


def _of_patterns_alone(names):
    def change(original, folder, found):
        sums = {name: crc for name, crc in found.arrays.items() if name in names}
        original(folder, manifest.Manifest(found.settings, found.sources, found.scans, sums))

    return change


def what_is_gone_is_the_systems(original, folder, found):
    for name in found.arrays:
        (folder / "scans.npz" if name == "scans" else manifest.file_of(folder, name)).stat()
    original(folder, found)


def a_time_is_content(original, path):
    return f"{original(path)}-{Path(path).stat().st_mtime_ns}"


def later_schemas_are_this_one(original, folder):
    kept, manifest.VERSION = manifest.VERSION, manifest.VERSION + 1
    try:
        return original(folder)
    except manifest.ContractError:
        manifest.VERSION = kept
        return original(folder)
    finally:
        manifest.VERSION = kept


def numbers_without_their_sources(original, self):
    return {name: value for name, value in original(self).items() if name != "nphotons_source"}


def a_map_stands_in_its_order(original, dataset, size, execution=None, *, shuffle=False, **options):
    return original(dataset, size, execution, shuffle=shuffle and not isinstance(dataset, MappedDataset), **options)


def maps_are_always_shuffled(original, dataset, size, execution=None, *, shuffle=False, generator=None):
    mapped = isinstance(dataset, MappedDataset) and generator is not None
    return original(dataset, size, execution, shuffle=shuffle or mapped, generator=generator)


def what_is_left_is_asked_for_row_by_row(original, dataset, size, **options):
    rows_of = list(BatchSampler(SequentialSampler(dataset), size, drop_last=False))
    last = [] if len(rows_of[-1]) == size else [[row] for row in rows_of.pop()]
    return DataLoader(dataset, sampler=[*rows_of, *last], batch_size=None, collate_fn=collate_batch)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-045l", "damaged probes of a map light a training", f"{DAMAGE}[flipped]",
    plant=function(manifest.refuse_damage, _of_patterns_alone((manifest.PATTERNS, *manifest.ROWS))))
mutant("GUARD-BATCH-045m", "damaged places of a map are trained on", f"{DAMAGE}[flipped]",
    plant=function(manifest.refuse_damage, _of_patterns_alone((manifest.PATTERNS, "scans"))))
mutant("GUARD-BATCH-045n", "an array of a map that is gone is the system's error", f"{DAMAGE}[gone]",
    plant=function(manifest.refuse_damage, what_is_gone_is_the_systems))
mutant("GUARD-BATCH-045o", "a file that was touched is another", TOUCHED,
    plant=function(manifest.source_digest, a_time_is_content))
mutant("GUARD-BATCH-045p", "a later schema is read as this one", SCHEMA,
    plant=function(manifest.read_manifest, later_schemas_are_this_one))
mutant("GUARD-BATCH-056e", "photons by hand are those of before where the number is the same", BY_HAND,
    plant=method(mapping.Plan, "settings", numbers_without_their_sources))
mutant("GUARD-BATCH-061", "a map is trained on file after file", f"{ORDER}[shuffled]",
    plant=function(loaders.make_loader, a_map_stands_in_its_order))
mutant("GUARD-BATCH-061b", "a map is shuffled where its order was asked for", f"{ORDER}[sequential]",
    plant=function(loaders.make_loader, maps_are_always_shuffled))
mutant("GUARD-BATCH-042b", "what is left over is asked for row by row", ASKS,
    plant=function(loaders.whole_batches, what_is_left_is_asked_for_row_by_row))
mutant("GUARD-BATCH-050i", "a trailing axis leaves the norm without its mask", TRAILING,
    plant=function(fields._mask, lambda original, value, side: original(value, side) if value.shape[-1] == side else None))
