"""The minimal integration record, made from its recipe, and runs of its generator."""

from __future__ import annotations

import json
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.oracles.fixture import expected_counts, surprise
from conformance.scenes.records import patch_at, record, write_npz

NAME = "minimal_dataset_v1.npz"
SCAN = 1087


@cache
def arrays(size: int = 64) -> dict[str, np.ndarray]:
    """The exposures, made anew from the recipe; once a process."""
    with tempfile.TemporaryDirectory() as folder:
        # With a description to write, the generator compares its digest with none: that is for the checks.
        run = generate(Path(folder), "--subset-size", str(size), "--output", NAME, "--metadata-out", "made.json")
        if run.returncode:
            raise native.Malformed(f"expected the minimal record, found exit code {run.returncode}: {run.output[-500:]}")
        return loaded(Path(folder, NAME))


def scan() -> dict[str, np.ndarray]:
    """The whole scan of 1,087 exposures from which they are taken."""
    return arrays(SCAN)


def description() -> dict[str, Any]:
    """The JSON that stands in version control."""
    with tempfile.TemporaryDirectory() as folder:
        return dict(json.loads(generate(Path(folder), "--description").stdout))


def digest_of(folder: Path, source: Path) -> str:
    """The digest that the generator states of 20 exposures of a source."""
    generate(folder, "--source", str(source), "--output", "out.npz", "--subset-size", "20", "--metadata-out", "out.json")
    return str(json.loads((folder / "out.json").read_text(encoding="utf-8"))["sha256_checksum"])


def predictions() -> np.ndarray:
    """`(64, N, N)` float64 expected counts of every position, from object and probe of the record."""
    made = arrays()
    probe, image = made["probeGuess"], made["objectGuess"]
    places = zip(made["xcoords"], made["ycoords"], strict=True)
    return np.stack([expected_counts(patch_at(image, x, y, probe.shape[-1]), probe) for x, y in places])


def at_home() -> int:
    """How many patterns are more likely at their own position than at any other."""
    predicted = predictions()
    likeliest = [int(np.argmin([surprise(pattern, counts) for counts in predicted])) for pattern in arrays()["diffraction"]]
    return sum(place == own for own, place in enumerate(likeliest))


def photons() -> np.ndarray:
    """`(64,)` float64: the photons that were counted in each pattern."""
    return np.sum(arrays()["diffraction"].astype(np.float64) ** 2, axis=(1, 2))


def spans(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The ranges of x and y in pixels."""
    return np.array([np.ptp(x), np.ptp(y)])


def generate(folder: Path, *flags: str) -> process.Completed:
    """The generator in a process of its own, with `folder` for its working directory."""
    return process.run([sys.executable, "-m", "reference_impl.simulation.minimal_dataset", *flags], cwd=folder)


def source(folder: Path, N: int = 16, **changes: Any) -> Path:
    """A source of 40 exposures with a side of N, in the layout `(M, N, N)`, in which M is no side of a pattern."""
    return write_npz(folder / "source.npz", **{**record(40, N), **changes})


def loaded(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def files_in(folder: Path) -> list[str]:
    """Names of what stands in a folder."""
    return sorted(path.name for path in folder.iterdir())


def missing(fragments: tuple[str, ...], text: str) -> list[str]:
    """The fragments that a text lacks."""
    return [part for part in fragments if part not in text]
