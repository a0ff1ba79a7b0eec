"""Defects of a comparison of trained models: other exposures, other groups, another window, parts that are made up."""

from __future__ import annotations

import numpy as np

from conformance.defects.changes import constant, function
from conformance.mutants import rows
from reference_impl.exchange import models

SAME = "SIDE-031:all_models_see_the_same_exposures"
SEED = "SIDE-031:a_seed_draws_the_exposures"
WINDOW = "SIDE-031:the_window_is_the_one_that_was_asked_for"
LINES = "SIDE-031:every_model_has_its_line"
REFUSED = "SIDE-031:what_cannot_be_compared_is_refused"
GROUPS = "SIDE-032:each_model_sees_groups_of_its_own"
RUNS = "SIDE-034:nothing_that_a_neighbour_stored_runs"
BEGINS = "SIDE-032:where_the_scan_begins_changes_nothing"


def each_draws_for_itself(original, name, bundle, record, test, M):
    from reference_impl.data import load_data

    return original(name, bundle, load_data(test, n_subsample=len(record.xcoords)), test, M)


def the_window_is_cut_to_fit(original, bundles, test, folder, stitch_crop_size=20, **settings):
    return original(bundles, test, folder, stitch_crop_size=int(np.clip(stitch_crop_size, 1, 64)), **settings)


def the_first_model_stands_for_all(original, bundles, *given, **settings):
    return original(dict.fromkeys(bundles, next(iter(bundles.values()))), *given, **settings)


def the_scan_stands_at_nothing(original, name, bundle, record, test, M):
    from dataclasses import replace

    return replace(original(name, bundle, record, test, M), origin=(0.0, 0.0))


def a_name_may_be_an_object(original, path):
    with np.load(path, allow_pickle=True) as file:
        str(file["algorithm"])
    return original(path)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-SIDE-031", "each model draws exposures of its own", SAME, plant=function(models._seen, each_draws_for_itself))
mutant("GUARD-SIDE-031b", "the seed of the draw is not handed on", SEED,
    plant=function(models.compare_models, lambda original, *given, subsample_seed=None, **settings: original(*given, **settings)))
mutant("GUARD-SIDE-031c", "the window is the default", WINDOW,
    plant=function(models._seen, lambda original, name, bundle, record, test, M: original(name, bundle, record, test, 56)))
mutant("GUARD-SIDE-031d", "a window is cut to fit", REFUSED + "[no-window]", REFUSED + "[window-beyond]",
    plant=function(models.compare_models, the_window_is_cut_to_fit))
mutant("GUARD-SIDE-031e", "somebody else's object is left out", LINES,
    plant=function(models.compare_models, lambda original, *given, reconstruction=None, **settings: original(*given, **settings)))
mutant("GUARD-SIDE-031f", "a reconstruction needs no probe", REFUSED + "[no-probe]",
    plant=constant(models, "PARTS", ("reconstructed_object", "algorithm")))
mutant("GUARD-SIDE-032", "the first model stands for all", GROUPS,
    plant=function(models.compare_models, the_first_model_stands_for_all))
mutant("GUARD-SIDE-032b", "the place of the scan is left out of the comparison", BEGINS + "[single]", BEGINS + "[group]",
    plant=function(models._seen, the_scan_stands_at_nothing))
mutant("GUARD-SIDE-031g", "the seed 0 is none", SEED,
    plant=function(models.compare_models, lambda original, *given, subsample_seed=None, **settings: original(
        *given, subsample_seed=subsample_seed or None, **settings)))
mutant("GUARD-SIDE-034", "the name of a reconstruction may be an object, and is unpickled", f"{RUNS}[reconstruction]",
    plant=function(models._read, a_name_may_be_an_object))
