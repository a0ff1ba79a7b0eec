"""Twins: the reference using one freedom of the contract each, to see that the suite accuses nobody wrongly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from conformance.defects.planting import Register

REGISTER = Register(__name__)
rows = REGISTER.rows


def twin(name: str, title: str, *, files: Sequence[str], checks: Sequence[str] = ()) -> Callable[[Any], Any]:
    """Enter a twin: its id, the freedom that it uses, the files whose quick checks must stay green, and slow checks besides."""
    return REGISTER.add(name, title, checks=checks, files=files)
