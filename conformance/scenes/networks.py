"""Modules and what is fed to them: the smallest network that the contract knows, hardly a field of it at its default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from conformance import native
from conformance.protocol import Native
from conformance.scenes.motions import group_offsets
from conformance.scenes.optics import curved_probe, object_image
from conformance.scenes.records import patch_at

N = 64  # the smallest side that the network takes (MODEL-002)


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
        "backend": "pytorch",
    }
    chosen = backend.canonical("model", **narrow | dict(model or {}))
    return backend.canonical("training", model=chosen, **plain | training)


def inputs(g: int, B: int = 3, modes: int = 1, strength: float = 4.0, seed: int = 3) -> Inputs:
    """Amplitudes of B groups of one object, with offsets in eighths of a pixel, and a probe for each sample; scales differ."""
    rng = np.random.default_rng(seed)
    offsets = group_offsets("fraction", B, g * g, seed)
    images = rng.uniform(0.1, 1.0, size=(B, g * g, N, N)) * np.exp(-(((np.mgrid[:N, :N] - 30.5) / 14) ** 2).sum(0))
    probe = np.stack([np.roll(curved_probe(N, modes), 2 * k, axis=-1) for k in range(B)])[:, None]
    scale = np.linspace(1.0, 1.75, B).reshape(B, 1, 1, 1).astype(np.float32)
    return Inputs(images.astype(np.float32), offsets, probe, np.float32(strength) * scale, scale + np.float32(0.5))


def container(g: int, n: int = 3, brightness: float = 1.5, modes: int = 1, seed: int = 13, **attributes: Any) -> Any:
    """A container as specs/batch.md describes it: `n` groups of `g²` patches of one object, labels and both scales included.

    `attributes` replace or add; one that is `None` is missing.
    """
    C = g * g
    whole, probe = object_image(3 * N, 3 * N, seed), curved_probe(N, modes)
    relative = group_offsets("fraction", n, C, seed)[:, :, 0]
    places = np.linspace(80, 110, n).reshape(n, 1, 1) * [1.0, 0.9] - relative
    labels = np.array([[patch_at(whole, x, y, N) for x, y in group] for group in places])
    exits = labels[:, :, None] * probe
    far = np.fft.fftshift(np.fft.fft2(exits, norm="ortho"), axes=(-2, -1))
    amplitude = np.sqrt(np.sum(np.abs(far) ** 2, axis=2))
    amplitude = amplitude * brightness / np.sqrt(np.mean(amplitude**2))
    columns = np.ascontiguousarray(relative.transpose(0, 2, 1)[:, None]).astype(np.float32)
    found = {
        "X": amplitude.transpose(0, 2, 3, 1).astype(np.float32),
        "Y": labels.transpose(0, 2, 3, 1).astype(np.complex64),
        "coords_relative": columns,
        "coords_nominal": columns,
        "coords_true": columns,
        "probe": probe if modes > 1 else probe[0],
        "rms_scaling_constant": np.linspace(0.5, 0.75, n).reshape(n, 1, 1, 1).astype(np.float32),
        "physics_scaling_constant": np.linspace(2.0, 3.0, n).reshape(n, 1, 1, 1).astype(np.float32),
        "experiment_id": np.zeros(n, np.int64),
    } | attributes
    return SimpleNamespace(**{name: value for name, value in found.items() if value is not None})


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
    """Weights or gradients by name, as arrays; a weight without a gradient is left out."""
    return {name: native.array(value) for name, value in module_weights.items() if value is not None}


def ring(side: int = N) -> np.ndarray:
    """`(side, side)` bool: the border of width `side/4` (MODEL-005)."""
    inside = np.zeros((side, side), bool)
    inside[side // 4 : side - side // 4, side // 4 : side - side // 4] = True
    return ~inside


def centre(array: np.ndarray) -> np.ndarray:
    """The central half of the last two axes."""
    edge = array.shape[-1] // 4
    return array[..., edge:-edge, edge:-edge]


def central_amplitudes(backend: Any, activation: str, strength: float, modules: int = 3) -> np.ndarray:
    """Central amplitudes of several fresh networks with one activation, one border branch off: `(modules, B, C, N/2, N/2)`."""
    config = settings(backend, {"amp_activation": activation, "probe_big": False})
    found = [backend.forward(backend.module(config), *inputs(2, strength=strength, seed=seed))[1] for seed in range(modules)]
    return np.stack([centre(native.array(amplitude)) for amplitude in found])


def trained(backend: Any, folder: Path, **training: Any) -> tuple[Mapping[str, Any], Any]:
    """One epoch on three groups that are validated too: the results, and the container that was used."""
    source = container(2)
    config = settings(backend, output_dir=folder, **training)
    execution = backend.canonical("execution", accelerator="cpu", learning_rate=2e-3, enable_progress_bar=False)
    return backend.train(source, source, config, execution), source
