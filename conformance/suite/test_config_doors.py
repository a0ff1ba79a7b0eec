"""CONFIG, EXEC: every field, through every door that a configuration passes: all stated, one alone, one left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import doors, factories, reactions

RUNS = pytest.mark.parametrize("kind", ["training", "inference"])


@pytest.mark.clause("CONFIG-010~1")
@pytest.mark.parametrize("kind", ["model", "training", "inference"])
def test_a_field_is_what_was_said_or_its_default(backend: Any, observe: Observer, kind: str) -> None:
    """Whatever else is said. If this fails, suspect two fields that are exchanged, or a default that follows a neighbour."""
    observe.equal("fields that differ", doors.constructed(backend, kind), {})


@pytest.mark.clause("CONFIG-021~1", "CONFIG-022~1")
@RUNS
def test_each_field_stands_in_the_flat_form(backend: Any, observe: Observer, kind: str) -> None:
    """Under its key. If this fails, suspect a list of names written by hand, or the truth value of a setting."""
    observe.equal("fields that differ", doors.flattened(backend, kind), {}, clause=("CONFIG-021", "CONFIG-022"))


@pytest.mark.clause("CONFIG-005~1", "CONFIG-022~1", needs=("CONFIG-002",))
@RUNS
@pytest.mark.parametrize("way", doors.WRITE)
def test_each_field_replaces_what_another_run_has_left(backend: Any, observe: Observer, kind: str, way: str) -> None:
    """Zero, false and defaults too. If this fails, suspect a value that is compared with a default, or its truth value."""
    found = doors.synchronised(backend, kind, doors.WRITE[way](backend))

    observe.equal("fields that differ", found, {}, clause=("CONFIG-005", "CONFIG-022"))


@pytest.mark.clause("CONFIG-016~1")
@RUNS
def test_each_field_comes_out_of_a_file_of_settings(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """As it stands there. If this fails, suspect a reader that knows a part of the settings."""
    observe.equal("fields that differ", doors.through_yaml(backend, kind, tmp_path), {})


@pytest.mark.axes("factory:registry")
@pytest.mark.clause("CONFIG-061~1", needs=("CONFIG-060",))
@RUNS
def test_each_override_is_in_force_everywhere(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Canonical object, backend's side, registry and audit; what is left out is as if nothing were said.

    If this fails, suspect a factory that fills two objects separately, or one that takes the registry for a default.
    """
    found, _ = reactions.quietly(lambda: factories.payloads(backend, factories.factory(backend, kind, tmp_path)))

    observe.equal("fields that differ", found, {})


@pytest.mark.clause("EXEC-001~1")
def test_a_setting_of_the_execution_is_what_was_said_or_its_default(backend: Any, observe: Observer) -> None:
    """Whatever else is said. If this fails, suspect two settings that are exchanged."""
    observe.equal("fields that differ", doors.constructed(backend, "execution"), {})


@pytest.mark.clause("CONFIG-060~1", "CONFIG-061~1")
def test_the_factory_hands_on_each_setting_of_the_execution(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As given, to the training too. If this fails, suspect a configuration that is made anew from a list of names, or a setting
    that waits for another one.
    """
    differing = factories.given_execution(backend, tmp_path)

    observe.equal("fields that differ", differing, {}, clause=("CONFIG-060", "CONFIG-061"))


@pytest.mark.clause("EXEC-005~1", needs=("CONFIG-060",))
def test_each_override_stands_above_the_execution(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """And nothing else of it changes. If this fails, suspect a list of the settings that may be overridden."""
    observe.equal("fields that differ", factories.overridden_execution(backend, tmp_path), {})


@pytest.mark.clause("EXEC-011~1")
@pytest.mark.parametrize("mode", ["training", "inference"])
def test_each_flag_sets_its_setting_and_no_other(backend: Any, observe: Observer, mode: str) -> None:
    """All of them, one alone, all but one. If this fails, suspect a flag that is read for two settings."""
    found, _ = reactions.quietly(lambda: factories.flagged(backend, mode))

    observe.equal("fields that differ", found, {})


@pytest.mark.clause("CONFIG-050~1")
def test_each_own_setting_of_a_model_becomes_canonical(backend: Any, observe: Observer) -> None:
    """And none becomes two. If this fails, suspect two settings that are exchanged, or one that another follows."""
    observe.equal("fields that differ", factories.translated(backend, "model"), {})


@pytest.mark.clause("CONFIG-051~1")
def test_each_own_setting_of_a_training_becomes_canonical(backend: Any, observe: Observer) -> None:
    """And none becomes two. If this fails, suspect two settings that are exchanged, or one that another follows."""
    observe.equal("fields that differ", factories.translated(backend, "training"), {})


@pytest.mark.clause("CONFIG-050~1")
def test_each_override_stands_above_a_models_own_settings(backend: Any, observe: Observer) -> None:
    """And changes nothing else. If this fails, suspect overrides that are taken one by one."""
    observe.equal("fields that differ", factories.overruled(backend, "model"), {})


@pytest.mark.clause("CONFIG-051~1")
def test_each_override_stands_above_a_trainings_own_settings(backend: Any, observe: Observer) -> None:
    """And changes nothing else. If this fails, suspect overrides that are taken one by one."""
    observe.equal("fields that differ", factories.overruled(backend, "training"), {})


@pytest.mark.clause("CONFIG-054~1")
def test_each_override_of_an_inference_arrives(backend: Any, observe: Observer) -> None:
    """And changes nothing else. If this fails, suspect overrides that are taken one by one."""
    observe.equal("fields that differ", factories.overruled(backend, "inference"), {})
