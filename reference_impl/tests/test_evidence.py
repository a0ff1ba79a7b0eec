"""What tells counts from amplitudes where no number is exact."""

from __future__ import annotations

import numpy as np
import pytest

from reference_impl.tests.test_plausible import SCENE, found


@pytest.mark.parametrize("measurement", ["amplitude", "counts"])
def test_counts_are_known_by_rounding_and_by_a_factor(measurement: str) -> None:
    """Counts after some float32 arithmetic, and counts times a factor; roots of counts times a factor are amplitudes."""
    counts = np.rint(SCENE["diff3d"] ** 2).astype(np.float32)
    root = (lambda values: values) if measurement == "amplitude" else np.sqrt
    rounded, scaled_by = {**SCENE, "diff3d": root(counts / np.float32(3) * np.float32(3.00001))}, root(counts * np.float32(0.37))

    assert ("whole-numbers" in found(rounded, measurement=measurement)) == (measurement == "amplitude")
    assert "multiple of 0.37: " in found({**SCENE, "diff3d": scaled_by}, measurement=measurement)["broken-counts"]
    assert found({**SCENE, "diff3d": SCENE["diff3d"] * np.float32(0.37)}) == {}
