"""Modules and what is fed to them: the smallest network that the contract knows, hardly a field of it at its default."""

from __future__ import annotations

import pickletools
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import cache
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from conformance.connectors import native
from conformance.oracles.model import Kernels
from conformance.oracles.model import kernels as kernels_of
from conformance.protocol import Native
from conformance.scenes.answers import finite
from conformance.scenes.inputs import training_file
from conformance.scenes.motions import group_offsets
from conformance.scenes.optics import curved_probe, object_image
from conformance.scenes.records import patch_at

N = 64  # the smallest side that the network takes (MODEL-002)


class Container(SimpleNamespace):
    """An object with a container's attributes and length (BATCH-001)."""

    def __len__(self) -> int:
        return len(self.X)


class Inputs(NamedTuple):
    """The arguments of a forward call (MODEL-020), in its order; the first four and the input scale are those of MODEL-021."""

    images: np.ndarray
    offsets: np.ndarray
    probe: np.ndarray
    input_scale: np.ndarray
    output_scale: np.ndarray


def settings(backend: Any, model: Mapping[str, Any] | None = None, **training: Any) -> Native:
    """A canonical training configuration for N = 64 and the narrowest network; `model` and `training` name what differs."""
    narrow = {
        "N": N,
        "gridsize": 2,
        "n_filters_scale": 1,
        "model_type": "pinn",
        "amp_activation": "sigmoid",
        "object_big": True,
        "probe_big": True,
        "probe_mask": False,
        "pad_object": True,
        "probe_scale": 2.5,
        "gaussian_smoothing_sigma": 0.0,
    }
    plain = {
        "batch_size": 4,
        "nepochs": 1,
        "nphotons": 3e6,
        "n_groups": 3,
        "subsample_seed": 5,
        "neighbor_count": 5,
        "intensity_scale_trainable": False,
        "sequential_sampling": True,
        "train_data_file": training_file(),
        "backend": "pytorch",
    }
    chosen = backend.canonical("model", **narrow | dict(model or {}))
    return backend.canonical("training", model=chosen, **plain | training)


def module(backend: Any, config: Native, seed: int = 0, gain: float = 1.0) -> Native:
    """A module whose weights are drawn here, by Glorot's rule: what a check sees is no matter of how a backend draws its own."""
    return redrawn(backend, backend.module(config), seed, gain)


def redrawn(backend: Any, made: Native, seed: int, gain: float = 1.0, but: Iterable[np.ndarray] = ()) -> Native:
    """A module with all weights drawn here, biases too; what has the values of one of `but` is no weight, wherever it stands."""
    rng, kept = np.random.default_rng(seed), [value.ravel() for value in but]
    fresh = {k: v for k, v in values(backend.weights(made)).items() if v.dtype.kind == "f"}
    drawn = {k: _drawn(v, rng, gain) for k, v in fresh.items() if not any(np.array_equal(v.ravel(), one) for one in kept)}
    return backend.with_weights(made, drawn)


def _drawn(value: np.ndarray, rng: np.random.Generator, gain: float) -> np.ndarray:
    """New values for a weight: vectors of one number keep it, lengths of computed kernels lie about one, biases about zero."""
    if value.size <= max(value.shape, default=1):  # a number a channel, whatever axes of length one stand around it
        if value.size == 0 or ((value == value.flat[0]).all() and (value.size > 1 or value.flat[0] in (0, 1))):
            return value
        lengths = value.size >= 8 and value.min() > 2 * value.std()
        return (float(lengths) + rng.uniform(-0.05, 0.05, value.shape)).astype(value.dtype)
    # Channels lead in (out, in, 3, 3) and trail in (3, 3, in, out).
    sides, (first, last) = ((1, 1), (3, 3)), (value.shape[:2], value.shape[2:])
    channels = last if first in sides and len(last) == 2 and last not in sides else first
    fans = value.size / channels[0] + value.size / channels[1]
    return (rng.uniform(-1, 1, value.shape) * np.sqrt(6 / fans) * gain).astype(value.dtype)


def inputs(g: int, B: int = 3, modes: int = 1, strength: float = 4.0, seed: int = 3) -> Inputs:
    """Amplitudes of B groups of one object, with offsets in eighths of a pixel, and a probe for each sample; scales differ."""
    rng = np.random.default_rng(seed)
    offsets = group_offsets("fraction", B, g * g, seed)
    images = rng.uniform(0.1, 1.0, size=(B, g * g, N, N)) * np.exp(-(((np.mgrid[:N, :N] - 30.5) / 14) ** 2).sum(0))
    probe = np.stack([np.roll(curved_probe(N, modes), 2 * k, axis=-1) for k in range(B)])[:, None]
    scale = np.linspace(1.0, 1.75, B).reshape(B, 1, 1, 1).astype(np.float32)
    return Inputs(images.astype(np.float32), offsets, probe, np.float32(strength) * scale, scale + np.float32(0.5))


def container(g: int, n: int = 3, **attributes: Any) -> Container:
    """A container as specs/batch.md describes it: `n` groups of `g²` patches of one object, labels and both scales included.

    `attributes` replace or add; one that is `None` is missing.
    """
    found = {name: value.copy() for name, value in _container(g, n).items()} | attributes
    return Container(**{name: value for name, value in found.items() if value is not None})


@cache
def _container(g: int, n: int) -> dict[str, np.ndarray]:
    C, seed, brightness = g * g, 13, 1.5
    whole, probe = object_image(3 * N, 3 * N, seed), curved_probe(N)[0]
    relative = group_offsets("fraction", n, C, seed)[:, :, 0]
    places = np.linspace(80, 110, n).reshape(n, 1, 1) * [1.0, 0.9] - relative
    labels = np.array([[patch_at(whole, x, y, N) for x, y in group] for group in places])
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(labels * probe, norm="ortho"), axes=(-2, -1)))
    amplitude = amplitude * brightness / np.sqrt(np.mean(amplitude**2))
    columns = np.ascontiguousarray(relative.transpose(0, 2, 1)[:, None]).astype(np.float32)
    return {
        "X": amplitude.transpose(0, 2, 3, 1).astype(np.float32),
        "Y": labels.transpose(0, 2, 3, 1).astype(np.complex64),
        "coords_relative": columns,
        "coords_nominal": columns,
        "coords_true": columns,
        "probe": probe,
        "rms_scaling_constant": np.linspace(0.5, 0.75, n).reshape(n, 1, 1, 1).astype(np.float32),
        "physics_scaling_constant": np.linspace(2.0, 3.0, n).reshape(n, 1, 1, 1).astype(np.float32),
        "experiment_id": np.zeros(n, np.int64),
    }


def first_batch(backend: Any, source: Any, config: Native) -> Native:
    """The first batch of the train loader, as the backend makes it."""
    return next(iter(backend.loaders(source, None, config)[0]))


def inputs_of(batch: Native) -> Inputs:
    """What the loss feeds into the forward call: both scales are the batch's input scale (PHYS-010)."""
    fields, rms = batch[0], native.array(native.item(batch[0], "rms_scaling_constant"))
    arrays = [native.array(native.item(fields, key)) for key in ("images", "coords_relative")]
    return Inputs(arrays[0], arrays[1], native.array(batch[1]), rms, rms)


def field_of(batch: Native, key: str) -> np.ndarray:
    """One field of a batch as an array."""
    return native.array(native.item(batch[0], key))


def without(batch: Native, *keys: str) -> tuple[Any, ...]:
    """The batch as a plain triple with a plain dict of its fields, some of them left out (BATCH-020 lets either through)."""
    fields = {key: batch[0][key] for key in native.keys(batch[0]) if key not in keys}
    return (fields, batch[1], batch[2])


def values(module_weights: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Weights or gradients by name, copied out of the module; a weight without a gradient is left out."""
    return {name: native.array(value).copy() for name, value in module_weights.items() if value is not None}


def largest(gradients: Mapping[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    """The largest component of each named gradient; 0 where there is none of that name."""
    return np.array([np.abs(gradients[name]).max() if name in gradients else 0.0 for name in names])


def ring(side: int = N) -> np.ndarray:
    """`(side, side)` bool: the border of width `side/4` (MODEL-005)."""
    return np.pad(np.zeros((side - 2 * (side // 4),) * 2, bool), side // 4, constant_values=True)


def frames(side: int = N) -> list[np.ndarray]:
    """`(side, side)` bool each: the frames of one pixel's width that make the ring, from the edge inwards."""
    depth = np.minimum(np.arange(side), np.arange(side)[::-1])
    return [np.minimum.outer(depth, depth) == k for k in range(side // 4)]


def centre(array: np.ndarray) -> np.ndarray:
    """The central half of the last two axes."""
    edge = array.shape[-1] // 4
    return array[..., edge:-edge, edge:-edge]


def central_amplitudes(
    backend: Any, activation: str, strength: float, modules: int = 3, gain: float = 1.0, padded: bool = True, g: int = 2
) -> np.ndarray:
    """`(modules, B, C, N/2, N/2)`: central amplitudes of networks with one activation, their outer branch off; `padded`:
    `pad_object`. `gain` multiplies every kernel, so that heads behind a normalisation see large logits too.
    """
    shape = {"gridsize": g, "object_big": g > 1, "probe_big": False, "pad_object": padded}
    config = settings(backend, {**shape, "amp_activation": activation})
    made = [module(backend, config, seed, gain) for seed in range(modules)]
    found = [backend.forward(one, *inputs(g, strength=strength, seed=seed))[1] for seed, one in enumerate(made)]
    return np.stack([centre(native.array(amplitude)) for amplitude in found])


def grouped(g: int, n: int = 3) -> dict[str, Any]:
    """The grouped mapping (GROUP-021) of which `container` shows what a container makes of it."""
    source = container(g, n)
    offsets, relative = np.full((n, 1, 2, 1), 90.0), source.coords_relative.astype(float)
    X, places = source.X, offsets - relative
    positions = {"coords_nn": places, "coords_offsets": offsets, "coords_relative": relative}
    positions |= {name.replace("coords_", "coords_start_"): value for name, value in positions.items()}
    rest = {"nn_indices": np.arange(n * g * g).reshape(n, g * g), "objectGuess": None, "Y": source.Y}
    return {"diffraction": X, "X_full": X} | positions | rest


def trained(backend: Any, folder: Path, learning_rate: float = 2e-3, **training: Any) -> tuple[Mapping[str, Any], Native]:
    """One epoch on three groups that are validated too: the results, and the container; `training`: further settings."""
    source = backend.container_from_groups(grouped(2), curved_probe(N)[0], 3e4)
    execution = backend.canonical("execution", accelerator="cpu", learning_rate=learning_rate, enable_progress_bar=False)
    return backend.train(source, source, settings(backend, output_dir=folder, nphotons=3e4, **training), execution), source


def intensity_scales(backend: Any) -> dict[str, np.ndarray]:
    """The weights that `intensity_scale_trainable` adds to a module (PHYS-013)."""
    without_them, with_them = (
        values(backend.weights(backend.module(settings(backend, intensity_scale_trainable=switch)))) for switch in (False, True)
    )
    return {name: value for name, value in with_them.items() if name not in without_them}


def split_probe() -> tuple[np.ndarray, np.ndarray]:
    """A probe `(N, N)` within 0.2·N of the centre, and light beyond 0.46·N from it, complex64 (PHYS-001)."""
    radius = np.hypot(*(np.mgrid[:N, :N] - (N - 1) / 2))
    whole = curved_probe(N)[0]
    return np.where(radius < 0.2 * N, whole, 0), np.where(radius > 0.46 * N, np.complex64(0.5 + 0.25j), 0)


def predictions_with(backend: Any, config: Native, probes: Iterable[np.ndarray]) -> list[np.ndarray]:
    """The predicted amplitudes of one module for containers that differ in their probe alone, through loader and forward call."""
    made = module(backend, config)
    batches = [first_batch(backend, container(2, probe=probe), config) for probe in probes]
    return finite(*(backend.forward(made, *inputs_of(batch))[0] for batch in batches))


def shapes(backend: Any, model: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of each weight of a fresh module, by name."""
    return {name: native.shape(value) for name, value in backend.weights(backend.module(settings(backend, model))).items()}


def parameters(backend: Any, model: Mapping[str, Any]) -> int:
    """How many numbers the weights of a fresh module hold."""
    return sum(int(np.prod(shape)) for shape in shapes(backend, model).values())


def kernels(backend: Any, model: Mapping[str, Any]) -> Kernels:
    """The 3×3 kernels of a fresh module."""
    return kernels_of(shapes(backend, model).values())


def cut(backend: Any, whole: Native, pair: tuple[int, int]) -> Native:
    """The module with every 3×3 kernel that leads from `pair[0]` to `pair[1]` channels set to zero."""
    every = values(backend.weights(whole))
    return backend.with_weights(whole, {k: np.zeros_like(v) for k, v in every.items() if kernels_of([v.shape])[pair]})


def closest_channels(patches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two channels of `(B, C, N, N)` that differ least."""
    pairs = combinations(range(patches.shape[1]), 2)
    i, j = min(pairs, key=lambda pair: np.abs(patches[:, pair[0]] - patches[:, pair[1]]).max())
    return patches[:, i], patches[:, j]


def fingerprints(weights: Mapping[str, Any]) -> Counter[tuple[tuple[int, ...], bytes]]:
    """Shape and bytes of each weight, whatever its name."""
    return Counter((value.shape, np.ascontiguousarray(value).tobytes()) for value in values(weights).values())


def own_classes(backend: Any, path: Path) -> list[str]:
    """Classes and functions of the backend's own packages that a checkpoint (a zip with pickles, else nothing) refers to."""
    own = {module.split(".")[0] for module in backend.info().modules}
    with zipfile.ZipFile(path) if zipfile.is_zipfile(path) else nullcontext() as archive:
        pickles = [archive.read(name) for name in archive.namelist() if name.endswith(".pkl")] if archive else []
    return sorted({name for data in pickles for name in _globals(data) if name.split(".")[0] in own})


def _globals(data: bytes) -> set[str]:
    """`module.name` of everything that a pickle imports, read without running it."""
    found, words = set(), ["", ""]
    for operation, argument, _ in pickletools.genops(data):
        if operation.name in ("GLOBAL", "STACK_GLOBAL"):
            found.add(argument.replace(" ", ".") if argument else ".".join(words[-2:]))
        elif isinstance(argument, str):
            words.append(argument)
    return found
