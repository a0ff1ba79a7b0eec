"""Defects of the network: its ladders, its border, its heads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.model import cnn, network
from reference_impl.model.cnn import CentreHead, CnnNetwork
from reference_impl.model.network import Autoencoder

ENCODER = "MODEL-002:encoder_has_the_ladder_of_its_size"
BLOCKS = "MODEL-001:encoder_blocks_are_pairs_of_convolutions"
BOTTLENECK = "MODEL-003:bottleneck_is_eight_by_eight"
DECODER = "MODEL-004:decoder_has_the_ladder_of_its_size"
RANGE = "MODEL-005:centre_keeps_the_range_of_its_head"
FILLED = "MODEL-005:outer_branch_fills_the_border"
EMPTY = "MODEL-006:border_is_empty_without_probe_big"
APART = "MODEL-001:patches_are_processed_apart_without_a_common_object"


def _config(plant: Plant, kind: type, **values: Any) -> None:
    """Modules of a class that are made for a configuration with some of its values fixed; the configuration comes first."""
    plant.method(kind, "__init__", lambda original: lambda self, config, *rest: original(self, replace(config, **values), *rest))


@mutant("DEF-093", "the border of a wide probe is cut at the wrong width", FILLED)
def outer_branch_is_sliced_to_an_eighth(plant: Plant) -> None:
    def sliced(original):
        def forward(self, features):
            image, edge = original(self, features), self.width // 2
            inside = torch.zeros_like(self.ring)
            inside[edge:-edge, edge:-edge] = self.ring[edge:-edge, edge:-edge]
            return image.masked_fill(inside, 0.0)

        return forward

    plant.method(CentreHead, "forward", sliced)


@mutant("DEF-094", "amplitudes escape from their activation", RANGE)
def outer_branch_is_added_everywhere(plant: Plant) -> None:
    def added(original):
        def forward(self, features):
            outer = features.split(self.split, dim=1)[1]
            return original(self, features) + (functional.silu(self.outer(outer)) if self.outer else 0)

        return forward

    plant.method(CentreHead, "forward", added)


@mutant(
    "DEF-096",
    "every activation is swish",
    "MODEL-007:sigmoid_is_honoured",
    "MODEL-007:softplus_is_honoured",
    "MODEL-007:relu_is_honoured",
    RANGE,
)
def activations_share_one_function(plant: Plant) -> None:
    plant.constant(cnn, "AMPLITUDE_ACTIVATIONS", dict.fromkeys(cnn.AMPLITUDE_ACTIVATIONS, functional.silu))


@mutant("DEF-097", "networks for 128 and 256 start one step too wide", ENCODER + "[N128]", ENCODER + "[N256]", BOTTLENECK)
def ladders_start_one_step_off(plant: Plant) -> None:
    plant.constant(cnn, "ENCODER", {64: (32, 64, 128), 128: (32, 64, 128, 128), 256: (16, 32, 64, 128, 128)})


@mutant("DEF-098", "N = 96 is accepted and breaks later", "MODEL-002:other_sizes_are_refused")
def sizes_are_not_checked(plant: Plant) -> None:
    class Ladders(dict):
        def __contains__(self, side):
            return True

        def __missing__(self, side):
            return self[64]

    plant.constant(cnn, "ENCODER", Ladders(cnn.ENCODER))
    plant.constant(cnn, "DECODER", Ladders(cnn.DECODER))


@mutant(
    "GUARD-MODEL-001",
    "blocks have one convolution",
    BLOCKS,
    ENCODER,
    DECODER,
    "MODEL-010:decoder_takes_the_block_before_it_alone",
)
def blocks_convolve_once(plant: Plant) -> None:
    plant.function(cnn._convolve_twice, lambda original: lambda into, out: original(into, out)[:2])


@mutant("GUARD-MODEL-001b", "members of a group are mixed although each has its object", BLOCKS + "[g2-apart-scale1]", APART)
def group_is_always_one_image(plant: Plant) -> None:
    _config(plant, CnnNetwork, object_big=True)
    plant.method(
        Autoencoder, "__init__", lambda original: lambda self, net, config: original(self, net, replace(config, object_big=True))
    )


@mutant("GUARD-MODEL-003", "wide networks have a narrow bottleneck", BOTTLENECK + "[N64-scale2]", BLOCKS)
def widths_are_capped(plant: Plant) -> None:
    plant.function(cnn._scaled, lambda original: lambda filters, scale: tuple(min(128, n) for n in original(filters, scale)))


@mutant("GUARD-MODEL-004", "decoders mirror their encoders", DECODER, "MODEL-010:decoder_takes_the_block_before_it_alone")
def decoder_mirrors_the_encoder(plant: Plant) -> None:
    plant.constant(cnn, "DECODER", {64: (128, 64), 128: (128, 64, 32), 256: (128, 64, 32, 16)})


@mutant("GUARD-MODEL-005", "probe_big has no effect", FILLED)
def outer_branch_is_never_added(plant: Plant) -> None:
    _config(plant, CnnNetwork, probe_big=False)


@mutant("GUARD-MODEL-006", "sigmoids light the border of every patch", EMPTY)
def activation_comes_after_the_padding(plant: Plant) -> None:
    def late(original):
        def forward(self, features):
            logits = functional.pad(self.inner(features.split(self.split, dim=1)[0]), [self.width] * 4)
            return original(self, features) if self.outer else self.activation(logits)

        return forward

    plant.method(CentreHead, "forward", late)


@mutant("GUARD-MODEL-006b", "the network invents a border that the probe never lit", EMPTY)
def outer_branch_ignores_its_switch(plant: Plant) -> None:
    _config(plant, CnnNetwork, probe_big=True)


@mutant("GUARD-MODEL-007", "phases have no bound", "MODEL-007:phase_stays_within_pi", RANGE + "[strong]")
def phase_has_no_head(plant: Plant) -> None:
    plant.function(cnn.bounded_phase, lambda original: lambda logits: logits)


@mutant("GUARD-MODEL-007b", "phases reach a third of a circle", "MODEL-007:phase_stays_within_pi")
def phase_is_not_stretched_to_pi(plant: Plant) -> None:
    plant.function(cnn.bounded_phase, lambda original: torch.tanh)


@mutant("GUARD-MODEL-007c", "swish is cut off below zero", "MODEL-007:swish_is_honoured", "MODEL-007:softplus_is_honoured")
def activations_default_to_relu(plant: Plant) -> None:
    others = dict.fromkeys(cnn.AMPLITUDE_ACTIVATIONS, functional.relu)
    plant.constant(cnn, "AMPLITUDE_ACTIVATIONS", others | {"sigmoid": torch.sigmoid})


@mutant(
    "GUARD-MODEL-007d",
    "amplitudes end at six, swish is a relative",
    "MODEL-007:relu_is_honoured",
    "MODEL-007:softplus_is_honoured",
    "MODEL-007:swish_is_honoured",
)
def activations_are_relatives_of_those_named(plant: Plant) -> None:
    relatives = {"relu": functional.relu6, "swish": functional.gelu}
    relatives["softplus"] = lambda logits: functional.softplus(logits).clamp_max(6)
    plant.constant(cnn, "AMPLITUDE_ACTIVATIONS", cnn.AMPLITUDE_ACTIVATIONS | relatives)


@mutant("GUARD-MODEL-008", "all members of a group have one amplitude", "MODEL-008:members_have_amplitudes_of_their_own")
def amplitude_head_has_one_channel(plant: Plant) -> None:
    def single(original):
        def forward(self, patterns):
            amplitude, phase = original(self, patterns)
            return amplitude[:, :1].expand_as(amplitude), phase

        return forward

    plant.method(CnnNetwork, "forward", single)


@mutant("GUARD-MODEL-010", "the diffraction pattern shines through", "MODEL-010:nothing_goes_past_the_bottleneck")
def input_skips_the_bottleneck(plant: Plant) -> None:
    def skipped(original):
        def forward(self, patterns):
            amplitude, phase = original(self, patterns)
            return amplitude + 0.01 * functional.avg_pool2d(patterns, 3, stride=1, padding=1), phase

        return forward

    plant.method(CnnNetwork, "forward", skipped)


@mutant(
    "GUARD-MODEL-010b", "decoders take the encoder's channels too", "MODEL-010:decoder_takes_the_block_before_it_alone", DECODER
)
def decoder_concatenates(plant: Plant) -> None:
    class Up(nn.Module):
        def __init__(self, into, out):
            super().__init__()
            self.body = nn.Sequential(*cnn._convolve_twice(2 * into, out))

        def forward(self, x):
            return self.body(functional.interpolate(torch.cat([x, x], dim=1), scale_factor=2))

    plant.function(cnn._up_block, lambda original: Up)


@mutant("GUARD-MODEL-024", "the network always takes four channels", "MODEL-024:first_convolution_sees_the_whole_group")
def network_is_built_before_the_grid_size_is_known(plant: Plant) -> None:
    _config(plant, CnnNetwork, gridsize=2)


@mutant(
    "GUARD-MODEL-027", "a misspelt architecture trains another network", "MODEL-027:unknown_architectures_are_refused_by_name"
)
def unknown_architectures_become_cnn(plant: Plant) -> None:
    plant.function(network.create_network, lambda original: lambda config: original(replace(config, architecture="cnn")))
