"""`inspect` on anybody's file, and the ranking of the detector's orientations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.cli.orientations import lines, rank, turn, verdict
from reference_impl.interop.scans import scan
from reference_impl.simulation import exposures
from reference_impl.tests import writers

MADE = scan(40)


def seen(transpose: bool, rows: bool, columns: bool) -> SimpleNamespace:
    """The scan as a detector records it that needs these turns, with the probe of the scan."""
    frames = MADE.counts[:, -np.arange(64)] if rows else MADE.counts
    frames = frames[:, :, -np.arange(64)] if columns else frames
    frames = frames.swapaxes(1, 2) if transpose else frames
    amplitude = np.sqrt(frames.astype(np.float32))
    return SimpleNamespace(diff3d=amplitude, xcoords=MADE.x, ycoords=MADE.y, probeGuess=MADE.probe)


@pytest.mark.parametrize("turns", [(False, False, False), (True, True, False)])
def test_the_right_orientation_or_its_twin_comes_first_by_far(turns: tuple[bool, bool, bool]) -> None:
    ranked = rank(seen(*turns))

    right = next(each for each in ranked if (each.transpose, each.rows, each.columns) == turns)
    assert right in ranked[:2] and ranked[0].is_twin_of(ranked[1])
    assert right.flags in verdict(ranked) and "sign of the phase" in verdict(ranked)
    assert len(ranked) == 8 and len(lines(ranked)) == 10


def test_patterns_that_do_not_overlap_tell_nothing() -> None:
    draw = np.random.default_rng(1)
    apart = np.arange(9) * 80.0
    patterns = []
    for _ in apart:
        thing = np.exp(0.5j * draw.normal(size=(64, 64)))
        patterns.append(exposures.far_field_intensity(thing, MADE.probe, np.array([32.0]), np.array([32.0]))[0])
    record = SimpleNamespace(
        diff3d=np.sqrt(np.array(patterns)).astype(np.float32), xcoords=apart, ycoords=0 * apart, probeGuess=MADE.probe
    )

    assert "cannot tell" in verdict(rank(record))


def test_a_turn_is_that_of_convert() -> None:
    frames = np.arange(2 * 6 * 6).reshape(2, 6, 6)

    assert np.array_equal(turn(turn(frames, False, True, True), False, True, True), frames)
    assert turn(frames, False, True, False)[0, 3].tolist() == frames[0, 3].tolist()
    assert turn(frames, True, False, False)[0, 1, 4] == frames[0, 4, 1]


@pytest.mark.parametrize("kind", ["cxi", "pair", "contract"])
def test_inspect_reads_what_convert_reads(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = writers.WRITERS[kind](scan(12), tmp_path)[1]

    code = main(["inspect", source, "--output", str(tmp_path / "look.png"), "--orientations"])

    said = capsys.readouterr().out
    assert code == 0 and (tmp_path / "look.png").stat().st_size > 10_000
    assert "findings absent" in said and "orientation of the detector" in said
    assert ("zero frequency" in said) and ("spread of the scan" in said) == (kind != "contract")


def test_inspect_says_what_convert_would_ask_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.nexus(scan(12), tmp_path)

    assert main(["inspect", flags[1], "--quiet"]) == 1

    assert "--positions" in capsys.readouterr().err


def test_a_refined_probe_is_no_witness_of_the_orientation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What `convert` warned of stays with the file, and `inspect` repeats it."""
    source, out, look = writers.contract(MADE, tmp_path), tmp_path / "o.npz", ["--output", str(tmp_path / "look.png"), "--quiet"]

    assert main(["convert", *source, "--refine-probe", "10", "--output", str(out), "--quiet"]) == 0
    right = capsys.readouterr().err
    assert main(["convert", *source, "--refine-probe", "10", "--flip-rows", "--output", str(out), "--quiet"]) == 0
    wrong = capsys.readouterr().err
    assert main(["inspect", str(out), *look, "--orientations"]) == 0
    asked = capsys.readouterr().err

    assert "stays high" not in right and "stays high (their mean pattern alone: " in wrong and "without --refine-probe" in wrong
    assert "convert warned: probe: residual " in asked and "--orientations cannot be trusted here" in asked


def test_a_side_that_train_refuses_is_an_error_of_inspect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = writers.contract(MADE, tmp_path), tmp_path / "o.npz"
    assert main(["convert", *source, "--crop", "48", "--output", str(out), "--quiet"]) == 0
    capsys.readouterr()

    assert main(["inspect", str(out), "--output", str(tmp_path / "look.png")]) == 1

    table, said = capsys.readouterr()
    assert "pattern-side" in table and "convert warned: pattern: 48 x 48: " in said and "--accept" not in said
    assert "found patterns of 48 x 48 pixels: convert the source with --crop or --pad, one of 64, 128, 256" in said
