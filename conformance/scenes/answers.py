"""Answers of a backend from which a check computes its truth: they must be numbers, or the backend is at fault, not the check."""

from __future__ import annotations

import numpy as np

from conformance.connectors import native
from conformance.protocol import Native


def finite(*answers: Native) -> list[np.ndarray]:
    """The answers as arrays; `Malformed` where a value is not finite."""
    found = [native.array(answer) for answer in answers]
    if broken := [native.kind(x) for x in found if not np.isfinite(x).all()]:
        raise native.Malformed(f"expected finite values, found others in {', '.join(broken)}")
    return found


def number(answer: Native) -> float:
    """A scalar answer as a plain number; `Malformed` where it is no single finite one."""
    (found,) = finite(answer)
    if found.size != 1:
        raise native.Malformed(f"expected one number, found {native.kind(answer)}")
    return float(found.reshape(()))
