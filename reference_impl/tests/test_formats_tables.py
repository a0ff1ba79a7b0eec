"""Positions in tables of text: which column is which, in what unit, and which frame each row belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.interop.scans import PIXEL, N, scan
from reference_impl.tests.refusals import refusal

MADE = scan(12)
AMPLITUDE = np.sqrt(MADE.counts, dtype=np.float64).astype(np.float32)


def converted(*flags: str, output: Path) -> dict[str, np.ndarray]:
    assert main(["convert", *flags, "--output", str(output), "--quiet"]) == 0
    with np.load(output) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("header", "rows", "flags"),
    [
        ("x (um),y (um)", "{x},{y}", ()),
        ("y_um;x_um", "{y};{x}", ()),
        ("# pos_x [um]\tpos_y [um]", "{x}\t{y}", ()),
        ("", "{y} {x}", ("--columns", "y x", "--position-unit", "um")),
        ("samz,samy,samx", "0,{y},{x}", ("--columns", "samx samy", "--position-unit", "um")),
        ("col row", "{x} {y}", ("--position-unit", "um")),
        ("", "{x}, {y}, 7", ("--columns", "x y z", "--position-unit", "um")),
    ],
)
def test_tables_say_which_column_is_which(header: str, rows: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    lines = [rows.format(x=repr(float(x)), y=repr(float(y))) for x, y in zip(MADE.x * 0.05166, MADE.y * 0.05166, strict=True)]
    (tmp_path / "scan.csv").write_text("\n".join([*([header] if header else []), *lines]))
    np.save(tmp_path / "a.npy", MADE.counts)
    np.save(tmp_path / "probe.npy", MADE.probe)
    usual = [
        "--source",
        str(tmp_path / "a.npy"),
        "--positions",
        str(tmp_path / "scan.csv"),
        "--probe",
        str(tmp_path / "probe.npy"),
    ]

    found = converted(*usual, "--object-pixel", "51.66 nm", *flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["xcoords"], np.round(MADE.x - MADE.x.min(), 6) + N // 2)
    assert np.array_equal(found["ycoords"], np.round(MADE.y - MADE.y.min(), 6) + N // 2)


def test_columns_and_units_that_nobody_names_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", MADE.counts)
    np.savetxt(tmp_path / "scan.txt", np.stack([MADE.x, MADE.y], 1) * PIXEL)
    flags = ["--positions", str(tmp_path / "scan.txt")]

    assert "--columns" in refusal(str(tmp_path / "a.npy"), tmp_path, capsys, *flags)
    said = refusal(str(tmp_path / "a.npy"), tmp_path, capsys, *flags, "--columns", "x y")
    assert "--position-unit" in said and "m?" in said


@pytest.mark.parametrize("base", [0, 1])
def test_a_table_that_numbers_its_frames_pairs_them(base: int, tmp_path: Path) -> None:
    order = np.random.default_rng(2).permutation(12)
    lines = [f"{number + base} {float(MADE.x[number])!r} {float(MADE.y[number])!r}" for number in order]
    (tmp_path / "scan.txt").write_text("\n".join(["frame x y", *lines]))
    np.save(tmp_path / "a.npy", MADE.counts)
    np.save(tmp_path / "probe.npy", MADE.probe)
    flags = ["--source", str(tmp_path / "a.npy"), "--positions", str(tmp_path / "scan.txt"), "--position-unit", "pixel"]

    found = converted(*flags, "--probe", str(tmp_path / "probe.npy"), "--keep-origin", output=tmp_path / "out.npz")

    assert np.array_equal(found["diff3d"], AMPLITUDE) and np.allclose(found["xcoords"], MADE.x)
    assert ("counts from 1" in str(found["_metadata"])) == (base == 1)


def test_an_index_that_no_frame_has_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "scan.txt").write_text("\n".join(["frame x y", *(f"{number + 5} {number} {number}" for number in range(12))]))
    np.save(tmp_path / "a.npy", MADE.counts)
    flags = ["--positions", str(tmp_path / "scan.txt"), "--position-unit", "pixel"]

    assert "numbers from 0 to 11" in refusal(str(tmp_path / "a.npy"), tmp_path, capsys, *flags)
