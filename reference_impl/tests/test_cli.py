"""The command line beyond the contract: one line an error, options that reach the run, pictures and numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reference_impl.bundle import load_torch_bundle
from reference_impl.cli import pictures
from reference_impl.cli.main import build_parser, main, one_line
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.cli.train import fitting_scale, overrides_of, saturation
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data.plausible import NAMES
from reference_impl.tests.killing import held_by_another
from reference_impl.tests.samples import arrays

FAST = ["--n-filters-scale", "0.5", "--no-probe-big", "--gridsize", "1", "--batch_size", "4", "--accelerator", "cpu"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name, members in simulate(Experiment(patterns=24, test_patterns=12)).items():
        np.savez(folder / f"{name}.npz", **members)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    flags = ["--max_epochs", "2", "--n_images", "24", "--torch-loss-mode", "mae", "--accumulate-grad-batches", "2", "--quiet"]
    files = ["--train_data_file", str(data / "train.npz"), "--output_dir", str(folder)]
    assert main(["train", *files, *FAST, *flags]) == 0
    return folder


def refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that a failing call leaves."""
    code = main(argv)
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if not line.startswith("warning: ")]
    assert code == 1 and len(errors) == 1 and errors[0].startswith("error: "), said.err
    return errors[0]


def test_quiet_training_says_nothing_and_leaves_everything(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert capsys.readouterr().out == ""
    names = {str(path.relative_to(trained)) for path in trained.rglob("*") if path.is_file()}
    assert {one["state"] for one in json.loads((trained / "checked.json").read_text())[0]["checked"]} <= {"ok", "note", "warning"}
    assert {"wts.h5.zip", "checkpoints/last.ckpt", "lightning_logs/version_0/metrics.csv"} <= names


def test_flags_reach_model_loss_and_steps(trained: Path) -> None:
    models, params = load_torch_bundle(trained / "wts.h5")
    steps = torch.load(trained / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"][0]["state"][0]["step"]

    assert (params["torch_loss_mode"], params["probe.big"], params["n_filters_scale"]) == ("mae", False, 0.5)
    assert models["diffraction_to_obj"].loss_name.startswith("mae")
    assert int(steps) == 6  # 24 groups in batches of 4, two batches a step, two epochs


def test_training_resumes_from_its_checkpoint(data: Path, trained: Path, tmp_path: Path) -> None:
    files = ["--train_data_file", str(data / "train.npz"), "--output_dir", str(tmp_path)]
    more = ["--max_epochs", "3", "--n_images", "24", "--torch-loss-mode", "mae", "--accumulate-grad-batches", "2", "--quiet"]

    assert main(["train", *files, *FAST, *more, "--resume", str(trained / "checkpoints" / "last.ckpt")]) == 0

    with open(tmp_path / "lightning_logs" / "version_0" / "metrics.csv", newline="") as stream:
        assert {row["epoch"] for row in csv.DictReader(stream)} == {"2"}


def test_inference_leaves_pictures_and_numbers(
    data: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--test_data", str(data / "test.npz"), "--output_dir", str(tmp_path), "--model_path", str(trained)]

    code = main(["infer", "--n_images", "all", "--accelerator", "cpu", *files])

    assert code == 0 and "12 patches stitched; relative amplitude residual" in capsys.readouterr().out
    for name in ("reconstructed_amplitude.png", "reconstructed_phase.png", "overview.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG") and (tmp_path / name).stat().st_size > 5000
    with np.load(tmp_path / "reconstruction.npz", allow_pickle=False) as found:
        assert found["object"].dtype == np.complex64 and found["offsets"].shape == (12, 2)
        assert found["covered"].shape == found["object"].shape and found["covered"].any()
        assert 0 < found["covered_share"] <= 1 and found["overlap_disagreement"] > 0 and found["flat_residual"] > 0
        assert [one["name"] for one in json.loads(str(found["checked"]))[0]["checked"]] == list(NAMES)
        centre = found["origin"] + found["object"].shape[0] / 2
        assert np.abs(centre - found["offsets"].mean(axis=0)).max() < 1.5


def test_a_bundle_is_found_by_its_file_and_from_home(
    data: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(trained.parent))
    named = [str(trained / "wts.h5.zip"), f"~/{trained.name}/wts.h5", f"~/{trained.name}"]

    for name in named:
        files = ["--test-data", str(data / "test.npz"), "--output-dir", str(tmp_path), "--model-path", name]
        assert main(["infer", *files, "--n-groups", "4", "--accelerator", "cpu"]) == 0
        assert "4 patches stitched" in capsys.readouterr().out


def test_data_of_another_side_are_shown_and_refused_as_they_are(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "wide.npz", **arrays(n=5, N=128))
    files = ["--test_data", str(tmp_path / "wide.npz"), "--output_dir", str(tmp_path / "out"), "--model_path", str(trained)]

    code = main(["infer", *files, "--accelerator", "cpu"])

    said = capsys.readouterr()
    assert code == 1 and "5 patterns of 128 x 128 pixels" in said.out
    assert "wide.npz" in said.err and "64 x 64" in said.err and "found 128 x 128" in said.err


def test_the_curve_of_the_overview_is_the_training_that_made_the_bundle(trained: Path, tmp_path: Path) -> None:
    curves = pictures.losses_of(trained)

    assert list(curves) == ["mae_train_loss"] and len(curves["mae_train_loss"]) == 2
    assert pictures.losses_of(tmp_path) == {}


@pytest.mark.parametrize(
    ("flags", "fragments"),
    [
        (["--batch_size", "12"], ["--batch_size", "power of two", "12"]),
        (["--amp_activation", "cubic"], ["--amp_activation", "cubic"]),
        (["--scheduler", "Sometimes"], ["--scheduler", "Sometimes"]),
        (["--logger", "paper"], ["--logger", "paper"]),
        (["--architecture", "gnn"], ["--architecture", "gnn", "cnn"]),
        (["--n_images", "0"], ["--n_images", "positive"]),
        (["--n-groups", "25", "--gridsize", "2"], ["--n-groups", "at most 24", "--enable-oversampling"]),
        (["--neighbor-count", "3", "--gridsize", "2"], ["--neighbor-count", "3"]),
        (["--measurement", "volts"], ["--measurement", "volts"]),
        (["--resume", "nowhere.ckpt"], ["--resume", "nowhere.ckpt"]),
        (["--checkpoint-monitor", "joy"], ["--checkpoint-monitor", "joy"]),
        (["--learning-rate", "inf"], ["--learning-rate", "inf"]),
        (["--learning-rate=1e300"], ["--learning-rate", "1e+300"]),
        (["--max-epochs", "three"], ["--max-epochs", "whole number", "three"]),
        (["--seed", "-1"], ["--seed", "-1"]),
        (["--strategy", "x" * 5000], ["--strategy", "…"]),
    ],
    ids=lambda value: value[0].strip("-")[:20],
)
def test_a_wrong_setting_is_one_line(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], fragments: list[str]
) -> None:
    files = ["--train_data_file", str(data / "train.npz"), "--output_dir", str(tmp_path / "out")]

    said = refused(["train", *files, *FAST, "--max_epochs", "1", "--n_images", "8", "--quiet", *flags], capsys)

    assert [part for part in fragments if part not in said] == []
    assert not (tmp_path / "out" / "wts.h5.zip").exists()


def broken(data: Path, folder: Path, **changes: np.ndarray | None) -> Path:
    """The training file with some arrays replaced, None for left out."""
    with np.load(data / "train.npz", allow_pickle=False) as archive:
        arrays = {**{key: archive[key] for key in archive.files}, **changes}
    np.savez(folder / "broken.npz", **{key: value for key, value in arrays.items() if value is not None})
    return folder / "broken.npz"


BROKEN = {
    "no-positions": ({"xcoords": None}, "xcoords"),
    "misspelt": ({"xcoords": None, "xcoord": np.zeros(24)}, "xcoord"),
    "rank": ({"diff3d": np.ones((24, 64), np.float32)}, "diff3d"),
    "nan": ({"diff3d": np.full((24, 64, 64), np.nan, np.float32)}, "NaN"),
    "negative": ({"diff3d": -np.ones((24, 64, 64), np.float32)}, "-1"),
    "dark": ({"diff3d": np.zeros((24, 64, 64), np.float32)}, "energy"),
    "few-positions": ({key: np.zeros(20) for key in ("xcoords", "ycoords", "xcoords_start", "ycoords_start")}, "position"),
    "flat-object": ({"objectGuess": np.ones(5, np.complex64)}, "objectGuess"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_line_that_names_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    changes, fragment = BROKEN[name]
    file = broken(data, tmp_path, **changes)

    said = refused(["train", "--train_data_file", str(file), "--output_dir", str(tmp_path / "out"), *FAST, "--quiet"], capsys)

    assert fragment in said and "broken.npz" in said
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_a_truncated_file_and_bundle_are_named(
    data: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.npz"
    cut.write_bytes((data / "train.npz").read_bytes()[:50_000])
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "wts.h5.zip").write_bytes((trained / "wts.h5.zip").read_bytes()[:50_000])
    shared = ["--output_dir", str(tmp_path / "out"), "--quiet", "--accelerator", "cpu"]

    assert "cut.npz" in refused(["train", "--train_data_file", str(cut), *shared], capsys)
    model = ["--model_path", str(tmp_path / "bundle"), "--test_data", str(data / "test.npz")]
    assert "wts.h5.zip" in refused(["infer", *model, *shared], capsys)


def test_an_unwritable_output_is_refused_before_training(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "occupied").write_text("a file")

    said = refused(
        ["train", "--train_data_file", str(data / "train.npz"), "--output_dir", str(tmp_path / "occupied"), *FAST, "--quiet"],
        capsys,
    )

    assert "occupied" in said and (tmp_path / "occupied").read_text() == "a file"


def test_debug_shows_the_error_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent.npz"):
        main(["train", "--train_data_file", str(tmp_path / "absent.npz"), "--output_dir", str(tmp_path), "--debug"])


@pytest.mark.parametrize(("stop", "code"), [(SystemExit(), 143), (KeyboardInterrupt(), 130)], ids=["sigterm", "sigint"])
def test_a_command_that_a_signal_ends_has_not_succeeded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop: BaseException, code: int
) -> None:
    def stopped(*_: object) -> None:
        raise stop

    monkeypatch.setattr("reference_impl.cli.simulate.run", stopped)

    assert main(["simulate", "--output_dir", str(tmp_path)]) == code and len(capsys.readouterr().err.splitlines()) == 1


def test_abbreviated_flags_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["train", "--train_data", "x.npz", "--output_dir", "y"])

    assert caught.value.code == 1 and "--train-data-file" in capsys.readouterr().err


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1 and "simulate" in capsys.readouterr().err


def test_single_patterns_have_no_common_canvas() -> None:
    argv = ["train", "--train_data_file", "x", "--output_dir", "y", "--gridsize"]

    single, groups = (overrides_of(build_parser().parse_args([*argv, g])) for g in ("1", "2"))

    assert (single["object_big"], groups["object_big"]) == (False, True)
    assert isinstance(single["n_filters_scale"], int)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyError("a: b\n c"), "a: b c"),
        (TypeError("no"), "TypeError: no"),
        (ValueError(""), "ValueError: "),
        (OSError(28, "No space left on device", "x"), "[Errno 28] No space left on device: 'x'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_speak_in_one_line(error: BaseException, expected: str) -> None:
    assert one_line(error) == expected


def test_a_probe_scale_that_no_sigmoid_can_serve_is_said() -> None:
    """Nothing else would say so: the loss just stays where a flat object puts it."""
    wide = np.ones((64, 64), dtype=np.complex64)
    record = SimpleNamespace(probeGuess=wide, file=Path("train.npz"))
    dark, bright = (TrainingConfig(model=ModelConfig(N=64, probe_scale=scale)) for scale in (1.0, 4.0))

    assert saturation(record, dark) == "" and "--probe-scale 1.8 or less" in saturation(record, bright)
    quick, typed, usual = (SimpleNamespace(preset=name, typed=set(given)) for name, given in SCALED)
    assert (fitting_scale(quick, record, bright), fitting_scale(quick, record, dark)) == (1.7, None)
    assert fitting_scale(typed, record, bright) is None and fitting_scale(usual, record, bright) is None


SCALED: list[tuple[str, list[str]]] = [("quick", []), ("quick", ["probe_scale"]), ("standard", [])]


@pytest.mark.parametrize("command", ["train", "infer"])
def test_a_second_run_in_a_folder_is_refused(
    data: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    flags = {"train": ["--train-data-file", str(data / "train.npz"), *FAST], "infer": ["--test-data", str(data / "test.npz")]}
    flags["infer"] += ["--model-path", str(trained), "--accelerator", "cpu"]
    with held_by_another(tmp_path):
        said = refused([command, *flags[command], "--output-dir", str(tmp_path), "--quiet"], capsys)

    assert "another run holds" in said and list(tmp_path.iterdir()) == []
