"""Files of anybody's → one `Experiment`. Nothing in a file runs code, and nothing is converted: see `data.geometry` for that."""

from __future__ import annotations

from reference_impl.data.experiment import Experiment, Frames, Item
from reference_impl.formats.read import opened
from reference_impl.formats.wishes import Wishes

__all__ = ["Experiment", "Frames", "Item", "Wishes", "opened"]
