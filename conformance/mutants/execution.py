"""Defects of the execution configuration, and of what training does with it."""

from __future__ import annotations

from dataclasses import replace

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import execution
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import overrides, trainer


@mutant(
    "GUARD-EXEC-001",
    "training stops ten epochs after the best one",
    "EXEC-001:settings_have_the_names_and_defaults_of_the_contract",
)
def a_default_comes_from_an_older_release(plant: Plant) -> None:
    def older(init):
        return lambda self, *stated, **settings: init(self, *stated, **{"early_stop_patience": 10, **settings})

    plant.method(PyTorchExecutionConfig, "__init__", older)


@mutant("GUARD-EXEC-001b", "workers are started anew for every epoch", "EXEC-001:every_setting_takes_the_value_it_is_given")
def construction_overwrites_a_setting(plant: Plant) -> None:
    def overwriting(original):
        def check(self):
            original(self)
            object.__setattr__(self, "persistent_workers", False)

        return check

    plant.method(PyTorchExecutionConfig, "__post_init__", overwriting)


@mutant("GUARD-EXEC-001c", "all checkpoints (-1) cannot be asked for", "EXEC-001:the_ends_of_the_ranges_are_accepted")
def a_range_is_compared_strictly(plant: Plant) -> None:
    def strict(original):
        def check(self):
            original(self)
            if self.checkpoint_save_top_k < 0:
                raise ValueError(f"checkpoint_save_top_k: expected 0 or more, found {self.checkpoint_save_top_k}")

        return check

    plant.method(PyTorchExecutionConfig, "__post_init__", strict)


@mutant(
    "GUARD-EXEC-006",
    "a negative learning rate is found by the optimiser",
    "EXEC-001:values_out_of_range_are_refused_at_construction",
)
def ranges_are_left_to_the_command_line(plant: Plant) -> None:
    plant.function(execution.check_fields, lambda original: lambda config: None)


@mutant(
    "GUARD-EXEC-002",
    "whoever asks for the CPU is told that there is no CUDA, whoever asks for CUDA gets the CPU",
    "EXEC-002:an_explicit_accelerator_is_neither_changed_nor_warned_of",
)
def detection_runs_whatever_was_asked(plant: Plant) -> None:
    def detecting(original):
        def check(self):
            original(self)
            object.__setattr__(self, "accelerator", execution.detect_accelerator())

        return check

    plant.method(PyTorchExecutionConfig, "__post_init__", detecting)


@mutant(
    "GUARD-EXEC-002b",
    "a run on the CPU by mistake says nothing",
    "EXEC-002:auto_resolves_at_construction_and_warns_exactly_on_the_cpu",
    "EXEC-010:without_both_flags_the_accelerator_is_detected",
)
def the_cpu_is_taken_in_silence(plant: Plant) -> None:
    plant.function(execution.detect_accelerator, lambda original: lambda stacklevel=2: "cpu")


@mutant(
    "GUARD-EXEC-002c",
    "nobody knows from the configuration where a run ran",
    "EXEC-002:auto_resolves_at_construction_and_warns_exactly_on_the_cpu",
)
def the_accelerator_is_left_to_the_trainer(plant: Plant) -> None:
    plant.function(execution.detect_accelerator, lambda original: lambda stacklevel=2: "auto")


@mutant(
    "DEF-137",
    "the strategy of the execution configuration is ignored",
    "EXEC-003:an_unknown_strategy_of_the_execution_is_refused",
)
def the_strategy_is_read_from_another_configuration(plant: Plant) -> None:
    def elsewhere(original):
        def make(module, memory, run, validates):
            return original(module, memory, replace(run, execution=replace(run.execution, strategy="auto")), validates)

        return make

    plant.function(trainer._make_trainer, elsewhere)


@mutant(
    "DEF-134",
    "gradients are gathered by the trainer around a step that optimises by itself",
    "EXEC-004:accumulation_by_the_trainer_is_refused_before_the_first_step",
)
def accumulation_by_the_trainer_is_accepted(plant: Plant) -> None:
    plant.function(overrides._refuse_trainer_accumulation, lambda original: lambda execution, settings: None)


@mutant("DEF-142", "training with clipping ends in a misconfiguration of the trainer", "EXEC-004:training_with_clipping_runs")
def the_clip_value_is_handed_to_the_trainer(plant: Plant) -> None:
    def clipping(original):
        def make(module, memory, run, validates):
            made = original(module, memory, run, validates)
            made.gradient_clip_val = run.execution.gradient_clip_val
            return made

        return make

    plant.function(trainer._make_trainer, clipping)
