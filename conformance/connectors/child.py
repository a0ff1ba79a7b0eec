"""A fresh process for a backend: opens a bundle, predicts, and writes what it saw (BUNDLE-023, BUNDLE-030).

`python -m conformance.connectors.child --backend NAME --device cpu --bundle FOLDER --inputs IN.npz --output OUT.npz`, where
IN holds the arrays of MODEL-021 in their order (`arr_0` …), and OUT gets `prediction`, `amplitude` (the forward pass) and
`registry` (JSON).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native
from conformance.connectors.connect import Proxy, connect


def main(arguments: Sequence[str] | None = None) -> None:
    """Read, load, predict, write; any error ends the process with its traceback and code 1."""
    parser = argparse.ArgumentParser(prog="conformance.connectors.child")
    for flag in ("--backend", "--device", "--bundle", "--inputs", "--output"):
        parser.add_argument(flag, required=True)
    given = parser.parse_args(arguments)
    backend = Proxy(connect(given.backend, given.device))
    models, _ = backend.load(Path(given.bundle))
    with np.load(given.inputs, allow_pickle=False) as archive:
        inputs = [archive[f"arr_{i}"] for i in range(len(archive.files))]
    module = native.item(models, "diffraction_to_obj")
    found = {
        "prediction": native.array(backend.predict(module, *inputs)),
        "amplitude": native.array(backend.forward(module, *inputs, np.ones_like(inputs[3]))[0]),
        "registry": np.array(json.dumps(readable(backend.registry()))),
    }
    np.savez(given.output, **found)


def readable(registry: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a registry that JSON can hold."""
    return {key: value for key, value in registry.items() if value is None or type(value) in (bool, int, float, str)}


if __name__ == "__main__":
    main()
