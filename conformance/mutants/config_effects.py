"""Defects of settings that have no effect: stored, written down, and read by nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from conformance.defects.changes import Change, function, instead, method, whole
from conformance.mutants import rows
from reference_impl.batch import container, fields, loaders
from reference_impl.data.load import subsampled
from reference_impl.grouping import generate_grouped_data
from reference_impl.inference import shards
from reference_impl.physics import diffraction
from reference_impl.training import PtychoLightningModule, schedulers, trainer

ACTS, RUNS, ARRIVES = (
    "CONFIG-071:a_setting_acts_or_is_refused",
    "EXEC-014:an_execution_setting_acts_or_is_refused",
    "BATCH-013:what_is_carried_arrives",
)
OTHERS = "CONFIG-077:a_setting_acts_at_its_other_values"
FAINT = "TRAIN-014:a_faint_slope_is_followed_by_the_formula"
UPDATES = "TRAIN-014:two_updates_are_those_of_the_formula"


def optimiser_without(**fixed: Any) -> Change:
    """The optimiser is made with these values, whatever the configuration says."""
    return function(
        schedulers.make_optimizer, lambda original, parameters, config: original(parameters, replace(config, **fixed))
    )


def schedule_without(**fixed: Any) -> Change:
    """The schedule is made with these values, whatever the configuration says."""
    return function(schedulers.make_scheduler, lambda original, optimizer, config: original(optimizer, replace(config, **fixed)))


def loader_without(**fixed: Any) -> Change:
    """Loaders are made with these settings of the execution, whatever it says."""

    def make(original, dataset, size, execution=None, **options):
        return original(dataset, size, execution and replace(execution, **fixed), **options)

    return function(loaders.make_loader, make)


def the_file_is_asked_before_the_override(original, data, config):
    return original(data, replace(config, nphotons_source=None) if hasattr(config, "nphotons_source") else config)


def the_accelerator_is_whatever_there_is(original):
    return lambda **settings: original(**{**settings, "accelerator": "cpu"})


def the_probe_of_a_training_is_ones(original, container, side, model):
    probe, factor = original(container, side, model)
    return probe * 0 + 1, factor


def the_betas_have_changed_places(original, parameters, config):
    return original(parameters, replace(config, adam_beta1=config.adam_beta2, adam_beta2=config.adam_beta1))


def adam_is_adamw(original, parameters, config):
    return original(parameters, replace(config, optimizer="adamw" if config.optimizer == "adam" else config.optimizer))


def momentum_looks_ahead(original, parameters, config):
    made = original(parameters, config)
    for group in made.param_groups:
        group.update({"nesterov": True} if "nesterov" in group else {})
    return made


def adam_adds(epsilon: float) -> Change:
    """Another number beside the root of Adam's second moment."""

    def made(original, parameters, config):
        found = original(parameters, config)
        for group in found.param_groups:
            group.update({"eps": epsilon} if "eps" in group else {})
        return found

    return function(schedulers.make_optimizer, made)


def the_optimiser_forgets(original, self):
    original(self)
    self.optimizers().optimizer.state.clear()


def bars_are_always_drawn(original, module, memory, run, **options):
    return original(module, memory, replace(run, execution=replace(run.execution, enable_progress_bar=True)), **options)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CONFIG-071", "a sweep over weight_decay is ten equal trainings", f"{ACTS}[training-weight_decay]",
    plant=optimiser_without(weight_decay=0.0))
mutant("GUARD-CONFIG-071b", "momentum is 0.9 whatever is asked for", f"{ACTS}[training-momentum]",
    plant=optimiser_without(momentum=0.9))
mutant("GUARD-CONFIG-071c", "Adam's betas are torch's defaults, whatever is asked for", f"{ACTS}[training-adam_beta1]",
    f"{ACTS}[training-adam_beta2]", plant=optimiser_without(adam_beta1=0.9, adam_beta2=0.999))
mutant("GUARD-CONFIG-071d", "n_subsample trains on every exposure", f"{ACTS}[training-n_subsample]",
    f"{ACTS}[inference-n_subsample]", plant=function(subsampled, lambda original, record, *rest: record))
mutant("GUARD-CONFIG-071e", "neighbor_pool_size draws from the usual neighbours", f"{ACTS}[training-neighbor_pool_size]",
    plant=function(generate_grouped_data,
        lambda original, *given, **options: original(*given, **{**options, "neighbor_pool_size": None})))
mutant("GUARD-CONFIG-071f", "a plateau always waits for two epochs", f"{ACTS}[training-plateau_patience]",
    plant=schedule_without(plateau_patience=2))
mutant("GUARD-CONFIG-077", "a blur of less than half a pixel is none", f"{OTHERS}[model-gaussian_smoothing_sigma=0.25]",
    plant=function(diffraction.smooth, lambda original, wave, sigma: original(wave, 0.0 if sigma < 0.5 else sigma)))
mutant("GUARD-CONFIG-077b", "no learning rate is taken below 1e-3", f"{OTHERS}[execution-learning_rate=1e-06]",
    plant=function(schedulers.make_optimizer, lambda original, parameters, config: original(
        parameters, replace(config, learning_rate=max(config.learning_rate, 1e-3)))))
mutant("GUARD-CONFIG-077c", "the floor of a schedule is a tenth, or more", f"{OTHERS}[training-lr_min_ratio=0.0]",
    plant=function(schedulers.make_scheduler, lambda original, optimizer, config: original(
        optimizer, replace(config, lr_min_ratio=max(config.lr_min_ratio, 0.1)))))
mutant("GUARD-TRAIN-014", "Adam's two betas have changed places", f"{UPDATES}[adam]", f"{UPDATES}[adamw]",
    plant=function(schedulers.make_optimizer, the_betas_have_changed_places))
mutant("GUARD-TRAIN-014b", "Adam decays its weights as AdamW does", f"{UPDATES}[adam]",
    plant=function(schedulers.make_optimizer, adam_is_adamw))
mutant("GUARD-TRAIN-014c", "momentum looks ahead, as Nesterov's does", f"{UPDATES}[sgd]",
    plant=function(schedulers.make_optimizer, momentum_looks_ahead))
mutant("GUARD-TRAIN-014d", "Adam adds 1e-7, as another library does", FAINT, plant=adam_adds(1e-7))
mutant("GUARD-TRAIN-014e", "Adam adds next to nothing", FAINT, plant=adam_adds(1e-12))
mutant("GUARD-TRAIN-014f", "an optimiser forgets at the end of an epoch", f"{UPDATES}[sgd]", f"{UPDATES}[adam]",
    plant=method(PtychoLightningModule, "on_train_epoch_end", the_optimiser_forgets))
mutant("GUARD-EXEC-014", "an accelerator that is absent is the CPU, without a word", f"{RUNS}[execution-accelerator]",
    plant=whole(trainer.Trainer, the_accelerator_is_whatever_there_is))
mutant("GUARD-EXEC-014d", "inference runs on the CPU where the accelerator that was asked for is absent",
    "EXEC-014:an_absent_accelerator_is_refused_by_inference",
    plant=function(shards.devices_of, instead(lambda execution: [torch.device("cpu")])))
mutant("GUARD-EXEC-014e", "bars are drawn whether or not they were asked for", f"{RUNS}[execution-enable_progress_bar]",
    plant=function(trainer._make_trainer, bars_are_always_drawn))
mutant("GUARD-EXEC-014b", "workers that were asked for are never started", f"{RUNS}[execution-num_workers]",
    plant=loader_without(num_workers=0))
mutant("GUARD-EXEC-014c", "workers die with every epoch", f"{RUNS}[execution-persistent_workers]",
    plant=loader_without(persistent_workers=False))
mutant("GUARD-BATCH-012e", "--nphotons has no effect on a file that states its photons",
    "BATCH-012:an_override_of_the_photons_stands_above_the_metadata",
    "BATCH-012:an_override_of_a_training_stands_above_the_metadata",
    plant=function(container.photons_of, the_file_is_asked_before_the_override))
mutant("GUARD-BATCH-013", "the network is trained through a flat probe, whatever the record holds",
    f"{ARRIVES}[record-probeGuess]", f"{ARRIVES}[container-probe]", plant=function(fields.probe, the_probe_of_a_training_is_ones))
