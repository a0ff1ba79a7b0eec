"""The drop-in: never imported by accident, counts once, the client's object grid, settings that are honoured or refused."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.drop_in import canvas, folder, records
from reference_impl.errors import ContractError

N = 8


@pytest.fixture
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Both packages importable, and forgotten afterwards."""
    monkeypatch.syspath_prepend(str(folder()))
    yield importlib.import_module
    for name in [name for name in sys.modules if name.split(".")[0] in ("ptycho", "ptycho_torch")]:
        del sys.modules[name]


def exported(path: Path, dtype: str = "int32", **others: Any) -> Path:
    """A file as the client writes it, with 3 exposures."""
    counts = np.arange(3 * N * N).reshape(3, N, N).astype(dtype)
    arrays = {"xcoords": np.array([4.0, 5.0, 6.0]), "ycoords": np.array([4.0, 4.0, 7.0]), "diff3d": counts}
    arrays |= {"probeGuess": np.ones((1, N, N), complex), "bad_pixels": np.zeros((N, N), bool)}
    np.savez(path, **{name: value for name, value in (arrays | others).items() if value is not None})
    return path


def test_neither_package_is_found_without_the_folder() -> None:
    """In the checkout's root, with everything installed."""
    assert [find_spec(name) for name in ("ptycho", "ptycho_torch")] == [None, None]


def test_the_command_prints_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else, so that a shell can take it as it is."""
    assert main(["drop-in"]) == 0
    assert capsys.readouterr().out == f"{folder()}\n"
    assert sorted(path.name for path in folder().iterdir() if path.name != "__pycache__") == ["ptycho", "ptycho_torch"]


def test_the_configuration_needs_no_torch() -> None:
    """In a fresh interpreter, as the client's parent imports it."""
    code = "import sys, ptycho.config.config; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": f"{folder()}:{Path(__file__).parents[2]}"})
    assert done.returncode == 0


@pytest.mark.parametrize("dtype", ["int32", "uint16", "float32"])
def test_a_file_of_the_client_holds_counts_whatever_its_dtype(packages: Any, tmp_path: Path, dtype: str) -> None:
    """`bad_pixels` tells it from a contract file; floating-point counts come of floating-point detectors."""
    record = packages("ptycho.raw_data").RawData.from_file(exported(tmp_path / "a.npz", dtype))
    expected = np.sqrt(np.arange(3.0 * N * N)).reshape(3, N, N)
    np.testing.assert_allclose(record.diff3d, expected, rtol=1e-6)
    assert record.diff3d.dtype == np.float32


def test_a_contract_file_holds_amplitudes(packages: Any, tmp_path: Path) -> None:
    """Without `bad_pixels`, floating point is taken as it is."""
    record = packages("ptycho.raw_data").RawData.from_file(exported(tmp_path / "a.npz", "float32", bad_pixels=None))
    np.testing.assert_array_equal(record.diff3d, np.arange(3.0 * N * N).reshape(3, N, N))


def test_filled_pixels_are_told(packages: Any, tmp_path: Path) -> None:
    """How many of how many, in the file's name."""
    mask = np.zeros((N, N), bool)
    mask[1, 2:4] = True
    with pytest.warns(UserWarning, match=r"a\.npz: bad_pixels: 2 of 64 pixels were filled by the client"):
        packages("ptycho.raw_data").RawData.from_file(exported(tmp_path / "a.npz", bad_pixels=mask))


@pytest.mark.parametrize("mask", [np.zeros((N, N + 1), bool), np.zeros((N, N), int)], ids=["shape", "dtype"])
def test_a_mask_of_another_form_is_refused(packages: Any, tmp_path: Path, mask: np.ndarray) -> None:
    """By file and key."""
    with pytest.raises(ContractError, match="bad_pixels"):
        packages("ptycho.raw_data").RawData.from_file(exported(tmp_path / "a.npz", bad_pixels=mask))


def test_negative_counts_are_refused() -> None:
    """A dark-current correction may leave some."""
    with pytest.raises(ContractError, match=r"diff3d: expected photon counts >= 0.*minimum -1"):
        records.in_memory(np.full((1, N, N), -1))


def test_groups_of_a_record_are_counted_for_each_exposure(packages: Any, tmp_path: Path) -> None:
    """One sample: each exposure once; several mean nothing for single patterns."""
    record = packages("ptycho.raw_data").RawData.from_file(exported(tmp_path / "a.npz"))
    for samples in (1, 3):
        groups = record.generate_grouped_data(N, K=7, nsamples=samples, gridsize=1)
        assert sorted(groups["nn_indices"][:, 0]) == [0, 1, 2]


def test_a_canvas_is_the_object() -> None:
    """Patches of a known object at whole pixels give it back where they lie, zeros elsewhere, on sides of either parity."""
    rng = np.random.default_rng(0)
    whole = (rng.normal(size=(31, 40)) + 1j * rng.normal(size=(31, 40))).astype(np.complex64)
    places = np.array([[8.0, 9.0], [30.0, 20.0], [12.0, 9.0]])
    patches = np.stack([whole[int(y) - 4 : int(y) + 4, int(x) - 4 : int(x) + 4] for x, y in places])[..., None]
    found = canvas.on_object(patches, places[:, None, None], 6, whole.shape)
    seen = found != 0
    np.testing.assert_allclose(found[seen], whole[seen], rtol=1e-5)
    assert seen.sum() == 36 + 36 + 4 * 6 and seen[9 - 3, 8 - 3] and not seen[9 - 4, 8]


def test_a_position_outside_the_object_is_refused() -> None:
    """There is no pixel for it."""
    with pytest.raises(ContractError, match="positions: expected"):
        canvas.on_object(np.ones((1, N, N, 1), np.complex64), np.array([[[[40.0, 3.0]]]]), 4, (31, 40))


def test_weights_decide_an_overlap() -> None:
    """Two patches on one place: the one that weighs there wins, elsewhere there is nothing to divide by."""
    patches = np.stack([np.full((N, N, 1), 1.0), np.full((N, N, 1), 3.0)]).astype(np.complex64)
    weights = np.zeros((N, N))
    weights[4, 4] = 2.0
    offsets = np.array([[10.0, 10.0], [10.0, 10.0]])[:, None, None]
    found = canvas.on_object(patches, offsets, 4, (20, 20), weights)
    assert found[10, 10] == pytest.approx(2.0) and np.count_nonzero(found) == 1


def settings_of(packages: Any) -> tuple[ModuleType, ModuleType]:
    """The other library's settings and their translation."""
    return packages("ptycho_torch.config_params"), packages("ptycho_torch.settings")


ONE_CHANNEL = {"C_model": 1, "C_forward": 1, "decoder_last_amp_channels": 1}


def test_the_clients_settings_arrive(packages: Any) -> None:
    """Values unlike the defaults, under the reference's names."""
    params, settings = settings_of(packages)
    sides = settings.translate(
        params.DataConfig(N=64, C=1, grid_size=(1, 1), K=5, probe_scale=2.0, max_neighbor_distance=7.0),
        params.ModelConfig(**ONE_CHANNEL, amp_activation="sigmoid", loss_function="MAE", n_filters_scale=1),
        params.TrainingConfig(epochs=3, batch_size=8, learning_rate=2e-3, scheduler="Cosine", warmup_epochs=1, device="cpu"),
        params.InferenceConfig(batch_size=11),
    )
    config = sides.canonical(n_groups=9, nphotons=1e3, train_data_file=Path())
    found = (config.model.N, config.model.gridsize, config.model.probe_scale, config.model.amp_activation, config.nepochs)
    assert found == (64, 1, 2.0, "sigmoid", 3)
    assert (config.batch_size, config.scheduler, config.lr_warmup_epochs, config.torch_loss_mode) == (8, "WarmupCosine", 1, "mae")
    assert (sides.execution.learning_rate, sides.execution.inference_batch_size, sides.data.K) == (2e-3, 11, 5)


def test_a_supervised_model_of_the_client_has_the_distance_of_labels(packages: Any) -> None:
    """Of both packages: neither says how labels are compared, and there is one way (LOSS-013)."""
    config = packages("ptycho.config.config")
    asked = config.TrainingConfig(model=config.ModelConfig(model_type="supervised"), train_data_file=Path("a.npz"))
    params, settings = settings_of(packages)
    others = params.DataConfig(), params.ModelConfig(mode="Supervised"), params.TrainingConfig(), params.InferenceConfig()
    assert (config.settled(asked, 5).torch_loss_mode, settings.translate(*others).training.torch_loss_mode) == ("mae", "mae")


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("ModelConfig", "cbam_decoder", True),
        ("ModelConfig", "num_datasets", 2),
        ("ModelConfig", "C_forward", 9),
        ("TrainingConfig", "nll", False),
        ("TrainingConfig", "enable_staged_finetuning", True),
        ("TrainingConfig", "scheduler", "Sawtooth"),
        ("InferenceConfig", "patch_weighting", "gauss"),
        ("DataConfig", "scan_pattern", "Rectangular"),
    ],
)
def test_a_setting_without_a_counterpart_is_refused_by_name(packages: Any, kind: str, field: str, value: Any) -> None:
    """Nothing that a user sets is without effect in silence."""
    params, settings = settings_of(packages)
    configs = {name: getattr(params, name)() for name in ("DataConfig", "ModelConfig", "TrainingConfig", "InferenceConfig")}
    setattr(configs[kind], field, value)
    with pytest.raises(ContractError, match=field):
        settings.translate(*configs.values())


def test_runs_that_begin_together_have_folders_of_their_own(packages: Any, tmp_path: Path) -> None:
    base, settings = packages("ptycho_torch.api.base_api"), packages("ptycho_torch.config_params")
    exported(tmp_path / "train_data.npz")
    data = settings.DataConfig(N=N, C=1, grid_size=(1, 1), x_bounds=(0.0, 1.0), y_bounds=(0.0, 1.0), n_subsample=1)
    configs = base.ConfigManager(data, settings.ModelConfig(), settings.TrainingConfig(), settings.InferenceConfig())

    runs = [base.PtychoDataLoader(tmp_path, configs, output_dir=tmp_path).output_dir for _ in range(3)]

    assert len(set(runs)) == 3
