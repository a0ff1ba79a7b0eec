"""Defects of networks beside `cnn`, planted into `unrolled` and into the shell around all of them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import torch
from torch import nn

from conformance.defects.changes import answer, every, function, method, result
from conformance.mutants import rows
from reference_impl.bundle import archive, parameters
from reference_impl.model.forward import PtychoModel
from reference_impl.model.network import Autoencoder
from reference_impl.model.unrolled import Illumination, Stage, UnrolledNetwork

LISTED = "MODEL-028:architectures_are_listed"
MADE = "MODEL-028:each_makes_a_module"
FORMS = "MODEL-029:each_answers_in_one_form"
IDENTITY = "MODEL-029:each_has_patches_of_its_amplitude_and_phase"
RANGES = "MODEL-030:each_keeps_the_ranges"
BORDER = "MODEL-030:each_leaves_the_border_empty_without_probe_big"
ALONE = "MODEL-031:in_each_samples_are_alone"
REPEATS = "MODEL-032:each_repeats_itself"
NAMES = "MODEL-033:weights_of_each_follow_from_the_configuration"
WHOLE = "MODEL-033:weights_are_all_of_each"
LEARNS = "MODEL-034:every_weight_of_each_learns"
BUNDLED = "MODEL-035:each_comes_back_from_its_bundle"
SCALED = "MODEL-036:each_multiplies_its_patterns_by_their_scale"
ORDER = "MODEL-038:to_each_the_order_of_modes_is_one"
HEARS = "MODEL-038:each_hears_every_mode_or_none"
BEHIND = "MODEL-037:each_sees_the_probe_behind_its_mask"
READ = "MODEL-036:each_reads_every_pattern"


def _unrolled(change):
    """Of a method of the shell: the change where the network inside is `unrolled`, the original elsewhere."""

    def changed(original, self, *given):
        inner = self if isinstance(self, Autoencoder) else self.autoencoder
        return (change if inner.takes_probe else lambda original, self, *rest: original(self, *rest))(original, self, *given)

    return changed


def patches_under_the_whole_probe(original, self, x, places, probe, scale):
    return self.autoencoder(x * scale.view(-1, 1, 1, 1), probe, places)


def patches_in_the_whole_light(original, self, x, places, probe, scale):
    share = probe.abs().square().mean() / self._masked(probe).abs().square().mean()
    return original(self, x * share.sqrt(), places, probe, scale)


def the_strongest(modes):
    powers = modes.abs().square().sum(dim=(-2, -1), keepdim=True)
    return torch.take_along_dim(modes, powers.argmax(dim=2, keepdim=True), dim=2)


def phases_are_double(original, self, *given):
    amplitude, phase = original(self, *given)
    return amplitude, phase.double()


def phases_start_at_zero(original, self, *given):
    amplitude, phase = original(self, *given)
    return amplitude, phase + torch.pi


def energies_are_divided_out_unguarded(original, self, patterns, *rest):
    original(self, patterns, *rest)
    self.amplitudes = self.amplitudes / patterns.square().mean(dim=(2, 3), keepdim=True)


def light_is_that_of_the_batch(original, self, *given):
    original(self, *given)
    self.flat = self.flat.mean(dim=0, keepdim=True).expand_as(self.flat)


def steps_begin_where_the_last_call_ended(original, self, *given):
    amplitude, phase = original(self, *given)
    kept, self.kept = getattr(self, "kept", None), amplitude.detach()
    return (amplitude if kept is None or kept.shape != amplitude.shape else amplitude / 2 + kept / 2), phase


def stages_are_numbered_through(original, self, config):
    original(self, config)
    self.stages = nn.ModuleDict({f"stage_{next(_count)}": stage for stage in self.stages})
    self.stages.__class__ = _InOrder


class _InOrder(nn.ModuleDict):
    def __iter__(self):
        return iter(self._modules.values())


_count = itertools.count()


def a_number_is_drawn_and_not_kept(original, self, config):
    original(self, config)
    self.drawn = float(torch.rand(()))


def the_first_stage_learns_nothing(original, self, seen):
    return original(self, seen).detach()


def large_sides_are_refused_in_other_words(original, self, config):
    if config.N > 64:
        raise ValueError(f"N: expected 64, found {config.N}")
    original(self, config)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-MODEL-028", "a network is listed that cannot be made", MADE,
    plant=answer("architectures", result(lambda names: (*names, "hourglass"))))
mutant("GUARD-MODEL-028b", "networks are listed twice", LISTED,
    plant=answer("architectures", result(lambda names: names + names)))
mutant("GUARD-MODEL-029", "phases are double", FORMS,
    plant=method(UnrolledNetwork, "forward", phases_are_double))
mutant("GUARD-MODEL-029b", "patches of one network are conjugated", IDENTITY,
    plant=method(PtychoModel, "forward_predict", _unrolled(lambda original, self, *given: original(self, *given).conj())))
mutant("GUARD-MODEL-029c", "a dark pattern makes a network answer NaN", FORMS,
    plant=method(Illumination, "__init__", energies_are_divided_out_unguarded))
mutant("GUARD-MODEL-030", "amplitudes of a bounded network have no end", RANGES,
    plant=method(UnrolledNetwork, "_amplitude", lambda original, self, image: image.abs()))
mutant("GUARD-MODEL-030b", "phases run from 0 to 2π", RANGES, plant=method(UnrolledNetwork, "forward", phases_start_at_zero))
mutant("GUARD-MODEL-030c", "one network never reads probe_big", BORDER,
    plant=method(UnrolledNetwork, "__init__", lambda original, self, config: original(self, replace(config, probe_big=True))))
mutant("GUARD-MODEL-031", "brightness is that of the whole batch", ALONE,
    plant=method(Illumination, "__init__", light_is_that_of_the_batch))
mutant("GUARD-MODEL-031b", "the first sample's probe lights all", ALONE,
    plant=method(Illumination, "__init__",
        lambda original, self, patterns, modes: original(self, patterns, modes[:1].expand_as(modes))))
mutant("GUARD-MODEL-032", "a call begins where the last one ended", REPEATS,
    plant=method(UnrolledNetwork, "forward", steps_begin_where_the_last_call_ended))
mutant("GUARD-MODEL-032b", "stages drop features outside of training too", REPEATS,
    plant=method(Stage, "forward", lambda original, self, seen: nn.functional.dropout(original(self, seen), 0.1, training=True)))
mutant("GUARD-MODEL-033", "stages have counted names", NAMES,
    breaks="train: the bundle asks for weights of their own names",
    plant=method(UnrolledNetwork, "__init__", stages_are_numbered_through))
mutant("GUARD-MODEL-033b", "a step's length is drawn and kept nowhere", WHOLE,
    plant=every(method(UnrolledNetwork, "__init__", a_number_is_drawn_and_not_kept),
        method(UnrolledNetwork, "_amplitude", lambda original, self, image: original(self, image * (1 + self.drawn)))))
mutant("GUARD-MODEL-034", "what is learned between steps is detached", LEARNS,
    plant=method(Stage, "forward", the_first_stage_learns_nothing))
mutant("GUARD-MODEL-034b", "the root of nothing has a slope without end", LEARNS,
    plant=method(Stage, "forward", lambda original, self, seen: original(self, seen) + 0 * (self.length - self.length).sqrt()))
mutant("GUARD-MODEL-035", "every bundle opens as the default network", BUNDLED,
    plant=function(parameters.config_of, result(lambda config: replace(config, model=replace(config.model, architecture="cnn")))))
mutant("GUARD-MODEL-035b", "lengths of steps come back as one", BUNDLED,
    plant=function(archive._rebuilt, result(lambda module: lengths_are_one(module))))
mutant("GUARD-MODEL-036", "one network sees patterns without their scale", SCALED,
    plant=method(PtychoModel, "_patches",
        _unrolled(lambda original, self, x, places, probe, scale: original(self, x, places, probe, torch.ones_like(scale)))))
mutant("GUARD-MODEL-036b", "the last member of a group is taken for the one before", READ,
    plant=method(Autoencoder, "forward",
        _unrolled(lambda original, self, patterns, *rest: original(self, without_the_last(patterns), *rest))))

mutant("GUARD-MODEL-037", "one network sees the probe as it came, without its mask", BEHIND,
    plant=method(PtychoModel, "_patches", _unrolled(patches_under_the_whole_probe)))
mutant("GUARD-MODEL-037b", "one network sees the light of the whole probe behind the mask", BEHIND,
    plant=method(PtychoModel, "_patches", _unrolled(patches_in_the_whole_light)))
mutant("GUARD-MODEL-029x", "patterns of 128 pixels are refused in other words",
    "MODEL-029:each_answers_at_the_sides_that_it_takes",
    plant=method(UnrolledNetwork, "__init__", large_sides_are_refused_in_other_words))


mutant("GUARD-MODEL-038", "one network takes the first mode for the probe", ORDER,
    plant=method(Illumination, "__init__", lambda original, self, patterns, modes: original(self, patterns, modes[:, :, :1])))
mutant("GUARD-MODEL-038b", "one network takes the strongest mode for the probe", HEARS,
    plant=method(Illumination, "__init__", lambda original, self, patterns, modes: original(
        self, patterns, the_strongest(modes))))


def lengths_are_one(module):
    for name, weight in module.named_parameters():
        if name.endswith("length"):
            nn.init.ones_(weight)
    return module


def without_the_last(patterns):
    return torch.cat([patterns[:, :-1], patterns[:, -2:-1]], dim=1) if patterns.shape[1] > 1 else patterns
