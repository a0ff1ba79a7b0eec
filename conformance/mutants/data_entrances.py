"""Defects of entrances: forms of numbers that one of them does not take, and memories of what was read before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch.utils.data import DataLoader

from conformance.defects.changes import Change, every, function, instead, method
from conformance.mutants import rows
from reference_impl.batch import container, loaders
from reference_impl.bundle import load_torch_bundle
from reference_impl.config import load_yaml_config, registry
from reference_impl.data import checks, header, load, metadata, npz, record
from reference_impl.errors import ContractError
from reference_impl.grouping import arrays, indices
from reference_impl.stored.tensors import read_tensors

FORMS = "DATA-018:the_same_numbers_are_the_same_data"
REPLACED = "DATA-019:a_file_that_was_replaced_is_read_anew"
ANEW = "DATA-019:what_was_stored_anew_is_opened_anew"
BESIDE = "DATA-019:what_another_run_left_plays_no_part"


def tensors_share_what_runs_backwards(original: Any, array: Any, dtype: Any = None) -> Any:
    own = np.asarray(array, dtype)
    return torch.from_numpy(own) if own.flags.writeable else original(own)


def photons_are_pythons(original: Any, said: Any, file: Any = None) -> Any:
    found = (said or {}).get("physics_parameters", {}).get("nphotons")
    return original(said, file) if isinstance(found, int | float) else None


def remembered(*parts: str) -> Any:
    """A call whose answer is kept: under the path, or under what `stat` says of the file (`st_size`, `st_mtime_ns`) as well."""
    kept: dict[Any, Any] = {}

    def call(original, path, *given, **options):
        key = (str(path), *(getattr(Path(path).stat(), part) for part in parts)) if Path(path).is_file() else None
        if key is None or key not in kept:
            kept[key] = original(path, *given, **options)
        return kept[key]

    return call


def bundles_are_remembered() -> Any:
    kept: dict[str, Any] = {}
    return lambda original, path, *given: kept.setdefault(str(path), original(path, *given))


def amplitudes(change: Any) -> Change:
    """The stack of a file goes through `change(stack, archive, key)`."""
    return function(record._amplitudes, lambda original, archive, key, *rest: change(original(archive, key, *rest), archive, key))


def refused_where_foreign(stack):
    if not stack.dtype.isnative:
        raise TypeError(f"can't convert np.ndarray of type {stack.dtype}")


def whole_photons_are_unknown(original, mapping, file=None):
    found = (mapping or {}).get("physics_parameters", {}).get("nphotons")
    return None if isinstance(found, int) else original(mapping, file)


def headers_guess_the_layout(original, shape, count, field="diffraction", file=None):
    if shape[0] == shape[1] != shape[2]:
        raise ContractError(file=file, field=field, expected="square patterns, (M, N, N)", found=f"shape {shape}")
    return False


class HeaderOfOneLayout:
    """What the header's reader knows of layouts."""

    pattern_layout = staticmethod(lambda *given: headers_guess_the_layout(None, *given))
    equal_counts = staticmethod(checks.equal_counts)


def the_header_knows_one_layout(plant):
    header.checks = HeaderOfOneLayout
    plant.inside = True


def fortran_is_forgotten(original, self, key, stream):
    found = original(self, key, stream)
    return npz.Header(found.shape, found.dtype)


def the_byte_order_is_forgotten(original, self, key, stream):
    found = original(self, key, stream)
    return npz.Header(found.shape, found.dtype.newbyteorder("="), found.fortran)


def the_first_format_alone_is_known(original, self, key, stream):
    fill = stream.fill

    def looked_at(view):
        fill(view)
        if bytes(view[:6]) == b"\x93NUMPY" and view[6] != 1:
            self._refuse(key, "a header of NumPy's format 1.0", f"format {view[6]}.0")

    stream.fill = looked_at
    found = original(self, key, stream)
    stream.fill = fill
    return found


def halves_are_squared_as_they_are(patterns):
    flat = patterns.reshape(len(patterns), -1)
    return np.sum(flat * flat, axis=1, dtype=flat.dtype).astype(np.float64)


def neighbours_beyond_a_hundred_pixels_are_none(original, points, seeds, K, C):
    distances = cKDTree(points).query(points[seeds], k=min(K + 1, len(points)))[0]
    if C > 1 and np.any(distances[:, C] > 100):
        raise ContractError(field="positions", expected="neighbours within 100 px", found=f"{distances.max():.0f} px")
    return original(points, seeds, K, C)


def far_neighbours_stand_on_the_rim(original, points, *rest):
    return original(np.clip(points, 0, 300), *rest)


def single_patterns_lose_an_axis(stack, archive, key):
    return np.squeeze(stack)


def random_samplers_look_ahead(plant):
    """The loader's own random sampler, which draws once more where it is asked beyond its end."""
    made = loaders.make_loader

    def original(dataset, size, execution=None, *, shuffle=False, generator=None):
        loader = made(dataset, size, execution, shuffle=False, generator=generator)
        options = {"num_workers": loader.num_workers, "collate_fn": loader.collate_fn, "generator": generator}
        return DataLoader(dataset, batch_size=size, shuffle=shuffle, **options)

    plant.function(made, lambda _: original)


def workers_draw_an_order_of_their_own(original, dataset, size, execution=None, *, shuffle=False, generator=None):
    other = generator if execution is None or not execution.num_workers else torch.Generator().manual_seed(7)
    return original(dataset, size, execution, shuffle=shuffle, generator=other)


def the_factor_has_a_floor(original, stack, factor):
    return original(stack, min(factor, 1e4))


def bright_amplitudes_saturate(stack, archive, key):
    return np.minimum(stack, np.float32(65535))


def containers_subsample_like_the_last_run(original, data, config, cap_groups):
    return original(data, replace(config, n_subsample=registry.cfg.get("n_subsample")), cap_groups)


def whole_numbers_are_no_positions(original, value, field, file=None):
    if np.asarray(value).dtype.kind in "iu":
        raise ContractError(file=file, field=field, expected="dtype float64", found=f"dtype {np.asarray(value).dtype}")
    return original(value, field, file)


def readers_subsample_like_the_last_run(original, file, n_images=None, n_subsample=None, *rest, **options):
    size = registry.cfg.get("n_subsample") if n_subsample is None else n_subsample
    return original(file, n_images, size, *rest, **options)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# One form of the numbers, at one entrance.
mutant("GUARD-DATA-018", "records are in the byte order of their file, which torch refuses", f"{FORMS}[container-big-endian]",
    plant=function(arrays.scaled, lambda original, stack, factor: refused_where_foreign(stack) or original(stack, factor)))
mutant("GUARD-DATA-018b", "a photon number without a point is not read", f"{FORMS}[header-whole-photons]",
    f"{FORMS}[factory-whole-photons]", plant=function(metadata.stated_nphotons, whole_photons_are_unknown))
mutant("GUARD-DATA-018c", "the factories refuse older files, which the reader takes", f"{FORMS}[header-patterns-last]",
    f"{FORMS}[factory-patterns-last]", plant=the_header_knows_one_layout)
mutant("GUARD-DATA-018d", "columns first are read as rows first", f"{FORMS}[file-fortran]",
    plant=method(npz.Archive, "_read_header", fortran_is_forgotten))
mutant("GUARD-DATA-018e", "files of other machines are read as noise", f"{FORMS}[file-big-endian]",
    plant=method(npz.Archive, "_read_header", the_byte_order_is_forgotten))
mutant("GUARD-DATA-018m", "of NumPy's headers the first format alone is read", "DATA-018:every_format_of_numpy_is_read[file-2]",
    "DATA-018:every_format_of_numpy_is_read[header-3]",
    plant=method(npz.Archive, "_read_header", the_first_format_alone_is_known))
mutant("GUARD-DATA-018f", "squares of half floats overflow", f"{FORMS}[container-half]",
    plant=function(arrays.pattern_energies, instead(halves_are_squared_as_they_are)))
mutant("GUARD-DATA-018g", "records of doubles make batches of doubles", "DATA-010:images_are_float32_whatever_the_file_holds",
    "GROUP-030:amplitudes_are_normalised",
    plant=every(function(arrays.scaled, instead(lambda stack, factor: (stack * factor).astype(np.result_type(stack, "f4")))),
        amplitudes(lambda stack, archive, key: archive.array(key))))
mutant("GUARD-DATA-018h", "positions in whole pixels are refused", f"{FORMS}[file-integers]", f"{FORMS}[container-integers]",
    plant=function(checks.positions, whole_numbers_are_no_positions))
# An axis that no scene varied.
mutant("GUARD-GROUP-013e", "a coarse scan has no neighbours", "GROUP-013:members_are_near_their_seed_point",
    plant=function(indices._neighbours, neighbours_beyond_a_hundred_pixels_are_none))
mutant("GUARD-GROUP-013f", "far exposures are grouped as if they stood on a rim", "GROUP-013:members_are_near_their_seed_point",
    plant=function(indices._neighbours, far_neighbours_stand_on_the_rim))
mutant("GUARD-GROUP-030d", "dim patterns stay dim", "GROUP-030:normalised_amplitudes_have_no_unit[dim]",
    plant=function(arrays.scaled, the_factor_has_a_floor))
mutant("GUARD-DATA-003d", "bright amplitudes saturate at 16 bits", "DATA-003:amplitudes_are_handed_on[bright]",
    plant=amplitudes(bright_amplitudes_saturate))
mutant("GUARD-DATA-001f", "a file of one exposure is not read", "DATA-001:a_file_is_read_as_it_is[one-exposure]",
    plant=amplitudes(single_patterns_lose_an_axis))
mutant("GUARD-EXEC-015", "with loading processes the second epoch has another order",
    "EXEC-015:who_loads_changes_nothing[whole-batches]", plant=random_samplers_look_ahead)
mutant("GUARD-EXEC-015b", "loading processes draw an order of their own", "EXEC-015:who_loads_changes_nothing",
    plant=function(loaders.make_loader, workers_draw_an_order_of_their_own))
mutant("GUARD-DATA-018q", "a probe that runs backwards in memory is refused", f"{FORMS}[container-backwards]",
    plant=function(container.as_tensor, tensors_share_what_runs_backwards))
mutant("GUARD-DATA-018r", "a photon number of NumPy's is none", f"{FORMS}[container-numpys-photons]",
    plant=function(metadata.stated_nphotons, photons_are_pythons))
# A memory of the last call.
mutant("GUARD-DATA-019", "a header is remembered by its path", f"{REPLACED}[header]", f"{REPLACED}[factory]",
    plant=function(header.inspect_file, remembered()))
mutant("GUARD-DATA-019b", "a header is remembered by path, size and time", f"{REPLACED}[header]", f"{REPLACED}[factory]",
    plant=function(header.inspect_file, remembered("st_size", "st_mtime_ns")))
mutant("GUARD-DATA-019c", "a record is remembered by path, size and time", f"{REPLACED}[file]", f"{REPLACED}[container]",
    plant=function(load.load_data, remembered("st_size", "st_mtime_ns")))
mutant("GUARD-DATA-019d", "settings are remembered by their path", f"{ANEW}[settings]",
    plant=function(load_yaml_config, remembered()))
mutant("GUARD-DATA-019e", "a bundle is remembered by its path", f"{ANEW}[bundle]",
    plant=function(load_torch_bundle, bundles_are_remembered()))
mutant("GUARD-DATA-019f", "a checkpoint is remembered by its path", f"{ANEW}[checkpoint]",
    plant=function(read_tensors, lambda original, source, *rest, kept={}: kept.setdefault(str(source), original(source, *rest))
        if isinstance(source, Path) else original(source, *rest)))
mutant("GUARD-DATA-019g", "a container subsamples as the last run did", f"{BESIDE}[container]",
    plant=function(container._of_record, containers_subsample_like_the_last_run))
mutant("GUARD-DATA-019h", "a reader subsamples as the last run did", f"{BESIDE}[file]", f"{BESIDE}[container]",
    plant=function(load.load_data, readers_subsample_like_the_last_run))
