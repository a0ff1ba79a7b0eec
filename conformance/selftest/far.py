"""A small backend to be put behind a connector: it dies, hangs, prints, warns, raises, and asks for what is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import connect

BACKEND = """
import logging, os, time, warnings
import numpy as np
from conformance.protocol import BackendInfo

LIVE = {"N": 64}


class Own(ValueError):
    pass


class Careful(UserWarning):
    pass


class Record:
    def __init__(self, **arrays):
        self.__dict__.update(arrays)

    def __len__(self):
        return len(self.diff3d)

    def __getitem__(self, i):
        return self.diff3d[i]

    @property
    def broken(self):
        raise Own("broken inside")


class Backend:
    def __init__(self, device="cpu"):
        self.device = device

    def info(self):
        return BackendInfo(name="far", version="7", profiles=("core",))

    def registry(self):
        return LIVE

    def record(self, **arrays):
        return Record(**arrays)

    def read(self, path, how="plain"):
        return {
            "die": lambda: os._exit(7),
            "abort": os.abort,
            "orphan": lambda: (os.fork() and os._exit(7)) or time.sleep(6) or os._exit(0),
            "hang": lambda: time.sleep(600),
            "print": lambda: print("hello from afar"),
            "raise": self.fail,
            "warn": lambda: warnings.warn("careful", FutureWarning),
            "careful": lambda: warnings.warn("of its own kind", Careful),
            "log": lambda: logging.getLogger("far").warning("logged %d", 3),
            "open": lambda: open(path).read(),
            "here": lambda: os.getcwd(),
            "random": lambda: float(np.random.rand()),
            "many": lambda: (x for x in range(3)),
            "reference": lambda: __import__("reference_impl"),
            "quietly": self.quietly,
            "oracle": lambda: __import__("conformance.oracles.physics"),
            "source": lambda: open(path),
        }[how]()

    def fail(self):
        try:
            raise KeyError("first")
        except KeyError as error:
            raise Own("then", 3) from error

    def quietly(self):
        try:
            import reference_impl
        except ImportError:
            return "another way"

    def diffract(self, field, probe):
        return np.abs(field)

    def translate(self, images, offsets):
        images[0] = 5
        return (images, images)

    def synchronise(self, config, registry=None):
        (LIVE if registry is None else registry).update(gridsize=config.gridsize)

    def simulate(self, field, probe, nphotons, seed):
        return {"images": field, "label": Record(diff3d=field)}
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A small backend in a process of its own."""
    (tmp_path / "far_backend.py").write_text(BACKEND, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = connect("proc:far_backend:Backend")
    yield made
    made.connection.close()
