"""Freedoms of entrances: memories that look, other orders of reading, other forms of what is kept in memory."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import answer, caught, every, function, method
from conformance.twins import rows
from reference_impl.batch import loaders
from reference_impl.config import load_yaml_config, registry
from reference_impl.data import header, record

FILES = ("test_data", "test_data_layout", "test_data_entrances", "test_config_factory", "test_grouping_members")


def remembered_by_content() -> Any:
    """A memory whose key is what the file holds: it cannot be stale."""
    kept: dict[Any, Any] = {}

    def call(original, path, *given, **options):
        key = (str(path), hashlib.sha256(Path(path).read_bytes()).digest()) if Path(path).is_file() else None
        if key is None or key not in kept:
            kept[key] = original(path, *given, **options)
        return kept[key]

    return call


def the_header_is_read_off_the_record(original, path):
    """No second reader: the factories read the whole file."""
    found = original(path)  # what the header's reader refuses stays refused
    whole = record.RawData.from_file(path)
    return header.FileHeader(len(whole), whole.diff3d.shape[-1], whole.nphotons, found.keys)


def stacks_are_views_of_the_file_in_its_order(original, archive, key, *rest):
    return np.asfortranarray(original(archive, key, *rest))


def stacks_keep_their_type(original, archive, key, *rest):
    found, dtype = original(archive, key, *rest), archive.header(key).dtype
    fits = dtype.itemsize <= found.dtype.itemsize and dtype.isnative  # sums of others are in another order, bits of a map are not
    return found.astype(dtype) if rest[1] == "amplitude" and fits else found


def whole_numbers_are_kept_in_double(original, self, *given, **options):
    stack = options.get("diff3d")
    whole = stack is not None and np.asarray(stack).dtype.kind in "iu"
    original(self, *given, **(options | {"diff3d": np.asarray(stack, np.float64)} if whole else options))


def settings_are_read_twice(original, path):
    original(path)
    return original(path)


def a_registry_that_is_filled_anew(original, live, config):
    """What stood there is read and written again before the configuration is."""
    live.update(dict(live))
    return original(live, config)


def orders_are_drawn_by_numpy(original, self):
    """Another generator, seeded by the loader's: one draw a pass, whoever loads."""
    seed = int(torch.randint(1 << 31, (1,), generator=self.generator))
    return iter(np.random.default_rng(seed).permutation(self.count).tolist())


def moved_images_are_other_memory(original, images, offsets):
    found = original(images, offsets)
    return found.transpose(-1, -2).contiguous().transpose(-1, -2)


def patterns_are_at_fault(error, *given):
    surplus = "Every pattern needs a position" in str(error)
    return ValueError(str(error).replace("xcoords", "diff3d")) if surplus else error


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-remembered-headers", "headers are remembered by what the file holds", files=FILES,
    plant=function(header.inspect_file, remembered_by_content()))
twin("TWIN-remembered-settings", "settings are remembered by what the file holds", files=("test_config", "test_data_entrances"),
    plant=function(load_yaml_config, remembered_by_content()))
twin("TWIN-header-off-the-record", "the factories read the whole record for a header", files=FILES,
    plant=function(header.inspect_file, the_header_is_read_off_the_record))
twin("TWIN-stacks-as-written", "a stack keeps the type that it has in the file, unless that is wider or turned",
    files=(*FILES, "test_batch_container"),
    plant=function(record._amplitudes, stacks_keep_their_type))
twin("TWIN-fortran-stacks", "a stack stays in the order in which it was written", files=(*FILES, "test_batch_container"),
    plant=function(record._amplitudes, stacks_are_views_of_the_file_in_its_order))
twin("TWIN-whole-numbers-in-double", "a record keeps whole numbers in double precision",
    files=(*FILES, "test_data_arrays", "test_grouping_arrays"),
    plant=method(record.RawData, "__init__", whole_numbers_are_kept_in_double))
twin("TWIN-settings-twice", "settings are read twice", files=("test_config", "test_data_entrances"),
    plant=function(load_yaml_config, settings_are_read_twice))
twin("TWIN-registry-anew", "the registry is written whole at each synchronisation",
    files=("test_config_registry", "test_data_entrances"),
    plant=function(registry.update_legacy_dict, a_registry_that_is_filled_anew))
twin("TWIN-orders-of-numpy", "the order of a pass is drawn by another generator",
    "EXEC-015:who_loads_changes_nothing", files=("test_batch_loader",),
    plant=method(loaders.Shuffled, "__iter__", orders_are_drawn_by_numpy))
twin("TWIN-moved-memory", "moved images lie otherwise in memory", files=("test_physics_motion", "test_physics_merge"),
    plant=answer("translate", moved_images_are_other_memory))
twin("TWIN-a-surplus-of-patterns", "where patterns are more than positions, they are at fault",
    files=("test_data_arrays", "test_data_layout"),
    plant=every(*(answer(name, caught(ValueError, patterns_are_at_fault)) for name in ("read", "record"))))
