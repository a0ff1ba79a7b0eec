"""Whether a planted backend still works: it reads, trains, saves, loads and infers, once each and as briefly as can be.

A mutant is a working backend with one defect. One that dies on the way turns checks red by its death, and proves nothing about
them; one whose defect is such a death says so in its row (`breaks`).
"""

from __future__ import annotations

import inspect
import shutil
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.connect import Proxy
from conformance.defects.planting import ROOT, Plant, anew
from conformance.scenes import runs

STEPS = ("read", "train", "save", "load", "infer")
AFTERWARDS = ("save", "load", "infer")
MADE = "make"
"""Before them: the adapter over the package, where that is planted as text."""
USED = {
    "read": "read", "registry": "read", "canonical": "train", "synchronise": "train", "run": "train", "load": "load",
    "reconstruct": "infer",
}  # fmt: skip
"""The adapter's methods that the scenario calls, and the step that does so first."""
RECIPE = runs.Recipe(groups=4, gridsize=2, model=runs.settings(n_filters_scale=0.5))
"""Half as wide as what the suite trains: a quarter of the weights to draw, write and read, and half of the time."""
POSITIONS = 12
OUT = "out"
"""Where the training writes, in the scenario's folder."""


class Stuck(Exception):
    """The scenario went through a step, and what came out is nothing that the next could use."""


def stops_at(backend: Any, folder: Path, trained: Path | None = None) -> tuple[str, str]:
    """The step at which the scenario stops and why; two empty words where it goes through.

    `trained`: what the same training left before, taken in its place.
    """
    state: dict[str, Any] = {"trained": trained}
    for step in STEPS:
        try:
            _STEP[step](Proxy(backend), folder, state)
        except (Exception, SystemExit) as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            return step, f"{type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"[:300]
    return "", ""


def _read(backend: Any, folder: Path, state: dict[str, Any]) -> None:
    """Two files are records of as many patterns as they hold."""
    for name, seed in (("train", 5), ("test", 8)):
        path = folder / f"{name}.npz"
        np.savez(path, **runs.raw(POSITIONS, seed=seed))
        state[name] = backend.read(path)
    count = len(native.array(state["train"].xcoords))
    if count != POSITIONS:
        raise Stuck(f"{count} positions of {POSITIONS}")


def _train(backend: Any, folder: Path, state: dict[str, Any]) -> None:
    """An epoch on four groups, through the workflow that keeps a bundle."""
    config = runs.configuration(backend, RECIPE, folder / OUT)
    execution = backend.canonical("execution", accelerator="cpu", enable_progress_bar=False)
    backend.synchronise(config)
    state["config"] = config
    if state["trained"] is not None:
        shutil.copytree(state["trained"], folder / OUT)
        return
    state["results"] = runs.three(backend.run(state["train"], state["test"], config, execution))[2]
    losses = native.item(native.item(state["results"], "history"), "train_loss")
    if len(losses) < 1:
        raise Stuck("no loss is told")


def _save(backend: Any, folder: Path, state: dict[str, Any]) -> None:
    if not (folder / OUT / "wts.h5.zip").is_file():
        raise Stuck(f"no bundle; found {runs.left(folder / OUT)}")


def _load(backend: Any, folder: Path, state: dict[str, Any]) -> None:
    state["models"], _ = backend.load(folder / OUT)


def _infer(backend: Any, folder: Path, state: dict[str, Any]) -> None:
    """The images of the test file by the loaded model: finite, and of two axes."""
    answer = backend.reconstruct({"models": state["models"]}, state["test"], state["config"])
    for name, image in zip(("amplitude", "phase"), answer[:2], strict=True):
        found = native.array(image)
        if found.ndim != 2 or not found.size or not np.isfinite(found).all():
            raise Stuck(f"{name}: shape {found.shape}, finite: {bool(np.isfinite(found).all())}")


_STEP: dict[str, Callable[[Any, Path, dict[str, Any]], None]] = {
    "read": _read,
    "train": _train,
    "save": _save,
    "load": _load,
    "infer": _infer,
}


def reached(backend: Any, folder: Path) -> dict[str, list[str]]:
    """Step → the functions of the reference that it runs, as `_place` names them; `MADE`: what runs while it is imported.

    In a process of its own: the reference is imported anew. Raises `Stuck` where the scenario stops.
    """
    found: dict[str, set[str]] = {}
    state: dict[str, Any] = {"trained": None}
    for step in STEPS:
        with _looking(found.setdefault(step, set())):
            try:
                _STEP[step](Proxy(backend), folder, state)
            except (Exception, SystemExit) as error:
                raise Stuck(f"the unplanted reference stops at {step}: {type(error).__name__}: {error}") from error
    with _looking(found.setdefault(MADE, set())):
        anew(str(package().parent))
    return {step: sorted(place for place in places if f"/{ROOT}/" in place) for step, places in found.items()}


@contextmanager
def _looking(places: set[str]) -> Iterator[None]:
    """Add the places of all functions that are called inside, in this thread and in those that begin."""

    def look(frame: Any, event: str, _: object) -> None:
        if event == "call":
            places.add(_place(frame.f_code))

    threading.setprofile(look)
    sys.setprofile(look)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def package() -> Path:
    """The folder of the reference that this process has imported."""
    return Path(str(sys.modules[ROOT].__file__)).parent


def _place(code: Any) -> str:
    return f"{code.co_filename}:{code.co_firstlineno}"


def proved(
    backend: Any, places: Mapping[str, Collection[str]], folder: Path, trained: Path | None = None
) -> tuple[str, str] | None:
    """Where the scenario stops with a planted backend (`stops_at`); None where what is planted is none of what it runs.

    Where nothing that is planted runs before the training has ended, it is the unplanted one, and `trained` is what that left.
    Modules that are planted as text are read anew for it, in this process.
    """
    planter = backend.planter
    if first := first_step(planter, places):
        return stops_at(backend, folder, trained if first in AFTERWARDS else None)
    if not planter.touched and any(_holds(package() / name, places) for name in planter.changed):
        try:
            fresh = anew(planter.copies[0].name)
        except (Exception, SystemExit) as error:
            return MADE, f"{type(error).__name__}: {error}"[:300]
        return stops_at(fresh, folder)
    return None


def first_step(planter: Plant, places: Mapping[str, Collection[str]]) -> str:
    """The first step that runs anything of what is planted into this process; empty where none does."""
    answered = {USED[name] for name, _ in planter.answers if name in USED}
    return next((s for s in STEPS if s in answered or any(_runs(touched, places[s]) for touched in planter.touched)), "")


def _holds(file: Path, places: Mapping[str, Collection[str]]) -> bool:
    """Whether anything of a file runs; of what is no Python, perhaps."""
    return file.suffix != ".py" or any(place.startswith(f"{file}:") for some in places.values() for place in some)


def _runs(touched: Any, places: Collection[str]) -> bool:
    """Whether the scenario runs a function; of a module or a class, any function of its file; of anything else, perhaps."""
    plain = inspect.unwrap(touched) if callable(touched) else touched
    plain = getattr(plain, "fget", None) or getattr(plain, "__func__", plain)
    if (code := getattr(plain, "__code__", None)) is not None:
        return _place(code) in places
    if inspect.ismodule(plain) or inspect.isclass(plain):
        file = getattr(plain, "__file__", None) or getattr(sys.modules.get(plain.__module__), "__file__", "")
        return any(place.startswith(f"{file}:") for place in places)
    return True
