"""Distances between an answer and its truth, after the freedoms that the clause grants are taken out. Numbers only, no pytest.

A bound comes from a clause (`conformance.specification.tolerances`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conformance.specification.tolerances import EPS, Tolerance


@dataclass(frozen=True)
class Distance:
    """`value` against `bound`, both in `unit`; `removed` says which freedoms were taken out and by how much."""

    value: float
    bound: float
    unit: str
    where: tuple[int, ...] = ()
    removed: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.value:.4g}" + ("" if self.unit == "1" else f" {self.unit}")

    @property
    def within(self) -> bool:
        """True where the bound holds; a distance that is not a number never does."""
        return bool(self.value <= self.bound)


def distance(
    value: np.ndarray, truth: np.ndarray, tolerance: Tolerance, *, working: str, gauge: tuple[str, ...] = (), spread: Any = None
) -> Distance:
    """The largest deviation of `value` from `truth` (same shape), in the tolerance's unit.

    `working` is the dtype in which the backend computed; `spread` the standard error of each element, for `sigma`.
    """
    a, b = _wide(value), _wide(truth)
    a, removed = remove_gauge(a, b, gauge)
    deviation = np.abs(a - b)
    if tolerance.kind == "sigma":
        deviation = deviation / np.broadcast_to(np.asarray(spread, dtype=float), deviation.shape)
    worst = float(deviation.max()) if deviation.size else 0.0
    where = tuple(int(i) for i in np.unravel_index(int(np.argmax(deviation)), deviation.shape)) if deviation.size else ()
    peak = float(np.abs(b).max()) if b.size else 0.0
    if tolerance.kind in ("exact", "absolute", "sigma"):
        unit = {"exact": "1", "absolute": "1", "sigma": "standard errors"}[tolerance.kind]
        return Distance(worst, tolerance.amount, unit, where, removed)
    step = EPS[tolerance.dtype or working] if tolerance.kind == "eps" else 1.0
    scaled = 0.0 if worst == 0 else (worst / (peak * step) if peak else float("inf"))
    unit = f"eps of {tolerance.dtype or working} × max|truth|" if tolerance.kind == "eps" else "max|truth|"
    return Distance(scaled, tolerance.amount, unit, where, removed)


def _wide(x: np.ndarray) -> np.ndarray:
    return x.astype(np.complex128 if np.iscomplexobj(x) else np.float64)


def remove_gauge(value: np.ndarray, truth: np.ndarray, gauge: tuple[str, ...]) -> tuple[np.ndarray, dict[str, Any]]:
    """`value` as near to `truth` as the named freedoms allow, and what was taken out; ramps first, then phase, then scale."""
    removed: dict[str, Any] = {}
    for name in sorted(gauge, key=("ramp", "global-phase", "scale").index):
        value, removed[name] = _REMOVE[name](value, truth)
    return value, removed


def _without_ramp(value: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, list[float]]:
    """Slopes (radians a pixel, along the last two axes) from the mean phase step of value·conj(truth) between neighbours."""
    ratio = value * np.conj(truth)
    slope_row = float(np.angle(np.sum(ratio[..., 1:, :] * np.conj(ratio[..., :-1, :]))))
    slope_column = float(np.angle(np.sum(ratio[..., :, 1:] * np.conj(ratio[..., :, :-1]))))
    rows, columns = np.arange(value.shape[-2])[:, None], np.arange(value.shape[-1])[None, :]
    return value * np.exp(-1j * (slope_row * rows + slope_column * columns)), [slope_row, slope_column]


def _without_phase(value: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    phase = float(np.angle(np.vdot(truth, value)))
    return value * np.exp(-1j * phase), phase


def _without_scale(value: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, float]:
    """One positive real factor; where none is positive the values stay as they are."""
    power = float(np.vdot(value, value).real)
    factor = float(np.vdot(value, truth).real) / power if power > 0 else 1.0
    return (value * factor, factor) if factor > 0 else (value, 1.0)


_REMOVE: dict[str, Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, Any]]] = {
    "ramp": _without_ramp,
    "global-phase": _without_phase,
    "scale": _without_scale,
}
