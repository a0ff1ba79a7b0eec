"""BATCH: containers, and loaders that yield triples of NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.backends.numpy_only.files import Record
from conformance.backends.numpy_only.groups import group

Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


class Container(SimpleNamespace):
    """The attributes of BATCH-001 and BATCH-012; its length is the number of samples."""

    def __len__(self) -> int:
        return len(self.X)


def container_from_groups(
    grouped: Mapping[str, Any], probe: np.ndarray | None, nphotons: float = 1e9, nphotons_source: str = "config"
) -> Container:
    """A container of the grouped mapping (GROUP-021); what is missing or of another dtype is refused."""
    missing = [key for key in ("X_full", "coords_relative", "coords_offsets", "nn_indices") if key not in grouped]
    if missing:
        raise ValueError(f"Missing required keys: {', '.join(missing)}")
    X, Y = grouped["X_full"], grouped.get("Y")
    if X.dtype != np.float32:
        raise TypeError(f"X_full: expected float32, found {X.dtype}")
    if Y is not None and Y.dtype != np.complex64:
        raise ValueError(f"DATA-001: Y: expected complex64, found {Y.dtype}")
    Y = np.ones(X.shape, np.complex64) if Y is None else Y
    relative = np.asarray(grouped["coords_relative"])
    names = ("coords", "coords_nominal", "coords_true", "coords_relative")
    return Container(
        X=X,
        Y=Y,
        Y_I=np.abs(Y),
        Y_phi=np.angle(Y),
        **{name: relative.astype(np.float32) for name in names},
        probe=np.ones(X.shape[1:3], np.complex64) if probe is None else np.asarray(probe, np.complex64),
        nn_indices=np.asarray(grouped["nn_indices"], np.int32),
        global_offsets=np.asarray(grouped["coords_offsets"], np.float64),
        local_offsets=relative.astype(np.float64),
        physics_scaling_constant=np.full((1, 1, 1), physics_scale(X, nphotons), np.float32),
        nphotons_source=nphotons_source,
    )


def physics_scale(images: np.ndarray, nphotons: float) -> float:
    """BATCH-012: the factor that gives images `(n, N, N, C)` `nphotons` photons a pattern."""
    energy = np.mean(np.sum(images.astype(np.float64) ** 2, axis=(1, 2)))
    if nphotons <= 0 or energy == 0:
        raise ValueError(f"nphotons: expected a positive number and images with energy, found {nphotons} and {energy}")
    return float(np.sqrt(nphotons / energy))


def container(source: Any, config: Any) -> Any:
    """BATCH-011: a container as it is, or one made of a raw record as the configuration says."""
    if hasattr(source, "X") and hasattr(source, "Y"):
        return source
    if not isinstance(source, Record):
        raise TypeError(f"expected a raw record or a container, found {type(source).__name__}")
    grouped = group(
        source,
        N=config.model.N,
        gridsize=config.model.gridsize,
        K=config.neighbor_count,
        nsamples=config.n_groups,
        seed=config.subsample_seed,
        sequential_sampling=_setting(config, "sequential_sampling", False),
        enable_oversampling=_setting(config, "enable_oversampling", False),
        neighbor_pool_size=_setting(config, "neighbor_pool_size", None),
    )
    stated = ((source.metadata or {}).get("physics_parameters") or {}).get("nphotons")
    photons = (config.nphotons, "config") if stated is None else (stated, "metadata")
    return container_from_groups(grouped, source.probeGuess, *photons)


def loaders(train: Any, test: Any, config: Any) -> tuple[Loader, Loader | None]:
    """The train loader, in seeded random order unless `sequential_sampling`, and the validation loader, in its own order."""
    seed = _setting(config, "subsample_seed", None)
    rng = None if _setting(config, "sequential_sampling", False) else np.random.default_rng(42 if seed is None else seed)
    return Loader(train, config, rng), None if test is None else Loader(test, config, None)


class Loader:
    """One pass over a container at each iteration, the last batch partial."""

    def __init__(self, source: Any, config: Any, rng: np.random.Generator | None) -> None:
        self.rng, self.size = rng, _setting(config, "batch_size", 16)
        self.fields = _fields(source, config)
        N = self.fields["images"].shape[-1]
        probe = getattr(source, "probe", None)
        scale, masked = _setting(config.model, "probe_scale", 4.0), _setting(config.model, "probe_mask", False)
        found, factor = normalise_probe(np.ones((N, N)) if probe is None else np.asarray(probe), scale, masked)
        self.probe, self.scaling = found.reshape(1, 1, -1, N, N), np.full((1, 1, 1, 1), factor, np.float32)

    def __iter__(self) -> Iterator[Batch]:
        n = len(self.fields["images"])
        order = np.arange(n) if self.rng is None else self.rng.permutation(n)
        for start in range(0, n, self.size):
            rows = order[start : start + self.size]
            yield {name: values[rows] for name, values in self.fields.items()}, self.probe, self.scaling


def _fields(source: Any, config: Any) -> dict[str, np.ndarray]:
    """BATCH-021 to 027: every field of a whole container, a row a sample."""
    if getattr(source, "X", None) is None:
        raise ValueError("X: expected images in the container, found none")
    X, C = np.asarray(source.X, np.float32), config.model.gridsize**2
    if X.ndim == 4 and X.shape[1] == X.shape[2] and X.shape[3] == C:
        X = X.transpose(0, 3, 1, 2)
    elif X.ndim != 4 or X.shape[1] != C or X.shape[2] != X.shape[3]:
        raise ValueError(f"X: expected (n, N, N, {C}) or (n, {C}, N, N), found {X.shape}")
    relative = getattr(source, "coords_relative", None)
    if relative is None and _setting(config.model, "object_big", True):
        raise ValueError("coords_relative is required where patches are merged (object_big), found none")
    relative = np.zeros((len(X), 1, 2, C)) if relative is None else np.asarray(relative)
    each = {name: getattr(source, name, None) for name in ("rms_scaling_constant", "physics_scaling_constant", "experiment_id")}
    spread = {name: _each(values, name != "experiment_id", len(X)) for name, values in each.items()}
    experiment = spread.pop("experiment_id").astype(np.int64)
    scales = {name: values.astype(np.float32).reshape(-1, 1, 1, 1) for name, values in spread.items()}
    places = np.ascontiguousarray(relative.transpose(0, 3, 1, 2), dtype=np.float32)
    return {"images": np.ascontiguousarray(X), "coords_relative": places, **scales, "experiment_id": experiment}


def _each(values: Any, missing: int, n: int) -> np.ndarray:
    """`(n,)`: one value for all samples, or one for each, in whatever shape."""
    flat = np.asarray(missing if values is None else values).reshape(-1)
    return np.repeat(flat, n) if len(flat) == 1 else flat.reshape(n)


def normalise_probe(probe: np.ndarray, probe_scale: float, masked: bool = False) -> tuple[np.ndarray, float]:
    """BATCH-050: the probe divided by `probe_scale` times its mean modulus (in the mask, where there is one), and 1/norm."""
    plane = probe[..., 0] if probe.ndim == 3 and probe.shape[-1] == 1 else probe
    if plane.ndim not in (2, 3) or plane.shape[-1] != plane.shape[-2]:
        raise ValueError(f"probe: expected (N,N), (N,N,1) or (P,N,N), found {probe.shape}")
    N = plane.shape[-1]
    u = np.arange(N) - N // 2
    disc = np.hypot(u[:, None], u) <= N / 4 if masked else 1.0
    norm = probe_scale * np.mean(np.abs(disc * plane.astype(np.complex128)))
    if not probe_scale > 0 or not norm > 0:
        raise ValueError(f"probe_scale: expected a positive number and a probe with amplitude, found {probe_scale}, norm {norm}")
    return (plane / norm).astype(np.complex64), float(1 / norm)


def _setting(config: Any, name: str, default: Any) -> Any:
    """A setting, or the contract's default where the configuration does not state it."""
    return getattr(config, name, default)
