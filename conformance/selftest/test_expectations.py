"""Known reds: strict, with a reason and an end."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from conformance.evidence import claims, report, summary, verdict
from conformance.evidence.diff import compare
from conformance.evidence.expectations import ExpectationError, Expectations, faults, judged, parse
from conformance.selftest.house import House, check, clause
from conformance.selftest.pages import CLAUSES, footer, result, texts

TODAY = date(2026, 3, 1)
CHECK = "PHYS-001:light_adds[g2]@cpu"
RED = result(CHECK, "fail", message=(
    "PHYS-001~1 Light adds\n  check     PHYS-001:light_adds[g2]@cpu, observation `images`\n  expected  the truth\n"
    "  found     off by 0.3\n  bound     exact\n  suspect   the probe\n  repeat    conform run -k light_adds"
))  # fmt: skip
GREEN = result("PHYS-002:light_is_kept@cpu")


def toml(name: str = CHECK, **fields: str) -> str:
    """One entry; an empty field is left out."""
    table = {
        "state": "fail", "message": "off by", "reason": "no probe modes yet", "since": "0.1", "expires": "2026-03-01",
    } | fields  # fmt: skip
    return "\n".join([f'["{name}"]', *(f'{key} = "{value}"' for key, value in table.items() if value), ""])


def known(*entries: str) -> Expectations:
    return parse("\n".join(entries or (toml(),)), TODAY)


def closed(found: Expectations, *results: dict[str, Any]) -> report.Report:
    """A report whose last lines are those of the expectations."""
    proved = {key for line in results for key in line["clauses"]}
    lines = texts(results=results, clauses={key: told for key, told in CLAUSES.items() if key in proved})[:-1]
    lines += [report.encode(line) for line in judged(found, report.assemble(lines))]
    return report.read("".join([*lines, footer(lines)]))


# -- the file ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (toml(reason=""), f"{CHECK}: reason: expected a value, found none"),
        (toml(message=" "), f"{CHECK}: message: expected a value, found none"),
        (toml(since=""), f"{CHECK}: since: expected a value, found none"),
        (toml(expires=""), f"{CHECK}: expires: expected a value, found none"),
        (toml(expires="soon"), f"{CHECK}: expires: expected YYYY-MM-DD, found 'soon'"),
        (toml(expires="2026-02-28"), f"{CHECK}: expired on 2026-02-28"),
        (toml(state="error"), f"{CHECK}: state: expected fail, timeout or crash, found 'error'"),
        (toml(because="x"), f"{CHECK}: unknown field 'because'"),
        (f'"{CHECK}" = 1', f"{CHECK}: expected one table, found int"),
        (toml().replace("[", "[[", 1).replace('"]', '"]]') * 2, f"{CHECK}: expected one table, found list"),
        (toml() * 2, "expected TOML: "),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_says_where_and_why(text: str, why: str) -> None:
    with pytest.raises(ExpectationError) as refused:
        parse(text, TODAY)
    assert str(refused.value).startswith(why)


def test_an_entry_holds_to_the_end_of_its_last_day() -> None:
    assert known().entries[0].expires == TODAY and parse("# nothing is expected\n", TODAY).entries == ()


def test_an_entry_may_be_a_table_of_an_array() -> None:
    assert known(toml().replace("[", "[[", 1).replace('"]', '"]]')).entries == known().entries


@pytest.mark.parametrize(
    ("name", "other", "covered"),
    [
        (CHECK, CHECK, True), ("PHYS-001:light_adds[g2]", CHECK, True), ("PHYS-001:light_adds", CHECK, False),
        ("PHYS-001:*@cpu", CHECK, True), ("PHYS-001:*@cuda", CHECK, False), ("light_adds[g2]", CHECK, False),
        ("*[g2]", "PHYS-001:light_adds[g2]@cuda", True), ("PHYS-001:light.adds[g2]", CHECK, False),
    ],
)  # fmt: skip
def test_a_name_is_whole_and_a_star_stands_for_anything(name: str, other: str, covered: bool) -> None:
    assert known(toml(name)).entries[0].covers(other) is covered


def test_entries_that_cannot_be_meant_are_named() -> None:
    declared = [f"PHYS-001:light_adds[{n}]@cpu" for n in range(21)] + ["PHYS-002:light_is_kept@cpu"]
    assert faults(known(toml("PHYS-001:light_adds[1*]@cpu"), toml("PHYS-002:light_is_kept")), declared) == []
    assert faults(known(toml("PHYS-001:light_adds*")), declared) == ["PHYS-001:light_adds*: covers 21 checks, at most 20"]
    assert faults(known(toml("PHYS-002:light")), declared)[0].startswith("PHYS-002:light: no such check")
    twice = known(toml("PHYS-002:light_is_kept@cpu"), toml("PHYS-002:*"))
    assert faults(twice, declared) == ["PHYS-002:*: PHYS-002:light_is_kept has an entry already: PHYS-002:light_is_kept@cpu"]
    apart = known(toml("PHYS-002:light_is_kept@cpu"), toml("PHYS-002:light_is_kept@cuda"))
    assert faults(apart, declared) == [], "another device is another red"


# -- what becomes of a check ---------------------------------------------------------------------------------------------------


def test_a_red_that_fails_in_just_this_way_is_expected_and_no_red() -> None:
    found = closed(known(), RED, GREEN)
    assert found.states() == {CHECK: "expected", GREEN["check"]: "pass"}
    assert verdict.exit_code(found) == 0 and summary.reds(found) == []
    assert "expected" in summary.columns(summary.area_rows(found))
    assert "expected" not in summary.columns(summary.area_rows(closed(known(), GREEN)))
    told = verdict.verdicts(found)[0]
    assert (told.verdict, told.expected, told.red) == ("PARTIAL", ("PHYS-001~1",), ())
    line = found.expectations[0]
    assert (line["entry"], line["reason"], line["expires"]) == (CHECK, "no probe modes yet", "2026-03-01")


@pytest.mark.parametrize(
    "entry",
    [toml(message="off by 0.4"), toml(state="crash"), toml(message="conform run"), toml(message="the probe"),
     toml(message="Light adds"), toml(message="light_adds[g2]")],
    ids=["message", "state", "repeat", "suspect", "title", "check"],
)  # fmt: skip
def test_a_red_that_fails_otherwise_stays_red(entry: str) -> None:
    found = closed(known(entry), RED, GREEN)
    assert found.states()[CHECK] == "fail" and verdict.exit_code(found) == 1
    assert [red["check"] for red in summary.reds(found)] == [CHECK]
    assert "fails otherwise than" in summary.expectations(found)[0][1]


def test_an_entry_whose_check_passes_is_stale() -> None:
    found = closed(known(toml(GREEN["check"])), GREEN)
    assert found.states() == {GREEN["check"]: "stale"} and verdict.exit_code(found) == 1
    assert summary.expectations(found)[0][1].startswith("stale: PHYS-002:light_is_kept@cpu passes, but")


def test_what_only_expected_reds_block_is_no_gap() -> None:
    blocked = result("PHYS-002:light_is_kept@cpu", needs=["PHYS-001"])
    below = result("PHYS-003:light_falls@cpu", needs=["PHYS-002"])
    found = closed(known(), RED, blocked, below)
    assert found.states()[below["check"]] == "blocked" and verdict.exit_code(found) == 0
    assert verdict.verdicts(found)[0].verdict == "PARTIAL"
    assert verdict.exit_code(closed(known(toml(message="else")), RED, blocked)) == 1, "the same red, unexpected"
    advice = result("BATCH-002:on_a_device@cpu", "fail")
    both = {**blocked, "needs": ["PHYS-001", "BATCH-002"]}
    assert verdict.exit_code(closed(known(), RED, advice, both)) == 6, "a SHOULD that nobody expected blocks it as well"
    beside = result("PHYS-003:light_falls@cpu", "not-claimed", message="no such method")
    assert verdict.exit_code(closed(known(), RED, blocked, beside)) == 6, "a gap beside it stays one"


def test_a_blocked_check_says_nothing_of_its_entry() -> None:
    blocked = result("PHYS-002:light_is_kept@cpu", needs=["PHYS-001"])
    found = closed(known(toml(blocked["check"])), RED, blocked)
    assert found.expectations == () and found.states()[blocked["check"]] == "blocked"


def test_evidence_does_not_know_what_was_expected() -> None:
    """The ledger and a comparison of runs see the red itself."""
    found, plain = closed(known(), RED, GREEN), closed(parse("", TODAY), RED, GREEN)
    assert [(c.check, c.after) for c in compare(plain, found).changed] == []
    healed = compare(found, closed(known(), result(CHECK), GREEN)).healed
    assert [(change.before, change.after) for change in healed] == [("fail", "pass")]
    stamp = {"utc": "", "event": "run", "artefact": "", "checkout": {"commit": None, "dirty": True, "diff": None}}
    object.__setattr__(found, "header", {**found.header, "checkout": stamp["checkout"]})
    assert claims.drafts(found, [CHECK], **{k: v for k, v in stamp.items() if k != "checkout"})[0]["state"] == "fail"


# -- a run ---------------------------------------------------------------------------------------------------------------------


def lively(house: House, *entries: str) -> Path:
    """A house with a green, a red and a crash, and its expectations file."""
    ids = ("PHYS-001", "PHYS-002", "PHYS-003")
    house.chapter("physics", *(clause(f"{name}~1", fence='tolerance = "exact"') for name in ids))
    house.tests(
        "physics",
        check("identity", 'observe.close("images", backend.translate(X, X), X)'),
        check("moves", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-002~1"'),
        check("scatters", 'observe.close("images", backend.diffract(X, X), X)', '"PHYS-003~1"'),
    ).lock()
    path = house.root / "fake.toml"
    path.write_text("\n".join(entries), encoding="utf-8")
    return path


FAR = {"expires": "2999-12-31"}
MOVES = toml("PHYS-002:moves@cpu", message="expected", issue="https://example.org/1", **FAR)
SCATTERS = toml("PHYS-003:*", state="crash", message="five axes", **FAR)


def test_a_run_with_known_reds_ends_well_and_says_so_everywhere(house: House) -> None:
    path = lively(house, MOVES, SCATTERS)
    done = house.conform("run", "--workers", "0", "--expect", str(path))
    assert done.returncode == 0, done.output
    assert "core on cpu: PARTIAL" in done.stdout and "3 checks: 1 passed, 2 expected" in done.stdout
    assert "exit 0: nothing failed but what is expected to (2 checks)\n" in done.stdout
    assert "expected: PHYS-003:scatters@cpu: no probe modes yet (since 0.1, until 2999-12-31)" in done.stdout
    assert house.conform("report", str(house.folder()), "--validate").returncode == 0
    lines = house.lines()
    assert lines[0]["expectations"] == {"file": str(path), "sha256": parse(path.read_text(), TODAY).sha256, "entries": 2}
    said = {line["check"]: line for line in lines if line["kind"] == "expectation"}
    assert said["PHYS-002:moves@cpu"]["outcome"] == "expected" and said["PHYS-002:moves@cpu"]["issue"]
    page = (house.folder() / "summary.md").read_text(encoding="utf-8")
    assert "- expected: PHYS-002:moves@cpu: no probe modes yet" in page and lines[0]["expectations"]["sha256"] in page
    assert "| area | pass | expected |" in page
    junit = (house.folder() / "junit.xml").read_text(encoding="utf-8")
    assert junit.count("<skipped") == 2 and "<failure" not in junit and "<error" not in junit


def test_a_stale_entry_is_a_one_and_another_red_stays_red(house: House) -> None:
    path = lively(house, toml("PHYS-001:identity", **FAR), MOVES, toml("PHYS-003:scatters", state="crash", message="six", **FAR))
    done = house.conform("run", "--workers", "0", "--json", "--expect", str(path))
    told = json.loads(done.stdout)
    assert done.returncode == 1 and told["verdicts"][0]["verdict"] == "NON-CONFORMANT"
    assert [line["outcome"] for line in told["expectations"]] == ["stale", "expected", "otherwise"]
    assert [red["check"] for red in told["reds"]] == ["PHYS-003:scatters@cpu"]


def test_an_entry_that_is_stale_in_part_is_to_be_narrowed(house: House) -> None:
    path = lively(house, "# known\n", toml("PHYS-00*", message="expected", **FAR))
    done = house.conform("run", "--workers", "0", "--expect", str(path))
    assert done.returncode == 1, done.output
    assert "stale: PHYS-001:identity@cpu passes, but PHYS-00* (line 3) expects it to fail. " in done.stdout
    assert "2 other checks still fail (PHYS-002:moves@cpu, PHYS-003:scatters@cpu): narrow the pattern to them" in done.stdout
    assert "1 check that is expected to fail passed" in done.stdout
    done = house.conform("run", "--workers", "0", "--expect", str(path), "-k", "PHYS-001")
    assert "This run says nothing of 2 more of its checks" in done.stdout
    assert house.conform("report", str(house.folder()), "--validate").returncode == 0
    path.write_text(toml("PHYS-001:*", **FAR), encoding="utf-8")
    assert (
        "PHYS-001:* (line 1) expects it to fail: remove the entry"
        in house.conform("run", "--workers", "0", "--expect", str(path)).stdout
    )


@pytest.mark.parametrize("name", ["PHYS-009:nothing", "*"])
def test_an_entry_that_cannot_be_meant_is_a_four(house: House, name: str) -> None:
    path = lively(house, toml(name, **FAR))
    above = "@pytest.mark.parametrize('n', range(21))"
    house.tests(
        "physics",
        *(check(f"many{n}", "observe.equal('n', n, n)", f'"PHYS-00{n}~1"', above, "backend, observe, n") for n in (1, 2, 3)),
    )
    done = house.conform("run", "--workers", "0", "--expect", str(path))
    assert done.returncode == 4 and ("no such check" if ":" in name else "covers 63 checks, at most 20") in done.output


def test_a_file_that_cannot_be_used_runs_and_writes_nothing(house: House) -> None:
    path = lively(house, toml("PHYS-001:identity", expires="2001-01-01"))
    done = house.conform("run", "--expect", str(path))
    assert (done.returncode, done.stdout) == (4, "") and done.stderr.startswith(f"{path}: PHYS-001:identity: expired on 2001")
    gone = house.conform("run", "--expect", str(path.with_name("gone.toml")))
    assert gone.returncode == 4 and len(gone.stderr.splitlines()) == 1
    assert not (house.root / "reports").exists()
