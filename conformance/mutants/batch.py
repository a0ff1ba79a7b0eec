"""Defects of batches: structure, axes, offsets, scales, probe, order."""

from __future__ import annotations

import numpy as np

from conformance.mutants import mutant
from conformance.planting import Plant
from reference_impl.batch import dataset, fields


@mutant("DEF-001", "a batch is (tensor, tensor): its structure is lost", "BATCH-020:a_batch_is_a_triple")
def batches_are_pairs_of_tensors(plant: Plant) -> None:
    def pair(original):
        def collate(batch):
            return batch[0]["images"], batch[0]["coords_relative"]

        return collate

    plant.function(dataset.collate_batch, pair)


@mutant("DEF-002", "the channel axis stays last", "BATCH-022:images_are_channel_first")
def channels_stay_last(plant: Plant) -> None:
    plant.function(fields._channel_first, lambda original: lambda array, channels, field: np.asarray(array))
