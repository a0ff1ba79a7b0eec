"""`train` on several files: what is refused before anything is trained, in the words of the flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl.batch import open_mapped
from reference_impl.cli.main import main
from reference_impl.config import ModelConfig, TrainingConfig

N = 64


def scan(path: Path, seed: int = 0, **changes: Any) -> Path:
    draw = np.random.default_rng(seed)
    y, x = (2.5 * axis.ravel() + draw.uniform(-0.5, 0.5, 30) + 20 for axis in np.mgrid[:5, :6])
    patterns = draw.uniform(0.1, 1, (30, N, N)) * np.exp(-((np.mgrid[:N, :N] - N / 2) ** 2).sum(axis=0) / 200)
    probe = np.exp(-((np.mgrid[:N, :N] - N / 2) ** 2).sum(axis=0) / 100)
    np.savez(path, **{"xcoords": x, "ycoords": y, "diff3d": patterns.astype(np.float32), "probeGuess": probe + 0j, **changes})
    return path


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line of a call that fails."""
    assert main(["train", *map(str, words), "--accelerator", "cpu", "--quiet"]) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_flags_of_a_map_say_nothing_about_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "--train-data-file", scan(tmp_path / "a.npz"), "--output-dir", tmp_path / "out", "--remake-map")
    assert line.startswith("error: --remake-map: expected several files, a folder or --map-dir")


def test_every_file_is_looked_for_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--train-data-file", scan(tmp_path / "a.npz"), tmp_path / "absent.npz", "--output-dir", tmp_path / "out"
    assert refused(capsys, *words) == f"error: --train-data-file: expected a file, found none: {tmp_path / 'absent.npz'}"
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scans").mkdir()
    assert "resulted in 0 items" in refused(capsys, "--train-data-file", tmp_path / "scans", "--output-dir", tmp_path / "out")


def test_a_bad_file_is_named_and_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = scan(tmp_path / "b.npz", probeGuess=np.ones((N - 2, N - 2), complex))
    words = "--train-data-file", scan(tmp_path / "a.npz"), bad, "--output-dir", tmp_path / "out"
    assert f"{bad}: probeGuess" in refused(capsys, *words)
    assert not (tmp_path / "out" / "map").exists()


def test_labels_of_the_solver_need_data_in_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "--train-data-file", scan(tmp_path / "a.npz"), "--map-dir", tmp_path / "map", "--output-dir", tmp_path / "out"
    assert "--labels: expected none" in refused(capsys, *words, "--labels", "engine")


def test_a_stale_map_is_refused_in_the_words_of_the_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = scan(tmp_path / "a.npz")
    config = TrainingConfig(model=ModelConfig(N=N, gridsize=1), n_groups=9, backend="pytorch")
    open_mapped(file, tmp_path / "map", config)
    line = refused(capsys, "--train-data-file", file, "--map-dir", tmp_path / "map", "--output-dir", tmp_path / "out")
    assert line.endswith("Rebuild it with --remake-map")
