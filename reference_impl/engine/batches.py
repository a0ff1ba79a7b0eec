"""Which patterns make a step together: those of a mini-batch lie apart, so that a step hears of the whole object at once.

On the simulated scan of 1,024 patterns the error after five sweeps is 0.003 to 0.007 so, and 0.008 to 0.013 with patterns that
are drawn at random.
"""

from __future__ import annotations

import numpy as np
from torch import Tensor

from reference_impl.engine.waves import power

FEWEST, MOST = 8, 64
"""Steps of a sweep that is left to itself: fewer bring less (an error of 0.013 after five sweeps of eight), more cost more."""

LEAST = 16
"""Patterns a step: fewer say too little of the probe, which then runs away (seen with four of 40 patterns of 3e4 photons)."""


def mini_batches(positions: np.ndarray, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Numbers of the patterns of each mini-batch, `size` or a little less in each, every pattern once.

    The scan, `positions` `(n, 2)`, is cut by the median of its longer side into pieces of as many patterns as there are
    mini-batches (Bentley, Commun. ACM 18 (1975) 509); each piece deals out its own, one to each mini-batch.
    """
    count = -(-len(positions) // size)
    dealt: list[list[int]] = [[] for _ in range(count)]
    for piece in _pieces(positions, np.arange(len(positions)), count):
        for batch, number in zip(rng.permutation(count), piece, strict=False):
            dealt[batch].append(int(number))
    return [np.array(batch) for batch in dealt if batch]


def _pieces(positions: np.ndarray, numbers: np.ndarray, count: int) -> list[np.ndarray]:
    """Neighbours, `count` of them in each piece but for one."""
    if len(numbers) <= count:
        return [numbers]
    places = positions[numbers]
    sorted_numbers = numbers[np.argsort(places[:, int(np.argmax(np.ptp(places, axis=0)))], kind="stable")]
    cut = max(1, round(len(numbers) / 2 / count)) * count
    return [*_pieces(positions, sorted_numbers[:cut], count), *_pieces(positions, sorted_numbers[cut:], count)]


def batch_size(positions: np.ndarray, probe: Tensor) -> int:
    """Patterns a step that are many enough to light the scan once: the probe's area, (Σ|P|²)² / Σ|P|⁴, says how many.

    `positions` `(n, 2)` px, `probe` `(P, N, N)`. Cost then grows with the number of patterns, for a step that touches the
    whole canvas is made as often for a large scan as for a small one.
    """
    light = power(probe).sum(dim=0)
    area = float(light.sum() ** 2 / light.square().sum())
    scanned = float(np.prod(np.ptp(positions, axis=0) + np.sqrt(area)))
    steps = min(MOST, max(FEWEST, round(len(positions) * area / scanned)))
    return max(LEAST, -(-len(positions) // steps))
