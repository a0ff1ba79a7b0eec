"""Freedoms of supervised training: where labels are kept, how their distance is summed, what class a refusal has."""

from __future__ import annotations

import numpy as np
import torch

from conformance.defects.changes import caught, every, function, instead, method
from conformance.twins import rows
from reference_impl import loss
from reference_impl.batch import fields, mapped
from reference_impl.errors import ContractError

FILES = ("test_batch_labels", "test_training_supervised")
SLOW = (
    "TRAIN-070:a_supervised_training_comes_nearer_to_its_labels",
    "TRAIN-070:supervised_weights_depend_on_patterns_and_labels",
    "BUNDLE-038:a_supervised_model_opens_as_one",
)


class LabelsMissing(ValueError, LookupError):
    """A refusal of a class and in words of its own."""


def labels_are_made_in_double_precision(original, container, count, channels):
    found = original(container, count, channels)
    Y = fields.as_array(fields.attribute(container, "Y")).astype(np.complex128)
    planes = Y.transpose(0, 3, 1, 2) if Y.shape[3] == channels and Y.shape[1] == Y.shape[2] else Y
    made = {"label_amp": np.hypot(planes.real, planes.imag), "label_phase": np.arctan2(planes.imag, planes.real)}
    return {name: np.asfortranarray(made[name], dtype=np.float32) for name in found}


def labels_of_a_map_are_made_in_double_precision(self, experiment, coords):
    places, N = coords.transpose(0, 2, 3, 1), self.patterns.shape[1]
    parts = [mapped.label_patches(self.objects[n], places[i : i + 1], N) for i, n in enumerate(experiment)]
    planes = np.concatenate(parts).transpose(0, 3, 1, 2).astype(np.complex128)
    made = {"label_amp": np.hypot(planes.real, planes.imag), "label_phase": np.arctan2(planes.imag, planes.real)}
    return {name: array.astype(np.float32) for name, array in made.items()}


def distances_are_summed_in_double_precision(amplitude, phase, label_amp, label_phase):
    wide = 2 * (amplitude - label_amp).double().abs() + 4 * (phase - label_phase).double().abs()
    return wide.flatten(1).sum(dim=1).mean().to(torch.float32)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-LABELS-IN-FLOAT64", "labels are made in float64 and kept in another order of memory", *SLOW[:2], files=FILES,
    plant=every(function(fields.labels, labels_are_made_in_double_precision),
        method(mapped.MappedDataset, "_labels", instead(labels_of_a_map_are_made_in_double_precision))))
twin("TWIN-DISTANCES-IN-FLOAT64", "distances from labels are summed in float64, sample by sample", *SLOW,
    files=(*FILES, "test_loss"), plant=function(loss.supervised, instead(distances_are_summed_in_double_precision)))
twin("TWIN-LABELS-MISSING", "labels that are missing are an error of a class of its own", files=FILES,
    plant=function(fields.labels, caught(ContractError, lambda error, *given: LabelsMissing(f"training or validation: {error}"))))
twin("TWIN-LABELS-FOR-EVERYBODY", "batches carry labels wherever there are some, whether the loss looks at them or not",
    files=(*FILES, "test_batch", "test_batch_container", "test_batch_loader"),
    plant=function(fields.needs_labels, lambda original, config: original(config) or _labels_would_be_there()))


def _labels_would_be_there() -> bool:
    import inspect

    # The one caller holds the container: it is the dataset's constructor, a frame or two away.
    for frame in inspect.stack()[1:6]:
        container = frame.frame.f_locals.get("container")
        if container is not None:
            Y = fields.attribute(container, "Y")
            return Y is not None and fields.attribute(container, "has_labels") is not False and len(Y) == len(container.X)
    return False
