"""Defects of the way from a command's flags to its execution configuration."""

from __future__ import annotations

import warnings
from argparse import Namespace
from dataclasses import replace

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl import execution


@mutant("GUARD-EXEC-010", "--device cuda is reported and runs on the CPU", "EXEC-010:a_device_alone_is_deprecated_and_obeyed")
def the_device_is_warned_of_and_dropped(plant: Plant) -> None:
    def dropping(original):
        def resolve(accelerator="auto", device=None):
            original(accelerator, device)
            return original(accelerator)

        return resolve

    plant.function(execution.resolve_accelerator, dropping)


@mutant(
    "GUARD-EXEC-010b",
    "--accelerator loses against the flag it replaces",
    "EXEC-010:beside_an_accelerator_a_device_is_ignored_aloud",
)
def the_older_flag_is_applied_last(plant: Plant) -> None:
    def older_last(original):
        return lambda accelerator="auto", device=None: (
            original(accelerator, device) if device is None else original("auto", device)
        )

    plant.function(execution.resolve_accelerator, older_last)


@mutant(
    "GUARD-EXEC-010c",
    "every command without --device calls it deprecated",
    "EXEC-010:without_both_flags_the_accelerator_is_detected",
)
def the_device_has_a_default(plant: Plant) -> None:
    def default(original):
        return lambda accelerator="auto", device="cpu": original(accelerator, device)

    plant.function(execution.resolve_accelerator, default)


@mutant(
    "GUARD-EXEC-011", "the metric that ranks checkpoints cannot be chosen", "EXEC-011:flags_arrive_in_the_execution_configuration"
)
def a_flag_of_another_name_is_dropped(plant: Plant) -> None:
    plant.constant(execution, "_FLAGS", {name: field for name, field in execution._FLAGS.items() if "monitor" not in name})


@mutant("GUARD-EXEC-011b", "the batch size of an inference has no effect", "EXEC-011:flags_of_inference_arrive")
def the_two_translations_drifted_apart(plant: Plant) -> None:
    def trained(original):
        return lambda args, mode: replace(original(args, mode), inference_batch_size=None)

    plant.function(execution.build_execution_config_from_args, trained)


@mutant("GUARD-EXEC-011c", "a misspelt mode is taken for inference", "EXEC-011:an_unknown_mode_is_refused")
def any_other_mode_is_inference(plant: Plant) -> None:
    def falling(original):
        return lambda args, mode: original(args, mode if mode == "training" else "inference")

    plant.function(execution.build_execution_config_from_args, falling)


@mutant("GUARD-EXEC-011d", "a batch job without MLflow draws bars", "EXEC-011:the_progress_bar_is_on_unless_it_is_silenced")
def the_bar_follows_one_of_two_flags(plant: Plant) -> None:
    def quiet_alone(original):
        return lambda args, mode: replace(original(args, mode), enable_progress_bar=not vars(args).get("quiet"))

    plant.function(execution.build_execution_config_from_args, quiet_alone)


@mutant(
    "GUARD-EXEC-011e",
    "a script that switched MLflow off logs, and is told nothing",
    "EXEC-011:switching_mlflow_off_is_deprecated_and_means_no_logger",
)
def disable_mlflow_is_accepted_and_ignored(plant: Plant) -> None:
    def deaf(original):
        return lambda args, mode: original(Namespace(**{**vars(args), "disable_mlflow": False}), mode)

    plant.function(execution.build_execution_config_from_args, deaf)


@mutant("GUARD-EXEC-011f", "--logger none writes a table", "EXEC-011:the_logger_none_means_no_logger")
def the_logger_none_is_the_default_one(plant: Plant) -> None:
    def default(original):
        def build(args, mode):
            built = original(args, mode)
            return replace(built, logger_backend="csv") if vars(args).get("logger") == "none" else built

        return build

    plant.function(execution.build_execution_config_from_args, default)


@mutant(
    "GUARD-EXEC-011g",
    "an inference with workers is called slow",
    "EXEC-011:deterministic_training_with_workers_is_said_to_be_slow",
    "EXEC-011:flags_of_inference_arrive",
)
def the_warning_looks_at_the_workers_alone(plant: Plant) -> None:
    def workers_alone(original):
        def build(args, mode):
            if args.num_workers > 0:
                warnings.warn("workers: expect a performance degradation", UserWarning, stacklevel=2)
            return original(args, mode)

        return build

    plant.function(execution.build_execution_config_from_args, workers_alone)


@mutant(
    "GUARD-EXEC-012",
    "a wrong path is found after the minute that it takes to import torch",
    "EXEC-012:a_missing_file_is_named",
    "EXEC-012:files_may_be_left_out_and_the_folder_is_made",
)
def paths_are_left_to_their_readers(plant: Plant) -> None:
    plant.function(execution.validate_paths, lambda original: lambda train_file, test_file, output_dir: None)
