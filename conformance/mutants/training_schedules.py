"""Defects of training: learning-rate schedules, clipping, accumulation."""

from __future__ import annotations

import warnings
from dataclasses import replace

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from conformance.defects.changes import function, instead, method, whole
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.training import PtychoLightningModule, schedulers
from reference_impl.training.clipping import _unit_norm, clip_gradients
from reference_impl.training.overrides import settle

MODULE = PtychoLightningModule
CLIP = "TRAIN-044:the_gradient_is_clipped"
GATHERED = "TRAIN-044:an_update_of_gathered_batches_is_clipped"
TURNS = "TRAIN-044:the_adaptive_clip_turns_no_unit"
DUE = "TRAIN-044:there_are_as_many_updates_as_are_due"
MEAN = "TRAIN-045:gathered_batches_count_by_their_mean"


def the_tail_of_an_epoch_is_not_flushed(self, batch, batch_idx):
    self.manual_backward(self.compute_loss(batch))
    self._gathered += 1
    self._update() if self._gathered == self.training_config.accum_steps else None
    self._record(self.loss_name, self.compute_loss(batch), batch)


def the_norm_is_each_tensors_own(original, parameters, limit, algorithm):
    for parameter in parameters:
        original([parameter], limit, algorithm)


def the_tail_is_not_clipped(original, self):
    asked = self.training_config
    if self._gathered < asked.accum_steps:
        self.training_config = replace(asked, gradient_clip_val=None)
    original(self)
    self.training_config = asked


def the_setting_is_the_divisor(original, self):
    for parameter in self.parameters():
        if parameter.grad is not None:
            parameter.grad.mul_(self._gathered / self.training_config.accum_steps)
    original(self)


def several_are_divided_by_the_setting(original, self):
    (the_setting_is_the_divisor if self._gathered > 1 else lambda plain, module: plain(module))(original, self)


def a_tail_is_added(original, self):
    self._gathered = 1 if self._gathered < self.training_config.accum_steps else self._gathered
    original(self)


def gradients_are_added(original, self):
    self._gathered = 1
    original(self)


def every_second_batch_counts(original, self):
    if self._gathered > 1 or self.trainer.is_last_batch:
        original(self)


def gradients_are_never_cleared(self):
    self.optimizers().step()
    self._gathered = 0


def the_schedule_is_built_and_never_stepped(original, self):
    scheduler = self.lr_schedulers()
    scheduler.step = lambda *given: None
    original(self)
    del scheduler.step  # a checkpoint keeps what a scheduler holds


def the_schedule_is_stepped_before_the_first_epoch(original, self):
    original(self)
    self.lr_schedulers().step()


def the_rate_is_computed_for_the_log(original, self):
    group, factor = self.optimizers().param_groups[0], self.lr_schedulers().lr_lambdas[0](self.current_epoch)
    group["lr"] = group["initial_lr"] * factor
    scheduler = self.lr_schedulers()
    scheduler.step = lambda: None
    original(self)
    del scheduler.step
    group["lr"] = group["initial_lr"]


def the_rate_is_logged_after_the_step(original, self):
    scheduler, log = self.lr_schedulers(), self.log
    self.log = lambda *given, **options: None
    original(self)
    self.log = log
    self.log("learning_rate", scheduler.optimizer.param_groups[0]["lr"])


def the_plateau_is_judged_before_validation(original, self):
    name, self.val_loss_name = self.val_loss_name, "not known yet"
    original(self)
    self.val_loss_name = name


def a_retired_scheduler_is_not_told(original, config):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(config)


def the_schedule_is_stepped_with_every_batch(plant: Plant) -> None:
    def eager(original):
        return lambda self: (original(self), self.lr_schedulers().step())

    def logging(self):
        self.log("learning_rate", torch.tensor(self.optimizers().param_groups[0]["lr"], dtype=torch.float64))

    plant.method(MODULE, "_update", eager)
    plant.method(MODULE, "on_train_epoch_end", lambda original: logging)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-136", "gradients of an epoch's last batches act in the next epoch",
    "TRAIN-044:leftover_batches_make_an_update_of_their_own", "TRAIN-044:nothing_of_the_tail_reaches_the_next_epoch",
    plant=method(MODULE, "training_step", instead(the_tail_of_an_epoch_is_not_flushed)))
mutant("GUARD-TRAIN-044", "the clip algorithm is always the norm", f"{CLIP}[value]",
    "TRAIN-044:the_adaptive_clip_scales_with_the_weights",
    plant=function(clip_gradients, lambda original, parameters, limit, algorithm: original(parameters, limit, "norm")))
mutant("GUARD-TRAIN-044b", "gradients are clipped before they are averaged, tensor by tensor", f"{CLIP}[norm]",
    plant=function(clip_gradients, the_norm_is_each_tensors_own))
mutant("GUARD-TRAIN-044c", "accum_steps has no effect", "TRAIN-044:accumulation_joins_batches_into_one_update",
    plant=function(settle, lambda original, config, execution, overrides: original(config, execution, None)))
mutant("GUARD-TRAIN-044d", "gradients pile up from update to update", "TRAIN-044:nothing_of_the_tail_reaches_the_next_epoch",
    plant=method(MODULE, "_update", instead(gradients_are_never_cleared)))
mutant("GUARD-TRAIN-044e", "the tail of an epoch is not clipped", f"{GATHERED}[left-over]",
    plant=method(MODULE, "_update", the_tail_is_not_clipped))
mutant("GUARD-TRAIN-044h", "every second batch makes an update", f"{DUE}[2-by-1]", f"{DUE}[3-by-1]",
    plant=method(MODULE, "_update", every_second_batch_counts))
mutant("GUARD-TRAIN-044g", "a kernel is clipped as one unit", "TRAIN-044:the_adaptive_clip_looks_at_each_unit",
    plant=function(_unit_norm, instead(torch.linalg.vector_norm)))
mutant("GUARD-TRAIN-044j", "each kernel of a unit is clipped by itself", TURNS,
    plant=function(_unit_norm, lambda original, tensor: original(tensor) if tensor.ndim < 4 else torch.linalg.vector_norm(
        tensor, dim=(2, 3), keepdim=True)))
mutant("GUARD-TRAIN-044k", "each weight is clipped by itself", TURNS,
    plant=function(_unit_norm, lambda original, tensor: original(tensor) if tensor.ndim < 4 else tensor.abs()))
mutant("GUARD-TRAIN-045", "the tail of an epoch is divided by accum_steps", f"{MEAN}[left-over]",
    plant=method(MODULE, "_update", the_setting_is_the_divisor))
mutant("GUARD-TRAIN-045c", "what is left over of three batches or more is divided by accum_steps",
    "TRAIN-045:several_left_over_batches_count_by_their_mean[3]", "TRAIN-045:several_left_over_batches_count_by_their_mean[4]",
    plant=method(MODULE, "_update", several_are_divided_by_the_setting))
mutant("GUARD-TRAIN-045d", "two left-over batches count as one", "TRAIN-045:several_left_over_batches_count_by_their_mean[4]",
    plant=method(MODULE, "_update", a_tail_is_added))
mutant("GUARD-TRAIN-045b", "gathered gradients are added", f"{MEAN}[joined]",
    plant=method(MODULE, "_update", gradients_are_added))
mutant("GUARD-TRAIN-043", "schedules have no effect", "TRAIN-040:a_schedule_follows_its_definition[exponential]",
    "TRAIN-040:the_plateau_follows_the_losses[patience]", "TRAIN-043:another_rate_trains_other_weights",
    plant=method(MODULE, "on_train_epoch_end", the_schedule_is_built_and_never_stepped))
mutant("GUARD-TRAIN-043b", "the first epoch trains at the rate of the second", "TRAIN-042:the_rate_of_every_epoch_is_logged",
    "TRAIN-043:equal_rates_train_equal_weights",
    plant=method(MODULE, "on_train_start", the_schedule_is_stepped_before_the_first_epoch))
mutant("GUARD-TRAIN-043c", "the falling rate is written into the log alone", "TRAIN-043:another_rate_trains_other_weights",
    plant=method(MODULE, "on_train_epoch_end", the_rate_is_computed_for_the_log))
mutant("GUARD-TRAIN-042", "the log shows the next epoch's rate", "TRAIN-042:the_rate_of_every_epoch_is_logged",
    plant=method(MODULE, "on_train_epoch_end", the_rate_is_logged_after_the_step))
mutant("GUARD-TRAIN-042b", "the plateau listens to the training loss", "TRAIN-040:the_plateau_follows_the_losses[turning]",
    "TRAIN-042:the_plateau_follows_the_validation",
    plant=method(MODULE, "on_train_epoch_end", the_plateau_is_judged_before_validation))
mutant("GUARD-TRAIN-040", "the plateau lowers the rate below its floor", "TRAIN-040:the_plateau_follows_the_losses[floor]",
    plant=whole(ReduceLROnPlateau, lambda original:
        type("Plateau", (original,), {"__init__": lambda self, optimizer, **fields:
        original.__init__(self, optimizer, **{**fields, "min_lr": 0.0})})))
mutant("GUARD-TRAIN-040b", "the warm-up begins at zero, and the cosine ends there",
    "TRAIN-040:a_schedule_follows_its_definition[warmup-cosine]",
    plant=function(schedulers.warmup_cosine, lambda original, epoch, **shape: original(epoch, **{**shape, "floor": 0.0})))
mutant("GUARD-TRAIN-041", "an abandoned scheduler falls through in silence",
    "TRAIN-041:an_abandoned_scheduler_warns_and_does_nothing[Adaptive]",
    plant=function(schedulers._factor, a_retired_scheduler_is_not_told))
mutant("GUARD-TRAIN-040c", "the rate falls with every batch", "TRAIN-040:a_schedule_follows_its_definition[exponential]",
    "TRAIN-042:the_rate_of_every_epoch_is_logged", plant=the_schedule_is_stepped_with_every_batch)
