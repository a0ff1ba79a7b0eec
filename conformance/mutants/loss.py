"""Defects of the training objective: the Poisson likelihood, normalisation, weights, labels, names, validation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from conformance.defects.changes import Change, constant, function, instead, method, result, shape
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl import loss
from reference_impl.loss import Objective
from reference_impl.model.forward import as_complex
from reference_impl.physics import diffraction
from reference_impl.training import module
from reference_impl.training.lightning_module import PtychoLightningModule

DATA = "LOSS-002:loss_is_the_likelihood_over_the_mean_amplitude"
ABSOLUTE = "LOSS-006:absolute_error_compares_amplitudes"
PHASES = "LOSS-007:phases_are_compared_as_numbers"
SUPERVISED = "LOSS-007:supervised_loss_compares_with_labels"
FAINT = "LOSS-001:faint_light_has_the_likelihood_of_the_formula"
MODES = "LOSS-018:gradients_survive_darkness_under_modes"
DARK = "LOSS-009:gradients_survive_darkness"
SOLVED = "LOSS-016:solved_labels_are_compared_in_their_light"
GAUGE = "LOSS-016:the_gauge_of_solved_labels_is_free"
VALIDATION = "LOSS-011:validation_loss_is_the_loss_of_the_validation_batch"
EVERY_TERM = "LOSS-011:validation_has_every_term_of_the_loss"
NAMES = "LOSS-010:losses_have_their_names"
HONOURED = "LOSS-030:weights_are_honoured"
LINEAR = "LOSS-030:loss_is_linear_in_each_weight"


def _objective(**values: Any) -> Change:
    """The objective with some of its weights fixed."""
    return function(module._objective, result(lambda found: replace(found, **values)))


def names_are_set_in_one_branch_only(original, cls, *configs, **named):
    module = original(cls, *configs, **named)
    if module.objective.supervise:
        del module.loss_name, module.val_loss_name
    return module


def mean_is_that_of_the_scaled_input(original, self, predicted, amplitude, phase, fields):
    change = fields["images"].mean() / (fields["images"] * fields["rms_scaling_constant"]).mean()
    return original(self, predicted, amplitude, phase, fields) * change


def absolute_error_is_scaled_to_photons(original, self, predicted, amplitude, phase, fields):
    photons = fields["physics_scaling_constant"]
    if self.mode != "mae":
        return original(self, predicted, amplitude, phase, fields)
    return loss.mae(photons * predicted, photons * fields["images"])


def total_variation_is_on_by_default(original, self, predicted, amplitude, phase, fields):
    found = original(self, predicted, amplitude, phase, fields)
    return found + (found.detach() if self.realspace == 0 else 0) * loss.total_variation(as_complex(amplitude, phase))


def root_of_an_intensity_has_no_floor(wave):
    far = torch.fft.fft2(wave, norm="ortho")
    intensity = (far.real.square() + far.imag.square()).sum(dim=-3)
    return torch.fft.fftshift(intensity.sqrt(), dim=(-2, -1))


def the_root_of_a_sum_has_no_floor(original, wave):
    return root_of_an_intensity_has_no_floor(wave) if wave.shape[-3] > 1 else original(wave)


def by_their_powers(waves):
    power = waves.abs().square().sum(dim=(-2, -1), keepdim=True)
    return waves / power.sqrt() * power.sqrt()


def validation_has_a_weight_of_its_own(self, batch, batch_idx):
    self._record(self.val_loss_name, self._finite_loss(batch, batch_idx) / 2, batch)


def validation_with(**weights: float) -> Change:
    """Validation under an objective with some of its weights fixed."""

    def change(original, self, batch, batch_idx):
        kept, self.objective = self.objective, replace(self.objective, **weights)
        original(self, batch, batch_idx)
        self.objective = kept

    return method(PtychoLightningModule, "validation_step", change)


def one_factor_for_all(patches, labels, light):
    factor = (light * patches.conj() * labels).sum() / (light * patches.abs().square()).sum()
    left = (light * (factor * patches - labels).abs().square()).sum(dim=(-2, -1))
    return (left / (light * labels.abs().square()).sum(dim=(-2, -1))).sqrt().mean()


def placeholders_stand_in_for_labels(fields, because):
    ones = torch.ones_like(fields["images"])
    return fields.get("label_amp", ones), fields.get("label_phase", 0 * ones)


TWO_THREE = "LOSS-001:likelihood_of_two_against_three"
SUM = "LOSS-001:likelihood_is_a_sum_over_pixels_and_a_mean_over_samples"
SLOPE = "LOSS-001:likelihood_has_the_slope_of_a_poisson_law"
FRACTIONS = "LOSS-004:fractions_of_a_photon_are_observed"
HALF = "LOSS-004:half_a_photon_has_the_gamma_of_three_halves"
BOTH = "LOSS-003:both_sides_are_scaled"
BEST = "LOSS-003:measurement_is_the_best_prediction"
DIFFERENCE = "LOSS-005:log_gamma_moves_only_the_value"
OPTIMUM = "LOSS-005:optimum_has_the_entropy_of_the_observation"


@shape
def _of_rate_and_count(plant: Plant, change: Callable[..., Any]) -> None:
    """A likelihood of `change(rate, count, scale)`, its terms otherwise as they are."""

    def changed(original):
        def likelihood(predicted, measured, scale):
            rate, count = change((scale * predicted).square(), (scale * measured).square(), scale)
            return original(rate.clamp_min(0).sqrt(), count.clamp_min(0).sqrt(), torch.ones_like(scale))

        return likelihood

    plant.function(loss.poisson_nll, changed)


def distribution_validates_its_support(predicted, measured, scale):
    law = torch.distributions.Poisson((scale * predicted).square(), validate_args=True)
    return -law.log_prob((scale * measured).square()).sum() / len(predicted)


def log_gamma_is_left_out(original, predicted, measured, scale):
    count = (scale * measured).double().square()
    return original(predicted, measured, scale) - torch.lgamma(count + 1).sum() / len(predicted)


def log_gamma_is_that_of_the_rate(original, predicted, measured, scale):
    rate, count = ((scale * part).double().square() for part in (predicted, measured))
    return original(predicted, measured, scale) + (torch.lgamma(rate + 1) - torch.lgamma(count + 1)).sum() / len(rate)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The training objective: normalisation, weights, labels, names, validation.
mutant("DEF-121", "photons are compared with amplitudes", ABSOLUTE, HONOURED + "[nll0-mae1]",
    plant=function(loss.mae, lambda original, predicted, measured: original(predicted.square(), measured)))
mutant("DEF-125", "KeyError: 'label_amp'", "LOSS-030:weight_without_labels_is_refused",
    "LOSS-007:supervised_loss_misses_its_labels_by_name",
    plant=function(loss._labels, instead(lambda fields, because: (fields["label_amp"], fields["label_phase"]))))
mutant("GUARD-LOSS-015", "a short batch counts as much as a whole one", "LOSS-015:batches_count_by_their_samples",
    plant=method(PtychoLightningModule, "_record", lambda original, self, name, value, batch, part=None: self.log(
        name, value.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=1, sync_dist=True)))
mutant("DEF-126", "AttributeError: no loss_name in supervised mode", NAMES + "[supervised]",
    plant=method(PtychoLightningModule, "from_config", names_are_set_in_one_branch_only))
mutant("GUARD-LOSS-002", "bright samples weigh less than dim ones", DATA, ABSOLUTE, SUPERVISED,
    plant=method(Objective, "__call__", mean_is_that_of_the_scaled_input))
mutant("GUARD-LOSS-002b", "the loss does not know the data's units", "LOSS-002:smaller_units_have_a_greater_loss", DATA,
    plant=method(Objective, "__call__", lambda original, self, *outputs: original(self, *outputs) * outputs[-1]["images"].mean()))
mutant("GUARD-LOSS-002c", "the phase learns from nothing but the regularisers", "LOSS-002:gradient_is_the_slope_of_the_loss[g2]",
    plant=function(as_complex, lambda original, amplitude, phase: original(amplitude, phase.detach())))
mutant("GUARD-LOSS-006", "brighter probes count more in the absolute error", "LOSS-006:absolute_error_takes_no_notice_of_photons",
    ABSOLUTE,
    plant=method(Objective, "_data_term", absolute_error_is_scaled_to_photons))
mutant("GUARD-LOSS-006b", "the absolute error is a mean over pixels", ABSOLUTE, SUPERVISED,
    plant=function(loss.mae, instead(lambda predicted, measured: (predicted - measured).abs().mean())))
mutant("GUARD-LOSS-006c", "the last, single sample of an epoch counts half",
    "LOSS-002:a_batch_of_one_has_the_loss_of_its_sample[mae]",
    plant=function(loss.mae, lambda original, *given: original(*given) * len(given[0]) / max(len(given[0]), 2)))
mutant("GUARD-LOSS-007b", "a phase more than half a turn from its label is drawn to the far side", PHASES,
    plant=function(loss.supervised, lambda original, amplitude, phase, label, angle: original(
        amplitude, torch.remainder(phase - angle + torch.pi, 2 * torch.pi) - torch.pi, label, torch.zeros_like(angle))))
mutant("GUARD-LOSS-007c", "a phase more than half a turn from its label is drawn nowhere", PHASES,
    plant=function(loss.supervised, lambda original, amplitude, phase, label, angle: original(
        amplitude, (phase - angle).clamp(-torch.pi, torch.pi), label, torch.zeros_like(angle))))
mutant("GUARD-LOSS-007", "supervised training looks at the detector", SUPERVISED,
    "LOSS-007:supervised_loss_takes_no_notice_of_the_probe",
    plant=method(Objective, "_data_term",
        lambda original, self, predicted, amplitude, *rest: original(self, predicted, predicted, *rest)))
mutant("GUARD-LOSS-008", "a hidden prior smooths the object", "LOSS-008:no_regulariser_is_on_by_default", DATA,
    plant=method(Objective, "__call__", total_variation_is_on_by_default))
mutant("GUARD-LOSS-009", "NaN after the first dark prediction", DARK + "[poisson-blind-dark-pixels]",
    plant=function(diffraction.propagate, instead(root_of_an_intensity_has_no_floor)))
mutant("GUARD-LOSS-009b", "NaN on a batch without light", DARK + "[mae-seeing-nothing-but-dark]",
    plant=constant(loss, "MEAN_EPSILON", 0.0))
mutant("GUARD-LOSS-018", "NaN after the first dark prediction under several modes", MODES + "[blind-dark-pixels]",
    plant=function(diffraction.propagate, the_root_of_a_sum_has_no_floor))
mutant("GUARD-LOSS-018b", "NaN under a mode without light", MODES + "[seeing-dark-pixels]",
    plant=function(diffraction.illuminate, result(by_their_powers)))
mutant("GUARD-LOSS-010", "callbacks do not find the losses of a regularised training",
    "LOSS-010:regularised_losses_keep_the_pattern",
    plant=method(Objective, "name", lambda original, self, stage: original(self, stage) + ("+tv" if self.realspace else "")))
mutant("GUARD-LOSS-011", "validation losses are half as large", VALIDATION,
    "LOSS-011:training_and_validation_agree_where_nothing_is_learned",
    plant=method(PtychoLightningModule, "validation_step", instead(validation_has_a_weight_of_its_own)))
mutant("GUARD-LOSS-011b", "validation leaves out what is asked of the object", EVERY_TERM,
    plant=validation_with(realspace=0.0, realspace_mae=0.0))
mutant("GUARD-LOSS-011c", "validation is the likelihood alone", EVERY_TERM,
    plant=validation_with(nll=1.0, mae=0.0))
mutant("GUARD-LOSS-016", "one factor is fitted to a whole group", f"{SOLVED}[g2]", f"{GAUGE}[a-factor-each]",
    plant=function(loss.lit_distance, instead(one_factor_for_all)))
mutant("GUARD-LOSS-016b", "labels are compared as they stand", f"{SOLVED}[g1]", f"{GAUGE}[factor]",
    plant=function(loss.lit_distance, instead(lambda patches, labels, light: (
        (light * (patches - labels).abs().square()).sum() / (light * labels.abs().square()).sum()).sqrt())))
mutant("GUARD-LOSS-016c", "what no light fell on counts", f"{SOLVED}[g2]", f"{GAUGE}[darkness]",
    plant=function(loss.lit_distance, lambda original, patches, labels, light: original(patches, labels, torch.ones_like(light))))
mutant("GUARD-LOSS-016d", "the factor is the conjugate", f"{SOLVED}[g1]", f"{SOLVED}[g2]",
    plant=function(loss.lit_distance, lambda original, patches, labels, light: original(patches.conj(), labels, light)))
mutant("GUARD-LOSS-030", "nll_weight has no effect", HONOURED + "[nll0.25]",
    plant=_objective(nll=1.0))
mutant("GUARD-LOSS-030b", "realspace_weight has no effect", HONOURED + "[nll0-realspace0.25-realspace-mae0.75]",
    LINEAR + "[realspace_weight]", plant=_objective(realspace=0.0))
mutant("GUARD-LOSS-030c", "mae_weight is on or off", HONOURED + "[nll0.5-mae0.75]", LINEAR + "[mae_weight]",
    plant=function(module._objective, result(lambda found: replace(found, mae=float(found.mae > 0)))))
mutant("GUARD-LOSS-030d", "ones are taken for missing labels", "LOSS-030:weight_without_labels_is_refused",
    plant=function(loss._labels, instead(placeholders_stand_in_for_labels)))

# The Poisson likelihood of amplitudes.
mutant("DEF-119", "ValueError: observations lie outside the support", FRACTIONS, HALF,
    breaks="train: the likelihood refuses counts that are no integers",
    plant=function(loss.poisson_nll, instead(distribution_validates_its_support)))
mutant("DEF-120", "predicted photons are compared with measured amplitudes", TWO_THREE, SUM, BEST, FRACTIONS, OPTIMUM,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate, count.sqrt())))
mutant("DEF-122", "the most likely prediction is not the truth", BOTH, BEST, SUM, SLOPE,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate, count / scale.square())))
mutant("DEF-124", "NaN on dark detectors", "LOSS-009:likelihood_of_darkness_is_finite",
    plant=constant(loss, "RATE_EPSILON", 0.0))
mutant("DEF-212", "photons are squared once more", TWO_THREE, SUM, SLOPE,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate.square(), count.square())))
mutant("GUARD-LOSS-001", "the likelihood has another value than other backends'", TWO_THREE, SUM, HALF, FRACTIONS, OPTIMUM,
    plant=function(loss.poisson_nll, log_gamma_is_left_out))
mutant("GUARD-LOSS-001d", "faint pixels pull less than the likelihood says", f"{FAINT}[0.03]", f"{FAINT}[0.1]",
    plant=constant(loss, "RATE_EPSILON", 1e-5))
mutant("GUARD-LOSS-001e", "rates have a floor of a thousandth of a photon", f"{FAINT}[0.03]",
    plant=function(loss.poisson_nll, lambda original, predicted, measured, scale: original(
        predicted.clamp_min(0.02), measured, scale)))
mutant("GUARD-LOSS-001b", "learning is slower by the number of pixels", SUM, SLOPE, DIFFERENCE,
    plant=function(loss.poisson_nll, lambda original, predicted, *rest: original(predicted, *rest) / predicted[0].numel()))
mutant("GUARD-LOSS-001c", "learning is faster in greater batches", SUM, SLOPE, DIFFERENCE, OPTIMUM,
    plant=function(loss.poisson_nll, lambda original, predicted, *rest: original(predicted, *rest) * len(predicted)))
mutant("GUARD-LOSS-003", "the likelihood knows no photons", BOTH, SUM,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate / scale.square(), count / scale.square())))
mutant("GUARD-LOSS-003b", "the likelihood is far too unsure", BOTH, SUM,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate / scale, count / scale)))
mutant("GUARD-LOSS-003c", "dim samples are weighed like the first", BOTH, SUM,
    plant=function(loss.poisson_nll, lambda original, a, b, scale: original(a, b, scale[:1].expand_as(scale))))
mutant("GUARD-LOSS-004", "faint patterns count as dark", HALF, FRACTIONS,
    plant=_of_rate_and_count(lambda rate, count, scale: (rate, count.round())))
mutant("GUARD-LOSS-005", "the most likely prediction is too dim", DIFFERENCE, BEST, SLOPE,
    plant=function(loss.poisson_nll, log_gamma_is_that_of_the_rate))
mutant("GUARD-LOSS-017", "a training without a term learns nothing, or ends in a line about tensors",
    "LOSS-017:a_loss_without_a_term_is_refused[g1]", "LOSS-017:a_loss_without_a_term_is_refused[g2]",
    plant=method(Objective, "_refuse_nothing", lambda original, self, fields: None))
