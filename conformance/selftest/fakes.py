"""Small backends with known faults, without any numeric framework."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np

from conformance.protocol import BackendInfo


class Fake:
    """Right in `translate` (the identity), wrong in every other way that a backend can be."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device
        self.live: dict[str, Any] = {"N": 64}

    def info(self) -> BackendInfo:
        return BackendInfo(name="fake", version="0", profiles=("core",), numeric_libraries=("numpy",))

    def registry(self) -> MutableMapping[str, Any]:
        return self.live

    def defaults(self) -> Mapping[str, Any]:
        return {"N": 64}

    def translate(self, images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        return images

    def diffract(self, field: np.ndarray, probe: np.ndarray) -> np.ndarray:
        raise TypeError("a probe of five axes was expected")

    def merge(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:
        time.sleep(0.05)  # the report of what ran before has left the worker
        os._exit(3)

    def loaders(self, train: Any, test: Any, config: Any) -> tuple[Iterator[int], None]:
        def broken() -> Iterator[int]:
            yield 1 // 0

        return broken(), None


class Pure(Fake):
    """Only what is right: nothing else is claimed."""

    diffract = merge = loaders = None  # type: ignore[assignment]


class Late(Pure):
    """Reads a container only when the loader is iterated."""

    def loaders(self, train: Any, test: Any, config: Any) -> tuple[Iterator[Any], None]:
        def late() -> Iterator[Any]:
            yield train.X

        return late(), None


class Undefined(Pure):
    """A live registry whose defaults nobody tells."""

    defaults = None  # type: ignore[assignment]


class Stale(Pure):
    """A live registry whose defaults are told wrongly."""

    def defaults(self) -> Mapping[str, Any]:
        return {"N": 128, "left": "by another run"}


class Both(Fake):
    """Claims two profiles and both devices."""

    def info(self) -> BackendInfo:
        return BackendInfo(name="both", version="0", profiles=("core", "cli"), devices=("cpu", "cuda"))


class Unmakeable:
    """Its parts are missing."""

    def __init__(self, device: str = "cpu") -> None:
        raise RuntimeError("a library is missing")


class Anonymous:
    """Says nothing of itself."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device


class DiesAtOnce:
    """Takes the process with it before anything was planned."""

    def __init__(self, device: str = "cpu") -> None:
        os._exit(4)


class Deadly(Pure):
    """Ends the interpreter in the way that `M` says, without a word to anyone."""

    def merge(self, patches: np.ndarray, offsets: np.ndarray, M: int) -> np.ndarray:  # type: ignore[override]
        return (lambda: os._exit(0), os.abort, lambda: ctypes.string_at(0), lambda: os.kill(os.getpid(), signal.SIGKILL))[M]()


class DiesWhenAsked(Deadly):
    """Ends the interpreter, as if all were well, when it is asked who it is."""

    def info(self) -> BackendInfo:
        os._exit(0)


class DiesWhenMadeByAWorker(Deadly):
    """Can be made by the controller alone."""

    def __init__(self, device: str = "cpu") -> None:
        if "PYTEST_XDIST_WORKER" in os.environ:
            os._exit(0)
        super().__init__(device)
