"""Defects of passes of a loader, of masks in maps, and of what a map may be opened for."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import every, function, method, result
from conformance.mutants import rows
from reference_impl.batch import dataset, fields, loaders, mapped, mapping, probe
from reference_impl.data import checks, on_disk, record
from reference_impl.errors import ContractError
from reference_impl.grouping import rules

OWN = "BATCH-052:each_pass_has_an_order_of_its_own"
LOSS = "BATCH-049:the_loss_of_a_map_is_that_of_data_in_memory"
MIXED = "BATCH-049:rows_of_several_files_have_the_masks_of_each"
FORMS = "BATCH-049:a_map_takes_every_form_of_a_file"
SETTINGS = "BATCH-045:a_map_made_with_other_settings_is_refused"
LABELS = "BATCH-045:a_map_without_labels_is_none_with_labels"
FITS = "BATCH-053:what_does_not_fit_is_refused_by_name"
WIDTHS = "BATCH-053:every_width_of_numbers_is_taken"
SLICES = "BATCH-041:slices_are_those_of_a_list"
NUMBERS = "BATCH-041:rows_are_asked_for_by_numbers_of_any_kind"


def each_pass_begins_anew(original, self):
    if self.generator is not None:
        self.generator.manual_seed(self.generator.initial_seed())
    return original(self)


def the_order_is_drawn_once_and_turned_round(original, self):
    if not hasattr(self, "kept"):
        self.kept = list(original(self))
    self.kept = self.kept[::-1]
    return iter(self.kept)


def later_passes_are_drawn_by_whoever_comes(original, self):
    first, self.passed = not getattr(self, "passed", False), True
    return original(self) if first else iter(torch.randperm(self.count).tolist())


def the_first_mask_serves_all_files(original, self, *given):
    original(self, *given)
    if self.masks is not None:
        self.masks = np.stack([self.masks[1]] * len(self.masks))


def a_batch_has_the_mask_of_its_first_row(found):
    given, *rest = found
    if "mask" in given.keys():  # noqa: SIM118 - a TensorDict
        given["mask"] = given["mask"][:1].expand(given["mask"].shape).clone()
    return given, *rest


def masks_of_maps_are_lost(original, self, *given):
    original(self, *given)
    self.masks = None


def a_mask_of_patterns_last_lies_transposed(original, archive, key, xcoords, measurement, mask, **options):
    header = archive.header(key)
    last = checks.pattern_layout(header.shape, len(xcoords), key, archive.path)
    return original(archive, key, xcoords, measurement, mask.T if mask is not None and last else mask, **options)


def pairs_are_found_after_the_patterns_are_mapped(original, fields, pairs):
    return original(fields, None if isinstance(fields["diff3d"], np.memmap) else pairs)


def the_subsample_is_not_compared(settings):
    return {name: value for name, value in settings.items() if name != "n_subsample"}


def labels_are_not_compared(original, self):
    return {**original(self), "labels": False}


def labels_that_are_not_there_are_ones(original, self, experiment, coords):
    if any(one is None for one in self.objects):
        shape = (len(coords), coords.shape[1], *self.patterns.shape[1:])
        return {"label_amp": np.ones(shape, np.float32), "label_phase": np.zeros(shape, np.float32)}
    return original(self, experiment, coords)


def only_pythons_numbers_are_numbers(original, self, index):
    return original(self, index if isinstance(index, slice | int) else list(index))


def oblong_patterns_are_taken(original, array, channels, field):
    fits = array.ndim == 4 and array.shape[3] == channels
    return array.transpose(0, 3, 1, 2) if fits else original(array, channels, field)


def one_position_serves_all(original, container, count, model):
    value = fields.attribute(container, "coords_relative")
    if value is None:
        return original(container, count, model)
    whole = np.broadcast_to(value, (count, 1, 2, model.gridsize**2)) if 1 in (len(value), np.shape(value)[-1]) else value
    return original({"coords_relative": whole}, count, model)


def scales_are_repeated(original, container, name, count):
    value = fields.attribute(container, name)
    return original(container if value is None else {name: np.resize(value, count)}, name, count)


def experiments_have_64_bits(original, container, count):
    value = fields.attribute(container, "experiment_id")
    if getattr(value, "dtype", np.dtype(np.int64)) != np.int64:
        raise ContractError(field="experiment_id", expected="int64", found=str(value.dtype))
    return original(container, count)


def the_mask_stays_on_the_probe(original, probe, probe_scale, mask=None):
    found, factor = original(probe, probe_scale, mask)
    return (found if mask is None else found * torch.from_numpy(np.asarray(mask))), factor


def a_repeated_centre_has_one_group(original, *given, repetitions=1, **rest):
    return np.repeat(original(*given, **rest), repetitions, axis=0)


def validation_is_shuffled_without_a_seed(original, train, test, config, execution=None):
    found = original(train, test, config, execution)
    if test is None or config.subsample_seed is not None:
        return found
    return found[0], original(test, None, config, execution)[0]


def a_slice_is_its_own_numbers(original, self, index):
    if isinstance(index, slice):
        return self.__getitems__(range(index.start or 0, len(self) if index.stop is None else index.stop, index.step or 1))
    return original(self, index)


def slices_run_forwards(original, self, index):
    back = isinstance(index, slice) and (index.step or 1) < 0
    return original(self, list(reversed(range(*index.indices(len(self))))) if back else index)


mutant = rows(__name__)
# fmt: off
mutant("GUARD-BATCH-052", "every pass has the order of the first", OWN,
    plant=method(loaders.Shuffled, "__iter__", each_pass_begins_anew))
mutant("GUARD-BATCH-052b", "an order is drawn once, and turned round at every pass", OWN,
    plant=method(loaders.Shuffled, "__iter__", the_order_is_drawn_once_and_turned_round))
mutant("GUARD-BATCH-052c", "later passes are drawn by whoever comes", OWN,
    plant=method(loaders.Shuffled, "__iter__", later_passes_are_drawn_by_whoever_comes))
mutant("GUARD-BATCH-049d", "the mask of one file serves all", f"{LOSS}[unmasked]", f"{LOSS}[masked-otherwise]",
    plant=method(mapped.MappedDataset, "__init__", the_first_mask_serves_all_files))
mutant("GUARD-BATCH-049e", "a batch of a map has the mask of its first row", MIXED,
    plant=method(mapped.MappedDataset, "__getitems__", result(a_batch_has_the_mask_of_its_first_row)))
mutant("GUARD-BATCH-049f", "a map loses masks", f"{LOSS}[masked]",
    plant=method(mapped.MappedDataset, "__init__", masks_of_maps_are_lost))
mutant("GUARD-BATCH-049g", "the mask of the older layout lies transposed in a map", f"{FORMS}[masked-last]",
    plant=function(on_disk._mapped, a_mask_of_patterns_last_lies_transposed))
mutant("GUARD-BATCH-049h", "a map takes exposures in the order of their numbers", f"{FORMS}[paired]",
    plant=function(record.paired, pairs_are_found_after_the_patterns_are_mapped))
mutant("GUARD-BATCH-045h", "a map of a subsample is opened for the whole scan", f"{SETTINGS}[n_subsample]",
    plant=method(mapping.Plan, "settings", result(the_subsample_is_not_compared)))
mutant("GUARD-BATCH-045i", "a map without labels is opened for a training on labels", LABELS,
    plant=every(method(mapping.Plan, "settings", labels_are_not_compared),
        method(mapped.MappedDataset, "_labels", labels_that_are_not_there_are_ones)))
mutant("GUARD-BATCH-041c", "a number of NumPy's is no index", f"{NUMBERS}[number]",
    plant=method(dataset.Gathered, "__getitem__", only_pythons_numbers_are_numbers))
mutant("GUARD-BATCH-041d", "slices from the end are other rows", f"{SLICES}[last]", f"{SLICES}[beyond]",
    plant=method(dataset.Gathered, "__getitem__", a_slice_is_its_own_numbers))
mutant("GUARD-BATCH-041e", "slices that run backwards run forwards", f"{SLICES}[backwards]",
    plant=method(dataset.Gathered, "__getitem__", slices_run_forwards))
mutant("GUARD-BATCH-053", "patterns that are not square are taken", f"{FITS}[oblong-train]", f"{FITS}[oblong-test]",
    plant=function(fields._channel_first, oblong_patterns_are_taken))
mutant("GUARD-BATCH-053b", "one position serves all", f"{FITS}[one-position-train]", f"{FITS}[one-of-four-positions-test]",
    plant=function(fields.relative_positions, one_position_serves_all))
mutant("GUARD-BATCH-053c", "too few scales are repeated", f"{FITS}[seven-scales-train]", f"{FITS}[two-scales-test]",
    plant=function(fields.scale, scales_are_repeated))
mutant("GUARD-BATCH-053d", "experiments have 64 bits or are refused", f"{WIDTHS}[narrow-experiments]",
    plant=function(fields.experiment_ids, experiments_have_64_bits))
mutant("GUARD-BATCH-028c", "the mask of the norm stays on the probe",
    "BATCH-028:a_probe_is_whole_where_its_norm_is_masked[P1]",
    plant=function(probe.normalise_probe, the_mask_stays_on_the_probe))
mutant("GUARD-GROUP-041h", "a repeated centre has the same group again", "GROUP-041:a_repeated_centre_is_drawn_anew",
    plant=function(rules.group_by, a_repeated_centre_has_one_group))
mutant("GUARD-BATCH-031f", "validation is shuffled where no seed is stated",
    "BATCH-031:validation_is_never_shuffled[shuffled]",
    plant=function(loaders.build_loaders, validation_is_shuffled_without_a_seed))
mutant("GUARD-BATCH-048b", "each row of a centre counts once", "BATCH-048:a_row_that_is_asked_for_twice_counts_twice",
    plant=method(mapped.MappedDataset, "centre", lambda original, self, rows=None: original(
        self, None if rows is None else np.unique(rows))))
