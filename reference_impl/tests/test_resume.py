"""Going on from a checkpoint: nothing that differs is ignored, and nothing that was said is forgotten."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from reference_impl.batch import container_from_groups
from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.data import RawData
from reference_impl.errors import ContractError
from reference_impl.grouping import generate_grouped_data
from reference_impl.tests.samples import arrays
from reference_impl.tests.test_training import config, container, execution, weights
from reference_impl.training import train_cdi_model_torch
from reference_impl.training.checkpoints import Order
from reference_impl.training.resume import DOSE, digest_of


def trained(folder: Path, **fields: Any) -> Path:
    """`last.ckpt` of two epochs on seven patterns."""
    settings = {"nepochs": 2, "scheduler": "Exponential", **fields}
    train_cdi_model_torch(container(7), container(3, seed=1), config(folder, **settings), execution())
    return folder / "checkpoints" / "last.ckpt"


@pytest.fixture(scope="module")
def last(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("kept"))


def resumed(last: Path, folder: Path, train: Any = None, test: Any = None, changing: Any = (), **changes: Any) -> dict[str, Any]:
    overrides = {"nepochs": 3, "scheduler": "Exponential", "resume_from": last, "resume_override": changing, **changes}
    data = (container(7) if train is None else train, container(3, seed=1) if test is None else test)
    return train_cdi_model_torch(*data, config(folder), execution(), overrides)


@pytest.mark.parametrize(
    ("changes", "fragments"),
    [
        ({"learning_rate": 0.5}, ("learning_rate", "0.5", "0.001")),
        ({"scheduler": "Default"}, ("scheduler", "'Exponential'", "'Default'")),
        ({"subsample_seed": 7}, ("subsample_seed", "7", "start anew")),
        ({"optimizer": "sgd"}, ("optimizer", "'adam'", "'sgd'")),
        ({"amp_activation": "relu"}, ("amp_activation", "'relu'")),
        ({"probe_scale": 2.5}, ("probe_scale", "2.5")),
        ({"batch_size": 2}, ("batch_size", "2", "4")),
        ({"accum_steps": 2}, ("accum_steps", "2", "1")),
        ({"mae_weight": 0.25}, ("mae_weight", "0.25", "0.0")),
        ({"gradient_clip_val": 1.0}, ("gradient_clip_val", "None", "1.0")),
        ({"n_filters_scale": 1}, ("n_filters_scale", "0.5", "start anew")),
        ({"weight_decay": 0.1}, ("weight_decay", "0.1", "0.0")),
        ({"precision": "bf16-mixed"}, ("precision", "bf16-mixed")),
        ({"nepochs": 2}, ("nepochs", "more than the 2 epochs", "nothing is left")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_another_setting_is_an_error_that_names_both_values(
    last: Path, tmp_path: Path, changes: dict[str, Any], fragments: tuple[str, ...]
) -> None:
    with pytest.raises(ContractError) as caught:
        resumed(last, tmp_path, **changes)

    assert [part for part in (*fragments, "last.ckpt") if part not in str(caught.value)] == []
    assert not list(tmp_path.iterdir())


def test_other_data_are_told_by_their_digest(last: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"train_data: expected the data of digest \w{8}…"):
        resumed(last, tmp_path, train=container(7, seed=2))
    with pytest.raises(ContractError, match="test_data"):
        resumed(last, tmp_path, test=container(3, seed=2))


def with_dose(photons: float, **data: Any) -> Any:
    """Seven patterns whose file states `photons`."""
    return SimpleNamespace(**{**vars(container(7)), **data, "nphotons": photons})


def test_another_dose_is_no_licence_for_other_data(tmp_path: Path) -> None:
    """`--override nphotons` lets the photons differ, and neither positions nor mask; another file is told before its photons."""
    train_cdi_model_torch(with_dose(1e9), container(3, seed=1), config(tmp_path, nepochs=2, scheduler="Exponential"), execution())
    last, out = tmp_path / "checkpoints" / "last.ckpt", tmp_path / "out"
    moved = {"coords_relative": container(7).coords_relative + 1}

    with pytest.raises(ContractError, match="nphotons: expected 1000000000"):
        resumed(last, out, train=with_dose(2e9))
    for changing in ((), "nphotons"):
        with pytest.raises(ContractError, match="train_data: expected .* found another file, or"):
            resumed(last, out, train=with_dose(2e9, **moved), changing=changing)

    assert len(resumed(last, out, train=with_dose(2e9), changing="nphotons")["history"]["train_loss"]) == 3


def test_an_accepted_rate_acts_from_the_next_epoch_on(last: Path, tmp_path: Path) -> None:
    same, faster = resumed(last, tmp_path / "same"), resumed(last, tmp_path / "b", changing=["learning-rate"], learning_rate=0.01)

    kept = torch.load(tmp_path / "b" / "checkpoints" / "last.ckpt", weights_only=True)
    rate = kept["optimizer_states"][0]["param_groups"][0]["lr"]
    assert rate == pytest.approx(0.01 * 0.95**3)  # the rate of the fourth epoch, as the schedule has it
    assert any(not torch.equal(value, weights(faster)[name]) for name, value in weights(same).items())


def test_no_seed_is_the_seed_that_stands_for_none(tmp_path: Path) -> None:
    """TRAIN-011: where none is stated the run's seed is 42."""
    unsaid = trained(tmp_path / "first", subsample_seed=None)

    results = resumed(unsaid, tmp_path / "then", subsample_seed=42)

    assert len(results["history"]["train_loss"]) == 3


def test_other_groups_are_other_data_and_accepted_with_them(last: Path, tmp_path: Path) -> None:
    results = resumed(last, tmp_path, train=container(6), changing=("train_data", "batch_size"), batch_size=2)

    assert len(results["history"]["train_loss"]) == 3


def test_an_unknown_name_is_answered_with_the_nearest(last: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="resume_override: expected a setting .nearest: learning_rate"):
        resumed(last, tmp_path, changing="lerning_rate")


def test_a_cosine_that_would_be_bent_is_refused(tmp_path: Path) -> None:
    path = trained(tmp_path / "a", scheduler="WarmupCosine")

    with pytest.raises(ContractError, match="nepochs: expected 2, which .* found 3"):
        resumed(path, tmp_path / "b", scheduler="WarmupCosine")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x05\x06" + bytes(18)], ids=["empty", "text", "empty-zip"])
def test_what_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.ckpt"
    path.write_bytes(content)

    with pytest.raises(ContractError, match="odd.ckpt") as caught:
        resumed(path, tmp_path / "out")

    assert "weights_only" not in str(caught.value)


def test_the_command_speaks_of_its_flags(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    np.savez(tmp_path / "train.npz", **simulate(Experiment(patterns=8, test_patterns=4))["train"])
    call = ["train", "--train-data-file", str(tmp_path / "train.npz"), "--output-dir", str(tmp_path / "run"), "--quiet"]
    call += ["--n-filters-scale", "0.5", "--no-probe-big", "--gridsize", "1", "--batch-size", "4", "--accelerator", "cpu"]
    going_on = ["--resume", str(tmp_path / "run" / "checkpoints" / "last.ckpt")]

    codes = [main([*call, "--max-epochs", "1"]), main([*call, "--max_epochs", "2", "--learning_rate", "0.5", *going_on])]
    said = capsys.readouterr().err

    assert codes == [0, 1]
    assert "error: --learning_rate: expected 0.001, which " in said and "--override learning_rate lets it act" in said
    assert main([*call, "--max_epochs", "1", *going_on]) == 1
    assert "error: --max_epochs: expected more than the 1 epochs" in capsys.readouterr().err
    assert main([*call, "--max_epochs", "2", "--learning_rate", "0.5", "--override", "learning-rate", *going_on]) == 0


def test_other_groups_are_no_licence_for_another_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--override n_groups` draws other groups from the same file; a file with other positions is another one."""
    import numpy as np

    made = simulate(Experiment(patterns=8, test_patterns=4))["train"]
    for name, moved in (("train", 0), ("moved", 1)):
        np.savez(tmp_path / f"{name}.npz", **{**made, "xcoords": made["xcoords"] + moved * np.arange(8)})
    call = ["train", "--output-dir", str(tmp_path / "run"), "--quiet", "--accelerator", "cpu", "--n-filters-scale", "0.5"]
    call += ["--no-probe-big", "--gridsize", "1", "--batch-size", "4", "--train-data-file"]
    going_on = ["--resume", str(tmp_path / "run" / "checkpoints" / "last.ckpt"), "--n-groups", "6", "--override", "n-groups"]

    assert main([*call, str(tmp_path / "train.npz"), "--max-epochs", "1"]) == 0
    capsys.readouterr()
    assert main([*call, str(tmp_path / "moved.npz"), "--max-epochs", "2", *going_on]) == 1
    said = capsys.readouterr().err
    assert "moved.npz: " in said and "expected the data of digest " in said and "found another file" in said
    assert main([*call, str(tmp_path / "train.npz"), "--max-epochs", "2", *going_on]) == 0


def changed(value: Any) -> Any:
    """The same value, but for its last part."""
    if not isinstance(value, torch.Tensor):
        return not value if isinstance(value, bool) else f"{value}?"
    other = value.clone().contiguous()
    other.view(-1)[-1] = other.view(-1)[-1] + 1
    return other


def test_the_digest_sees_everything_that_a_container_holds() -> None:
    """Each of its parts, one changed value; a field of tomorrow too."""
    record = RawData.from_coords_without_pc(**arrays())
    made = container_from_groups(generate_grouped_data(record, 12, K=6, nsamples=5, gridsize=2, seed=1), arrays()["probeGuess"])

    seen = {field.name: digest_of(replace(made, **{field.name: changed(getattr(made, field.name))})) for field in fields(made)}
    dose = {seen.pop(name) for name in DOSE}  # a setting of its own

    assert dose == {digest_of(made)}
    assert len({digest_of(made), *seen.values()}) == 1 + len(seen) and digest_of(replace(made)) == digest_of(made)


def test_a_network_that_draws_goes_on_with_its_draws() -> None:
    torch.manual_seed(5)
    kept = Order(torch.Generator().manual_seed(1)).state_dict()
    expected = torch.rand(3)
    Order(torch.Generator()).load_state_dict(kept)
    assert torch.equal(torch.rand(3), expected)
    Order(torch.Generator()).load_state_dict({"generator": kept["generator"]})  # as checkpoints were before
