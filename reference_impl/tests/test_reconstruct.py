"""The command `reconstruct`: what it leaves, what it says, what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reference_impl.cli import solution
from reference_impl.cli.main import main
from reference_impl.cli.orientations import turn
from reference_impl.engine import solver
from reference_impl.interop.scans import scan as known_positions
from reference_impl.simulation.moved_probe import known_scan


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A contract file of 64 patterns of 32 x 32 pixels."""
    path = tmp_path_factory.mktemp("scan") / "scan.npz"
    np.savez(path, **known_scan(64, 32, 3.0, seed=3))
    return path


def call(scan: Path, folder: Path, *flags: str) -> int:
    return main(["reconstruct", "--data", str(scan), "--output-dir", str(folder), "--accelerator", "cpu", *flags])


def test_numbers_and_pictures_are_left(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What infer leaves, and probe, positions, residuals and the rings of two halves."""
    flags = ("--sweeps", "8", "--batch", "8", "--modes", "2", "--refine-positions", "--halves")
    assert call(scan, tmp_path, *flags) == 0
    said = capsys.readouterr().out
    assert "sweep 2 of at most 8" in said and "8 sweeps, relative residual" in said and "refined by the patterns" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*solution.FILES, solution.RINGS])
    with np.load(tmp_path / "reconstruction.npz", allow_pickle=False) as found:
        assert found["object"].dtype == np.complex64 and found["object"].shape == found["covered"].shape
        assert found["probe"].shape == (2, 32, 32) and found["positions"].shape == (64, 2) and found["residuals"].shape == (8,)
        assert 0 < found["noise_floor"] < found["residuals"][-1] and found["chi_square"] > 1
        assert found["origin"].shape == (2,) and len(found["frc"]) == len(found["frc_threshold"]) > 8
        assert json.loads(str(found["checked"]))[0]["assumed"]["probe"][0].endswith("refined by the patterns")


def test_an_older_picture_of_halves_goes(scan: Path, tmp_path: Path) -> None:
    """A folder never holds files of two runs."""
    assert call(scan, tmp_path, "--sweeps", "4", "--halves", "--quiet") == 0
    assert call(scan, tmp_path, "--sweeps", "4", "--quiet") == 0
    assert not (tmp_path / solution.RINGS).exists()


def test_a_picture_is_left_while_it_works(scan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few sweeps, each time whole; at the end the final one stands in its place."""
    seen = []
    plain = solver.State.after

    def after(state: solver.State, residual: float, settle: bool) -> None:
        live = tmp_path / "progress.png"
        seen.append(live.read_bytes()[-8:] if live.exists() else b"")
        plain(state, residual, settle)

    monkeypatch.setattr(solver.State, "after", after)
    assert call(scan, tmp_path, "--sweeps", "5", "--picture-every", "2", "--quiet") == 0
    assert seen[:2] == [b"", b""] and all(end == b"IEND\xaeB`\x82" for end in seen[2:]) and len(seen) == 5
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(solution.FILES)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--picture-every", "0"), "--picture-every: expected"),
        (("--sweeps", "0"), "--sweeps: expected"),
        (("--batch", "nan"), "--batch: expected"),
        (("--modes", "99"), "--modes: expected"),
        (("--likelihood", "gauss"), "--likelihood: expected"),
    ],
)
def test_values_out_of_range_are_refused(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    """One line that names the flag; nothing is written."""
    assert call(scan, tmp_path / "out", *flags) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_solver_that_diverges_writes_nothing(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """NaN is an error with advice, not a picture."""
    plain = solver.Solver.solution

    def diverged(self: solver.Solver) -> solver.Solution:
        found = plain(self)
        found.object[0, 0] = np.nan
        return found

    monkeypatch.setattr(solver.Solver, "solution", diverged)
    assert call(scan, tmp_path / "out", "--sweeps", "1", "--quiet") == 1
    assert "diverged" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("flags", [("--keep-probe",), ("--refine-positions", "--modes", "2")], ids=["known", "blind"])
def test_a_resumed_run_ends_as_one_that_was_never_stopped(scan: Path, tmp_path: Path, flags: tuple[str, ...]) -> None:
    """To the bit, on the CPU."""
    for name, more in {"whole": ("14",), "first": ("8", "--checkpoint")}.items():
        assert call(scan, tmp_path / name, "--quiet", *flags, "--sweeps", *more) == 0
    saved = str(tmp_path / "first" / "solver.npz")
    assert call(scan, tmp_path / "second", "--quiet", *flags, "--sweeps", "14", "--resume", saved) == 0
    with np.load(tmp_path / "whole" / solution.NUMBERS) as whole, np.load(tmp_path / "second" / solution.NUMBERS) as second:
        for name in ("object", "probe", "positions", "residuals"):
            assert np.array_equal(whole[name], second[name]), name


def test_what_another_scan_left_is_refused(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other positions, other settings, a damaged file: one line each."""
    assert call(scan, tmp_path, "--quiet", "--sweeps", "2", "--checkpoint") == 0
    saved, other = tmp_path / "solver.npz", tmp_path / "other.npz"
    np.savez(other, **known_scan(64, 32, 3.0, seed=4))
    assert call(other, tmp_path / "out", "--resume", str(saved)) == 1
    assert "another one" in capsys.readouterr().err
    assert call(scan, tmp_path / "out", "--resume", str(saved), "--batch", "9") == 1
    assert "batch 9" in capsys.readouterr().err
    saved.write_bytes(saved.read_bytes()[:-100])
    assert call(scan, tmp_path / "out", "--resume", str(saved)) == 1
    assert "solver.npz" in capsys.readouterr().err


def test_a_residual_that_settles_high_is_doubted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same scan, with photon noise, of a detector that is mounted upside down: nothing else would say that it is wrong."""
    made = known_positions(40)
    positions = {"xcoords": made.x, "ycoords": made.y, "probeGuess": made.probe.astype(np.complex64)}
    amplitude = np.sqrt(made.counts.astype(np.float32))
    for name, patterns in (("right", amplitude), ("wrong", turn(amplitude, False, True, False))):
        np.savez(tmp_path / f"{name}.npz", diff3d=patterns, **positions)

    assert call(tmp_path / "right.npz", tmp_path / "right", "--quiet") == 0
    assert "stays at" not in capsys.readouterr().err
    assert call(tmp_path / "wrong.npz", tmp_path / "wrong", "--quiet") == 0
    assert "the relative residual stays at 0." in (said := capsys.readouterr().err) and "wrong.npz --orientations" in said
