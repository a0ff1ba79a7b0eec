"""The table of warm and cold starts: what it counts, on a scan small enough for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reference_impl.bench import warm
from reference_impl.bench.__main__ import main
from reference_impl.bundle import save_torch_bundle
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.engine import Settings, solve_record
from reference_impl.training import PtychoLightningModule


def test_sweeps_are_counted_from_none() -> None:
    course = warm.Course([0.3, 0.1, 0.01, 0.02])

    assert [course.sweeps_to(error) for error in (0.5, 0.1, 0.015, 0.001)] == [0, 1, 2, None]


def test_a_goal_out_of_reach_is_what_cold_ends_with() -> None:
    row = warm.Row(0.9, 1e3, warm.Course([0.3, 0.2, 0.1]), warm.Course([0.2, 0.105]))

    assert str(row) == "| 90% | 1e+03 | 0.2 | 0.11 | 2 | 1 | 0.1 | 0.1 |"


def test_the_error_is_that_of_the_object(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "PATTERNS", 81)
    record, truth = warm.scan_of(32, 3.0, 1e9)
    errors: list[float] = []
    settings = Settings(sweeps=20, settle=False, refine_probe=False)

    solve_record(record, settings, told=lambda solver, _: errors.append(warm.error_of(solver, truth)))

    assert errors[-1] < 5e-3 < errors[0] and np.isfinite(errors).all()


def test_a_row_for_each_overlap_and_dose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"PATTERNS": 25, "SWEEPS": 2, "OVERLAPS": (0.9,), "PHOTONS": (1e3, 1e6)}.items():
        monkeypatch.setattr(warm, name, value)
    monkeypatch.setattr(warm.table, "__defaults__", (warm.OVERLAPS, warm.PHOTONS))
    torch.manual_seed(0)
    model = ModelConfig(gridsize=2, object_big=False, architecture="unrolled", n_filters_scale=0.25, amp_activation="softplus")
    settings = TrainingConfig(model=model, backend="pytorch", intensity_scale_trainable=False)
    module = PtychoLightningModule.from_config(settings)
    save_torch_bundle({"diffraction_to_obj": module, "autoencoder": module.model.autoencoder}, tmp_path / "wts.h5", settings)

    assert main(["--warm", str(tmp_path)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[2].startswith("| 90% | 1e+03 |") and lines[3].startswith("| 90% | 1e+06 |")
