"""Neighbourhood grouping: members, patterns, normalised amplitudes, positions and labels of each group."""

from __future__ import annotations

from reference_impl.grouping.arrays import label_patches, transform
from reference_impl.grouping.grouped import generate_grouped_data
from reference_impl.grouping.indices import group_indices
from reference_impl.grouping.rules import group_by

__all__ = ["generate_grouped_data", "group_by", "group_indices", "label_patches", "transform"]
