"""Defects of supervised training: labels on their way to the loss, what is refused, what a bundle keeps of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import caught, function, instead, method, result
from conformance.mutants import rows
from reference_impl import loss, training
from reference_impl.batch import fields
from reference_impl.batch.dataset import PtychoDataset
from reference_impl.bundle.parameters import module_of
from reference_impl.errors import ContractError
from reference_impl.training import module, trainer

LABELS = ("label_amp", "label_phase")
FOLLOW = "BATCH-038:labels_follow_their_patterns"
PLACES = "BATCH-038:labels_lie_where_their_patterns_were_taken"
WHOLE = "BATCH-039:labels_that_are_not_whole_are_refused"
NEARER = "TRAIN-070:a_supervised_training_comes_nearer_to_its_labels"
ALONE = "TRAIN-070:supervised_weights_depend_on_patterns_and_labels"
BEGINS = "TRAIN-071:no_supervised_training_begins_without_labels"
OPENS = "BUNDLE-038:a_supervised_model_opens_as_one"


def labels_stay_in_the_order_of_the_container(original, self, indices):
    batch = original(self, indices)
    for name in set(LABELS) & set(self.fields):
        batch[0][name] = torch.from_numpy(self.fields[name][: len(indices)].copy())
    return batch


_seen: dict[str, Any] = {}


def both_loaders_have_one_set_of_labels(original, container, count, channels):
    found = original(container, count, channels)
    first = _seen.setdefault("labels", found)
    return {name: np.resize(first[name], value.shape) for name, value in found.items()}


def labels_lie_at_the_centre_of_their_group(container, count, channels):
    Y = fields.as_array(container.Y)
    mean = np.repeat(Y.mean(axis=3, keepdims=True), channels, axis=3).transpose(0, 3, 1, 2)
    return {"label_amp": np.abs(mean).astype(np.float32), "label_phase": np.angle(mean).astype(np.float32)}


class _Patched:
    """A container whose labels are made to fit."""

    def __init__(self, container: Any, Y: np.ndarray) -> None:
        self.__dict__.update(vars(container), Y=Y)


def holes_are_filled_with_zeros(original, container, *counts):
    Y = fields.attribute(container, "Y")
    return original(container if Y is None else _Patched(container, np.nan_to_num(fields.as_array(Y))), *counts)


def labels_are_repeated_to_the_length_of_the_data(original, container, count, channels):
    Y = fields.attribute(container, "Y")
    fits = Y is None or len(Y) == count
    return original(container if fits else _Patched(container, np.resize(Y, (count, *Y.shape[1:]))), count, channels)


def unlabelled_validation_goes_on_without(original, train, test, config, *rest):
    train_loader, _ = original(train, None, config, *rest)
    try:
        return train_loader, None if test is None else original(test, None, config, *rest)[0]
    except ContractError:
        return train_loader, None


def placeholders_stand_in_for_labels(error, container, count, channels):
    side = fields.as_array(container.X).shape[1]
    ones = np.ones((count, channels, side, side), np.float32)
    return {"label_amp": ones, "label_phase": 0 * ones}


def a_log_is_begun_before_the_labels_are_looked_at(original, train, test, config, *rest, **options):
    (config.output_dir / "lightning_logs").mkdir(parents=True, exist_ok=True)
    (config.output_dir / "lightning_logs" / "hparams.yaml").write_text("{}\n")
    return original(train, test, config, *rest, **options)


def supervised_model_opens_as_pinn(module):
    module.objective = replace(module.objective, supervise=False)
    module.loss_name, module.val_loss_name = "poisson_train_loss", "poisson_val_loss"
    return module


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-038", "labels are not shuffled with their patterns", FOLLOW + "[g2-shuffled-label_amp]",
    FOLLOW + "[g1-shuffled-label_phase]",
    plant=method(PtychoDataset, "__getitems__", labels_stay_in_the_order_of_the_container))
mutant("GUARD-BATCH-038b", "the channels of the labels run backwards", FOLLOW + "[g2-in-order-label_amp]", PLACES + "[g2]",
    plant=function(fields.labels, result(lambda found: {name: value[:, ::-1].copy() for name, value in found.items()})))
mutant("GUARD-BATCH-038c", "validation is compared with the training's labels", "BATCH-038:validation_batches_have_labels_too",
    plant=function(fields.labels, both_loaders_have_one_set_of_labels))
mutant("GUARD-BATCH-038d", "a group has one label, the mean of its members'", PLACES + "[g2]", FOLLOW + "[g2-in-order-label_amp]",
    plant=function(fields.labels, instead(labels_lie_at_the_centre_of_their_group)))
mutant("GUARD-BATCH-038e", "label amplitudes are intensities", FOLLOW + "[g1-in-order-label_amp]", PLACES + "[g1]",
    plant=function(fields.labels, result(lambda found: found | {"label_amp": np.square(found["label_amp"])})))
mutant("GUARD-BATCH-039", "what has no label counts as dark", WHOLE + "[a-hole-training]", WHOLE + "[a-hole-validation]",
    plant=function(fields.labels, holes_are_filled_with_zeros))
mutant("GUARD-BATCH-039b", "labels begin again where they end", WHOLE + "[too-few-training]",
    plant=function(fields.labels, labels_are_repeated_to_the_length_of_the_data))
mutant("GUARD-BATCH-039c", "validation without labels is left out", WHOLE + "[absent-validation]", BEGINS + "[validation]",
    plant=function(training.trainer.build_loaders, unlabelled_validation_goes_on_without))
mutant("GUARD-BATCH-039d", "ones are taken for missing labels", WHOLE + "[disowned-training]", BEGINS + "[training]",
    plant=function(fields.labels, caught(ContractError, placeholders_stand_in_for_labels)))
mutant("GUARD-LOSS-013", "a likelihood of labels is accepted and not used", "LOSS-013:a_supervised_likelihood_is_refused",
    plant=function(trainer._check_distance, instead(lambda config: None)))
mutant("GUARD-LOSS-014", "a missing phase is zero", "LOSS-014:half_labels_are_refused[label_phase]",
    plant=function(loss._labels, lambda original, given, because: original(
        {"label_phase": torch.zeros_like(given["images"]), **given} if "label_amp" in given.keys() else given, because)))
mutant("GUARD-TRAIN-070", "a supervised request trains on the detector", ALONE,
    plant=function(module._objective, result(lambda found: replace(found, supervise=False))))
mutant("GUARD-TRAIN-070b", "training leads away from the labels", NEARER,
    plant=function(loss.supervised, result(lambda found: -found)))
mutant("GUARD-TRAIN-071", "a log is begun before the labels are looked at", BEGINS + "[training]", BEGINS + "[validation]",
    plant=function(training.train_cdi_model_torch, a_log_is_begun_before_the_labels_are_looked_at))
mutant("GUARD-BUNDLE-038", "a supervised model opens as an unsupervised one", OPENS,
    plant=function(module_of, result(supervised_model_opens_as_pinn)))
mutant("GUARD-INFER-016", "reconstructing asks for labels", "INFER-016:a_supervised_model_needs_no_labels",
    plant=function(training.trainer.ensure_container, lambda original, data, config, **options: _labelled(
        original(data, config, **options), config)))


def _labelled(container: Any, config: Any) -> Any:
    if config.model.model_type == "supervised":
        fields.labels(container, len(container.X), config.model.gridsize**2)
    return container
