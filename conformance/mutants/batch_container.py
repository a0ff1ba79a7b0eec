"""Defects of containers: attributes, labels, sources, the physics scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import Change, constant, function, instead, method, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.batch import container, probe


def attributes(**changes: Callable[[Any], Any]) -> Change:
    """Some attributes of every container are made from the container as it ought to be."""
    return function(
        container.container_from_groups,
        result(lambda found: replace(found, **{name: change(found) for name, change in changes.items()})),
    )


def groups(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Every grouped mapping is changed on its way into the container."""
    return function(
        container.container_from_groups,
        lambda original, grouped, *rest, **options: original({**grouped, **change(grouped)}, *rest, **options),
    )


def rows_are_optional(original, data, *rest, **options):
    if hasattr(data, "diff3d") and hasattr(data, "xcoords") and not hasattr(data, "ycoords"):
        raise AttributeError("ycoords")
    return original(data, *rest, **options)


@shape
def scale(plant: Plant, formula: Callable[[np.ndarray, float], Any]) -> None:
    """The physics scale is `formula(X, nphotons)`."""

    def made(X, nphotons):
        with np.errstate(all="ignore"):
            found = float(formula(container.as_array(X).astype(np.float64), nphotons))
        return torch.full((1, 1, 1), found, dtype=torch.float32)

    plant.function(container.physics_scaling_constant, lambda original: made)


def the_number_of_neighbours_is_not_passed_on(plant: Plant) -> None:
    group = container.generate_grouped_data
    plant.constant(container, "generate_grouped_data", lambda *given, K, **options: group(*given, K=4, **options))


def the_axis_of_channels_is_guessed_from_its_length(X, nphotons):
    channels = 1 + int(np.argmin(X.shape[1:]))
    return np.sqrt(nphotons / np.mean(np.sum(X**2, axis=tuple({1, 2, 3} - {channels}))))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-016", "the Poisson loss knows nothing of the photons", "BATCH-012:a_container_carries_its_physics_scale",
    plant=attributes(physics_scaling_constant=lambda made: torch.ones(1, 1, 1)))
mutant("DEF-048", "a container negates the relative positions", "BATCH-002:relative_positions_are_taken_over",
    plant=attributes(coords_relative=lambda made: -made.coords_relative))
mutant("DEF-049", "a missing key comes to light as a foreign error", "BATCH-003:a_missing_key_is_named",
    plant=constant(container, "REQUIRED_KEYS", ()))
mutant("DEF-050", "global and local offsets are exchanged", "BATCH-001:a_container_has_its_attributes",
    "BATCH-001:a_container_has_the_values_of_the_groups",
    plant=attributes(global_offsets=lambda made: made.local_offsets, local_offsets=lambda made: made.global_offsets))
mutant("GUARD-BATCH-001", "a container holds the normalised probe", "BATCH-001:a_container_keeps_the_probe",
    plant=attributes(probe=lambda made: made.probe if made.probe is None else probe.normalise_probe(made.probe, 4.0)[0]))
mutant("GUARD-BATCH-001b", "label amplitudes are intensities", "BATCH-001:labels_are_split_into_amplitude_and_phase",
    plant=method(container.PtychoContainer, "Y_I", instead(property(lambda self: self.Y.abs() ** 2))))
mutant("GUARD-BATCH-001c", "a container is as long as its patches", "BATCH-001:a_container_has_the_length_of_its_groups",
    plant=method(container.PtychoContainer, "__len__", lambda original, self: original(self) * self.X.shape[-1]))
mutant("GUARD-BATCH-004", "amplitudes of any dtype are cast in silence", "BATCH-004:amplitudes_of_another_dtype_are_refused",
    plant=groups(lambda given: {"X_full": given["X_full"].astype(np.float32)} if "X_full" in given else {}))
mutant("GUARD-BATCH-010", "labels without a phase pass for labels", "BATCH-010:labels_that_are_not_complex64_are_refused",
    plant=groups(lambda given: {"Y": given["Y"] if given["Y"] is None else given["Y"].astype(np.complex64)}))
mutant("GUARD-BATCH-010b", "missing labels are dark", "BATCH-010:without_labels_there_are_ones",
    plant=attributes(Y=lambda made: made.Y if made.has_labels else torch.zeros(made.X.shape, dtype=torch.complex64)))
mutant("GUARD-BATCH-011", "a container is copied on its way", "BATCH-011:a_container_passes_unchanged",
    plant=function(container.ensure_container, result(lambda found: replace(found))))
mutant("GUARD-BATCH-011b", "the number of neighbours is always four", "BATCH-011:a_record_is_grouped_as_the_configuration_says",
    plant=the_number_of_neighbours_is_not_passed_on)
mutant("GUARD-BATCH-011c", "anything passes for a container", "BATCH-011:anything_else_is_no_source",
    plant=function(container.ensure_container,
        lambda original, data, *rest, **options: original(data, *rest, **options) if hasattr(data, "diff3d") else data))
mutant("GUARD-BATCH-012", "another channel is more photons", "BATCH-012:the_physics_scale_of_ones",
    "BATCH-012:a_container_carries_its_physics_scale",
    plant=scale(lambda X, nphotons: np.sqrt(nphotons / np.mean(np.sum(X**2, axis=(1, 2, 3))))))
mutant("GUARD-BATCH-012b", "the channels are the shortest axis", "BATCH-012:the_physics_scale_of_uneven_images",
    plant=scale(the_axis_of_channels_is_guessed_from_its_length))
mutant("GUARD-BATCH-012c", "photons of the file are ignored", "BATCH-012:photons_come_from_the_metadata_before_the_configuration",
    plant=constant(container, "stated_nphotons", lambda *given: None))
mutant("GUARD-BATCH-012d", "no photons make a scale of zero", "BATCH-012:a_scale_that_does_not_exist_is_refused",
    plant=scale(lambda X, nphotons: np.sqrt(nphotons / np.mean(np.sum(X**2, axis=(1, 2))))))
mutant("GUARD-BATCH-002", "a container turns the groups that it is made of", "BATCH-002:relative_positions_are_taken_over",
    plant=groups(lambda given: {"coords_relative": np.negative(given["coords_relative"], out=given["coords_relative"])}))
mutant("GUARD-BATCH-011g", "what has images is a container", "BATCH-011:half_a_source_is_none[X]",
    plant=function(container.ensure_container,
        lambda original, data, *rest, **options: data if hasattr(data, "X") else original(data, *rest, **options)))
mutant("GUARD-BATCH-011h", "patterns and columns are a record", "BATCH-011:half_a_source_is_none[diff3d-xcoords]",
    plant=function(container.ensure_container, rows_are_optional))
mutant("GUARD-BATCH-012g", "endless photons make an endless scale", "BATCH-012:a_scale_without_end_is_refused[infinite]",
    plant=function(container.physics_scaling_constant,
        lambda original, X, nphotons: torch.full((1, 1, 1), torch.inf) if nphotons == np.inf else original(X, nphotons)))
