"""Freedoms of training: what else the results hold, how losses are logged, names of checkpoints, initial weights, rounding."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from conformance.defects.changes import constant, function, instead, method, result
from conformance.twins import rows
from reference_impl.training import PtychoLightningModule, checkpoints, schedulers, train_cdi_model_torch
from reference_impl.training.checkpoints import checkpoint_callbacks
from reference_impl.training.loggers import make_logger
from reference_impl.training.resume import digest_of


def results_hold_further_keys(original, *given, **options):
    results = original(*given, **options)
    return MappingProxyType({"host": "here", **results, "history": {**results["history"], "seconds": [0.1]}})


def trainings_talk(original, *given, **options):
    print("a training begins")
    results = original(*given, **options)
    return {**results, "intensity_scale": np.float64(results["intensity_scale"])}


def versions_begin_at_nine(original, name, output_dir):
    made = original(name, output_dir)
    if name == "csv":
        known = [int(path.name.removeprefix("version_")) for path in output_dir.glob("lightning_logs/version_*")]
        made._version = max([8, *known]) + 1
    return made


def checkpoints_have_second_names(original, self, checkpoint, path, storage_options=None):
    original(self, checkpoint, path, storage_options)
    path = Path(path)
    if path.name == "last.ckpt":
        (path.parent / ".kept").mkdir(exist_ok=True)
        path.rename(path.parent / ".kept" / path.name)
        path.symlink_to(Path(".kept", path.name))
    else:
        (best := path.parent / "best.ckpt").unlink(missing_ok=True)
        best.symlink_to(path.name)


def losses_are_logged_at_every_step_too(self, name, loss, batch):
    self.log(name, loss.detach(), on_step=True, on_epoch=True, batch_size=len(batch[0]["images"]))


def checkpoints_are_named_otherwise(original, *given):
    found = original(*given)
    found[0].filename = "ptycho-{epoch:05d}-of-many"
    return found


def weights_begin_otherwise(original, cls, *given, **named):
    torch.manual_seed(torch.initial_seed() + 17)
    return original(cls, *given, **named)


def adam_rounds_otherwise(original, parameters, config):
    optimizer = original(parameters, config)
    optimizer.param_groups[0] |= {"foreach": False}
    return optimizer


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-RICHER-RESULTS", "the results are a read-only mapping with further keys", files=("test_training",),
    plant=function(train_cdi_model_torch, results_hold_further_keys))
twin("TWIN-TALKING", "a training says what it does, with a bar or without, and its scale is a number of NumPy's",
    "EXEC-014:an_execution_setting_acts_or_is_refused[execution-enable_progress_bar]", files=("test_training",),
    plant=function(train_cdi_model_torch, trainings_talk))
twin("TWIN-LATER-VERSIONS", "logs are numbered from nine", "TRAIN-030:every_run_has_its_own_metrics_file",
    "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]", "CLI-010:train_save_load_infer[g1]", files=("test_training",),
    plant=function(make_logger, versions_begin_at_nine))
twin("TWIN-LAST-IS-A-LINK", "last.ckpt is a link to where checkpoints are kept, and the best one has a second name",
    "TRAIN-020:the_last_checkpoint_is_kept", "TRAIN-020:as_many_checkpoints_are_kept_as_asked",
    "TRAIN-065:a_resumed_run_is_the_uninterrupted_one[adam-exponential]", files=("test_training_checkpoints",),
    plant=method(checkpoints.AtomicCheckpointIO, "save_checkpoint", checkpoints_have_second_names))
twin("TWIN-STEPWISE-LOSSES", "losses are logged at every step as well, in a column of their own",
    "TRAIN-004:history_has_one_loss_an_epoch[2-epochs]", "TRAIN-040:the_plateau_follows_the_losses[patience]",
    "TRAIN-080:an_epoch_has_the_steps_of_the_whole[one]", files=("test_training",),
    plant=method(PtychoLightningModule, "_record", instead(losses_are_logged_at_every_step_too)))
twin("TWIN-CHECKPOINT-NAMES", "checkpoints are named otherwise", "TRAIN-020:as_many_checkpoints_are_kept_as_asked[two]",
    files=("test_training_checkpoints",),
    plant=function(checkpoint_callbacks, checkpoints_are_named_otherwise))
twin("TWIN-OTHER-INITIAL-WEIGHTS", "the initial weights are drawn from another stream",
    "TRAIN-044:leftover_batches_make_an_update_of_their_own", "TRAIN-044:nothing_of_the_tail_reaches_the_next_epoch",
    "TRAIN-044:the_gradient_is_clipped[norm]", "TRAIN-020:the_ranking_follows_the_validation",
    "TRAIN-042:the_plateau_follows_the_validation", files=("test_training_schedules",),
    plant=method(PtychoLightningModule, "from_config", weights_begin_otherwise))
twin("TWIN-ADAM-IN-A-LOOP", "the optimiser works weight by weight",
    "TRAIN-011:runs_of_one_seed_are_bit_identical[seed-42]", "TRAIN-043:another_rate_trains_other_weights",
    "TRAIN-014:two_updates_are_those_of_the_formula", files=("test_training_schedules", "test_config_effects"),
    plant=function(schedulers.make_optimizer, adam_rounds_otherwise))
twin("TWIN-OTHER-DIGEST", "training data are known by another digest",
    "TRAIN-065:a_resumed_run_is_the_uninterrupted_one[adam-exponential]", "TRAIN-066:other_training_data_are_refused",
    files=("test_training_resume",),
    plant=function(digest_of, result(lambda found: f"v2:{found[::-1]}")))
twin("TWIN-CHECKPOINTS-WITHOUT-DIGEST", "checkpoints have the checksums of their members and no digest of the whole",
    "TRAIN-062:changed_bytes_of_a_checkpoint_load_what_was_saved_or_nothing", files=("test_training_checkpoints",),
    plant=constant(checkpoints, "seal", lambda stream: None))
