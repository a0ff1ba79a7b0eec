"""The solver from a network's object: what it begins with, what it leaves, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.data.npz import write_npz
from reference_impl.engine import Settings, solve_record
from reference_impl.engine.begin import begin_with
from reference_impl.errors import ContractError
from reference_impl.simulation.exposures import patches_at
from reference_impl.simulation.moved_probe import known_scan


def test_a_good_beginning_saves_sweeps() -> None:
    """The object itself, cut into patches, comes back in one sweep nearer than a flat start comes in several."""
    members = known_scan(81, 32, 3.0, seed=3)
    given = SimpleNamespace(**members)
    truth = patches_at(given.objectGuess, given.xcoords, given.ycoords, 32).astype(np.complex64)[..., None]
    offsets = np.stack([given.xcoords, given.ycoords], axis=-1)[:, None, None]
    settings = Settings(sweeps=1, batch=12, settle=False, refine_probe=False)
    begin = partial(begin_with, patches=7j * truth, offsets=offsets, M=24)

    warm = solve_record(given, settings, before=begin)
    cold = solve_record(given, replace(settings, sweeps=2))
    moved = solve_record(given, settings, before=partial(begin_with, patches=truth, offsets=offsets + 1.0, M=24))

    assert warm.residuals[0] < cold.residuals[-1] and warm.residuals[0] < moved.residuals[0] / 2
    assert warm.residuals[0] < cold.residuals[0] / 5
    with pytest.raises(ContractError, match="patches"):
        solve_record(given, settings, before=partial(begin_with, patches=0 * truth, offsets=offsets, M=24))


SMALL = ["--gridsize", "1", "--architecture", "unrolled", "--n-filters-scale", "0.25", "--amp-activation", "softplus"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `scan.npz`, 36 patterns of 64 x 64 pixels, and `bundle`, hardly trained."""
    folder = tmp_path_factory.mktemp("refine")
    write_npz(folder / "scan.npz", known_scan(36, 64, 6.0, seed=3))
    train = ["train", "--train-data-file", str(folder / "scan.npz"), "--output-dir", str(folder / "bundle"), *SMALL]
    assert main([*train, "--max-epochs", "1", "--accelerator", "cpu", "--quiet", "--torch-loss-mode", "mae"]) == 0
    yield folder


def infer(run: Path, folder: Path, *flags: str) -> int:
    given = ["--model-path", str(run / "bundle"), "--test-data", str(run / "scan.npz"), "--output-dir", str(folder)]
    return main(["infer", *given, "--accelerator", "cpu", *flags])


def test_the_network_s_object_is_refined(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert infer(run, tmp_path, "--refine", "3", "--stitch-crop-size", "32") == 0

    said = capsys.readouterr().out
    with np.load(tmp_path / "refined" / "reconstruction.npz", allow_pickle=False) as found:
        residuals = found["residuals"]
        assert found["object"].dtype == np.complex64 and found["positions"].shape == (36, 2) and len(residuals) == 3
    assert (tmp_path / "reconstruction.npz").is_file() and "3 sweeps, relative residual" in said
    assert (tmp_path / "refined" / "overview.png").is_file() and residuals[-1] < residuals[0]


def test_another_run_leaves_no_refinement_of_the_last_one(run: Path, tmp_path: Path) -> None:
    assert infer(run, tmp_path, "--refine", "1", "--quiet") == 0
    assert infer(run, tmp_path, "--quiet") == 0

    assert (tmp_path / "reconstruction.npz").is_file() and not list(tmp_path.glob("refined/*"))


@pytest.mark.parametrize("flag", ["--flip-x", "--flip_y", "--transpose"])
def test_what_is_turned_for_stitching_is_not_refined(
    run: Path, tmp_path: Path, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert infer(run, tmp_path / "out", "--refine", "1", flag) == 1
    assert "--refine" in capsys.readouterr().err and not (tmp_path / "out").exists()
