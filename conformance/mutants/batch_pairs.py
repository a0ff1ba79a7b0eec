"""Defects that show where two options meet: of a scan, of a second one, of labels, masks and modes."""

from __future__ import annotations

import copy

import torch

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.batch import container, fields, loaders, mapped
from reference_impl.data import record


def a_mask_takes_away(name):
    def change(original, self, mask):
        hidden = original(self, mask)
        setattr(hidden, name, None)
        return hidden

    return change


def validation_is_as_long_as_training(original, train, test, config, execution=None):
    first, second = original(train, test, config, execution)
    if second is not None and hasattr(second.dataset, "fields"):
        second.dataset.fields = {name: array[: len(first.dataset)] for name, array in second.dataset.fields.items()}
    return first, second


def validation_is_lit_as_training_is(original, train, test, config, execution=None):
    first, second = original(train, test, config, execution)
    if second is not None and hasattr(second.dataset, "probe"):
        second.dataset.probe = first.dataset.probe
    return first, second


def masked_groups_are_not_normalised_alone(original, grouped, probe, nphotons=1e9, source="config", mask=None, light=None):
    if mask is not None and grouped["X_full"].shape[-1] == 1:
        grouped = {**grouped, "X_full": grouped["X_full"] * grouped["X_full"].dtype.type(1 + 2.0**-9)}
    return original(grouped, probe, nphotons, source, mask, light)


def labels_of_a_masked_scan_turn(original, held, count, channels):
    found = original(held, count, channels)
    if fields.attribute(held, "mask") is not None and channels > 1:
        found["label_phase"] = -found["label_phase"]
    return found


def a_mode_of_a_probe_that_is_masked_is_left_out(original, held, side, model):
    probe, factor = original(held, side, model)
    if fields.attribute(held, "mask") is not None and len(probe) > 1:
        probe = copy.copy(probe)
        probe[-1] = 0
    return probe, factor


def a_mask_is_every_files(original, self, rows):
    batch = original(self, rows)
    if self.masks is not None and len(self.masks) > 2:
        batch[0]["images"][:] = batch[0]["images"] * torch.from_numpy(self.masks[1])
    return batch


def photons_of_a_remade_map_are_the_settings(original, sources, folder, config, remake=False, *more, **options):
    dataset = original(sources, folder, config, remake, *more, **options)
    if remake:
        dataset.physics[:] = dataset.physics[0]
    return dataset


def labels_of_single_patterns_are_the_first_files(original, self, experiment, coords):
    return original(self, experiment * (coords.shape[1] > 1), coords)


mutant = rows(__name__)
EVERY = "BATCH-011:batches_are_what_file_and_settings_say"
LABELLED = "BATCH-038:labelled_batches_are_what_file_and_settings_say"
MAPS = "BATCH-040:rows_of_a_map_are_what_its_files_say"
MODES = "BATCH-051:batches_of_modes_are_what_file_and_settings_say"
mutant(
    "GUARD-BATCH-031g",
    "validation is cut to the length of the training",
    EVERY,
    clauses=["BATCH-031"],
    plant=function(loaders.build_loaders, validation_is_as_long_as_training),
)
mutant(
    "GUARD-BATCH-028d",
    "validation is lit by the training's probe",
    EVERY,
    clauses=["BATCH-028"],
    plant=function(loaders.build_loaders, validation_is_lit_as_training_is),
)
mutant(
    "GUARD-BATCH-012f",
    "a masked record forgets its photons",
    EVERY,
    clauses=["BATCH-012"],
    plant=method(record.RawData, "masked", a_mask_takes_away("metadata")),
)
mutant(
    "GUARD-BATCH-011d",
    "single patterns under a mask are brighter by a thousandth",
    EVERY,
    clauses=["GROUP-030"],
    plant=function(container.container_from_groups, masked_groups_are_not_normalised_alone),
)
mutant(
    "GUARD-BATCH-038f",
    "a record loses its own labels with a mask",
    LABELLED,
    plant=method(record.RawData, "masked", a_mask_takes_away("Y")),
)
mutant(
    "GUARD-BATCH-038g",
    "phases of labels are turned where a mask meets groups",
    LABELLED,
    plant=function(fields.labels, labels_of_a_masked_scan_turn),
)
mutant(
    "GUARD-BATCH-051c",
    "under a mask the last mode is dark",
    MODES,
    plant=function(fields.probe, a_mode_of_a_probe_that_is_masked_is_left_out),
)
mutant(
    "GUARD-BATCH-044e",
    "of three files the second one's mask hides pixels of all",
    MAPS,
    clauses=["BATCH-044"],
    plant=method(mapped.MappedDataset, "__getitems__", a_mask_is_every_files),
)
mutant(
    "GUARD-BATCH-044f",
    "all files of a map that was made anew have the photons of the first one",
    MAPS,
    clauses=["BATCH-044"],
    plant=function(mapped.open_mapped, photons_of_a_remade_map_are_the_settings),
)
mutant(
    "GUARD-BATCH-049i",
    "labels of single patterns are cut from the first file's object",
    MAPS,
    clauses=["GROUP-031"],
    plant=method(mapped.MappedDataset, "_labels", labels_of_single_patterns_are_the_first_files),
)
