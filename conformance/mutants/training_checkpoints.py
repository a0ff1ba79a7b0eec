"""Defects of training: checkpoints, early stopping, the monitored metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import PtychoLightningModule, trainer
from reference_impl.training.checkpoints import checkpoint_callbacks, resolve_monitor
from reference_impl.training.hyperparameters import plain


@mutant(
    "DEF-128", "without validation data no epoch is ever the best", "TRAIN-021:without_validation_the_training_loss_is_monitored"
)
def the_monitor_is_a_textual_replacement(plant: Plant) -> None:
    def replaced(original):
        def resolve(name, logged, loss_name, val_loss_name):
            return (
                name.replace("val_", "train_")
                if val_loss_name not in logged
                else original(name, logged, loss_name, val_loss_name)
            )

        return resolve

    plant.function(resolve_monitor, replaced)


@mutant(
    "GUARD-TRAIN-021",
    "another metric than the validation loss is not honoured",
    "TRAIN-021:a_metric_that_is_never_logged_is_refused",
    "TRAIN-021:another_logged_metric_is_honoured",
)
def the_monitor_is_always_the_validation_loss(plant: Plant) -> None:
    plant.function(resolve_monitor, lambda original: lambda name, *known: original("val_loss", *known))


@mutant(
    "GUARD-TRAIN-020",
    "one checkpoint, of the lowest loss, whatever is asked for",
    "TRAIN-020:as_many_checkpoints_are_kept_as_asked[all]",
    "TRAIN-020:the_best_epoch_is_kept_in_the_sense_of_the_mode",
)
def number_and_mode_of_the_checkpoints_are_dropped(plant: Plant) -> None:
    def fixed(original):
        def callbacks(folder, monitor, validates, execution):
            return original(folder, monitor, validates, replace(execution, checkpoint_save_top_k=1, checkpoint_mode="min"))

        return callbacks

    plant.function(checkpoint_callbacks, fixed)


@mutant(
    "GUARD-TRAIN-020b",
    "no last.ckpt to resume from, and no early stop",
    "TRAIN-020:the_last_checkpoint_is_kept",
    "TRAIN-020:training_stops_where_validation_no_longer_improves[1]",
)
def only_the_first_callback_is_handed_over(plant: Plant) -> None:
    plant.function(checkpoint_callbacks, lambda original: lambda *given: original(*given)[:1])


@mutant(
    "GUARD-TRAIN-020c",
    "training ends early where there is nothing to validate on",
    "TRAIN-020:training_stops_early_only_with_both[no-test-data]",
)
def early_stopping_watches_the_training_loss_too(plant: Plant) -> None:
    def always(original):
        return lambda folder, monitor, validates, execution: original(folder, monitor, True, execution)

    plant.function(checkpoint_callbacks, always)


@mutant(
    "GUARD-TRAIN-020d",
    "checkpoints are written although they were disabled",
    "TRAIN-020:training_stops_early_only_with_both[checkpointing-disabled]",
)
def disabling_checkpoints_has_no_effect(plant: Plant) -> None:
    def forced(original):
        return lambda module, memory, run, validates: original(
            module, memory, replace(run, execution=replace(run.execution, enable_checkpointing=True)), validates
        )

    plant.function(trainer._make_trainer, forced)


@mutant("GUARD-TRAIN-020e", "minus two checkpoints are taken for all", "TRAIN-020:fewer_checkpoints_than_all_are_refused")
def the_number_of_checkpoints_is_clamped(plant: Plant) -> None:
    def clamping(original):
        def check(self):
            object.__setattr__(self, "checkpoint_save_top_k", max(-1, self.checkpoint_save_top_k))
            original(self)

        return check

    plant.method(PyTorchExecutionConfig, "__post_init__", clamping)


@mutant(
    "DEF-160",
    "a checkpoint cannot be loaded without the configuration",
    "TRAIN-060:a_checkpoint_loads_without_arguments",
    "TRAIN-060:hyper_parameters_are_four_plain_configurations",
)
def the_hyper_parameters_are_not_saved(plant: Plant) -> None:
    plant.method(PtychoLightningModule, "save_hyperparameters", lambda original: lambda self, *given: None)


@mutant("GUARD-TRAIN-060", "a checkpoint loads with fresh weights", "TRAIN-060:a_checkpoint_loads_without_arguments")
def weights_are_saved_under_other_names_and_loaded_leniently(plant: Plant) -> None:
    def renamed(self, checkpoint):
        checkpoint["state_dict"] = {f"module.{name}": value for name, value in checkpoint["state_dict"].items()}

    def lenient(original):
        return lambda cls, path: original(cls, path, strict=False)

    plant.method(PtychoLightningModule, "on_save_checkpoint", lambda original: renamed)
    plant.method(PtychoLightningModule, "load_from_checkpoint", lenient)


@mutant("GUARD-TRAIN-060b", "a checkpoint holds a class of ours", "TRAIN-060:hyper_parameters_are_four_plain_configurations")
def hyper_parameters_are_live_objects(plant: Plant) -> None:
    plant.function(plain, lambda original: lambda config: original(config) if isinstance(config, Mapping) else config)
