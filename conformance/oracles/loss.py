"""The objective in float64, term by term; `x` measured, `Â` predicted amplitudes `(B, C, N, N)`, `S` scales `(B, 1, 1, 1)`."""

from __future__ import annotations

import math

import numpy as np

_log_gamma = np.vectorize(math.lgamma, otypes=[float])


def batch_mean(terms: np.ndarray) -> float:
    """Mean over samples of the sum over everything else."""
    return float(np.mean(np.sum(np.asarray(terms, dtype=float), axis=(1, 2, 3))))


def poisson_nll(predicted: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> float:
    """Batch mean of `Σ λ - y·ln λ + lnΓ(y + 1)` with `λ = (S·Â)²`, `y = (S·x)²` (LOSS-001, LOSS-003)."""
    rate, count = ((scale.astype(float) * side.astype(float)) ** 2 for side in (predicted, measured))
    return batch_mean(rate - count * np.log(rate) + _log_gamma(count + 1))


def short_nll(predicted: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> float:
    """The same without the term that does not depend on the prediction (LOSS-005)."""
    rate, count = ((scale.astype(float) * side.astype(float)) ** 2 for side in (predicted, measured))
    return batch_mean(rate - count * np.log(rate))


def nll_slope(predicted: np.ndarray, measured: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The derivative of the batch mean with respect to each predicted amplitude: `(2·S²·Â - 2·S²·x²/Â) / B`."""
    a, x, s = (side.astype(float) for side in (predicted, measured, scale))
    return 2 * s**2 * (a - x**2 / a) / len(a)


def lit_distance(patches: np.ndarray, labels: np.ndarray, light: np.ndarray) -> float:
    """Mean over samples and channels of `min_g ‖g·O - L‖ / ‖L‖`, squares weighed by `light` `(N, N)` (LOSS-016)."""
    found, known = patches.astype(complex), labels.astype(complex)
    factor = np.sum(light * found.conj() * known, axis=(2, 3), keepdims=True)
    factor = factor / np.sum(light * np.abs(found) ** 2, axis=(2, 3), keepdims=True)
    left = np.sum(light * np.abs(factor * found - known) ** 2, axis=(2, 3)) / np.sum(light * np.abs(known) ** 2, axis=(2, 3))
    return float(np.mean(np.sqrt(left)))


def absolute_error(predicted: np.ndarray, measured: np.ndarray) -> float:
    """Batch mean of `Σ |Â - x|` (LOSS-006)."""
    return batch_mean(np.abs(predicted.astype(float) - measured))


def normaliser(measured: np.ndarray) -> float:
    """`mean(x) + 1e-8` (LOSS-002)."""
    return float(np.mean(measured.astype(float))) + 1e-8


def over_good(predicted: np.ndarray, measured: np.ndarray, good: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """LOSS-012: both amplitudes `(B, C, k, 1)` of the k good pixels alone; `good` `(N, N)` bool."""
    return tuple(side.astype(float)[:, :, good][..., None] for side in (predicted, measured))


def supervised(amplitude: np.ndarray, phase: np.ndarray, label_amp: np.ndarray, label_phase: np.ndarray) -> float:
    """Batch mean of `2·Σ|A - A*| + 4·Σ|φ - φ*|` (LOSS-007)."""
    return 2 * absolute_error(amplitude, label_amp) + 4 * absolute_error(phase, label_phase)


def total_variation(patches: np.ndarray) -> float:
    """Mean modulus of the horizontal steps plus that of the vertical steps of complex patches (LOSS-030)."""
    return float(np.mean(np.abs(np.diff(patches, axis=-1))) + np.mean(np.abs(np.diff(patches, axis=-2))))


def label_error(patches: np.ndarray, labels: np.ndarray) -> float:
    """Mean of `|O - O*|` of complex patches (LOSS-030)."""
    return float(np.mean(np.abs(patches - labels)))
