"""Results that tell: patches that do not fit, fields not covered, trainings that came to nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.cli.results import close_training
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import RawData
from reference_impl.execution import PyTorchExecutionConfig
from reference_impl.inference import amplitude_residual
from reference_impl.inference.agreement import disagreement, phases
from reference_impl.inference.figures import Figures, collapse, covered_share, flat_residual
from reference_impl.simulation import exposures, objects, probes, scans
from reference_impl.training import PtychoLightningModule, loggers, train_cdi_model_torch

N, SIDE = 64, 160


def config(**model: Any) -> TrainingConfig:
    fields = {"N": N, "gridsize": 1, "n_filters_scale": 0.5, "object_big": False, "probe_big": True, **model}
    return TrainingConfig(model=ModelConfig(**fields), batch_size=8, nphotons=1e4, backend="pytorch")


def scan(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """True patches `(n, N, N, 1)` of an object, with the errors of a good network, and their places `(n, 1, 1, 2)`."""
    draw = np.random.default_rng(4)
    truth = objects.lines(SIDE, draw)
    x, y = scans.jittered_grid(count, scans.inner_bounds(SIDE, SIDE, N), draw)
    x, y = np.rint(x), np.rint(y)
    patches = exposures.patches_at(truth, x, y, N)
    noise = draw.normal(0, 0.05, (2, *patches.shape))
    return (patches + noise[0] + 1j * noise[1])[..., None].astype(np.complex64), np.stack([x, y], 1)[:, None, None]


PATCHES, PLACES = scan()
LIGHT = np.abs(probes.ideal_disk(N)) ** 2


def test_phases_of_patches_are_found_again() -> None:
    """Each patch turned by a phase of its own: all are turned back, up to one phase of the whole."""
    drawn = np.exp(2j * np.pi * np.random.default_rng(1).random(len(PATCHES)))
    found = phases((PATCHES * drawn[:, None, None, None]).astype(np.complex64), PLACES, 20, LIGHT)
    both = found * drawn
    assert np.abs(found) == pytest.approx(1)
    assert np.abs(np.angle(both / both.mean())).max() < 0.1
    turned = (PATCHES * drawn[:, None, None, None]).astype(np.complex64)
    assert disagreement(turned, PLACES, 20, LIGHT).phases_are_free
    assert not disagreement(PATCHES, PLACES, 20, LIGHT).phases_are_free


def test_a_patch_alone_keeps_its_phase() -> None:
    """What overlaps with nothing has nothing to agree with."""
    apart = np.array([[0.0, 0.0], [500.0, 0.0]])[:, None, None]
    turns = phases(PATCHES[:2], apart, 20, LIGHT)
    assert np.angle(turns) == pytest.approx(0, abs=1e-6)


def test_patches_of_one_object_agree() -> None:
    found = disagreement(PATCHES, PLACES, 20, LIGHT)

    assert found.plain == pytest.approx(found.aligned, abs=0.01) and found.plain < 0.5 * found.shuffled
    assert found.plain == pytest.approx(0.05 * np.sqrt(2) / np.sqrt(np.mean(np.abs(PATCHES) ** 2)), rel=0.25)


@pytest.mark.parametrize(
    ("patches", "places"),
    [(PATCHES.swapaxes(1, 2), PLACES), (PATCHES[:, ::-1], PLACES), (PATCHES, PLACES * 5e-8), (PATCHES, PLACES[..., ::-1])],
    ids=["transposed", "mirrored", "metres", "x-and-y-exchanged"],
)
def test_patches_at_wrong_places_or_turned_disagree(patches: np.ndarray, places: np.ndarray) -> None:
    found, right = disagreement(patches, places, 20, LIGHT), disagreement(PATCHES, PLACES, 20, LIGHT)

    # Small pieces of lines look alike, however they are turned: these patches fit half as badly as those of real trainings.
    assert found.plain > 1.5 * right.plain and found.plain / found.shuffled > 1.5 * right.plain / right.shuffled


def test_a_global_phase_of_each_patch_is_told_apart_from_a_misfit() -> None:
    turned = PATCHES * np.exp(2j * np.pi * np.random.default_rng(1).random(len(PATCHES)))[:, None, None, None]

    found, straight = (disagreement(patches, PLACES, 20, LIGHT) for patches in (turned, PATCHES))

    assert found.plain > 0.5 and found.aligned == pytest.approx(straight.aligned, rel=0.1)


def test_what_was_not_lit_has_no_say() -> None:
    dark = PATCHES.copy()
    dark[:, LIGHT < 1e-3 * LIGHT.max()] = 7

    assert disagreement(dark, PLACES, 40, LIGHT) == disagreement(PATCHES, PLACES, 40, LIGHT)


def test_one_patch_or_none_that_overlaps_is_no_number() -> None:
    alone = disagreement(PATCHES[:1], PLACES[:1], 20)
    apart = disagreement(PATCHES[:2], np.array([0.0, 500.0]).reshape(2, 1, 1, 1) * np.ones(2), 20)

    assert np.isnan([alone.plain, apart.plain]).all() and alone.overlapping == apart.overlapping == 0


def test_positions_far_apart_cost_no_memory() -> None:
    places = PLACES.copy()
    places[3] = 1e7

    assert disagreement(PATCHES, places, 20, LIGHT).plain < 0.2


@pytest.mark.parametrize(("step", "share"), [(8, 1.0), (20, 1.0), (40, 0.25)])
def test_the_covered_share_is_that_of_the_scanned_field(step: int, share: float) -> None:
    y, x = np.mgrid[:8, :8] * step + 50.0
    covered = np.zeros((420, 420), bool)
    for row, column in zip(y.ravel().astype(int), x.ravel().astype(int), strict=True):
        covered[row - 10 : row + 10, column - 10 : column + 10] = True

    found = covered_share(covered, (0.0, 0.0), np.stack([x.ravel(), y.ravel()], 1))

    assert found == pytest.approx(share, abs=0.05)


def test_a_part_of_the_scan_covers_a_part_of_the_field() -> None:
    positions = np.array([[10.0, 10], [90, 10], [10, 90], [90, 90]])
    covered = np.zeros((100, 50), bool)
    covered[:] = True

    assert covered_share(covered, (0.0, 0.0), positions) == pytest.approx(0.5, abs=0.02)
    assert covered_share(covered, (0.0, 0.0), positions[:2]) == 0.5  # on a line: of the positions


def said(**changes: Any) -> list[str]:
    usual = {"residual": 0.1, "flat_residual": 0.2, "covered": np.ones((4, 4), bool), "share": 1.0}
    overlap = disagreement(PATCHES, PLACES, 20, LIGHT)
    return Figures(**{**usual, "overlap": overlap, **changes}).warnings(100, 100, 20)


def test_figures_warn_where_they_tell_something_and_else_not() -> None:
    wrong = disagreement(PATCHES, PLACES * 5e-8, 20, LIGHT)

    assert said() == []
    assert "orientation" in said(overlap=wrong)[0] and "inspect" in said(overlap=wrong)[0]
    assert "50.0% of the scanned field" in said(share=0.5)[0] and "--stitch-crop-size" in said(share=0.5)[0]
    assert "no better than a flat object" in said(residual=0.2)[0] and "train longer" in said(residual=0.2)[0]
    far = said(residual=0.3)[0]
    assert "trained under another probe" in far and "train longer" not in far and "inspect FILE --orientations" in far


class Constant(torch.nn.Module):
    """A collapsed network: the same flat patch whatever it sees."""

    def __init__(self, value: complex, pattern: np.ndarray) -> None:
        super().__init__()
        self.value, self.pattern = value, torch.from_numpy(pattern.astype(np.float32))

    def forward_predict(self, x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        return torch.full(x.shape, self.value, dtype=torch.complex64)

    def forward(self, x: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return ((abs(self.value) * self.pattern).expand(x.shape),)


class Truth(Constant):
    """A network that has learned: it gives back what it sees, and patches that are not flat."""

    def forward_predict(self, x: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
        return torch.complex(1 + x, x)

    def forward(self, x: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (x,)


def measured() -> tuple[SimpleNamespace, np.ndarray]:
    """A container of eight groups, and the pattern of a constant object of one under its normalised probe."""
    probe = probes.curved_disk(N, np.random.default_rng(2))
    patches = PATCHES[:8, ..., 0]
    amplitude = np.abs(np.fft.fftshift(np.fft.fft2(patches * probe, norm="ortho"), axes=(1, 2)))
    amplitude *= np.sqrt((N / 2) ** 2 / np.mean(np.sum(amplitude**2, axis=(1, 2))))
    norm = config().model.probe_scale * np.abs(probe).mean()
    flat = np.abs(np.fft.fftshift(np.fft.fft2(probe / norm, norm="ortho")))
    X = amplitude[..., None].astype(np.float32)
    return SimpleNamespace(X=X, coords_relative=np.zeros((8, 1, 2, 1), np.float32), probe=probe), flat


@pytest.mark.parametrize("value", [0.0, 0.7], ids=["nothing", "flat"])
def test_a_collapsed_training_is_said(value: float) -> None:
    container, flat = measured()
    best = value and float(np.sum(container.X[..., 0] * flat) / (8 * np.sum(flat**2)))

    found = collapse(Constant(best, flat), container, config())
    known = collapse(Constant(best, flat), container, config(), cause="a sigmoid ends at 1")
    assert all(text.endswith(": a sigmoid ends at 1") for text in known) and "train longer" not in "".join(known)

    assert "flat" in found[0] and "collapsed" in found[0] and "no better than a flat object" in found[1]
    assert collapse(Truth(1, flat), container, config()) == []


def test_the_flat_residual_is_that_of_the_best_constant_object() -> None:
    container, flat = measured()
    best = float(np.sum(container.X[..., 0] * flat) / (8 * np.sum(flat**2)))

    tried = [amplitude_residual(Constant(best * k, flat), container, config()) for k in (0.9, 1.0, 1.1)]

    assert flat_residual(container, config()) == pytest.approx(tried[1], rel=1e-4) and min(tried) == tried[1]


@pytest.mark.parametrize("mark", [0.0, 1e6, np.nan])
def test_the_residual_leaves_a_mask_out(mark: float) -> None:
    container, _ = measured()
    container.mask = np.ones((N, N), bool)
    container.mask[20:22] = False
    torch.manual_seed(0)
    module = PtychoLightningModule.from_config(config())
    before = amplitude_residual(module, container, config()), flat_residual(container, config())

    container.X = np.where(container.mask[..., None], container.X, np.float32(mark))

    assert (amplitude_residual(module, container, config()), flat_residual(container, config())) == before


def test_a_training_is_blind_to_what_its_mask_hides(tmp_path: Path) -> None:
    container, _ = measured()
    good = np.ones((N, N), bool)
    good[31:33], good[5, 60] = False, False
    given = {"xcoords": PLACES[:8, 0, 0, 0], "ycoords": PLACES[:8, 0, 0, 1], "probeGuess": container.probe.astype(np.complex64)}
    stacks = [np.where(good, container.X[..., 0], np.float32(mark)) for mark in (0.0, 1e4)]
    settings = replace(config(), nepochs=1, n_groups=8, output_dir=tmp_path)
    execution = PyTorchExecutionConfig(accelerator="cpu", enable_checkpointing=False, logger_backend="none")

    runs = [train_cdi_model_torch(RawData(**given, diff3d=stack, mask=good), None, settings, execution) for stack in stacks]

    first, second = (run["models"]["diffraction_to_obj"].state_dict() for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert runs[0]["history"] == runs[1]["history"] and runs[0]["intensity_scale"] == runs[1]["intensity_scale"]


def test_a_logger_that_fails_stops_no_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Any) -> None:
        raise OSError(28, "No space left on device", "metrics.csv")

    monkeypatch.setattr(loggers.CSVLogger, "save", full)
    logger = loggers.make_logger("csv", tmp_path)
    logger.log_metrics({"mae_train_loss": 1.0}, 0)

    with pytest.warns(UserWarning, match="CSVLogger failed .* the training goes on: .*metrics.csv") as caught:
        logger.save()
        logger.save()
        logger.finalize("success")
    assert len(caught) == 1


def test_a_training_that_cannot_be_judged_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any) -> list[str]:
        raise ValueError("positions of another rank")

    monkeypatch.setattr("reference_impl.inference.figures.collapse", broken)
    args = SimpleNamespace(output_dir=tmp_path, train_data_file="scan.npz")
    results = {"models": {"diffraction_to_obj": None}, "train_container": None}

    with pytest.warns(UserWarning, match=r"scan\.npz: .* could not be judged \(ValueError: positions of another"):
        kept = close_training(args, results, None, None, [])

    assert kept.is_file()
