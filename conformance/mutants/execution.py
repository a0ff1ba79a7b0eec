"""Defects of the execution configuration and of the flags that fill it."""

from __future__ import annotations

import sys
import warnings
from argparse import Namespace
from dataclasses import replace

from conformance.defects.changes import constant, function, instead, method, result
from conformance.mutants import rows
from reference_impl import execution
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.training import overrides, trainer


def construction_overwrites_a_setting(original, self):
    original(self)
    object.__setattr__(self, "persistent_workers", False)


def a_range_is_compared_strictly(original, self):
    original(self)
    if self.checkpoint_save_top_k < 0:
        raise ValueError(f"checkpoint_save_top_k: expected 0 or more, found {self.checkpoint_save_top_k}")


def texts_are_compared_by_identity(original, self):
    if self.accelerator != "auto" or self.accelerator is sys.intern("auto"):
        original(self)


def detection_runs_whatever_was_asked(original, self):
    original(self)
    object.__setattr__(self, "accelerator", execution.detect_accelerator())


def the_strategy_is_read_from_another_configuration(original, module, memory, run, validates):
    return original(module, memory, replace(run, execution=replace(run.execution, strategy="auto")), validates)


def the_clip_value_is_handed_to_the_trainer(original, module, memory, run, validates):
    made = original(module, memory, run, validates)
    made.gradient_clip_val = run.execution.gradient_clip_val
    return made


def the_device_is_warned_of_and_dropped(original, accelerator="auto", device=None):
    original(accelerator, device)
    return original(accelerator)


def the_logger_none_is_the_default_one(original, args, mode):
    built = original(args, mode)
    return replace(built, logger_backend="csv") if vars(args).get("logger") == "none" else built


def the_warning_looks_at_the_workers_alone(original, args, mode):
    if args.num_workers > 0:
        warnings.warn("workers: expect a performance degradation", UserWarning, stacklevel=2)
    return original(args, mode)


def the_folder_is_made_first(original, train_file, test_file, output_dir):
    original(None, None, output_dir)
    original(train_file, test_file, output_dir)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The execution configuration, and what training does with it.
mutant("GUARD-EXEC-001", "training stops ten epochs after the best one",
    "EXEC-001:settings_have_the_names_and_defaults_of_the_contract",
    plant=method(PyTorchExecutionConfig, "__init__",
        lambda original, self, *stated, **settings: original(self, *stated, **{"early_stop_patience": 10, **settings})))
mutant("GUARD-EXEC-001b", "workers are started anew for every epoch", "EXEC-001:every_setting_takes_the_value_it_is_given",
    plant=method(PyTorchExecutionConfig, "__post_init__", construction_overwrites_a_setting))
mutant("GUARD-EXEC-001c", "all checkpoints (-1) cannot be asked for", "EXEC-001:the_ends_of_the_ranges_are_accepted",
    plant=method(PyTorchExecutionConfig, "__post_init__", a_range_is_compared_strictly))
mutant("GUARD-EXEC-006", "a negative learning rate is found by the optimiser",
    "EXEC-001:values_out_of_range_are_refused_at_construction",
    plant=function(execution.check_fields, instead(lambda config: None)))
mutant("GUARD-EXEC-002", "whoever asks for the CPU is told that there is no CUDA, whoever asks for CUDA gets the CPU",
    "EXEC-002:an_explicit_accelerator_is_neither_changed_nor_warned_of",
    plant=method(PyTorchExecutionConfig, "__post_init__", detection_runs_whatever_was_asked))
mutant("GUARD-EXEC-002d", "an accelerator that was read is compared by identity",
    "EXEC-002:auto_resolves_at_construction_and_warns_exactly_on_the_cpu",
    plant=method(PyTorchExecutionConfig, "__post_init__", texts_are_compared_by_identity))
mutant("GUARD-EXEC-002b", "a run on the CPU by mistake says nothing",
    "EXEC-002:auto_resolves_at_construction_and_warns_exactly_on_the_cpu",
    "EXEC-010:without_both_flags_the_accelerator_is_detected",
    plant=function(execution.detect_accelerator, instead(lambda stacklevel=2: "cpu")))
mutant("GUARD-EXEC-002c", "nobody knows from the configuration where a run ran",
    "EXEC-002:auto_resolves_at_construction_and_warns_exactly_on_the_cpu",
    plant=function(execution.detect_accelerator, instead(lambda stacklevel=2: "auto")))
mutant("DEF-137", "the strategy of the execution configuration is ignored",
    "EXEC-003:an_unknown_strategy_of_the_execution_is_refused",
    plant=function(trainer._make_trainer, the_strategy_is_read_from_another_configuration))
mutant("DEF-134", "gradients are gathered by the trainer around a step that optimises by itself",
    "EXEC-004:accumulation_by_the_trainer_is_refused_before_the_first_step",
    plant=function(overrides._refuse_trainer_accumulation, instead(lambda execution, settings: None)))
mutant("DEF-142", "training with clipping ends in a misconfiguration of the trainer", "EXEC-004:training_with_clipping_runs",
    plant=function(trainer._make_trainer, the_clip_value_is_handed_to_the_trainer))

# The way from a command's flags to its execution configuration.
mutant("GUARD-EXEC-010", "--device cuda is reported and runs on the CPU", "EXEC-010:a_device_alone_is_deprecated_and_obeyed",
    plant=function(execution.resolve_accelerator, the_device_is_warned_of_and_dropped))
mutant("GUARD-EXEC-010b", "--accelerator loses against the flag it replaces",
    "EXEC-010:beside_an_accelerator_a_device_is_ignored_aloud",
    plant=function(execution.resolve_accelerator,
        lambda original, accelerator="auto", device=None: original(accelerator, device) if device is None
        else original("auto", device)))
mutant("GUARD-EXEC-010c", "every command without --device calls it deprecated",
    "EXEC-010:without_both_flags_the_accelerator_is_detected",
    plant=function(execution.resolve_accelerator,
        lambda original, accelerator="auto", device="cpu": original(accelerator, device)))
mutant("GUARD-EXEC-011", "the metric that ranks checkpoints cannot be chosen",
    "EXEC-011:flags_arrive_in_the_execution_configuration",
    plant=constant(execution, "_FLAGS", {name: field for name, field in execution._FLAGS.items() if "monitor" not in name}))
mutant("GUARD-EXEC-011b", "the batch size of an inference has no effect", "EXEC-011:flags_of_inference_arrive",
    plant=function(execution.build_execution_config_from_args, result(lambda found: replace(found, inference_batch_size=None))))
mutant("GUARD-EXEC-011c", "a misspelt mode is taken for inference", "EXEC-011:an_unknown_mode_is_refused",
    plant=function(execution.build_execution_config_from_args,
        lambda original, args, mode: original(args, mode if mode == "training" else "inference")))
mutant("GUARD-EXEC-011d", "a batch job without MLflow draws bars", "EXEC-011:the_progress_bar_is_on_unless_it_is_silenced",
    plant=function(execution.build_execution_config_from_args,
        lambda original, args, mode: replace(original(args, mode), enable_progress_bar=not vars(args).get("quiet"))))
mutant("GUARD-EXEC-011e", "a script that switched MLflow off logs, and is told nothing",
    "EXEC-011:switching_mlflow_off_is_deprecated_and_means_no_logger",
    plant=function(execution.build_execution_config_from_args,
        lambda original, args, mode: original(Namespace(**{**vars(args), "disable_mlflow": False}), mode)))
mutant("GUARD-EXEC-011f", "--logger none writes a table", "EXEC-011:the_logger_none_means_no_logger",
    plant=function(execution.build_execution_config_from_args, the_logger_none_is_the_default_one))
mutant("GUARD-EXEC-011g", "an inference with workers is called slow",
    "EXEC-011:deterministic_training_with_workers_is_said_to_be_slow", "EXEC-011:flags_of_inference_arrive",
    plant=function(execution.build_execution_config_from_args, the_warning_looks_at_the_workers_alone))
mutant("GUARD-EXEC-012", "a wrong path is found after the minute that it takes to import torch",
    "EXEC-012:a_missing_file_is_named", "EXEC-012:files_may_be_left_out_and_the_folder_is_made",
    plant=function(execution.validate_paths, instead(lambda train_file, test_file, output_dir: None)))
mutant("GUARD-EXEC-012c", "a call with a wrong path leaves a folder", "EXEC-012:nothing_is_made_where_a_file_is_missing[train]",
    "EXEC-012:nothing_is_made_where_a_file_is_missing[test]", plant=function(execution.validate_paths, the_folder_is_made_first))
