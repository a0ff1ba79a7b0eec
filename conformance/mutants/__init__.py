"""Mutants: the reference with one real defect each, to see that the suite catches it.

A module an area. `DEF-…` ids come from the contract's corpus of defects; `GUARD-…` are faults that no history tells of, planted
because a check would otherwise have caught nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.defects.planting import Register

REGISTER = Register(__name__)
rows = REGISTER.rows


def mutant(name: str, title: str, *must_fail: str, files: Sequence[str] = ()) -> Callable[[Any], Any]:
    """Enter a mutant: its id, its symptom in one line, and the checks that must fail by their own assertion.

    A `DEF-…` is tried on these and on the quick checks of the files in which they stand, and of `files` (`test_batch`, …); a
    guard without `files` on its own checks alone.
    """
    return REGISTER.add(name, title, checks=must_fail, files=files)
