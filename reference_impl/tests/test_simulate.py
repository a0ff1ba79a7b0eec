"""`simulate`: recipes, seeds, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.data import RawData, inspect_file

SMALL = Experiment(N=16, size=48, patterns=30, test_patterns=9, photons=1e4)


def test_files_are_contract_files_with_the_stated_photons(tmp_path: Path) -> None:
    flags = ["--N", "16", "--size", "48", "--patterns", "30", "--test-patterns", "9", "--photons", "1e4", "--object", "grf"]

    code = main(["simulate", "--output_dir", str(tmp_path), "--quiet", *flags])

    assert code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ground_truth.npz", "test.npz", "train.npz"]
    header, record = inspect_file(tmp_path / "train.npz"), RawData.from_file(tmp_path / "train.npz")
    assert (header.n_patterns, header.N) == (30, 16) and abs(header.nphotons / 1e4 - 1) < 0.02
    assert record.objectGuess.shape == (48, 48) and len(RawData.from_file(tmp_path / "test.npz")) == 9


def test_the_test_object_was_never_trained_on_and_its_scan_is_central() -> None:
    files = simulate(SMALL)

    assert not np.array_equal(files["train"]["objectGuess"], files["test"]["objectGuess"])
    assert np.ptp(files["test"]["xcoords"]) < np.ptp(files["train"]["xcoords"])
    assert np.abs(files["test"]["xcoords"].mean() - 23.5) < 3


def test_a_seed_decides_everything_and_parts_do_not_move_each_other() -> None:
    first, again, other = simulate(SMALL), simulate(SMALL), simulate(replace(SMALL, seed=1))
    flat = simulate(replace(SMALL, probe="ideal"))

    assert all(np.array_equal(first["train"][key], again["train"][key]) for key in first["train"])
    assert not np.array_equal(first["train"]["diff3d"], other["train"]["diff3d"])
    assert np.array_equal(first["train"]["objectGuess"], flat["train"]["objectGuess"])
    assert np.array_equal(first["train"]["xcoords"], flat["train"]["xcoords"])


@pytest.mark.parametrize(
    ("flags", "fragment"),
    [
        (["--object", "circles"], "--object: expected one of ['lines', 'dead_leaves', 'grf'], found 'circles'"),
        (["--probe", "round"], "--probe: expected one of"),
        (["--patterns", "0"], "--patterns: expected a positive whole number from 1 to 1000000, found 0"),
        (["--photons", "-1"], "--photons"),
        (["--size", "20", "--N", "16"], "--size: expected at least 2 N = 32, found 20"),
    ],
)
def test_impossible_experiments_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], fragment: str
) -> None:
    code = main(["simulate", "--output_dir", str(tmp_path), "--quiet", *flags])

    said = capsys.readouterr()
    assert code == 1 and fragment in said.err and len(said.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
