"""Readers of neighbouring programs' files, to be tried as every reader is (`readers`): nothing that a file holds may run."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import interop, model_comparisons
from conformance.scenes.readers import Reader, Write, hidden, nothing

FORMS = ("pickle global", "npy global", "npz global", "hdf5 pickle", "npy header")
"""What each of them is tried with; every form there is, POLICY-011 tries."""
PARTS = ("reconstructed_object", "algorithm")
"""Of a reconstruction, what a comparison cannot do without."""


def _pair(backend: Any, path: Path) -> Any:
    """The pair of this file, whose other half is honest."""
    for half in interop.files(interop.foreign_pair(path.parent / "honest", interop.pair())):
        other = path.with_name(half.name.replace("honest", "scan"))
        if not other.exists():
            shutil.copyfile(half, other)
    return backend.read_pair(path.with_name("scan"))


def _compared(backend: Any, path: Path) -> Any:
    """A model beside the reconstruction."""
    folder = path.parent / "compared"
    asked, test = model_comparisons.bundles(backend, "single"), model_comparisons.scan(path.parent)
    return model_comparisons.compared(backend, folder, asked, test, reconstruction=path)


def _without(part: str) -> Write:
    """A reconstruction of which one part is an array of objects, and calls."""

    def write(path: Path, canary: Path) -> None:
        honest = model_comparisons.reconstruction(path.parent)
        with np.load(honest) as given:
            np.savez(path, **{name: given[name] for name in given.files if name != part})
        hidden(path, part, canary)

    return write


def _honest(backend: Any, folder: Path) -> Path:
    """None is made here: what a reader makes of an honest file, its own clauses ask."""
    raise NotImplementedError


def _callings(backend: Any) -> dict[str, Write]:
    return {f"calling {part}": _without(part) for part in PARTS}


READERS = {
    "product": Reader("product.h5", lambda backend, path: backend.read_product(path), _honest, nothing),
    "pair-patterns": Reader("scan_dp.hdf5", _pair, _honest, nothing),
    "pair-parameters": Reader("scan_para.hdf5", _pair, _honest, nothing),
    "reconstruction": Reader("found.npz", _compared, _honest, _callings),
}
"""What opens a file that another program wrote."""
