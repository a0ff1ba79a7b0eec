"""`simulate`: recipes, seeds, refusals."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reference_impl import atomic, claims
from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, simulate, write
from reference_impl.data import RawData, inspect_file, npz
from reference_impl.stored import zips
from reference_impl.tests.killing import contents, held_by_another, in_a_small_space, killed, lines_of

SMALL = Experiment(N=16, size=48, patterns=30, test_patterns=9, photons=1e4)


def test_files_are_contract_files_with_the_stated_photons(tmp_path: Path) -> None:
    flags = ["--N", "16", "--size", "48", "--patterns", "30", "--test-patterns", "9", "--photons", "1e4", "--object", "grf"]

    code = main(["simulate", "--output_dir", str(tmp_path), "--quiet", *flags])

    assert code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ground_truth.npz", "recipe.toml", "test.npz", "train.npz"]
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


def test_a_set_of_simulated_files_is_all_old_or_all_new_whenever_it_is_killed(tmp_path: Path) -> None:
    """Kill points over the writers: every line of them, a sample unless all are asked for."""
    files = [simulate(replace(SMALL, seed=seed)) for seed in (0, 1)]
    folder, model = tmp_path / "out", tmp_path / "model"
    states = []
    for made in files:
        write(made, model)
        states.append(contents(model))
    write(files[0], tmp_path / "count")
    modules = (atomic, claims, npz, zips)
    count = lines_of(lambda: write(files[1], tmp_path / "count"), *modules)

    for at in random.Random(0).sample(range(1, count + 1), count if os.environ.get("PTYCHO_EVERY_KILL") else 60):
        write(files[0], folder)
        assert killed(lambda: write(files[1], folder), at, *modules)
        assert contents(folder) in states, f"line {at} of {count}"
        write(files[1], folder)
        assert contents(folder) == states[1] and sorted(os.listdir(tmp_path)) == ["count", "model", "out"], f"line {at}"


@pytest.mark.parametrize("limit", [0, 100, 5_000, 30_000])
def test_a_full_disk_leaves_the_old_set_and_is_named(tmp_path: Path, limit: int) -> None:
    old, new = (simulate(replace(SMALL, seed=seed)) for seed in (0, 1))
    write(old, tmp_path / "out")
    before = contents(tmp_path)

    said = in_a_small_space(lambda: write(new, tmp_path / "out"), limit)

    assert said.startswith("OSError") and str(tmp_path / "out") in said and ".npz" in said and "partial" not in said
    assert contents(tmp_path) == before


def test_a_folder_that_another_run_holds_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held_by_another(tmp_path):
        code = main(["simulate", "--output-dir", str(tmp_path), "--quiet", "--N", "16", "--size", "48"])

    assert code == 1 and "another run holds" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
