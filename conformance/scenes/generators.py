"""Every architecture that a backend lists, on the same inputs: name → answer (MODEL-028 … MODEL-036)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from conformance.connectors import native
from conformance.protocol import Native
from conformance.scenes import networks
from conformance.scenes.networks import Inputs, N
from conformance.scenes.optics import curved_probe

T = TypeVar("T")

LOWEST = {"sigmoid": 0.0, "softplus": 0.0, "relu": 0.0, "swish": -0.27847}
HIGHEST = {"sigmoid": 1.0}
"""The ends of MODEL-007; a name without one has none."""
PI = float(np.float32(np.pi))


def names(backend: Any) -> list[str]:
    """What the backend lists; `Malformed` for no list of names, or for an empty one."""
    found = list(backend.architectures())
    if not found or not all(isinstance(name, str) for name in found):
        raise native.Malformed(f"expected names of architectures, found {found!r}")
    return found


def each(backend: Any, answer: Callable[[str], T]) -> dict[str, T]:
    """Name → answer."""
    return {name: answer(name) for name in names(backend)}


def settings(backend: Any, name: str, model: Mapping[str, Any] | None = None, **training: Any) -> Native:
    """The training configuration of `networks.settings` with this architecture."""
    return networks.settings(backend, {**(model or {}), "architecture": name}, **training)


def module(backend: Any, name: str, model: Mapping[str, Any] | None = None) -> Native:
    """A module whose real kernels are drawn here."""
    return networks.module(backend, settings(backend, name, model))


def makes(backend: Any, name: str, N: int, g: int) -> str:
    """What comes of asking for a module: `weights`, `none of them`, or `refused` (by MODEL-002's words)."""
    try:
        made = backend.module(settings(backend, name, {"N": N, "gridsize": g}))
    except ValueError as error:
        if "Unsupported input size" not in str(error):
            raise
        return "refused"
    return "weights" if any(np.prod(native.shape(value)) for value in backend.weights(made).values()) else "none of them"


def forms(backend: Any, name: str, g: int, modes: int) -> dict[str, Any]:
    """Count, shapes and dtypes of what both calls return, and whether all of it is finite, one group being dark."""
    made, fed = module(backend, name, {"gridsize": g}), networks.inputs(g, modes=modes)
    fed.images[1] = 0
    outputs = [*backend.forward(made, *fed), backend.predict(made, *fed[:4])]
    return {
        "count": len(outputs),
        "shapes": sorted({native.shape(one) for one in outputs}),
        "dtypes": [native.dtype(one) for one in outputs],
        "finite": all(bool(np.isfinite(native.array(one)).all()) for one in outputs),
    }


def formed(g: int) -> dict[str, Any]:
    """What `forms` is to be."""
    return {"count": 4, "shapes": [(3, g * g, N, N)], "dtypes": ["float32"] * 3 + ["complex64"], "finite": True}


def answers(backend: Any, name: str, g: int, model: Mapping[str, Any] | None = None, strength: float = 4.0) -> list[np.ndarray]:
    """Predicted amplitude, object amplitude, phase and patches of a module with drawn weights."""
    made, fed = module(backend, name, {"gridsize": g, **(model or {})}), networks.inputs(g, strength=strength)
    return [native.array(one) for one in (*backend.forward(made, *fed), backend.predict(made, *fed[:4]))]


def beyond(backend: Any, name: str, activation: str, strength: float) -> dict[str, float]:
    """What leaves its range, by how far, in the centre of the patches; NaN leaves every one."""
    predicted, *both, _ = answers(backend, name, 2, {"amp_activation": activation}, strength)
    amplitude, phase = (networks.centre(one) for one in both)
    over = {
        "predicted amplitude": -predicted.min(),
        "amplitude, low": LOWEST[activation] - amplitude.min(),
        "amplitude, high": amplitude.max() - HIGHEST.get(activation, np.inf),
        "phase": np.abs(phase).max() - PI,
    }
    return {what: float(by) for what, by in over.items() if not by <= 0}


def border(backend: Any, name: str) -> dict[str, bool]:
    """Whether the border and the centre of the amplitude hold anything, without `probe_big`."""
    amplitude = answers(backend, name, 2, {"probe_big": False})[1]
    return {"border": bool(amplitude[..., networks.ring()].any()), "centre": bool(networks.centre(amplitude).any())}


def patches(backend: Any, made: Native, fed: Inputs) -> np.ndarray:
    """The patches of the inference call."""
    return native.array(backend.predict(made, *fed[:4]))


def companies(backend: Any, name: str, g: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The patches of four samples together, of each alone, and of them in another order, put back."""
    made, fed = module(backend, name, {"gridsize": g}), networks.inputs(g, B=4)
    order = np.array([2, 0, 3, 1])
    alone = np.concatenate([patches(backend, made, Inputs(*(part[k : k + 1] for part in fed))) for k in range(4)])
    moved = patches(backend, made, Inputs(*(part[order] for part in fed)))
    return patches(backend, made, fed), alone, moved[np.argsort(order)]


def twice(backend: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """One call before and after another one."""
    made, fed, other = module(backend, name), networks.inputs(2), networks.inputs(2, seed=11)
    first = patches(backend, made, fed)
    patches(backend, made, other)
    return first, patches(backend, made, fed)


def described(weights: Mapping[str, Any]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Name → shape and dtype of each weight."""
    return {name: (native.shape(value), native.dtype(value)) for name, value in weights.items()}


def two(backend: Any, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The weights' forms of two modules of one configuration."""
    first, second = (described(backend.weights(backend.module(settings(backend, name)))) for _ in range(2))
    return first, second


def handed_over(backend: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The patches of a module, and of a fresh one with its weights."""
    fed, made = networks.inputs(2), module(backend, name)
    fresh = backend.with_weights(backend.module(settings(backend, name)), networks.values(backend.weights(made)))
    return patches(backend, made, fed), patches(backend, fresh, fed)


def gradients(backend: Any, name: str) -> dict[str, str]:
    """Weight → what is wrong with its gradient on a batch with a dark pattern: `not finite`; `zero`, where patches hang on it."""
    source = networks.container(2)
    source.X[1, ..., 2] = 0
    config = settings(backend, name)
    made = module(backend, name)
    found = backend.gradient(made, networks.first_batch(backend, source, config))
    faults = {weight: _fault(value) for weight, value in found.items()}
    return {k: fault for k, fault in faults.items() if fault and (fault != "zero" or _shapes_patches(backend, made, k))}


def _shapes_patches(backend: Any, made: Native, weight: str) -> bool:
    """Whether another value of a weight leads to other patches; the module keeps its own."""
    fed, own = networks.inputs(2), networks.values(backend.weights(made))[weight]
    before = patches(backend, made, fed)
    after = patches(backend, backend.with_weights(made, {weight: (own * 1.5 + 0.25).astype(own.dtype)}), fed)
    backend.with_weights(made, {weight: own})
    return bool((before != after).any())


def _fault(value: Any) -> str:
    slope = np.zeros(1) if value is None else native.array(value)
    if not np.isfinite(slope).all():
        return "not finite"
    return "" if slope.any() else "zero"


def bundled(backend: Any, name: str, folder: Path) -> dict[str, Any]:
    """A short training of an architecture and its bundle: patches of the trained and of the opened model, and what it names.

    It is opened under a registry that another architecture was written to.
    """
    config = settings(backend, name, output_dir=folder / name, nphotons=3e4)
    execution = backend.canonical("execution", accelerator="cpu", learning_rate=2e-3, enable_progress_bar=False)
    source = backend.container_from_groups(networks.grouped(2), curved_probe(N)[0], 3e4)
    models = native.item(backend.train(source, source, config, execution), "models")
    backend.save(models, folder / name / "saved" / "wts.h5", config, 1.5)
    backend.synchronise(networks.settings(backend, {"architecture": "cnn", "n_filters_scale": 2}))
    opened, params = backend.load(folder / name / "saved")
    fed = networks.inputs(2)
    both = [patches(backend, native.item(found, "diffraction_to_obj"), fed) for found in (models, opened)]
    return {"trained": both[0], "opened": both[1], "named": native.item(params, "architecture")}


def scaled(backend: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Patches of patterns, and of patterns eight times as bright with an eighth of the scale."""
    made, fed = module(backend, name), networks.inputs(2)
    brighter = fed._replace(images=8 * fed.images, input_scale=fed.input_scale / 8)
    return patches(backend, made, fed), patches(backend, made, brighter)


def blind_to(backend: Any, name: str) -> list[int]:
    """Members of a group whose pattern may change without a change of any patch."""
    made, fed = module(backend, name), networks.inputs(2)
    before = patches(backend, made, fed)
    return [member for member in range(4) if (patches(backend, made, _turned(fed, member)) == before).all()]


def _turned(fed: Inputs, member: int) -> Inputs:
    images = fed.images.copy()
    images[:, member] = images[:, member, ::-1] * np.float32(0.7)
    return fed._replace(images=images)


def behind_the_mask(backend: Any, name: str, g: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Prediction and patches with `probe_mask`, each under a probe with light beyond the mask and without."""
    made, fed = module(backend, name, {"gridsize": g, "probe_mask": True}), networks.inputs(g)
    inner, outer = networks.split_probe()
    lit = [fed._replace(probe=probe[None, None, None].astype(np.complex64)) for probe in (inner + outer, inner)]
    predictions = [native.array(backend.forward(made, *one)[0]) for one in lit]
    return [(predictions[0], predictions[1]), (patches(backend, made, lit[0]), patches(backend, made, lit[1]))]


def in_another_order(backend: Any, name: str, g: int) -> tuple[np.ndarray, np.ndarray]:
    """The patches under three modes, the last of them first, and as they were."""
    made, fed = module(backend, name, {"gridsize": g}), networks.inputs(g, modes=3)
    return patches(backend, made, fed._replace(probe=fed.probe[:, :, ::-1].copy())), patches(backend, made, fed)


def deaf_to(backend: Any, name: str) -> list[int]:
    """Of three modes those whose conjugates in their places leave every patch as it was; none where no mode is looked at."""
    made, fed = module(backend, name, {"gridsize": 1}), networks.inputs(1, modes=3)
    before = patches(backend, made, fed)

    def turned(mode: int) -> np.ndarray:
        probe = fed.probe.copy()
        probe[:, :, mode] = 1.5 * probe[:, :, mode].conj()
        return patches(backend, made, fed._replace(probe=probe))

    deaf = [mode for mode in range(3) if np.array_equal(turned(mode), before)]
    return deaf if len(deaf) < 3 else []
