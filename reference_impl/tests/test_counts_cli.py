"""`train --absolute-counts` and `infer` on its checkpoint: the profile `ci` by command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl import counts
from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import RawData, npz
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig

PHOTONS = 3e4
SCAN = Experiment(size=160, patterns=32, test_patterns=4, photons=PHOTONS, probe="ideal", seed=3)
QUIET = ["--accelerator", "cpu", "--precision", "32-true", "--quiet"]
TRAIN = ["--absolute-counts", "--gridsize", "1", "--n-filters-scale", "0.5", "--max-epochs", "2", *QUIET]


def files(folder: Path, **changes: Any) -> Path:
    made = simulate(SCAN)["train"]
    npz.write_npz(folder / "scan.npz", {**made, **changes})
    return folder / "scan.npz"


def trained(folder: Path, scan: Path, *flags: str) -> int:
    return main(["train", "--train-data-file", str(scan), "--output-dir", str(folder), *TRAIN, *flags])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("counts")
    assert trained(folder / "run", files(folder), "--test-data-file", str(folder / "scan.npz"), "--rect-s1s2-trainable") == 0
    yield folder


def inferred(run: Path, model: Path, scan: Path, name: str) -> dict[str, np.ndarray]:
    argv = ["infer", "--model-path", str(model), "--test-data", str(scan), "--output-dir", str(run / name), *QUIET]
    assert main(argv) == 0
    return dict(np.load(run / name / "reconstruction.npz"))


@pytest.mark.filterwarnings("ignore")
def test_a_training_on_counts_leaves_a_checkpoint_of_counts(run: Path) -> None:
    left = sorted(path.name for path in (run / "run").iterdir())
    module = counts.open_checkpoint(run / "run" / "checkpoints" / "last.ckpt")

    intensity = RawData.from_file(run / "scan.npz").diff3d.astype(float) ** 2
    assert left == ["checkpoints", "lightning_logs"]
    assert module.statistics.mean_measured_intensity == pytest.approx(intensity.mean(), rel=1e-5)
    assert module.training_config.epochs == 2 and module.model_config.n_filters_scale == 0.5
    assert module.s1.item() != module.s2.item()  # they begin as one number


@pytest.mark.filterwarnings("ignore")
def test_the_object_is_that_of_the_library_and_absolute(run: Path) -> None:
    scan = run / "scan.npz"
    found = inferred(run, run / "run", scan, "by-folder")
    module = counts.open_checkpoint(run / "run" / "checkpoints" / "last.ckpt")
    config = TrainingConfig(model=ModelConfig(gridsize=1, object_big=False), n_groups=32, subsample_seed=42, neighbor_count=6)
    data = counts.count_scan(RawData.from_file(scan), config)
    library = counts.infer(module, data.data)

    ratio = data.data["intensity"].sum(dtype=float) / library["predicted"].sum(dtype=float)
    assert found["count_ratio"] == pytest.approx(ratio, rel=1e-4) and abs(ratio - 1) < 0.5
    assert found["amplitude_residual"] < 1 and found["covered"].any() and np.isfinite(found["object"]).all()
    assert sorted(path.name for path in (run / "by-folder").glob("*.png")) == [
        "overview.png", "reconstructed_amplitude.png", "reconstructed_phase.png"
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_a_probe_of_twice_the_amplitude_predicts_four_times_the_counts(run: Path) -> None:
    """Nothing is normalised away between file and figure (CISCALE-006, CISCALE-007)."""
    (run / "bright").mkdir()
    bright = files(run / "bright", probeGuess=np.complex64(2) * simulate(SCAN)["train"]["probeGuess"])
    checkpoint = run / "run" / "checkpoints" / "last.ckpt"

    found = [inferred(run, checkpoint, scan, name) for scan, name in ((run / "scan.npz", "plain"), (bright, "bright/out"))]

    assert found[0]["count_ratio"] / found[1]["count_ratio"] == pytest.approx(4, rel=1e-4)
    np.testing.assert_allclose(found[1]["object"], found[0]["object"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--model-type", "supervised"], "--model-type: expected 'pinn'"),
        (["--torch-loss-mode", "mae"], "--torch-loss-mode: expected 'poisson'"),
        (["--devices", "2", "--strategy", "ddp"], "--devices: expected 1: counts are trained by one process, found 2"),
        (["--architecture", "unrolled"], "--architecture: expected a network of patterns alone"),
        (["--labels", "engine"], "--labels: expected none with --absolute-counts"),
        (["--intensity-scale-trainable"], "--intensity-scale-trainable: expected off"),
        (["--map-dir", "map"], "--train-data-file: expected one file in memory with --absolute-counts"),
        (["--rect-s1s2-init", "zeros"], "--rect-s1s2-init: expected one of ['ones', 'data'], found 'zeros'"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_counts_do_not_go_with_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    scan = files(tmp_path)

    code = trained(tmp_path / "run", scan, *flags)

    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert code == 1 and len(error) == 1 and said in error[0], error
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.filterwarnings("ignore")
def test_flags_of_counts_alone_a_mask_and_a_used_folder_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scan = files(tmp_path)
    hidden = np.ones((64, 64), bool)
    hidden[3, 4] = False
    np.save(tmp_path / "mask.npy", hidden)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "wts.h5.zip").write_bytes(b"a model")

    base = ["train", "--train-data-file", str(scan), "--output-dir", str(tmp_path / "run"), "--quiet", "--rect-s1s2-trainable"]
    codes = [main(base), trained(tmp_path / "run", scan, "--mask", str(tmp_path / "mask.npy")), trained(tmp_path / "used", scan)]

    said = capsys.readouterr().err
    assert codes == [1, 1, 1]
    assert "--rect-s1s2-trainable: expected --absolute-counts beside it, found none" in said
    assert "absolute counts are of whole patterns, found 1 pixels that are bad" in said
    assert "--output-dir: expected a folder without a model of another kind" in said
    assert (tmp_path / "used" / "wts.h5.zip").read_bytes() == b"a model"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "flags", [["--varpro-scaling", "global"], ["--transpose"], ["--refine", "3"]], ids=lambda flags: flags[0]
)
def test_ways_of_amplitudes_are_refused_by_a_model_of_counts(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    argv = [
        "infer",
        "--model-path",
        str(run / "run"),
        "--test-data",
        str(run / "scan.npz"),
        "--output-dir",
        str(tmp_path / "out"),
    ]

    code = main([*argv, *QUIET, *flags])

    error = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert code == 1 and error[0].startswith(f"error: {flags[0]}: expected none of it for a model of absolute counts")
    assert not (tmp_path / "out" / "reconstruction.npz").exists()


def test_several_processes_are_refused_by_the_library_too(tmp_path: Path) -> None:
    data = counts.count_scan(RawData.from_file(files(tmp_path)), TrainingConfig(model=ModelConfig(gridsize=1), n_groups=4)).data
    config = TrainingConfig(model=ModelConfig(gridsize=1, n_filters_scale=0.5, object_big=False), output_dir=tmp_path, nepochs=1)
    pair = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}
    prepared = counts.prepare(data, None, counts.CountSettings(config, **pair))

    for name in ("devices", "num_nodes"):
        with pytest.raises(ContractError, match=f"{name}: expected 1: counts are trained by one process, found 2"):
            counts.train(prepared, PyTorchExecutionConfig(accelerator="cpu", strategy="ddp", **{name: 2}))


def test_photons_that_are_asked_for_stand_above_those_of_the_file(tmp_path: Path) -> None:
    record = RawData.from_file(files(tmp_path))
    config = TrainingConfig(model=ModelConfig(gridsize=1), n_groups=8)

    of_file, asked = (counts.count_scan(record, config, photons) for photons in (None, 4 * PHOTONS))

    assert of_file.scale == pytest.approx(1, rel=1e-4) and of_file.source == "the file's metadata"
    assert asked.scale == pytest.approx(2, rel=0.02)
    np.testing.assert_allclose(asked.data["probe"], asked.scale / of_file.scale * of_file.data["probe"], rtol=1e-5)
