"""Defects of going on from a checkpoint."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch

from conformance.defects.changes import function, instead, method
from conformance.mutants import rows
from reference_impl.training import AtomicCheckpointIO, resume
from reference_impl.training.checkpoints import Order
from reference_impl.training.resume import SECTIONS, changed_settings, digest_of

RESUMED = "TRAIN-065:a_resumed_run_is_the_uninterrupted_one"
MASKED = "TRAIN-066:under_another_mask_patterns_are_other_data"
STATES = "TRAIN-073:a_checkpoint_states_what_was_trained_with"
LACKING = "TRAIN-069:a_checkpoint_that_lacks_a_part_is_not_resumed"
CONTRADICTED = "TRAIN-066:another_setting_than_the_checkpoints_is_refused"


def forgetting(part: str, **fresh: Any) -> Any:
    """A writer that keeps a part of the checkpoint as if it had just been made."""

    def save(original, self, checkpoint, path, **options):
        states = [{**state, **{name: fresh[name] for name in fresh if name in state}} for state in checkpoint[part]]
        original(self, {**checkpoint, part: states}, path, **options)

    return method(AtomicCheckpointIO, "save_checkpoint", save)


def a_finished_run_goes_on(original, path, now, accepted):
    return original(path, replace(now, settings={**now.settings, "nepochs": 10**6}), accepted)


def what_was_zero_is_not_compared(original, path, now, accepted):
    then = resume._flat(resume._read(path)["hyper_parameters"])
    return original(path, replace(now, settings={k: v for k, v in now.settings.items() if then.get(k, True)}), accepted)


def a_checkpoint_is_unpickled(self, path, *_, **__):
    return torch.load(path, map_location="cpu", weights_only=False)


def what_is_missing_is_taken_for_granted(original, path):
    """As a reader that asks each part with a default."""
    found = torch.load(path, map_location="cpu", weights_only=True)
    hyper = found.get("hyper_parameters") or {section: {} for section in SECTIONS}
    return {**found, "hyper_parameters": hyper, "epoch": found.get("epoch", 0)}


def stating(section: str, **values: Any) -> Any:
    """A writer whose checkpoints state other values of a section of their hyper-parameters; None leaves a value out."""

    def save(original, self, checkpoint, path, **options):
        hyper = checkpoint["hyper_parameters"]
        own = {name: values.get(name, value) for name, value in hyper[section].items() if values.get(name, value) is not None}
        original(self, {**checkpoint, "hyper_parameters": {**hyper, section: own}}, path, **options)

    return method(AtomicCheckpointIO, "save_checkpoint", save)


def masks_are_no_data(original, container):
    seen = copy.copy(container)
    if getattr(seen, "mask", None) is not None:
        object.__setattr__(seen, "mask", None)
    return original(seen)


def patterns_alone_are_data(original, container):
    return original(SimpleNamespace(X=getattr(container, "X", getattr(container, "diff3d", None))))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-TRAIN-065", "a resumed Adam has forgotten its moments", f"{RESUMED}[adam-exponential]",
    plant=forgetting("optimizer_states", state={}))
mutant("GUARD-TRAIN-065b", "a resumed run meets its data in the order of the first epoch", f"{RESUMED}[adam-exponential]",
    plant=method(Order, "load_state_dict", instead(lambda self, state: None)))
mutant("GUARD-TRAIN-065c", "a resumed schedule begins anew", f"{RESUMED}[adam-exponential]", f"{RESUMED}[plateau]",
    plant=forgetting("lr_schedulers", last_epoch=0, best=float("inf"), num_bad_epochs=0))
mutant("GUARD-TRAIN-066", "a resumed run ignores flags and states them in its bundle",
    *(f"{CONTRADICTED}[{case}]" for case in ("rate", "scheduler", "seed", "batch-size", "activation", "probe-scale", "groups")),
    "TRAIN-066:other_training_data_are_refused",
    plant=function(changed_settings, instead(lambda path, now, accepted: [])))
mutant("GUARD-TRAIN-066b", "a run goes on with other data, without a word", "TRAIN-066:other_training_data_are_refused",
    plant=function(digest_of, instead(lambda container: "data")))
mutant("GUARD-TRAIN-066c", "a finished run is resumed for no epochs, and succeeds", f"{CONTRADICTED}[finished]",
    plant=function(changed_settings, a_finished_run_goes_on))
mutant("GUARD-TRAIN-066k", "a run goes on under any seed where the checkpoint's is zero", f"{CONTRADICTED}[seed]",
    plant=function(changed_settings, what_was_zero_is_not_compared))
mutant("GUARD-TRAIN-073", "the neighbours in a checkpoint are the default's", f"{STATES}[g1]", f"{STATES}[g2]",
    plant=stating("data_config", K=6))
mutant("GUARD-TRAIN-073b", "a checkpoint says nothing of its batches", f"{STATES}[g1]",
    plant=stating("training_config", batch_size=None))
mutant("GUARD-TRAIN-073c", "a checkpoint states the torch default for the photons", f"{STATES}[g2]",
    plant=stating("data_config", nphotons=1e5))
mutant("GUARD-TRAIN-066i", "a training goes on under another mask", MASKED,
    plant=function(digest_of, masks_are_no_data))
mutant("GUARD-TRAIN-066j", "other data are other patterns, and nothing else", MASKED,
    plant=function(digest_of, patterns_alone_are_data))
mutant("GUARD-TRAIN-067", "resuming obeys whoever wrote the checkpoint", "TRAIN-067:a_call_in_a_checkpoint_is_refused",
    plant=method(AtomicCheckpointIO, "load_checkpoint", instead(a_checkpoint_is_unpickled)))
mutant("GUARD-TRAIN-069", "a checkpoint that states no epoch is gone on from as if it were the first", f"{LACKING}[epoch]",
    f"{LACKING}[optimizer_states]", plant=function(resume._read, what_is_missing_is_taken_for_granted))
