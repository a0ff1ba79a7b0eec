"""Freedoms of memory maps and of groups by rule."""

from __future__ import annotations

import hashlib

import numpy as np

from conformance.defects.changes import answer, constant, every, function, instead, method
from conformance.mutants.batch_maps import gathered
from conformance.twins import rows
from conformance.twins.batch import batches_of_arrays_are_taken
from reference_impl.batch import manifest, mapped, mapping
from reference_impl.grouping import rules
from reference_impl.training import lightning_module, module

FILES = ("test_batch_maps", "test_batch_maps_files")


def a_draw_of_another_generator(candidates, fits, C, draw):
    members = np.full((len(candidates), C), rules.NONE)
    generator = np.random.default_rng(draw.randint(1 << 30))
    for row, (places, good) in enumerate(zip(candidates, fits, strict=True)):
        chosen = generator.permutation(places[good])[:C]
        members[row, : len(chosen)] = chosen
    return members


def further_files_lie_in_the_folder(original, files, folder, *given):
    found = original(files, folder, *given)
    (folder / "notes.txt").write_text("made by hand")
    return found


def rows_are_copied_one_by_one(original, self, indices):
    parts = [original(self, [int(i)]) for i in np.asarray(indices).ravel()]
    fields = {name: np.concatenate([part[0][name].numpy() for part in parts]) for name in parts[0][0].keys()}
    return [fields, *(np.concatenate([part[place].numpy() for part in parts]) for place in (1, 2))]


def a_map_is_for_loaders(original, train, *given, **options):
    if isinstance(train, mapped.MappedDataset):
        raise TypeError("train: a record or a container was expected, found a map; loaders take one")
    return original(train, *given, **options)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-map-of-arrays", "a batch of a map is a list of a dict and NumPy arrays, gathered row by row", files=FILES,
    plant=every(method(mapped.MappedDataset, "__getitems__", rows_are_copied_one_by_one),
        function(module._unpacked, batches_of_arrays_are_taken),
        function(lightning_module._tensors, batches_of_arrays_are_taken)))
twin("TWIN-map-thin-probe", "one probe serves all channels of a sample, its fields more than are asked for", files=FILES,
    plant=gathered(lambda given, probe, scaling: (given.set("further", given["images"] + 1), probe[:, :1].clone(), scaling)))
twin("TWIN-map-hashes-bytes", "a file's digest is that of all its bytes, the schema has another number, the folder holds more",
    files=FILES,
    plant=every(function(manifest.source_digest, instead(lambda path: hashlib.sha256(path.read_bytes()).hexdigest())),
        constant(manifest, "VERSION", 12), function(mapping._build, further_files_lie_in_the_folder)))
twin("TWIN-rule-other-draw", "members by rule are drawn by another generator", files=["test_grouping_rules"],
    plant=function(rules._drawn, instead(a_draw_of_another_generator)))
twin("TWIN-map-version-in-words", "the schema of a map is a text", files=FILES,
    plant=constant(manifest, "VERSION", "third"))
twin("TWIN-map-for-loaders-alone", "the workflow of a training takes records and containers, and no map",
    "PHYS-019:of_several_experiments_one_is_named", "PHYS-013:each_sample_has_the_scale_of_its_experiment",
    "BUNDLE-024:a_model_of_several_files_is_rebuilt", files=FILES, plant=answer("train", a_map_is_for_loaders))
