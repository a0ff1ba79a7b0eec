"""The gates themselves: quality and bench judge by their figures, and say what they miss."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reference_impl import quality
from reference_impl.bench.measure import Bound, Timing, figure, peak_growth, row, timed
from reference_impl.quality import Score, errors, experiment, failures, on_region

GOOD = Score("curved", 3, 48, mae=0.02, mae_null=0.08, mae_skill=0.75, ssim=0.8, ssim_null=0.3, ssim_skill=0.7, residual=0.05)
FLAT = replace(GOOD, probe="ideal", mae=0.03, mae_skill=0.62)


def truth(side: int = 40) -> np.ndarray:
    return np.random.default_rng(1).uniform(0.3, 1.0, (side, side))


def test_the_truth_has_full_skill_and_the_constant_none() -> None:
    true = truth()

    perfect, median, mean = (errors(image, true) for image in (true, np.full_like(true, np.median(true)), true * 0 + true.mean()))

    assert (perfect["mae"], perfect["mae_skill"], round(perfect["ssim_skill"], 6)) == (0, 1, 1)
    assert abs(median["mae_skill"]) < 1e-12 and abs(mean["ssim_skill"]) < 1e-9
    assert perfect["mae_null"] == median["mae"]


def test_the_truth_is_read_where_the_canvas_lies() -> None:
    whole = np.add.outer(np.arange(quality.SIZE) * 2.0, np.arange(quality.SIZE) * 3.0)
    image = np.zeros((60, 70))

    kept, true = on_region(image, whole, (130.25, 140.75), region=30.0)

    rows, columns = np.meshgrid(140.75 + np.arange(60), 130.25 + np.arange(70), indexing="ij")
    inside = (np.abs(rows - 159.5) <= 15) & (np.abs(columns - 159.5) <= 15)
    assert kept.shape == true.shape == (30, 30) and inside.sum() == 900
    assert np.abs(true.ravel() - (2 * rows + 3 * columns)[inside]).max() < 1e-3


def test_a_stitched_truth_passes_the_whole_measure() -> None:
    """Frame, crop and interpolation cost a small part of the skill that the gate asks for."""
    import torch

    from reference_impl.inference import canvas_frame, stitch
    from reference_impl.simulation.exposures import patches_at

    record, whole = experiment("curved", 48, 64, 34.0)
    patches = patches_at(whole, record.xcoords, record.ycoords, quality.N).astype(np.complex64)[..., None]
    offsets = torch.from_numpy(np.stack([record.xcoords, record.ycoords], axis=-1).reshape(-1, 1, 1, 2))

    image = stitch(torch.from_numpy(patches), offsets, quality.WINDOW).abs().numpy()
    found = errors(*on_region(image, np.abs(whole), canvas_frame(offsets, quality.N, quality.WINDOW).origin, 34.0))

    assert found["mae_skill"] > 0.85 and found["ssim"] > 0.9


def test_good_scores_miss_nothing() -> None:
    assert failures([GOOD, FLAT]) == []


@pytest.mark.parametrize(
    ("scores", "fragment"),
    [
        ([replace(GOOD, mae_skill=0.49), FLAT], "skill 0.490 with the curved probe"),
        ([replace(GOOD, mae=0.031), FLAT], "error 0.0310 with the curved probe, 0.0300 with the ideal"),
        ([GOOD], "no score with the ideal probe"),
    ],
)
def test_each_shortfall_is_named(scores: list[Score], fragment: str) -> None:
    assert [fragment in text for text in failures(scores)] == [True]


@pytest.mark.parametrize(
    ("bound", "kept"), [(Bound(2.0), True), (Bound(0.5), False), (Bound(0.5, least=True), True), (None, True)]
)
def test_a_figure_keeps_its_bound_by_its_median(bound: Bound | None, kept: bool) -> None:
    found = figure("work", "s", [9.0, 1.0, 0.9, 1.1, 0.1], Timing([1.0], 0.5, 3.0), bound)

    assert (found.median, found.low, found.high, found.runs, found.kept) == (1.0, 0.1, 9.0, 5, kept)
    assert ("MISSED" in row(found)) == (not kept)


def test_memory_and_time_are_those_of_the_work() -> None:
    growth = peak_growth(lambda: np.ones(2**24))  # 128 MiB
    timing = timed(lambda: sum(range(10_000)), 5)

    assert growth is None or 100 < growth < 200
    assert len(timing.seconds) == 5 and 0 < timing.cpu_share < 1.5
