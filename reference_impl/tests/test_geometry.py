"""Geometry: each step once, exact where it moves pixels, and true to the physics where it changes the sampling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reference_impl.cli.convert import describe
from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_probe import Optics, of_optics
from reference_impl.data.geometry_record import Conversion, plan, record
from reference_impl.errors import ContractError
from reference_impl.formats import Wishes, opened
from reference_impl.interop.scans import DISTANCE, JOULE, PITCH, N, scan
from reference_impl.simulation import exposures

MADE = scan(6)
AMPLITUDE = np.sqrt(MADE.counts, dtype=np.float64).astype(np.float32)


def converted(folder: Path, frames: np.ndarray, wishes: dict[str, Any] | None = None, **wanted: Any) -> tuple[Any, Conversion]:
    """Record and plan of frames, with positions in pixels, and the probe of the scan unless `probe` is None."""
    arrays = {"raw": frames, "x": MADE.x, "y": MADE.y, "probe": MADE.probe, **(wishes or {})}
    with h5py.File(folder / "a.h5", "w") as file:
        for name, value in arrays.items():
            if value is not None:
                file[name] = value
    path = folder / "a.h5"
    said = Wishes(
        positions_x=f"{path}::x",
        positions_y=f"{path}::y",
        position_unit="pixel",
        measurement="counts",
        probe=None if arrays["probe"] is None else f"{path}::probe",
        mask=f"{path}::mask" if "mask" in arrays else None,
    )
    with opened(f"{path}::raw", said) as experiment:
        made = plan(experiment, Geometry(**wanted))
        return record(made, describe), made


def turned(frames: np.ndarray, transpose: bool, rows: bool, columns: bool) -> np.ndarray:
    """The frames as a detector stores them that is transposed and then mirrored; index k of an axis is 2c - k."""
    back = lambda axis: (frames.shape[axis] - np.arange(frames.shape[axis])) % frames.shape[axis]  # noqa: E731
    frames = frames[:, back(1)] if rows else frames
    frames = frames[:, :, back(2)] if columns else frames
    return frames.swapaxes(1, 2) if transpose else frames


@pytest.mark.parametrize("number", range(8))
def test_every_orientation_is_undone_exactly(number: int, tmp_path: Path) -> None:
    flags = {"transpose": bool(number & 1), "flip_rows": bool(number & 2), "flip_columns": bool(number & 4)}

    stored = turned(MADE.counts, *flags.values())
    found, _ = converted(tmp_path, stored, {"mask": turned(MADE.good[None], *flags.values())[0]}, **flags)

    assert np.array_equal(found.diff3d, np.where(MADE.good, AMPLITUDE, 0))


@pytest.mark.parametrize("number", range(8))
def test_a_window_off_the_middle_of_a_turned_detector_is_cut_around_the_beam(number: int, tmp_path: Path) -> None:
    flags = {"transpose": bool(number & 1), "flip_rows": bool(number & 2), "flip_columns": bool(number & 4)}
    frames = np.zeros((6, 96, 120), np.uint16)
    frames[:, 9 : 9 + N, 40 : 40 + N] = MADE.counts  # the beam on row 41, column 72
    whole = np.zeros((6, 97, 121), np.uint16)
    whole[:, :96, :120] = frames
    stored, place = whole, np.array([41, 72])
    if flags["flip_rows"]:
        stored, place[0] = stored[:, ::-1], 96 - place[0]
    if flags["flip_columns"]:
        stored, place[1] = stored[:, :, ::-1], 120 - place[1]
    if flags["transpose"]:
        stored, place = stored.swapaxes(1, 2), place[::-1]

    found, _ = converted(tmp_path, stored, None, centre=tuple(place.tolist()), crop=N, **flags)

    assert np.array_equal(found.diff3d, AMPLITUDE)


def smooth_object(side: int) -> np.ndarray:
    """A complex object without detail below six pixels, and without symmetry."""
    draw = np.random.default_rng(4)
    low = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) < 0.08
    field = np.fft.ifft2(np.fft.fft2(draw.normal(size=(side, side)) + 1j * draw.normal(size=(side, side))) * low)
    return 1 + 0.5 * field / np.abs(field).max()


def small_probe(side: int, pitch: float = 1.0) -> np.ndarray:
    """A Gaussian of three pixels with a curvature, sampled every `pitch` pixels."""
    v, u = (np.mgrid[:side, :side] - side // 2) * pitch
    return (np.exp(-(u**2 + 1.5 * v**2) / 18) * np.exp(0.1j * u - 0.05j * v + 0.01j * u * v)).astype(np.complex64)


def mismatch(model: np.ndarray, measured: np.ndarray) -> float:
    """Relative distance of amplitudes after the best factor."""
    return float(np.linalg.norm(model * np.sum(model * measured) / np.sum(model**2) - measured) / np.linalg.norm(measured))


def test_padding_makes_the_object_pixel_finer_and_explains_what_was_measured(tmp_path: Path) -> None:
    thing, probe = smooth_object(112), small_probe(N)
    counts = 1e5 * exposures.far_field_intensity(thing, probe, MADE.x, MADE.y)

    found, made = converted(tmp_path, counts, {"probe": probe}, pad=128)

    rows = np.fft.fftshift(np.fft.fft2(thing))
    fine = np.zeros((224, 224), complex)
    fine[56:168, 56:168] = rows
    fine = np.fft.ifft2(np.fft.ifftshift(fine)) * 4
    x, y = (2 * (axis - axis.min()) + 2 * axis.min() for axis in (MADE.x, MADE.y))
    model = np.sqrt(exposures.far_field_intensity(fine, found.probeGuess, x, y))
    assert found.diff3d.shape == (6, 128, 128) and made.mask.sum() == N * N and made.mask[32:96, 32:96].all()
    assert mismatch(model * made.mask, found.diff3d) < 0.02
    assert np.allclose(np.diff(found.xcoords), 2 * np.diff(MADE.x))


def test_binning_adds_photons_and_keeps_the_object_pixel(tmp_path: Path) -> None:
    thing, probe = smooth_object(160), small_probe(128)
    x, y = MADE.x + 24, MADE.y + 24
    counts = np.rint(1e5 * exposures.far_field_intensity(thing, probe, x, y))

    found, _ = converted(tmp_path, counts, {"probe": probe}, bin=2)

    model = np.sqrt(exposures.far_field_intensity(thing, found.probeGuess, x, y))
    sums = counts.reshape(6, 64, 2, 64, 2).sum((2, 4))
    assert np.array_equal(found.diff3d, np.sqrt(sums).astype(np.float32))
    assert mismatch(model, found.diff3d) < 0.15  # half a pixel between the centre of 2 x 2 and pixel 32 is a ramp, no more
    assert np.allclose(np.diff(found.xcoords), np.diff(MADE.x))


def test_a_binned_pixel_is_bad_where_one_of_its_pixels_is(tmp_path: Path) -> None:
    good = np.ones((128, 128), bool)
    good[40, 41] = False

    _, made = converted(tmp_path, np.ones((6, 128, 128)), {"mask": good, "probe": None}, bin=2)

    assert np.argwhere(~made.mask).tolist() == [[20, 20]]


def test_dark_and_saturated_and_named_frames_go_with_their_positions(tmp_path: Path) -> None:
    frames = MADE.counts.copy()
    frames[1] = 0
    frames[4, 3, 3] = 60_000

    found, made = converted(tmp_path, frames, None, drop=(0,), drop_dark=0.2, drop_saturated=60_000)

    assert np.array_equal(found.diff3d, AMPLITUDE[[2, 3, 5]])
    assert np.allclose(np.diff(found.xcoords), np.diff(MADE.x[[2, 3, 5]]))
    said = [row.value for row in made.table.rows if row.item == "frames dropped"]
    assert said == ["1", "1 (1)", "1 (4)"]


def test_a_threshold_takes_noise_away(tmp_path: Path) -> None:
    found, _ = converted(tmp_path, MADE.counts, None, threshold=3)

    assert np.array_equal(found.diff3d, np.where(MADE.counts >= 3, AMPLITUDE, 0))


@pytest.mark.parametrize("wanted", [{"swap_xy": True}, {"flip_x": True}, {"flip_y": True}, {"swap_xy": True, "flip_y": True}])
def test_positions_are_turned_as_told(wanted: dict[str, bool], tmp_path: Path) -> None:
    found, _ = converted(tmp_path, MADE.counts, None, **wanted)

    x, y = (MADE.y, MADE.x) if wanted.get("swap_xy") else (MADE.x, MADE.y)
    x, y = -x if wanted.get("flip_x") else x, -y if wanted.get("flip_y") else y
    assert np.array_equal(found.xcoords, np.round(x - x.min(), 6) + N // 2)
    assert np.array_equal(found.ycoords, np.round(y - y.min(), 6) + N // 2)


@pytest.mark.parametrize(
    ("wanted", "fragment"),
    [
        ({"centre": (80, 3)}, "centre: expected a pixel of 64 x 64"),
        ({"crop": 17}, "crop: expected an even number"),
        ({"pad": 32}, "pad: expected an even number of pixels, at least 64"),
        ({"bin": 3}, "bin: expected a divisor of 64"),
        ({"drop": (99,)}, "drop: expected frames from 0 to 5"),
        ({"drop": tuple(range(6))}, "drop: expected frames that stay"),
        ({"centre": (10, 10), "crop": 32}, "crop: expected a window on the detector"),
    ],
)
def test_what_cannot_be_done_is_refused_by_the_name_of_the_setting(wanted: dict[str, Any], fragment: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        converted(tmp_path, MADE.counts, None, **wanted)

    assert fragment in str(caught.value)


def test_a_size_that_no_network_takes_is_said(tmp_path: Path) -> None:
    _, made = converted(tmp_path, np.pad(MADE.counts, ((0, 0), (16, 16), (16, 16))), {"probe": None})

    rows = [row for row in made.table.rows if row.item == "pattern"]
    assert rows[0].kind == "warning" and rows[0].value == "96 x 96" and "64, 128, 256" in rows[0].source


def test_the_beam_far_from_the_middle_is_said(tmp_path: Path) -> None:
    _, made = converted(tmp_path, np.roll(MADE.counts, (7, -5), axis=(1, 2)), None)

    rows = [row for row in made.table.rows if row.item == "centre"]
    assert rows[0].kind == "warning" and "row 38.9" in rows[0].source and "--centre found" in rows[0].source


def test_a_large_file_is_read_in_pieces(tmp_path: Path) -> None:
    """240 frames of 256 x 256 in 64-bit numbers are 120 MiB; what is allocated at any time stays below half of it."""
    import tracemalloc

    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("raw", (240, 256, 256), "<i8", chunks=(10, 256, 256), compression="lzf")
        for start in range(0, 240, 80):
            data[start : start + 80, 100:156, 100:156] = start + 1
        file["x"], file["y"] = np.arange(240.0), np.arange(240.0)
    said = Wishes(positions_x=f"{tmp_path}/a.h5::x", positions_y=f"{tmp_path}/a.h5::y", position_unit="pixel")
    tracemalloc.start()
    with opened(f"{tmp_path}/a.h5::raw", said) as experiment:
        made = plan(experiment, Geometry(crop=64))
        total = sum(block.sum(dtype=np.float64) for block in made.blocks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert total > 0 and peak < 6e7


def test_a_pinhole_and_a_zone_plate_make_the_probe_that_their_size_says() -> None:
    wavelength, pixel = 1.24e-10, 10e-9

    pinhole = of_optics(Optics(aperture=0.3e-6), wavelength, (pixel, pixel), 64, 100.0)
    lens = of_optics(Optics(aperture=100e-6, focal_length=0.05), wavelength, (pixel, pixel), 64, 100.0)
    far = of_optics(Optics(aperture=100e-6, focal_length=0.05, defocus=2e-4), wavelength, (pixel, pixel), 64, 100.0)

    assert np.sum(np.abs(pinhole) > np.abs(pinhole).max() / 2) == pytest.approx(np.pi * 15**2, rel=0.05)
    assert all(np.sum(np.abs(probe) ** 2) == pytest.approx(100, rel=1e-5) for probe in (pinhole, lens, far))
    airy = np.abs(lens[32]) / np.abs(lens).max()
    first_zero = 1.22 * wavelength * 0.05 / 100e-6 / pixel  # of the Airy disc, in pixels
    assert airy[32 + round(first_zero)] < 0.1 < airy[32 + round(first_zero / 3)]
    width = lambda probe: np.sqrt(np.sum(np.abs(probe[32]) ** 2 * (np.arange(64) - 32) ** 2) / np.sum(np.abs(probe[32]) ** 2))  # noqa: E731
    assert width(far) > 2 * width(lens)


@pytest.mark.parametrize("optics", [Optics(aperture=0.4e-6), Optics(aperture=80e-6, focal_length=0.05)], ids=["pinhole", "lens"])
def test_a_round_aperture_is_round_on_pixels_that_are_not_square(optics: Optics) -> None:
    """Half the height a pixel: twice as many rows in real space, half as many in the far field."""
    probe = of_optics(optics, 1.24e-10, (5e-9, 10e-9), 128, 100.0)
    shape = np.abs(probe if optics.focal_length is None else np.fft.fft2(probe))
    rows, columns = (np.sum((shape > shape.max() / 2).any(axis=axis)) for axis in (1, 0))

    assert rows / columns == pytest.approx(2.0 if optics.focal_length is None else 0.5, rel=0.06)


def test_optics_of_the_file_give_the_pixel_of_what_comes_out(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/data_1/data"], file["entry_1/instrument_1/source_1/energy"] = MADE.counts, JOULE
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["distance"], detector["x_pixel_size"], detector["y_pixel_size"] = DISTANCE, PITCH, PITCH
        file["entry_1/data_1/translation"] = np.stack([MADE.x, MADE.y], 1) * 51.66e-9
    with opened(tmp_path / "a.cxi") as experiment:
        made = plan(experiment, Geometry(crop=32))

    assert made.pixel == pytest.approx([103.32e-9, 103.32e-9])
    assert np.allclose(np.diff(made.positions[:, 1]), np.diff(MADE.x) / 2, atol=1e-5)


@pytest.mark.parametrize("transpose", [False, True])
def test_pixels_that_are_not_square_turn_with_the_detector(transpose: bool, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/data_1/data"], file["entry_1/instrument_1/source_1/energy"] = MADE.counts, JOULE
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["distance"], detector["x_pixel_size"], detector["y_pixel_size"] = DISTANCE, PITCH, 2 * PITCH
        file["entry_1/data_1/translation"] = np.stack([MADE.x, MADE.y], 1) * 51.66e-9
    with opened(tmp_path / "a.cxi") as experiment:
        made = plan(experiment, Geometry(transpose=transpose))

    pixel = [25.83e-9, 51.66e-9]
    assert made.pixel == pytest.approx(pixel[::-1] if transpose else pixel)
