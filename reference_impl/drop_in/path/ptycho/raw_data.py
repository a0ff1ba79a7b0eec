"""Raw records: what the client exported, and what it holds in memory; see `reference_impl.drop_in.records`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from reference_impl import data
from reference_impl.config import registry
from reference_impl.drop_in import records
from reference_impl.grouping import generate_grouped_data


class RawData(data.RawData):
    """A scan; `diff3d` holds float32 amplitudes, however the client sent it."""

    @classmethod
    def from_file(cls, path: str | Path) -> RawData:
        """A file that the client exported (counts, `bad_pixels`), or a contract file."""
        return super().from_file(path, records.measurement_of(path))

    @classmethod
    def from_coords_without_pc(
        cls,
        xcoords: np.ndarray,
        ycoords: np.ndarray,
        diff3d: np.ndarray,
        probeGuess: np.ndarray | None,
        scan_index: np.ndarray | None = None,
        objectGuess: np.ndarray | None = None,
    ) -> RawData:
        """A record of photon counts `(n, N, N)`; start positions are the positions."""
        return super().from_coords_without_pc(xcoords, ycoords, records.in_memory(diff3d), probeGuess, scan_index, objectGuess)

    def generate_grouped_data(
        self, N: int, K: int = 7, nsamples: int = 1, gridsize: int | None = None, seed: int | None = None, **options: Any
    ) -> dict[str, Any]:
        """`nsamples` groups for each exposure, as the client counts them; single patterns never twice."""
        side = registry.get("gridsize") if gridsize is None else gridsize
        rounds = nsamples if side > 1 else 1
        pool = {"enable_oversampling": True, "neighbor_pool_size": K} if rounds > 1 else {}
        return generate_grouped_data(self, N, K=K, nsamples=rounds * len(self), gridsize=side, seed=seed, **pool, **options)
