"""Defects of the probe in a batch: its axes, its normalisation, its meeting with the object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from conformance.mutants.batch import batches
from reference_impl.batch import probe
from reference_impl.physics import diffraction


def norm(plant: Plant, formula: Callable[[np.ndarray, float], Any]) -> None:
    """Probes are divided by `formula(probe, probe_scale)`, and nothing is checked."""

    def normalise(given, scale, mask=None):
        array = np.asarray(given)
        modes = np.moveaxis(array, -1, 0) if array.shape[-1] == 1 else array
        found = formula(modes.astype(np.complex128), scale)
        return torch.from_numpy((modes / found).astype(np.complex64)), 1 / float(np.mean(found))

    plant.function(probe.normalise_probe, lambda original: normalise)


@mutant(
    "DEF-013", "predicted amplitudes grow with the size of the batch",
    "BATCH-028:the_probe_has_five_axes", "BATCH-028:other_layouts_of_a_probe_are_refused",
)  # fmt: skip
def a_probe_a_sample_lands_on_the_axis_of_modes(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe[:, 0, 0], scaling))
    plant.function(diffraction.illuminate, lambda original: lambda field, probe: field.unsqueeze(2) * probe)


@mutant("DEF-014", "samples see each other's probes", "BATCH-028:samples_do_not_couple")
def probes_of_all_samples_are_modes_of_each(plant: Plant) -> None:
    plant.function(diffraction.illuminate, lambda original: lambda field, probe: original(field, probe.flatten(0, 2)[None, None]))


@mutant(
    "DEF-073", "a probe (N, N, 1) is taken for N modes",
    "BATCH-050:a_probe_is_divided_by_its_norm", "BATCH-050:a_trailing_axis_is_no_mode",
)  # fmt: skip
def an_axis_of_one_is_broadcast_to_modes(plant: Plant) -> None:
    def normalise(original):
        def widened(given, *rest):
            array = np.asarray(given)
            last = array.ndim == 3 and array.shape[2] == 1
            return original(np.broadcast_to(array, (len(array),) * 3) if last else array, *rest)

        return widened

    plant.function(probe.normalise_probe, normalise)


@mutant("GUARD-BATCH-028", "the first mode alone reaches the batch", "BATCH-028:the_probe_has_five_axes")
def modes_are_cut_to_the_first(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe[:, :, :1], scaling))


@mutant("GUARD-BATCH-029", "the scaling is the norm, not its inverse", "BATCH-029:the_scaling_is_the_probes")
def the_scaling_is_turned_over(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe, 1 / scaling))


@mutant("GUARD-BATCH-029b", "the constant of the patterns restores the probe", "BATCH-029:the_scaling_is_the_probes")
def the_scaling_is_that_of_the_patterns(plant: Plant) -> None:
    batches(plant, lambda given, probe, scaling: (given, probe, given["rms_scaling_constant"]))


@mutant(
    "GUARD-BATCH-050", "weak modes are as strong as the first", "BATCH-050:a_probe_is_divided_by_its_norm"
)  # fmt: skip
def each_mode_has_its_own_norm(plant: Plant) -> None:
    norm(plant, lambda modes, scale: scale * np.abs(modes).mean(axis=(-2, -1), keepdims=True))


@mutant("GUARD-BATCH-050b", "the probe is normalised by its energy", "BATCH-050:a_normalised_probe_has_a_known_mean")
def the_norm_is_one_of_squares(plant: Plant) -> None:
    norm(plant, lambda modes, scale: scale * np.sqrt(np.mean(np.abs(modes) ** 2)))


@mutant("GUARD-BATCH-050c", "weak probes come out too weak", "BATCH-050:a_normalised_probe_has_no_unit")
def a_constant_guards_the_division(plant: Plant) -> None:
    norm(plant, lambda modes, scale: scale * np.abs(modes).mean() + 1e-6)


@mutant(
    "GUARD-BATCH-050d", "a probe of any shape and any norm passes",
    "BATCH-050:other_shapes_of_a_probe_are_refused", "BATCH-050:a_probe_without_norm_is_refused",
)  # fmt: skip
def probes_are_not_checked(plant: Plant) -> None:
    norm(plant, lambda modes, scale: scale * np.abs(modes).mean())


@mutant("GUARD-BATCH-050e", "objects are washed out by the square of the scale", "BATCH-050:a_probe_is_divided_by_its_norm")
def the_probe_is_multiplied_by_its_scale(plant: Plant) -> None:
    norm(plant, lambda modes, scale: np.abs(modes).mean() / scale)


@mutant("GUARD-BATCH-028b", "a probe of one pixel illuminates evenly", "BATCH-028:other_layouts_of_a_probe_are_refused")
def a_probe_of_one_pixel_is_broadcast(plant: Plant) -> None:
    def illuminate(original):
        return lambda field, probe: field.unsqueeze(2) * probe if probe.shape[-2:] == (1, 1) else original(field, probe)

    plant.function(diffraction.illuminate, illuminate)
