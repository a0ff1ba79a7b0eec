"""Other networks by name that the contract allows: a stranger's, other layouts, other names of the weights."""

from __future__ import annotations

import torch
from torch import nn

from conformance.defects.changes import answer, method, result
from conformance.defects.planting import Plant
from conformance.twins import rows
from reference_impl.model import amplitude_and_phase, register_architecture
from reference_impl.model.network import Autoencoder
from reference_impl.model.unrolled import Stage, UnrolledNetwork

FILES = ("test_model_architectures",)
SLOW = ("MODEL-035:each_comes_back_from_its_bundle",)


class Perceptron(nn.Module):
    """A network of one hidden layer for each pixel's row, with a normalisation that knows running means."""

    def __init__(self, config):
        super().__init__()
        self.config, channels = config, config.gridsize**2 if config.object_big else 1
        self.rows = nn.Linear(config.N, config.N)
        self.norm = nn.BatchNorm2d(channels)
        self.mix = nn.Conv2d(channels, 2 * channels, 1)

    def forward(self, patterns):
        return amplitude_and_phase(self.mix(self.norm(self.rows(patterns) + patterns)), self.config)


def a_stranger_registers_a_network(plant: Plant) -> None:
    register_architecture("rows_of_lines")(Perceptron)
    plant.method(Autoencoder, "__init__", lambda original: original)


def weights_lie_in_a_room_of_their_own(original, self, config):
    original(self, config)
    self.inner = nn.ModuleDict({"room": nn.ModuleList(self.stages)})
    del self.stages
    type(self).stages = property(lambda this: this.inner["room"])


def patterns_run_channels_last(original, self, seen):
    return original(self, seen.contiguous(memory_format=torch.channels_last))


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ARCHITECTURE-OF-A-STRANGER", "a third network is registered, of lines and running means", *SLOW, files=FILES,
    plant=a_stranger_registers_a_network)
twin("TWIN-ARCHITECTURES-IN-ANOTHER-ORDER", "a list of names, the default last", *SLOW, files=FILES,
    plant=answer("architectures", result(lambda names: sorted(names, reverse=True))))
twin("TWIN-STAGES-IN-A-ROOM", "the weights of one network have other names", *SLOW, files=FILES,
    plant=method(UnrolledNetwork, "__init__", weights_lie_in_a_room_of_their_own))
twin("TWIN-STAGES-CHANNELS-LAST", "stages compute channels-last", *SLOW, files=FILES,
    plant=method(Stage, "forward", patterns_run_channels_last))
