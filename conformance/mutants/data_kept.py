"""Defects of what a subsample, a second mask, a file and a call have to leave as it was."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np

from conformance.defects.changes import function, whole
from conformance.mutants import rows
from reference_impl.batch import container
from reference_impl.data import checks, load, mask, npz
from reference_impl.errors import ContractError
from reference_impl.grouping import grouped, indices

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


def positions_are_changed_in_place(original, loaded, flip_x, flip_y, swap_xy, scale):
    if swap_xy:
        return original(loaded, flip_x, flip_y, swap_xy, scale)
    for name, factor in (("x", -scale if flip_x else scale), ("y", -scale if flip_y else scale)):
        for suffix in ("coords", "coords_start"):
            values = getattr(loaded, name + suffix)
            values *= factor
    return None


def files_of_masks_are_kept(original):
    known = {}

    def read(mask):
        if isinstance(mask, np.ndarray):
            return mask
        return known.setdefault(str(mask), original(mask))

    return read


def starts_are_written_where_x_has_its_own(original, path, arrays):
    same = "xcoords_start" in arrays and np.array_equal(arrays["xcoords_start"], arrays["xcoords"])
    original(path, {name: array for name, array in arrays.items() if not (same and name.endswith("_start"))})


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
mutant("GUARD-DATA-007q", "starts are written where those of x are others than the coordinates",
    "DATA-007:starts_of_one_axis_survive_their_file[ycoords_start]",
    plant=function(npz.write_npz, starts_are_written_where_x_has_its_own))
mutant("GUARD-DATA-008d", "positions are changed in place", "DATA-008:starts_that_a_file_lacks_follow_its_coordinates[scale]",
    plant=function(load._transform_positions, positions_are_changed_in_place))
mutant("GUARD-DATA-027d", "a mask is kept by the name of its file", "DATA-027:a_mask_that_was_rewritten_is_read_anew",
    plant=whole(mask.good_pixels, files_of_masks_are_kept))
