"""Absolute counts: images are numbers of photons, the probe is calibrated, and predicts them (specs/counts.md)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.counts.dataset import CountDataset, counts_of  # noqa: E402
from reference_impl.counts.module import CountModule  # noqa: E402
from reference_impl.counts.rectangular import count_likelihood, rectangular  # noqa: E402
from reference_impl.counts.session import infer, open_checkpoint, prepare, train  # noqa: E402
from reference_impl.counts.settings import CountSettings  # noqa: E402
from reference_impl.counts.statistics import CountStatistics  # noqa: E402

__all__ = [
    "CountDataset",
    "CountModule",
    "CountSettings",
    "CountStatistics",
    "count_likelihood",
    "counts_of",
    "infer",
    "open_checkpoint",
    "prepare",
    "rectangular",
    "train",
]
