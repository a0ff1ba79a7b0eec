"""The ledger's chain and the states of its checks: lines made by hand, no run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.evidence import ledger_file
from conformance.evidence.ledger import (
    BadLine,
    DoubledLine,
    EditedLine,
    Head,
    Ledger,
    LedgerError,
    RemovedLine,
    chained,
    digest,
    reason_of,
    split,
    verify,
)
from conformance.evidence.standing import Known, Standing, killers, scenarios_of, standings
from conformance.selftest.house import House, check
from conformance.specification.bindings import scan

UNIT, SCENARIO, CHAIN = "PHYS-001:unit[g2]@cpu", "PHYS-002:whole@cpu", "CLI-010:train_save_load_infer@cpu"
KNOWN = Known(
    revisions={"PHYS-001": "PHYS-001~1", "PHYS-002": "PHYS-002~1", "CLI-010": "CLI-010~1"},
    scenarios={"PHYS-001:unit": {"PHYS-002:whole": True, "CLI-010:train_save_load_infer": False}},
)
PASSING = ((SCENARIO, "pass"), (CHAIN, "pass"))


def draft(check_id: str = UNIT, state: str = "pass", event: str = "run", revision: int = 1, **more: Any) -> dict[str, Any]:
    """An entry before it is chained, from a clean checkout."""
    made = {"kind": "entry", "utc": "2026-01-01T00:00:00Z", "check": check_id, "event": event, "state": state}
    made |= {"clauses": [f"{check_id.split(':')[0]}~{revision}"], "artefact": "a.log", "commit": "c", "dirty": False}
    return made | {"diff": None, "versions": {}, "report": None} | more


def text(*drafts: dict[str, Any]) -> str:
    """A ledger's text."""
    return chained(Ledger(), list(drafts))[0]


def five() -> tuple[list[str], Head]:
    """The lines of a ledger of five, and its head."""
    whole, head, _ = chained(Ledger(), [draft(artefact=f"{number}.log") for number in range(1, 6)])
    return split(whole)[0], head


def stand(*entries: dict[str, Any], known: Known = KNOWN, of: str = UNIT) -> Standing:
    """Where one check stands after some entries."""
    return next(row for row in standings(verify(text(*entries)).entries, known) if row.check == of)


# -- the chain -----------------------------------------------------------------------------------------------------------------


def test_every_line_holds_the_digest_of_the_line_before() -> None:
    lines, head = five()
    found = verify("".join(lines), head)
    assert [line["seq"] for line in found.lines] == [1, 2, 3, 4, 5] and found.head == head
    assert [line["prev"] for line in found.lines[1:]] == [digest(line) for line in lines[:-1]]
    assert [line["attempt"] for line in found.lines] == [1, 2, 3, 4, 5]


def refused(lines: list[str], written: Head | None, error: type[LedgerError], number: int, words: str) -> None:
    with pytest.raises(error) as caught:
        verify("".join(lines), written)
    assert type(caught.value) is error and caught.value.number == number
    assert str(caught.value).startswith(f"line {number}: ") and words in str(caught.value)


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_removed_line_is_named(at: int) -> None:
    lines, head = five()
    refused(lines[: at - 1] + lines[at:], head, RemovedLine, at, "removed")


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
def test_a_doubled_line_is_named(at: int) -> None:
    lines, head = five()
    refused([*lines[:at], lines[at - 1], *lines[at:]], head, DoubledLine, at + 1, f"line {at} stands here again")


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("old", "new"), [('"state":"pass"', '"state":"fail"'), ('"prev":"', '"prev":"0'), ('"seq":', '"seq":7')])
def test_an_edited_line_is_named(at: int, old: str, new: str) -> None:
    lines, head = five()
    assert old in lines[at - 1]
    lines[at - 1] = lines[at - 1].replace(old, new)
    refused(lines, head, EditedLine, at, "edited")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{\n", "no JSON"),
        ("\n", "no JSON"),
        ("[1]\n", "no entry, row, attestation or note"),
        ('{"kind":"entry","seq":3}\n', "it lacks prev, utc"),
    ],
)
def test_a_line_that_is_none_is_named(line: str, words: str) -> None:
    lines, head = five()
    refused([*lines[:2], line, *lines[3:]], head, BadLine, 3, words)


def test_an_unknown_event_is_named() -> None:
    refused([text(draft(event="guess"))], None, BadLine, 1, "unknown event 'guess'; known: red, green, blocked, run")


def test_a_forged_chain_is_not_the_one_that_was_written() -> None:
    _, head = five()
    forged = split(text(*[draft(artefact="x.log") for _ in range(5)]))[0]
    refused(forged, head, EditedLine, 5, "edited")


def test_what_is_torn_is_no_evidence_and_no_break() -> None:
    lines, head = five()
    found = verify("".join(lines) + lines[0][:-1], head)
    assert len(found.lines) == 5 and found.torn == lines[0][:-1]


# -- on disk -------------------------------------------------------------------------------------------------------------------


def test_a_ledger_torn_anywhere_goes_on_with_a_note(tmp_path: Path) -> None:
    whole = text(draft(), draft(state="fail", reason={"found": "größer"})).encode()
    first = whole.index(b"\n") + 1
    for length in [*range(first, len(whole), 7), len(whole) - 1]:
        path = tmp_path / f"{length}.jsonl"
        path.write_bytes(whole[:length])
        ledger_file.append(path, [draft(artefact="later.log")])
        lines = ledger_file.read(path).lines
        torn = whole[first:length].decode()
        assert [line.get("torn", line.get("artefact")) for line in lines] == ["a.log", *([torn] if torn else []), "later.log"]


def test_lines_cut_off_the_end_are_missed(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    assert ledger_file.append(path, [draft(), draft()]) == [1, 2] and ledger_file.append(path, [draft()]) == [3]
    lines = split(path.read_text())[0]
    path.write_text("".join(lines[:2]))
    with pytest.raises(RemovedLine, match="line 3: removed: 3 lines were written, 2 are left"):
        ledger_file.read(path)
    path.unlink()
    with pytest.raises(RemovedLine, match="line 1: removed: 3 lines were written, 0 are left"):
        ledger_file.read(path)


def test_nothing_is_written_behind_a_broken_chain(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    ledger_file.append(path, [draft(), draft()])
    broken = path.read_text().replace("pass", "fail", 1)
    path.write_text(broken)
    with pytest.raises(EditedLine, match="line 1: edited"):
        ledger_file.append(path, [draft()])
    assert path.read_text() == broken


def test_a_disk_that_takes_a_part_leaves_the_ledger_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b.jsonl"
    ledger_file.append(path, [draft()])
    before = path.read_bytes()
    whole = ledger_file.os.write
    monkeypatch.setattr(ledger_file.os, "write", lambda file, data: whole(file, data[:20]))
    with pytest.raises(OSError, match="20 of .* bytes could be written; the ledger was left as it was"):
        ledger_file.append(path, [draft()])
    assert path.read_bytes() == before and len(ledger_file.read(path).lines) == 1


def test_a_result_of_a_run_is_entered_once_however_often_it_is_added(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    run = [draft(f"PHYS-001:{name}@cpu", report="r") for name in "abc"]
    assert ledger_file.append(path, run[:2]) == [1, 2], "as far as a killed writer came"
    assert ledger_file.append(path, run) == [3] and ledger_file.append(path, run) == []
    assert ledger_file.append(path, [draft("PHYS-001:a@cpu", report="s"), draft("PHYS-001:a@cpu", event="red", report="r")]) == [
        4,
        5,
    ]
    assert [line["attempt"] for line in ledger_file.read(path).lines] == [1, 1, 1, 2, 3]


def test_names_are_safe_for_files() -> None:
    assert ledger_file.file_for(Path("r"), "my.module:Class") == Path("r/ledger/my.module-Class.jsonl")
    assert ledger_file.safe("BATCH-022:images*[g2]@cpu") == "BATCH-022-images-g2-cpu"
    assert ledger_file.safe("../..") == "all" and len(ledger_file.safe("x" * 300)) == 100


def test_a_reason_is_clause_expected_and_found() -> None:
    message = "PHYS-001~1 A title\n  check     PHYS-001:x@cpu\n  expected  two\n  found     three"
    assert reason_of(message) == {"clause": "PHYS-001~1", "expected": "two", "found": "three"}
    assert reason_of("the worker died") == {"found": "the worker died"}


# -- states --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "state", "mark"),
    [
        (["fail"], "red", "[ ]"),
        (["fail", "pass"], "proven green", "[x]"),
        (["pass"], "born green", "[P]"),
        (["pass", "pass"], "born green", "[P]"),
        (["crash", "pass"], "born green", "[P]"),
        (["pass", "fail"], "regression", "[ ]"),
        (["fail", "pass", "crash"], "regression", "[ ]"),
        (["fail", "pass", "blocked", "fail"], "regression", "[ ]"),
        (["pass", "fail", "pass"], "proven green", "[x]"),
        (["fail", "pass", "not-evaluated"], "not evaluated", "[ ]"),
        (["fail", "blocked"], "blocked", "[ ]"),
    ],
)
def test_states_follow_from_the_entries(states: list[str], state: str, mark: str) -> None:
    entries = [draft(state=word) for word in states]
    seen = [draft(name, word) for name, word in PASSING]
    found = stand(*seen, *entries)
    assert (found.state, found.mark, found.attempts) == (state, mark, len(states))


def test_a_mutant_that_it_killed_proves_a_check() -> None:
    killed = killers({"mutants": {"DEF-001": {"killed": ["PHYS-001:unit"]}}})
    seen = [draft(name, word) for name, word in PASSING]
    found = stand(*seen, draft(), known=Known(KNOWN.revisions, KNOWN.scenarios, killed))
    assert (found.state, found.mark) == ("proven green", "[x]")
    with pytest.raises(ValueError, match="found another form"):
        killers({"mutants": ["DEF-001"]})


def test_a_revision_resets() -> None:
    seen = [draft(name, word) for name, word in PASSING]
    old = [draft(state="fail"), draft()]
    moved = Known({**KNOWN.revisions, "PHYS-001": "PHYS-001~2"}, KNOWN.scenarios)
    found = stand(*seen, *old, known=moved)
    assert (found.state, found.mark, found.why) == ("absent", "[ ]", ("now PHYS-001~2: earlier evidence is void",))
    again = stand(*seen, *old, draft(revision=2), known=moved)
    assert (again.state, again.mark) == ("born green", "[P]"), "a red of the revision before proves nothing"


@pytest.mark.parametrize("name", [SCENARIO, CHAIN])
@pytest.mark.parametrize(("states", "why"), [(["fail"], "is red"), (["pass", "fail"], "is regression"), ([], "was never seen")])
def test_a_unit_green_whose_scenario_is_red_is_partial(name: str, states: list[str], why: str) -> None:
    other = [draft(scenario, "pass") for scenario, _ in PASSING if scenario != name]
    found = stand(*other, *(draft(name, state) for state in states), draft(state="fail"), draft())
    assert (found.state, found.mark) == ("proven green", "[P]")
    assert found.why == (f"scenario {name.rpartition('@')[0]} {why}",)


def test_on_an_accelerator_only_scenarios_that_run_there_count() -> None:
    there = UNIT.replace("cpu", "cuda")
    entries = [draft(there, "fail"), draft(there), draft(SCENARIO.replace("cpu", "cuda"))]
    assert stand(*entries, of=there).mark == "[x]", "CLI-010 has no check there"
    assert stand(*entries[:2], of=there).mark == "[P]"


def test_done_needs_one_green_on_a_clean_checkout() -> None:
    seen = [draft(name, word) for name, word in PASSING]
    for dirty in ({"dirty": True}, {"commit": None}, {"draft": True}):
        found = stand(*seen, draft(state="fail"), draft(**dirty))
        assert (found.mark, found.why) == ("[P]", ("not seen on a clean checkout",))
    assert stand(*seen, draft(state="fail"), draft(), draft(dirty=True)).mark == "[x]"
    assert stand(*seen, draft(), draft(state="fail"), draft(dirty=True)).mark == "[P]", "the clean green stood before the red"


def test_blocked_is_partial_and_says_why() -> None:
    found = stand(draft(state="fail", event="blocked", because="persistence, not the keys"))
    assert (found.state, found.mark, found.why) == ("blocked", "[P]", ("persistence, not the keys",))


def test_regressions_come_first() -> None:
    order = standings(verify(text(draft("PHYS-002:whole@cpu", "pass"), draft(), draft(state="fail"))).entries, KNOWN)
    assert [row.state for row in order] == ["regression", "born green"]


def test_scenarios_are_the_files_of_that_name_and_the_chain_of_commands(shell: House) -> None:
    shell.tests("physics", check("unit", "pass"))
    shell.tests("scenario_physics", check("whole", "pass", '"LOSS-001~1", "PHYS-002~1"', above="@pytest.mark.device"))
    shell.tests("scenario_cli", check("train_save_load_infer", "pass", '"CLI-010~1"'), check("opens", "pass", '"CLI-010~1"'))
    shell.tests("data", check("reads", "pass", '"DATA-001~1"'))
    assert scenarios_of(scan(shell.suite)[0]) == {
        "PHYS-001:unit": {"CLI-010:train_save_load_infer": False, "LOSS-001:whole": True},
        "DATA-001:reads": {"CLI-010:train_save_load_infer": False},
    }


def test_the_text_is_ascii_and_reads_as_it_was_written() -> None:
    made = text(draft(reason={"found": "größer \ud800"}))
    assert made.isascii() and json.loads(made)["reason"] == {"found": "größer \ud800"}
