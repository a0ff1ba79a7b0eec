"""Small arrays for the unit tests of the areas up to the batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def arrays(n: int = 23, N: int = 12, seed: int = 3) -> dict[str, np.ndarray]:
    """The members of a contract file: `n` patterns of side `N`, an anisotropic scan, an asymmetric complex probe, an object."""
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:N, :N] / N - 0.4
    side = 3 * N
    return {
        "xcoords": rng.uniform(N, 2 * N, n),
        "ycoords": rng.uniform(N, 1.4 * N, n),
        "diff3d": rng.random((n, N, N), dtype=np.float32) + 0.1,
        "probeGuess": (np.exp(-6 * (u**2 + 2 * v**2)) * np.exp(9j * u**2 * v)).astype(np.complex64),
        "objectGuess": (rng.random((side, side + 5)) + 1j * rng.random((side, side + 5))).astype(np.complex64),
    }


def write(path: Path, **changes: Any) -> Path:
    """An NPZ of `arrays()` with `changes`; None leaves a member out."""
    members = {**arrays(), **changes}
    np.savez(path, **{name: value for name, value in members.items() if value is not None})
    return path
