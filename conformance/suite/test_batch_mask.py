"""BATCH-037, LOSS-012: what a mask hides changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.oracles import data, grouping
from conformance.oracles import loss as oracle
from conformance.scenes import apart, batches, files, losses, masks, networks, runs
from conformance.scenes.answers import number

GOOD = masks.mask(networks.N)
MODES = pytest.mark.parametrize("mode", ["poisson", "mae"])


@pytest.mark.clause("BATCH-037~2", evidence="differential", needs=("BATCH-022",))
@pytest.mark.parametrize("brightness", [0.0, 1e4], ids=["dark", "hot"])
def test_images_are_those_of_a_record_that_is_dark_there(backend: Any, observe: Observer, brightness: float) -> None:
    """Normalised without the hidden pixels. If this fails, suspect energies that are summed before the mask."""
    given, good = files.arrays(), masks.mask(16)
    stack = masks.marked(given["diff3d"], good, brightness)
    raw = backend.masked(backend.record(**{**given, "diff3d": stack}), good)
    config = batches.training(backend, N=16, gridsize=1, batch_size=32, n_groups=23, sequential_sampling=True)

    fields, _, _ = next(iter(backend.loaders(backend.container(raw, config), None, config)[0]))

    truth = grouping.normalised(data.hidden(given["diff3d"], good)[..., None], 16).transpose(0, 3, 1, 2)
    observe.close("images", fields["images"], truth)


@pytest.mark.device
@pytest.mark.clause("LOSS-012~1", evidence="differential", needs=("MODEL-020", "BATCH-037"))
@MODES
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_the_loss_is_that_of_the_good_pixels(backend: Any, observe: Observer, mode: str, g: int) -> None:
    """Sum and mean over good pixels alone, of an absolute error that is added too.

    If this fails, suspect a prediction that is compared with zero under the mask.
    """
    config = networks.settings(backend, {"gridsize": g}, torch_loss_mode=mode, nll_weight=0.01, mae_weight=0.5)
    seen = losses.see(backend, config, masks.hides(backend, networks.container(g), GOOD))

    predicted, measured = oracle.over_good(seen.predicted, seen.measured, GOOD)
    term = {"poisson": oracle.poisson_nll(predicted, measured, seen.photons), "mae": oracle.absolute_error(predicted, measured)}
    observe.close("loss", seen.loss, (0.01 * term[mode] + 0.5 * term["mae"]) / oracle.normaliser(measured))


@pytest.mark.device
@pytest.mark.clause("LOSS-012~1", evidence="symmetry")
@MODES
@pytest.mark.parametrize("mark", ["nan", "largest-integer"])
def test_values_under_a_mask_change_neither_loss_nor_gradient(backend: Any, observe: Observer, mode: str, mark: str) -> None:
    """Two containers that differ under the mask alone. If this fails, suspect a mask that is applied to one side."""
    config = networks.settings(backend, torch_loss_mode=mode)
    whole = masks.hides(backend, networks.container(2), GOOD)
    spoiled = masks.hides(backend, networks.container(2, X=masks.spoiled(whole.X, GOOD, masks.MARKS[mark])), GOOD)
    first, second = (networks.first_batch(backend, source, config) for source in (whole, spoiled))

    values = [number(backend.loss(networks.module(backend, config), batch)) for batch in (first, second)]
    slopes = [networks.values(backend.gradient(networks.module(backend, config), batch)) for batch in (first, second)]

    observe.equal("same loss", values[1], values[0])
    observe.equal("same gradient", [n for n in slopes[0] if not np.array_equal(slopes[0][n], slopes[1][n])], [])


@pytest.mark.slow
@pytest.mark.clause("LOSS-012~1", evidence="differential", needs=("LOSS-011", "TRAIN-004", "BATCH-037"))
def test_training_and_validation_know_the_mask(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Both losses of a run in which nothing is learned, with nonsense under the mask. If this fails, suspect a step that hands
    the loss a batch without it.
    """
    run = losses.masked_run(backend, tmp_path)

    validated = backend.loaders(run.results["train_container"], run.results["test_container"], run.config)[1]
    expected = number(backend.loss(runs.model_of(run), next(iter(validated))))
    observe.close("training", runs.losses(run)[-1], apart.sample_mean(backend, run, "train"))
    observe.close("validation", runs.losses(run, "val")[-1], expected)
