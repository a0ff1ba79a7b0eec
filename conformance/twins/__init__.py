"""Twins: the reference using one freedom of the contract each, to see that the suite accuses nobody wrongly.

A module an area, a row a freedom: the quick checks of its `files` must stay green, and so must the checks that it names besides.
"""

from __future__ import annotations

from conformance.defects.planting import Register

REGISTER = Register(__name__)
rows = REGISTER.rows
