"""The two numbers that a training split has, an experiment at a time: made once, kept for ever (CISCALE-002)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_impl.errors import ContractError


@dataclass(frozen=True)
class CountStatistics:
    """For each of E experiments, float32 `(E,)`, read-only.

    `rms_input_scale`: `sqrt((N/2)² / mean_{n,C} Σ_hw I²)`, which the network's input is multiplied by;
    `mean_measured_intensity`: the mean count, which the loss is divided by.
    """

    rms_input_scale: np.ndarray
    mean_measured_intensity: np.ndarray

    @classmethod
    def of(cls, intensity: np.ndarray, experiment_id: np.ndarray) -> CountStatistics:
        """Of training data: counts `(n, C, N, N)`, experiments `(n,)` from 0, each with some light. Sums in float64."""
        experiments = np.unique(experiment_id)
        if experiments.tolist() != list(range(len(experiments))):
            found = f"{experiments.tolist()}"
            raise ContractError(field="experiment_id", expected="numbers from 0 without a gap", found=found)
        scales, means = [], []
        for number in experiments:
            counts = intensity[experiment_id == number].astype(np.float64)
            energy = float(np.mean(np.sum(counts**2, axis=(-2, -1))))
            if not energy > 0:
                raise ContractError(field="measured_intensity", expected="light", found=f"none in experiment {number}")
            scales.append(np.sqrt((counts.shape[-1] / 2) ** 2 / energy))
            means.append(np.mean(counts))
        return cls(*(_frozen(values) for values in (scales, means)))

    def __len__(self) -> int:
        return len(self.rms_input_scale)

    def rows(self, name: str, experiment_id: np.ndarray) -> np.ndarray:
        """`(n, 1, 1, 1)` float32 of one of the two; `ContractError` for an experiment that the training did not have."""
        unknown = sorted(set(experiment_id.tolist()) - set(range(len(self))))
        if unknown:
            expected = f"one of the {len(self)} experiments of the training data"
            raise ContractError(field="experiment_id", expected=expected, found=f"{unknown[0]}")
        return getattr(self, name)[experiment_id].reshape(-1, 1, 1, 1)


def _frozen(values: list[float]) -> np.ndarray:
    array = np.array(values, dtype=np.float32)
    array.flags.writeable = False
    return array
