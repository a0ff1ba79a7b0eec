"""Labels from the solver: what they show, what light does to them, what the loss makes of them, and first weights."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from tensordict import TensorDict

from reference_impl.batch import PtychoDataset, container_from_groups, ensure_container
from reference_impl.cli.main import main
from reference_impl.config import InferenceConfig, ModelConfig, TrainingConfig
from reference_impl.data import RawData, subsampled
from reference_impl.data.npz import write_npz
from reference_impl.engine import Settings
from reference_impl.engine.labels import labelled
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.loss import SOLVED_WEIGHT, Objective, lit_distance
from reference_impl.simulation.exposures import patches_at
from reference_impl.simulation.moved_probe import known_scan
from reference_impl.training import PtychoLightningModule, train_cdi_model_torch

QUICK = Settings(sweeps=25, batch=12, settle=False, refine_probe=False)


def record(**changes: Any) -> RawData:
    members = {name: value for name, value in known_scan(81, 32, 3.0, seed=3).items() if name != "_metadata"}
    return RawData(**{**members, **changes})


def distance(patches: np.ndarray, labels: np.ndarray, light: np.ndarray) -> float:
    parts = (torch.from_numpy(np.asarray(part))[:, None] for part in (patches, labels))
    return float(lit_distance(*parts, torch.from_numpy(light)[None, None]))


def test_labels_are_the_object_where_light_fell() -> None:
    given = record()
    found, solution = labelled(given, QUICK)
    truth = patches_at(given.objectGuess, given.xcoords, given.ycoords, 32).astype(np.complex64)

    assert distance(found.Y, truth, found.label_light) < 1e-2
    assert distance(np.roll(found.Y, 1, axis=2), truth, found.label_light) > 3e-2
    assert found.label_light.max() == 1 and found.label_light[16, 16] == 1 and found.label_light[0, 0] < 0.1
    assert len(found) == 81 and given.Y is None and given.label_light is None and len(solution.residuals) == 25


def test_made_exposures_are_what_the_physics_says() -> None:
    """Of their labels under the record's probe, in the record's unit; the same seed makes the same."""
    given = record(diff3d=3 * record().diff3d)
    found, _ = labelled(given, QUICK, views=2)
    again, _ = labelled(given, QUICK, views=2)
    labels, patterns = found.Y[81:], found.diff3d[81:]

    modulus = np.abs(np.fft.fftshift(np.fft.fft2(labels * given.probeGuess, norm="ortho"), axes=(-2, -1)))
    factor = np.vdot(modulus, patterns) / np.vdot(modulus, modulus)

    assert len(found) == 3 * 81 and np.array_equal(found.diff3d[:81], given.diff3d)
    assert np.linalg.norm(factor * modulus - patterns) < 1e-3 * np.linalg.norm(patterns)
    assert np.mean(patterns**2) == pytest.approx(np.mean(given.diff3d**2), rel=0.1)
    assert np.array_equal(found.diff3d, again.diff3d) and np.array_equal(found.Y, again.Y)
    for first in (81, 162):
        near = np.hypot(
            found.xcoords[first] - np.delete(found.xcoords, first), found.ycoords[first] - np.delete(found.ycoords, first)
        )
        others = np.delete(np.arange(243), first)[np.argsort(near)[:6]]
        assert ((others >= first) & (others < first + 81)).all()


def test_made_scans_are_one_object_each() -> None:
    """Neighbours show the same piece: labels moved onto each other's places agree in the middle."""
    found, _ = labelled(record(), QUICK, views=7)
    for first in range(0, 8 * 81, 81):
        part = slice(first, first + 81)
        x, y, labels = found.xcoords[part], found.ycoords[part], found.Y[part]
        near = np.argsort(np.hypot(x - x[40], y - y[40]))[4]
        down, right = (int(np.rint(axis[near] - axis[40])) for axis in (y, x))
        middle = slice(12, 20)
        one, other = labels[40][middle, middle], labels[near][12 - down : 20 - down, 12 - right : 20 - right]
        wrong = labels[near][12 + down : 20 + down, 12 + right : 20 + right]
        assert max(abs(down), abs(right)) > 1
        assert np.linalg.norm(one - other) < 0.5 * np.linalg.norm(one - wrong)


def test_few_photons_show_in_made_exposures_and_the_mask_hides_them() -> None:
    hidden = np.ones((32, 32), bool)
    hidden[10:14, 12:20] = False
    found, _ = labelled(record(mask=hidden), QUICK, views=1, photons=100.0)

    made = found.diff3d[81:]
    assert not made[:, ~hidden].any() and (made == 0).mean() > 0.5
    steps = np.unique(np.round(made[made > 0] ** 2 / np.min(made[made > 0]) ** 2, 3))
    np.testing.assert_allclose(steps, np.rint(steps), atol=1e-2)


def test_made_exposures_are_as_bright_behind_a_stop_as_the_record_is() -> None:
    """The photons that are stated are those that the good pixels counted."""
    good = np.ones((32, 32), bool)
    good[14:18, 16] = False
    given = record(mask=good)
    found, _ = labelled(given, QUICK, views=2)

    whole, seen = np.mean(record().diff3d ** 2), np.mean(given.diff3d**2)
    assert seen < 0.7 * whole
    assert np.mean(found.diff3d[81:] ** 2) == pytest.approx(seen, rel=0.1)


def test_what_is_no_experiment_gives_no_labels() -> None:
    with pytest.raises(ContractError, match="probeGuess"):
        labelled(record(probeGuess=None), QUICK)


def fields(B: int = 2, N: int = 16) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    patches, labels = (torch.randn(B, 1, N, N, generator=generator, dtype=torch.complex64) for _ in range(2))
    return patches, labels, torch.rand(1, 1, N, N, generator=generator)


def test_a_factor_of_each_patch_is_free() -> None:
    patches, labels, light = fields()
    factors = torch.tensor([2 * np.exp(1j), 0.5 * np.exp(-2j)], dtype=torch.complex64).view(2, 1, 1, 1)

    assert lit_distance(factors * labels, labels, light) < 2e-4
    torch.testing.assert_close(lit_distance(factors * patches, labels, light), lit_distance(patches, labels, light))
    assert 0.9 < lit_distance(patches, labels, light) <= 1


def test_the_distance_by_hand() -> None:
    """sqrt(1 - |<O, L>|² / (<O, O> <L, L>)), of each patch, and its mean."""
    patches, labels, light = (part.numpy().astype(complex) for part in fields())
    inner = np.sum(light * patches.conj() * labels, axis=(-2, -1))
    norms = [np.sum(light.real * np.abs(part) ** 2, axis=(-2, -1)) for part in (patches, labels)]

    expected = np.sqrt(1 - np.abs(inner) ** 2 / (norms[0] * norms[1])).mean()

    assert float(lit_distance(*fields())) == pytest.approx(expected, rel=1e-4)


def test_dark_pixels_count_for_nothing_and_the_slope_is_right() -> None:
    patches, labels, light = (part.to(torch.complex128 if part.is_complex() else torch.float64) for part in fields(N=5))
    light[..., 2:, :] = 0
    other = patches.clone()
    other[..., 2:, :] += 3

    assert torch.equal(lit_distance(patches, labels, light), lit_distance(other, labels, light))
    assert torch.autograd.gradcheck(lambda found: lit_distance(found, labels, light), patches.requires_grad_())
    same = labels.clone().requires_grad_()
    lit_distance(same, labels, light).backward()
    assert torch.isfinite(torch.view_as_real(same.grad)).all()


def test_the_objective_adds_the_distance_where_light_is_stated() -> None:
    patches, labels, light = fields()
    amplitude, phase = patches.abs(), patches.angle()
    images = torch.rand(2, 1, 16, 16)
    given = {"images": images, "physics_scaling_constant": torch.ones(2, 1, 1, 1)}
    known = {"label_amp": labels.abs(), "label_phase": labels.angle()}
    objective = Objective(nll=1.0, mae=0.0, realspace=0.0, realspace_mae=0.0, mode="mae", supervise=False)

    bare = objective(images + 0.1, amplitude, phase, {**given, **known})
    whole = objective(images + 0.1, amplitude, phase, {**given, **known, "label_light": light})

    torch.testing.assert_close(whole - bare, SOLVED_WEIGHT * 256 * lit_distance(patches, labels, light))
    with pytest.raises(ContractError, match="label_amp"):
        objective(images, amplitude, phase, {**given, "label_light": light})


def config(folder: Path, **model: Any) -> TrainingConfig:
    own = {"N": 64, "gridsize": 1, "object_big": False, "n_filters_scale": 0.25, "architecture": "unrolled", **model}
    return TrainingConfig(
        model=ModelConfig(**own),
        n_groups=16,
        nepochs=1,
        batch_size=8,
        backend="pytorch",
        output_dir=folder,
        torch_loss_mode="mae",
    )


def scan(**changes: Any) -> RawData:
    members = {name: value for name, value in known_scan(16, 64, 6.0, seed=3).items() if name != "_metadata"}
    return RawData(**{**members, **changes})


def test_labels_reach_the_batch_with_their_light(tmp_path: Path) -> None:
    found, _ = labelled(scan(), replace(QUICK, sweeps=5))
    settings = config(tmp_path)
    container = ensure_container(found, settings)

    batch, *_ = PtychoDataset(container, settings)[:4]

    assert isinstance(batch, TensorDict) and batch["label_light"].shape == (4, 1, 64, 64)
    order = container.nn_indices[:4, 0].numpy()
    np.testing.assert_allclose(batch["label_amp"][:, 0].numpy(), np.abs(found.Y[order]), rtol=1e-5)
    with pytest.raises(ContractError, match="label_light"):
        PtychoDataset(replace(container, label_light=torch.ones(3, 3)), settings)
    asked = InferenceConfig(model=settings.model, model_path=tmp_path, test_data_file=tmp_path)
    assert "label_light" not in PtychoDataset(container, asked)[:1][0].keys()


def test_first_weights_are_those_that_were_given(tmp_path: Path) -> None:
    settings, execution = (
        config(tmp_path),
        PyTorchExecutionConfig(accelerator="cpu", enable_checkpointing=False, logger_backend=None),
    )
    torch.manual_seed(7)
    drawn = PtychoLightningModule.from_config(settings).state_dict()
    first = {name: value + 0.01 for name, value in drawn.items()}  # next to 0 a step of 1e-30 shows
    slow = replace(execution, learning_rate=1e-30)

    results = train_cdi_model_torch(scan(), None, settings, slow, {"start_from": copy.deepcopy(first)})

    trained = results["models"]["diffraction_to_obj"].state_dict()
    assert all(torch.equal(trained[name], value) for name, value in first.items())
    other = PtychoLightningModule.from_config(config(tmp_path, architecture="cnn")).state_dict()
    with pytest.raises(ContractError, match="start_from"):
        train_cdi_model_torch(scan(), None, settings, execution, {"start_from": other})


TRAIN = ["--gridsize", "1", "--max-epochs", "1", "--accelerator", "cpu", "--quiet", "--batch-size", "8"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "scan.npz"
    write_npz(path, known_scan(16, 64, 6.0, seed=3))
    return path


def train(file: Path, folder: Path, *more: str) -> int:
    return main(["train", "--train-data-file", str(file), "--output-dir", str(folder), *TRAIN, *more])


def test_the_command_solves_trains_and_starts_anew(file: Path, tmp_path: Path) -> None:
    assert train(file, tmp_path / "one", "--preset", "unrolled", "--n-filters-scale", "0.25") == 0
    assert train(file, tmp_path / "two", "--start-from", str(tmp_path / "one"), "--learning-rate", "1e-30") == 0

    states = [
        torch.load(tmp_path / name / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"] for name in ("one", "two")
    ]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--views", "2"), "--views: expected --labels engine"),
        (("--labels", "truth"), "--labels"),
        (("--start-from", "nowhere"), "nowhere"),
    ],
)
def test_flags_that_contradict_each_other(
    file: Path, tmp_path: Path, flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train(file, tmp_path / "run", *flags) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "wts.h5.zip").exists()


def test_groups_without_light_are_as_they_were() -> None:
    grouped = SimpleNamespace(**{"X_full": np.ones((2, 4, 4, 1), np.float32), "nn_indices": np.zeros((2, 1), np.int32)})
    positions = {"coords_relative": np.zeros((2, 1, 2, 1)), "coords_offsets": np.zeros((2, 1, 2, 1))}

    assert container_from_groups({**vars(grouped), **positions}, None).label_light is None


def test_a_part_of_a_record_keeps_the_light_of_its_labels() -> None:
    """It belongs to the detector, not to an exposure: without it dark pixels of the labels weigh as much as lit ones."""
    places, light = np.arange(6.0), np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    whole = RawData(places, places, diff3d=np.ones((6, 8, 8), np.float32), Y=np.ones((6, 8, 8), np.complex64))
    whole.label_light = light

    assert subsampled(whole, 3, 5).label_light is light
