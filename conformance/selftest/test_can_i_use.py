"""Whether a client works with a backend: yes, no with its steps, or unknown with what would tell; never by chance."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.evidence import drifts, results
from conformance.evidence.answers import Answer, Known, Pair, answer, versions

PAIR = Pair("viewer", "2.0", "mine", "1.0")
CLAUSES = {"CLIENT-001~1": True, "DRIFT-003~1": True, "DRIFT-008~1": False}
STEPS = (
    {"name": "open", "clauses": [], "places": {"view.py": [[10, 20]]}},
    {"name": "show", "clauses": ["CLIENT-001"], "places": {"view.py": [[1, 99]]}},
)
FULL = {"pass": ["CLIENT-001~1", "DRIFT-003~1"], "red": ["DRIFT-008~1"]}


def run(clauses: dict[str, list[str]] | None = None, profile: str = "viewer", **more: Any) -> dict[str, Any]:
    """A kept run, as far as an answer looks at it."""
    told = {
        "backend": "mine",
        "version": "1.0",
        "commit": "c0ffee" + 34 * "0",
        "selected": [],
        "verdicts": [{"profile": profile}],
    }
    told |= {
        "clauses": clauses or FULL,
        "failures": {"CLIENT-001~1": {"found": "no window"}},
        "report": "r",
        "specification": "s",
    }
    return told | more


def drift(*findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Kept drift, with its digest."""
    told = {
        "schema": 1, "client": "viewer", "client_version": "2.0", "client_sha256": "k", "packages": ["mine"], "backend": "mine",
        "version": "1.0", "commit": "", "dated": "", "source_sha256": "b", "specification": "s", "clauses": [*CLAUSES],
        "counts": {"present": 3}, "findings": list(findings),
    }  # fmt: skip
    return results.signed(told | more)


def missing(*places: str, state: str = "missing attribute") -> dict[str, Any]:
    return {"clause": "DRIFT-003", "state": state, "name": "mine:Model.open", "detail": "", "places": list(places)}


def asked(*lines: dict[str, Any], pair: Pair = PAIR, digest: str = "k", profile: str = "viewer") -> Answer:
    """The answer from some lines; those with findings are drift."""
    runs, kept = ([one for one in lines if ("findings" in one) is held] for held in (False, True))
    return answer(pair, Known(runs, kept, digest.split(), STEPS, profile, ["mine"], CLAUSES))


def test_a_whole_run_that_kept_every_required_clause_is_a_yes() -> None:
    found = asked(run())
    assert (found.word, found.bound["report"]) == ("yes", "r")


@pytest.mark.parametrize(
    "line",
    [
        run({"pass": ["CLIENT-001~1"], "not-evaluated": ["DRIFT-003~1"]}),
        run({"pass": ["CLIENT-001~2", "DRIFT-003~1"]}),
        run({"pass": ["CLIENT-001~1"]}),
        run(selected=["CLIENT"]),
        run(profile="core"),
        run(version="1.1", commit=""),
        run(backend="other"),
    ],
    ids=["a gap", "another revision", "a new clause", "a part", "another profile", "another version", "another backend"],
)
def test_what_was_not_wholly_seen_is_no_yes(line: dict[str, Any]) -> None:
    found = asked(line)
    assert found.word == "unknown" and found.command and found.why


def test_no_run_speaks_for_a_version_of_the_client_that_has_no_profile() -> None:
    assert asked(run(), profile="").word == "unknown"
    assert "a profile for viewer 2.0 and mine" in asked(run(), drift(), profile="").command
    assert "a profile for viewer 2.0 and other" in asked(drift(packages=["other"])).command


def test_a_required_clause_that_failed_is_a_no_at_its_step() -> None:
    found = asked(run({"pass": ["DRIFT-003~1"], "red": ["CLIENT-001~1"]}))
    assert found.word == "no" and {name: [r.clause for r in rs] for name, rs in found.steps.items()} == {"show": ["CLIENT-001"]}
    assert found.steps["show"][0].detail == "no window"


def test_a_failure_at_another_revision_is_no_no() -> None:
    assert asked(run({"red": ["CLIENT-001~0"]})).word == "unknown"


def test_what_the_client_does_not_find_is_a_no_at_the_steps_that_run_into_it() -> None:
    found = asked(drift(missing("view.py:12", "view.py:70", "other.py:1")))
    assert found.word == "no"
    assert {name: [r.places for r in rs] for name, rs in found.steps.items()} == {
        "open": [("view.py:12",)],
        "show": [("view.py:70",)],
        "any step": [("other.py:1",)],
    }


def test_drift_outweighs_a_run_that_passed() -> None:
    assert asked(run(), drift(missing("view.py:12"))).word == "no"


@pytest.mark.parametrize("state", ["different default", "undeclared None", "not followed", "guarded"])
def test_advice_is_no_no(state: str) -> None:
    found = asked(drift(missing("view.py:12", state=state)))
    assert found.word == "unknown" and "conform run --profile viewer --backend mine" in found.command


@pytest.mark.parametrize(
    "line",
    [drift(missing("view.py:12"), client_sha256="older"), drift(missing("view.py:12"), clauses=["DRIFT-003~0"])],
    ids=["another client", "other words"],
)
def test_drift_of_another_client_or_under_other_words_counts_for_nothing(line: dict[str, Any]) -> None:
    found = asked(line)
    assert found.word == "unknown" and "other words, or against another source" in found.why
    assert found.command == "conform drift --client viewer --backend mine=FOLDER --keep mine@1.0"


def test_a_version_is_its_name_or_the_beginning_of_its_commit() -> None:
    words = {
        version: asked(run(), pair=Pair("viewer", "2.0", "mine", version)).word for version in ("c0ffee0", "c0f", "1", "1.0")
    }
    assert words == {"c0ffee0": "yes", "c0f": "unknown", "1": "unknown", "1.0": "yes"}


def test_a_client_that_nobody_read_is_unknown() -> None:
    assert asked(run(), digest="").command == "conform drift --client viewer --record FILE"


def test_a_line_that_was_edited_is_refused_where_it_stands(tmp_path: Path) -> None:
    path = drifts.add(drift(missing("view.py:12")), tmp_path)
    path.write_text(path.read_text().replace("view.py:12", "view.py:13"))
    with pytest.raises(OSError, match="line 1: the line is not the one that was kept"):
        drifts.load(tmp_path)


def test_drift_read_again_takes_the_place_of_the_older(tmp_path: Path) -> None:
    drifts.add(drift(missing("view.py:12")), tmp_path)
    drifts.add(drift(version="1.1"), tmp_path)
    drifts.add(drift(), tmp_path)
    assert [(one["version"], len(one["findings"])) for one in drifts.load(tmp_path)] == [("1.0", 0), ("1.1", 0)]


def test_a_run_of_another_profile_or_at_a_commit_that_is_read_adds_no_version() -> None:
    kept = [run(version="checkout", commit="c" * 40), run(version="2.0", profile="core"), run(version="3.0")]
    known = Known(kept, [drift(commit="c" * 40)], ["k"], STEPS, "viewer", ["mine"], CLAUSES)
    assert versions(PAIR, known) == ["1.0", "3.0"]


def test_every_version_that_is_kept_has_its_line_in_the_order_of_its_history() -> None:
    code, text = conform("can-i-use", "ptychodus@1.7.0", "ptycho_torch@*")
    rows = [line.split(maxsplit=2)[:2] for line in text.splitlines()]
    assert code == 0 and [word for _, word in rows] == ["no"] * 26 + ["unknown"] * 2 + ["no"] + ["unknown"] * 13 + ["no"] * 28
    assert (rows[26][0], rows[29][0]) == ("bbdd98206d", "2fa945ba03")


# -- the command ---------------------------------------------------------------------------------------------------------------

CLIENT = "from mine.model import Model\n\n\ndef show(path):\n    return Model.open(path)\n"


def conform(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        return main(list(words)), out.getvalue()


def test_drift_is_kept_under_the_digest_of_what_was_read(tmp_path: Path) -> None:
    for name, text in {
        "viewer/__init__.py": "",
        "viewer/view.py": CLIENT,
        "mine/__init__.py": "",
        "mine/model.py": "class Model: ...",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    words = [
        "drift",
        "--client",
        str(tmp_path / "viewer"),
        "--backend",
        f"mine={tmp_path / 'mine'}",
        "--results",
        str(tmp_path / "r"),
    ]
    assert conform(*words, "--keep", "mine@1.0", "--dated", "2026-01-31")[0] == 1
    (line,) = drifts.load(tmp_path / "r" / "drift")
    assert [one["state"] for one in drifts.breaking(line)] == ["missing attribute"] and line["dated"] == "2026-01-31"
    assert str(tmp_path) not in json.dumps(line)
    before = line["source_sha256"]
    (tmp_path / "mine" / "model.py").write_text("class Model:\n    @classmethod\n    def open(cls, path): ...\n")
    assert conform(*words, "--keep", "mine@1.0")[0] == 0
    (line,) = drifts.load(tmp_path / "r" / "drift")
    assert not drifts.breaking(line) and line["source_sha256"] != before


@pytest.mark.parametrize(
    ("backend", "word", "steps"),
    [
        ("reference@0.1.0", "yes", {}),
        ("ptycho_tf@712c23f", "no", {"train": {"DRIFT-009"}}),
        ("ptycho_torch@712c23f", "no", {"configure": {"DRIFT-006"}, "open": {"DRIFT-003"}, "reconstruct": {"DRIFT-003"}}),
        ("ptycho_torch@95bbafe", "unknown", {}),
        ("ptycho_torch@938bf83", "no", {"configure": {"DRIFT-006"}, "open": {"DRIFT-003"}, "reconstruct": {"DRIFT-003"}}),
        ("ptycho_tf@14f48a8", "no", {"train": {"DRIFT-009"}}),
        ("ptychi@2.2.0", "unknown", {}),
    ],
)
def test_what_is_kept_answers_for_ptychodus(backend: str, word: str, steps: dict[str, set[str]]) -> None:
    _, text = conform("can-i-use", "ptychodus@1.7.0", backend, "--json")
    told = json.loads(text)
    assert told["answer"] == word
    assert {name: {reason["clause"] for reason in found} for name, found in told["steps"].items()} == steps


@pytest.mark.parametrize("words", [("ptychodus", "reference@0.1.0"), ("ptychodus@1.7.0", "reference"), ("@1", "a@1")])
def test_a_name_without_a_version_is_a_usage_error(words: tuple[str, str]) -> None:
    assert conform("can-i-use", *words) == (4, "")


def test_nothing_is_known_of_a_backend_that_nobody_kept() -> None:
    code, text = conform("can-i-use", "ptychodus@1.7.0", "nobody@9", "--json")
    told = json.loads(text)
    assert (code, told["answer"]) == (5, "unknown")
    assert told["command"] == "conform drift --client ptychodus --backend PACKAGE=FOLDER --keep nobody@9"
