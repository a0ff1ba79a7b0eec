"""What a backend is beyond the core: the surfaces that one profile alone asks for, under the rules of `conformance.protocol`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from conformance.protocol import Native


class Mapped(Protocol):
    """Scans in memory maps on disk, and groups by rule (profile `mmap`)."""

    def mapped(self, sources: Sequence[Path], folder: Path, config: Native, remake: bool = False, skip: bool = False) -> Native:
        """The dataset of the map in `folder`, of files and folders of files; built where it is not there (BATCH-040, BATCH-045).

        With `remake` it is built anew; with `skip` a file that cannot be used is left out (BATCH-047).
        """

    def mapped_loader(self, dataset: Any, batch_size: int) -> Native:
        """A loader that asks any `dataset` for whole batches, in order (BATCH-042)."""

    def mapped_centre(self, dataset: Native, rows: Sequence[int]) -> Native:
        """`(2,)`: the mean position [x, y] of the members of these rows (BATCH-048)."""

    def group_by(self, points: np.ndarray, rule: str, gridsize: int, **options: Any) -> Native:
        """Members `(m, C)` of points `(n, 2)` by `Nearest`, `Min_dist` or `4_quadrant` (GROUP-041, which names the options)."""
