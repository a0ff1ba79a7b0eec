"""What no check runs: statements inside of functions, told by file with their lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.defects import mutation_run, mutations, unreached

TEXT = '''"""A file."""

SIDE = 64


def turned(side: int) -> int:
    """Turned."""
    found: int
    if side > SIDE:
        raise ValueError(
            "too wide",
        )
    try:
        found = int(side)
    except TypeError:
        found = 0

    def inner() -> int:
        return found

    return inner()


class Kept:
    def never(self) -> None:
        self.a = 1
'''
RUN = {"A-1:one": {"lines": {"data/a.py": [3, 9, 13]}}, "A-2:two": {"lines": {"data/a.py": [14, 18, 21], "data/b.py": [1]}}}


def test_what_runs_in_no_check_is_told_and_what_is_no_code_is_not() -> None:
    """A head runs by its own lines, not by its body's; documentation and a bare annotation are no code."""
    (found,) = unreached.unreached(RUN, {"data/a.py": TEXT, "data/c.py": "SIDE = 3\n"})

    assert found == unreached.File("data/a.py", 9, (10, 16, 19, 26), ("turned.inner", "Kept.never"))
    shown = unreached.shown([found], {"data/a.py": TEXT})
    assert shown[0] == "data/a.py: 4 of 9 statements; never called: turned.inner, Kept.never"
    assert shown[2] == "    16          found = 0" and shown[-1] == "4 statements in 1 files are run by no check"


def test_a_statement_of_several_lines_runs_where_one_of_them_does() -> None:
    lines = {"A-1:one": {"lines": {"data/a.py": [9, 11, 13, 14, 16, 18, 19, 21, 26]}}}

    assert unreached.unreached(lines, {"data/a.py": TEXT}) == []


def test_the_verb_shows_the_folders_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also those of which no mutation is drawn; the reference's own tests are no part of it."""
    for name in ("data/a.py", "cli/b.py", "tests/c.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(TEXT)
    asked: list[Any] = []
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setattr(mutation_run, "package", lambda: tmp_path)
    monkeypatch.setattr(mutation_run.mutation_map, "mapped", lambda path, texts, *rest: asked.append(texts) or RUN)

    assert set(mutations.everything(tmp_path)) == {"data/a.py", "cli/b.py"}
    assert main(["mutation", "cli", "--unreached", "--folder", str(tmp_path / "kept")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("cli/b.py: 9 of 9 statements") and "data/a.py" not in told
    assert set(asked[0]) == {"data/a.py", "cli/b.py"}
    assert main(["mutation", "optics", "--unreached", "--folder", str(tmp_path / "kept")]) == 4
    assert "no optics in the reference; there is cli, data" in capsys.readouterr().err
