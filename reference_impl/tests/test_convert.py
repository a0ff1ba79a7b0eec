"""`convert`: the physics of cropping, axes and shift, held-out exposures, damaged sources."""

from __future__ import annotations

import bz2
import json
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reference_impl.cli.convert import describe
from reference_impl.cli.main import main
from reference_impl.data import RawData
from reference_impl.data.geometry import Geometry
from reference_impl.data.geometry_record import plan, record
from reference_impl.errors import ContractError
from reference_impl.formats import opened
from reference_impl.simulation import exposures

D, N = 32, 16
X, Y = np.array([30.0, 38.0, 44.0, 50.0, 33.0, 41.0]), np.array([40.0, 30.0, 52.0, 44.0, 36.0, 49.0])


def smooth(side: int, seed: int, cut: float) -> np.ndarray:
    """A complex image without frequencies beyond `cut` cycles a pixel."""
    draw = np.random.default_rng(seed)
    spectrum = np.fft.fft2(draw.normal(size=(side, side)) + 1j * draw.normal(size=(side, side)))
    low = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)) < cut
    field = np.fft.ifft2(spectrum * low)
    return field / np.abs(field).max()


def probe_of(side: int, pitch: float) -> np.ndarray:
    """A Gaussian of 3 fine pixels with a tilt, sampled every `pitch` fine pixels around `side // 2`: no power beyond the crop."""
    v, u = (np.mgrid[:side, :side] - side // 2) * pitch
    return np.exp(-(u**2 + 1.5 * v**2) / 18) * np.exp(0.1j * u - 0.05j * v + 0.01j * u * v)


def tike(counts_of: float = 1e6) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A source in the tike layout, noiseless, and the object on the fine grid."""
    fine, probe = 1 + 0.5 * smooth(96, 3, 0.05), probe_of(D, 1.0)
    counts = exposures.far_field_intensity(fine, probe, X, Y)
    counts = np.fft.ifftshift(counts * counts_of / counts.sum(axis=(1, 2)).mean(), axes=(-2, -1))
    scan = np.stack([Y, X], axis=-1) - 60.5
    arrays = {
        "data": counts[None].astype(np.float32),
        "probe": probe.astype(np.complex64)[None, None, None, None],
        "scan": scan[None].astype(np.float32),
    }
    return arrays, fine


def to_record(arrays: dict[str, np.ndarray], folder: Path, crop: int | None = None, **wanted: Any) -> Any:
    """The record that `convert` makes of a file with these arrays."""
    np.savez(folder / "source.npz", **arrays)
    with opened(folder / "source.npz") as experiment:
        return record(plan(experiment, Geometry(crop=crop, **wanted)), describe)


def relative(a: np.ndarray, b: np.ndarray) -> float:
    """Relative distance after the best positive factor: the probe of a source is on no photon scale."""
    return float(np.linalg.norm(a * (np.sum(a * b) / np.sum(a * a)) - b) / np.linalg.norm(b))


def test_without_a_crop_object_and_probe_explain_the_patterns(tmp_path: Path) -> None:
    arrays, fine = tike()

    record = to_record(arrays, tmp_path)

    model = np.sqrt(exposures.far_field_intensity(fine, record.probeGuess, X, Y))
    assert relative(model, record.diff3d) < 1e-5
    assert np.allclose(np.diff(record.xcoords), np.diff(X), atol=1e-4) and np.allclose(
        np.diff(record.ycoords), np.diff(Y), atol=1e-4
    )
    assert record.xcoords.min() >= D // 2 and record.probeGuess.shape == (D, D)


def test_a_crop_halves_positions_and_resamples_the_probe_to_the_same_field_of_view(tmp_path: Path) -> None:
    arrays, fine = tike()

    record = to_record(arrays, tmp_path, N)

    coarse = fine[::2, ::2]  # the object is smooth: its samples are its resampling
    model = np.sqrt(exposures.far_field_intensity(coarse, record.probeGuess, X / 2, Y / 2))
    wrong = np.sqrt(exposures.far_field_intensity(coarse, record.probeGuess, Y / 2, X / 2))
    assert relative(model, record.diff3d) < 0.02 < 3 * relative(wrong, record.diff3d)
    assert np.allclose(np.diff(record.xcoords), np.diff(X) / 2, atol=1e-4)
    assert relative(np.abs(record.probeGuess), np.abs(probe_of(N, 2.0))) < 0.01
    assert record.diff3d.argmax() % (N * N) // N in range(N // 2 - 3, N // 2 + 4)


def test_metadata_state_the_photons_that_were_kept(tmp_path: Path) -> None:
    arrays, _ = tike(counts_of=5e4)

    record = to_record(arrays, tmp_path, N)

    assert abs(record.nphotons / (record.diff3d.astype(np.float64) ** 2).sum(axis=(1, 2)).mean() - 1) < 1e-5
    assert record.metadata["physics_parameters"]["N"] == N


def test_held_out_exposures_are_in_no_other_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "source.npz", **tike()[0])
    flags = ["--source", str(tmp_path / "source.npz"), "--output", str(tmp_path / "out" / "star.npz"), "--quiet"]

    assert main(["convert", *flags, "--held-out", "0.34"]) == 0

    names = ("star", "star_train", "star_test")
    whole, train, test = (RawData.from_file(tmp_path / "out" / f"{name}.npz") for name in names)
    assert (len(whole), len(train), len(test)) == (6, 4, 2)
    assert sorted([*train.xcoords, *test.xcoords]) == sorted(whole.xcoords)
    for part in (train, test):
        index = [int(np.flatnonzero(whole.xcoords == x)[0]) for x in part.xcoords]
        assert np.array_equal(part.diff3d, whole.diff3d[index]) and np.array_equal(part.ycoords, whole.ycoords[index])
        assert np.array_equal(part.probeGuess, whole.probeGuess)


def test_the_command_writes_contract_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "raw.npz", **tike()[0])
    packed = tmp_path / "raw.npz.bz2"
    packed.write_bytes(bz2.compress((tmp_path / "raw.npz").read_bytes()))

    code = main(
        ["convert", "--source", str(packed), "--output", str(tmp_path / "out" / "c.npz"), "--crop", "16", "--held-out", "0.34"]
    )

    assert code == 0 and "6 patterns" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["c.npz", "c_test.npz", "c_train.npz"]
    assert RawData.from_file(tmp_path / "out" / "c_train.npz").diff3d.shape == (4, 16, 16)


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        ({"data": np.ones((2, 6, D, D))}, "data: expected axes 1 m y x"),
        ({"data": -np.ones((1, 6, D, D), np.float32)}, "finite counts >= 0"),
        ({"data": np.full((1, 6, D, D), np.nan, np.float32)}, "finite counts >= 0"),
        ({"scan": np.zeros((1, 5, 2))}, "one position for each of 6 patterns"),
        ({"scan": np.full((1, 6, 2), np.nan)}, "finite positions"),
        ({"probe": np.ones((1, 1, 1, 1, N, N), np.complex64)}, "probe: expected complex"),
        ({"probe": np.zeros((1, 1, 1, 1, D, D), np.complex64)}, "not dark everywhere"),
    ],
)
def test_arrays_of_another_layout_are_named(change: dict[str, np.ndarray], fragment: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        to_record({**tike()[0], **change}, tmp_path)

    assert fragment in str(caught.value) and "source.npz" in str(caught.value)


@pytest.mark.parametrize("crop", [0, 17, 64])
def test_a_crop_that_cannot_be_centred_is_refused(crop: int, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="crop: expected an even number"):
        to_record(tike()[0], tmp_path, crop)


def test_missing_keys_and_damaged_files_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "short.npz", data=np.ones((1, 2, 4, 4)))
    (tmp_path / "cut.npz.bz2").write_bytes(bz2.compress(bytes(10_000))[:30])
    for name, fragment in (
        ("short.npz", "data (1, 2, 4, 4)"),
        ("cut.npz.bz2", "complete bzip2 file"),
        ("none.npz", "file not found"),
    ):
        code = main(["convert", "--source", str(tmp_path / name), "--output", str(tmp_path / "out.npz"), "--quiet"])

        said = capsys.readouterr().err
        assert code == 1 and fragment in said and name in said and len(said.splitlines()) == 1
    assert not (tmp_path / "out.npz").exists()


def test_reading_a_source_runs_no_pickle(tmp_path: Path) -> None:
    np.savez(tmp_path / "evil.npz", data=np.array([print], dtype=object), probe=np.ones(1), scan=np.ones((1, 2)))

    with pytest.raises(ContractError, match="data"), opened(tmp_path / "evil.npz"):
        pass


def overlapping(count: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A tike file of exposures of 16 pixels that overlap, noiseless, without its probe, and that probe."""
    draw = np.random.default_rng(5)
    image = 1 + 0.4 * smooth(64, 2, 0.2)
    x, y = (draw.integers(20, 44, count).astype(float) for _ in range(2))
    true = probe_of(N, 1.0)
    counts = 1e4 * exposures.far_field_intensity(image, true, x, y)
    arrays = {"data": np.fft.ifftshift(counts, axes=(-2, -1))[None], "scan": np.stack([y, x], axis=1)[None]}
    return arrays, true


def residual_of(path: Path) -> float:
    """What the table of a file says of its refined or estimated probe."""
    with np.load(path) as file:
        rows = json.loads(str(file["_metadata"]))["conversion"]
    found = next(match for row in rows if (match := re.search(r"residual[a-z ]* ([0-9.]+)", row["source"])))
    return float(found[1])


def test_sweeps_bring_a_wrong_probe_to_what_the_patterns_say(tmp_path: Path) -> None:
    """The residual of one object falls by far, and the probe that held out exposures are predicted with is the same."""
    arrays, true = overlapping(60)
    guess = (true * np.exp(0.02j * np.add.outer(np.arange(N) ** 2, np.arange(N)))).astype(np.complex64)
    np.savez(tmp_path / "a.npz", **arrays, probe=guess[None, None, None, None])
    flags = ["--source", str(tmp_path / "a.npz"), "--held-out", "0.1", "--quiet"]

    for sweeps in ("1", "30"):
        assert main(["convert", *flags, "--refine-probe", sweeps, "--output", str(tmp_path / sweeps / "out.npz")]) == 0

    assert residual_of(tmp_path / "30" / "out.npz") < 0.25 * residual_of(tmp_path / "1" / "out.npz")
    probes = [np.load(tmp_path / "30" / f"out{part}.npz")["probeGuess"] for part in ("", "_train", "_test")]
    assert all(np.array_equal(probe, probes[0]) for probe in probes)


def test_a_modulus_alone_is_a_start(tmp_path: Path) -> None:
    arrays, true = overlapping(60)
    np.savez(tmp_path / "a.npz", **arrays, probe=np.abs(true)[None, None, None, None])

    assert main(["convert", "--source", str(tmp_path / "a.npz"), "--output", str(tmp_path / "out.npz"), "--quiet"]) == 0

    with np.load(tmp_path / "out.npz") as file:
        assert np.allclose(file["probeGuess"], np.abs(true)) and "a modulus alone" in str(file["_metadata"])


@pytest.mark.parametrize("defocus", [0.0, -0.01, 0.03])
def test_a_probe_that_nobody_knows_is_estimated_from_the_patterns(defocus: float, tmp_path: Path) -> None:
    """In and out of focus; up to a shift and a factor, which the object takes. An aperture of a seventh of the detector."""
    draw = np.random.default_rng(3)
    side = 64
    v, u = np.mgrid[:side, :side] - side // 2
    aperture = (np.hypot(v, u) < 14) & (np.hypot(v, u) > 4)
    true = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(aperture * np.exp(1j * defocus * (u**2 + v**2)))))
    image = 1 + 0.5 * smooth(128, 2, 0.1)
    x, y = (np.round(draw.uniform(40, 84, 100)) for _ in range(2))
    counts = draw.poisson(1e6 * exposures.far_field_intensity(image, true, x, y) / np.sum(np.abs(true) ** 2))
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["ptychogram"], file["encoder"] = counts, np.stack([y, x], 1) * 1e-8
        file["dxd"], file["zo"], file["wavelength"] = 1e-4, 1.0, 64e-12
    output = tmp_path / "out.npz"

    assert main(["convert", "--source", str(tmp_path / "a.hdf5"), "--output", str(output), "--quiet"]) == 0

    found = np.load(output)["probeGuess"]
    cross = np.abs(np.fft.ifft2(np.fft.fft2(found) * np.conj(np.fft.fft2(true))))
    assert cross.max() / (np.linalg.norm(found) * np.linalg.norm(true)) > 0.85
    assert residual_of(output) < 0.15
