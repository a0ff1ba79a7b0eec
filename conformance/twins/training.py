"""Freedoms of training: what else the results hold, how losses are logged, names of checkpoints, initial weights, rounding."""

from __future__ import annotations

from types import MappingProxyType

import torch

from conformance.defects.planting import Plant
from conformance.twins import twin
from reference_impl.training import PtychoLightningModule, schedulers, train_cdi_model_torch
from reference_impl.training.checkpoints import checkpoint_callbacks


@twin("TWIN-RICHER-RESULTS", "the results are a read-only mapping with further keys", files=("test_training",))
def results_hold_further_keys(plant: Plant) -> None:
    def richer(original):
        def train(*given, **options):
            results = original(*given, **options)
            return MappingProxyType({"host": "here", **results, "history": {**results["history"], "seconds": [0.1]}})

        return train

    plant.function(train_cdi_model_torch, richer)


@twin(
    "TWIN-STEPWISE-LOSSES",
    "losses are logged at every step as well, in a column of their own",
    files=("test_training",),
    checks=("TRAIN-004:history_has_one_loss_an_epoch[2-epochs]", "TRAIN-040:the_plateau_follows_the_losses[patience]"),
)
def losses_are_logged_at_every_step_too(plant: Plant) -> None:
    def stepwise(self, name, loss, batch):
        self.log(name, loss.detach(), on_step=True, on_epoch=True, batch_size=len(batch[0]["images"]))

    plant.method(PtychoLightningModule, "_record", lambda original: stepwise)


@twin(
    "TWIN-CHECKPOINT-NAMES",
    "checkpoints are named otherwise",
    files=("test_training_checkpoints",),
    checks=("TRAIN-020:as_many_checkpoints_are_kept_as_asked[two]",),
)
def checkpoints_are_named_otherwise(plant: Plant) -> None:
    def renamed(original):
        def callbacks(*given):
            found = original(*given)
            found[0].filename = "ptycho-{epoch:05d}-of-many"
            return found

        return callbacks

    plant.function(checkpoint_callbacks, renamed)


@twin(
    "TWIN-OTHER-INITIAL-WEIGHTS",
    "the initial weights are drawn from another stream",
    files=("test_training_schedules",),
    checks=(
        "TRAIN-044:leftover_batches_make_an_update_of_their_own",
        "TRAIN-044:nothing_of_the_tail_reaches_the_next_epoch",
        "TRAIN-044:the_gradient_is_clipped[norm]",
    ),
)
def weights_begin_otherwise(plant: Plant) -> None:
    def other(original):
        def from_config(cls, *given):
            torch.manual_seed(torch.initial_seed() + 17)
            return original(cls, *given)

        return from_config

    plant.method(PtychoLightningModule, "from_config", other)


@twin(
    "TWIN-ADAM-IN-A-LOOP",
    "Adam works weight by weight and keeps the larger second moment",
    files=("test_training_schedules",),
    checks=("TRAIN-011:runs_of_one_seed_are_bit_identical[seed-42]", "TRAIN-043:another_rate_trains_other_weights"),
)
def adam_rounds_otherwise(plant: Plant) -> None:
    def looped(original):
        def make_optimizer(parameters, config):
            optimizer = original(parameters, config)
            optimizer.param_groups[0] |= {"foreach": False} | ({"amsgrad": True} if "betas" in optimizer.param_groups[0] else {})
            return optimizer

        return make_optimizer

    plant.function(schedulers.make_optimizer, looped)
