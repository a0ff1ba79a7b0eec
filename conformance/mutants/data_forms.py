"""Defects of forms in which values come: narrow, whole, in one of two fields, equal to what is there; options on their way."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np

from conformance.defects.changes import constant, function, method
from conformance.mutants import rows
from reference_impl import execution
from reference_impl.batch import container, fields
from reference_impl.config import registry
from reference_impl.counts.statistics import CountStatistics
from reference_impl.data import checks, metadata, pairing, plausible, record, report
from reference_impl.dispatch import selector, workflow
from reference_impl.errors import ContractError
from reference_impl.grouping import grouped, indices, rules
from reference_impl.stored import zips


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


def narrow_coordinates_are_refused(original, value, field, file=None):
    if np.asarray(value).dtype.itemsize < 4:
        raise ContractError(file=file, field=field, expected="numbers of 32 bits or more", found=str(np.asarray(value).dtype))
    return original(value, field, file)


def starts_come_in_pairs(original, archive, *given, **options):
    found = original(archive, *given, **options)
    if not (archive.present("xcoords_start") and archive.present("ycoords_start")):
        found |= {f"{axis}_start": found[axis] for axis in ("xcoords", "ycoords")}
    return found


def folders_are_the_systems(original, self, source, *given, **options):
    if isinstance(source, Path) and source.is_dir():
        raise IsADirectoryError(f"[Errno 21] Is a directory: '{source}'")
    original(self, source, *given, **options)


def combinations_are_the_callers(original, coords, C, K=4, nsamples=1, seed=None, sequential=False, *rest):
    return original(coords, C, K, nsamples, seed, sequential and nsamples <= len(coords), *rest)


def parameters_are_the_registrys(original, *given, **options):
    return original(*given, **options)[0], registry.cfg


def a_number_is_told_beside_itself(original, stated, by_hand):
    if stated is not None and stated == by_hand:
        return f"{by_hand:.4g} a pattern", f"--nphotons, instead of the file's {stated:.4g}"
    return original(stated, by_hand)


def labels_are_looked_at_by_their_real_part(original, container, count, channels):
    Y = fields.as_array(fields.attribute(container, "Y"))
    return original(
        {**vars(container), "Y": np.where(np.isfinite(Y.real) & ~np.isfinite(Y.imag), Y.real, Y).astype(Y.dtype)}
        if Y.dtype.kind == "c"
        else container,
        count,
        channels,
    )


def numbers_have_single_precision(original, archive, key, count):
    return original(archive, key, count).astype(np.float32)


def sixteen_bits_are_enough(original, grouped, *given, **options):
    narrow = grouped["nn_indices"].astype(np.int16).astype(np.int32) if "nn_indices" in grouped else None
    return original(grouped if narrow is None else {**grouped, "nn_indices": narrow}, *given, **options)


def long_texts_are_cut(original, text, file=None):
    return original(text[:65536], file)


def the_first_hit_is_the_centre(original, points, centres, K):
    found = np.atleast_2d(rules.cKDTree(points).query(points[centres], k=min(K + 1, len(points)))[1])
    return found[:, 1:]


def an_answer_is_for_its_field(original, record_, accept=(), **settings):
    fields_ = {row.field for row in plausible.TABLE if row.name in accept}
    names = [row.name for row in plausible.TABLE if row.field in fields_ and row.severity == "warning"]
    return original(record_, [*accept, *names], **settings)


def labels_are_cast(original, raw, chosen, coords, N):
    found = original(raw, chosen, coords, N)
    return None if found is None else found.astype(np.complex64)


mutant = rows(__name__)
# fmt: off
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
mutant("GUARD-DATA-001g", "coordinates of 16 bits are refused",
    "DATA-001:coordinates_are_double_whatever_the_file_holds[int16]",
    plant=function(checks.positions, narrow_coordinates_are_refused))
mutant("GUARD-DATA-001h", "starts are read in pairs", "DATA-001:one_start_may_be_absent",
    plant=function(record.read_fields, starts_come_in_pairs))
mutant("GUARD-DATA-001i", "a folder is the system's error", "DATA-001:a_folder_is_no_file",
    plant=method(zips.ZipReader, "__init__", folders_are_the_systems))
mutant("GUARD-GROUP-011b", "sequential combinations are drawn by the caller's seed",
    "GROUP-011:sequential_oversampling_ignores_the_seed", plant=function(indices.group_indices, combinations_are_the_callers))
mutant("GUARD-DISPATCH-006e", "parameters of a bundle are the registry", "DISPATCH-006:parameters_of_a_bundle_are_its_own",
    plant=function(selector.load_inference_bundle_with_backend, parameters_are_the_registrys))
mutant("GUARD-DATA-032d", "a number by hand is told beside itself",
    "DATA-032:a_number_by_hand_that_is_the_files_is_told_once", plant=function(report._photons, a_number_is_told_beside_itself))
mutant("GUARD-BATCH-039e", "labels are looked at by their real part",
    "BATCH-039:labels_that_are_not_whole_are_refused[a-hole-in-the-imaginary-part-training]",
    plant=function(fields.labels, labels_are_looked_at_by_their_real_part))
mutant("GUARD-DATA-013f", "numbers are compared in single precision",
    "DATA-013:numbers_pair_patterns_with_positions[stamps]",
    plant=function(pairing._numbers, numbers_have_single_precision))
mutant("GUARD-BATCH-001d", "exposures are numbered in 16 bits", "BATCH-001:exposures_of_a_long_scan_keep_their_numbers",
    plant=function(container.container_from_groups, sixteen_bits_are_enough))
mutant("GUARD-DATA-005c", "a text of more than 64 kB is cut", "DATA-005:metadata_may_be_long",
    plant=function(metadata.parse, long_texts_are_cut))
mutant("GUARD-GROUP-041i", "the first hit of a query is the centre", "GROUP-041:a_centre_is_left_out_by_its_number",
    plant=function(rules._candidates, the_first_hit_is_the_centre))
mutant("GUARD-DATA-031f", "an answer is one for all warnings of its field", "DATA-031:one_answer_silences_one_warning",
    plant=function(plausible.judge, an_answer_is_for_its_field))
mutant("GUARD-BATCH-010c", "labels of a record are cast", "BATCH-010:labels_of_a_record_that_are_real_are_refused",
    plant=function(grouped._labels, labels_are_cast))
