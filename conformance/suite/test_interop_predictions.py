"""SIDE-022, SIDE-023: what PtychoViT divides by, and its patches put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import interop as oracle
from conformance.scenes import predictions


@pytest.mark.clause("SIDE-022~1")
@pytest.mark.parametrize("name", sorted(predictions.BRIGHTNESS))
def test_the_largest_intensity_of_a_pair_is_kept(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """By the pair's name, a plain number. If this fails, suspect the largest amplitude, or one number for all."""
    backend.write_normalisation(tmp_path / "numbers.pkl", predictions.pairs(tmp_path))

    found = predictions.mapping(tmp_path / "numbers.pkl")

    observe.equal("names", sorted(found), sorted(predictions.BRIGHTNESS))
    observe.equal("kind", type(found[name]).__name__, "float")
    observe.close("largest intensity", found[name], predictions.largest()[name])


@pytest.mark.clause("SIDE-022~1")
def test_both_settings_name_the_numbers(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The key for training and the one for tests. If this fails, suspect one of them left as it was."""
    path = tmp_path / "numbers.pkl"

    said = backend.write_normalisation(path, predictions.pairs(tmp_path))

    settings = native.item(said, "data")
    observe.equal("paths", [str(native.item(settings, key)) for key in predictions.KEYS], [str(path)] * 2)


@pytest.mark.clause("SIDE-022~1")
@pytest.mark.parametrize("kind", sorted(predictions.NO_NUMBERS))
def test_a_pair_without_a_number_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """By name, and the older file stays. If this fails, suspect a name that is written over, or a division by zero to come."""
    name, made = predictions.NO_NUMBERS[kind]
    path = tmp_path / "numbers.pkl"
    backend.write_normalisation(path, predictions.pairs(tmp_path))
    before = path.read_bytes()

    with observe.raises("refusal", (ValueError, OSError), name):
        backend.write_normalisation(path, made(tmp_path))

    observe.equal("the older file", path.read_bytes() == before, True)


@pytest.mark.clause("SIDE-023~1", evidence="analytic")
def test_patches_of_an_object_give_it_back(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Where patches lie; zero elsewhere. If this fails, suspect a mean over the scan, or a sum that nobody divides."""
    patches, given = predictions.predicted(tmp_path / "scan", "cut")

    found = backend.assemble_pair(tmp_path / "scan", patches)

    observe.close("object", found, given["object"] * predictions.covered(given), dtype="float32")


@pytest.mark.clause("SIDE-023~1", evidence="differential")
def test_patches_between_pixels_are_spread(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As pixel by pixel, beyond the rim too. If this fails, suspect positions rounded to pixels, or x and y exchanged."""
    patches, given = predictions.predicted(tmp_path / "scan", "any")

    found = backend.assemble_pair(tmp_path / "scan", patches)

    shape = given["object"].shape
    observe.close("object", found, oracle.assemble(patches, given["xcoords"], given["ycoords"], shape), dtype="float32")
    odd = np.ascontiguousarray(patches[:, 1:, 1:])
    truth = oracle.assemble(odd, given["xcoords"], given["ycoords"], shape)
    observe.close("odd sides", backend.assemble_pair(tmp_path / "scan", odd), truth, dtype="float32")


@pytest.mark.clause("SIDE-023~1")
@pytest.mark.parametrize("kind", sorted(predictions.NO_PATCHES))
def test_what_are_no_patches_of_a_pair_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """With the pair's name. If this fails, suspect patches that are paired with positions as far as they reach."""
    patches, _ = predictions.predicted(tmp_path / "scan", "any")

    with observe.raises("refusal", ValueError, "scan"):
        backend.assemble_pair(tmp_path / "scan", predictions.NO_PATCHES[kind](patches))


@pytest.mark.clause("SIDE-023~1")
def test_a_prediction_without_its_numbers_is_none(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """What was printed tells. If this fails, suspect a log that nobody reads."""
    patches, _ = predictions.predicted(tmp_path / "scan", "any")
    with observe.accepts("a quiet prediction"):
        backend.assemble_pair(tmp_path / "scan", patches, "epoch 1\nNormalization file found\n")

    with observe.raises("refusal", ValueError, "Normalization file not found"):
        backend.assemble_pair(tmp_path / "scan", patches, "epoch 1\nNormalization file not found, using 1e5\n")
