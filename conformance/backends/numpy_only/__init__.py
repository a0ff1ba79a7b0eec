"""A second backend, on NumPy alone: data, grouping, physics, batches, stitching and an iterative engine.

Written from `specs/` as a stranger would. It shares no code with the reference, and none with the harness's truths and inputs.
What it does not offer (a network, a loss, training, bundles, configuration objects) has no method here and reads `not-offered`.
`Backend` below is the whole adapter.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np

from conformance.backends.numpy_only import containers, engine, files, groups, loading, optics, records, stitching
from conformance.protocol import BackendInfo

LIVE: dict[str, Any] = {"gridsize": 1}
"""The live registry; grouping reads its `gridsize` where it is given none (GROUP-001)."""


class Backend:
    """The surfaces `data`, `grouping`, `batch`, `physics`, and `inference` without training; all arrays are NumPy's."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def info(self) -> BackendInfo:
        """There is no device but the CPU, whichever was asked for."""
        return BackendInfo(
            name="numpy", version="1", profiles=("core", "reconstruct"), numeric_libraries=(f"numpy {np.__version__}",),
            surfaces=("config.registry", "data.read", "data.record", "data.write", "grouping", "batch", "physics", "inference"),
        )  # fmt: skip

    def registry(self) -> MutableMapping[str, Any]:
        return LIVE

    def group(self, raw: records.Record, *, gridsize: int | None = None, **options: Any) -> Mapping[str, Any]:
        return groups.group(raw, gridsize=LIVE["gridsize"] if gridsize is None else gridsize, **options)

    read = staticmethod(files.read)
    record = staticmethod(records.Record)
    write = staticmethod(records.write)
    transform = staticmethod(groups.transform)

    container_from_groups = staticmethod(containers.container_from_groups)
    container = staticmethod(containers.container)
    loaders = staticmethod(loading.loaders)
    normalise_probe = staticmethod(loading.normalise_probe)
    physics_scale = staticmethod(containers.physics_scale)

    diffract = staticmethod(optics.diffract)
    translate = staticmethod(optics.translate)
    merge = staticmethod(optics.merge)
    extract = staticmethod(optics.extract)
    padded_size = staticmethod(optics.padded_size)
    merge_for_inference = staticmethod(optics.merge_for_inference)
    observe_photons = staticmethod(optics.observe_photons)
    simulation_scale = staticmethod(optics.simulation_scale)
    simulate = staticmethod(optics.simulate)

    stitch = staticmethod(stitching.stitch)
    reconstruct = staticmethod(engine.reconstruct)
