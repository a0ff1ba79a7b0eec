"""Defects of the way from the exit wave to the detector's amplitude, and of its photons."""

from __future__ import annotations

import math

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.physics import diffraction, photons

FRAME = (-2, -1)


@mutant(
    "DEF-068",
    "every amplitude is too large by the side of the detector",
    "PHYS-002:far_field_is_orthonormal_and_centred",
    "PHYS-002:energy_is_conserved",
    "PHYS-003:constant_wave_lands_in_the_centre",
    "PHYS-002:every_exit_wave_keeps_its_energy",
)
def transform_is_not_orthonormal(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: original(wave) * math.sqrt(wave[0, 0, 0].numel()))


@mutant(
    "DEF-069",
    "the pattern sits in the corners",
    "PHYS-003:constant_wave_lands_in_the_centre",
    "PHYS-002:far_field_is_orthonormal_and_centred",
)
def far_field_is_not_shifted(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: torch.fft.ifftshift(original(wave), dim=FRAME))


@mutant("DEF-070", "patterns land in other channels and samples", "PHYS-003:constant_wave_lands_in_the_centre")
def shift_runs_over_all_axes(plant: Plant) -> None:
    def everywhere(original):
        return lambda wave: torch.fft.fftshift(torch.fft.ifftshift(original(wave), dim=FRAME))

    plant.function(diffraction.propagate, everywhere)


@mutant(
    "DEF-072",
    "probe modes interfere",
    "PHYS-004:modes_add_incoherently",
    "PHYS-004:order_and_dark_modes_do_not_matter",
)
def modes_are_summed_before_the_modulus(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: original(wave.sum(dim=-3, keepdim=True)))


@mutant(
    "GUARD-PHYS-001",
    "the object comes out conjugated",
    "PHYS-001:exit_wave_is_object_times_probe",
    "PHYS-001:object_and_probe_enter_alike",
)
def probe_is_conjugated(plant: Plant) -> None:
    plant.function(diffraction.illuminate, lambda original: lambda field, probe: original(field, probe.conj()))


@mutant("GUARD-PHYS-001b", "phases are lost on the way to the detector", "PHYS-001:global_phase_is_invisible")
def imaginary_part_is_cast_away(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: original(wave.real))


@mutant("GUARD-PHYS-002", "no light still lights the detector", "PHYS-002:no_light_gives_a_dark_detector")
def floor_under_the_root_is_a_millionth(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: (original(wave).square() + 1e-6).sqrt())


@mutant(
    "GUARD-PHYS-003",
    "the pattern is turned by half a circle",
    "PHYS-003:tilted_wave_lands_beside_the_centre",
    "PHYS-002:far_field_is_orthonormal_and_centred",
)
def transform_is_the_inverse_one(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: original(wave.conj()))


@mutant("GUARD-PHYS-003b", "odd detectors are off by a pixel", "PHYS-003:constant_wave_lands_in_the_centre[15x15]")
def shift_is_the_inverse_one(plant: Plant) -> None:
    def shifted(original):
        return lambda wave: torch.fft.ifftshift(torch.fft.ifftshift(original(wave), dim=FRAME), dim=FRAME)

    plant.function(diffraction.propagate, shifted)


@mutant(
    "GUARD-PHYS-004",
    "the weakest mode's light is missing",
    "PHYS-004:modes_add_incoherently",
    "PHYS-004:order_and_dark_modes_do_not_matter",
    "PHYS-002:energy_is_conserved",
)
def last_mode_is_left_out(plant: Plant) -> None:
    plant.function(diffraction.propagate, lambda original: lambda wave: original(wave[..., : max(1, wave.shape[-3] - 1), :, :]))


@mutant("GUARD-PHYS-005", "noise is far too strong for its photons", "PHYS-005:counts_have_poisson_mean_and_variance")
def rate_is_the_amplitude(plant: Plant) -> None:
    plant.function(
        photons.observe_photons, lambda original: lambda amplitude, generator=None: original(amplitude.sqrt(), generator)
    )


@mutant(
    "GUARD-PHYS-005b",
    "observations are no whole numbers of photons",
    "PHYS-005:counts_are_whole_and_dark_stays_dark",
    "PHYS-005:counts_have_poisson_mean_and_variance",
)
def noise_is_gaussian_on_the_amplitude(plant: Plant) -> None:
    def gaussian(original):
        def observe(amplitude, generator=None):
            noise = torch.randn(amplitude.shape, generator=generator, dtype=amplitude.dtype)
            return (amplitude + noise / 2).clamp_min(0)

        return observe

    plant.function(photons.observe_photons, gaussian)


@mutant("GUARD-PHYS-005c", "a simulation never repeats", "PHYS-005:noise_follows_its_seed")
def generator_is_not_handed_on(plant: Plant) -> None:
    plant.function(photons.observe_photons, lambda original: lambda amplitude, generator=None: original(amplitude))


@mutant(
    "GUARD-PHYS-006",
    "simulated groups carry too few photons",
    "PHYS-006:simulation_reaches_its_photon_count[g2]",
    "PHYS-006:simulation_scale_is_that_of_normalised_data",
)
def photons_are_those_of_a_whole_group(plant: Plant) -> None:
    def of_the_group(original):
        return lambda wave, nphotons: original(wave, nphotons) / math.sqrt(wave[0, ..., 0, 0].numel())

    plant.function(photons.simulation_scale, of_the_group)


@mutant(
    "GUARD-PHYS-006b",
    "the simulated dose is that of a pixel",
    "PHYS-006:simulation_reaches_its_photon_count",
    "PHYS-006:simulation_scale_is_that_of_normalised_data",
)
def energy_is_a_mean_over_pixels(plant: Plant) -> None:
    def of_a_pixel(original):
        return lambda wave, nphotons: original(wave, nphotons) * math.sqrt(wave.shape[-1] * wave.shape[-2])

    plant.function(photons.simulation_scale, of_a_pixel)
