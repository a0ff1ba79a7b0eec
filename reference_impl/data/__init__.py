"""Files and raw records: NPZ archives in every accepted layout, read without running anything that stands in them."""

from __future__ import annotations

from reference_impl.data.header import FileHeader, inspect_file
from reference_impl.data.load import ensure_same_subsample, load_data, subsampled
from reference_impl.data.mask import good_pixels
from reference_impl.data.metadata import stated_nphotons
from reference_impl.data.record import RawData

__all__ = [
    "FileHeader",
    "RawData",
    "ensure_same_subsample",
    "good_pixels",
    "inspect_file",
    "load_data",
    "stated_nphotons",
    "subsampled",
]
