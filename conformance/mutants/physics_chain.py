"""Defects of the chain that a network is trained through: scales, probe, merge, what one sample knows of another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.batch.probe import disc_mask
from reference_impl.model.forward import PtychoModel
from reference_impl.physics import diffraction
from reference_impl.training.lightning_module import PtychoLightningModule

CHAIN = "PHYS-010:prediction_is_the_physics_of_its_object"
UNITS = "PHYS-011:other_units_change_only_the_units"
DIVIDED = "PHYS-011:prediction_is_divided_by_the_output_scale"
PAIR = "PHYS-013:intensity_scale_is_a_pair_for_each_experiment"


@mutant("DEF-074", "objects are washed out by probe_scale", "PHYS-012:probe_scale_acts_exactly_once[4.0]", CHAIN)
def probe_is_divided_by_its_scale_again(plant: Plant) -> None:
    plant.method(PtychoModel, "_masked", lambda original: lambda self, probe: original(self, probe) / self.config.probe_scale)


@mutant("DEF-090", "predictions are scaled back by the photons", "LOSS-002:loss_is_the_likelihood_over_the_mean_amplitude")
def output_is_divided_by_the_photon_scale(plant: Plant) -> None:
    def with_photons(original):
        def compute_loss(self, batch):
            fields, probe, _ = batch
            rms, photons, places = (
                fields[f"{k}"] for k in ("rms_scaling_constant", "physics_scaling_constant", "coords_relative")
            )
            return self.objective(*self.model(fields["images"], places, probe, rms, photons), fields)

        return compute_loss

    plant.method(PtychoLightningModule, "compute_loss", with_photons)


@mutant(
    "DEF-114",
    "the intensity scale never learns",
    "PHYS-014:every_intensity_scale_learns",
    "PHYS-013:intensity_scale_is_affine_in_the_amplitude",
    PAIR,
)
def intensity_scale_is_held_in_a_plain_attribute(plant: Plant) -> None:
    def unregistered(original):
        def init(self, *arguments, **options):
            original(self, *arguments, **options)
            self.__dict__.update(self._parameters)
            self._parameters.clear()

        return init

    plant.method(PtychoModel, "__init__", unregistered)


@mutant("GUARD-PHYS-014", "the intensity scale has no gradient", "PHYS-014:every_intensity_scale_learns")
def intensity_scale_is_detached(plant: Plant) -> None:
    def detached(original):
        def scaled(self, detector, ids):
            return detector if self.alpha is None else self.alpha.detach()[0] * detector + self.beta.detach()[0]

        return scaled

    plant.method(PtychoModel, "_scaled", detached)


@mutant("GUARD-PHYS-013", "the intensity scale acts on the intensity", "PHYS-013:intensity_scale_is_affine_in_the_amplitude")
def intensity_itself_is_scaled(plant: Plant) -> None:
    def squared(original):
        def scaled(self, detector, ids):
            return detector if self.alpha is None else original(self, detector.square(), ids).clamp_min(0).sqrt()

        return scaled

    plant.method(PtychoModel, "_scaled", squared)


@mutant("GUARD-PHYS-013b", "a trainable scale, but no offset", PAIR, "PHYS-013:intensity_scale_is_affine_in_the_amplitude")
def offset_is_no_weight(plant: Plant) -> None:
    def without(original):
        def init(self, *arguments, **options):
            original(self, *arguments, **options)
            if self.beta is not None:
                offset = self._parameters.pop("beta")
                self.register_buffer("beta", offset.detach(), persistent=False)

        return init

    plant.method(PtychoModel, "__init__", without)


def _forward(plant: Plant, change: Callable[..., Any]) -> None:
    """A forward call whose arguments `(x, positions, probe, input scale, output scale)` are changed first."""
    plant.method(
        PtychoModel, "forward", lambda original: lambda self, *given: original(self, *change(self, *given[:5]), *given[5:])
    )


@mutant("GUARD-PHYS-010", "inputs are divided by their scale", "PHYS-010:network_sees_the_scaled_input", UNITS)
def input_is_divided(plant: Plant) -> None:
    _forward(plant, lambda self, x, places, probe, into, out: (x / into.square(), places, probe, into, out))


@mutant("GUARD-PHYS-010b", "members of a group are trained as if each had an object of its own", CHAIN)
def merge_is_skipped(plant: Plant) -> None:
    plant.method(PtychoModel, "_common_object", lambda original: lambda self, patches, positions: patches)


@mutant("GUARD-PHYS-011", "predictions are in the units of the network", UNITS, DIVIDED, CHAIN)
def output_is_multiplied(plant: Plant) -> None:
    _forward(plant, lambda self, x, places, probe, into, out: (x, places, probe, into, 1 / out))


@mutant("GUARD-PHYS-011b", "all samples are scaled back like the first", DIVIDED, "PHYS-015:batch_size_does_not_matter")
def output_scale_is_that_of_the_first_sample(plant: Plant) -> None:
    _forward(plant, lambda self, x, places, probe, into, out: (x, places, probe, into, out[:1].expand_as(out)))


@mutant("GUARD-PHYS-012", "a brighter probe changes nothing", "PHYS-012:prediction_is_linear_in_the_given_probe")
def probe_is_normalised_on_the_way(plant: Plant) -> None:
    plant.method(PtychoModel, "_masked", lambda original: lambda self, probe: original(self, probe) / probe.abs().mean())


@mutant(
    "GUARD-PHYS-015",
    "predictions depend on the company",
    "PHYS-015:samples_do_not_see_each_other[images-g2]",
    "PHYS-015:batch_size_does_not_matter",
    UNITS,
)
def input_is_normalised_over_the_batch(plant: Plant) -> None:
    _forward(plant, lambda self, x, places, probe, into, out: (x / x.mean(), places, probe, into, out))


@mutant(
    "GUARD-PHYS-034",
    "object_big = false is ignored",
    "PHYS-034:without_a_common_object_nothing_is_merged",
    "PHYS-034:without_a_common_object_positions_play_no_part",
)
def patches_are_always_merged(plant: Plant) -> None:
    from reference_impl.model import forward

    def merged(original):
        def common(self, patches, positions):
            return forward.extract(forward.merge(patches, positions, self.canvas), positions, self.config.N)

        return common

    plant.method(PtychoModel, "_common_object", merged)


@mutant("GUARD-PHYS-001c", "the probe is always cut to a disc", "PHYS-001:probe_mask_hides_what_lies_outside", CHAIN)
def probe_mask_is_always_on(plant: Plant) -> None:
    def masked(original):
        return lambda self, probe: original(self, probe * torch.from_numpy(disc_mask(probe.shape[-1])))

    plant.method(PtychoModel, "_masked", masked)


@mutant("GUARD-PHYS-001d", "probe_mask is ignored", "PHYS-001:probe_mask_hides_what_lies_outside")
def probe_mask_is_never_on(plant: Plant) -> None:
    plant.method(PtychoModel, "_masked", lambda original: lambda self, probe: probe)


@mutant("GUARD-PHYS-008", "phase wraps leave dark lines in smoothed waves", "PHYS-008:exit_wave_is_smoothed_as_a_whole")
def amplitude_and_phase_are_smoothed_apart(plant: Plant) -> None:
    def apart(original):
        def smooth(wave, sigma):
            parts = (original(part.to(wave.dtype), sigma).real for part in (wave.abs(), wave.angle()))
            return torch.polar(*parts) if sigma else wave

        return smooth

    plant.function(diffraction.smooth, apart)
