"""`conform report --validate`: what is wrong with a report is told by name and line; a killed writer fakes no footer."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.evidence import report as reports
from conformance.pages.shape import COMPARISON, SCHEMA, check_shapes
from conformance.plugin.recorder import Recorder
from conformance.selftest.house import House
from conformance.selftest.pages import SHA, footer, result, texts
from conformance.specification.lint import LOCK


def edit(lines: list[str], place: int, **changes: Any) -> list[str]:
    """One line changed, the report signed anew."""
    line = json.loads(lines[place]) | changes
    return signed([*lines[:place], reports.encode(line), *lines[place + 1 : -1]])


def signed(lines: list[str]) -> list[str]:
    """Some lines with a footer that belongs to them."""
    return [*lines, footer(lines)]


SPOILT: list[tuple[str, Callable[[list[str]], list[str]], str, int]] = [
    ("empty", lambda t: [], "EmptyReport", 0),
    ("headless", lambda t: t[1:], "EmptyReport", 1),
    ("footless", lambda t: t[:-1], "MissingFooter", 11),
    ("removed", lambda t: [*t[:3], *t[4:]], "BadDigest", 11),
    ("doubled", lambda t: [*t[:3], t[2], *t[3:]], "BadDigest", 13),
    ("edited", lambda t: [*t[:2], t[2].replace("fail", "pass"), *t[3:]], "BadDigest", 12),
    ("torn", lambda t: [*t[:4], t[4][:30] + "\n", *t[5:]], "BadDigest", 5),
    ("list", lambda t: [*t[:4], "[]\n", *t[5:]], "BadDigest", 5),
    ("doubled and signed", lambda t: signed([*t[:3], t[2], *t[3:-1]]), "DuplicateCheck", 4),
    ("removed and signed", lambda t: signed([*t[:3], *t[4:-1]]), "UnbalancedCounts", 11),
    ("blocked twice and signed", lambda t: signed([*t[:-1], t[-2]]), "DuplicateCheck", 12),
    ("unknown clause", lambda t: edit(t, 5, clauses=["PHYS-099~1"]), "UnknownClause", 6),
    ("other lock", lambda t: edit(t, 0, lock="0" * 64), "LockMismatch", 1),
    ("no lock", lambda t: edit(t, 0, lock=None), "LockMismatch", 1),
    ("other state", lambda t: edit(t, 3, state="passed"), "MalformedLine", 4),
    ("no evidence", lambda t: edit(t, 3, observations=[]), "MalformedLine", 4),
    ("silent red", lambda t: edit(t, 2, message=""), "MalformedLine", 3),
    ("place outside", lambda t: edit(t, 2, artefacts={"x": "../../secret"}), "MalformedLine", 3),
    ("strange kind", lambda t: edit(t, 3, kind="note"), "MalformedLine", 4),
]


def closed_objects(schema: Any, place: str = "#") -> list[tuple[str, set[str], set[str]]]:
    """`(where, required, known)` of every object of a schema that takes no other fields than those it knows."""
    parts = schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    found = [one for name, part in parts for one in closed_objects(part, f"{place}/{name}")]
    closed = isinstance(schema, dict) and schema.get("additionalProperties") is False
    return [*found, (place, set(schema.get("required", ())), set(schema.get("properties", ())))] if closed else found


@pytest.mark.parametrize("path", [SCHEMA, COMPARISON], ids=["report", "comparison"])
def test_no_schema_asks_for_a_field_that_it_refuses(path: Path) -> None:
    found = closed_objects(json.loads(path.read_text(encoding="utf-8")))
    assert len(found) > 2 and [(place, asked - known) for place, asked, known in found if asked - known] == []


def refusal(lines: list[str]) -> reports.ReportError | None:
    """What `--validate` finds, in its order: shapes, then the whole."""
    try:
        check_shapes(lines)
        reports.read("".join(lines), lock=SHA)
    except reports.ReportError as error:
        return error
    return None


def test_a_sound_report_is_valid() -> None:
    assert refusal(texts()) is None


@pytest.mark.parametrize(("spoil", "name", "line"), [row[1:] for row in SPOILT], ids=[row[0] for row in SPOILT])
def test_a_report_is_refused_by_name_and_line(spoil: Callable[[list[str]], list[str]], name: str, line: int) -> None:
    error = refusal(spoil(texts()))
    assert (type(error).__name__, error.line if error else None) == (name, line)


def test_the_schema_is_one() -> None:
    from jsonschema import Draft202012Validator

    from conformance.pages.shape import SCHEMA

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    whole = Draft202012Validator(schema)
    assert [line for text in texts() for line in whole.iter_errors(json.loads(text))] == []
    assert not whole.is_valid(json.loads(texts()[2]) | {"state": "green"})


def test_a_real_run_is_valid_until_a_word_of_the_specification_changes(house: House) -> None:
    assert house.conform("run", "--workers", "0").returncode == 0
    folder = str(house.folder())
    sound = house.conform("report", folder, "--validate")
    assert (sound.returncode, sound.stderr) == (0, "")
    (house.specs / LOCK).write_text((house.specs / LOCK).read_text(encoding="utf-8") + "\n", encoding="utf-8")
    other = house.conform("report", folder, "--validate")
    assert other.returncode == 6
    assert "report.jsonl:1: LockMismatch: " in other.stderr


def test_no_report_is_a_usage_error(house: House) -> None:
    done = house.conform("report", str(house.root))
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "expected a run's folder with report.jsonl" in done.stderr


def recorded(path: Path, lines: list[str]) -> None:
    """The lines as the plug-in's recorder writes them."""
    recorder = SimpleNamespace(lines=[], file=path, lost=False)
    for text in lines:
        Recorder._write(recorder, json.loads(text))  # type: ignore[arg-type]


def torn(path: Path, lines: list[str]) -> None:
    """The lines in halves, as a full buffer would write them."""
    for text in lines:
        for part in (text[: len(text) // 2], text[len(text) // 2 :]):
            with path.open("a", encoding="utf-8") as stream:
                stream.write(part)


@pytest.mark.parametrize("write", [recorded, torn])
def test_a_writer_that_is_killed_fakes_no_footer(tmp_path: Path, write: Callable[[Path, list[str]], None]) -> None:
    """100 SIGKILLs at seeded moments, once for each way to write: a report validates only if every line of it is there."""
    chance, lines = random.Random(20), texts(tuple(result(f"PHYS-001:light_adds[{n}]@cpu") for n in range(40)))
    began = time.monotonic()
    write(tmp_path / "whole.jsonl", lines)
    long, valid = time.monotonic() - began, 0
    for number in range(100):
        path = tmp_path / f"{number}.jsonl"
        child = os.fork()
        if child == 0:
            try:
                write(path, lines)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 1.3 * long))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        whole = found == lines
        assert (refusal(found) is None) == whole
        valid += whole
    assert valid < 90, "nearly every child had ended before it was killed"
