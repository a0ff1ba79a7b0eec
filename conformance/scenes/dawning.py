"""A long scan whose light grows from its first pattern to its last one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.scenes import networks, runs
from conformance.scenes.runs import BASE

ROUNDS = 9
"""Of thirty exposures: more groups than a block of 64, or of 256, holds."""
BRIGHTEST = 4.0
NAMES = ("X", "Y", "coords_relative", "global_offsets", "local_offsets", "nn_indices")


def container(backend: Any, step: int = 1) -> networks.Container:
    """The test record, group by group, again and again, in the order of `step` 1, or from the last one on with -1."""
    config = runs.configuration(backend, BASE, Path("unused"))
    backend.synchronise(config)
    grouped = backend.group(runs.test_record(backend), N=runs.N, K=5, nsamples=30, seed=3, gridsize=1)
    one = backend.container_from_groups(dict(grouped), runs.raw(30, seed=8)["probeGuess"], 3.0e4)
    held = {name: np.concatenate([np.array(native.array(getattr(one, name)))] * ROUNDS) for name in NAMES}
    light = np.linspace(1, BRIGHTEST, len(held["X"]), dtype=np.float32)
    held["X"] = held["X"] * light[:, None, None, None]
    return networks.Container(**{name: values[::step] for name, values in held.items()}, probe=np.array(native.array(one.probe)))
