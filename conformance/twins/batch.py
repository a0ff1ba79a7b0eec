"""Freedoms of containers, loaders and batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from conformance.defects.planting import Plant
from conformance.mutants.batch import batches
from conformance.twins import twin
from reference_impl.batch import container, dataset, loaders, probe
from reference_impl.batch.fields import attribute

FILES = ("test_batch", "test_batch_loader", "test_batch_probe")
ATTRIBUTES = (
    "X", "Y", "Y_I", "Y_phi", "coords", "coords_nominal", "coords_true", "coords_relative", "probe", "nn_indices",
    "global_offsets", "local_offsets", "physics_scaling_constant",
)  # fmt: skip


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


@twin("TWIN-dict-in-a-list", "a batch is a list, its fields a dict with further keys", files=FILES)
def batches_are_lists_with_plain_dicts(plant: Plant) -> None:
    batches(plant, lambda given, *rest: [{**given, "observed_images": given["images"], "note": "further"}, *rest])


@twin("TWIN-array-batches", "a batch of NumPy arrays", files=FILES)
def batches_are_arrays(plant: Plant) -> None:
    batches(plant, lambda given, *rest: ({key: value.numpy() for key, value in given.items()}, *(x.numpy() for x in rest)))


@twin("TWIN-raw-probe", "the probe of a batch is physical, its scaling one", files=FILES)
def the_probe_is_not_normalised(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe / scaling[..., None], torch.ones_like(scaling)))


@twin("TWIN-thin-probe", "one probe and one scaling serve the whole batch", files=[*FILES, "test_scenario_batch"])
def the_probe_stands_once_in_a_batch(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe[:1, :1].clone(), scaling[:1].clone()))


@twin("TWIN-expanded-probe", "the probe of a batch is a view with strides of zero", files=[*FILES, "test_scenario_batch"])
def the_probe_is_an_expanded_view(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe[:1, :1].expand(probe.shape), scaling[:1].expand(scaling.shape)))


@twin("TWIN-channels-last-images", "images are channel-first views of channel-last memory", files=[*FILES, "test_scenario_batch"])
def images_have_channel_last_memory(plant: Plant) -> None:
    def other_memory(given, *rest):
        given["images"] = given["images"].contiguous(memory_format=torch.channels_last)
        return given, *rest

    batches(plant, other_memory)


@twin("TWIN-other-order", "samples are shuffled by another generator, and iterated without a framework", files=FILES)
def loaders_are_plain_iterables(plant: Plant) -> None:
    def make(original):
        def loader(data, size, execution=None, *, shuffle=False, generator=None):
            seed = generator.initial_seed() if generator else 0
            drawn = [np.random.default_rng((seed, turn)).permutation(len(data)) for turn in range(9)]
            return Plain(data, size, drawn if shuffle else [range(len(data))] * 9)

        return loader

    plant.function(loaders.make_loader, make)


@twin("TWIN-channel-first-refused", "a channel-first container is refused", files=["test_batch_loader"])
def channel_first_containers_are_refused(plant: Plant) -> None:
    def images(original):
        def checked(given, channels):
            X = attribute(given, "X")
            if X is not None and tuple(X.shape)[-1] != channels:
                raise ValueError(f"X: expected {channels} channels on the last axis, found {tuple(X.shape)}")
            return original(given, channels)

        return checked

    plant.function(dataset.fields.images, images)


@twin("TWIN-nominal-without-merging", "without merging, nominal positions stand in for missing ones", files=["test_batch"])
def nominal_positions_where_nothing_is_merged(plant: Plant) -> None:
    def positions(original):
        def found(given, count, model):
            absent = attribute(given, "coords_relative") is None and not model.object_big
            return original(replace(given, coords_relative=given.coords_nominal) if absent else given, count, model)

        return found

    plant.function(dataset.fields.relative_positions, positions)


@twin("TWIN-array-container", "a container of NumPy arrays", files=["test_batch_container", "test_batch"])
def containers_hold_arrays(plant: Plant) -> None:
    def made(original):
        def build(*given, **options):
            found = original(*given, **options)
            arrays = {n: getattr(found, n) for n in ATTRIBUTES if getattr(found, n) is not None}
            return Sized(**{n: a.numpy() for n, a in arrays.items()}, nphotons_source=found.nphotons_source, extra="further")

        return build

    plant.function(container.container_from_groups, made)


@twin("TWIN-scale-as-a-number", "the physics scale is answered as a number of double precision", files=["test_batch_container"])
def the_physics_scale_is_a_number(plant: Plant) -> None:
    plant.answer("physics_scale", lambda original: lambda images, nphotons: original(images, nphotons).double().item())


@twin("TWIN-modes-of-a-probe", "a normalised probe always has its axis of modes, its factor is an array", files=FILES)
def normalised_probes_have_an_axis_of_modes(plant: Plant) -> None:
    def normalise(original):
        def found(*given):
            made, factor = original(*given)
            return made.reshape(-1, *made.shape[-2:]), np.float32(factor)

        return found

    plant.function(probe.normalise_probe, normalise)
