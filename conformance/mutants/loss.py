"""Defects of the training objective: normalisation, weights, labels, names, validation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import loss
from reference_impl.loss import Objective
from reference_impl.model.forward import as_complex
from reference_impl.physics import diffraction
from reference_impl.training import lightning_module
from reference_impl.training.lightning_module import PtychoLightningModule

DATA = "LOSS-002:loss_is_the_likelihood_over_the_mean_amplitude"
ABSOLUTE = "LOSS-006:absolute_error_compares_amplitudes"
SUPERVISED = "LOSS-007:supervised_loss_compares_with_labels"
DARK = "LOSS-009:gradients_survive_darkness"
NAMES = "LOSS-010:losses_have_their_names"
HONOURED = "LOSS-030:weights_are_honoured"
LINEAR = "LOSS-030:loss_is_linear_in_each_weight"


@mutant("DEF-121", "photons are compared with amplitudes", ABSOLUTE, HONOURED + "[nll0-mae1]")
def absolute_error_squares_the_prediction(plant: Plant) -> None:
    plant.function(loss.mae, lambda original: lambda predicted, measured: original(predicted.square(), measured))


@mutant(
    "DEF-125",
    "KeyError: 'label_amp'",
    "LOSS-030:weight_without_labels_is_refused",
    "LOSS-007:supervised_loss_misses_its_labels_by_name",
)
def labels_are_looked_up_without_a_check(plant: Plant) -> None:
    plant.function(loss._labels, lambda original: lambda fields, because: (fields["label_amp"], fields["label_phase"]))


@mutant("DEF-126", "AttributeError: no loss_name in supervised mode", NAMES + "[supervised]")
def names_are_set_in_one_branch_only(plant: Plant) -> None:
    def unnamed(original):
        def from_config(cls, *configs):
            module = original(cls, *configs)
            if module.objective.supervise:
                del module.loss_name, module.val_loss_name
            return module

        return from_config

    plant.method(PtychoLightningModule, "from_config", unnamed)


def _objective(plant: Plant, **values: Any) -> None:
    """The objective with some of its weights fixed."""
    plant.function(lightning_module._objective, lambda original: lambda *configs: replace(original(*configs), **values))


@mutant(
    "GUARD-LOSS-002",
    "bright samples weigh less than dim ones",
    DATA,
    ABSOLUTE,
    SUPERVISED,
)
def mean_is_that_of_the_scaled_input(plant: Plant) -> None:
    def scaled(original):
        def total(self, predicted, amplitude, phase, fields):
            change = fields["images"].mean() / (fields["images"] * fields["rms_scaling_constant"]).mean()
            return original(self, predicted, amplitude, phase, fields) * change

        return total

    plant.method(Objective, "__call__", scaled)


@mutant("GUARD-LOSS-002b", "the loss does not know the data's units", "LOSS-002:smaller_units_have_a_greater_loss", DATA)
def loss_is_not_divided(plant: Plant) -> None:
    def whole(original):
        return lambda self, *outputs: original(self, *outputs) * outputs[-1]["images"].mean()

    plant.method(Objective, "__call__", whole)


@mutant("GUARD-LOSS-002c", "the phase learns from nothing but the regularisers", "LOSS-002:gradient_is_the_slope_of_the_loss[g2]")
def phase_is_detached(plant: Plant) -> None:
    plant.function(as_complex, lambda original: lambda amplitude, phase: original(amplitude, phase.detach()))


@mutant(
    "GUARD-LOSS-006",
    "brighter probes count more in the absolute error",
    "LOSS-006:absolute_error_takes_no_notice_of_photons",
    ABSOLUTE,
)
def absolute_error_is_scaled_to_photons(plant: Plant) -> None:
    def scaled(original):
        def term(self, predicted, amplitude, phase, fields):
            photons = fields["physics_scaling_constant"]
            if self.mode != "mae":
                return original(self, predicted, amplitude, phase, fields)
            return loss.mae(photons * predicted, photons * fields["images"])

        return term

    plant.method(Objective, "_data_term", scaled)


@mutant("GUARD-LOSS-006b", "the absolute error is a mean over pixels", ABSOLUTE, SUPERVISED)
def absolute_error_is_a_mean(plant: Plant) -> None:
    plant.function(loss.mae, lambda original: lambda predicted, measured: (predicted - measured).abs().mean())


@mutant(
    "GUARD-LOSS-006c",
    "the last, single sample of an epoch counts half",
    "LOSS-002:a_batch_of_one_has_the_loss_of_its_sample[mae]",
)
def absolute_error_assumes_two_samples(plant: Plant) -> None:
    plant.function(loss.mae, lambda original: lambda *given: original(*given) * len(given[0]) / max(len(given[0]), 2))


@mutant(
    "GUARD-LOSS-007",
    "supervised training looks at the detector",
    SUPERVISED,
    "LOSS-007:supervised_loss_takes_no_notice_of_the_probe",
)
def labels_are_compared_with_the_prediction(plant: Plant) -> None:
    def on_the_detector(original):
        return lambda self, predicted, amplitude, *rest: original(self, predicted, predicted, *rest)

    plant.method(Objective, "_data_term", on_the_detector)


@mutant("GUARD-LOSS-008", "a hidden prior smooths the object", "LOSS-008:no_regulariser_is_on_by_default", DATA)
def total_variation_is_on_by_default(plant: Plant) -> None:
    def smoothed(original):
        def total(self, predicted, amplitude, phase, fields):
            found = original(self, predicted, amplitude, phase, fields)
            return found + (found.detach() if self.realspace == 0 else 0) * loss.total_variation(as_complex(amplitude, phase))

        return total

    plant.method(Objective, "__call__", smoothed)


@mutant("GUARD-LOSS-009", "NaN after the first dark prediction", DARK + "[poisson-blind-dark-pixels]")
def root_of_an_intensity_has_no_floor(plant: Plant) -> None:
    def rooted(original):
        def propagate(wave):
            far = torch.fft.fft2(wave, norm="ortho")
            intensity = (far.real.square() + far.imag.square()).sum(dim=-3)
            return torch.fft.fftshift(intensity.sqrt(), dim=(-2, -1))

        return propagate

    plant.function(diffraction.propagate, rooted)


@mutant("GUARD-LOSS-009b", "NaN on a batch without light", DARK + "[mae-seeing-nothing-but-dark]")
def mean_has_no_epsilon(plant: Plant) -> None:
    plant.constant(loss, "MEAN_EPSILON", 0.0)


@mutant(
    "GUARD-LOSS-010", "callbacks do not find the losses of a regularised training", "LOSS-010:regularised_losses_keep_the_pattern"
)
def regulariser_changes_the_name(plant: Plant) -> None:
    def named(original):
        return lambda self, stage: original(self, stage) + ("+tv" if self.realspace else "")

    plant.method(Objective, "name", named)


@mutant(
    "GUARD-LOSS-011",
    "validation losses are half as large",
    "LOSS-011:validation_loss_is_the_loss_of_the_validation_batch",
    "LOSS-011:training_and_validation_agree_where_nothing_is_learned",
)
def validation_has_a_weight_of_its_own(plant: Plant) -> None:
    def halved(original):
        def validation_step(self, batch, batch_idx):
            self._record(self.val_loss_name, self._finite_loss(batch, batch_idx) / 2, batch)

        return validation_step

    plant.method(PtychoLightningModule, "validation_step", halved)


@mutant("GUARD-LOSS-030", "nll_weight has no effect", HONOURED + "[nll0.25]")
def likelihood_weight_is_read_nowhere(plant: Plant) -> None:
    _objective(plant, nll=1.0)


@mutant("GUARD-LOSS-030b", "realspace_weight has no effect", HONOURED + "[nll0-realspace0.5]", LINEAR + "[realspace_weight]")
def variation_weight_is_read_nowhere(plant: Plant) -> None:
    _objective(plant, realspace=0.0)


@mutant("GUARD-LOSS-030c", "mae_weight is on or off", HONOURED + "[nll0.5-mae0.75]", LINEAR + "[mae_weight]")
def weight_is_taken_as_a_switch(plant: Plant) -> None:
    def switched(original):
        def objective(*configs):
            found = original(*configs)
            return replace(found, mae=float(found.mae > 0))

        return objective

    plant.function(lightning_module._objective, switched)


@mutant("GUARD-LOSS-030d", "ones are taken for missing labels", "LOSS-030:weight_without_labels_is_refused")
def placeholders_stand_in_for_labels(plant: Plant) -> None:
    def placeholders(original):
        def labels(fields, because):
            ones = torch.ones_like(fields["images"])
            return fields.get("label_amp", ones), fields.get("label_phase", 0 * ones)

        return labels

    plant.function(loss._labels, placeholders)
