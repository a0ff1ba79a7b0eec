"""The training payload: parts, precedence, channels, aliases, audit."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import backend_sides, configs, inputs, reactions

PARTS = ("tf_training_config", "pt_data_config", "pt_model_config", "pt_training_config", "pt_inference_config")


@pytest.mark.clause("CONFIG-060~1")
def test_the_payload_has_its_parts(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """One object carries the canonical, the backend-side and the execution configuration, and the audit.

    If this fails, suspect a part left to be made later, or a field that one side reads and the other never declared.
    """
    given = configs.execution(backend, accum_steps=1)

    with observe.accepts("one override"):
        payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21}, given)

    observe.equal(
        "missing", [name for name in (*PARTS, "execution_config", "overrides_applied") if not hasattr(payload, name)], []
    )
    canonical = [name for name in configs.FIELDS["training"] if not hasattr(payload.tf_training_config, name)]
    observe.equal("canonical fields missing", canonical, [])
    names = configs.FIELDS["execution"]
    observe.equal("execution", configs.attributes(payload.execution_config, names), configs.attributes(given, names))


@pytest.mark.clause("CONFIG-060~1")
def test_without_an_execution_configuration_there_is_a_default_one(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The payload then carries the defaults of EXEC-001.

    If this fails, suspect a part that is None.
    """
    names = [name for name in configs.FIELDS["execution"] if name != "accelerator"]

    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21})

    expected = configs.attributes(configs.by_default(backend, "execution"), names)
    observe.equal("execution", configs.attributes(payload.execution_config, names), expected)


@pytest.mark.clause("CONFIG-061~1", "EXEC-005~1", needs=("CONFIG-060",))
@pytest.mark.parametrize(
    ("overrides", "execution", "expected"),
    [
        ({"learning_rate": 3e-4}, {"learning_rate": 7e-4}, 3e-4),
        ({"learning_rate": 3e-4}, {}, 3e-4),
        ({}, {"learning_rate": 7e-4}, 7e-4),
        ({}, {}, 1e-3),
    ],
    ids=["both", "override", "execution", "neither"],
)
def test_explicit_beats_execution_beats_default(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any], execution: dict[str, Any], expected: float
) -> None:
    """The winner is what the training uses and what the audit records.

    If this fails, suspect two sources merged in the wrong order.
    """
    given = backend.canonical("execution", accelerator="cpu", **execution)

    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21, **overrides}, given)

    observe.equal(
        "used", backend_sides.said(payload, "learning_rate", otherwise=expected), expected, clause=("CONFIG-061", "EXEC-005")
    )
    observe.equal("audited", payload.overrides_applied["learning_rate"], expected, clause="EXEC-005")


@pytest.mark.clause("CONFIG-061~1")
@pytest.mark.parametrize("overrides", [dict(configs.OVERRIDES), {"n_groups": 21}], ids=["stated", "defaults"])
def test_both_sides_of_a_payload_say_the_same(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any]
) -> None:
    """What the canonical and the backend-side objects say about one setting agrees.

    If this fails, suspect two objects filled separately.
    """
    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", overrides)

    canonical, backend_side = configs.both_sides(backend, payload)
    observe.equal("backend-side", backend_side, canonical)


@pytest.mark.clause("CONFIG-061~1")
def test_overrides_reach_the_canonical_object(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Each stated override is what the canonical configuration says.

    If this fails, suspect overrides that are applied before the defaults.
    """
    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", dict(configs.OVERRIDES))

    flat = backend.flatten(payload.tf_training_config)
    observe.equal("values", configs.chosen(flat, configs.OVERRIDDEN), configs.OVERRIDDEN)


@pytest.mark.axes("factory:g")
@pytest.mark.clause("CONFIG-063~2", needs=("CONFIG-060",))
@pytest.mark.parametrize("gridsize", [1, 2, 3])
def test_channels_follow_the_grid_size(backend: Proxy, observe: Observer, tmp_path: Path, gridsize: int) -> None:
    """Grid and channels agree everywhere, after a payload that said otherwise.

    If this fails, suspect a number of channels set only where it was absent.
    """
    file = inputs.data_file(tmp_path)
    backend.payload(file, tmp_path / "out", {"n_groups": 5, "gridsize": 3 - gridsize // 2, "K": 11})

    payload = backend.payload(file, tmp_path / "out", {"n_groups": 5, "gridsize": gridsize, "K": 11})

    channels = gridsize**2
    observe.equal("grid", tuple(payload.pt_data_config.grid_size), (gridsize, gridsize))
    observe.equal("C", payload.pt_data_config.C, channels)
    observe.equal("C_model", payload.pt_model_config.C_model, channels)
    observe.equal("C_forward", payload.pt_model_config.C_forward, channels)
    observe.equal("canonical", payload.tf_training_config.model.gridsize, gridsize)


@pytest.mark.clause("CONFIG-066~1", needs=("CONFIG-060",))
def test_the_audit_states_what_is_in_force(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Execution settings and explicit overrides all stand in the audit.

    If this fails, suspect an audit that copies the overrides and leaves the execution configuration out.
    """
    given = configs.execution(backend, accum_steps=1)
    expected = {**configs.chosen({**configs.EXECUTION, "accum_steps": 1}, configs.AUDITED), **configs.OVERRIDES}

    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", dict(configs.OVERRIDES), given)

    observe.equal("audit", configs.chosen(payload.overrides_applied, expected), expected)


@pytest.mark.clause("CONFIG-067~1", needs=("CONFIG-060",))
def test_the_callers_overrides_stay_as_they_are(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The mapping is read and never written, so that one that cannot be written does as well.

    If this fails, suspect a `pop`, or an entry written while the overrides are worked through.
    """
    overrides, file = dict(configs.OVERRIDES), inputs.data_file(tmp_path)

    backend.payload(file, tmp_path / "out", overrides)

    observe.equal("overrides", overrides, configs.OVERRIDES)
    locked = MappingProxyType(overrides)
    observe.equal("refusal", reactions.refusal(lambda: backend.payload(file, tmp_path / "out", locked)), "")


@pytest.mark.clause("CONFIG-068~1", "CONFIG-066~1", needs=("CONFIG-060",))
@pytest.mark.parametrize(
    ("alias", "value", "canonical", "name", "expected"),
    [
        ("max_epochs", 3, "nepochs", "epochs", 3),
        ("neighbor_count", 7, "neighbor_count", "K", 7),
        ("model_type", "supervised", "model_type", "mode", "Supervised"),
        ("model_type", "pinn", "model_type", "mode", "Unsupervised"),
    ],
    ids=["max_epochs", "neighbor_count", "supervised", "pinn"],
)
def test_aliases_take_effect_on_both_sides(
    backend: Proxy, observe: Observer, tmp_path: Path, alias: str, value: Any, canonical: str, name: str, expected: Any
) -> None:
    """The canonical spelling of a setting works like the backend's own.

    If this fails, suspect an alias known to one of the two sides.
    """
    payload = backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 3, alias: value})

    observe.equal("backend-side", backend_sides.said(payload, name, otherwise=expected), expected, clause="CONFIG-068")
    observe.equal("canonical", backend.flatten(payload.tf_training_config)[canonical], value, clause="CONFIG-068")
    observe.equal("audit", payload.overrides_applied.get(alias), value, clause="CONFIG-066")


TWICE = [
    ("epochs", 5, "max_epochs", 9, "nepochs"),
    ("max_epochs", 9, "epochs", 5, "nepochs"),
    ("neighbor_count", 7, "K", 9, "neighbor_count"),
]


@pytest.mark.clause("CONFIG-079~2", needs=("CONFIG-060", "CONFIG-068"))
@pytest.mark.parametrize(("one", "value", "other", "another", "canonical"), TWICE, ids=["epochs", "max_epochs", "neighbor_count"])
def test_two_names_of_a_setting_agree(
    backend: Proxy, observe: Observer, tmp_path: Path, one: str, value: int, other: str, another: int, canonical: str
) -> None:
    """Or one of them is named in a refusal. If this fails, suspect aliases that are translated one by one."""
    file = inputs.data_file(tmp_path)

    with observe.accepts("one value under two names"):
        payload = backend.payload(file, tmp_path / "out", {"n_groups": 3, one: value, other: value})
    with observe.raises("refusal", ValueError, (one, other)):
        backend.payload(file, tmp_path / "out", {"n_groups": 3, one: value, other: another})

    observe.equal("in force", backend.flatten(payload.tf_training_config)[canonical], value)


@pytest.mark.clause("CONFIG-079~2", needs=("CONFIG-060", "CONFIG-068"))
@pytest.mark.parametrize("order", [("mode", "model_type"), ("model_type", "mode")], ids=["mode", "model_type"])
def test_two_vocabularies_of_a_setting_agree(backend: Proxy, observe: Observer, tmp_path: Path, order: tuple[str, str]) -> None:
    """`Supervised` is `supervised`, and not `pinn`. If this fails, suspect a translation that the other name overwrites."""
    file, both = inputs.data_file(tmp_path), {"mode": "Supervised", "model_type": "supervised"}
    agreed, contrary = ({name: {**both, **other}[name] for name in order} for other in ({}, {"model_type": "pinn"}))

    with observe.accepts("one value in two vocabularies"):
        payload = backend.payload(file, tmp_path / "out", {"n_groups": 3, **agreed})
    with observe.raises("refusal", ValueError, ("mode", "model_type")):
        backend.payload(file, tmp_path / "out", {"n_groups": 3, **contrary})

    observe.equal("in force", backend.flatten(payload.tf_training_config)["model_type"], "supervised")
