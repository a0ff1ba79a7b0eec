"""Defects of what a training keeps: of its checkpoints and its log under settings that meet, and of what was handed to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.optim.lr_scheduler import ReduceLROnPlateau

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.training import checkpoints, schedulers, train_cdi_model_torch
from reference_impl.training.overrides import settle

KEPT = "TRAIN-020:as_many_checkpoints_are_kept_as_asked"
STOPS = "TRAIN-020:training_stops_where_validation_no_longer_improves"
BOTH = "TRAIN-020:training_stops_early_only_with_both"
LEFT = "TRAIN-005:a_training_leaves_what_it_is_given"
THERE = "TRAIN-006:a_checkpoint_that_is_not_there_is_refused"


def without_ranked_there_is_no_last(original: Any, folder: Any, monitor: Any, validates: Any, execution: Any) -> list[Any]:
    found = original(folder, monitor, validates, execution)
    return found if execution.checkpoint_save_top_k else found[2:]


def without_ranked_nothing_stops(original: Any, folder: Any, monitor: Any, validates: Any, execution: Any) -> list[Any]:
    return original(folder, monitor, validates and execution.checkpoint_save_top_k != 0, execution)


def all_are_one_without_validation(original: Any, folder: Any, monitor: Any, validates: Any, execution: Any) -> list[Any]:
    few = execution if validates else replace(execution, checkpoint_save_top_k=1)
    return original(folder, monitor, validates, few)


def the_newest_are_the_best(original: Any, folder: Any, monitor: Any, validates: Any, execution: Any) -> list[Any]:
    found = original(folder, monitor, validates, execution)
    top = execution.checkpoint_save_top_k
    newest = {"monitor": "epoch", "mode": "max", "save_top_k": top, "save_on_train_epoch_end": True}
    return [ModelCheckpoint(dirpath=folder, filename="{epoch:02d}", **newest), *found[1:]] if top > 1 else found


def the_last_is_kept_where_training_goes_on(callbacks: list[Any]) -> list[Any]:
    """Early stopping is asked first."""
    ranked, last, *stopping = callbacks
    keep = last.on_train_epoch_end
    last.on_train_epoch_end = lambda run, module: None if run.should_stop else keep(run, module)
    return [*stopping, ranked, last]


def bad_epochs_need_not_be_in_a_row(original: Any, self: Any, current: Any) -> Any:
    before = self.wait_count
    found = original(self, current)
    self.wait_count = max(self.wait_count, before)
    return found


def the_version_is_a_number_of_folders(original: Any, self: Any) -> int:
    root = Path(self.root_dir)
    return len(list(root.glob("version_*"))) if root.is_dir() else original(self)


def a_longer_patience_is_one_shorter(original: Any, *given: Any) -> Any:
    made = original(*given)
    if isinstance(made, ReduceLROnPlateau) and made.patience > 1:
        made.patience -= 1
    return made


def the_rate_is_written_into_what_was_given(original: Any, config: Any, execution: Any, overrides: Any) -> Any:
    if "learning_rate" in (overrides or {}):
        object.__setattr__(execution, "learning_rate", overrides["learning_rate"])
    return original(config, execution, overrides)


def the_side_is_written_into_what_was_given(original: Any, train: Any, test: Any, config: Any, *given: Any, **named: Any) -> Any:
    found = original(train, test, config, *given, **named)
    side = found["models"]["diffraction_to_obj"].data_config.N
    object.__setattr__(config, "model", replace(config.model, N=side))
    return found


def another_checkpoint_is_found(original: Any, config: Any, execution: Any, overrides: Any) -> Any:
    last = Path(config.output_dir) / "checkpoints" / "last.ckpt"
    asked = (overrides or {}).get("resume_from")
    found = {"resume_from": last} if asked and not Path(asked).is_file() and last.is_file() else {}
    return original(config, execution, {**(overrides or {}), **found})


def none_is_not_looked_at(original: Any, config: Any, execution: Any, overrides: Any) -> Any:
    return original(config, execution, {name: value for name, value in (overrides or {}).items() if value is not None})


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-TRAIN-005d", "the rate of a call stays in the execution configuration that was given", f"{LEFT}[accumulating]",
    plant=function(settle, the_rate_is_written_into_what_was_given))
mutant("GUARD-TRAIN-005e", "the side of the data is written into the configuration that was given",
    "TRAIN-061:the_data_decide_the_patch_side",
    clauses=("TRAIN-005",), plant=function(train_cdi_model_torch, the_side_is_written_into_what_was_given))
mutant("GUARD-TRAIN-006c", "in the place of a checkpoint that is not there a training goes on from the folder's own",
    f"{THERE}[file]", f"{THERE}[a-folder]", plant=function(settle, another_checkpoint_is_found))
mutant("GUARD-TRAIN-006d", "an override of None is not looked at, whatever its name",
    "TRAIN-006:a_setting_that_is_not_known_is_refused[resume]", plant=function(settle, none_is_not_looked_at))
mutant("GUARD-TRAIN-020l", "who keeps no ranked checkpoint has no last one", f"{KEPT}[none]",
    plant=function(checkpoints.checkpoint_callbacks, without_ranked_there_is_no_last))
mutant("GUARD-TRAIN-020m", "who keeps no ranked checkpoint never stops early", f"{STOPS}[2]",
    plant=function(checkpoints.checkpoint_callbacks, without_ranked_nothing_stops))
mutant("GUARD-TRAIN-020n", "without test data one checkpoint stands for all", f"{BOTH}[no-test-data]",
    plant=function(checkpoints.checkpoint_callbacks, all_are_one_without_validation))
mutant("GUARD-TRAIN-020o", "of several checkpoints the newest are kept, not the best", f"{KEPT}[two]",
    plant=function(checkpoints.checkpoint_callbacks, the_newest_are_the_best))
mutant("GUARD-TRAIN-020p", "epochs without improvement count although they are not in a row",
    "TRAIN-021:another_logged_metric_is_honoured[min]", clauses=("TRAIN-020",),
    plant=method(EarlyStopping, "_evaluate_stopping_criteria", bad_epochs_need_not_be_in_a_row))
mutant("GUARD-TRAIN-030c", "a log has the number of those that are there", "TRAIN-030:every_run_has_its_own_metrics_file",
    plant=method(CSVLogger, "_get_next_version", the_version_is_a_number_of_folders))
mutant("GUARD-TRAIN-040f", "a patience of two epochs or more is one epoch shorter",
    "TRAIN-040:the_plateau_follows_the_losses[no-test-data]",
    plant=function(schedulers.make_scheduler, a_longer_patience_is_one_shorter))
mutant("GUARD-TRAIN-060e", "the epoch in which a training ends early is in no checkpoint",
    "TRAIN-020:early_stopping_follows_the_validation",
    clauses=("TRAIN-060",), plant=function(checkpoints.checkpoint_callbacks, lambda original, *given:
        the_last_is_kept_where_training_goes_on(found) if len(found := original(*given)) > 2 else found))
