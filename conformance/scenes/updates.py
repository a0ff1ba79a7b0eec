"""What an update does to the weights: how far they move, and how far they may."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed
from conformance.scenes import runs
from conformance.scenes.runs import STILL, Recipe, settings

IN_ORDER = settings(sequential_sampling=True)


def displacement(backend: Any, recipe: Recipe) -> np.ndarray:
    """How far a recipe moves what is learned: its end minus the end of the same run at a rate at which nothing moves.

    Statistics that a network keeps of its batches are among its weights, and no optimiser moves them.
    """
    run, still = (_trained(backend, one) for one in (recipe, replace(recipe, rate=STILL, epochs=1)))
    learned = _learned(backend, recipe, still)
    end, start = ({k: v for k, v in runs.weights(backend, runs.model_of(one)).items() if k in learned} for one in (run, still))
    return runs.flat(end) - runs.flat(start)


def as_far(backend: Any, recipe: Recipe, other: Recipe, step: float = 0.5) -> float:
    """How many times as far as a recipe another one goes; of one that computes otherwise while it trains, in steps of `step`."""
    one, two = displacement(backend, recipe), displacement(backend, other)
    share = float(np.vdot(one, two) / np.vdot(one, one))
    return round(share / step) * step if computes_otherwise(backend, recipe) else share


def _trained(backend: Any, recipe: Recipe) -> runs.Run:
    """A run of a recipe; a backend may refuse a setting of its training, by name (CONFIG-071), and then shows no update by it."""
    try:
        return runs.trained(backend, recipe)
    except (ValueError, RuntimeError) as error:
        if refused := [name for name in dict(recipe.training) if name in str(error)]:
            raise NotClaimed(f"train with this {refused[0]}: {error}") from error
        raise


def _learned(backend: Any, recipe: Recipe, run: runs.Run) -> set[str]:
    """The names of the weights that have a gradient, be it none for this batch."""
    config = runs.configuration(backend, recipe, Path("unused"))
    backend.synchronise(config)
    batch = next(iter(backend.loaders(run.results["train_container"], None, config)[0]))
    return {str(name) for name in backend.gradient(backend.module(config), batch)}


def computes_otherwise(backend: Any, recipe: Recipe) -> bool:
    """Whether a network computes otherwise while it trains (specs/loss.md).

    At a rate at which nothing is learned, its losses differ from pass to pass (draws), or what has no gradient moves (means).
    """
    still = replace(recipe, rate=STILL, epochs=2, training=IN_ORDER, overrides=())  # one for all that an update is told
    run = runs.trained(backend, still)
    first, second = native.item(native.item(run.results, "history"), "train_loss")
    fresh = runs.weights(backend, backend.module(runs.configuration(backend, still, Path("unused"))))
    learned, found = _learned(backend, still, run), runs.weights(backend, runs.model_of(run))
    draws = abs(first - second) > 1e-6 * abs(first)
    return draws or any(not np.array_equal(found[name], fresh[name]) for name in found.keys() - learned)


def two_updates(
    backend: Any, recipe: Recipe, step: Callable[[np.ndarray, np.ndarray, dict[str, Any]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """How far a recipe of two batches, of one epoch or two, moves the weights, and how far `step(w, g, state)` says, by the
    backend's own gradients.

    Of a network that computes otherwise while it trains, one update by the slope that training itself shows.
    """
    if computes_otherwise(backend, recipe):
        return _one_update(backend, replace(recipe, groups=recipe.groups * recipe.epochs // 2, epochs=1), step)
    run, still = (_trained(backend, one) for one in (recipe, replace(recipe, rate=STILL)))
    start, end = (runs.weights(backend, runs.model_of(one)) for one in (still, run))
    names = sorted(name for name, value in start.items() if value.dtype.kind == "f")
    config = runs.configuration(backend, recipe, Path("unused"))
    backend.synchronise(config)
    container, now = run.results["train_container"], runs.flat(start)
    first, state = now, {}
    loader = backend.loaders(container, None, config)[0]
    for batch in (batch for _ in range(recipe.epochs) for batch in loader):
        module = backend.with_weights(backend.module(config), unflat(now, start, names))
        found = backend.gradient(module, batch)
        gradient = {k: np.zeros_like(start[k]) if found.get(k) is None else np.array(native.array(found[k])) for k in names}
        now = step(now, runs.flat(gradient), state)
    return runs.flat(end) - first, now - first


def _one_update(
    backend: Any, recipe: Recipe, step: Callable[[np.ndarray, np.ndarray, dict[str, Any]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The same of one batch, whose slope is how far plain descent goes: at rate 1, or ten times the weights' length
    where that is less than it, for single precision keeps little of a faint step beside a weight.
    """
    descent = settings(**{**dict(recipe.training), "optimizer": "sgd", "momentum": 0.0, "weight_decay": 0.0})
    still = runs.trained(backend, replace(recipe, rate=STILL, epochs=1))
    learned = _learned(backend, recipe, still)
    start = runs.flat({k: v for k, v in runs.weights(backend, runs.model_of(still)).items() if k in learned})
    plain = displacement(backend, replace(recipe, rate=1.0, training=descent))
    length, far = (float(np.linalg.norm(vector)) for vector in (start, plain))
    rate = 1.0 if far >= length else float(2.0 ** np.rint(np.log2(10 * length / far)))
    slope = -displacement(backend, replace(recipe, rate=rate, training=descent)) / rate
    return displacement(backend, recipe), step(start, slope, {}) - start


def unflat(vector: np.ndarray, like: Mapping[str, np.ndarray], names: list[str]) -> dict[str, np.ndarray]:
    """The weights of these names, shaped and rounded as those of `like`, out of one vector (`runs.flat`)."""
    ends = np.cumsum([like[name].size for name in names])
    parts = np.split(vector, ends[:-1])
    return {name: part.reshape(like[name].shape).astype(like[name].dtype) for name, part in zip(names, parts, strict=True)}


def adaptive_shares(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], clip: float) -> dict[str, float]:
    """For each weight with units (axis 0), its step over what `agc` grants it: `clip · sqrt(Σ_unit max(‖w‖, 1e-3)²)`."""
    shares = {}
    for name in (name for name in before if before[name].ndim > 1):
        units = np.linalg.norm(before[name].reshape(len(before[name]), -1).astype(float), axis=1)
        step = np.linalg.norm(after[name].astype(float) - before[name])
        shares[name] = float(step / (clip * np.linalg.norm(np.maximum(units, 1e-3))))
    return shares


def unit_shares(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], clip: float) -> dict[str, float]:
    """For each weight with units, the largest step of one over what `agc` grants it: `clip · max(‖w‖, 1e-3)`.

    Units lie along the first axis or, where a backend keeps kernels the other way round, along the second: the one that fits.
    """
    shares = {}
    for name in (name for name in before if before[name].ndim > 1):
        start, step = before[name].astype(float), after[name].astype(float) - before[name]
        shares[name] = min(_largest_share(np.moveaxis(start, axis, 0), np.moveaxis(step, axis, 0), clip) for axis in (0, 1))
    return shares


ALONG = 0.999
"""Least cosine of two steps that have one direction."""


def least_cosines(
    before: Mapping[str, np.ndarray], plain: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]
) -> list[float]:
    """For each weight with units (`unit_shares`), the least cosine of a unit's step with that of a plain descent."""
    found = []
    for name in (name for name in before if before[name].ndim > 1):
        steps = [to[name].astype(float) - before[name] for to in (plain, after)]
        found.append(max(_least_cosine(*(np.moveaxis(step, axis, 0) for step in steps)) for axis in (0, 1)))
    return found


def _least_cosine(first: np.ndarray, second: np.ndarray) -> float:
    one, other = (step.reshape(len(step), -1) for step in (first, second))
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(np.min(np.sum(one * other, axis=1)[lengths > 0] / lengths[lengths > 0], initial=1.0))


def _largest_share(start: np.ndarray, step: np.ndarray, clip: float) -> float:
    weights, moves = (np.linalg.norm(values.reshape(len(values), -1), axis=1) for values in (start, step))
    return float(np.max(moves / (clip * np.maximum(weights, 1e-3))))


def vector_shares(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray], clip: float) -> list[float]:
    """For each weight of one axis, its step over the most that `agc` grants it: `clip · sqrt(Σ max(|w|, 1e-3)²)`.

    With the whole vector as one unit it may move less.
    """
    vectors = [name for name in before if before[name].ndim == 1 and before[name].dtype.kind == "f"]
    allowed = [clip * np.linalg.norm(np.maximum(np.abs(before[name].astype(float)), 1e-3)) for name in vectors]
    steps = [np.linalg.norm(after[name].astype(float) - before[name]) for name in vectors]
    return [float(step / most) for step, most in zip(steps, allowed, strict=True)]


def gentle(backend: Any, recipe: Recipe) -> Recipe:
    """The recipe with plain gradient descent at a rate at which one batch moves the weights by 3e-6 of their length.

    The slope is that of the weights with which the recipe's own run begins: nothing depends on what these happen to be.
    """
    descent = settings(optimizer="sgd", momentum=0.0, sequential_sampling=True)
    recipe = replace(recipe, training=recipe.training + descent)
    first = runs.weights(backend, runs.model_of(_trained(backend, replace(recipe, rate=STILL, epochs=1))))
    config = runs.configuration(backend, recipe, Path("unused"))
    backend.synchronise(config)
    module = backend.with_weights(backend.module(config), first)
    batch = next(iter(backend.loaders(backend.container(runs.training_record(backend), config), None, config)[0]))
    slopes = {name: value for name, value in backend.gradient(module, batch).items() if value is not None}
    slope = runs.flat({name: np.array(native.array(value)) for name, value in slopes.items()})
    return replace(recipe, rate=float(3e-6 * np.linalg.norm(runs.flat(first)) / np.linalg.norm(slope)))
