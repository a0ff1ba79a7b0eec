"""Defects of training: what a run returns, history, seeds, loggers, failure; checkpoints."""

from __future__ import annotations

import contextlib
import os
import warnings
from dataclasses import replace
from pathlib import Path

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger

from conformance.defects.changes import caught, constant, function, instead, method, result, whole
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.batch import resolve_seed
from reference_impl.dispatch import selector, workflow
from reference_impl.domains import fields as domains
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import PtychoLightningModule, schedulers, train_cdi_model_torch, trainer
from reference_impl.training.checkpoints import AtomicCheckpointIO, checkpoint_callbacks, read_checkpoint, resolve_monitor
from reference_impl.training.history import History
from reference_impl.training.lightning_module import CONFIGURATIONS
from reference_impl.training.loggers import make_logger
from reference_impl.training.resume import Memory


def the_history_looks_up_a_name_that_is_never_logged(self, trainer, pl_module):
    losses = (("train_loss", self.train_loss), ("val_loss", self.val_loss))
    for name, kept in losses:
        kept += [float(trainer.callback_metrics[name])] if name in trainer.callback_metrics else []


def the_history_takes_the_first_name_that_looks_like_a_loss(plant: Plant) -> None:
    def stepwise(self, name, loss, batch, part=None):
        self.log(name, loss.detach(), on_step=True, on_epoch=True, batch_size=len(batch[0]["images"]))

    def first_match(self, trainer, module):
        found = {name: float(value) for name, value in trainer.callback_metrics.items() if "_step" in name}
        self.train_loss.append(found[f"{module.loss_name}_step"])

    plant.method(PtychoLightningModule, "_record", lambda original: stepwise)
    plant.method(History, "on_train_epoch_end", lambda original: first_match)


def the_history_hears_the_trial_validation(plant: Plant) -> None:
    def hear(self, trainer, module):
        self.val_loss.append(float(trainer.callback_metrics[module.val_loss_name]))

    def after_training(original):
        return lambda self, trainer, module: self.train_loss.append(float(trainer.callback_metrics[module.loss_name]))

    plant.method(History, "on_train_epoch_end", after_training)
    plant.method(History, "on_validation_end", lambda _: hear)
    plant.function(trainer.Trainer, lambda original: lambda **settings: original(**{**settings, "num_sanity_val_steps": 2}))


def the_learning_rate_is_written_into_the_optimiser(original, parameters, config):
    optimizer = original(parameters, config)
    optimizer.param_groups[0]["lr"] = 1e-4
    return optimizer


def the_model_is_made_before_the_seed_is_set(plant: Plant) -> None:
    states = [torch.get_rng_state()]

    def as_the_caller_left_it(original):
        return lambda *given, **options: states.append(torch.get_rng_state()) or original(*given, **options)

    def early(original):
        return lambda cls, *given, **named: torch.set_rng_state(states[-1]) or original(cls, *given, **named)

    plant.function(train_cdi_model_torch, as_the_caller_left_it)
    plant.method(PtychoLightningModule, "from_config", early)


def the_doors_return_in_another_order(plant: Plant) -> None:
    plant.function(train_cdi_model_torch, lambda original: lambda *given, **options: (original(*given, **options), None))
    run = selector.run_cdi_example_with_backend
    plant.constant(workflow, "train_cdi_model_torch", train_cdi_model_torch)
    plant.function(run, lambda original: lambda *given, **options: original(*given, **options)[::-1])


def the_module_leaves_optimisation_to_the_trainer(plant: Plant) -> None:
    def always(original):
        return property(lambda self: True, lambda self, wanted: None)

    plant.method(PtychoLightningModule, "automatic_optimization", always)


def a_logger_falls_back_to_none(plant: Plant) -> None:
    def guarded(original):
        def make(name, folder):
            with contextlib.suppress(ValueError):
                return original(name, folder)

        return make

    known = domains.choice(*domains.LOGGERS, "carrier_pigeon", also=(None,))
    plant.constant(domains, "FIELDS", {**domains.FIELDS, "logger_backend": known})
    plant.function(make_logger, guarded)


def the_side_of_the_data_is_taken_silently(original, *given):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return original(*given)


def the_monitor_is_a_textual_replacement(original, name, logged, loss_name, val_loss_name):
    return name.replace("val_", "train_") if val_loss_name not in logged else original(name, logged, loss_name, val_loss_name)


def number_and_mode_of_the_checkpoints_are_dropped(original, folder, monitor, validates, execution):
    return original(folder, monitor, validates, replace(execution, checkpoint_save_top_k=1, checkpoint_mode="min"))


def the_number_of_checkpoints_is_clamped(original, self):
    object.__setattr__(self, "checkpoint_save_top_k", max(-1, self.checkpoint_save_top_k))
    original(self)


def weights_are_saved_under_other_names_and_loaded_leniently(plant: Plant) -> None:
    def renamed(self, checkpoint):
        checkpoint["state_dict"] = {f"module.{name}": value for name, value in checkpoint["state_dict"].items()}

    def lenient(original):
        return lambda cls, path: original(cls, path, strict=False)

    plant.method(PtychoLightningModule, "on_save_checkpoint", lambda original: renamed)
    plant.method(PtychoLightningModule, "load_from_checkpoint", lenient)


def names_are_counted(callbacks):
    for callback in callbacks:
        if isinstance(callback, ModelCheckpoint):
            callback._enable_version_counter = True
    return callbacks


def _there(writer, path):
    """The checkpoints that lay in the folder when this run wrote its first one."""
    return writer.__dict__.setdefault("there", {one.name for one in Path(path).parent.glob("*.ckpt")})


ITS_OWN = "TRAIN-074:a_second_run_in_a_folder_leaves_its_own"
mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# Training: what a run returns, history, seeds, learning rate, loggers, failure.
mutant("DEF-129", "the loss history is empty", "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]",
    "TRAIN-004:history_is_what_was_logged",
    breaks="train: the losses are what is missing",
    plant=method(History, "on_train_epoch_end", instead(the_history_looks_up_a_name_that_is_never_logged)))
mutant("DEF-130", "the history shows the loss of the last batch", "TRAIN-004:history_is_what_was_logged[train]",
    plant=the_history_takes_the_first_name_that_looks_like_a_loss)
mutant("GUARD-TRAIN-004", "the trial validation before the first epoch counts",
    "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]", plant=the_history_hears_the_trial_validation)
mutant("DEF-133", "the learning rate is 1e-4 whatever is asked for", "TRAIN-012:one_update_moves_the_weights_by_the_rate",
    "TRAIN-012:the_logged_rate_is_the_one_asked_for",
    plant=function(schedulers.make_optimizer, the_learning_rate_is_written_into_the_optimiser))
mutant("DEF-138", "two runs of one seed differ", "TRAIN-011:runs_of_one_seed_are_bit_identical[seed-42]",
    "TRAIN-011:no_seed_means_seed_42", "TRAIN-010:an_accelerator_trains_like_the_cpu",
    plant=the_model_is_made_before_the_seed_is_set)
mutant("GUARD-TRAIN-011", "seed 0 trains the network of seed 42", "TRAIN-011:seed_0_is_a_seed_of_its_own",
    plant=constant(trainer, "resolve_seed", lambda seed: resolve_seed(seed or None)))
mutant("DEF-141", "a training that failed leaves a bundle of initial weights",
    "TRAIN-050:a_failing_fit_is_a_runtime_error_with_its_cause",
    plant=function(trainer.fit,
        caught(RuntimeError, lambda error, *_: warnings.warn(f"training failed: {error}", stacklevel=1) or History())))
mutant("GUARD-TRAIN-050", "a failed training does not say why", "TRAIN-050:a_failing_fit_is_a_runtime_error_with_its_cause",
    plant=function(trainer.fit, caught(RuntimeError, lambda error, *_: RuntimeError(str(error)))))
mutant("DEF-144", "no wts.h5.zip after training", "TRAIN-051:a_run_leaves_a_bundle_of_the_trained_model",
    breaks="save: the bundle is what is missing",
    plant=constant(workflow, "save_torch_bundle", lambda *given: None))
mutant("DEF-148", "the trainer stands among the models", "TRAIN-003:results_hold_what_comes_after[g1]",
    breaks="train: the bundle refuses a model beside the two",
    plant=function(train_cdi_model_torch,
        result(lambda results: {**results, "models": {**results["models"], "trainer": object()}})))
mutant("GUARD-TRAIN-001", "train answers a pair, run answers results first", "TRAIN-001:train_returns_a_mapping",
    "TRAIN-001:run_returns_a_triple",
    breaks="train: the results stand at another place",
    plant=the_doors_return_in_another_order)
mutant("GUARD-TRAIN-002", "a picture of the training data where none was asked for",
    "TRAIN-002:without_stitching_there_is_no_picture[not-asked]",
    plant=function(workflow.run_cdi_example_torch,
        lambda original, *given, **options: original(*given, **{**options, "do_stitching": True})))
mutant("GUARD-TRAIN-010", "the folder that the user stands in fills with logs",
    "TRAIN-010:nothing_is_written_outside_the_output_folder",
    plant=function(make_logger, lambda original, name, folder: original(name, os.getcwd())))
mutant("GUARD-TRAIN-013", "the trainer steps the optimiser", "TRAIN-013:the_module_steps_its_optimiser_itself",
    plant=the_module_leaves_optimisation_to_the_trainer)
mutant("GUARD-TRAIN-030", "a logger that is not there silently falls away", "TRAIN-030:an_unknown_logger_is_refused",
    "TRAIN-030:a_missing_logger_package_is_named", plant=a_logger_falls_back_to_none)
mutant("GUARD-TRAIN-030b", "the metrics of the run before are written over, and of runs that asked for none",
    "TRAIN-030:no_logger_writes_no_log", "TRAIN-030:every_run_has_its_own_metrics_file",
    plant=whole(make_logger, lambda _: lambda name, folder: CSVLogger(save_dir=folder, name="lightning_logs", version=0)))
mutant("GUARD-TRAIN-061", "the configured patch side is overruled without a word", "TRAIN-061:the_data_decide_the_patch_side",
    plant=function(trainer._with_the_side_of, the_side_of_the_data_is_taken_silently))

# Training: checkpoints, early stopping, the monitored metric.
mutant("DEF-128", "without validation data no epoch is ever the best",
    "TRAIN-021:without_validation_the_training_loss_is_monitored",
    plant=function(resolve_monitor, the_monitor_is_a_textual_replacement))
mutant("GUARD-TRAIN-021", "another metric than the validation loss is not honoured",
    "TRAIN-021:a_metric_that_is_never_logged_is_refused", "TRAIN-021:another_logged_metric_is_honoured",
    plant=function(resolve_monitor, lambda original, name, *known: original("val_loss", *known)))
mutant("GUARD-TRAIN-020", "one checkpoint, of the lowest loss, whatever is asked for",
    "TRAIN-020:as_many_checkpoints_are_kept_as_asked[all]", "TRAIN-020:the_best_epoch_is_kept_in_the_sense_of_the_mode",
    plant=function(checkpoint_callbacks, number_and_mode_of_the_checkpoints_are_dropped))
mutant("GUARD-TRAIN-020b", "no last.ckpt to resume from, and no early stop", "TRAIN-020:the_last_checkpoint_is_kept",
    "TRAIN-020:training_stops_where_validation_no_longer_improves[1]",
    plant=function(checkpoint_callbacks, result(lambda found: found[:1])))
mutant("GUARD-TRAIN-074", "the last checkpoint of a second run has a number behind its name", ITS_OWN,
    plant=function(checkpoint_callbacks, result(names_are_counted)))
mutant("GUARD-TRAIN-074b", "a checkpoint that is there is not written again", ITS_OWN,
    plant=method(AtomicCheckpointIO, "save_checkpoint", lambda original, self, checkpoint, path, *rest, **options: (
        None if Path(path).name in _there(self, path) else original(self, checkpoint, path, *rest, **options))))
mutant("GUARD-TRAIN-020c", "training ends early where there is nothing to validate on",
    "TRAIN-020:training_stops_early_only_with_both[no-test-data]",
    plant=function(checkpoint_callbacks,
        lambda original, folder, monitor, validates, execution: original(folder, monitor, True, execution)))
mutant("GUARD-TRAIN-020d", "checkpoints are written although they were disabled",
    "TRAIN-020:training_stops_early_only_with_both[checkpointing-disabled]",
    plant=function(trainer._make_trainer,
        lambda original, module, memory, run, validates:
        original(module, memory, replace(run, execution=replace(run.execution, enable_checkpointing=True)), validates)))
mutant("GUARD-TRAIN-020e", "minus two checkpoints are taken for all", "TRAIN-020:fewer_checkpoints_than_all_are_refused",
    plant=method(PyTorchExecutionConfig, "__post_init__", the_number_of_checkpoints_is_clamped))
mutant("DEF-160", "a checkpoint cannot be loaded without the configuration", "TRAIN-060:a_checkpoint_loads_without_arguments",
    "TRAIN-060:hyper_parameters_are_four_plain_configurations",
    plant=method(Memory, "on_save_checkpoint", lambda original, self, of, module, kept:
        kept.update(hyper_parameters=dict.fromkeys(kept["hyper_parameters"])) or original(self, of, module, kept)))
mutant("GUARD-TRAIN-060", "a checkpoint loads with fresh weights", "TRAIN-060:a_checkpoint_loads_without_arguments",
    plant=weights_are_saved_under_other_names_and_loaded_leniently)
mutant("GUARD-TRAIN-060b", "a checkpoint holds a class of ours", "TRAIN-060:hyper_parameters_are_four_plain_configurations",
    plant=method(Memory, "on_save_checkpoint", lambda original, self, of, module, kept:
        kept.update(hyper_parameters={name: getattr(module, name) for name in CONFIGURATIONS})))
mutant("GUARD-TRAIN-062", "checkpoints are read by the library's reader as it is",
    "TRAIN-062:changed_bytes_of_a_checkpoint_load_what_was_saved_or_nothing",
    "TRAIN-063:small_checkpoints_that_want_much_are_refused",
    plant=function(read_checkpoint, instead(lambda path: torch.load(path, map_location="cpu", weights_only=True))))
