"""Mutants: the reference with one real defect each, to see that the suite catches it.

A module an area, a row a defect. `DEF-…` ids come from the contract's corpus of defects; `GUARD-…` are faults that no history
tells of, planted because a check would otherwise have caught nothing. A `DEF-…` is tried on the checks of its row and on the
quick checks of the files in which they stand, and of `files` (`test_batch`, …); a guard without `files` on its own checks alone.
"""

from __future__ import annotations

from conformance.defects.planting import Register

REGISTER = Register(__name__)
rows = REGISTER.rows
