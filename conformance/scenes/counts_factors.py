"""The two factors of an object of counts: which numbers among a module's weights they are, and counts where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.oracles import counts as oracle
from conformance.protocol import Native
from conformance.scenes.answers import finite
from conformance.scenes.counts import batch_of, calibrated, state

Factor = tuple[str, int]
"""A weight's name, and which of its numbers."""


def factors_of(backend: Any, module: Native, batch: Native) -> dict[Factor, str]:
    """The numbers among the weights by which one part of the object is multiplied, each with the part, `real` or `imaginary`.

    They may be weights of their own or the two numbers of one; other weights that are as short have another effect.
    """
    plain, found = native.array(backend.count_object(module, batch)).astype(complex), {}
    for name, value in state(backend, module).items():
        for place in range(value.size if value.size <= len(PARTS) else 0):
            other = native.array(backend.count_object(with_factors(backend, module, {(name, place): 1.0}), batch)).astype(complex)
            backend.with_weights(module, {name: value})
            moved = [part for part in PARTS if not np.allclose(getattr(other, part), getattr(plain, part), rtol=1e-5, atol=1e-7)]
            if len(moved) == 1 and _multiplied(*(getattr(one, moved[0]) for one in (other, plain))):
                found[name, place] = {"real": "real", "imag": "imaginary"}[moved[0]]
    return found


PARTS = ("real", "imag")


def _multiplied(other: np.ndarray, plain: np.ndarray) -> bool:
    factor = np.vdot(plain, other) / max(np.vdot(plain, plain), np.finfo(float).tiny)
    return bool(np.abs(other - factor * plain).max() <= 1e-4 * np.abs(other).max())


def with_factors(backend: Any, module: Native, steps: Mapping[Factor, float]) -> Native:
    """The module with these numbers of its weights moved by so much."""
    values = state(backend, module)
    for (name, place), step in steps.items():
        moved = values[name].copy()
        moved.reshape(-1)[place] += step
        values[name] = moved
    return backend.with_weights(module, {name: values[name] for name, _ in steps})


def with_factors_moved(backend: Any, made: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """The counts that a module predicts whose factors are told apart, and those of its object under the physical probe."""
    module, batch = made["module"], batch_of(made["train"])
    moved = with_factors(backend, module, {name: 0.5 + k for k, name in enumerate(sorted(factors_of(backend, module, batch)))})
    predicted, patches = finite(backend.count_predict(moved, batch), backend.count_object(moved, batch))
    return predicted, oracle.counts(patches, calibrated()[None, None])
