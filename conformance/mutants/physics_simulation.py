"""Defects of simulated measurements and their labels."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.physics import photons

LABELS = "PHYS-007:labels_are_illuminated_in_amplitude_and_bare_in_phase"


@mutant("DEF-089", "label amplitudes are taken for the object's own", LABELS)
def labels_are_those_of_the_bare_object(plant: Plant) -> None:
    def bare(original):
        return lambda field, *rest: {**original(field, *rest), "label_amp": field.abs()}

    plant.function(photons.simulate, bare)


@mutant("GUARD-PHYS-007", "label phases hold the probe's", LABELS)
def label_phase_is_that_of_the_exit_wave(plant: Plant) -> None:
    def illuminated(original):
        def simulate(field, probe, *rest):
            return {**original(field, probe, *rest), "label_phase": photons.illuminate(field, probe)[:, :, 0].angle()}

        return simulate

    plant.function(photons.simulate, illuminated)


@mutant(
    "GUARD-PHYS-007b",
    "images are in photons, labels are not",
    "PHYS-007:images_and_labels_have_one_unit",
)
def images_keep_the_simulation_scale(plant: Plant) -> None:
    def in_photons(original):
        def simulate(field, probe, nphotons, *rest):
            found = original(field, probe, nphotons, *rest)
            wave = photons.illuminate(field, probe).abs().square().sum(dim=2).sqrt()
            return {**found, "images": found["images"] * photons.simulation_scale(wave, nphotons)}

        return simulate

    plant.function(photons.simulate, in_photons)


@mutant("GUARD-PHYS-007c", "brighter simulations have other labels", "PHYS-007:labels_know_neither_noise_nor_dose")
def labels_and_images_keep_the_simulation_scale(plant: Plant) -> None:
    def in_photons(original):
        def simulate(field, probe, nphotons, *rest):
            found = original(field, probe, nphotons, *rest)
            scale = photons.simulation_scale(found["label_amp"], nphotons)
            return {**found, "images": scale * found["images"], "label_amp": scale * found["label_amp"]}

        return simulate

    plant.function(photons.simulate, in_photons)
