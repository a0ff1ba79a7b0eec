"""What neighbouring programs share with us: products, PtychoViT's pairs, overlaps, comparisons (specs/interop.md)."""

from __future__ import annotations

from reference_impl.exchange.comparison import compare_objects
from reference_impl.exchange.models import compare_models
from reference_impl.exchange.overlap import disc_overlap, overlap_metrics
from reference_impl.exchange.pair import read_pair, write_pair
from reference_impl.exchange.prediction import assemble_pair, write_normalisation
from reference_impl.exchange.product import read_product, write_product

__all__ = [
    "assemble_pair",
    "compare_models",
    "compare_objects",
    "disc_overlap",
    "overlap_metrics",
    "read_pair",
    "read_product",
    "write_normalisation",
    "write_pair",
    "write_product",
]
