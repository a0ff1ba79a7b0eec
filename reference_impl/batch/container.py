"""From a raw record or its groups to the container that the loaders read (BATCH-001 to BATCH-012)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.config import InferenceConfig, TrainingConfig, registry  # noqa: E402
from reference_impl.data import checks, stated_nphotons, subsampled  # noqa: E402
from reference_impl.errors import ContractError, naming  # noqa: E402
from reference_impl.grouping import generate_grouped_data  # noqa: E402
from reference_impl.grouping.arrays import pattern_energies  # noqa: E402

REQUIRED_KEYS = ("X_full", "coords_relative", "coords_offsets", "nn_indices")
DEFAULT_SEED = 42


class ContractTypeError(ContractError, TypeError):
    """A `ContractError` where the contract asks for a `TypeError`."""


def resolve_seed(seed: int | None) -> int:
    """`None` is 42; 0 is a seed (decision 10). A number of Python's, whoever has it: torch takes no other (CONFIG-075)."""
    return DEFAULT_SEED if seed is None else int(seed)


@dataclass(eq=False)
class PtychoContainer:
    """`n` groups, channel-last, as CPU tensors (BATCH-001).

    `X` `(n, N, N, C)` float32; `Y` the same complex64, ones where `has_labels` is false; `coords_relative` `(n, 1, 2, C)` float32
    px, also as `coords`, `coords_nominal`, `coords_true`; `probe` `(N, N)` or `(P, N, N)` complex64, physical, or None;
    `nn_indices` `(n, C)` int32; `global_offsets` `(n, 1, 2, 1)` and `local_offsets` `(n, 1, 2, C)` float64 px;
    `physics_scaling_constant` `(1, 1, 1)` float32 (BATCH-012), for `nphotons` photons a pattern, known from `nphotons_source`;
    `YY_full` the object or None. `mask` bool `(N, N)`, True where a pixel of the detector is good, or None for all (BATCH-037).
    `label_light` `(N, N)` float32: how much light the pixels of labels had that a solver made, or None for other labels.
    """

    X: torch.Tensor
    Y: torch.Tensor
    coords_relative: torch.Tensor
    probe: torch.Tensor | None
    nn_indices: torch.Tensor
    global_offsets: torch.Tensor
    local_offsets: torch.Tensor
    physics_scaling_constant: torch.Tensor
    nphotons: float
    nphotons_source: str
    has_labels: bool
    YY_full: torch.Tensor | None = None
    mask: torch.Tensor | None = None
    norm_Y_I: Any = None
    label_light: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.X)

    @property
    def coords(self) -> torch.Tensor:
        """`coords_relative` under its older names (BATCH-002)."""
        return self.coords_relative

    coords_nominal = coords
    coords_true = coords

    @cached_property
    def Y_I(self) -> torch.Tensor:
        """`|Y|` `(n, N, N, C)` float32; made when asked for."""
        return self.Y.abs() if self.has_labels else torch.ones(1).expand(self.Y.shape)

    @cached_property
    def Y_phi(self) -> torch.Tensor:
        """`arg Y` `(n, N, N, C)` float32, rad; made when asked for."""
        return self.Y.angle() if self.has_labels else torch.zeros(1).expand(self.Y.shape)


def physics_scaling_constant(X: Any, nphotons: float) -> torch.Tensor:
    """`S = sqrt(nphotons / mean_n(mean_C(Σ_hw X²)))`, float32 `(1, 1, 1)`, for channel-last `X` `(n, N, N, C)` (BATCH-012).

    Sums in float64. Raises `ContractError` for `nphotons <= 0`, for a stack without energy and for another rank.
    """
    stack = as_array(X)
    if stack.ndim != 4:
        raise ContractError(field="X", expected="rank 4, (n, N, N, C)", found=f"shape {stack.shape}")
    if not nphotons > 0 or not np.isfinite(nphotons):
        raise ContractError(field="nphotons", expected="a positive number", found=repr(nphotons))
    # Channel by channel: each pattern by itself, as in a map, whose patterns stand alone (BATCH-049).
    energies = np.stack([pattern_energies(stack[..., c]) for c in range(stack.shape[3])], axis=1)
    return scale_for(float(energies.mean()), nphotons)


def scale_for(energy: float, nphotons: float) -> torch.Tensor:
    """`sqrt(nphotons / energy)` as float32 `(1, 1, 1)`, for the mean energy of a normalised pattern; `ContractError` for none."""
    if not energy > 0:
        raise ContractError(field="X", expected="patterns with energy", found=f"a mean energy of {energy:g}")
    return torch.full((1, 1, 1), float(np.sqrt(float(nphotons) / energy)), dtype=torch.float32)


def container_from_groups(
    grouped: Mapping[str, Any],
    probe: Any,
    nphotons: float = 1e9,
    source: str = "config",
    mask: Any = None,
    label_light: Any = None,
) -> PtychoContainer:
    """A container of a grouped mapping (GROUP-021); its tensors share the arrays' memory where dtypes agree.

    `source` says where `nphotons` is from ('override', 'metadata' or 'config'); `mask` and `label_light` are the record's.
    Raises `ContractError` ("Missing required keys"; `DATA-001`, `complex64` for labels of another dtype) and
    `ContractTypeError`, a `TypeError`, where `X_full` is not float32.
    """
    missing = [key for key in REQUIRED_KEYS if grouped.get(key) is None]
    if missing:
        raise ContractError(field="grouped", expected=f"keys {REQUIRED_KEYS}", found=f"Missing required keys: {missing}")
    X = as_array(grouped["X_full"])
    if X.dtype != np.float32:
        raise ContractTypeError(field="X_full", expected="dtype float32", found=f"dtype {X.dtype}")
    relative, whole = as_array(grouped["coords_relative"]), grouped.get("objectGuess")
    return PtychoContainer(
        X=as_tensor(X),
        Y=_labels(grouped.get("Y"), X.shape),
        coords_relative=as_tensor(relative, np.float32),
        probe=None if probe is None else as_tensor(checks.probe(as_array(probe), X.shape[1])),
        nn_indices=as_tensor(as_array(grouped["nn_indices"]), np.int32),
        global_offsets=as_tensor(as_array(grouped["coords_offsets"]), np.float64),
        local_offsets=as_tensor(relative, np.float64),
        physics_scaling_constant=physics_scaling_constant(X, nphotons),
        nphotons=float(nphotons),
        nphotons_source=source,
        has_labels=grouped.get("Y") is not None,
        YY_full=None if whole is None else as_tensor(as_array(whole), np.complex64),
        mask=None if mask is None else as_tensor(checks.mask(as_array(mask), X.shape[1])),
        label_light=None if label_light is None else as_tensor(as_array(label_light), np.float32),
    )


def _labels(Y: Any, shape: tuple[int, ...]) -> torch.Tensor:
    """Labels as they are, else ones of `shape` that occupy one number (writing into them is an error, not a surprise)."""
    if Y is None:
        return torch.ones(1, dtype=torch.complex64).expand(shape)
    labels = as_array(Y)
    if labels.dtype != np.complex64:
        raise ContractError(field="Y", expected="dtype complex64 (DATA-001)", found=f"dtype {labels.dtype}")
    if labels.shape != shape:
        raise ContractError(field="Y", expected=f"shape {shape} as X_full", found=f"shape {labels.shape}")
    return as_tensor(labels)


def ensure_container(data: Any, config: TrainingConfig | InferenceConfig, *, cap_groups: bool = False) -> Any:
    """A container of `data` (BATCH-011): an object with `X` and `Y` passes unchanged, a raw record is grouped and converted.

    The registry is synchronised with `config` first (CONFIG-001). Groups: `n_groups` of the configuration, None for one a point;
    `cap_groups` asks for no more than one a point (for validation data smaller than the training set). The seed is
    `subsample_seed`, `None` being 42; where `n_subsample` is stated, as many exposures are drawn first, as by reading (DATA-008).
    Anything else is a `ContractTypeError`, a `TypeError`. Errors name the record's file.
    """
    if (hasattr(data, "X") and hasattr(data, "Y")) or hasattr(data, "manifest"):  # a map is grouped already (BATCH-049)
        return data
    if not all(hasattr(data, name) for name in ("diff3d", "xcoords", "ycoords")):
        expected = "a raw record (diff3d, xcoords, ycoords) or a container (X, Y)"
        raise ContractTypeError(field="data", expected=expected, found=type(data).__name__)
    registry.update_legacy_dict(registry.cfg, config)
    with naming(getattr(data, "file", None), but={*vars(config), *vars(config.model), "K", "nsamples"}):
        return _of_record(data, config, cap_groups)


def _of_record(data: Any, config: TrainingConfig | InferenceConfig, cap_groups: bool) -> Any:
    if config.n_subsample is not None:
        data = subsampled(data, config.n_subsample, resolve_seed(config.subsample_seed))
    grouped = generate_grouped_data(
        data,
        N=config.model.N,
        K=config.neighbor_count,
        nsamples=_group_count(config.n_groups, len(data.xcoords), cap_groups),
        seed=resolve_seed(config.subsample_seed),
        sequential_sampling=getattr(config, "sequential_sampling", False),
        gridsize=config.model.gridsize,
        enable_oversampling=config.enable_oversampling,
        neighbor_pool_size=config.neighbor_pool_size,
    )
    own = (getattr(data, name, None) for name in ("mask", "label_light"))
    return container_from_groups(grouped, data.probeGuess, *photons_of(data, config), *own)


def photons_of(data: Any, config: Any) -> tuple[float, str]:
    """The mean photons a pattern and who says so: an override, the record's metadata, the configuration (BATCH-012)."""
    stated = stated_nphotons(getattr(data, "metadata", None), getattr(data, "file", None))
    # An inference configuration has no photon number of its own; the registry then holds the training's.
    own = getattr(config, "nphotons", registry.get("nphotons", 1e9))
    if getattr(config, "nphotons_source", None) == "override":
        return own, "override"
    return (own, "config") if stated is None else (stated, "metadata")


def _group_count(n_groups: int | None, points: int, cap: bool) -> int:
    if n_groups is None:
        return points
    return min(n_groups, points) if cap else n_groups


def as_array(value: Any) -> np.ndarray:
    """A NumPy view of an array or tensor, on the CPU."""
    return value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def as_tensor(array: np.ndarray, dtype: Any = None) -> torch.Tensor:
    """A tensor of `array`, sharing memory and layout unless the dtype changes, or the array is read-only or runs backwards."""
    array = np.asarray(array) if dtype is None else np.asarray(array).astype(dtype, copy=False)
    as_it_is = array.flags.writeable and min(array.strides, default=0) >= 0  # torch knows no negative strides
    return torch.from_numpy(array if as_it_is else np.array(array, copy=True, order="K"))
