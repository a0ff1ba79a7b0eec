"""Defects of batches that share what they hold, and of batches that follow from more than their container."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from conformance.defects.changes import function, method
from conformance.mutants import rows
from reference_impl.batch import dataset, fields

MASK = "BATCH-058:what_is_written_into_a_masked_batch_stays_there"
LABELS = "BATCH-058:what_is_written_into_labels_stays_there"
ALONE = "BATCH-021:batches_follow_from_their_container"


def one_mask_for_all_batches(original, self, indices):
    batch = original(self, indices)
    if self.mask is not None:
        batch[0]["mask"] = torch.from_numpy(self.mask[None, None]).expand(len(indices), -1, -1, -1)
    return batch


def labels_in_a_row_are_a_view(original, self, indices):
    batch = original(self, indices)
    if "label_amp" in self.fields and list(indices) == list(range(len(self))):
        batch[0]["label_amp"] = torch.from_numpy(self.fields["label_amp"])
    return batch


def positions_are_for_who_merges(original, container, count, model):
    found = original(container, count, model)
    return found if model.object_big else np.zeros_like(found)


def a_probe_without_a_border_is_normalised_anew(original, container, side, model):
    return original(container, side, model if model.probe_big else replace(model, probe_scale=1.0))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-BATCH-058c", "what is written into the mask of a batch hides these pixels in every later one", MASK,
    plant=method(dataset.PtychoDataset, "__getitems__", one_mask_for_all_batches))
mutant("GUARD-BATCH-058d", "labels of a whole pass are the data themselves", LABELS,
    plant=method(dataset.PtychoDataset, "__getitems__", labels_in_a_row_are_a_view))
mutant("GUARD-BATCH-023c", "relative positions are zeros where nothing is merged", ALONE,
    clauses=["BATCH-023"], plant=function(fields.relative_positions, positions_are_for_who_merges))
mutant("GUARD-BATCH-028e", "without a border the probe has another scale", ALONE,
    clauses=["BATCH-028", "BATCH-029"], plant=function(fields.probe, a_probe_without_a_border_is_normalised_anew))
