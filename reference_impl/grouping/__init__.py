"""Neighbourhood grouping: members, patterns, normalised amplitudes, positions and labels of each group."""

from __future__ import annotations

from reference_impl.grouping.arrays import label_patches, normalise, transform
from reference_impl.grouping.grouped import generate_grouped_data
from reference_impl.grouping.indices import group_indices

__all__ = ["generate_grouped_data", "group_indices", "label_patches", "normalise", "transform"]
