"""Work that a process does for somebody who goes on computing in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.connectors import beside, native
from conformance.scenes import archives, engines, images, runs
from conformance.scenes.engines import Ask
from conformance.scenes.failures import DIVERGING
from conformance.scenes.runs import SMALL

_COUNT = itertools.count()


def _training(backend: Any, folder: Path) -> None:
    runs.fresh(backend, SMALL, folder / f"run{next(_COUNT)}")


def _failing(backend: Any, folder: Path) -> None:
    """A training at a rate with which its second batch meets weights that are not finite."""
    with suppress(ValueError, RuntimeError):
        runs.fresh(backend, replace(SMALL, groups=8, rate=DIVERGING), folder / f"run{next(_COUNT)}")


def _saving(backend: Any, folder: Path) -> None:
    run = runs.trained(backend, SMALL)
    backend.save(native.item(run.results, "models"), folder / "wts.h5", run.config)


def _grouping(backend: Any, folder: Path) -> None:
    config = runs.configuration(backend, SMALL, folder)
    backend.synchronise(config)
    backend.container(runs.test_record(backend), config)


def _stitching(backend: Any, folder: Path) -> None:
    scene = images.mosaics()[0]
    images.stitched(backend, scene.patches, scene.offsets, scene.M)


WORK: dict[str, Callable[[Any, Path], Any]] = {
    "training": _training,
    "failing": _failing,
    "opening": lambda backend, _: backend.load(archives.good(backend)),
    "saving": _saving,
    "reconstructing": lambda backend, _: images.afresh(backend, SMALL, runs.test_record(backend), M=17),
    "stitching": _stitching,
    "solving": lambda backend, _: engines.recovered(backend, Ask(passes=1)),
}
FURTHER: dict[str, Callable[[Any, Path], Any]] = {
    "continuing": lambda backend, _: backend.load_checkpoint(runs.last(runs.trained(backend, SMALL))),
    "grouping": _grouping,
}
"""What else is no work of chance."""
SILENT = (*(name for name in WORK if name not in ("training", "failing")), *FURTHER)
"""What draws nothing of the process's own: a training is seeded, and says so (TRAIN-011)."""

CHOSEN = ("threads", "deterministic algorithms")
"""What a training's configuration may ask for, of the whole process."""


def switched(backend: Any, work: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The switches before and after work of this kind, done for the second time: the first may load libraries."""
    here = beside.switches(backend)["working folder"]
    WORK[work](backend, folder)
    before = {**beside.settle(backend), "working folder": here}
    try:
        WORK[work](backend, folder)
        after = beside.switches(backend)
    finally:
        beside.unsettle(backend, here)
    for name in () if work in SILENT else CHOSEN:
        before.pop(name, None), after.pop(name, None)
    return before, after


def moved(backend: Any, work: str, folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Where the generators stand before and after work of this kind."""
    does = {**WORK, **FURTHER}[work]
    does(backend, folder)
    beside.seed(backend, 11)
    before = beside.drawn(backend)
    does(backend, folder)
    return before, beside.drawn(backend)
