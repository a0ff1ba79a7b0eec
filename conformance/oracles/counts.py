"""Absolute counts in float64: statistics, prediction, likelihood, laws of dose (CISCALE, PHYS-040, LOSS-020)."""

from __future__ import annotations

import math

import numpy as np

from conformance.oracles.physics import far_field

_log_gamma = np.vectorize(math.lgamma, otypes=[float])
LEAST_RATE = 1e-8


def statistics(intensity: np.ndarray, experiment_id: np.ndarray) -> dict[str, np.ndarray]:
    """CISCALE-002: `rms_input_scale` and `mean_measured_intensity` `(E,)` of counts `(n, C, N, N)`."""
    found: dict[str, list[float]] = {"rms_input_scale": [], "mean_measured_intensity": []}
    for number in range(int(experiment_id.max()) + 1):
        counts = intensity[experiment_id == number].astype(float)
        energy = np.mean([np.sum(plane**2) for sample in counts for plane in sample])
        found["rms_input_scale"].append(math.sqrt((counts.shape[-1] / 2) ** 2 / energy))
        found["mean_measured_intensity"].append(float(np.mean(counts)))
    return {name: np.array(values) for name, values in found.items()}


def counts(field: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """`Σ_p |F(P_p·O)|²` `(B, C, N, N)` of a field `(B, C, N, N)` under `(B|1, C|1, P, N, N)` (PHYS-040)."""
    return np.sum(np.abs(far_field(field.astype(complex)[:, :, None] * probe)) ** 2, axis=2)


def likelihood(predicted: np.ndarray, measured: np.ndarray, mean: np.ndarray) -> float:
    """LOSS-020: the mean over samples of `Σ λ - y·ln λ + lnΓ(y + 1)`, each over its `m`."""
    rate, y = np.maximum(predicted.astype(float), LEAST_RATE), measured.astype(float)
    each = np.sum(rate - y * np.log(rate) + _log_gamma(y + 1), axis=(1, 2, 3))
    return float(np.mean(each / mean.astype(float).ravel()))
