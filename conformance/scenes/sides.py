"""Networks on patterns of another side than the usual one (MODEL-002, MODEL-020, MODEL-029), with a probe for each member of a
group, and as they compute while they train.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.protocol import Native
from conformance.scenes import generators, networks, runs
from conformance.scenes.networks import Inputs
from conformance.scenes.optics import curved_probe


def of_members(fed: Inputs) -> Inputs:
    """The same with a probe for each member of a group."""
    members = [np.roll(fed.probe[:, 0], 3 * k, axis=-2) for k in range(fed.images.shape[1])]
    return fed._replace(probe=np.stack(members, axis=1))


@contextmanager
def training(module: Native) -> Iterator[None]:
    """Calls of a module of torch's in this process compute as they do while it trains; any other module is left to itself."""
    hook = getattr(module, "register_forward_pre_hook", None)
    handle = None if hook is None else hook(lambda one, _: one.train() and None)
    try:
        yield
    finally:
        if handle is not None:
            handle.remove()


def inputs(N: int, g: int) -> Inputs:
    """Two groups of patterns of this side, the second one of three times the light in its left half."""
    images = np.random.default_rng(N).uniform(0.1, 1.0, (1, g * g, N, N)).repeat(2, axis=0)
    images[1, ..., : N // 2] *= 3
    scale = np.full((2, 1, 1, 1), 2.0, np.float32)
    probe = curved_probe(N)[None, None].repeat(2, axis=0)
    return Inputs(images.astype(np.float32), np.zeros((2, g * g, 1, 2), np.float32), probe, scale, scale)


def answered(backend: Any, config: Native, N: int, g: int) -> dict[str, Any]:
    """Shapes and dtypes of what both calls return, whether it is finite, and whether the object knows which pattern it is of."""
    return _described(_answers(backend, config, N, g))


def _answers(backend: Any, config: Native, N: int, g: int) -> list[np.ndarray]:
    made, fed = networks.module(backend, config), inputs(N, g)
    return [native.array(one) for one in (*backend.forward(made, *fed), backend.predict(made, *fed[:4]))]


def _described(arrays: list[np.ndarray]) -> dict[str, Any]:
    return {
        "shapes": [array.shape for array in arrays],
        "dtypes": [str(array.dtype) for array in arrays],
        "finite": all(bool(np.isfinite(array).all()) for array in arrays),
        "alike": [not np.any(array[0] != array[1]) for array in arrays],
    }


FAINT = 0.25
"""Half of what a sigmoid makes of nothing."""


def bordered(backend: Any, N: int, g: int) -> tuple[dict[str, Any], str, bool]:
    """What `answered` says of a network with `relu`, the border of its amplitudes, and whether their centre comes near zero, as
    relu does and a sigmoid of faint logits does not; which sign a drawn network has is its own affair.

    Of groups a network with `probe_big`, of patches alone one without.
    """
    model = {"N": N, "gridsize": g, "probe_big": g > 1, "amp_activation": "relu"}
    arrays = _answers(backend, networks.settings(backend, model), N, g)
    lit = _lit(arrays[1])
    border = "dark" if max(lit) == 0 else "lit" if min(lit) > 0.05 else "partly lit"
    return _described(arrays), border, bool(networks.centre(arrays[1]).min() < FAINT)


def _lit(amplitude: np.ndarray) -> list[float]:
    """The lit share of each frame of the border, from the edge inwards."""
    return [float(np.mean(amplitude[..., frame] != 0)) for frame in networks.frames(amplitude.shape[-1])]


def least_lit(backend: Any, model: Mapping[str, Any]) -> float:
    """The least lit share of the frames of a border, of a network as the model says."""
    module = networks.module(backend, networks.settings(backend, model))
    return min(_lit(native.array(backend.forward(module, *networks.inputs(int(model["gridsize"])))[1])))


def huge(backend: Any, activation: str) -> list[np.ndarray]:
    """Central amplitudes of large logits, of a group with a common object and of patches alone."""
    return [networks.central_amplitudes(backend, activation, 1.0, modules=1, gain=8.0, g=g) for g in (2, 1)]


def owed(N: int, g: int) -> dict[str, Any]:
    """What `answered` is to be."""
    dtypes = ["float32"] * 3 + ["complex64"]
    return {"shapes": [(2, g * g, N, N)] * 4, "dtypes": dtypes, "finite": True, "alike": [False] * 4}


def of_architecture(backend: Any, name: str, N: int, g: int) -> dict[str, Any] | str:
    """The same of a network by its name; `refused` where it takes no such side (MODEL-002's words)."""
    if generators.makes(backend, name, N, g) == "refused":
        return "refused"
    return answered(backend, generators.settings(backend, name, {"N": N, "gridsize": g}), N, g)


def gone_through(backend: Any, folder: Path, N: int) -> tuple[tuple[int, ...], list[np.ndarray]]:
    """A training on patterns of this side: the shape of its patches, and the images by what it returned and by what it left."""
    recipe = replace(runs.SMALL, validation=False, stitching=False, model=runs.settings(N=N))
    record = backend.record(**runs.raw(12, side=N))
    run = runs.fresh(backend, recipe, folder, (record, None))
    models, _ = backend.load(run.folder)
    backend.synchronise(run.config)
    execution = runs.execution(backend, recipe)
    answers = [
        runs.three(backend.reconstruct(results, record, run.config, M=20, execution=execution))
        for results in (run.results, {"models": models})
    ]
    patches = native.shape(native.item(answers[0][2], "obj_tensor_full"))
    return tuple(patches[1:]), [native.array(one) * np.exp(1j * native.array(other)) for one, other, _ in answers]
