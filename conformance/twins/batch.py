"""Freedoms of containers, loaders and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import answer, constant, every, function, instead, result
from conformance.mutants.batch import batches
from conformance.twins import rows
from reference_impl.batch import build_loaders, container, dataset, fields, loaders, probe
from reference_impl.batch.fields import attribute
from reference_impl.training import lightning_module, module

FILES = ("test_batch", "test_batch_loader", "test_batch_probe")
ATTRIBUTES = (
    "X", "Y", "Y_I", "Y_phi", "coords", "coords_nominal", "coords_true", "coords_relative", "probe", "nn_indices",
    "global_offsets", "local_offsets", "physics_scaling_constant",
)  # fmt: skip
FURTHER = ("nphotons", "nphotons_source", "has_labels", "YY_full", "mask", "label_light")


class Plain:
    """A loader without a framework: an iterable of batches, with an order for each pass."""

    def __init__(self, data: Any, size: int, orders: Sequence[Any]) -> None:
        self.data, self.size, self.orders = data, size, iter(orders)

    def __iter__(self) -> Iterator[Any]:
        rows = list(next(self.orders))
        return (self.data[rows[i : i + self.size]] for i in range(0, len(rows), self.size))


class Sized(SimpleNamespace):
    """A container of arrays."""

    def __len__(self) -> int:
        return len(self.X)


def images_have_channel_last_memory(given, *rest):
    given["images"] = given["images"].contiguous(memory_format=torch.channels_last)
    return given, *rest


def loaders_are_plain_iterables(original, data, size, execution=None, *, shuffle=False, generator=None):
    if not isinstance(data, dataset.PtychoDataset) or getattr(execution, "num_workers", 0):  # workers are the framework's
        return original(data, size, execution, shuffle=shuffle, generator=generator)
    seed = generator.initial_seed() if generator else 0
    drawn = [np.random.default_rng((seed, turn)).permutation(len(data)) for turn in range(9)]
    return Plain(data, size, drawn if shuffle else [range(len(data))] * 9)


def batches_of_arrays_are_taken(original, batch):
    if not isinstance(batch, tuple | list) or not all(hasattr(batch[0], name) for name in ("keys", "items")):
        return original(batch)
    given, *rest = batch
    return original(({key: torch.as_tensor(given[key]) for key in given.keys()}, *map(torch.as_tensor, rest)))  # noqa: SIM118


def channel_first_containers_are_refused(original, given, channels):
    X = attribute(given, "X")
    if X is not None and tuple(X.shape)[-1] != channels:
        raise ValueError(f"X: expected {channels} channels on the last axis, found {tuple(X.shape)}")
    return original(given, channels)


def nominal_positions_where_nothing_is_merged(original, given, count, model):
    absent = attribute(given, "coords_relative") is None and not model.object_big
    return original(replace(given, coords_relative=given.coords_nominal) if absent else given, count, model)


def containers_hold_arrays(original, *given, **options):
    found = original(*given, **options)
    arrays = {n: getattr(found, n) for n in ATTRIBUTES if getattr(found, n) is not None}
    plain = {n: getattr(found, n) for n in FURTHER}
    return Sized(**{n: a.numpy() for n, a in arrays.items()}, **plain, extra="further")


def probes_stay_physical(given, probe_scale, mask=None):
    made, factor = probe.normalise_probe(given, probe_scale, mask)
    return made / factor, 1.0


def normalised_probes_have_an_axis_of_modes(original, *given):
    made, factor = original(*given)
    return made.reshape(-1, *made.shape[-2:]), np.float32(factor)


def probe_in_doubles(original, probe, probe_scale):
    found, factor = original(probe, probe_scale)
    return np.asarray(probe).astype(complex).reshape(found.shape) * factor, factor


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-dict-in-a-list", "a batch is a list, its fields a dict with further keys", files=FILES,
    plant=batches(lambda given, *rest: [{**given, "observed_images": given["images"], "note": "further"}, *rest]))
twin("TWIN-loaders-of-three", "loaders take no execution configuration", files=("test_batch_pairs", "test_batch_maps_pairs"),
    plant=answer("loaders", instead(lambda train, test, config: build_loaders(train, test, config))))
twin("TWIN-array-batches", "a batch of NumPy arrays", files=FILES,
    plant=every(batches(lambda given, *rest: ({key: value.numpy() for key, value in given.items()}, *(x.numpy() for x in rest))),
        function(module._unpacked, batches_of_arrays_are_taken),
        function(lightning_module._tensors, batches_of_arrays_are_taken)))
twin("TWIN-raw-probe", "the probe of a batch is physical, its scaling one", files=FILES,
    plant=constant(fields, "normalise_probe", probes_stay_physical))
twin("TWIN-thin-probe", "one probe and one scaling serve the whole batch", files=[*FILES, "test_scenario_batch"],
    plant=batches(lambda given, probe, scaling: (given, probe[:1, :1].clone(), scaling[:1].clone())))
twin("TWIN-expanded-probe", "the probe of a batch is a view with strides of zero", files=[*FILES, "test_scenario_batch"],
    plant=batches(lambda given, probe, scaling: (given, probe[:1, :1].expand(probe.shape), scaling[:1].expand(scaling.shape))))
twin("TWIN-channels-last-images", "images are channel-first views of channel-last memory", files=[*FILES, "test_scenario_batch"],
    plant=batches(images_have_channel_last_memory))
twin("TWIN-other-order", "samples are shuffled by another generator, and iterated without a framework", files=FILES,
    plant=function(loaders.make_loader, loaders_are_plain_iterables))
twin("TWIN-channel-first-refused", "a channel-first container is refused", files=["test_batch_loader"],
    plant=function(dataset.fields.images, channel_first_containers_are_refused))
twin("TWIN-nominal-without-merging", "without merging, nominal positions stand in for missing ones", files=["test_batch"],
    plant=function(dataset.fields.relative_positions, nominal_positions_where_nothing_is_merged))
twin("TWIN-array-container", "a container of NumPy arrays", files=["test_batch_container", "test_batch"],
    plant=function(container.container_from_groups, containers_hold_arrays))
twin("TWIN-scale-as-a-number", "the physics scale is answered as a number of double precision", files=["test_batch_container"],
    plant=answer("physics_scale", result(lambda found: found.double().item())))
twin("TWIN-PROBE-IN-DOUBLES", "a normalised probe is one of doubles", files=FILES,
    plant=answer("normalise_probe", probe_in_doubles))
twin("TWIN-modes-of-a-probe", "a normalised probe always has its axis of modes, its factor is an array", files=FILES,
    plant=function(probe.normalise_probe, normalised_probes_have_an_axis_of_modes))
