"""`export`: what is written comes back through the readers, bit for bit, and other programs find what they look for."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.interop.scans import CHARGE, DISTANCE, JOULE, PITCH, PIXEL, scan
from reference_impl.tests import writers

MADE = scan()
ARRAYS = ("diff3d", "xcoords", "ycoords", "probeGuess", "mask")


def converted(flags: list[str], output: Path) -> dict[str, np.ndarray]:
    assert main(["convert", *flags, "--output", str(output), "--quiet"]) == 0
    with np.load(output) as file:
        return dict(file)


@pytest.mark.parametrize("target", ["cxi", "product"])
@pytest.mark.parametrize("kind", ["cxi", "pair", "npy"])
def test_a_contract_file_goes_out_and_comes_back(kind: str, target: str, tmp_path: Path) -> None:
    first = converted(writers.WRITERS[kind](MADE, tmp_path), tmp_path / "first.npz")
    flags = ["--source", str(tmp_path / "first.npz"), "--to", target, "--output", str(tmp_path / "out" / "a.h5"), "--quiet"]
    flags += ["--energy", "10 keV", "--distance", "2 m", "--object-pixel", f"{PIXEL * 1e9} nm"] if kind != "cxi" else []

    assert main(["export", *flags]) == 0

    back = "a.h5" if target == "cxi" else "a_dp.h5"
    second = converted(["--source", str(tmp_path / "out" / back)], tmp_path / "second.npz")
    for name in ARRAYS:
        assert first[name].dtype == second[name].dtype and np.array_equal(first[name], second[name]), name


def test_cxi_states_si_units_and_what_it_is(tmp_path: Path) -> None:
    source, output = writers.cxi(MADE, tmp_path)[1], tmp_path / "b.cxi"

    assert main(["export", "--source", source, "--to", "cxi", "--output", str(output), "--quiet"]) == 0

    with h5py.File(output) as file:
        detector = file["entry_1/instrument_1/detector_1"]
        assert file["entry_1/definition"].asstr()[()] == "NXcxi_ptycho" and file["cxi_version"][()] == 160
        assert file["entry_1/data_1/data"].shape == (12, 64, 64) and file["entry_1/data_1/data"].dtype == np.uint16
        assert file["entry_1/instrument_1/source_1/energy"][()] == pytest.approx(JOULE)
        assert detector["x_pixel_size"][()] == pytest.approx(PITCH) and detector["distance"][()] == DISTANCE
        assert file["entry_1/data_1/translation"].shape == (12, 3) and detector["distance"].attrs["units"] == "m"
        assert (detector["mask"][()] == 0).sum() == MADE.good.sum()


def test_a_product_lies_on_its_own_grid(tmp_path: Path) -> None:
    source, output = writers.cxi(MADE, tmp_path)[1], tmp_path / "b.h5"

    assert main(["export", "--source", source, "--to", "product", "--output", str(output), "--quiet"]) == 0

    with h5py.File(tmp_path / "b_para.h5") as file:
        thing = file["object"]
        pixel, half = thing.attrs["pixel_width_m"], (thing.shape[-1] - 1) / 2
        columns = (file["probe_position_x_m"][()] - thing.attrs["center_x_m"]) / pixel + half
        first = columns - (64 - 1) / 2  # the first column of a patch, in ptychodus' way and in the contract's
        assert np.allclose(first, MADE.x - MADE.x.min() + 32 - 64 // 2)
        assert file.attrs["photon_energy_eV"] == pytest.approx(JOULE / CHARGE) and file["probe"].shape == (1, 1, 64, 64)
        assert first.min() >= 0 and first.max() + 64 <= thing.shape[-1]
    with h5py.File(tmp_path / "b_dp.h5") as file:
        assert file["dp"].dtype == np.uint16


def test_what_no_file_and_no_flag_says_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    converted(writers.contract(MADE, tmp_path), tmp_path / "first.npz")
    flags = ["--source", str(tmp_path / "first.npz"), "--to", "cxi", "--output", str(tmp_path / "b.cxi"), "--quiet"]

    assert main(["export", *flags]) == 1

    said = capsys.readouterr().err
    assert "--energy, --distance, --object-pixel" in said and len(said.splitlines()) == 1 and not (tmp_path / "b.cxi").exists()


def test_an_output_that_is_the_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = writers.cxi(MADE, tmp_path)[1]
    before = Path(source).read_bytes()

    assert main(["export", "--source", source, "--to", "cxi", "--output", source, "--quiet"]) == 1
    assert main(["convert", "--source", source, "--output", source, "--quiet"]) == 1

    assert Path(source).read_bytes() == before and "the same one" in capsys.readouterr().err
