"""Defects of the calls around the network, of its checkpoints and of its weights' names."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from conformance.defects.planting import Plant
from conformance.mutants import mutant
from reference_impl.model import cnn, forward, network
from reference_impl.model.cnn import FullHead
from reference_impl.model.forward import PtychoModel
from reference_impl.training import hyperparameters, train_cdi_model_torch
from reference_impl.training.lightning_module import PtychoLightningModule

RETURNS = "MODEL-020:forward_returns_prediction_amplitude_and_phase"
PATCHES = "MODEL-021:inference_gives_the_complex_patches"
POSITIONS = "MODEL-021:inference_takes_no_notice_of_positions"
RELOADED = "MODEL-022:checkpoint_reloads_without_arguments"


@mutant("DEF-117", "callers get real and imaginary parts in stacked channels", PATCHES)
def inference_stacks_real_and_imaginary_parts(plant: Plant) -> None:
    def stacked(original):
        return lambda self, *inputs: torch.view_as_real(original(self, *inputs))

    plant.method(PtychoModel, "forward_predict", stacked)


@mutant("DEF-118", "the inference call takes images alone", PATCHES)
def inference_has_a_signature_of_its_own(plant: Plant) -> None:
    def alone(original):
        return lambda self, x, *_: original(self, x, None, None, x.new_ones(len(x)))

    plant.method(PtychoModel, "forward_predict", alone)


@mutant("DEF-161", "a checkpoint needs the classes of its day", RELOADED)
def hyper_parameters_are_live_objects(plant: Plant) -> None:
    plant.function(hyperparameters.plain, lambda original: lambda config: config)
    plant.method(
        PtychoLightningModule,
        "load_from_checkpoint",
        lambda original: (
            lambda cls, path, **options: super(PtychoLightningModule, cls).load_from_checkpoint(path, weights_only=False)
        ),
    )


@mutant("GUARD-MODEL-009", "unpadded objects are half as large", "MODEL-009:padding_does_not_change_shapes[not-padded]")
def unpadded_head_returns_half_the_side(plant: Plant) -> None:
    plant.method(FullHead, "forward", lambda original: lambda self, features: original(self, features)[..., ::2, ::2])
    plant.method(network.Autoencoder, "forward", lambda original: lambda self, patterns: self.network(patterns))


@mutant("GUARD-MODEL-020", "predicted amplitudes are negative", RETURNS)
def prediction_has_a_sign(plant: Plant) -> None:
    def signed(original):
        return lambda self, *inputs: (-(found := original(self, *inputs))[0], *found[1:])

    plant.method(PtychoModel, "forward", signed)


@mutant("GUARD-MODEL-020b", "the channel axis stands last", RETURNS)
def outputs_are_channel_last(plant: Plant) -> None:
    def moved(original):
        return lambda self, *inputs: tuple(part.movedim(1, -1) for part in original(self, *inputs))

    plant.method(PtychoModel, "forward", moved)


@mutant("GUARD-MODEL-021", "patches are merged before they are stitched", PATCHES, POSITIONS)
def inference_merges(plant: Plant) -> None:
    def merged(original):
        return lambda self, x, places, *rest: self._common_object(original(self, x, places, *rest), places)

    plant.method(PtychoModel, "forward_predict", merged)


@mutant("GUARD-MODEL-021b", "a flat scale runs along columns", POSITIONS)
def flat_scale_is_broadcast(plant: Plant) -> None:
    def broadcast(original):
        return lambda scale, name: scale if scale.ndim == 4 else scale.repeat(22)[:64]

    plant.function(forward.per_sample, broadcast)


@mutant("GUARD-MODEL-022", "a reloaded model is untrained", RELOADED)
def checkpoint_makes_its_weights_anew(plant: Plant) -> None:
    def fresh(original):
        def load(cls, path, **options):
            module = super(PtychoLightningModule, cls).load_from_checkpoint(path, **options)
            module.apply(cnn._initialise)
            return module

        return load

    plant.method(PtychoLightningModule, "load_from_checkpoint", fresh)


@mutant("GUARD-MODEL-023", "no second module has the first one's weights", "MODEL-023:weights_follow_from_the_configuration")
def layers_are_numbered_through(plant: Plant) -> None:
    count = itertools.count()

    def numbered(original):
        def stack(block, widths):
            return _named(original(block, widths), next(count))

        return stack

    plant.function(cnn._stack, numbered)


def _named(stack: torch.nn.Sequential, number: int) -> torch.nn.Sequential:
    """The stack as the one entry, of a name with a number in it, of another."""
    outer = torch.nn.Sequential()
    outer.add_module(f"layers_{number}", stack)
    return outer


@mutant("GUARD-MODEL-023b", "wider networks are as wide as before", "MODEL-023:weights_depend_on_scale_and_channels")
def filter_scale_is_ignored(plant: Plant) -> None:
    plant.function(cnn._scaled, lambda original: lambda filters, scale: original(filters, 1))


@mutant("GUARD-MODEL-026", "the autoencoder is another, untrained network", "MODEL-026:autoencoder_is_part_of_the_public_model")
def autoencoder_is_made_beside_the_trained_one(plant: Plant) -> None:
    def beside(train):
        def trained(*arguments, **options):
            results = dict(train(*arguments, **options))
            models = dict(results["models"])
            other = network.create_network(models["diffraction_to_obj"].model.config)
            return results | {"models": models | {"autoencoder": other}}

        return trained

    plant.function(train_cdi_model_torch, beside)


def _anything(cls: type[PtychoLightningModule], path: Any) -> PtychoLightningModule:
    """The module of a checkpoint that may hold objects of any class."""
    return super(PtychoLightningModule, cls).load_from_checkpoint(path, weights_only=False)
