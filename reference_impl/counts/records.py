"""From a record of amplitudes to the data of a training on absolute counts (CISCALE-005)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

from reference_impl.batch import ensure_container  # noqa: E402
from reference_impl.batch.container import as_array  # noqa: E402
from reference_impl.config import InferenceConfig, TrainingConfig  # noqa: E402
from reference_impl.counts.dataset import counts_of  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402


@dataclass(frozen=True)
class CountScan:
    """`data`: what `CountDataset` takes; `container`: the same groups as amplitudes; `scale`: S of CISCALE-005, by `source`."""

    data: dict[str, Any]
    container: Any
    scale: float
    source: str


def count_scan(
    record: Any, config: TrainingConfig | InferenceConfig, nphotons: float | None = None, cap: bool = False
) -> CountScan:
    """The groups of a raw record as counts under its probe, which has to be in the unit of its amplitudes.

    A mean pattern has `nphotons`, else those that the record's metadata state; where neither says so, amplitudes are the roots of
    counts. `cap`: no more groups than there are patterns. Raises `ContractError`, also for a mask, of which counts know nothing.
    """
    if record.mask is not None and not np.all(record.mask):
        found = f"{int(np.sum(~record.mask))} pixels that are bad"
        raise ContractError(file=record.file, field="mask", expected="none: absolute counts are of whole patterns", found=found)
    container = ensure_container(record, config, cap_groups=cap)
    photons, source = (nphotons, "asked for") if nphotons is not None else (record.nphotons, "the file's metadata")
    energy = float(np.mean(np.sum(np.square(record.diff3d, dtype=np.float64), axis=(-2, -1))))
    scale = 1.0 if photons is None or energy == 0 else float(np.sqrt(photons / energy))
    members = as_array(container.nn_indices)
    intensity, probe = counts_of(record.diff3d[members], scale, np.asarray(record.probeGuess))
    offsets = as_array(container.coords_relative).transpose(0, 3, 1, 2)
    data = {"intensity": intensity, "offsets": offsets, "probe": probe.reshape(-1, *probe.shape[-2:])}
    return CountScan(data, container, scale, "amplitudes taken as roots of counts" if photons is None else source)
