"""Defects of the network: ladders, border, heads; the calls around it, its checkpoints and its weights' names."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from conformance.defects.changes import Change, constant, every, function, instead, method, result
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.domains import fields as domains
from reference_impl.model import cnn, forward, network
from reference_impl.model.cnn import CentreHead, CnnNetwork, FullHead
from reference_impl.model.forward import PtychoModel
from reference_impl.model.network import Autoencoder
from reference_impl.training import train_cdi_model_torch
from reference_impl.training.lightning_module import CONFIGURATIONS, PtychoLightningModule
from reference_impl.training.resume import Memory

ENCODER = "MODEL-002:encoder_has_the_ladder_of_its_size"
BLOCKS = "MODEL-001:encoder_blocks_are_pairs_of_convolutions"
BOTTLENECK = "MODEL-003:bottleneck_is_eight_by_eight"
DECODER = "MODEL-004:decoder_has_the_ladder_of_its_size"
RANGE = "MODEL-005:centre_keeps_the_range_of_its_head"
FILLED = "MODEL-005:outer_branch_fills_the_border"
ONWARDS = "MODEL-039:the_border_goes_through_the_heads_too"
EMPTY = "MODEL-006:border_is_empty_without_probe_big"
UNPADDED = "MODEL-007:an_activation_is_honoured_without_padding"
APART = "MODEL-001:patches_are_processed_apart_without_a_common_object"


def _config(kind: type, **values: Any) -> Change:
    """Modules of a class that are made for a configuration with some of its values fixed; the configuration comes first."""
    return method(kind, "__init__", lambda original, self, config, *rest: original(self, replace(config, **values), *rest))


def border_of(bare):
    """Heads of this activation leave it out in the ring."""

    def change(original, self, features):
        image = original(self, features)
        if self.activation is not bare or self.outer is None:
            return image
        return torch.where(self.ring, self.outer(features.split(self.split, dim=1)[1]), image)

    return change


def outer_branch_is_sliced_to_an_eighth(original, self, features):
    image, edge = original(self, features), self.width // 2
    inside = torch.zeros_like(self.ring)
    inside[edge:-edge, edge:-edge] = self.ring[edge:-edge, edge:-edge]
    return image.masked_fill(inside, 0.0)


def outer_branch_is_added_everywhere(original, self, features):
    outer = features.split(self.split, dim=1)[1]
    return original(self, features) + (functional.silu(self.outer(outer)) if self.outer else 0)


def full_heads_are_sigmoids(original, self, features, images, activation):
    original(self, features, images, activation if activation is cnn.bounded_phase else torch.sigmoid)


def sizes_are_not_checked(plant: Plant) -> None:
    class Ladders(dict):
        def __contains__(self, side):
            return True

        def __missing__(self, side):
            return self[64]

    plant.constant(cnn, "ENCODER", Ladders(cnn.ENCODER))
    plant.constant(cnn, "DECODER", Ladders(cnn.DECODER))


def activation_comes_after_the_padding(original, self, features):
    logits = functional.pad(self.inner(features.split(self.split, dim=1)[0]), [self.width] * 4)
    return original(self, features) if self.outer else self.activation(logits)


def training_lights_the_border(original, self, features):
    found = original(self, features)
    return torch.where(self.ring, 0.5, found) if self.training and self.outer is None else found


def activations_default_to_relu(plant: Plant) -> None:
    others = dict.fromkeys(cnn.AMPLITUDE_ACTIVATIONS, functional.relu)
    plant.constant(cnn, "AMPLITUDE_ACTIVATIONS", others | {"sigmoid": torch.sigmoid})


def activations_are_relatives_of_those_named(plant: Plant) -> None:
    relatives = {"relu": functional.relu6, "swish": functional.gelu}
    relatives["softplus"] = lambda logits: functional.softplus(logits).clamp_max(6)
    plant.constant(cnn, "AMPLITUDE_ACTIVATIONS", cnn.AMPLITUDE_ACTIVATIONS | relatives)


def amplitude_head_has_one_channel(original, self, patterns):
    amplitude, phase = original(self, patterns)
    return amplitude[:, :1].expand_as(amplitude), phase


def input_skips_the_bottleneck(original, self, patterns):
    amplitude, phase = original(self, patterns)
    return amplitude + 0.01 * functional.avg_pool2d(patterns, 3, stride=1, padding=1), phase


def decoder_concatenates(plant: Plant) -> None:
    class Up(nn.Module):
        def __init__(self, into, out):
            super().__init__()
            self.body = nn.Sequential(*cnn._convolve_twice(2 * into, out))

        def forward(self, x):
            return self.body(functional.interpolate(torch.cat([x, x], dim=1), scale_factor=2))

    plant.function(cnn._up_block, lambda original: Up)


SIDES = "MODEL-020:a_network_of_every_side_answers"
RETURNS = "MODEL-020:forward_returns_prediction_amplitude_and_phase"
PATCHES = "MODEL-021:inference_gives_the_complex_patches"
POSITIONS = "MODEL-021:inference_takes_no_notice_of_positions"
RELOADED = "MODEL-022:checkpoint_reloads_without_arguments"


def _named(stack: torch.nn.Sequential, number: int) -> torch.nn.Sequential:
    """The stack as the one entry, of a name with a number in it, of another."""
    outer = torch.nn.Sequential()
    outer.add_module(f"layers_{number}", stack)
    return outer


def checkpoint_makes_its_weights_anew(cls, path, **options):
    module = super(PtychoLightningModule, cls).load_from_checkpoint(path, **options)
    module.apply(cnn._initialise)
    return module


def layers_are_numbered_through(plant: Plant) -> None:
    count = itertools.count()

    def numbered(original):
        def stack(block, widths):
            return _named(original(block, widths), next(count))

        return stack

    plant.function(cnn._stack, numbered)


def autoencoder_is_made_beside_the_trained_one(original, *arguments, **options):
    results = dict(original(*arguments, **options))
    models = dict(results["models"])
    other = network.create_network(models["diffraction_to_obj"].model.config)
    return results | {"models": models | {"autoencoder": other}}


def large_images_are_padded_as_small_ones(original, self, *given):
    original(self, *given)
    self.width = 16


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
# The network: its ladders, its border, its heads.
mutant("DEF-093", "the border of a wide probe is cut at the wrong width", FILLED,
    plant=method(CentreHead, "forward", outer_branch_is_sliced_to_an_eighth))
mutant("DEF-094", "amplitudes escape from their activation", RANGE,
    plant=method(CentreHead, "forward", outer_branch_is_added_everywhere))
mutant("DEF-096", "every activation is swish", "MODEL-007:sigmoid_is_honoured", "MODEL-007:softplus_is_honoured",
    "MODEL-007:relu_is_honoured", RANGE,
    plant=constant(cnn, "AMPLITUDE_ACTIVATIONS", dict.fromkeys(cnn.AMPLITUDE_ACTIVATIONS, functional.silu)))
mutant("DEF-097", "networks for 128 and 256 start one step too wide", ENCODER + "[N128]", ENCODER + "[N256]", BOTTLENECK,
    plant=constant(cnn, "ENCODER", {64: (32, 64, 128), 128: (32, 64, 128, 128), 256: (16, 32, 64, 128, 128)}))
mutant("DEF-098", "N = 96 is accepted and breaks later", "MODEL-002:other_sizes_are_refused", plant=sizes_are_not_checked)
mutant("GUARD-MODEL-001", "blocks have one convolution", BLOCKS, ENCODER, DECODER,
    "MODEL-010:decoder_takes_the_block_before_it_alone",
    plant=function(cnn._convolve_twice, result(lambda found: found[:2])))
mutant("GUARD-MODEL-001b", "members of a group are mixed although each has its object", BLOCKS + "[g2-apart-scale1]", APART,
    plant=every(_config(CnnNetwork, object_big=True),
        method(Autoencoder, "__init__",
            lambda original, self, net, config: original(self, net, replace(config, object_big=True)))))
mutant("GUARD-MODEL-003", "wide networks have a narrow bottleneck", BOTTLENECK + "[N64-scale2]", BLOCKS,
    plant=function(cnn._scaled, result(lambda found: tuple(min(128, n) for n in found))))
mutant("GUARD-MODEL-004", "decoders mirror their encoders", DECODER, "MODEL-010:decoder_takes_the_block_before_it_alone",
    plant=constant(cnn, "DECODER", {64: (128, 64), 128: (128, 64, 32), 256: (128, 64, 32, 16)}))
mutant("GUARD-MODEL-005", "probe_big has no effect", FILLED,
    plant=_config(CnnNetwork, probe_big=False))
mutant("GUARD-MODEL-006", "sigmoids light the border of every patch", EMPTY,
    plant=method(CentreHead, "forward", activation_comes_after_the_padding))
mutant("GUARD-MODEL-006b", "the network invents a border that the probe never lit", EMPTY,
    plant=_config(CnnNetwork, probe_big=True))
mutant("GUARD-MODEL-006d", "the border that is dark in every picture was trained with light", f"{EMPTY}[g1-sigmoid]",
    plant=method(CentreHead, "forward", training_lights_the_border))
mutant("GUARD-MODEL-007", "phases have no bound", "MODEL-007:phase_stays_within_pi", RANGE + "[strong]",
    plant=function(cnn.bounded_phase, instead(lambda logits: logits)))
mutant("GUARD-MODEL-007b", "phases reach a third of a circle", "MODEL-007:phase_stays_within_pi",
    plant=function(cnn.bounded_phase, instead(torch.tanh)))
mutant("GUARD-MODEL-007c", "swish is cut off below zero", "MODEL-007:swish_is_honoured", "MODEL-007:softplus_is_honoured",
    plant=activations_default_to_relu)
mutant("GUARD-MODEL-007d", "amplitudes end at six, swish is a relative", "MODEL-007:relu_is_honoured",
    "MODEL-007:softplus_is_honoured", "MODEL-007:swish_is_honoured", plant=activations_are_relatives_of_those_named)
mutant("GUARD-MODEL-007e", "the head of full resolution ends at one", UNPADDED + "[swish]", UNPADDED + "[softplus]",
    UNPADDED + "[relu]",
    plant=method(FullHead, "__init__", full_heads_are_sigmoids))
mutant("GUARD-MODEL-007f", "the head of full resolution has no activation", UNPADDED + "[sigmoid]", UNPADDED + "[relu]",
    plant=method(FullHead, "forward", instead(lambda self, features: self.body(features))))
mutant("GUARD-MODEL-007g", "phases of the border have no bound", ONWARDS,
    plant=method(CentreHead, "forward", border_of(cnn.bounded_phase)))
mutant("GUARD-MODEL-007h", "amplitudes of the border go below zero", ONWARDS,
    plant=method(CentreHead, "forward", border_of(torch.sigmoid)))
mutant("GUARD-MODEL-008", "all members of a group have one amplitude", "MODEL-008:members_have_amplitudes_of_their_own",
    plant=method(CnnNetwork, "forward", amplitude_head_has_one_channel))
mutant("GUARD-MODEL-010", "the diffraction pattern shines through", "MODEL-010:nothing_goes_past_the_bottleneck",
    plant=method(CnnNetwork, "forward", input_skips_the_bottleneck))
mutant("GUARD-MODEL-010b", "decoders take the encoder's channels too", "MODEL-010:decoder_takes_the_block_before_it_alone",
    DECODER, plant=decoder_concatenates)
mutant("GUARD-MODEL-024", "the network always takes four channels", "MODEL-024:first_convolution_sees_the_whole_group",
    plant=_config(CnnNetwork, gridsize=2))
mutant("GUARD-MODEL-027", "a misspelt architecture trains another network", "MODEL-027:unknown_architectures_are_refused_by_name",
    plant=every(function(network.create_network, lambda original, config: original(replace(config, architecture="cnn"))),
        function(domains.refuse_outside, lambda original, name, value, **options:
            None if name == "architecture" else original(name, value, **options))))

# The calls around the network, its checkpoints and its weights' names.
mutant("DEF-117", "callers get real and imaginary parts in stacked channels", PATCHES,
    breaks="infer: two real channels are no complex patch",
    plant=method(PtychoModel, "forward_predict", result(lambda found: torch.view_as_real(found))))
mutant("DEF-118", "the inference call takes images alone", PATCHES,
    plant=method(PtychoModel, "forward_predict", lambda original, self, x, *_: original(self, x, None, None, x.new_ones(len(x)))))
mutant("DEF-161", "a checkpoint needs the classes of its day", RELOADED,
    plant=every(method(Memory, "on_save_checkpoint", lambda original, self, of, module, kept:
            kept.update(hyper_parameters={name: getattr(module, name) for name in CONFIGURATIONS})),
        method(PtychoLightningModule, "load_from_checkpoint",
            instead(lambda cls, path, **options:
            super(PtychoLightningModule, cls).load_from_checkpoint(path, weights_only=False)))))
mutant("GUARD-MODEL-009", "unpadded objects are half as large", "MODEL-009:padding_does_not_change_shapes[not-padded]",
    plant=every(method(FullHead, "forward", result(lambda found: found[..., ::2, ::2])),
        method(network.Autoencoder, "forward", instead(lambda self, patterns: self.network(patterns)))))
mutant("GUARD-MODEL-020", "predicted amplitudes are negative", RETURNS,
    plant=method(PtychoModel, "forward", lambda original, self, *inputs: (-(found := original(self, *inputs))[0], *found[1:])))
mutant("GUARD-MODEL-020b", "the channel axis stands last", RETURNS,
    breaks="train: the loss meets amplitudes whose channels stand last",
    plant=method(PtychoModel, "forward", result(lambda found: tuple(part.movedim(1, -1) for part in found))))
mutant("GUARD-MODEL-021", "patches are merged before they are stitched", PATCHES, POSITIONS,
    plant=method(PtychoModel, "forward_predict",
        lambda original, self, x, places, *rest: self._common_object(original(self, x, places, *rest), places)))
mutant("GUARD-MODEL-021b", "a flat scale runs along columns", POSITIONS,
    plant=function(forward.per_sample, instead(lambda scale, name: scale if scale.ndim == 4 else scale.repeat(22)[:64])))
mutant("GUARD-MODEL-022", "a reloaded model is untrained", RELOADED,
    plant=method(PtychoLightningModule, "load_from_checkpoint", instead(checkpoint_makes_its_weights_anew)))
mutant("GUARD-MODEL-023", "no second module has the first one's weights", "MODEL-023:weights_follow_from_the_configuration",
    breaks="train: the bundle asks for weights of their own names",
    plant=layers_are_numbered_through)
mutant("GUARD-MODEL-023b", "wider networks are as wide as before", "MODEL-023:weights_depend_on_scale_and_channels",
    plant=function(cnn._scaled, lambda original, filters, scale: original(filters, 1)))
mutant("GUARD-MODEL-026", "the autoencoder is another, untrained network", "MODEL-026:autoencoder_is_part_of_the_public_model",
    breaks="train: the bundle refuses two models that are not one",
    plant=function(train_cdi_model_torch, autoencoder_is_made_beside_the_trained_one))
mutant("GUARD-MODEL-020x", "large images are padded as those of 64 pixels", SIDES + "[N128-g1]", SIDES + "[N256-g1]",
    plant=method(CentreHead, "__init__", large_images_are_padded_as_small_ones))
mutant("GUARD-MODEL-020y", "heads of large networks expect more than there is", SIDES + "[N128-g2]", SIDES + "[N256-g1]",
    plant=function(cnn._head, lambda original, features, images, config, activation:
        original(features * config.N // 64, images, config, activation)))
