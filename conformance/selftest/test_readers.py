"""The files that hold calls are no dummies: a reader without care runs each of them."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.scenes import attacks, readers

KINDS = [kind for kind in attacks.ATTACKS if kind not in ("import-alone", "persistent", "dill")]
"""Those that leave a trace; an import alone, a persistent name and a class that is only loaded are refused by name elsewhere."""


def evaluated(path: Path) -> Any:
    """What a careless reader does with the header of an array."""
    data = path.read_bytes()
    return eval(data[10:].decode())


def careless(name: str) -> Callable[[Path], Any]:
    """The reader that a file is meant for, without its care."""
    import torch
    import yaml

    if name.startswith("yaml"):
        return lambda path: yaml.unsafe_load(path.read_text())
    if name.startswith("npz"):
        return lambda path: dict(np.load(path, allow_pickle=True))
    return {
        "pickle": lambda path: pickle.loads(path.read_bytes()),
        "npy": lambda path: np.load(path, allow_pickle=True),
        "torch": lambda path: torch.load(path, weights_only=False),
        "header": evaluated,
        "expression": lambda path: eval(path.read_text()),
        "json-like": lambda path: eval(path.read_text()),
        "assignment": lambda path: exec(path.read_text()),
    }[name]


NAMES = [
    *(f"{form} {kind}" for form in ("pickle", "npy", "torch", "npz") for kind in KINDS),
    *(
        "npz probeGuess",
        "npz diff3d",
        "npy header",
        "yaml-apply",
        "yaml-new",
        "yaml-flow",
        "expression",
        "assignment",
        "json-like",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_careless_reader_runs_what_it_reads(tmp_path: Path, name: str) -> None:
    path, canary = tmp_path / "scan.npz", tmp_path / "canary"
    readers.everywhere()[name](path, canary)
    with contextlib.suppress(Exception):  # what the call leaves behind is no array
        careless("header" if name == "npy header" else name.split(" ")[0])(path)
    assert canary.exists()
