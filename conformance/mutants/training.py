"""Defects of training: what a run returns, history, seeds, learning rate, loggers, failure."""

from __future__ import annotations

import contextlib
import os
import warnings

import torch
from lightning.pytorch.loggers import CSVLogger

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.batch import resolve_seed
from reference_impl.dispatch import selector, workflow
from reference_impl.domains import fields as domains
from reference_impl.training import PtychoLightningModule, schedulers, train_cdi_model_torch, trainer
from reference_impl.training.history import History
from reference_impl.training.loggers import make_logger


@mutant(
    "DEF-129",
    "the loss history is empty",
    "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]",
    "TRAIN-004:history_is_what_was_logged",
)
def the_history_looks_up_a_name_that_is_never_logged(plant: Plant) -> None:
    def lookup(original):
        def on_train_epoch_end(self, trainer, pl_module):
            losses = (("train_loss", self.train_loss), ("val_loss", self.val_loss))
            for name, kept in losses:
                kept += [float(trainer.callback_metrics[name])] if name in trainer.callback_metrics else []

        return on_train_epoch_end

    plant.method(History, "on_train_epoch_end", lookup)


@mutant("DEF-130", "the history shows the loss of the last batch", "TRAIN-004:history_is_what_was_logged[train]")
def the_history_takes_the_first_name_that_looks_like_a_loss(plant: Plant) -> None:
    def stepwise(self, name, loss, batch):
        self.log(name, loss.detach(), on_step=True, on_epoch=True, batch_size=len(batch[0]["images"]))

    def first_match(self, trainer, module):
        found = {name: float(value) for name, value in trainer.callback_metrics.items() if "_step" in name}
        self.train_loss.append(found[f"{module.loss_name}_step"])

    plant.method(PtychoLightningModule, "_record", lambda original: stepwise)
    plant.method(History, "on_train_epoch_end", lambda original: first_match)


@mutant(
    "GUARD-TRAIN-004", "the trial validation before the first epoch counts", "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]"
)
def the_history_hears_the_trial_validation(plant: Plant) -> None:
    def hear(self, trainer, module):
        self.val_loss.append(float(trainer.callback_metrics[module.val_loss_name]))

    def after_training(original):
        return lambda self, trainer, module: self.train_loss.append(float(trainer.callback_metrics[module.loss_name]))

    plant.method(History, "on_train_epoch_end", after_training)
    plant.method(History, "on_validation_end", lambda _: hear)
    plant.function(trainer.Trainer, lambda original: lambda **settings: original(**{**settings, "num_sanity_val_steps": 2}))


@mutant(
    "DEF-133",
    "the learning rate is 1e-4 whatever is asked for",
    "TRAIN-012:one_update_moves_the_weights_by_the_rate",
    "TRAIN-012:the_logged_rate_is_the_one_asked_for",
)
def the_learning_rate_is_written_into_the_optimiser(plant: Plant) -> None:
    def fixed(original):
        def make_optimizer(parameters, config):
            optimizer = original(parameters, config)
            optimizer.param_groups[0]["lr"] = 1e-4
            return optimizer

        return make_optimizer

    plant.function(schedulers.make_optimizer, fixed)


@mutant(
    "DEF-138",
    "two runs of one seed differ",
    "TRAIN-011:runs_of_one_seed_are_bit_identical[seed-42]",
    "TRAIN-011:no_seed_means_seed_42",
    "TRAIN-010:an_accelerator_trains_like_the_cpu",
)
def the_model_is_made_before_the_seed_is_set(plant: Plant) -> None:
    states = [torch.get_rng_state()]

    def as_the_caller_left_it(original):
        return lambda *given, **options: states.append(torch.get_rng_state()) or original(*given, **options)

    def early(original):
        return lambda cls, *given: torch.set_rng_state(states[-1]) or original(cls, *given)

    plant.function(train_cdi_model_torch, as_the_caller_left_it)
    plant.method(PtychoLightningModule, "from_config", early)


@mutant("GUARD-TRAIN-011", "seed 0 trains the network of seed 42", "TRAIN-011:seed_0_is_a_seed_of_its_own")
def the_seed_of_the_run_is_tested_for_truth(plant: Plant) -> None:
    plant.constant(trainer, "resolve_seed", lambda seed: resolve_seed(seed or None))


@mutant(
    "DEF-141",
    "a training that failed leaves a bundle of initial weights",
    "TRAIN-050:a_failing_fit_is_a_runtime_error_with_its_cause",
)
def an_error_of_the_fit_is_caught_and_logged(plant: Plant) -> None:
    def swallowing(original):
        def fit(*given):
            try:
                return original(*given)
            except RuntimeError as error:
                warnings.warn(f"training failed: {error}", stacklevel=1)
                return History()

        return fit

    plant.function(trainer.fit, swallowing)


@mutant("GUARD-TRAIN-050", "a failed training does not say why", "TRAIN-050:a_failing_fit_is_a_runtime_error_with_its_cause")
def the_cause_of_a_failure_is_dropped(plant: Plant) -> None:
    def blunt(original):
        def fit(*given):
            try:
                return original(*given)
            except RuntimeError as error:
                text = str(error)
            raise RuntimeError(text)

        return fit

    plant.function(trainer.fit, blunt)


@mutant("DEF-144", "no wts.h5.zip after training", "TRAIN-051:a_run_leaves_a_bundle_of_the_trained_model")
def the_run_writes_checkpoints_alone(plant: Plant) -> None:
    plant.constant(workflow, "save_torch_bundle", lambda *given: None)


@mutant("DEF-148", "the trainer stands among the models", "TRAIN-003:results_hold_what_comes_after[g1]")
def the_results_hold_a_third_model(plant: Plant) -> None:
    def crowded(original):
        def train(*given, **options):
            results = original(*given, **options)
            return {**results, "models": {**results["models"], "trainer": object()}}

        return train

    plant.function(train_cdi_model_torch, crowded)


@mutant(
    "GUARD-TRAIN-001",
    "train answers a pair, run answers results first",
    "TRAIN-001:train_returns_a_mapping",
    "TRAIN-001:run_returns_a_triple",
)
def the_doors_return_in_another_order(plant: Plant) -> None:
    plant.function(train_cdi_model_torch, lambda original: lambda *given, **options: (original(*given, **options), None))
    run = selector.run_cdi_example_with_backend
    plant.constant(workflow, "train_cdi_model_torch", train_cdi_model_torch)
    plant.function(run, lambda original: lambda *given, **options: original(*given, **options)[::-1])


@mutant(
    "GUARD-TRAIN-002",
    "a picture of the training data where none was asked for",
    "TRAIN-002:without_stitching_there_is_no_picture[not-asked]",
)
def the_run_always_draws(plant: Plant) -> None:
    def eager(original):
        def run(*given, **options):
            return original(*given, **{**options, "do_stitching": True})

        return run

    plant.function(workflow.run_cdi_example_torch, eager)


@mutant(
    "GUARD-TRAIN-010",
    "the folder that the user stands in fills with logs",
    "TRAIN-010:nothing_is_written_outside_the_output_folder",
)
def the_logger_has_no_directory(plant: Plant) -> None:
    plant.function(make_logger, lambda original: lambda name, folder: original(name, os.getcwd()))


@mutant("GUARD-TRAIN-013", "the trainer steps the optimiser", "TRAIN-013:the_module_steps_its_optimiser_itself")
def the_module_leaves_optimisation_to_the_trainer(plant: Plant) -> None:
    def always(original):
        return property(lambda self: True, lambda self, wanted: None)

    plant.method(PtychoLightningModule, "automatic_optimization", always)


@mutant(
    "GUARD-TRAIN-030",
    "a logger that is not there silently falls away",
    "TRAIN-030:an_unknown_logger_is_refused",
    "TRAIN-030:a_missing_logger_package_is_named",
)
def a_logger_falls_back_to_none(plant: Plant) -> None:
    def guarded(original):
        def make(name, folder):
            with contextlib.suppress(ValueError):
                return original(name, folder)

        return make

    known = domains.choice(*domains.LOGGERS, "carrier_pigeon", also=(None,))
    plant.constant(domains, "FIELDS", {**domains.FIELDS, "logger_backend": known})
    plant.function(make_logger, guarded)


@mutant(
    "GUARD-TRAIN-030b",
    "the metrics of the run before are written over, and of runs that asked for none",
    "TRAIN-030:no_logger_writes_no_log",
    "TRAIN-030:every_run_has_its_own_metrics_file",
)
def every_logger_is_the_csv_logger_of_version_0(plant: Plant) -> None:
    plant.function(make_logger, lambda _: lambda name, folder: CSVLogger(save_dir=folder, name="lightning_logs", version=0))


@mutant("GUARD-TRAIN-061", "the configured patch side is overruled without a word", "TRAIN-061:the_data_decide_the_patch_side")
def the_side_of_the_data_is_taken_silently(plant: Plant) -> None:
    def silent(original):
        def with_the_side_of(*given):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return original(*given)

        return with_the_side_of

    plant.function(trainer._with_the_side_of, silent)
