"""Rows that no longer find what they change are told before anything is tried."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.backends.reference import Reference
from conformance.defects import changes, rehearsal, trial_run
from conformance.defects.changes import Change
from reference_impl import errors
from reference_impl.config import ModelConfig

LOST = {
    "text": (changes.source("errors.py", "no such words", ""), "errors.py has 0 places 'no such words', expected one"),
    "several": (changes.source("errors.py", "self", "other"), "expected one"),
    "no Python": (changes.source("errors.py", "class ContractError(", "class ("), "SyntaxError"),
    "file": (changes.source("no_such_file.py", "", "x"), "no_such_file.py"),
    "gone": (changes.removed("no_such_file.py"), "no_such_file.py is no file"),
    "function": (changes.function(lambda: 1, changes.result(str)), "is held by no module"),
    "method": (changes.method(ModelConfig, "no_such_method", changes.result(str)), "no_such_method"),
    "constant": (changes.constant(errors, "NO_SUCH_NAME", 1), "NO_SUCH_NAME"),
    "answer": (changes.answer("no_such_question", changes.result(str)), "no_such_question"),
}


@pytest.mark.parametrize("what", LOST)
def test_what_is_not_there_is_told(what: str) -> None:
    change, told = LOST[what]

    assert told in rehearsal._looked(change, Reference).why


def test_nothing_is_changed_by_looking() -> None:
    """Neither in this process nor in a file, and several changes of one place are made in their order."""
    text = Path(str(errors.__file__)).read_text(encoding="utf-8")
    row: Change = changes.every(
        changes.source("errors.py", "class ContractError(", "class (ContractError("),
        changes.source("errors.py", "class (ContractError(", "class Other("),
        changes.method(ModelConfig, "__eq__", changes.instead(None)),
        changes.constant(errors, "__doc__", "other words"),
    )

    assert rehearsal._looked(row, Reference).why == ""
    assert Path(str(errors.__file__)).read_text(encoding="utf-8") == text
    assert ModelConfig() == ModelConfig() and "reference_impl" in sys.modules


@pytest.mark.parametrize("scheme", ["mutant", "twin"])
def test_every_row_finds_what_it_changes(scheme: str) -> None:
    assert rehearsal.misplaced(rehearsal.looked(trial_run.entries((), scheme).values())) == {}


def test_nothing_is_tried_where_a_row_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rehearsal, "misplaced", lambda looked: {"GUARD-X": "errors.py has 0 places"})
    monkeypatch.setattr(trial_run, "run", lambda *_: pytest.fail("trials were started"))

    with pytest.raises(LookupError, match="GUARD-X: errors.py has 0 places.*nothing was tried"):
        trial_run.perform(trial_run.Asked(only=("physics",), output=tmp_path))
    with pytest.raises(LookupError, match="GUARD-X"):
        trial_run.variations(trial_run.Asked(output=tmp_path))
