"""The bright, the faint and the many end: numbers at which a sum in single precision, or a least change, would show."""

from __future__ import annotations

import numpy as np

from conformance.connectors.names import NotEvaluated

FAINT = 2.0**-34
"""A weight of the likelihood that makes losses of a ten-thousandth; under Adam the updates stay nearly what they were."""

NO_ROOM = 16
"""Bytes of the largest file: a line of a log is longer."""

PILED = 0.1 + 0.3j

LEFT = 0.03
"""The greatest residual of an engine that is nearly there; masked pixels alone would make 0.08."""


LATE, FALLS = 10, 0.05
"""Passes in which a residual that has settled falls by less than this share."""


def nearly_fitted(scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted amplitudes a hundredth beside the measured ones, and a scale that makes photons of them, all float32."""
    rng = np.random.default_rng(29)
    measured = rng.uniform(0.25, 2.0, size=(2, 1, 16, 16)).astype(np.float32)
    predicted = measured * (1 + 0.01 * rng.standard_normal(measured.shape)).astype(np.float32)
    return predicted, measured, np.full((2, 1, 1, 1), scale, np.float32)


def piled(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches `(count, 2, 2, 1)` of one value, all at one place."""
    return np.full((count, 2, 2, 1), PILED, np.complex64), np.zeros((count, 1, 1, 2))


def ended(residuals: np.ndarray) -> np.ndarray:
    """The residuals of an engine; `NotEvaluated` where they are more than `LEFT` and still fall: on its way is not wrong."""
    if residuals.size > LATE and LEFT < residuals[-1] < (1 - FALLS) * residuals[-1 - LATE]:
        raise NotEvaluated(f"the residual still falls after {residuals.size} passes: {residuals[-1]:.3g}")
    return residuals
