"""Defects of what a subsample, a second mask, a file and a call have to leave as it was."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.defects.changes import constant, function, method
from conformance.mutants import rows
from reference_impl import execution
from reference_impl.batch import container
from reference_impl.config import registry
from reference_impl.counts.statistics import CountStatistics
from reference_impl.data import checks, load, mask, npz, plausible, record
from reference_impl.dispatch import selector, workflow
from reference_impl.errors import ContractError
from reference_impl.grouping import grouped, indices, rules

PARTS = "DATA-025:a_subsample_keeps_what_is_no_exposures"
ALL = "DATA-025:a_subsample_of_all_carries_its_indices"
PHOTONS = "DATA-025:a_subsample_of_a_configuration_has_the_files_photons"
TWICE = "DATA-026:masks_add_up"
NOTHING = "DATA-026:masks_that_leave_nothing_are_refused"
FILE = "DATA-027:a_mask_may_be_named_by_its_file"
NO_MASK = "DATA-027:a_file_that_is_no_mask_is_refused"
STAYS = "DATA-028:what_is_given_stays_as_it_was"
DRAWS = "DATA-029:nobodys_draws_are_disturbed"
NAMES = "DATA-007:a_record_is_written_under_the_name_that_was_said"
BITS = "DATA-007:a_record_survives_its_file_to_the_last_bit"


def without(name):
    """A subsample without this part."""

    def change(original, whole, chosen):
        bare = copy.copy(whole)
        setattr(bare, name, None)
        return original(bare, chosen)

    return change


def subsamples_of_all_are_no_subsamples(original, file, *given, n_subsample=None, **options):
    found = original(file, *given, n_subsample=n_subsample, **options)
    if n_subsample == len(found):
        found.sample_indices = found.subsample_seed = None
    return found


def containers_subsample_bare_records(original, whole, *given):
    found = original(whole, *given)
    if found is not whole:
        found.metadata = None
    return found


def the_second_mask_counts(original, first, second, file=None):
    return first if second is None else second


def good_to_one_is_good(original, first, second, file=None):
    return original(first, second, file) if first is None or second is None else first | second


def halves_may_leave_nothing(original, first, second, file=None):
    return original(first, second, file) if first is None or second is None else first & second


def masks_lie_in_rows(original, path, content):
    found = original(path, content)
    return found if found.flags.c_contiguous else found.ravel(order="F").reshape(found.shape)


def the_first_member_is_the_mask(path):
    with npz.Archive(path) as archive:
        return archive.array(archive.keys[0])


def masks_are_read_with_numpys_reader(original, path, content):
    try:
        return np.load(path, allow_pickle=True)
    except Exception as error:
        raise ContractError(file=path, field="mask", expected="an NPY array of a mask", found="another") from error


def patterns_are_masked_in_place(original, patterns, good):
    if patterns.flags.writeable:
        patterns[..., ~good] = 0
        return patterns
    return original(patterns, good)


def positions_are_centred_in_place(original, raw, *given, **options):
    for name in ("xcoords", "ycoords"):
        values = getattr(raw, name)
        values -= values.mean() if values.flags.writeable else 0
    return original(raw, *given, **options)


def groups_are_drawn_by_everybodys_generator(original, coords, C, K=4, nsamples=1, seed=None, *rest):
    np.random.seed(seed)
    return original(coords, C, K, nsamples, seed, *rest)


def a_file_is_subsampled_by_everybodys_generator(original, count, n_images, n_subsample, seed):
    if n_subsample is not None:
        np.random.seed(seed)
    return original(count, n_images, n_subsample, seed)


def numpy_adds_its_suffix(original, path, arrays):
    return original(path if Path(path).suffix == ".npz" else f"{path}.npz", arrays)


def narrowed(name, dtype):
    """The writer casts an array."""

    def change(original, path, arrays):
        return original(path, {**arrays, name: np.asarray(arrays[name]).astype(dtype)} if name in arrays else arrays)

    return change


def a_folder_passes(original, *paths):
    files = [None if path is not None and Path(path).is_dir() else path for path in paths[:2]]
    return original(*files, *paths[2:])


def experiments_are_counted_among_those_present(original, self, name, experiment_id):
    original(self, name, experiment_id)
    return getattr(self, name)[np.unique(experiment_id, return_inverse=True)[1]].reshape(-1, 1, 1, 1)


def eight_bits_have_half_a_root(original, patterns, measurement):
    found = original(patterns, measurement)
    return found.astype(np.float16).astype(np.float32) if measurement == "counts" and patterns.dtype.itemsize == 1 else found


def defaults_are_not_stated(original, target, config):
    before = dict(target)
    original(target, config)
    if target.get("neighbor_count") == 4 and "neighbor_count" in before:
        target["neighbor_count"] = before["neighbor_count"]


def positions_are_changed_in_place(original, loaded, flip_x, flip_y, swap_xy, scale):
    if swap_xy:
        return original(loaded, flip_x, flip_y, swap_xy, scale)
    for name, factor in (("x", -scale if flip_x else scale), ("y", -scale if flip_y else scale)):
        for suffix in ("coords", "coords_start"):
            values = getattr(loaded, name + suffix)
            values *= factor
    return None


def both_ends_are_left_out(original, points, centres, candidates, low, high):
    apart = np.linalg.norm(points[candidates] - points[centres][:, None], axis=2)
    return original(points, centres, candidates, low, high) & (apart < high)


def only_in_light(look):
    return lambda seen, threshold: look(seen, threshold) if np.median(seen.energy) > 0 else None


def one_mode_is_the_probe(look):
    def looked(seen, threshold):
        bare = copy.copy(seen.record)
        bare.probeGuess = bare.probeGuess.reshape(-1, seen.N, seen.N)[0]
        return look(replace(seen, record=bare), threshold)

    return looked


def looks(name, wrap):
    """A row of the table looks otherwise."""
    table = (replace(row, look=wrap(row.look)) if row.name == name else row for row in plausible.TABLE)
    return constant(plausible, "TABLE", tuple(table))


def options_of_the_image_are_dropped(original, *given, do_stitching=False, execution_config=None, **options):
    return original(*given, do_stitching=do_stitching, execution_config=execution_config)


def the_exchange_is_dropped(original, *given, transpose=False, **options):
    return original(*given, **options)


def sides_are_enough(original, target, config):
    if (target.get("N"), target.get("gridsize")) != (config.model.N, config.model.gridsize):
        original(target, config)


mutant = rows(__name__)
# fmt: off
mutant("GUARD-DATA-025", "a subsample loses the metadata", f"{PARTS}[metadata]",
    plant=function(load._subset, without("metadata")))
mutant("GUARD-DATA-025b", "a subsample loses the mask", f"{PARTS}[mask]", plant=function(load._subset, without("mask")))
mutant("GUARD-DATA-025c", "a subsample loses the object", f"{PARTS}[objectGuess]",
    plant=function(load._subset, without("objectGuess")))
mutant("GUARD-DATA-025d", "a subsample of all is none", ALL,
    plant=function(load.load_data, subsamples_of_all_are_no_subsamples))
mutant("GUARD-DATA-025e", "a container subsamples a record without its photons", PHOTONS,
    plant=function(container.subsampled, containers_subsample_bare_records))
mutant("GUARD-DATA-026", "the second mask replaces the first", TWICE, plant=function(mask.joined, the_second_mask_counts))
mutant("GUARD-DATA-026b", "good to one of two masks is good", TWICE, plant=function(mask.joined, good_to_one_is_good))
mutant("GUARD-DATA-026c", "two masks may leave nothing", NOTHING, plant=function(mask.joined, halves_may_leave_nothing))
mutant("GUARD-DATA-027", "a mask in columns is read in rows", f"{FILE}[fortran]", f"{FILE}[floats]",
    plant=function(mask._of_array, masks_lie_in_rows))
mutant("GUARD-DATA-027b", "the first array of a file is the mask", f"{FILE}[member-mask]", f"{NO_MASK}[no-member]",
    plant=function(mask._of_archive, lambda original, path: the_first_member_is_the_mask(path)))
mutant("GUARD-DATA-027c", "masks are read by a reader that runs what it reads", f"{NO_MASK}[hostile]", f"{NO_MASK}[longer]",
    plant=function(mask._of_array, masks_are_read_with_numpys_reader))
mutant("GUARD-DATA-028", "patterns are masked where they lie", f"{STAYS}[masked]",
    plant=function(checks.masked, patterns_are_masked_in_place))
mutant("GUARD-DATA-028b", "positions are centred where they lie", f"{STAYS}[group]", f"{STAYS}[container-and-loaders]",
    plant=function(grouped.generate_grouped_data, positions_are_centred_in_place))
mutant("GUARD-DATA-029", "grouping seeds everybody's draws", f"{DRAWS}[group]", f"{DRAWS}[oversampled]",
    plant=function(indices.group_indices, groups_are_drawn_by_everybodys_generator))
mutant("GUARD-DATA-029b", "reading seeds everybody's draws", f"{DRAWS}[read]",
    plant=function(load.selection, a_file_is_subsampled_by_everybodys_generator))
mutant("GUARD-DATA-007f", "a name gets a suffix", f"{NAMES}[no-suffix]", f"{NAMES}[other-suffix]",
    plant=function(npz.write_npz, numpy_adds_its_suffix))
mutant("GUARD-DATA-007g", "scan indices are written in 32 bits", BITS,
    plant=function(npz.write_npz, narrowed("scan_index", np.int32)))
mutant("GUARD-DATA-007h", "starts are written in single precision", BITS,
    plant=function(npz.write_npz, narrowed("xcoords_start", np.float32)))
mutant("GUARD-EXEC-012b", "a folder passes for a file", "EXEC-012:a_folder_is_no_data_file",
    plant=function(execution.validate_paths, a_folder_passes))
mutant("GUARD-CISCALE-002f", "experiments are counted among those present",
    "CISCALE-002:data_of_one_experiment_have_its_statistics[rms_input_scale-1]",
    plant=method(CountStatistics, "rows", experiments_are_counted_among_those_present))
mutant("GUARD-DATA-003e", "counts of eight bits have a root in half precision",
    "DATA-003:counts_become_amplitudes_where_the_caller_says_so[uint8]",
    plant=function(record.amplitudes, eight_bits_have_half_a_root))
mutant("GUARD-CONFIG-005e", "a default does not replace what another run has left",
    "CONFIG-005:defaults_replace_what_another_run_has_left", plant=function(registry.update_legacy_dict, defaults_are_not_stated))
mutant("GUARD-DATA-008d", "positions are changed in place", "DATA-008:starts_that_a_file_lacks_follow_its_coordinates[scale]",
    plant=function(load._transform_positions, positions_are_changed_in_place))
mutant("GUARD-GROUP-041g", "the largest distance itself is too far", "GROUP-041:both_ends_of_the_distances_count",
    plant=function(rules._apart, both_ends_are_left_out))
mutant("GUARD-DATA-030i", "nothing is dead in a scan without light",
    "DATA-030:what_is_beyond_a_limit_is_found[dead-patterns-all]",
    plant=looks("dead-patterns", only_in_light))
mutant("GUARD-DATA-030j", "the first mode is the probe", "DATA-030:what_is_within_a_limit_is_let_be[probe-power-modes]",
    plant=looks("probe-power", one_mode_is_the_probe))
mutant("GUARD-DISPATCH-008", "the selector hands on the stitching alone", "DISPATCH-008:options_of_the_image_arrive",
    plant=function(workflow.run_cdi_example_torch, options_of_the_image_are_dropped))
mutant("GUARD-DISPATCH-008b", "the selector forgets to exchange the axes", "DISPATCH-008:options_of_the_image_arrive",
    plant=function(workflow.run_cdi_example_torch, the_exchange_is_dropped))
mutant("GUARD-DISPATCH-002d", "a registry that holds a run's sides is left alone",
    "DISPATCH-002:another_configuration_replaces_the_one_before",
    plant=function(selector.update_legacy_dict, sides_are_enough))
