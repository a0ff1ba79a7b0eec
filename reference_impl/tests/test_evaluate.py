"""Two objects side by side: what is taken out, what is left, what a constant scores."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from reference_impl.cli.main import main
from reference_impl.data.npz import write_npz
from reference_impl.errors import ContractError
from reference_impl.evaluate.figures import BETAS, Figures, compare, largest_square
from reference_impl.evaluate.read import Picture, read
from reference_impl.evaluate.rings import rings
from reference_impl.simulation.moved_probe import smooth_object

SIDE = 128
ANYWHERE = np.ones((SIDE, SIDE), bool)


def truth() -> np.ndarray:
    """A periodic smooth object."""
    return smooth_object(SIDE, np.random.default_rng(0)).astype(np.complex128)


def moved(field: np.ndarray, x: float, y: float) -> np.ndarray:
    """`field` rolled by fractions of a pixel."""
    q = np.fft.fftfreq(SIDE)
    return np.fft.ifft2(np.fft.fft2(field) * np.exp(-2j * np.pi * (y * q[:, None] + x * q)))


def ramped(field: np.ndarray, x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return field * np.exp(1j * (x * columns + y * rows))


def compared(field: np.ndarray, covered: np.ndarray = ANYWHERE) -> Figures:
    return compare(Picture("image", field, covered), Picture("truth", truth(), ANYWHERE))[0]


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (0.4, -0.3), (7.25, -12.5), (-30.0, 21.7)])
def test_factor_ramp_and_shift_are_taken_out_and_told(x: float, y: float) -> None:
    """Nothing is left of an object that is the same but for its gauge."""
    found = compared(ramped(moved(truth(), x, y) * 3 * np.exp(0.7j), 0.02, -0.05))
    assert found.error < 1e-3
    assert found.gauge.shift == pytest.approx((x, y), abs=2e-3)
    assert found.gauge.ramp == pytest.approx((-0.02, 0.05), abs=1e-4)
    assert abs(found.gauge.factor) == pytest.approx(1 / 3, rel=1e-3)
    assert found.ssim_amplitude > 0.999 and found.ms_ssim_phase > 0.999


def test_known_noise_is_found_as_it_is() -> None:
    """Complex noise of 3 % of the root mean square gives an error of 0.03."""
    field, draw = truth(), np.random.default_rng(1)
    size = np.sqrt(np.mean(np.abs(field) ** 2) / 2)
    noisy = field + 0.03 * size * (draw.normal(size=field.shape) + 1j * draw.normal(size=field.shape))
    found = compared(noisy)
    assert found.error == pytest.approx(0.03, rel=0.1)
    assert found.psnr == pytest.approx(20 * np.log10(found.peak / (0.03 * size)), abs=0.5)


def test_mean_errors_are_those_that_were_made() -> None:
    """Amplitudes 2 % off and phases 0.01 rad off, up and down in turn by chance."""
    field, draw = truth(), np.random.default_rng(4)
    up, ahead = draw.choice([-1.0, 1.0], (2, *field.shape))
    found = compared(field * (1 + 0.02 * up) * np.exp(0.01j * ahead))
    assert found.mae_amplitude == pytest.approx(0.02 * np.abs(field).mean(), rel=0.02)
    assert found.mae_phase == pytest.approx(0.01, rel=0.02)
    assert found.error == pytest.approx(np.hypot(0.02, 0.01), rel=0.02)


def similarity(one: np.ndarray, other: np.ndarray, width: float) -> tuple[float, float]:
    """SSIM and its part of contrast and structure, by the formula (Wang et al. 2004: Gaussian window, sigma 1.5).

    Torchmetrics mirrors the image at its edges, and leaves these out of the second figure alone.
    """
    mean, mean_other, square, square_other, product = (
        gaussian_filter(part, 1.5, truncate=3.5, mode="mirror") for part in (one, other, one**2, other**2, one * other)
    )
    steady, level = (0.03 * width) ** 2, (0.01 * width) ** 2
    variances = square - mean**2 + square_other - mean_other**2
    structure = (2 * (product - mean * mean_other) + steady) / (variances + steady)
    luminance = (2 * mean * mean_other + level) / (mean**2 + mean_other**2 + level)
    return float((luminance * structure).mean()), float(structure[5:-5, 5:-5].mean())


def test_similarity_is_that_of_the_formula() -> None:
    """SSIM, and MS-SSIM from it: the structure of each finer scale and the whole of the coarsest, weighted."""
    draw = np.random.default_rng(5)
    noisy = truth() * (1 + 0.05 * draw.normal(size=(SIDE, SIDE)))
    found, pair = compare(Picture("image", noisy, ANYWHERE), Picture("truth", truth(), ANYWHERE))
    square = largest_square(pair.common)
    one, other = (np.abs(field[square]) for field in (pair.image, pair.truth))
    width = np.ptp(other)
    assert found.ssim_amplitude == pytest.approx(similarity(one, other, width)[0], abs=1e-6)
    expected = 1.0
    betas = np.array(BETAS[: found.scales]) / sum(BETAS[: found.scales])
    for scale, beta in enumerate(betas):
        whole, structure = similarity(one, other, width)
        expected *= (structure if scale < found.scales - 1 else whole) ** beta
        even = len(one) // 2 * 2
        one, other = (part[:even, :even].reshape(even // 2, 2, even // 2, 2).mean(axis=(1, 3)) for part in (one, other))
    assert found.scales > 1 and found.ms_ssim_amplitude == pytest.approx(expected, abs=1e-6)


def test_a_constant_scores_as_its_null() -> None:
    """A flat object has the error and the similarity that stand beside every other one."""
    flat = Picture("flat", np.full((SIDE, SIDE), 0.8 + 0j), ANYWHERE, (0.0, 0.0))
    found = compare(flat, Picture("truth", truth(), ANYWHERE, (0.0, 0.0)))[0]
    assert found.error == pytest.approx(found.error_null, rel=0.15)
    assert found.ssim_amplitude < 0.6 and found.error > 0.2


def test_a_conjugate_is_no_match() -> None:
    """The twin of an object is another object."""
    assert compared(truth().conj()).error > 0.2


def test_only_what_both_show_counts() -> None:
    """Rubbish where nothing was covered changes nothing."""
    covered, field = ANYWHERE.copy(), truth()
    covered[:, :40] = False
    found = [compared(np.where(covered, field, rubbish), covered) for rubbish in (0.0, 1.5)]
    assert found[0].error < 1e-6 and found[1].error < 1e-2
    assert found[0].pixels < SIDE * 88


def test_the_largest_square_is_found() -> None:
    """Inside a mask with a hole."""
    mask = np.zeros((40, 50), bool)
    mask[5:30, 10:45] = True
    mask[10, 12] = False
    rows, columns = largest_square(mask)
    assert mask[rows, columns].all() and rows.stop - rows.start == columns.stop - columns.start == 25


def test_rings_tell_equal_from_unequal() -> None:
    """Equal images correlate to the last ring, noise nowhere for long; a blurred one up to its blur."""
    draw = np.random.default_rng(2)
    one, other = (draw.normal(size=(96, 96)) + 1j * draw.normal(size=(96, 96)) for _ in range(2))
    assert rings(one, one).crossing == 0.5 and np.allclose(rings(one, one).correlation, 1)
    assert rings(one, other).crossing < 0.1
    q = np.hypot(np.fft.fftfreq(96)[:, None], np.fft.fftfreq(96))
    low = np.where(q < 0.2, np.fft.fft2(one), np.fft.fft2(other))
    assert rings(one, np.fft.ifft2(low)).crossing == pytest.approx(0.2, abs=0.03)


def test_rings_are_as_high_as_signal_and_noise_say() -> None:
    """S / (S + N) of two images with one signal and noise of their own (van Heel and Schatz 2005); thresholds by the formula."""
    draw = np.random.default_rng(6)
    signal, one, other = (draw.normal(size=(256, 256)) + 1j * draw.normal(size=(256, 256)) for _ in range(3))
    found = rings(signal + 0.5 * one, signal + 0.5 * other)
    assert found.correlation[20:].mean() == pytest.approx(1 / 1.25, abs=0.01)
    ring = np.rint(np.hypot(*np.meshgrid(*[np.fft.fftfreq(256) * 256] * 2))).astype(int)
    root = np.sqrt(np.sum(ring == 40))
    assert found.threshold[39] == pytest.approx((0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root))
    assert found.one_bit[39] == pytest.approx((0.5 + 2.4142 / root) / (1.5 + 1.4142 / root))
    assert found.crossing_one_bit <= found.crossing


def test_pixels_of_other_sizes_are_refused() -> None:
    """Nothing is resampled: one line that names both sizes."""
    one, other, same = (Picture("image", truth(), ANYWHERE, None, pixel) for pixel in (5e-9, 10e-9, 5.01e-9))
    with pytest.raises(ContractError, match=r"pixels of 5 nm .*found 10 nm"):
        compare(other, one)
    assert compare(same, one)[0].error < 1e-6


def test_objects_without_a_common_piece_are_refused() -> None:
    """One line that names the object."""
    with pytest.raises(ContractError, match="in common"):
        far = Picture("far", truth(), ANYWHERE, (1000.0, 0.0))
        compare(far, Picture("truth", truth(), ANYWHERE, (0.0, 0.0)))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.ones((32, 32)), "float64"),
        (np.ones((2, 32, 32), complex), "(2, 32, 32)"),
        (np.full((32, 32), np.nan + 0j), "NaN"),
        (np.ones((4, 4), complex), "(4, 4)"),
    ],
)
def test_what_is_no_object_is_refused(tmp_path: Path, values: np.ndarray, found: str) -> None:
    """One line that says what there is."""
    np.savez(tmp_path / "a.npz", object=values)
    with pytest.raises(ContractError) as caught:
        read(str(tmp_path / "a.npz"))
    assert found in str(caught.value)


def test_objects_of_other_programs_are_found(tmp_path: Path) -> None:
    """An array by its name, a product's one slice with its pixel, CXI's image."""
    import h5py

    field = truth().astype(np.complex64)
    np.savez(tmp_path / "truth.npz", object_test=field)
    np.save(tmp_path / "plain.npy", field)
    with h5py.File(tmp_path / "product.h5", "w") as file:
        file["object"] = field[None]
        file["object"].attrs["pixel_width_m"] = 5e-9
    with h5py.File(tmp_path / "image.cxi", "w") as file:
        file["entry_1/image_1/data"] = field
    for name in ("truth.npz::object_test", "product.h5", "image.cxi", "plain.npy"):
        assert np.array_equal(read(str(tmp_path / name)).field, field), name
    assert read(str(tmp_path / "product.h5")).pixel == pytest.approx(5e-9)


def test_the_command_tells_and_keeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two objects beside a third: a table of two lines, a picture, and words."""
    for name, x in (("a", 0.0), ("b", 1.5), ("truth", 0.0)):
        write_npz(tmp_path / f"{name}.npz", {"object": moved(truth(), x, 0).astype(np.complex64)})
    files = [str(tmp_path / f"{name}.npz") for name in ("a", "b", "truth")]
    assert main(["evaluate", *files, "--output-dir", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert said.count("relative complex error") == 2 and "a constant" in said
    with open(tmp_path / "out" / "evaluation.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == files[:2] and float(rows[1]["shift_x_px"]) == pytest.approx(1.5, abs=0.01)
    assert (tmp_path / "out" / "evaluation.png").stat().st_size > 10_000
    assert main(["evaluate", files[0]]) == 1
    assert "two objects" in capsys.readouterr().err
