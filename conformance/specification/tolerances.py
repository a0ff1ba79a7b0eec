"""What a clause may allow: bounds and gauges. No numeric library, so that a list of clauses costs nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

GAUGES = ("global-phase", "ramp", "scale")
KINDS = ("eps", "relative", "absolute", "sigma")
# The rounding step of each working dtype; bfloat16 keeps 8 significant bits.
EPS = {
    "float16": 2.0**-10,
    "bfloat16": 2.0**-7,
    "float32": 2.0**-23,
    "complex64": 2.0**-23,
    "float64": 2.0**-52,
    "complex128": 2.0**-52,
}


@dataclass(frozen=True)
class Tolerance:
    """A bound: `exact`; `eps`, in rounding steps of the working dtype (or of `dtype`) times max|truth|; `relative`, of
    max|truth|; `absolute`; or `sigma`, in standard errors that the check states."""

    kind: str
    amount: float = 0.0
    dtype: str | None = None

    def __str__(self) -> str:
        unit = {"eps": f"eps{f' of {self.dtype}' if self.dtype else ''} × max|truth|", "relative": "× max|truth|"}
        return "exact" if self.kind == "exact" else f"{self.amount:g} {unit.get(self.kind, self.kind)}"


def parse_tolerance(value: Any, place: str) -> tuple[Tolerance | None, list[str]]:
    """`"exact"`, or a table with one of `eps relative absolute sigma` (and, beside `eps`, `dtype`); else the faults."""
    if value is None:
        return None, []
    if value == "exact":
        return Tolerance("exact"), []
    kinds = [key for key in value if key in KINDS] if isinstance(value, dict) else []
    amount = value[kinds[0]] if len(kinds) == 1 else None
    if type(amount) not in (int, float) or not (math.isfinite(amount) and amount >= 0):
        return None, [f'{place} must be "exact" or one non-negative number of {", ".join(KINDS)}; found {value!r}']
    dtype = value.get("dtype")
    if set(value) - {kinds[0], "dtype"} or (dtype is not None and (kinds[0] != "eps" or dtype not in EPS)):
        return None, [f"{place}: beside {kinds[0]} stands what does not belong there: {value!r}"]
    return Tolerance(kinds[0], float(amount), dtype), []
