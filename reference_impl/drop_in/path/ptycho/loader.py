"""Groups as the client feeds them to a model: scaled patterns, and for each of them where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.batch import container_from_groups
from reference_impl.config import registry
from reference_impl.drop_in.canvas import Offsets
from reference_impl.errors import ContractError
from reference_impl.inference import absolute_offsets


@dataclass(frozen=True)
class PtychoDataContainer:
    """`X` `(n, N, N, C)` float32; `local_offsets` `(n, 1, 2, C)` float64; `global_offsets` `(n·C, 1, 1, 2)` float64 [x, y]."""

    X: np.ndarray
    local_offsets: np.ndarray
    global_offsets: Offsets


def load(
    cb: Callable[[], Mapping[str, Any]], probe: Any, which: str | None = None, create_split: bool = False
) -> PtychoDataContainer:
    """The container of the groups that `cb` returns. Raises `ContractError` where a split is asked for."""
    if create_split or which is not None:
        found = f"which={which!r}, create_split={create_split!r}"
        raise ContractError(field="load", expected="which=None and create_split=False: the client splits its data", found=found)
    grouped = cb()
    container = container_from_groups(grouped, probe, registry.get("nphotons", 1e9))
    whole = grouped.get("objectGuess")
    places = Offsets.on(absolute_offsets(container), None if whole is None else np.shape(whole))
    return PtychoDataContainer(container.X.numpy(), container.local_offsets.numpy(), places)
