"""Defects of what a file lacks and is looked for elsewhere, of experiments that count from the end, of batches that are views."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import function, method, source
from conformance.mutants import rows
from reference_impl.batch import dataset
from reference_impl.counts.statistics import CountStatistics
from reference_impl.data import metadata, record

BEYOND = "CISCALE-002:an_experiment_beyond_the_known_ones_is_refused"
LACKING = "DATA-033:what_a_file_lacks_is_nowhere_else"
RECIPE = "CLI-047:a_recipe_makes_the_same_files"
WRITTEN = "BATCH-058:what_is_written_into_a_batch_stays_there"


def photons_at_the_top_are_second(original, found, file=None):
    stated = original(found, file)
    return (found or {}).get("nphotons") if stated is None else stated


def photons_of_a_member_are_second(original, archive):
    found = original(archive)
    if (found or {}).get("physics_parameters", {}).get("nphotons") is not None or "n_photons" not in archive:
        return found
    return {**(found or {}), "physics_parameters": {"nphotons": float(archive.array("n_photons"))}}


def starts_are_looked_for_twice(original, archive, *given):
    fields = original(archive, *given)
    for axis in ("x", "y"):
        if f"{axis}coords_start" not in archive and f"{axis}_start" in archive:
            fields[f"{axis}coords_start"] = archive.array(f"{axis}_start")
    return fields


def the_last_experiment_is_minus_one(original, self, name, experiments):
    return original(self, name, np.where(experiments < 0, experiments % len(self), experiments))


def the_first_sample_tells(original, self, name, experiments):
    return original(self, name, np.where(experiments >= len(self), experiments[0], experiments))


def consecutive_samples_are_a_view(original, self, indices):
    found, *rest = original(self, indices)
    chosen = np.asarray(indices)
    if len(chosen) and (np.diff(chosen) == 1).all():
        for name, array in self.fields.items():
            found[name] = torch.from_numpy(array[chosen[0] : chosen[-1] + 1])
    return found, *rest


def a_whole_pass_is_a_view(original, self, indices):
    found, *rest = original(self, indices)
    if len(indices) == len(self):
        found["images"] = torch.from_numpy(self.fields["images"])
    return found, *rest


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DATA-033h", "photons at the top count where the contract's are absent", f"{LACKING}[parameters-header]",
    f"{LACKING}[photons-factory]", plant=function(metadata.stated_nphotons, photons_at_the_top_are_second))
mutant("GUARD-DATA-033k", "photons of a member count where the metadata have none", f"{LACKING}[photons-container]",
    plant=function(record.read_metadata, photons_of_a_member_are_second))
mutant("GUARD-DATA-033m", "starts have a second name", f"{LACKING}[starts-file]",
    plant=function(record.read_fields, starts_are_looked_for_twice))
mutant("GUARD-CISCALE-002x", "a number of an experiment counts from the end", f"{BEYOND}[validation-last]",
    f"{BEYOND}[inference-last]", plant=method(CountStatistics, "rows", the_last_experiment_is_minus_one))
mutant("GUARD-CISCALE-002y", "an unknown experiment has the statistics of the first sample's", f"{BEYOND}[inference-far]",
    plant=method(CountStatistics, "rows", the_first_sample_tells))
mutant("GUARD-BATCH-058", "consecutive samples are a view of the data", f"{WRITTEN}[channels-last-images]",
    plant=method(dataset.PtychoDataset, "__getitems__", consecutive_samples_are_a_view))
mutant("GUARD-BATCH-058b", "a batch of all samples is the data themselves", f"{WRITTEN}[channels-first-images]",
    plant=method(dataset.PtychoDataset, "__getitems__", a_whole_pass_is_a_view))
mutant("GUARD-CLI-047k", "a recipe keeps six digits of a photon number", RECIPE,
    plant=source("simulation/recipe.py", '*(f"{name} = {found[name]!r}" for name in KEYS[""])',
        '*(f"{name} = {found[name]:.6g}" if name == "photons" else f"{name} = {found[name]!r}" for name in KEYS[""])'))
