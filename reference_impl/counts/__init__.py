"""Absolute counts: images are numbers of photons, the probe is calibrated, and predicts them (specs/counts.md)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

from reference_impl.counts.dataset import CountDataset, counts_of  # noqa: E402
from reference_impl.counts.module import CountModule  # noqa: E402
from reference_impl.counts.records import CountScan, count_scan  # noqa: E402
from reference_impl.counts.rectangular import count_likelihood, rectangular  # noqa: E402
from reference_impl.counts.session import (  # noqa: E402
    infer,
    is_count_checkpoint,
    open_checkpoint,
    prepare,
    refuse_several,
    train,
)
from reference_impl.counts.settings import CountSettings  # noqa: E402
from reference_impl.counts.statistics import CountStatistics  # noqa: E402

__all__ = [
    "CountDataset",
    "CountModule",
    "CountScan",
    "CountSettings",
    "CountStatistics",
    "count_likelihood",
    "count_scan",
    "counts_of",
    "infer",
    "is_count_checkpoint",
    "open_checkpoint",
    "prepare",
    "rectangular",
    "refuse_several",
    "train",
]
