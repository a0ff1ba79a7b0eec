"""Defects of the loss that show under one setting alone, or where two of them meet."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from conformance.defects.changes import function, instead, method
from conformance.mutants import rows
from reference_impl import loss
from reference_impl.loss import Objective
from reference_impl.training import PtychoLightningModule

KNOWN = "LOSS-012:training_and_validation_know_the_mask"
DARK = "LOSS-009:gradients_survive_darkness_under_every_weight"


def root_of_squares(values: torch.Tensor) -> torch.Tensor:
    """The modulus as it is often written: its slope at zero is no number."""
    return (values.real.square() + values.imag.square()).sqrt() if values.is_complex() else values.abs()


def a_missing_phase_is_zero(original: Any, fields: Any, because: str) -> Any:
    amplitude = fields["label_amp"] if "label_amp" in fields.keys() else None
    if amplitude is None or "label_phase" in fields.keys() or "realspace" not in because:
        return original(fields, because)
    return amplitude, torch.zeros_like(amplitude)


def batches_of_training_count_alike(original: Any, self: Any, name: str, value: Any, batch: Any, *part: Any) -> None:
    if name == self.loss_name:
        self.log(name, value.detach(), on_step=False, on_epoch=True, batch_size=1)
    else:
        original(self, name, value, batch, *part)


def a_step_without_the_mask(original: Any, self: Any, batch: Any, batch_idx: int) -> Any:
    fields = {name: batch[0][name] for name in batch[0].keys() if name != "mask"}
    return original(self, (fields, *batch[1:]), batch_idx)


def validation_is_a_likelihood(original: Any, self: Any, batch: Any, batch_idx: int) -> None:
    asked = self.objective
    try:
        self.objective = asked if asked.supervise else replace(asked, mode="poisson")
        original(self, batch, batch_idx)
    finally:
        self.objective = asked


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-LOSS-009c", "NaN where a smoothed object is flat", DARK,
    plant=function(loss.total_variation, instead(
        lambda patches: root_of_squares(patches.diff(dim=-1)).mean() + root_of_squares(patches.diff(dim=-2)).mean())))
mutant("GUARD-LOSS-009d", "NaN where an object is its label", DARK,
    plant=function(loss.complex_mae, instead(lambda patches, labels: root_of_squares(patches - labels).mean())))
mutant("GUARD-LOSS-011d", "validation is a likelihood where absolute errors were asked for",
    "LOSS-011:training_and_validation_agree_where_nothing_is_learned",
    plant=method(PtychoLightningModule, "validation_step", validation_is_a_likelihood))
mutant("GUARD-LOSS-012d", "validation does not know the mask", KNOWN,
    plant=method(PtychoLightningModule, "validation_step", a_step_without_the_mask))
mutant("GUARD-LOSS-012e", "what is learned and logged in training does not know the mask", KNOWN,
    plant=method(PtychoLightningModule, "training_step", a_step_without_the_mask))
mutant("GUARD-LOSS-014b", "with a weight on labels a missing phase is zero", "LOSS-014:half_labels_are_refused[label_phase]",
    plant=function(loss._labels, a_missing_phase_is_zero))
mutant("GUARD-LOSS-015b", "in training a short batch counts as much as a whole one", "LOSS-015:batches_count_by_their_samples",
    plant=method(PtychoLightningModule, "_record", batches_of_training_count_alike))
mutant("GUARD-LOSS-016e", "a loss of solved labels alone is refused",
    "LOSS-016:solved_labels_are_compared_in_their_light[g1]", "LOSS-016:solved_labels_are_compared_in_their_light[g2]",
    plant=method(Objective, "_refuse_nothing",
        lambda original, self, fields: original(self, dict.fromkeys(set(fields.keys()) - {"label_light"}))))
mutant("GUARD-LOSS-017b", "absolute errors without a term are trained on", "LOSS-017:a_loss_without_a_term_is_refused[g2]",
    plant=method(Objective, "_refuse_nothing",
        lambda original, self, fields: original(self, fields) if self.mode == "poisson" else None))
