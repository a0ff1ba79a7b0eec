"""Configuration beyond the contract: what the factory says and refuses, round trips, imports."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl import config
from reference_impl.config import ModelConfig, TrainingConfig, bridge, registry
from reference_impl.errors import ContractError
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.tests.samples import arrays


@pytest.fixture(autouse=True)
def fresh_registry() -> Any:
    registry.reset()
    yield
    registry.reset()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.npz"
    np.savez(path, **arrays(n=5, N=64))
    return path


def cpu(**settings: Any) -> PyTorchExecutionConfig:
    return PyTorchExecutionConfig(accelerator="cpu", **settings)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"lerning_rate": 1e-3}, "unknown 'lerning_rate'; is 'learning_rate' meant?"),
    "misspelt-alias": ({"neighbour_count": 3}, "is 'neighbor_count' meant?"),
    "contradicting-alias": ({"K": 5, "neighbor_count": 6}, "the same as its alias"),
    "contradicting-epochs": ({"nepochs": 5, "max_epochs": 6}, "the same as its alias"),
    "contradicting-channels": ({"gridsize": 1, "C": 4}, "C: expected gridsize² = 1"),
    "torch-mode": ({"model_type": "Supervised"}, "model_type"),
    "unknown-activation": ({"amp_activation": "tanh"}, "Unknown activation"),
    "odd-batch": ({"batch_size": 12}, "power of two"),
    "loss-weight": ({"nll_weight": 1.5}, "nll_weight"),
    "scheduler": ({"scheduler": "Cosine"}, "scheduler"),
    "execution-range": ({"num_workers": -1}, "num_workers must be non-negative"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_override_is_refused_in_one_line(scan: Path, tmp_path: Path, name: str) -> None:
    overrides, fragment = REFUSED[name]

    with pytest.raises(ContractError) as caught:
        config.create_training_payload(scan, tmp_path, {"n_groups": 4, **overrides}, cpu())

    assert fragment in str(caught.value) and "\n" not in str(caught.value)


def test_a_refused_override_leaves_the_registry_alone(scan: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError):
        config.create_training_payload(scan, tmp_path, {"n_groups": 4, "lerning_rate": 1.0}, cpu())

    assert registry.cfg == registry.defaults()


def test_an_override_reaches_the_execution_configuration(scan: Path, tmp_path: Path) -> None:
    given = cpu(learning_rate=0.5, num_workers=1)

    payload = config.create_training_payload(scan, tmp_path, {"n_groups": 4, "learning_rate": 0.25, "num_workers": 0}, given)
    plain = config.create_training_payload(scan, tmp_path, {"n_groups": 4}, given)

    assert (payload.execution_config.learning_rate, payload.execution_config.num_workers) == (0.25, 0)
    assert payload.pt_training_config.learning_rate == payload.overrides_applied["learning_rate"] == 0.25
    assert plain.execution_config is given and plain.pt_training_config.learning_rate == 0.5


def test_accumulation_by_override_is_the_steps_and_not_the_trainers(scan: Path, tmp_path: Path) -> None:
    payload = config.create_training_payload(scan, tmp_path, {"n_groups": 4, "accum_steps": 3}, cpu())

    assert (payload.pt_training_config.accum_steps, payload.execution_config.accum_steps) == (3, 1)


def test_n_images_still_counts_groups_on_both_sides(scan: Path, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="n_images.*n_groups"):
        payload = config.create_training_payload(scan, tmp_path, {"n_images": 4}, cpu())

    assert (payload.tf_training_config.n_groups, payload.pt_training_config.n_groups) == (4, 4)


def test_a_training_without_test_data_is_no_news_to_the_factory(scan: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        config.create_training_payload(scan, tmp_path, {"n_groups": 4}, cpu())


def test_both_overridden_the_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "unreadable.npz"
    path.write_bytes(b"no archive")

    payload = config.create_training_payload(path, tmp_path, {"n_groups": 4, "N": 128, "nphotons": 3e4}, cpu())

    assert (payload.pt_data_config.N, payload.overrides_applied["N_source"]) == (128, "override")


def test_a_patch_side_against_the_file_is_spoken_of(scan: Path, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="N=128 was asked for, the file holds N=64"):
        config.create_training_payload(scan, tmp_path, {"n_groups": 4, "N": 128}, cpu())


@pytest.mark.parametrize("settings", [{}, {"gridsize": 3, "model_type": "supervised", "amp_activation": "relu", "N": 128}])
def test_the_torch_side_comes_back_canonical(settings: dict[str, Any]) -> None:
    given = TrainingConfig(
        model=ModelConfig(probe_scale=2.5, probe_mask=True, object_big=False, **settings),
        train_data_file=Path("a.npz"),
        nll_weight=0.25,
        mae_weight=0.5,
        realspace_weight=0.125,
        neighbor_count=9,
        subsample_seed=0,
        scheduler="Exponential",
        n_groups=7,
        backend="pytorch",
    )

    data, model, training, _ = bridge.torch_side_of(given)
    back = bridge.training_config(bridge.to_model_config(data, model), data, model, training, {"nphotons": data.nphotons})

    assert back == given
    assert data.C == model.C_model == model.C_forward == given.model.gridsize**2


def test_execution_wins_where_it_was_set() -> None:
    given = TrainingConfig(model=ModelConfig(), scheduler="Exponential", gradient_clip_val=1.0)

    training = bridge.torch_side_of(given, cpu(learning_rate=0.25, gradient_clip_val=2.0, inference_batch_size=6))[2]

    assert (training.scheduler, training.gradient_clip_val, training.learning_rate) == ("Exponential", 2.0, 0.25)


def test_a_likelihood_switched_off_has_no_weight_after_a_replacement() -> None:
    sides = bridge.torch_side_of(TrainingConfig(model=ModelConfig(), train_data_file="a", nll_weight=0.5))

    back = bridge.training_config(ModelConfig(), sides[0], sides[1], replace(sides[2], nll=False), {"nphotons": 1.0})

    assert back.nll_weight == 0.0


@pytest.mark.parametrize("value", [cpu(), {"N": 64}, None])
def test_only_canonical_objects_enter_the_registry(value: Any) -> None:
    with pytest.raises(TypeError, match="expected ModelConfig, TrainingConfig or InferenceConfig"):
        config.update_legacy_dict(registry.cfg, value)

    with pytest.raises(TypeError):
        config.validate(value)


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, FileNotFoundError), (b"a: [1", Exception), (b"\xff\xfe\x00", Exception), (b"- 1\n- 2\n", ContractError)],
)
def test_yaml_errors_name_the_file(tmp_path: Path, content: bytes | None, error: type[Exception]) -> None:
    path = tmp_path / "settings.yaml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(error, match="settings.yaml"):
        config.load_yaml_config(path)


def test_configuration_is_importable_without_the_numeric_stack() -> None:
    code = "import sys, reference_impl.config; sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'lightning')))"

    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0


def test_execution_settings_cannot_be_changed_behind_the_check() -> None:
    with pytest.raises(AttributeError):
        cpu().num_workers = -1
