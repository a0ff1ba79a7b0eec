"""Backend-side settings translated into canonical objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, headers, reactions
from conformance.specification.effects import Effect, effects

NEEDED = {"n_groups": 21, "train_data_file": Path("train.npz"), "test_data_file": Path("test.npz")}
"""Overrides without which no training can be translated."""


@pytest.mark.clause("CONFIG-050~1")
@pytest.mark.parametrize(("grid", "expected"), [((1, 1), 1), ((2, 2), 2), ((3, 3), 3)], ids=["g1", "g2", "g3"])
def test_a_square_grid_becomes_the_grid_size(backend: Proxy, observe: Observer, grid: tuple[int, int], expected: int) -> None:
    """The side of a square grid is the grid size.

    If this fails, suspect a product where the side belongs.
    """
    found = backend.bridge("model", grid_size=grid)

    observe.equal("gridsize", found.gridsize, expected)


@pytest.mark.clause("CONFIG-050~1")
def test_a_grid_of_more_rows_than_columns_is_refused(backend: Proxy, observe: Observer) -> None:
    """As one of more columns than rows.

    If this fails, suspect sides that are compared one way.
    """
    with observe.raises("refusal", ValueError, "Non-square grids"):
        backend.bridge("model", grid_size=(3, 2))


@pytest.mark.clause("CONFIG-050~1")
@pytest.mark.parametrize(
    ("fields", "fragment"),
    [
        ({"grid_size": (2, 3)}, "Non-square grids"),
        ({"mode": "Semisupervised"}, "Invalid mode"),
        ({"amp_activation": "tanh"}, "Unknown activation"),
    ],
    ids=["grid", "mode", "activation"],
)
def test_model_settings_without_a_counterpart_are_refused(
    backend: Proxy, observe: Observer, fields: dict[str, Any], fragment: str
) -> None:
    """What has no canonical form is an error and never a guess.

    If this fails, suspect a mapping with a default for names it does not know.
    """
    with observe.raises("translated", ValueError, fragment):
        backend.bridge("model", **fields)


@pytest.mark.clause("CONFIG-050~1")
@pytest.mark.parametrize(
    ("fields", "name", "expected"),
    [
        ({"mode": "Unsupervised"}, "model_type", "pinn"),
        ({"mode": "Supervised"}, "model_type", "supervised"),
        ({"amp_activation": "silu"}, "amp_activation", "swish"),
        ({"amp_activation": "SiLU"}, "amp_activation", "swish"),
        ({"amp_activation": "sigmoid"}, "amp_activation", "sigmoid"),
        ({"amp_activation": "swish"}, "amp_activation", "swish"),
        ({"amp_activation": "softplus"}, "amp_activation", "softplus"),
        ({"amp_activation": "relu"}, "amp_activation", "relu"),
        ({"probe_mask": None}, "probe_mask", False),
        ({"probe_mask": True}, "probe_mask", True),
        ({"probe_mask": np.ones((64, 64), np.float32)}, "probe_mask", True),
        ({"probe_mask": np.ones((64, 64), np.uint8)}, "probe_mask", True),
        ({"probe_scale": 3.5}, "probe_scale", 3.5),
        ({"N": 128}, "N", 128),
        ({"n_filters_scale": 1}, "n_filters_scale", 1),
        ({"object_big": False}, "object_big", False),
        ({"probe_big": False}, "probe_big", False),
    ],
    ids=[
        *("pinn", "supervised", "silu", "SiLU", "sigmoid", "swish", "softplus", "relu"),
        *("no-mask", "mask-flag", "mask-array", "mask-bytes", "probe_scale", "N", "filters", "object_big", "probe_big"),
    ],
)
def test_model_settings_have_their_canonical_names(
    backend: Proxy, observe: Observer, fields: dict[str, Any], name: str, expected: Any
) -> None:
    """Each setting arrives under the canonical name, in the canonical vocabulary.

    If this fails, suspect a default of the canonical form that stands where the setting belongs.
    """
    found = backend.bridge("model", **fields)

    observe.equal(name, getattr(found, name), expected)


@pytest.mark.clause("CONFIG-050~1")
def test_overrides_of_the_model_win(backend: Proxy, observe: Observer) -> None:
    """An explicit override beats the setting it contradicts.

    If this fails, suspect overrides that are applied first.
    """
    found = backend.bridge("model", {"probe_scale": 2.5, "amp_activation": "relu"}, probe_scale=3.5, amp_activation="silu")

    observe.equal("probe scale", found.probe_scale, 2.5)
    observe.equal("activation", found.amp_activation, "relu")


@pytest.mark.clause("CONFIG-051~1")
def test_training_settings_have_their_canonical_names(backend: Proxy, observe: Observer) -> None:
    """Epochs, neighbours, photons, batch size and weights arrive; what the backend always does is stated.

    If this fails, suspect a default of the canonical form that stands where the setting belongs.
    """
    expected = {"nepochs": 7, "neighbor_count": 11, "batch_size": 8, "nphotons": 3e6, "mae_weight": 0.25, "nll_weight": 1.0}
    constant = {"realspace_weight": 0.0, "realspace_mae_weight": 0.0, "positions_provided": True, "backend": "pytorch"}

    found = backend.bridge("training", NEEDED, epochs=7, K=11, batch_size=8, nphotons=3e6, mae_weight=0.25, nll=True)

    observe.equal("settings", configs.attributes(found, expected), expected)
    observe.equal("constants", configs.attributes(found, constant), constant)


@pytest.mark.clause("CONFIG-051~1")
def test_a_likelihood_that_is_off_has_no_weight(backend: Proxy, observe: Observer) -> None:
    """The switch of the likelihood becomes its weight.

    If this fails, suspect a weight that is always one.
    """
    found = backend.bridge("training", NEEDED, nphotons=3e6, nll=False)

    observe.equal("nll_weight", found.nll_weight, 0.0)


@pytest.mark.clause("CONFIG-051~1")
def test_overrides_of_the_training_win(backend: Proxy, observe: Observer) -> None:
    """An explicit override beats the setting it contradicts.

    If this fails, suspect overrides that are applied first.
    """
    found = backend.bridge("training", {**NEEDED, "nphotons": 5e6, "batch_size": 32}, nphotons=3e6, batch_size=8)

    observe.equal("nphotons", found.nphotons, 5e6)
    observe.equal("batch size", found.batch_size, 32)


@pytest.mark.clause("CONFIG-050~1")
@pytest.mark.parametrize("effect", effects("model"), ids=str)
@pytest.mark.parametrize("which", ["since", "to"], ids=["first", "second"])
def test_every_override_of_the_model_wins(backend: Proxy, observe: Observer, effect: Effect, which: str) -> None:
    """Also one of a field that the settings do not know; one of two values is no default. If this fails, suspect overrides
    that are taken one by one.
    """
    value = getattr(effect, which)

    with observe.accepts("overrides"):
        found = backend.bridge("model", {effect.field: value})

    observe.equal("field", configs.attributes(found, [effect.field]), {effect.field: value})


@pytest.mark.clause("CONFIG-051~1")
@pytest.mark.parametrize("effect", effects("training"), ids=str)
def test_every_override_of_the_training_wins(backend: Proxy, observe: Observer, effect: Effect) -> None:
    """Also one of a field that the settings do not know. If this fails, suspect overrides that are taken one by one."""
    given = {name: configs.as_path(name, value) for name, value in {**effect.circumstances, effect.field: effect.to}.items()}
    overrides = {name: value for name, value in given.items() if name not in configs.MODEL}

    with observe.accepts("overrides"):
        found = backend.bridge("training", {**NEEDED, "nphotons": 3e6, **overrides})

    truth = configs.stated({effect.field: given[effect.field]})
    observe.equal("field", configs.attributes(found, [effect.field]), truth)


@pytest.mark.clause("CONFIG-052~1")
@pytest.mark.parametrize("fields", [{"nphotons": 1e5}, {}, {"nphotons": 100_000}], ids=["stated", "left-out", "whole"])
def test_the_backends_own_photon_number_is_refused(backend: Proxy, observe: Observer, fields: dict[str, Any]) -> None:
    """1e5 in the settings is taken for an accident.

    If this fails, suspect the guard removed.
    """
    with observe.raises("translated", ValueError, "nphotons default divergence", "overrides", "nphotons="):
        backend.bridge("training", NEEDED, **{"nphotons": 1e5, **fields})


@pytest.mark.clause("CONFIG-052~1")
def test_an_override_of_the_photon_number_is_believed(backend: Proxy, observe: Observer) -> None:
    """Stated as an override, even 1e5 is meant.

    If this fails, suspect an override that is compared instead of looked for.
    """
    overrides = {**NEEDED, "nphotons": 1e5}

    refusal = reactions.refusal(lambda: backend.bridge("training", overrides, nphotons=1e5))

    observe.equal("refusal", refusal, "")
    observe.equal("nphotons", backend.bridge("training", overrides, nphotons=1e5).nphotons, 1e5)


@pytest.mark.clause("CONFIG-053~1")
@pytest.mark.parametrize(
    ("missing", "fragments"),
    [("n_groups", ("n_groups", "overrides", "n_groups=")), ("train_data_file", ("train_data_file is required",))],
    ids=["n_groups", "train_data_file"],
)
def test_a_training_without_its_needs_is_refused(
    backend: Proxy, observe: Observer, missing: str, fragments: tuple[str, ...]
) -> None:
    """The number of groups and the training file cannot be guessed.

    If this fails, suspect a default of 512 that came in by itself.
    """
    overrides = {name: value for name, value in NEEDED.items() if name != missing}

    with observe.raises("translated", ValueError, *fragments):
        backend.bridge("training", overrides, nphotons=3e6)


@pytest.mark.clause("CONFIG-053~1")
def test_a_training_without_a_test_file_is_only_warned_of(backend: Proxy, observe: Observer) -> None:
    """Training without a test file is legitimate.

    If this fails, suspect the two files treated alike.
    """
    overrides = {name: value for name, value in NEEDED.items() if name != "test_data_file"}

    observe.equal("refusal", reactions.refusal(lambda: backend.bridge("training", overrides, nphotons=3e6)), "")
    with observe.warns("translated", UserWarning, "test_data_file"):
        found = backend.bridge("training", overrides, nphotons=3e6)

    observe.equal("test file", found.test_data_file, None)


@pytest.mark.clause("CONFIG-053~1")
@pytest.mark.parametrize("side", ["overrides", "settings"])
def test_a_test_file_that_is_stated_is_no_news(backend: Proxy, observe: Observer, side: str) -> None:
    """By an override or by a setting. If this fails, suspect a warning that looks at one of both."""
    files = {name: value for name, value in NEEDED.items() if name == "test_data_file"}
    rest = {name: value for name, value in NEEDED.items() if name not in files}
    overrides, stated = {"overrides": (NEEDED, {}), "settings": (rest, files)}[side]

    said = headers.warnings_of(lambda: backend.bridge("training", overrides, nphotons=3e6, **stated))

    observe.equal("warnings of the test file", [text for text in said if "test_data_file" in text], [])


@pytest.mark.clause("CONFIG-054~1")
@pytest.mark.parametrize("missing", ["model_path", "test_data_file"])
def test_an_inference_without_its_needs_is_refused(backend: Proxy, observe: Observer, missing: str) -> None:
    """A model and data are both needed.

    If this fails, suspect an empty path used as a default.
    """
    given = {"model_path": Path("runs/one"), "test_data_file": Path("test.npz"), "n_groups": 13}
    overrides = {name: value for name, value in given.items() if name != missing}

    with observe.raises("translated", ValueError, f"{missing} is required"):
        backend.bridge("inference", overrides)


@pytest.mark.clause("CONFIG-055~1")
@pytest.mark.parametrize(
    ("kind", "overrides", "fields"),
    [
        (
            "training",
            {"n_groups": 21, "train_data_file": "train.npz", "test_data_file": "test.npz", "output_dir": "out"},
            {"nphotons": 3e6},
        ),
        ("inference", {"n_groups": 13, "model_path": "runs/one", "test_data_file": "test.npz", "output_dir": "out"}, {}),
    ],
    ids=["training", "inference"],
)
def test_paths_given_as_text_become_paths(
    backend: Proxy, observe: Observer, kind: str, overrides: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Text is accepted for every path, and the canonical object holds paths.

    If this fails, suspect a path used before it was converted.
    """
    names = [name for name in overrides if name != "n_groups"]

    found = backend.bridge(kind, overrides, **fields)

    observe.equal("paths", configs.attributes(found, names), {name: f"path:{overrides[name]}" for name in names})
