"""Canonical configurations: fields, defaults, the deprecated alias, validation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import configs, inputs, reactions


@pytest.mark.clause("CONFIG-010~1")
@pytest.mark.parametrize("kind", ["model", "training", "inference"])
def test_fields_have_the_names_and_defaults_of_the_contract(backend: Proxy, observe: Observer, kind: str) -> None:
    """Every field is there, under its name, with its default and its type.

    If this fails, suspect a renamed field or a default that moved; the probe mask that is on by default is the classic.
    """
    config = configs.by_default(backend, kind)

    found = configs.attributes(config, configs.FIELDS[kind])

    observe.contract("fields", found)


@pytest.mark.clause("CONFIG-010~1")
@pytest.mark.parametrize("kind", ["model", "training", "inference"])
def test_every_field_takes_the_value_it_is_given(backend: Proxy, observe: Observer, kind: str) -> None:
    """What is stated at construction is what the object says.

    If this fails, suspect a field that construction overwrites.
    """
    make, stated = {
        "model": (configs.model, configs.MODEL),
        "training": (configs.training, configs.TRAINING),
        "inference": (configs.inference, configs.INFERENCE),
    }[kind]

    config = make(backend)

    observe.equal("values", configs.attributes(config, stated), configs.stated(stated))


@pytest.mark.clause("CONFIG-010~1")
def test_a_model_configuration_cannot_be_changed(backend: Proxy, observe: Observer) -> None:
    """A model configuration is frozen.

    If this fails, suspect a plain dataclass.
    """
    config = configs.model(backend)

    with observe.raises("assignment", AttributeError):
        config.gridsize = 7


@pytest.mark.clause("CONFIG-011~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_n_images_alone_is_taken_as_n_groups_with_a_deprecation(backend: Proxy, observe: Observer, kind: str) -> None:
    """The old name sets the new field and is reported with both names.

    If this fails, suspect the alias applied after the default.
    """
    make = {"training": configs.training, "inference": configs.inference}[kind]

    with observe.warns("deprecation", DeprecationWarning, "n_images", "n_groups"):
        config = make(backend, n_groups=None, n_images=33)

    observe.equal("n_groups", config.n_groups, 33)


@pytest.mark.clause("CONFIG-011~1")
@pytest.mark.parametrize("kind", ["training", "inference"])
def test_n_groups_wins_over_n_images_and_nothing_is_said(backend: Proxy, observe: Observer, kind: str) -> None:
    """With both names the new one counts, silently.

    If this fails, suspect the alias applied whenever it is given.
    """
    make = {"training": configs.training, "inference": configs.inference}[kind]

    config, said = reactions.quietly(lambda: make(backend, n_groups=21, n_images=33))

    observe.equal("n_groups", config.n_groups, 21)
    observe.equal("warnings", said, [])


@pytest.mark.clause("CONFIG-011~1")
@pytest.mark.parametrize(("kind", "expected"), [("training", 512), ("inference", None)], ids=["training", "inference"])
def test_without_either_name_the_default_depends_on_the_kind(
    backend: Proxy, observe: Observer, kind: str, expected: int | None
) -> None:
    """Training then has 512 groups, inference all of them.

    If this fails, suspect one default for both kinds.
    """
    config = configs.by_default(backend, kind)

    observe.equal("n_groups", config.n_groups, expected)


@pytest.mark.clause("CONFIG-012~1")
@pytest.mark.parametrize("size", [96, 0, 512])
def test_an_unsupported_patch_side_is_constructed_and_then_refused(backend: Proxy, observe: Observer, size: int) -> None:
    """Any N can be constructed; validation names N and the value.

    If this fails, suspect a size check that only the network has, or one in the constructor.
    """
    observe.equal("refusal at construction", reactions.refusal(lambda: backend.canonical("model", N=size)), "")

    config = backend.canonical("model", N=size)

    observe.equal("constructed", config.N, size)
    with observe.raises("validated", ValueError, "N", str(size)):
        backend.validate(config)


@pytest.mark.clause("CONFIG-012~1", "CONFIG-013~1")
@pytest.mark.parametrize("size", [64, 128, 256])
def test_the_three_patch_sides_pass_validation(backend: Proxy, observe: Observer, size: int) -> None:
    """A model that differs from the defaults in every other respect is valid for N = 64, 128 and 256.

    If this fails, suspect a check that refuses more than the contract does.
    """
    config = configs.model(backend, N=size, architecture="cnn")

    observe.equal("refusal", reactions.refusal(lambda: backend.validate(config)), "", clause=("CONFIG-012", "CONFIG-013"))


@pytest.mark.clause("CONFIG-013~1")
@pytest.mark.parametrize(
    ("field", "value", "fragment"),
    [
        ("gridsize", 0, "positive"),
        ("gridsize", -1, "positive"),
        ("n_filters_scale", 0, "positive"),
        ("n_filters_scale", -0.5, "positive"),
        ("probe_scale", 0.0, "positive"),
        ("probe_scale", -4.0, "positive"),
        ("gaussian_smoothing_sigma", -0.1, "non-negative"),
        ("n_filters_scale", float("nan"), "positive"),
        ("probe_scale", float("nan"), "positive"),
        ("architecture", "perceptron", "cnn"),
    ],
)
def test_impossible_model_settings_are_refused_by_name(
    backend: Proxy, observe: Observer, field: str, value: Any, fragment: str
) -> None:
    """Validation names the field and what it should have been.

    If this fails, suspect a check against `< 0` where zero is wrong too.
    """
    with observe.raises("validated", ValueError, field, fragment):
        backend.validate(backend.canonical("model", **{field: value}))


@pytest.mark.clause("CONFIG-014~1")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("batch_size", 0),
        ("batch_size", -4),
        ("batch_size", 12),
        ("nepochs", 0),
        ("mae_weight", -0.1),
        ("mae_weight", 1.5),
        ("nll_weight", -0.1),
        ("nll_weight", 1.5),
        ("nphotons", 0.0),
        ("nphotons", -1e9),
        ("mae_weight", float("nan")),
        ("nll_weight", float("nan")),
        ("nphotons", float("nan")),
    ],
)
def test_impossible_training_settings_are_refused_by_name(backend: Proxy, observe: Observer, field: str, value: Any) -> None:
    """Validation names the field that is out of its range.

    If this fails, suspect a power-of-two test that accepts zero, or a range with one end.
    """
    with observe.raises("validated", ValueError, field):
        backend.validate(backend.canonical("training", **{"model": backend.canonical("model"), field: value}))


@pytest.mark.clause("CONFIG-073~2")
@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("model", "n_filters_scale"),
        ("model", "probe_scale"),
        ("model", "gaussian_smoothing_sigma"),
        ("training", "nphotons"),
        ("training", "mae_weight"),
        ("training", "nll_weight"),
    ],
)
def test_what_is_no_number_is_refused(backend: Proxy, observe: Observer, part: str, field: str) -> None:
    """In the model and in the training. If this fails, suspect `if value < 0`, which is false."""
    changes = {"model": {}, "training": {}} | {part: {field: float("nan")}}

    with observe.raises("validated", ValueError, field):
        model = backend.canonical("model", **changes["model"])
        backend.validate(backend.canonical("training", model=model, **changes["training"]))


@pytest.mark.clause("CONFIG-014~1")
def test_validating_a_training_validates_its_model(backend: Proxy, observe: Observer) -> None:
    """The nested model configuration is checked with the rest.

    If this fails, suspect a validation that stops at the outer object.
    """
    with observe.raises("validated", ValueError, "gridsize"):
        backend.validate(backend.canonical("training", model=backend.canonical("model", gridsize=0)))


@pytest.mark.clause("CONFIG-014~1")
@pytest.mark.parametrize(("field", "value"), [("batch_size", 1), ("mae_weight", 1.0), ("nll_weight", 0.0), ("nepochs", 1)])
def test_the_ends_of_the_ranges_are_valid(backend: Proxy, observe: Observer, field: str, value: Any) -> None:
    """One is a power of two, and both ends of [0, 1] belong to it.

    If this fails, suspect a strict comparison.
    """
    config = configs.training(backend, **{"model": configs.model(backend, architecture="cnn"), field: value})

    observe.equal("refusal", reactions.refusal(lambda: backend.validate(config)), "")


@pytest.mark.clause("CONFIG-015~1")
@pytest.mark.parametrize("named", ["folder", "folder/wts.h5.zip", "folder/wts.h5"], ids=["folder", "archive", "stem"])
def test_a_bundle_is_found_under_its_three_names(backend: Proxy, observe: Observer, tmp_path: Path, named: str) -> None:
    """The folder, the archive, and the archive without its suffix are all accepted.

    If this fails, suspect a test for existence that stops at the literal path.
    """
    archive = tmp_path / "folder" / "wts.h5.zip"
    archive.parent.mkdir()
    archive.write_bytes(b"an archive")
    config = configs.inference(backend, model=backend.canonical("model"), model_path=tmp_path / named)

    observe.equal("refusal", reactions.refusal(lambda: backend.validate(config)), "")


@pytest.mark.clause("CONFIG-015~1")
@pytest.mark.parametrize(
    ("named", "fragment"),
    [
        *(("empty", "Model archive not found"), ("nowhere", "does not exist"), ("empty/wts.h5", "does not exist")),
        ("full/other.h5", "does not exist"),
    ],
    ids=["empty-folder", "no-folder", "no-archive", "beside-an-archive"],
)
def test_a_missing_bundle_is_refused(backend: Proxy, observe: Observer, tmp_path: Path, named: str, fragment: str) -> None:
    """A folder without the archive and a path that leads nowhere are told apart.

    If this fails, suspect a check left to whoever opens the bundle.
    """
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    inputs.put(tmp_path / "full" / "wts.h5.zip", "an archive")
    config = configs.inference(backend, model=backend.canonical("model"), model_path=tmp_path / named)

    with observe.raises("validated", ValueError, fragment):
        backend.validate(config)


@pytest.mark.clause("CONFIG-016~1")
def test_yaml_is_read_into_a_mapping(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The reader returns what the file holds.

    If this fails, suspect a reader that converts values of its own accord.
    """
    path = tmp_path / "experiment.yaml"
    path.write_text("gridsize: 2\nmodel:\n  N: 128\nfiles: [a.npz, b.npz]\n", encoding="utf-8")

    found = backend.read_yaml(path)

    observe.equal("content", dict(found), {"gridsize": 2, "model": {"N": 128}, "files": ["a.npz", "b.npz"]})


@pytest.mark.clause("CONFIG-016~1")
@pytest.mark.parametrize("content", [None, "gridsize: [2\n"], ids=["absent", "broken"])
def test_errors_of_reading_yaml_name_the_file(backend: Proxy, observe: Observer, tmp_path: Path, content: str | None) -> None:
    """A file that is not there or cannot be parsed is named in the message.

    If this fails, suspect an exception that was replaced instead of extended.
    """
    path = tmp_path / "experiment.yaml"
    inputs.put(path, content)

    with observe.raises("reading", Exception, "experiment.yaml"):
        backend.read_yaml(path)
