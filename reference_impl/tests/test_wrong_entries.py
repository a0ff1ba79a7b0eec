"""Files that once went in silently wrong, or not at all: units, corners, gaps, counts, oblong detectors, None."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.data import RawData
from reference_impl.interop.scans import DISTANCE, JOULE, PITCH, PIXEL, N, scan

MADE = scan()
AMPLITUDE = np.sqrt(MADE.counts, dtype=np.float64).astype(np.float32)
CORNER = np.fft.ifftshift(MADE.counts, axes=(-2, -1))
PLACES = {"x": np.round(MADE.x - MADE.x.min(), 6) + N // 2, "y": np.round(MADE.y - MADE.y.min(), 6) + N // 2}


def tike(folder: Path, **change: np.ndarray) -> Path:
    """tike's layout, with other arrays where `change` says so."""
    usual = {"data": CORNER[None], "probe": MADE.probe[None, None, None, None], "scan": np.stack([MADE.y, MADE.x], 1)[None]}
    np.savez(folder / "input.npz", **{**usual, **change})
    return folder / "input.npz"


def contract(folder: Path, **change: object) -> Path:
    """The contract's layout, likewise."""
    usual = {"diff3d": AMPLITUDE, "xcoords": MADE.x, "ycoords": MADE.y, "probeGuess": MADE.probe}
    np.savez(folder / "input.npz", **{**usual, **change})
    return folder / "input.npz"


class Command:
    """`convert` with a source and flags; what it said and what it wrote."""

    def __init__(self, source: Path | str, *flags: str) -> None:
        self.output = Path(str(source).split("::")[0]).parent / "out" / "out.npz"
        self.code = main(["convert", "--source", str(source), "--output", str(self.output), "--quiet", *flags])

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """Of the file that was written."""
        assert self.code == 0
        with np.load(self.output) as file:
            return dict(file)

    def refused(self, capsys: pytest.CaptureFixture[str]) -> str:
        """The one line of the refusal; nothing was written."""
        said = capsys.readouterr().err
        assert self.code == 1 and len(said.splitlines()) == 1 and not self.output.exists(), said
        return said


def test_a_cxi_file_without_a_probe_gets_one_of_the_patterns_and_says_so(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.cxi", "w") as file:
        file["entry_1/data_1/data"], file["entry_1/instrument_1/source_1/energy"] = MADE.counts, JOULE
        detector = file.create_group("entry_1/instrument_1/detector_1")
        detector["distance"], detector["x_pixel_size"], detector["y_pixel_size"] = DISTANCE, PITCH, PITCH
        file["entry_1/data_1/translation"] = np.stack([MADE.x, MADE.y, 0 * MADE.x], 1) * PIXEL

    arrays = Command(tmp_path / "a.cxi").arrays

    assert np.array_equal(arrays["diff3d"], AMPLITUDE) and "mask" not in arrays
    assert np.array_equal(arrays["xcoords"], PLACES["x"]) and np.array_equal(arrays["ycoords"], PLACES["y"])
    assert arrays["probeGuess"].shape == (N, N) and '"estimated"' in str(arrays["_metadata"])


@pytest.mark.parametrize("layout", [tike, contract])
def test_positions_in_metres_are_refused_by_the_spread_and_taken_with_a_unit(
    layout: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"scan": np.stack([MADE.y, MADE.x], 1)[None] * PIXEL} if layout is tike else {}
    names = names or {"xcoords": MADE.x * PIXEL, "ycoords": MADE.y * PIXEL}
    source = layout(tmp_path, **names)  # type: ignore[operator]

    said = Command(source).refused(capsys)
    assert "pixels over 12 positions" in said and "--position-unit m" in said

    assert "object pixel" in Command(source, "--position-unit", "m").refused(capsys)
    arrays = Command(source, "--position-unit", "m", "--object-pixel", f"{PIXEL * 1e9} nm").arrays
    assert np.array_equal(arrays["xcoords"], PLACES["x"]) and np.array_equal(arrays["ycoords"], PLACES["y"])


def test_the_corner_is_seen_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    centred = Command(tike(tmp_path, data=MADE.counts[None]))
    assert np.array_equal(centred.arrays["diff3d"], AMPLITUDE)
    assert "zero frequency: centre: by the photons, though this layout keeps it in the corner" in capsys.readouterr().err

    in_the_corner = Command(contract(tmp_path, diff3d=np.fft.ifftshift(AMPLITUDE, axes=(-2, -1))))
    assert np.array_equal(in_the_corner.arrays["diff3d"], AMPLITUDE)
    assert "zero frequency: corner" in capsys.readouterr().err

    insisted = Command(tike(tmp_path, data=MADE.counts[None]), "--zero-frequency", "corner")
    assert np.array_equal(insisted.arrays["diff3d"], np.fft.fftshift(AMPLITUDE, axes=(-2, -1)))


@pytest.mark.parametrize("mark", [-1, np.nan])
def test_marked_pixels_need_a_mask(mark: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = np.where(MADE.good, MADE.counts.astype(np.float32), np.float32(mark))
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])
    np.save(tmp_path / "valid.npy", MADE.good)

    said = Command(source).refused(capsys)
    count = int((~MADE.good).sum())
    assert f"{count * 12} {'below zero (lowest -1)' if mark == -1 else 'NaN or infinite'} in {count} pixels" in said
    assert "--mask" in said

    for flags in (("--mask", str(tmp_path / "valid.npy")), ("--mask-marked",)):
        arrays = Command(source, *flags).arrays
        assert np.array_equal(arrays["mask"], MADE.good)
        assert np.array_equal(arrays["diff3d"], np.where(MADE.good, AMPLITUDE, 0))


@pytest.mark.parametrize("dtype", ["u4", "i4", "f4", "f8"])
def test_the_largest_integer_is_no_count(dtype: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eiger masters hold 2^32 - 1 in the gaps between modules, whatever a program made of it afterwards."""
    mark = 2**31 - 1 if dtype == "i4" else 2**32 - 1
    frames = np.where(MADE.good, MADE.counts.astype(np.int64), mark).astype(dtype)
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])

    assert f"{int((~MADE.good).sum()) * 12} at the largest integer" in Command(source).refused(capsys)
    arrays = Command(source, "--mask-marked").arrays

    assert np.array_equal(arrays["mask"], MADE.good) and np.array_equal(arrays["diff3d"], np.where(MADE.good, AMPLITUDE, 0))


def test_saturated_frames_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = MADE.counts.copy()
    frames[3, 32, 32] = 65535
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])

    Command(source)
    assert "saturated: 1 frames" in capsys.readouterr().err
    assert len(Command(source, "--drop-saturated", "65535").arrays["diff3d"]) == 11


def test_small_negatives_are_clipped_up_to_the_limit_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = np.where((MADE.counts == 0) & (np.arange(N) % 3 == 0), np.float32(-0.4), MADE.counts)
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])

    assert np.array_equal(Command(source, "--clip-negatives", "0.5").arrays["diff3d"], AMPLITUDE)
    (tmp_path / "out" / "out.npz").unlink()
    assert "lowest -0.4" in Command(source, "--clip-negatives", "0.3").refused(capsys)


def test_what_a_mask_hides_does_not_count_against_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = (MADE.counts == 0) & (np.arange(N) % 3 == 0)
    frames = np.where(MADE.good, np.where(small, np.float32(-0.4), MADE.counts), np.float32(-1))
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])
    np.save(tmp_path / "valid.npy", np.fft.ifftshift(MADE.good))
    mask = ("--mask", str(tmp_path / "valid.npy"))

    said = Command(source, *mask).refused(capsys)
    assert f"{int((small & MADE.good).sum())} below zero (lowest -0.4)" in said
    arrays = Command(source, *mask, "--clip-negatives", "0.5").arrays

    assert np.array_equal(arrays["diff3d"], np.where(MADE.good, AMPLITUDE, 0)) and np.array_equal(arrays["mask"], MADE.good)


def test_frames_and_positions_of_different_numbers_are_never_matched_on_a_guess(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tike(tmp_path, scan=np.stack([MADE.y, MADE.x], 1)[None, :-2])
    assert "10 positions" in Command(source).refused(capsys)
    assert np.array_equal(Command(source, "--drop-surplus").arrays["diff3d"], AMPLITUDE[:10])


def test_frames_find_their_positions_by_index(tmp_path: Path) -> None:
    kept = np.delete(np.arange(12), [5, 9])
    order = np.random.default_rng(1).permutation(12)

    arrays = Command(
        contract(
            tmp_path,
            diff3d=AMPLITUDE[kept],
            frame_index=kept,
            position_index=order,
            xcoords=MADE.x[order],
            ycoords=MADE.y[order],
        ),
        "--keep-origin",
    ).arrays

    assert np.array_equal(arrays["diff3d"], AMPLITUDE[kept])
    assert np.array_equal(arrays["xcoords"], MADE.x[kept]) and np.array_equal(arrays["ycoords"], MADE.y[kept])


def test_positions_that_share_a_frame_are_averaged(tmp_path: Path) -> None:
    twice = np.repeat(np.arange(12), 2)
    jitter = np.tile([-0.25, 0.25], 12)
    x, y = MADE.x[twice] + jitter, MADE.y[twice] - jitter

    arrays = Command(
        contract(
            tmp_path,
            position_index=twice,
            xcoords=x,
            ycoords=y,
            frame_index=np.arange(12),
        ),
        "--keep-origin",
    ).arrays

    assert np.allclose(arrays["xcoords"], MADE.x) and np.allclose(arrays["ycoords"], MADE.y)


def test_an_oblong_detector_is_cut_around_the_beam(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frames = np.zeros((12, 80, 112), np.uint16)
    frames[:, 5:69, 31:95] = MADE.counts
    source = tike(tmp_path, data=frames[None])

    for flags in (("--crop", "64"), (), ("--centre", "37,63"), ("--centre", "found", "--crop", "64")):
        arrays = Command(source, *flags).arrays
        assert np.array_equal(arrays["diff3d"], AMPLITUDE)
        assert np.array_equal(arrays["xcoords"], PLACES["x"]) and np.array_equal(arrays["probeGuess"], MADE.probe)
    (tmp_path / "out" / "out.npz").unlink()
    capsys.readouterr()
    assert "--pad" in Command(source, "--centre", "20,63", "--crop", "64").refused(capsys)


def test_members_that_are_none_are_absent(tmp_path: Path) -> None:
    source = contract(tmp_path, objectGuess=None, scan_index=None, xcoords_start=None, ycoords_start=None)

    assert np.array_equal(Command(source).arrays["diff3d"], AMPLITUDE)


def test_counts_in_floats_are_called_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = contract(tmp_path, diff3d=MADE.counts.astype(np.float32))

    Command(source)
    said = capsys.readouterr().err
    assert "all whole numbers" in said and "--measurement counts" in said and "warning" in said

    assert np.array_equal(Command(source, "--measurement", "counts").arrays["diff3d"], AMPLITUDE)
    assert capsys.readouterr().err == ""


def test_train_reads_members_that_are_none_as_well(tmp_path: Path) -> None:
    source = contract(tmp_path, objectGuess=None, scan_index=None, xcoords_start=None, ycoords_start=None)

    record = RawData.from_file(source)

    assert record.objectGuess is None and len(record) == 12 and np.array_equal(record.xcoords_start, MADE.x)


def test_what_convert_writes_is_what_train_reads(tmp_path: Path) -> None:
    frames = np.where(MADE.good, MADE.counts.astype(np.float32), np.float32(np.nan))
    source = tike(tmp_path, data=np.fft.ifftshift(frames, axes=(-2, -1))[None])

    record = RawData.from_file(Command(source, "--mask-marked").output)

    assert np.array_equal(record.mask, MADE.good) and np.array_equal(record.diff3d, np.where(MADE.good, AMPLITUDE, 0))
    assert record.nphotons == pytest.approx((MADE.counts * MADE.good).sum() / 12)
