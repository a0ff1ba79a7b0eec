"""Pictures of results: what was measured, with titles, units and a scale; no decoration stops a result."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from reference_impl.cli import panels, pictures, results
from reference_impl.cli.kept import keep
from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report
from reference_impl.inference.agreement import Disagreement
from reference_impl.inference.figures import Figures

FIGURES = Figures(0.1, 0.2, Disagreement(np.nan, np.nan, np.nan, 0.0), np.ones((30, 30), bool), 1.0)


def test_zero_is_a_measurement_where_a_patch_lies() -> None:
    field = np.ones((30, 30), np.complex64)
    field[10:20, 10:20] = 0

    opaque, empty = pictures.View(field, (0.0, 0.0), 20), pictures.View(0 * field, (0.0, 0.0), 20)
    part = pictures.View(field, (0.0, 0.0), 20, np.pad(np.ones((20, 20), bool), 5))

    assert opaque.covered.all() and empty.covered.all() and part.extent == (4.5, 24.5, 24.5, 4.5)
    for view in (opaque, empty, part):
        view.draw_phase(Figure().add_subplot())
        view.draw_amplitude(Figure().add_subplot())


TABLES = {
    "cut-off": b"epoch,mae_train_loss\n0,2.5e",
    "a-word": b"epoch,mae_train_loss\n0,much",
    "no-utf-8": b"epoch,mae_train_loss\n0,\xff\xfe",
    "nul": b"epoch,mae_train_loss\n0,\x00",
    "not-finite": b"epoch,mae_train_loss\n0,nan",
    "infinite": b"epoch,mae_train_loss\n0,1\n1,inf",
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_losses_that_cannot_be_read_stops_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "lightning_logs" / "version_0").mkdir(parents=True)
    (tmp_path / "lightning_logs" / "version_0" / "metrics.csv").write_bytes(TABLES[name])

    with pytest.warns(UserWarning, match="metrics.csv: losses are not drawn"):
        assert pictures.losses_of(tmp_path) == {}


@pytest.mark.parametrize("version", ["version_abc", "version_", "version_²"])
def test_folders_of_other_names_are_no_versions(version: str, tmp_path: Path) -> None:
    for name, loss in ((version, 9), ("version_3", 1), ("version_10", 2)):
        (tmp_path / "lightning_logs" / name).mkdir(parents=True)
        (tmp_path / "lightning_logs" / name / "metrics.csv").write_text(f"epoch,mae_train_loss\n0,{loss}\n")

    assert pictures.losses_of(tmp_path) == {"mae_train_loss": [2.0]}


@pytest.mark.parametrize(
    ("length", "text"), [(2.4e-7, "200 nm"), (5e-6, "5 µm"), (9.99e-10, "500 pm"), (1.2e-3, "1 mm"), (1e-9, "1 nm")]
)
def test_scale_bars_have_round_lengths_and_units(length: float, text: str) -> None:
    assert panels.in_words(panels.round_length(length)) == text


def test_the_losses_of_a_resumed_run_begin_with_its_first_epoch(tmp_path: Path) -> None:
    """Version 0 is of an older run, 1 was cut after its third epoch, of which the checkpoint held two, 2 goes on from there."""
    for version, rows in enumerate((["0,9", "1,9", "2,9", "3,9"], ["0,5", "1,4", "2,7"], ["2,3", "3,2"])):
        folder = tmp_path / "lightning_logs" / f"version_{version}"
        folder.mkdir(parents=True)
        folder.joinpath("metrics.csv").write_text("\n".join(["epoch,mae_train_loss", *rows, ""]))
    assert pictures.losses_of(tmp_path) == {"mae_train_loss": [5.0, 4.0, 3.0, 2.0]}


def test_panels_have_titles_units_and_a_scale_bar_where_the_pixel_is_known() -> None:
    with_bar, without = Figure().add_subplot(), Figure().add_subplot()
    field = np.ones((30, 30), np.complex64)

    pictures.View(field, (0.0, 0.0), 20, pixel=5e-8).draw_phase(with_bar)
    pictures.View(field, (0.0, 0.0), 20).draw_phase(without)

    assert "phase" in with_bar.get_title() and "pixels" in with_bar.get_xlabel()
    assert with_bar.figure.axes[1].get_ylabel() == "phase (rad)"
    assert len(with_bar.artists) == 1 and len(without.artists) == 0


def test_epochs_are_whole_numbers() -> None:
    axes = Figure().add_subplot()

    panels.draw_losses(axes, {"mae_train_loss": [3.0, 2.0, 1.5]})

    assert all(float(tick).is_integer() for tick in axes.get_xticks())


def test_numbers_are_kept_where_a_picture_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> None:
        raise OSError(28, "No space left on device", "overview.png")

    monkeypatch.setattr(pictures, "draw_reconstruction", broken)
    monkeypatch.setattr(results, "_figures", lambda *given: FIGURES)
    (tmp_path / "overview.png").write_bytes(b"of an earlier run")
    field, frame = np.ones((30, 30), np.float32), SimpleNamespace(origin=(0.0, 0.0))
    whole = {"recon_amp": field, "recon_phase": 0 * field, "global_offsets": np.zeros((1, 1, 1, 2)), "canvas_frame": frame}
    args = SimpleNamespace(plain=True, stitch_crop_size=20, output_dir=tmp_path, model_path=tmp_path)
    report = Report("scan.npz", (), {})

    with pytest.raises(OSError, match="No space"):
        results.keep_reconstruction(args, whole, None, None, None, SimpleNamespace(metadata=None), report, Reporter(True))

    assert [path.name for path in tmp_path.iterdir()] == ["reconstruction.npz"]
    with np.load(tmp_path / "reconstruction.npz", allow_pickle=False) as kept:
        assert kept["object"].shape == kept["covered"].shape == (30, 30) and "overlap_disagreement" not in kept.files


def test_a_table_is_kept_where_its_picture_fails(tmp_path: Path) -> None:
    (tmp_path / "evaluation.png").write_bytes(b"of an earlier run")

    def written(stage: Path) -> Path:
        (stage / "evaluation.csv").write_text("figures", encoding="utf-8")
        return stage / "evaluation.csv"

    def broken(stage: Path) -> list[Path]:
        raise OSError(28, "No space left on device", "evaluation.png")

    with pytest.raises(OSError, match="No space"):
        keep(tmp_path, ("evaluation.csv", "evaluation.png"), written, broken)

    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.csv"]
