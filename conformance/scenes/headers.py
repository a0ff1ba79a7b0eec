"""Files whose headers do not fit together, through both factories (CONFIG-064, CONFIG-072, DATA-020)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import runs, workflows
from conformance.scenes.entrances import Arrays


def _training(backend: Any, path: Path, overrides: Mapping[str, Any]) -> Any:
    given = backend.canonical("execution", accelerator="cpu")  # named, so that nothing is said about it
    return backend.payload(path, path.parent / "out", overrides, given)


def _inference(backend: Any, path: Path, overrides: Mapping[str, Any]) -> Any:
    given = backend.canonical("execution", accelerator="cpu")
    return backend.inference_payload(runs.trained(backend, workflows.PLAIN).folder, path, path.parent / "out", overrides, given)


FACTORIES: dict[str, Callable[[Any, Path, Mapping[str, Any]], Any]] = {"training": _training, "inference": _inference}
NO_PROBES = {
    "row": (64,),
    "wide": (48, 64),
    "high": (64, 48),
    "four-axes": (1, 1, 64, 64),
    "modes-last": (64, 64, 2),
    "oblong-modes": (2, 64, 48),
}


def probe(*shape: int) -> np.ndarray:
    """A complex64 array of this shape without symmetry."""
    return np.exp(0.1j * np.arange(np.prod(shape))).reshape(shape).astype(np.complex64)


def _cut(count: int) -> Callable[[Arrays], Arrays]:
    names = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "scan_index")
    return lambda given: {**given, **{name: given[name][:count] for name in names}}


MISFITS: dict[str, Callable[[Arrays], Arrays]] = {
    "fewer-positions": _cut(8),
    "fewer-patterns": lambda given: {**given, "diff3d": given["diff3d"][:-1]},
    "column-of-positions": lambda given: {**given, "xcoords": given["xcoords"][:, None]},
}


def warnings_of(call: Callable[[], Any]) -> list[str]:
    """The words of the `UserWarning`s of a call."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
