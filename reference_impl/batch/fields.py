"""Reading a container, whoever made it: any object or mapping with some of the attributes of specs/batch.md.

Every function returns checked NumPy arrays with the sample first, ready to be gathered by index. Absent and None are the same;
an error that an attribute raises is the caller's to see (BATCH-036).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from reference_impl.batch.container import as_array
from reference_impl.batch.probe import disc_mask, normalise_probe
from reference_impl.config import InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.data import checks
from reference_impl.errors import ContractError

_MISSING = object()


def attribute(container: Any, name: str) -> Any:
    """The attribute (or entry) `name`, None where it is absent. Only true absence counts: a failing property raises."""
    if isinstance(container, Mapping):
        return container.get(name)
    # getattr with a default would take an AttributeError from inside a property for absence.
    return getattr(container, name) if _declares(container, name) else getattr(container, name, None)


def _declares(container: Any, name: str) -> bool:
    return any(name in vars(kind) for kind in type(container).__mro__)


def images(container: Any, channels: int) -> np.ndarray:
    """`X` as float32 `(n, C, N, N)`, contiguous; a view where the storage already is (BATCH-022, DATA-010).

    `(n, N, N, C)` is permuted, `(n, C, N, N)` recognised by its channels and left alone (BATCH-034). Zero where the container's
    mask hides a pixel, whatever stands there (BATCH-037).
    """
    value = attribute(container, "X")
    if value is None:
        raise ContractError(field="X", expected="patterns (n, N, N, C)", found="none (X is missing)")
    X = as_array(value)
    if X.dtype.kind not in "biuf":
        raise ContractError(field="X", expected="real numbers", found=f"dtype {X.dtype}")
    stack = np.ascontiguousarray(_channel_first(X, channels, "X"), dtype=np.float32)
    good = mask(container, stack.shape[-1])
    return stack if good is None else checks.masked(stack, good)


def mask(container: Any, side: int) -> np.ndarray | None:
    """The good pixels of the container's detector, bool `(N, N)`; None where it hides none (BATCH-037)."""
    value = attribute(container, "mask")
    return None if value is None else checks.mask(as_array(value), side)


def _channel_first(array: np.ndarray, channels: int, field: str) -> np.ndarray:
    """A view `(n, C, N, N)` of `(n, N, N, C)` or `(n, C, N, N)`; channel-last wins where C = N makes both possible."""
    shape = array.shape
    if len(shape) == 4 and shape[1] == shape[2] and shape[3] == channels:
        return array.transpose(0, 3, 1, 2)
    if len(shape) == 4 and shape[2] == shape[3] and shape[1] == channels:
        return array
    raise ContractError(field=field, expected=f"(n, N, N, C) with C = gridsize² = {channels}", found=f"shape {shape}")


def relative_positions(container: Any, count: int, model: ModelConfig) -> np.ndarray:
    """`coords_relative` as float32 `(n, C, 1, 2)`, contiguous (BATCH-023); zeros are allowed without `object_big` (BATCH-027)."""
    value, channels = attribute(container, "coords_relative"), model.gridsize**2
    if value is None:
        if model.object_big:
            found = "none: coords_relative is required to merge (object_big)"
            raise ContractError(field="coords_relative", expected="relative positions (n, 1, 2, C)", found=found)
        return np.zeros((count, channels, 1, 2), dtype=np.float32)
    coords = as_array(value)
    if coords.shape == (count, 1, 2, channels):
        coords = coords.transpose(0, 3, 1, 2)
    if coords.shape != (count, channels, 1, 2):
        expected = f"shape {(count, 1, 2, channels)}"
        raise ContractError(field="coords_relative", expected=expected, found=f"shape {coords.shape}")
    return np.ascontiguousarray(coords, dtype=np.float32)


def scale(container: Any, name: str, count: int) -> np.ndarray:
    """A scale as float32 `(n, 1, 1, 1)`, from a number, `(1, 1, 1)`, `(n,)`, `(n, 1, 1, 1)` …; ones where missing (BATCH-025)."""
    value = attribute(container, name)
    array = np.ones(1) if value is None else as_array(value)
    if array.size not in (1, count) or (array.size == count > 1 and array.shape[0] != count):
        expected = f"a number or one a sample, ({count},)"
        raise ContractError(field=name, expected=expected, found=f"shape {array.shape}")
    full = np.broadcast_to(array.reshape(-1).astype(np.float32), (count,))
    return np.ascontiguousarray(full).reshape(count, 1, 1, 1)


def experiment_ids(container: Any, count: int) -> np.ndarray:
    """`experiment_id` as int64 `(n,)`; zeros where missing."""
    value = attribute(container, "experiment_id")
    array = np.zeros(1, dtype=np.int64) if value is None else as_array(value)
    if array.size not in (1, count) or array.dtype.kind not in "iu":
        found = f"dtype {array.dtype}, shape {array.shape}"
        raise ContractError(field="experiment_id", expected=f"an integer or one a sample, ({count},)", found=found)
    return np.ascontiguousarray(np.broadcast_to(array.reshape(-1).astype(np.int64), (count,)))


def probe(container: Any, side: int, model: ModelConfig) -> tuple[np.ndarray, float]:
    """The normalised probe, complex64 `(P, N, N)`, and `1/norm` (BATCH-028, BATCH-029); without one, ones of side N and 1."""
    value = attribute(container, "probe")
    if value is None:
        return np.ones((1, side, side), dtype=np.complex64), 1.0
    normalised, factor = normalise_probe(value, model.probe_scale, _mask(value, side) if model.probe_mask else None)
    if normalised.shape[-1] != side:
        found = f"shape {as_array(value).shape}"
        raise ContractError(field="probe", expected=f"side N={side}, that of the patterns", found=found)
    return normalised.numpy().reshape(-1, side, side), factor


def _mask(value: Any, side: int) -> np.ndarray | None:
    # A probe of another side is refused by name after normalisation, not here by a failing product.
    return disc_mask(side) if as_array(value).shape[-2] == side else None


def needs_labels(config: TrainingConfig | InferenceConfig) -> bool:
    """Whether a training's loss compares with ground truth: a supervised model, or a weight on the complex error (decision 6)."""
    if not isinstance(config, TrainingConfig):
        return False
    return config.model.model_type == "supervised" or config.realspace_mae_weight > 0


def label_light(container: Any, config: TrainingConfig | InferenceConfig, side: int) -> np.ndarray | None:
    """How much light the pixels of a solver's labels had, float32 `(N, N)` >= 0; None outside of training, and else."""
    value = attribute(container, "label_light")
    if value is None or not isinstance(config, TrainingConfig):
        return None
    light = np.asarray(as_array(value), np.float32)
    if light.shape != (side, side) or not (np.isfinite(light).all() and (light >= 0).all() and light.any()):
        expected = f"light ({side}, {side}) of a patch, none of it negative"
        raise ContractError(field="label_light", expected=expected, found=f"others, of shape {light.shape}")
    return light


def labels(container: Any, count: int, channels: int) -> dict[str, np.ndarray]:
    """`label_amp` and `label_phase`, float32 `(n, C, N, N)`, of the container's `Y`; without it a `ContractError`."""
    value, owned = attribute(container, "Y"), attribute(container, "has_labels")
    if value is None or not (owned is None or owned):  # NumPy's False is not Python's
        found = "none (supervised training and realspace_mae_weight need ground truth)"
        raise ContractError(field="label_amp", expected="labels Y (n, N, N, C), complex64", found=found)
    Y = as_array(value)
    if Y.dtype.kind != "c" or len(Y) != count:
        found = f"dtype {Y.dtype}, shape {Y.shape}"
        raise ContractError(field="label_amp", expected=f"{count} complex64 labels Y (DATA-001)", found=found)
    Y = _channel_first(Y, channels, "Y")
    holes = (~np.isfinite(Y)).any(axis=(1, 2, 3)).nonzero()[0]
    if len(holes):  # one of them would make a NaN of every weight
        found = f"NaN or infinity in {len(holes)} of {count} samples, the first of them {holes[0]}"
        raise ContractError(field="label_amp", expected="finite labels Y", found=found)
    return {
        "label_amp": np.ascontiguousarray(np.abs(Y), dtype=np.float32),
        "label_phase": np.ascontiguousarray(np.angle(Y), dtype=np.float32),
    }
