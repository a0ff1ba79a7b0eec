"""Other networks that the contract allows: other starts, names, heads, memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from conformance.defects.changes import constant, function, instead, method, shape
from conformance.defects.planting import Plant
from conformance.twins import rows
from reference_impl.model import cnn
from reference_impl.model.cnn import CnnNetwork
from reference_impl.model.network import Autoencoder

FILES = ("test_model", "test_model_interfaces", "test_physics_chain", "test_loss")
SLOW = ("LOSS-002:gradient_is_the_slope_of_the_loss", "PHYS-015:samples_do_not_see_each_other[images-g2]")

OTHERWISE = (
    "LOSS-011:validation_loss_is_the_loss_of_the_validation_batch", "LOSS-011:validation_has_every_term_of_the_loss",
    "LOSS-011:training_and_validation_agree_where_nothing_is_learned",
    "LOSS-012:values_under_a_mask_change_neither_loss_nor_gradient",
    "LOSS-020:the_loss_is_divided_by_frozen_means", "TRAIN-014:two_updates_are_those_of_the_formula",
    "TRAIN-014:a_faint_slope_is_followed_by_the_formula[adam]",
    "TRAIN-045:gathered_batches_count_by_their_mean", "TRAIN-065:a_resumed_run_is_the_uninterrupted_one[adam-exponential]",
    "BATCH-049:the_loss_of_a_map_is_that_of_data_in_memory",
)  # fmt: skip
"""Checks that lay training beside what is computed outside of it."""
BATCHES = ("INFER-012:the_network_sees_batches_of_the_size_asked_for",)


@shape
def _around_the_encoder(plant: Plant, wrap: Callable[[nn.Module], nn.Module]) -> None:
    def wrapped(original):
        def init(self, config):
            original(self, config)
            self.encoder = wrap(self.encoder)

        return init

    plant.method(CnnNetwork, "__init__", wrapped)


def _turned(value: Any, order: tuple[int, ...]) -> Any:
    """A kernel with its axes in another order, anything else as it is."""
    return torch.as_tensor(value).permute(order) if value is not None and value.ndim == 4 else value


def weights_start_by_he(module):
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight)
        nn.init.uniform_(module.bias, -0.1, 0.1)


def heads_are_deeper(original, features, images):
    norm = nn.GroupNorm(1, features)
    return nn.Sequential(nn.Conv2d(features, features, 1), norm, nn.SiLU(), original(features, images))


def bottleneck_with_attention(plant: Plant) -> None:
    class Weighed(nn.Module):
        def __init__(self, inner, width):
            super().__init__()
            self.inner, self.gate = inner, nn.Conv2d(width, width, 1)

        def forward(self, x):
            y = self.inner(x)
            return y * torch.sigmoid(self.gate(y.mean(dim=(2, 3), keepdim=True)))

    _around_the_encoder(lambda inner: Weighed(inner, inner[-1][2].out_channels))(plant)


def network_runs_channels_last(original, self, *given, **options):
    """Whoever fills in weights later finds another memory: it is put right where the network computes."""
    if self.memory_format != torch.channels_last:  # once: several threads compute in it
        self.use_channels_last()
    return original(self, *given, **options)


def lengths_are_apart_from_directions(original, self, config):
    original(self, config)
    for part in self.encoder.modules():
        if isinstance(part, nn.Conv2d):
            nn.utils.parametrizations.weight_norm(part)


def weights_in_another_layout(plant: Plant) -> None:
    def out(original):
        return lambda *given: {f"w/{k}": _turned(v, (2, 3, 1, 0)) for k, v in original(*given).items()}

    def back(original):
        return lambda module, weights: original(module, {k[2:]: _turned(v, (3, 2, 0, 1)) for k, v in weights.items()})

    for name, wrap in (("weights", out), ("gradient", out), ("with_weights", back)):
        plant.answer(name, wrap)


def counts_stand_among_the_weights(original, self, config):
    original(self, config)
    for name, kind in (("batches", torch.int64), ("switches", torch.bool), ("unit", torch.float32)):
        self.register_buffer(name, torch.ones((), dtype=kind))


def border_without_heads(original, self, features):
    """Amplitude and phase of the ring are what the outer branch says, bent and without an end."""
    image = original(self, features)
    ring = None if self.outer is None else nn.functional.silu(self.outer(features.split(self.split, dim=1)[1]))
    return image if ring is None else torch.where(self.ring, ring, image)


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-HE-INITIALISATION", "weights start by He's rule, biases at random", *SLOW, files=FILES,
    plant=function(cnn._initialise, instead(weights_start_by_he)))
twin("TWIN-SMALL-INITIALISATION", "weights start almost at zero", *SLOW, files=FILES,
    plant=function(cnn._initialise, instead(lambda m: nn.init.normal_(m.weight, std=1e-3) if hasattr(m, "weight") else None)))
twin("TWIN-DEEPER-HEADS", "heads have a convolution and a normalisation more", *SLOW, files=FILES,
    plant=function(cnn._image, heads_are_deeper))
twin("TWIN-WIDER-BORDER", "a quarter of the features feed the border", *SLOW, files=FILES,
    plant=constant(cnn, "OUTER_FRACTION", 0.25))
twin("TWIN-BORDER-WITHOUT-HEADS", "the border has a branch without an end (MODEL-005)", *SLOW, files=FILES,
    plant=method(cnn.CentreHead, "forward", border_without_heads))
twin("TWIN-ATTENTION", "the bottleneck weighs its channels", *SLOW, files=FILES, plant=bottleneck_with_attention)
twin("TWIN-BATCH-NORMALISATION", "the bottleneck is normalised over the batch while it trains", *OTHERWISE,
    "CLI-023:a_training_begins_with_the_bundles_weights", "TRAIN-020:training_stops_where_validation_no_longer_improves[1]",
    "EXEC-014:an_execution_setting_acts_or_is_refused[execution-early_stop_patience]", files=FILES,
    plant=_around_the_encoder(lambda inner: nn.Sequential(inner, nn.BatchNorm2d(inner[-1][2].out_channels))))
twin("TWIN-COUNTS-AMONG-WEIGHTS", "a state begins with a count, a switch and a number without axes",
    "BUNDLE-024:weights_may_lie_in_another_order", "BUNDLE-031:other_weights_are_refused_by_name[shape-autoencoder]",
    "BUNDLE-031:other_weights_are_refused_by_name[missing-diffraction_to_obj]",
    "DATA-019:what_was_stored_anew_is_opened_anew[bundle]", "DATA-019:what_another_run_left_changes_nothing_stored[bundle]",
    files=FILES, plant=method(CnnNetwork, "__init__", counts_stand_among_the_weights))
twin("TWIN-DROPOUT", "the bottleneck loses a tenth of its channels while it trains", *OTHERWISE, files=FILES,
    plant=_around_the_encoder(lambda inner: nn.Sequential(inner, nn.Dropout2d(0.1))))
twin("TWIN-CHANNELS-LAST-MEMORY", "the network runs channels-last, outputs are views", *SLOW, files=FILES,
    plant=method(Autoencoder, "forward", network_runs_channels_last))
twin("TWIN-WEIGHT-NORM", "the encoder's kernels are computed: a length times a direction", *SLOW, *BATCHES,
    "EXEC-014:an_execution_setting_acts_or_is_refused[execution-inference_batch_size]",
    "CONFIG-071:a_setting_acts_or_is_refused[training-realspace_weight]", files=FILES,
    plant=method(CnnNetwork, "__init__", lengths_are_apart_from_directions))
twin("TWIN-KERNELS-CHANNELS-LAST", "weights have other names, and channels stand last in their kernels", *SLOW, files=FILES,
    plant=weights_in_another_layout)
