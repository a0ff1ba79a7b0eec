"""The engine beside other solvers: what is measured, how it is told, and what happens when a solver dies."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from reference_impl.bench import doses, peers
from reference_impl.bench.__main__ import main
from reference_impl.bench.peers import Contender, Course, contenders, duel, error_of, rows, written


def test_a_solver_makes_sweeps_when_it_is_told() -> None:
    """The engine alone in its process: errors fall, seconds are its own, the transforms of a sweep take less than a sweep."""
    (course,), transforms = duel({"engine": sys.executable}, 64, 32, limit=60)
    assert course.errors[-1] < 0.01 < course.errors[0]
    assert course.sweeps == list(peers.TURNS[: len(course.sweeps)])
    assert 0 < transforms < course.sweep
    assert course.peak > 0


def test_a_solver_that_dies_says_why(tmp_path: Path) -> None:
    written(tmp_path, 16, 32)
    np.save(tmp_path / "probeGuess.npy", np.zeros((32, 32), np.complex64))
    with pytest.raises(RuntimeError, match="engine: .*probeGuess"), contenders({"engine": sys.executable}, tmp_path) as found:
        found[0].ask(sweeps=1)


def test_the_error_is_that_of_the_object_beyond_its_gauge(tmp_path: Path) -> None:
    """Truth in another frame, phase, scale and place has none; a tenth of noise has a tenth."""
    truth, positions = written(tmp_path, 64, 32)
    middle = np.floor(positions.mean(axis=0)).astype(int)
    side = 2 * (min(*middle, *(np.array(truth.field.shape[::-1]) - middle)) - 1)
    cut = truth.field[middle[1] - side // 2 :, middle[0] - side // 2 :][:side, :side] * 0.4 * np.exp(2j)
    assert error_of(cut, truth, positions) < 1e-3
    noise = np.random.default_rng(0).normal(size=(2, *cut.shape)) @ np.eye(side)
    noisy = cut * (1 + 0.1 * (noise[0] + 1j * noise[1]) / np.sqrt(2))
    assert error_of(noisy, truth, positions) == pytest.approx(0.1, rel=0.2)


def test_what_was_never_reached_is_told_as_more_than_was_spent() -> None:
    fast = Course("engine", 100, [1, 1, 2], [0.5, 0.1, 0.2], [0.04, 0.004, 0.0009])
    slow = Course("ptychi", 50, [1, 1, 2], [1.0, 1.0, 2.0], [0.2, 0.04, 0.01])
    told = list(rows([fast, slow], 0.05, 1024, 64))
    assert told[0] == "| 64 | 1024 | engine | 0.1 | 0.5 | 0.6 | 0.8 | 0.0009 | 4 | 100 |"
    assert told[1] == "| 64 | 1024 | ptychi | 1 | 2 | > 4 | > 4 | 0.01 | 4 | 50 |"
    assert told[2] == "| 64 | 1024 | ptychi over engine | 10.0 × | 4.0 × | > 6.7 × | > 5.0 × |  |  | 0.5 × |"
    assert told[4].startswith("| 64 | 1024 | engine over these | 2.0 × |")


def test_a_contender_ends_with_its_block(tmp_path: Path) -> None:
    written(tmp_path, 16, 32)
    with contenders({"engine": sys.executable}, tmp_path) as found:
        one: Contender = found[0]
        assert one.child.poll() is None
    assert one.child.poll() is not None


def test_a_scan_beyond_the_memory_is_left_out_in_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "memory_free", lambda: 5e9)
    assert peers.table("no-such-python", [256], [16_384], limit=1) == 0
    assert "| 256 | 16384 | left out: needs about 21 GB, 5 GB are free |" in capsys.readouterr().out


def test_the_engine_settles_where_photons_allow(tmp_path: Path) -> None:
    """Ten times the photons leave a third of the error; what stands in the row is the last error, the best one and the sweeps."""
    ends = []
    for photons in (1e5, 1e6):
        folder = tmp_path / f"{photons:g}"
        folder.mkdir()
        truth, positions = written(folder, 64, 32, photons=photons)
        ends.append(doses.by_engine(folder, truth, positions, "amplitude"))
    assert 0.2 < ends[1].errors[-1] / ends[0].errors[-1] < 0.6
    assert str(doses.Course([0.5, 0.02, 0.04], 30)) == "0.04 | 0.02 | 30"


def test_doses_ask_for_the_other_solver(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--doses"])
    assert "--doses: expected --peers PYTHON" in capsys.readouterr().err
