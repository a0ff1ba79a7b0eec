"""Masks of a detector, and stacks in which nonsense stands under them."""

from __future__ import annotations

from typing import Any

import numpy as np

MARKS = {"nan": np.nan, "infinity": np.inf, "minus-one": -1.0, "largest-integer": 65535.0}
"""What detectors write where they have no count."""


def mask(N: int) -> np.ndarray:
    """`(N, N)` bool, True is good: two rows of a gap, half a dead column and a pixel; no flip leaves it alone."""
    good = np.ones((N, N), dtype=bool)
    good[N // 3 : N // 3 + 2] = False
    good[: N // 4, N - 3] = False
    good[N - 2, 1] = False
    return good


def marked(stack: np.ndarray, good: np.ndarray, mark: float) -> np.ndarray:
    """`(n, N, N)` with `mark` under the mask, as the file of a detector has it."""
    return np.where(good, stack, np.asarray(mark, stack.dtype))


def spoiled(images: np.ndarray, good: np.ndarray, mark: float) -> np.ndarray:
    """`(n, N, N, C)` images of a container with `mark` under the mask."""
    return np.where(good[..., None], images, np.asarray(mark, images.dtype))


def hides(backend: Any, container: Any, good: np.ndarray) -> Any:
    """The container with a mask; not claimed where the backend takes none (DATA-012)."""
    backend.masked  # noqa: B018 - the harness answers for a method that is not there
    container.mask = good
    return container


FAULTS: dict[str, Any] = {
    "another-shape": lambda good: good[:-1, :-1],
    "other-values": lambda good: np.where(good, 1, 7),
    "nothing-good": np.zeros_like,
}
"""What is no mask, made of one."""

NO_VALUES: dict[str, Any] = {
    "minus-one": lambda good: np.where(good, 1, -1).astype(np.int16),
    "two": lambda good: np.where(good, 2, 0).astype(np.uint8),
    "picture": lambda good: np.where(good, 255, 0).astype(np.uint8),
    "half": lambda good: np.where(good, 1.0, 0.5),
    "nearly": lambda good: np.where(good, 1.0, 1e-6),
    "nan": lambda good: np.where(good, 1.0, np.nan),
    "infinite": lambda good: np.where(good, 1.0, -np.inf),
}
"""Masks in which good or bad pixels are marked otherwise."""
