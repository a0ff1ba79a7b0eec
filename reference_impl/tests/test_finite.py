"""A weight, a checkpoint, a record, a picture that is not finite is never written."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from reference_impl.bundle import save_torch_bundle
from reference_impl.cli.pictures import keep_numbers
from reference_impl.data import RawData
from reference_impl.errors import ContractError
from reference_impl.stored.finite import refuse_not_finite
from reference_impl.tests.samples import arrays
from reference_impl.tests.test_training import bare, config, container
from reference_impl.training import AtomicCheckpointIO, PtychoLightningModule, train_cdi_model_torch


def spoilt(folder: Path) -> PtychoLightningModule:
    module = PtychoLightningModule.from_config(config(folder))
    next(module.parameters()).data.view(-1)[0] = torch.inf
    return module


def test_no_bundle_holds_a_weight_that_is_not_finite(tmp_path: Path) -> None:
    module = spoilt(tmp_path)
    (tmp_path / "wts.h5.zip").write_bytes(b"an older bundle")

    with pytest.raises(ContractError, match=r"wts.h5.zip: model.*: expected finite.*Inf in 1 of .*diverged"):
        models = {"diffraction_to_obj": module, "autoencoder": module.model.autoencoder}
        save_torch_bundle(models, tmp_path / "wts.h5", config(tmp_path), 1.0)

    assert (tmp_path / "wts.h5.zip").read_bytes() == b"an older bundle"


def test_no_checkpoint_holds_one(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="last.ckpt.*finite"):
        AtomicCheckpointIO().save_checkpoint({"state_dict": spoilt(tmp_path).state_dict()}, tmp_path / "last.ckpt")

    assert list(tmp_path.iterdir()) == []


def spoiled(module: PtychoLightningModule) -> None:
    next(module.parameters()).data.fill_(torch.nan)


def test_a_step_that_spoils_the_last_weights_leaves_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss is judged before the step; the weights after it are judged where they are written."""
    monkeypatch.setattr(PtychoLightningModule, "on_train_epoch_end", spoiled)

    results = train_cdi_model_torch(container(4), None, config(tmp_path), bare())

    with pytest.raises(ContractError, match="finite"):
        save_torch_bundle(results["models"], tmp_path / "wts.h5", config(tmp_path), 1.0)


@pytest.mark.parametrize("name", ["diff3d", "xcoords", "probeGuess", "objectGuess"])
def test_no_record_holds_one(tmp_path: Path, name: str) -> None:
    record = RawData.from_coords_without_pc(**arrays())
    getattr(record, name).reshape(-1)[2] = np.nan

    with pytest.raises(ContractError, match=f"record.npz: {name}: expected finite"):
        record.to_file(tmp_path / "record.npz")

    assert list(tmp_path.iterdir()) == []


def test_no_reconstruction_holds_one(tmp_path: Path) -> None:
    """The numbers are written first: where they are refused no picture is drawn."""
    amplitude = np.ones((30, 30))
    amplitude[3, 4] = np.inf
    frame = SimpleNamespace(origin=(0.0, 0.0))
    results = {
        "recon_amp": amplitude,
        "recon_phase": np.zeros((30, 30)),
        "global_offsets": np.zeros((1, 1, 1, 2)),
        "canvas_frame": frame,
    }

    with pytest.raises(ContractError, match="reconstruction.npz: object: expected finite"):
        keep_numbers(results, SimpleNamespace(residual=0.1), tmp_path, 20, [])

    assert list(tmp_path.iterdir()) == []


def test_counts_of_what_is_not_finite_are_told_and_other_values_left_alone() -> None:
    refuse_not_finite({"text": np.array("x"), "whole": np.arange(3), "half": torch.ones(2, dtype=torch.bfloat16)}, None)

    with pytest.raises(ContractError, match="half: .* 2 of 3 values"):
        refuse_not_finite({"half": torch.tensor([1, torch.nan, torch.inf], dtype=torch.bfloat16)}, None)
    with pytest.raises(ContractError, match="field: .* 1 of 2 values"):
        refuse_not_finite({"field": np.array([1, complex(0, np.nan)])}, None)
