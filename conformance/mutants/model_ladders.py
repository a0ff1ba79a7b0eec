"""Defects between the kernels of the `cnn` network, and of networks that are not the one that is looked at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from conformance.defects.changes import Change, constant, function, instead, method
from conformance.mutants import rows
from reference_impl.config.canonical import ModelConfig
from reference_impl.model import cnn
from reference_impl.model.cnn import CentreHead, CnnNetwork

RECTIFIES = "MODEL-001:a_block_rectifies"
POOLS = "MODEL-001:a_block_keeps_the_brightest_of_its_pixels"
RING = "MODEL-005:outer_branch_fills_the_border"
SIDES = "MODEL-020:a_network_of_every_side_answers"


def activated_by(kind: Callable[[], nn.Module]) -> Change:
    """Blocks with another activation."""

    def twice(features_in: int, features_out: int) -> tuple[nn.Module, ...]:
        first, second = cnn._convolution(features_in, features_out), cnn._convolution(features_out, features_out)
        return first, kind(), second, kind()

    return function(cnn._convolve_twice, instead(twice))


def a_block_ends_in_steps(original: Any, features_in: int, features_out: int) -> nn.Module:
    first, one, second, other = cnn._convolve_twice(features_in, features_out)
    second.stride = (2, 2)
    return nn.Sequential(first, one, second, other)


def the_border_has_sixteen_pixels(original: Any, self: Any, features: int, images: int, config: Any, *rest: Any) -> None:
    original(self, features, images, config, *rest)
    self.ring = nn.functional.pad(torch.zeros(config.N - 32, config.N - 32), [16] * 4, value=1.0).bool()


def otherwise(owner: type, where: Callable[[ModelConfig], bool], place: int, **changed: Any) -> Change:
    """A part that is made by other settings where `where` says so; its configuration is what is given at this place."""

    def change(original: Any, self: Any, *given: Any) -> None:
        config = given[place]
        found = replace(config, **changed) if where(config) else config
        original(self, *given[:place], found, *given[place + 1 :])

    return method(owner, "__init__", change)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-MODEL-001c", "rectifiers leak a hundredth", f"{RECTIFIES}[first]", f"{RECTIFIES}[second]",
    plant=activated_by(nn.LeakyReLU))
mutant("GUARD-MODEL-001d", "blocks have SiLU for ReLU", f"{RECTIFIES}[first]", f"{RECTIFIES}[second]",
    plant=activated_by(nn.SiLU))
mutant("GUARD-MODEL-001e", "the second convolution of a block has no ReLU", f"{RECTIFIES}[second]",
    plant=function(cnn._convolve_twice, lambda original, *widths: original(*widths)[:3]))
mutant("GUARD-MODEL-001f", "blocks end in a mean of two by two", POOLS,
    plant=function(cnn._down_block, lambda original, *widths: nn.Sequential(*original(*widths)[:-1], nn.AvgPool2d(2))))
mutant("GUARD-MODEL-001g", "blocks end in a convolution in steps of two", POOLS,
    plant=function(cnn._down_block, a_block_ends_in_steps))
mutant("GUARD-MODEL-004b", "decoders double by interpolation", "MODEL-004:a_decoder_repeats_its_pixels",
    plant=function(cnn._upsample, instead(lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False))))
mutant("GUARD-MODEL-005b", "the border of a wide probe is sixteen pixels wide, whatever the side", f"{SIDES}[N128-g2]",
    clauses=("MODEL-005",), plant=method(CentreHead, "__init__", the_border_has_sixteen_pixels))
mutant("GUARD-MODEL-005c", "probe_big has no effect without object_big", RING,
    plant=otherwise(CentreHead, lambda config: not config.object_big, 2, probe_big=False))
mutant("GUARD-MODEL-006c", "large networks light the border without probe_big", f"{SIDES}[N128-g1]", f"{SIDES}[N256-g1]",
    clauses=("MODEL-005",), plant=otherwise(CentreHead, lambda config: config.N > 64, 2, probe_big=True))
mutant("GUARD-MODEL-007i", "without object_big every activation is the sigmoid", "MODEL-007:swish_is_honoured",
    "MODEL-007:softplus_is_honoured", "MODEL-007:relu_is_honoured",
    plant=otherwise(CnnNetwork, lambda config: not config.object_big, 0, amp_activation="sigmoid"))
mutant("GUARD-MODEL-007j", "large networks know the sigmoid alone", f"{SIDES}[N128-g1]", f"{SIDES}[N256-g1]",
    clauses=("MODEL-007",), plant=otherwise(CnnNetwork, lambda config: config.N > 64, 0, amp_activation="sigmoid"))
mutant("GUARD-MODEL-007k", "phases end a little before half a turn", "MODEL-007:phase_stays_within_pi",
    plant=constant(cnn, "bounded_phase", lambda logits: 3.1 * torch.tanh(logits)))
