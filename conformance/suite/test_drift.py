"""What ptychodus uses of a backend is there: read from the source of both, without running either."""

from __future__ import annotations

import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import drift

BOTH = pytest.mark.parametrize("package", drift.PACKAGES)


@BOTH
@pytest.mark.clause("DRIFT-001~1")
def test_the_modules_are_there(backend: Proxy, observe: Observer, package: str) -> None:
    """Every module that the client imports exists.

    If this fails, suspect a module that was renamed, or moved into a package below.
    """
    observe.equal("missing", drift.told(drift.findings(backend, package), "missing module"), [])


@BOTH
@pytest.mark.clause("DRIFT-002~1")
def test_the_names_of_the_modules_are_there(backend: Proxy, observe: Observer, package: str) -> None:
    """Every name that the client takes from a module is bound there.

    If this fails, suspect a function that moved, or a re-export that was cleaned up.
    """
    observe.equal("missing", drift.told(drift.findings(backend, package), "missing name"), [])


@BOTH
@pytest.mark.clause("DRIFT-003~1")
def test_objects_have_the_attributes_and_methods(backend: Proxy, observe: Observer, package: str) -> None:
    """Classes, objects and results have what the client uses of them.

    If this fails, suspect a method that was renamed, or that this line never had.
    """
    observe.equal("missing", drift.told(drift.findings(backend, package), "missing attribute"), [])


@BOTH
@pytest.mark.clause("DRIFT-004~1")
def test_functions_take_what_they_are_given(backend: Proxy, observe: Observer, package: str) -> None:
    """Keywords and positional arguments are taken.

    If this fails, suspect a parameter that was renamed, removed, or made positional.
    """
    observe.equal("not taken", drift.told(drift.findings(backend, package), "missing parameter"), [])


@BOTH
@pytest.mark.clause("DRIFT-005~1")
def test_functions_need_nothing_else(backend: Proxy, observe: Observer, package: str) -> None:
    """Nothing without a default is left that the client does not give.

    If this fails, suspect a new parameter without a default.
    """
    observe.equal("needed", drift.told(drift.findings(backend, package), "missing argument"), [])


@BOTH
@pytest.mark.clause("DRIFT-006~1")
def test_configurations_have_the_fields(backend: Proxy, observe: Observer, package: str) -> None:
    """Every field that the client gives or sets is one.

    If this fails, suspect a field that was renamed, or that only a branch of the backend has.
    """
    observe.equal("missing", drift.told(drift.findings(backend, package), "missing field"), [])


@BOTH
@pytest.mark.clause("DRIFT-007~1")
def test_types_are_those_that_are_sent(backend: Proxy, observe: Observer, package: str) -> None:
    """What the client sends is of a kind, and of an enumeration a value, that the backend takes.

    If this fails, suspect a setting that changed its type, or an enumeration whose value was renamed.
    """
    observe.equal("different", drift.told(drift.findings(backend, package), "different type"), [])


@BOTH
@pytest.mark.clause("DRIFT-008~1")
def test_defaults_agree(backend: Proxy, observe: Observer, package: str) -> None:
    """The defaults are those of the client's settings.

    If this fails, suspect nothing broken: one of both was tuned.
    """
    observe.equal("different", drift.told(drift.findings(backend, package), "different default"), [])


@BOTH
@pytest.mark.clause("DRIFT-009~1")
def test_what_the_client_sets_can_be_set(backend: Proxy, observe: Observer, package: str) -> None:
    """No attribute that the client assigns is frozen.

    If this fails, suspect a dataclass that was frozen.
    """
    observe.equal("frozen", drift.told(drift.findings(backend, package), "cannot be set"), [])


@BOTH
@pytest.mark.clause("DRIFT-010~1")
def test_none_is_declared_where_it_is_sent(backend: Proxy, observe: Observer, package: str) -> None:
    """Where the client sends None, the annotation admits it.

    If this fails, suspect an annotation first, then the code.
    """
    observe.equal("undeclared", drift.told(drift.findings(backend, package), "undeclared None"), [])
