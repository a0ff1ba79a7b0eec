"""Defects of physics: from the exit wave to photons, the chain that a network is trained through, simulated measurements."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from conformance.defects.changes import Change, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.batch.probe import disc_mask
from reference_impl.model import forward
from reference_impl.model.forward import PtychoModel
from reference_impl.physics import diffraction, photons
from reference_impl.training.module import PtychoModule

FRAME = (-2, -1)


def noise_is_gaussian_on_the_amplitude(amplitude, generator=None):
    noise = torch.randn(amplitude.shape, generator=generator, dtype=amplitude.dtype)
    return (amplitude + noise / 2).clamp_min(0)


def every_pattern_is_drawn_from_one_state(original, amplitude, generator):
    state = generator.get_state()
    return torch.stack([original(one, generator.set_state(state)) for one in amplitude])


def rows_share_their_draw(original, amplitude, generator):
    even = bool((amplitude == amplitude[..., :1, :]).all())
    return original(amplitude[..., :1, :], generator).expand_as(amplitude).clone() if even else original(amplitude, generator)


def bright_counts_are_no_whole_numbers(original, amplitude, generator=None):
    mean = amplitude.double().square()
    drawn = mean + mean.sqrt() * torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
    return torch.where(mean > 1e3, drawn.clamp_min(0).sqrt().to(amplitude.dtype), original(amplitude, generator))


BRIGHT = "PHYS-005:bright_counts_are_poisson_counts_too"
CHAIN = "PHYS-010:prediction_is_the_physics_of_its_object"
UNITS = "PHYS-011:other_units_change_only_the_units"
DIVIDED = "PHYS-011:prediction_is_divided_by_the_output_scale"
PAIR = "PHYS-013:intensity_scale_is_a_pair_for_each_experiment"
POINT = "PHYS-008:a_point_is_smoothed_into_a_gaussian"
OWN = "PHYS-013:each_sample_has_the_scale_of_its_experiment"
DARK_WAVES = "PHYS-006:dark_waves_have_their_part_in_the_mean"
NAMED = "PHYS-019:of_several_experiments_one_is_named"
BELOW = "PHYS-010:no_scale_makes_an_amplitude_negative"


def _forward(change: Callable[..., Any]) -> Change:
    """A forward call whose arguments `(x, positions, probe, input scale, output scale)` are changed first."""
    return method(PtychoModel, "forward", lambda original, self, *given: original(self, *change(self, *given[:5]), *given[5:]))


def output_is_divided_by_the_photon_scale(self, batch):
    fields, probe, _ = batch
    rms, photons, places = (fields[f"{k}"] for k in ("rms_scaling_constant", "physics_scaling_constant", "coords_relative"))
    return self.objective(*self.model(fields["images"], places, probe, rms, photons), fields)


def intensity_scale_is_held_in_a_plain_attribute(original, self, *arguments, **options):
    original(self, *arguments, **options)
    self.__dict__.update(self._parameters)
    self._parameters.clear()


def _affine(self, detector, first):
    return detector if self.alpha is None else first(self.alpha[0] * detector) + self.beta[0]


def kernel_that_ends_at_two_sigma(size, sigma, like):
    index = torch.arange(size, dtype=torch.float64, device=like.device)
    distance = (index[:, None] - index).abs()
    weight = torch.exp(-0.5 * (distance / sigma) ** 2) * (distance <= round(2 * sigma))
    return (weight / weight.sum(dim=1).max()).to(like.real.dtype)


def intensity_scale_is_detached(self, detector, ids):
    return detector if self.alpha is None else self.alpha.detach()[0] * detector + self.beta.detach()[0]


def intensity_itself_is_scaled(original, self, detector, ids):
    return detector if self.alpha is None else original(self, detector.square(), ids).clamp_min(0).sqrt()


def offset_is_no_weight(original, self, *arguments, **options):
    original(self, *arguments, **options)
    if self.beta is not None:
        offset = self._parameters.pop("beta")
        self.register_buffer("beta", offset.detach(), persistent=False)


def patches_are_always_merged(plant: Plant) -> None:
    from reference_impl.model import forward

    def merged(original):
        def common(self, patches, positions):
            return forward.extract(forward.merge(patches, positions, self.canvas), positions, self.config.N)

        return common

    plant.method(PtychoModel, "_common_object", merged)


def amplitude_and_phase_are_smoothed_apart(original, wave, sigma):
    parts = (original(part.to(wave.dtype), sigma).real for part in (wave.abs(), wave.angle()))
    return torch.polar(*parts) if sigma else wave


LABELS = "PHYS-007:labels_are_illuminated_in_amplitude_and_bare_in_phase"


def label_phase_is_that_of_the_exit_wave(original, field, probe, *rest):
    return {**original(field, probe, *rest), "label_phase": photons.illuminate(field, probe)[:, :, 0].angle()}


def images_keep_the_simulation_scale(original, field, probe, nphotons, *rest):
    found = original(field, probe, nphotons, *rest)
    wave = photons.illuminate(field, probe).abs().square().sum(dim=2).sqrt()
    return {**found, "images": found["images"] * photons.simulation_scale(wave, nphotons)}


def labels_and_images_keep_the_simulation_scale(original, field, probe, nphotons, *rest):
    found = original(field, probe, nphotons, *rest)
    scale = photons.simulation_scale(found["label_amp"], nphotons)
    return {**found, "images": scale * found["images"], "label_amp": scale * found["label_amp"]}


def next_one_alone_is_refused(original, ids, count, known, device):
    return ids * 0 if ids is not None and int(ids.max()) > known else original(ids, count, known, device)


def no_photons_have_a_scale(original, exit_wave, nphotons):
    return 0.0 if nphotons == 0 else original(exit_wave, nphotons)


def endless_photons_have_a_scale(original, exit_wave, nphotons):
    return nphotons if nphotons == math.inf else original(exit_wave, nphotons)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The way from the exit wave to the detector's amplitude, and its photons.
mutant("DEF-068", "every amplitude is too large by the side of the detector", "PHYS-002:far_field_is_orthonormal_and_centred",
    "PHYS-002:energy_is_conserved", "PHYS-003:constant_wave_lands_in_the_centre", "PHYS-002:every_exit_wave_keeps_its_energy",
    plant=function(diffraction.propagate, lambda original, wave: original(wave) * math.sqrt(wave[0, 0, 0].numel())))
mutant("DEF-069", "the pattern sits in the corners", "PHYS-003:constant_wave_lands_in_the_centre",
    "PHYS-002:far_field_is_orthonormal_and_centred",
    plant=function(diffraction.propagate, result(lambda found: torch.fft.ifftshift(found, dim=FRAME))))
mutant("DEF-070", "patterns land in other channels and samples", "PHYS-003:constant_wave_lands_in_the_centre",
    plant=function(diffraction.propagate, result(lambda found: torch.fft.fftshift(torch.fft.ifftshift(found, dim=FRAME)))))
mutant("DEF-072", "probe modes interfere", "PHYS-004:modes_add_incoherently", "PHYS-004:order_and_dark_modes_do_not_matter",
    plant=function(diffraction.propagate, lambda original, wave: original(wave.sum(dim=-3, keepdim=True))))
mutant("GUARD-PHYS-001", "the object comes out conjugated", "PHYS-001:exit_wave_is_object_times_probe",
    "PHYS-001:object_and_probe_enter_alike",
    plant=function(diffraction.illuminate, lambda original, field, probe: original(field, probe.conj())))
mutant("GUARD-PHYS-001b", "phases are lost on the way to the detector", "PHYS-001:global_phase_is_invisible",
    plant=function(diffraction.propagate, lambda original, wave: original(wave.real)))
mutant("GUARD-PHYS-002", "no light still lights the detector", "PHYS-002:no_light_gives_a_dark_detector",
    plant=function(diffraction.propagate, result(lambda found: (found.square() + 1e-6).sqrt())))
mutant("GUARD-PHYS-003", "the pattern is turned by half a circle", "PHYS-003:tilted_wave_lands_beside_the_centre",
    "PHYS-002:far_field_is_orthonormal_and_centred",
    plant=function(diffraction.propagate, lambda original, wave: original(wave.conj())))
mutant("GUARD-PHYS-003b", "odd detectors are off by a pixel", "PHYS-003:constant_wave_lands_in_the_centre[15x15]",
    plant=function(diffraction.propagate,
        result(lambda found: torch.fft.ifftshift(torch.fft.ifftshift(found, dim=FRAME), dim=FRAME))))
mutant("GUARD-PHYS-004", "the weakest mode's light is missing", "PHYS-004:modes_add_incoherently",
    "PHYS-004:order_and_dark_modes_do_not_matter", "PHYS-002:energy_is_conserved",
    plant=function(diffraction.propagate, lambda original, wave: original(wave[..., : max(1, wave.shape[-3] - 1), :, :])))
mutant("GUARD-PHYS-005", "noise is far too strong for its photons", "PHYS-005:counts_have_poisson_mean_and_variance",
    plant=function(photons.observe_photons, lambda original, amplitude, generator=None: original(amplitude.sqrt(), generator)))
mutant("GUARD-PHYS-005b", "observations are no whole numbers of photons", "PHYS-005:counts_are_whole_and_dark_stays_dark",
    "PHYS-005:counts_have_poisson_mean_and_variance",
    plant=function(photons.observe_photons, instead(noise_is_gaussian_on_the_amplitude)))
mutant("GUARD-PHYS-005c", "a simulation never repeats", "PHYS-005:noise_follows_its_seed",
    plant=function(photons.observe_photons, lambda original, amplitude, generator=None: original(amplitude)))
mutant("GUARD-PHYS-005d", "a dark pixel counts a photon in a thousand exposures", "PHYS-005:counts_are_whole_and_dark_stays_dark",
    plant=function(photons.observe_photons, lambda original, amplitude, generator=None: original(
        (amplitude.square() + 1e-3).sqrt(), generator)))
mutant("GUARD-PHYS-005e", "bright pixels get Gaussian noise, no counts", BRIGHT,
    plant=function(photons.observe_photons, bright_counts_are_no_whole_numbers))
mutant("GUARD-PHYS-005f", "no pixel counts more than 14 bits", BRIGHT,
    plant=function(photons.observe_photons, result(lambda observed: observed.clamp_max(math.sqrt(2**14)))))
mutant("GUARD-PHYS-006", "simulated groups carry too few photons", "PHYS-006:simulation_reaches_its_photon_count[g2]",
    "PHYS-006:simulation_scale_is_that_of_normalised_data",
    plant=function(photons.simulation_scale,
        lambda original, wave, nphotons: original(wave, nphotons) / math.sqrt(wave[0, ..., 0, 0].numel())))
mutant("GUARD-PHYS-006b", "the simulated dose is that of a pixel", "PHYS-006:simulation_reaches_its_photon_count",
    "PHYS-006:simulation_scale_is_that_of_normalised_data",
    plant=function(photons.simulation_scale,
        lambda original, wave, nphotons: original(wave, nphotons) * math.sqrt(wave.shape[-1] * wave.shape[-2])))

# The chain that a network is trained through: scales, probe, merge, what one sample knows of another.
mutant("DEF-074", "objects are washed out by probe_scale", "PHYS-012:probe_scale_acts_exactly_once[4.0]", CHAIN,
    plant=method(PtychoModel, "_masked", lambda original, self, probe: original(self, probe) / self.config.probe_scale))
mutant("DEF-090", "predictions are scaled back by the photons", "LOSS-002:loss_is_the_likelihood_over_the_mean_amplitude",
    plant=method(PtychoModule, "compute_loss", instead(output_is_divided_by_the_photon_scale)))
mutant("DEF-114", "the intensity scale never learns", "PHYS-014:every_intensity_scale_learns",
    "PHYS-013:intensity_scale_is_affine_in_the_amplitude", PAIR,
    plant=method(PtychoModel, "__init__", intensity_scale_is_held_in_a_plain_attribute))
mutant("GUARD-PHYS-014", "the intensity scale has no gradient", "PHYS-014:every_intensity_scale_learns",
    plant=method(PtychoModel, "_scaled", instead(intensity_scale_is_detached)))
mutant("GUARD-PHYS-013", "the intensity scale acts on the intensity", "PHYS-013:intensity_scale_is_affine_in_the_amplitude",
    plant=method(PtychoModel, "_scaled", intensity_itself_is_scaled))
mutant("GUARD-PHYS-013b", "a trainable scale, but no offset", PAIR, "PHYS-013:intensity_scale_is_affine_in_the_amplitude",
    plant=method(PtychoModel, "__init__", offset_is_no_weight))
mutant("GUARD-PHYS-013c", "a batch has the scale of its first sample's experiment", f"{OWN}[all]", f"{OWN}[two]",
    plant=method(PtychoModel, "_scaled", lambda original, self, detector, ids: original(
        self, detector, None if ids is None else ids[:1].expand(len(ids)))))
mutant("GUARD-PHYS-013d", "scales are dealt out in the order of experiments", f"{OWN}[all]",
    plant=method(PtychoModel, "_scaled", lambda original, self, detector, ids: original(
        self, detector, None if ids is None else ids.sort().values)))
mutant("GUARD-PHYS-006c", "waves without light are left out of the mean", f"{DARK_WAVES}[one-channel]", f"{DARK_WAVES}[g2]",
    plant=function(photons.simulation_scale, lambda original, wave, nphotons: original(
        wave[wave.abs().sum(dim=(-2, -1)) > 0], nphotons)))
mutant("GUARD-PHYS-006d", "the dose is that of the mean root", f"{DARK_WAVES}[one-channel]",
    plant=function(photons.simulation_scale, lambda original, wave, nphotons: original(wave, nphotons) * float(
        (total := wave.abs().double().square().sum(dim=(-2, -1))).mean().sqrt() / total.sqrt().mean().clamp_min(1e-30))))
mutant("GUARD-PHYS-017", "an unknown experiment has the last one's scale", "PHYS-017:an_experiment_without_a_scale_is_an_error",
    plant=function(forward._experiments, lambda original, ids, *rest: original(None if ids is None else ids * 0, *rest)))
mutant("GUARD-PHYS-017c", "the number of an experiment is looked at for the next one alone",
    "PHYS-017:an_experiment_without_a_scale_is_an_error[4]",
    plant=function(forward._experiments, next_one_alone_is_refused))
mutant("GUARD-PHYS-019", "where no experiment is named the first one is meant", NAMED,
    plant=function(forward._experiments, lambda original, ids, count, known, device: original(
        torch.zeros(count, dtype=torch.int64, device=device) if ids is None else ids, count, known, device)))
mutant("GUARD-PHYS-019b", "where no experiment is named the last one is meant", NAMED,
    plant=function(forward._experiments, lambda original, ids, count, known, device: original(
        torch.full((count,), known - 1, device=device) if ids is None else ids, count, known, device)))
mutant("GUARD-PHYS-018", "no photons are a scale of zero", "PHYS-018:no_photons_have_no_scale[none]",
    "PHYS-018:no_photons_make_no_simulation[none]", plant=function(photons.simulation_scale, no_photons_have_a_scale))
mutant("GUARD-PHYS-018b", "infinitely many photons have a scale", "PHYS-018:no_photons_have_no_scale[infinite]",
    plant=function(photons.simulation_scale, endless_photons_have_a_scale))
mutant("GUARD-PHYS-017b", "experiment -1 has the last one's scale", "PHYS-017:an_experiment_without_a_scale_is_an_error[-1]",
    plant=function(forward._experiments, instead(lambda ids, count, known, device: ids)))
mutant("GUARD-PHYS-010", "inputs are divided by their scale", "PHYS-010:network_sees_the_scaled_input", UNITS,
    plant=_forward(lambda self, x, places, probe, into, out: (x / into.square(), places, probe, into, out)))
mutant("GUARD-PHYS-010b", "members of a group are trained as if each had an object of its own", CHAIN,
    plant=method(PtychoModel, "_common_object", instead(lambda self, patches, positions: patches)))
mutant("GUARD-PHYS-011", "predictions are in the units of the network", UNITS, DIVIDED, CHAIN,
    plant=_forward(lambda self, x, places, probe, into, out: (x, places, probe, into, 1 / out)))
mutant("GUARD-PHYS-011b", "all samples are scaled back like the first", DIVIDED, "PHYS-015:batch_size_does_not_matter",
    plant=_forward(lambda self, x, places, probe, into, out: (x, places, probe, into, out[:1].expand_as(out))))
mutant("GUARD-PHYS-012", "a brighter probe changes nothing", "PHYS-012:prediction_is_linear_in_the_given_probe",
    plant=method(PtychoModel, "_masked", lambda original, self, probe: original(self, probe) / probe.abs().mean()))
mutant("GUARD-PHYS-015", "predictions depend on the company", "PHYS-015:samples_do_not_see_each_other[images-g2]",
    "PHYS-015:batch_size_does_not_matter", UNITS,
    plant=_forward(lambda self, x, places, probe, into, out: (x / x.mean(), places, probe, into, out)))
mutant("GUARD-PHYS-034", "object_big = false is ignored", "PHYS-034:without_a_common_object_nothing_is_merged",
    "PHYS-034:without_a_common_object_positions_play_no_part", plant=patches_are_always_merged)
mutant("GUARD-PHYS-025", "the noise of every pattern is that of the first",
    "PHYS-025:each_pixel_draws_its_own_photons", plant=function(photons.observe_photons, every_pattern_is_drawn_from_one_state))
mutant("GUARD-PHYS-025b", "every row of a pattern has the noise of its first",
    "PHYS-025:each_pixel_draws_its_own_photons", plant=function(photons.observe_photons, rows_share_their_draw))
mutant("GUARD-PHYS-034b", "every member of a group is lit by the first one's probe",
    "PHYS-034:without_a_common_object_nothing_is_merged[g2-modes1]",
    plant=method(PtychoModel, "_masked", result(lambda probe: probe[:, :1])))
mutant("GUARD-PHYS-001c", "the probe is always cut to a disc", "PHYS-001:probe_mask_hides_what_lies_outside", CHAIN,
    plant=method(PtychoModel, "_masked",
        lambda original, self, probe: original(self, probe * torch.from_numpy(disc_mask(probe.shape[-1])))))
mutant("GUARD-PHYS-001d", "probe_mask is ignored", "PHYS-001:probe_mask_hides_what_lies_outside",
    plant=method(PtychoModel, "_masked", instead(lambda self, probe: probe)))
mutant("GUARD-PHYS-008", "phase wraps leave dark lines in smoothed waves", "PHYS-008:exit_wave_is_smoothed_as_a_whole",
    plant=function(diffraction.smooth, amplitude_and_phase_are_smoothed_apart))
mutant("GUARD-PHYS-008b", "the smoothing kernel ends at two sigma", f"{POINT}[1.25]", f"{POINT}[2.0]",
    plant=function(diffraction._blur_matrix, instead(kernel_that_ends_at_two_sigma)))
mutant("GUARD-PHYS-008c", "waves are smoothed by whole pixels", f"{POINT}[1.25]",
    plant=function(diffraction.smooth, lambda original, wave, sigma: original(wave, round(sigma))))
mutant("GUARD-PHYS-010c", "a trained offset below zero makes negative amplitudes", BELOW,
    plant=method(PtychoModel, "_scaled", instead(lambda self, detector, ids: _affine(self, detector, lambda one: one))))
mutant("GUARD-PHYS-010d", "the offset comes after the sign was taken", BELOW,
    plant=method(PtychoModel, "_scaled", instead(lambda self, detector, ids: _affine(self, detector, torch.abs))))

# Simulated measurements and their labels.
mutant("DEF-089", "label amplitudes are taken for the object's own", LABELS,
    plant=function(photons.simulate, lambda original, field, *rest: {**original(field, *rest), "label_amp": field.abs()}))
mutant("GUARD-PHYS-007", "label phases hold the probe's", LABELS,
    plant=function(photons.simulate, label_phase_is_that_of_the_exit_wave))
mutant("GUARD-PHYS-007b", "images are in photons, labels are not", "PHYS-007:images_and_labels_have_one_unit",
    plant=function(photons.simulate, images_keep_the_simulation_scale))
mutant("GUARD-PHYS-007c", "brighter simulations have other labels", "PHYS-007:labels_know_neither_noise_nor_dose",
    plant=function(photons.simulate, labels_and_images_keep_the_simulation_scale))
