"""Details of the layouts: rasters, modes, units, links, kinds that share names."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.errors import ContractError
from reference_impl.formats import Wishes, opened
from reference_impl.interop.scans import CHARGE, DISTANCE, JOULE, PITCH, PIXEL, N, scan
from reference_impl.tests import writers
from reference_impl.tests.refusals import refusal

MADE = scan(12)
AMPLITUDE = np.sqrt(MADE.counts, dtype=np.float64).astype(np.float32)


def converted(*flags: str, output: Path) -> dict[str, np.ndarray]:
    assert main(["convert", *flags, "--output", str(output), "--quiet"]) == 0
    with np.load(output) as file:
        return dict(file)


def test_arrays_in_fortrans_order_are_the_same_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(MADE.counts))
    np.save(tmp_path / "scan.npy", np.asfortranarray(np.stack([MADE.x, MADE.y], 1)))
    flags = [
        "--source",
        f"{tmp_path}/a.npy",
        "--positions",
        f"{tmp_path}/scan.npy",
        "--columns",
        "x y",
        "--position-unit",
        "pixel",
    ]

    assert np.array_equal(converted(*flags, output=tmp_path / "out.npz")["diff3d"], AMPLITUDE)


@pytest.mark.parametrize("shape", [(3, 4, N, N), (12, N, N)])
def test_a_raster_gets_its_positions_from_a_step(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MADE.counts.reshape(shape))
    np.save(tmp_path / "probe.npy", MADE.probe)
    flags = ["--source", str(tmp_path / "a.npy"), "--probe", str(tmp_path / "probe.npy"), "--step", "2 nm,0.5 nm"]
    flags += ["--object-pixel", "0.25 nm"] + (["--scan-shape", "3,4"] if len(shape) == 3 else [])

    found = converted(*flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["diff3d"], AMPLITUDE)
    assert found["xcoords"].tolist() == [32.0, 34, 36, 38] * 3
    assert found["ycoords"].tolist() == [32.0] * 4 + [40.0] * 4 + [48.0] * 4


def test_modes_that_add_up_are_kept_and_opr_modes_are_not(tmp_path: Path) -> None:
    modes = np.stack([MADE.probe, 0.3j * MADE.probe])
    np.savez(tmp_path / "a.npz", data=MADE.counts[None], scan=np.stack([MADE.y, MADE.x], 1)[None], probe=modes[None, None, None])
    flags = writers.pair(MADE, tmp_path)  # two OPR modes

    incoherent = converted("--source", str(tmp_path / "a.npz"), output=tmp_path / "one.npz")
    varied = converted(*flags, output=tmp_path / "two.npz")

    assert np.array_equal(incoherent["probeGuess"], modes)
    assert np.array_equal(varied["probeGuess"], MADE.probe) and "the first of 2 OPR modes" in str(varied["_metadata"])


def test_a_result_of_ptypy_is_a_probe(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "result.ptyr", "w") as file:
        file["content/probe/SscanG00/data"] = MADE.probe[None]
    flags = writers.ptypy(MADE, tmp_path)
    flags[flags.index("--probe") + 1] = str(tmp_path / "result.ptyr")

    assert np.array_equal(converted(*flags, output=tmp_path / "out.npz")["probeGuess"], MADE.probe)


def test_a_product_in_numpys_format_is_read_like_that_in_hdf5(tmp_path: Path) -> None:
    x, y = (MADE.x - 50) * PIXEL, (MADE.y - 50) * PIXEL
    numbers = {"photon_energy_eV": JOULE / CHARGE, "detector_object_distance_m": DISTANCE}
    numbers |= {"probe_pixel_width_m": PIXEL, "probe_pixel_height_m": PIXEL}
    places = {"probe_position_indexes": np.arange(12), "probe_position_x_m": x, "probe_position_y_m": y}
    np.savez(tmp_path / "product.npz", probe=MADE.probe[None, None], **numbers, **places)
    with h5py.File(tmp_path / "frames.h5", "w") as file:
        file["dp"] = MADE.counts

    with opened(tmp_path / "frames.h5", Wishes(parameters=(str(tmp_path / "product.npz"),))) as experiment:
        assert experiment.wavelength == pytest.approx(1.23984e-10) and experiment.object_pixel is not None
        assert experiment.positions is not None and np.array_equal(experiment.positions.value, np.stack([y, x], 1))


def test_the_unit_that_a_file_states_goes_before_the_layouts(tmp_path: Path) -> None:
    flags = writers.cxi(MADE, tmp_path)
    with h5py.File(flags[1], "a") as file:
        changes = {"detector_1/distance": (1e3, "mm"), "source_1/energy": (1 / CHARGE, "eV")}
        for name, (factor, unit) in changes.items():
            file[f"entry_1/instrument_1/{name}"][()] = file[f"entry_1/instrument_1/{name}"][()] * factor
            file[f"entry_1/instrument_1/{name}"].attrs["units"] = unit
        file["entry_1/sample_1/geometry_1/translation"][:] *= 1e6
        file["entry_1/sample_1/geometry_1/translation"].attrs["units"] = np.bytes_("µm".encode())

    found = converted(*flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["xcoords"], np.round(MADE.x - MADE.x.min(), 6) + N // 2)


def test_virtual_data_sets_and_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    flags = writers.cxi(MADE, tmp_path)
    (tmp_path / "parts").mkdir()
    with h5py.File(tmp_path / "parts" / "b.h5", "w") as file:
        file["data"] = MADE.counts
    with h5py.File(flags[1], "a") as file:
        layout = h5py.VirtualLayout((12, N, N), "u2")
        layout[:] = h5py.VirtualSource("parts/b.h5", "data", (12, N, N))
        del file["entry_1/instrument_1/detector_1/data"]
        file.create_virtual_dataset("entry_1/instrument_1/detector_1/data", layout)

    found = converted(*flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["diff3d"], np.where(MADE.good, AMPLITUDE, 0))


def test_two_statements_of_the_object_pixel_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.pair(MADE, tmp_path)
    optics = ["--energy", "5 keV", "--distance", f"{DISTANCE} m", "--detector-pixel", f"{PITCH} m"]

    converted(*flags, *optics, output=tmp_path / "out.npz")

    assert "make 103.32 nm" in capsys.readouterr().err


def test_overriding_what_a_file_states_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--energy 10` over 10 keV (meant keV, taken as eV) warns, a correction is said, the same value is not."""
    flags, out = writers.cxi(MADE, tmp_path), tmp_path / "out.npz"

    converted(*flags, "--energy", "10", output=out)
    wrong = capsys.readouterr().err
    assert main(["convert", *flags, "--energy", "9 keV", "--distance", f"{DISTANCE} m", "--output", str(out), "--dry-run"]) == 0
    table, silent = capsys.readouterr()

    assert "energy: the file says 10 keV: " in wrong and "--energy is taken, 1000 times away: is its unit right?" in wrong
    assert "pixels: narrower than one object pixel" in wrong
    assert "the file says 10 keV" in table and "distance  " in table and "m; --distance is taken" not in table and not silent


def test_per_frame_masks_leave_what_is_good_in_all(tmp_path: Path) -> None:
    flags = writers.ptypy(MADE, tmp_path)
    weights = np.repeat(MADE.good[None], 12, axis=0).astype(np.uint8)
    weights[7, 0, 5] = 0
    with h5py.File(tmp_path / "a.ptyd", "a") as file:
        file["weights"] = weights

    with opened(flags[1], Wishes(mask=f"{flags[1]}::weights")) as experiment:
        assert experiment.mask is not None
        assert not experiment.mask.value[0, 5] and experiment.mask.value.sum() == MADE.good.sum() - 1


def test_a_typed_mask_is_joined_with_the_files_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A pixel is good where both say so, and the table says that there were two."""
    flags, typed = writers.cxi(MADE, tmp_path), np.ones((N, N), bool)
    typed[3, 5:9] = False
    np.save(tmp_path / "m.npy", typed)

    with opened(flags[1], Wishes(mask=str(tmp_path / "m.npy"))) as experiment:
        assert experiment.mask is not None
        found = experiment.mask.value
    assert main(["convert", *flags, "--mask", str(tmp_path / "m.npy"), "--output", str(tmp_path / "o.npz"), "--dry-run"]) == 0

    assert np.array_equal(found, MADE.good & typed) and (~MADE.good & typed).any()
    assert (
        f"joined with the file's own, ::/entry_1/instrument_1/detector_1/mask, which hides {(~MADE.good & typed).sum()} more"
        in (capsys.readouterr().out)
    )


def test_the_files_own_mask_named_again_is_read_as_it_was_said(tmp_path: Path) -> None:
    flags = writers.contract(MADE, tmp_path)

    with opened(flags[1], Wishes(mask=f"{flags[1]}::mask", mask_good="zero")) as experiment:
        assert experiment.mask is not None and np.array_equal(experiment.mask.value, ~MADE.good)


def test_a_mask_of_another_size_names_both(tmp_path: Path) -> None:
    flags = writers.cxi(MADE, tmp_path)
    np.save(tmp_path / "m.npy", np.ones((32, 32), bool))

    with pytest.raises(ContractError, match="64 x 64"), opened(flags[1], Wishes(mask=str(tmp_path / "m.npy"))):
        pass


@pytest.mark.parametrize("how", ["vectors", "grids", "table"])
def test_a_raster_in_cxi_finds_its_positions(how: str, tmp_path: Path) -> None:
    """NXcxi_ptycho keeps rasters in four axes; positions are then axes of the raster, or stand on it."""
    y, x = np.meshgrid(np.arange(3) * 4.0, np.arange(4) * 5.0, indexing="ij")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry_1/data_1/data"] = MADE.counts.reshape(3, 4, N, N)
        file["x"], file["y"] = (x[0], y[:, 0]) if how == "vectors" else (x, y)
        if how == "table":
            file["entry_1/data_1/translation"] = np.stack([x, y, 0 * x], axis=-1) * PIXEL
    flags = ["--source", str(tmp_path / "a.h5"), "--object-pixel", f"{PIXEL * 1e9} nm"]
    if how != "table":
        flags += [
            "--positions-x",
            f"{tmp_path}/a.h5::x*51.66",
            "--positions-y",
            f"{tmp_path}/a.h5::y*51.66",
            "--position-unit",
            "nm",
        ]

    found = converted(*flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["xcoords"], x.reshape(-1) + 32) and np.array_equal(found["ycoords"], y.reshape(-1) + 32)


def test_two_units_of_one_scan_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.named(MADE, tmp_path)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["motors/samx"].attrs["units"], file["motors/samy"].attrs["units"] = "mm", "um"
    places = ["--positions-x", f"{tmp_path}/a.h5::motors/samx", "--positions-y", f"{tmp_path}/a.h5::motors/samy"]

    assert "the unit of" in refusal(flags[1], tmp_path, capsys, *places)


def test_one_exposure_cannot_be_held_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "a.npy", MADE.counts[:1])
    np.save(tmp_path / "scan.npy", np.zeros((1, 2)))
    flags = ["--positions", f"{tmp_path}/scan.npy", "--columns", "x y", "--position-unit", "pixel", "--held-out", "0.5"]

    assert "--held-out: expected two exposures" in refusal(str(tmp_path / "a.npy"), tmp_path, capsys, *flags)


def test_empad_frames_lose_their_two_extra_rows(tmp_path: Path) -> None:
    frames = np.zeros((12, 130, 128), "<f4")
    frames[:, 32:96, 32:96] = MADE.counts
    frames[:, 128:] = 7e9
    frames.tofile(tmp_path / "a.raw")
    flags = ["--source", str(tmp_path / "a.raw"), "--step", "1 pixel", "--scan-shape", "3,4", "--crop", "64"]

    assert np.array_equal(converted(*flags, output=tmp_path / "out.npz")["diff3d"], AMPLITUDE)


def test_a_cube_of_py4dstem_is_a_raster(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["datacube_root/datacube/data"] = MADE.counts.reshape(4, 3, N, N)
    flags = ["--source", str(tmp_path / "a.h5"), "--step", "2 pixel"]

    found = converted(*flags, output=tmp_path / "out.npz")

    assert np.array_equal(found["diff3d"], AMPLITUDE) and found["ycoords"].max() == 38 and found["xcoords"].max() == 36


def test_of_several_scans_all_are_written_or_none(tmp_path: Path) -> None:
    first = Path(writers.cxi(MADE, tmp_path)[1]).rename(tmp_path / "first.cxi")
    (tmp_path / "second.cxi").write_bytes(first.read_bytes()[:9000])

    assert (
        main(["convert", "--source", str(first), str(tmp_path / "second.cxi"), "--output", str(tmp_path / "out"), "--quiet"]) == 1
    )

    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_patterns_whose_scan_is_the_last_axis_are_turned(tmp_path: Path) -> None:
    """PtychoPINN's older files are (H, W, M)."""
    arrays = {"diffraction": np.moveaxis(AMPLITUDE, 0, -1), "xcoords": MADE.x, "ycoords": MADE.y, "probeGuess": MADE.probe}
    np.savez_compressed(tmp_path / "a.npz", **arrays)

    found = converted("--source", str(tmp_path / "a.npz"), output=tmp_path / "out.npz")

    assert np.array_equal(found["diff3d"], AMPLITUDE) and "the last axis is the scan" in str(found["_metadata"])


def test_positions_that_nobody_names_are_hinted_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.named(MADE, tmp_path)
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file["comment"] = "text beside the numbers is no hindrance"

    assert "as long as the scan: motors/samx, motors/samy" in refusal(flags[1], tmp_path, capsys)
