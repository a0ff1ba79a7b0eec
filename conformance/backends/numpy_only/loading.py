"""BATCH: loaders, which yield triples of NumPy arrays, and the probe that they normalise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Batch = tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]


def loaders(train: Any, test: Any, config: Any) -> tuple[Loader, Loader | None]:
    """The train loader, in seeded random order unless `sequential_sampling`, and the validation loader, in its own order."""
    seed = getattr(config, "subsample_seed", None)
    rng = None if getattr(config, "sequential_sampling", False) else np.random.default_rng(42 if seed is None else seed)
    return Loader(train, config, rng), None if test is None else Loader(test, config, None)


class Loader:
    """One pass over a container at each iteration, the last batch partial."""

    def __init__(self, source: Any, config: Any, rng: np.random.Generator | None) -> None:
        self.rng, self.size = rng, getattr(config, "batch_size", 16)
        self.fields = _fields(source, config)
        N = self.fields["images"].shape[-1]
        probe = _held(source, "probe")
        scale, masked = getattr(config.model, "probe_scale", 4.0), getattr(config.model, "probe_mask", False)
        if probe is not None and np.shape(probe)[-1] != N and np.shape(probe) != (N, N, 1):
            raise ValueError(f"probe: expected the side N={N} of the patterns, found {np.shape(probe)}")
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
    images = _held(source, "X")
    if images is None:
        raise ValueError("X: expected images in the container, found none")
    if np.iscomplexobj(images):
        raise ValueError("X: expected real images in the container, found complex ones")
    X, C = np.asarray(images, np.float32), config.model.gridsize**2
    if X.ndim == 4 and X.shape[1] == X.shape[2] and X.shape[3] == C:
        X = X.transpose(0, 3, 1, 2)
    elif X.ndim != 4 or X.shape[1] != C or X.shape[2] != X.shape[3]:
        raise ValueError(f"X: expected (n, N, N, {C}) or (n, {C}, N, N), found {X.shape}")
    relative = _held(source, "coords_relative")
    if relative is None and getattr(config.model, "object_big", True):
        raise ValueError("coords_relative is required where patches are merged (object_big), found none")
    relative = np.zeros((len(X), 1, 2, C)) if relative is None else np.asarray(relative)
    if relative.shape != (len(X), 1, 2, C):
        raise ValueError(f"coords_relative: expected {(len(X), 1, 2, C)}, found {relative.shape}")
    each = {name: _held(source, name) for name in ("rms_scaling_constant", "physics_scaling_constant", "experiment_id")}
    spread = {name: _each(name, values, len(X)) for name, values in each.items()}
    experiment = spread.pop("experiment_id").astype(np.int64)
    scales = {name: values.astype(np.float32).reshape(-1, 1, 1, 1) for name, values in spread.items()}
    places = np.ascontiguousarray(relative.transpose(0, 3, 1, 2), dtype=np.float32)
    return {"images": np.ascontiguousarray(X), "coords_relative": places, **scales, "experiment_id": experiment}


def _held(source: Any, name: str) -> Any:
    """An attribute, None where there is none; a property that fails is there, and its error is passed on (BATCH-057)."""
    if any(name in vars(kind) for kind in type(source).__mro__):
        return getattr(source, name)
    return getattr(source, name, None)


def _each(name: str, values: Any, n: int) -> np.ndarray:
    """`(n,)`: one value for all samples, or one for each, in whatever shape; missing scales are one, experiments zero."""
    flat = np.asarray(name != "experiment_id" if values is None else values).reshape(-1)
    if len(flat) not in (1, n) or (name == "experiment_id" and flat.dtype.kind not in "biu"):
        raise ValueError(f"{name}: expected one number or {n}, whole for experiments, found {flat.dtype} {np.shape(values)}")
    return np.repeat(flat, n) if len(flat) == 1 else flat


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
