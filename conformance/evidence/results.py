"""What is kept of runs: a line a run in `conformance/results/<backend>.jsonl`, from which every table, badge and page is made.

One reader (`load`), one writer (`add`), and `of_report`, which makes a line of a closed report. A line holds plain JSON:

| field | what it is |
|---|---|
| `schema` | 1 |
| `backend`, `version` | as the backend says (`BackendInfo`) |
| `commit`, `dated` | the backend's commit, and the day of that state (ISO 8601); empty where nobody said. `dated` orders |
| `connection`, `device` | as `--backend`, without the path of an environment (`venv:ENVIRONMENT:ptychi`); as `--device` |
| `started`, `seconds`, `exit` | of the run: ISO 8601, seconds, exit code |
| `python`, `libraries` | where it ran |
| `suite`, `checkout`, `dirty` | the suite's version, its commit (empty: none), and whether it had local changes |
| `specification`, `release` | the digest of the lock; the release it was judged by (`1.0`), empty for the words of the day |
| `report` | the digest in the footer of report.jsonl: which run this is |
| `selected` | what the run was restricted to by hand; a line where this is not empty gives no verdict on a profile |
| `verdicts` | those of the footer, one a profile: `profile`, `verdict`, the counts of clauses, `red`, `advice`, `surfaces`, … |
| `checks` | state → number of checks |
| `clauses` | state → keys (`BATCH-022~1`), of the clauses that the profiles ask for; states as in a comparison (`pass`, …) |
| `failures` | key of a red clause → `check`, `state`, `found` (a line), `repeat` (a command), `script` (a file, or empty) |
| `reaches` | the last step of `specs/tiers.toml` that holds; empty: none, or nobody looked |
| `sha256` | of the line without this field: an edit by hand is seen. Who computes it anew is not |

Nothing in a line is a path of the machine that made it. Pure, but for `load` and `add`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.evidence.causes import clause_of, plainly, reds, split
from conformance.evidence.ledger_file import safe
from conformance.evidence.report import Line, Report, counts
from conformance.evidence.verdict import VERDICTS, cells, clauses_here, verdicts
from conformance.specification.texts import parsed, read, unreadable, write

SCHEMA = 1
TEXTS = (
    "backend", "version", "commit", "dated", "connection", "device", "started", "python", "suite", "checkout", "specification",
    "release", "report", "reaches", "sha256",
)  # fmt: skip
FORM: dict[str, type | tuple[type, ...]] = {name: str for name in TEXTS} | {
    "schema": int, "seconds": (int, float), "exit": int, "dirty": bool, "libraries": dict, "selected": list, "verdicts": list,
    "checks": dict, "clauses": dict, "failures": dict,
}  # fmt: skip
SUMS = ("evaluated", "pending", "untestable", "not_evaluated", "blocked", "not_offered", "not_scored")
VERDICT = {"profile", "device", "verdict", "declared", "evaluated", "red"}
FAILURE = {"check", "state", "found", "repeat", "script"}
_PATH = re.compile(r"(?<![\w.…/])/(?:[\w.+@~-]+/)+")
_HEX = re.compile(r"[0-9a-f]{64}")


def home() -> Path:
    """`conformance/results` of this checkout, or of the installed package."""
    return Path(__file__).resolve().parent.parent / "results"


def of_report(report: Report, *, commit: str = "", dated: str = "") -> Line:
    """The line of a closed report (one with a footer). `commit` and `dated` are the backend's, where the caller knows them."""
    header, footer = report.header, report.footer or {}
    info, checkout = header["backend"], header.get("checkout") or {}
    tiers = [step["tier"] for step in footer.get("tiers", ()) if step["reached"]]
    line = {
        "schema": SCHEMA,
        "backend": str(info.get("name") or header["connection"]),
        "version": str(info.get("version") or ""),
        "commit": commit,
        "dated": dated,
        "connection": placeless(header["connection"]),
        "device": header["device"],
        "started": header["started"],
        "seconds": footer["seconds"],
        "exit": footer["exit"],
        "python": header["python"],
        "libraries": dict(header.get("libraries", {})),
        "suite": header["suite"],
        "checkout": str(checkout.get("commit") or ""),
        "dirty": bool(checkout.get("dirty")),
        "specification": header["lock"] or "",
        "release": str(header.get("release") or ""),
        "report": footer["sha256"],
        "selected": list(header.get("select", ())),
        "verdicts": [found.plain() for found in verdicts(report)],
        "checks": counts(report.states()),
        "clauses": _clauses(report),
        "failures": _failures(report),
        "reaches": tiers[-1] if tiers else "",
    }
    return signed(line)


def signed(line: Mapping[str, Any]) -> Line:
    """The line with the digest of all its other fields."""
    bare = {name: value for name, value in line.items() if name != "sha256"}
    return bare | {"sha256": hashlib.sha256(_encoded(bare).encode()).hexdigest()}


def placeless(connection: str) -> str:
    """A connection without the folder of an environment: `venv:ENVIRONMENT:ptychi`."""
    kind, _, rest = connection.partition(":")
    return f"venv:ENVIRONMENT:{rest.partition(':')[2]}" if kind == "venv" else connection


def unplaced(text: str) -> str:
    """A text without the folders of the machine: of every absolute path the last name is left, behind `…/`."""
    return _PATH.sub("…/", text)


def _clauses(report: Report) -> dict[str, list[str]]:
    """State → keys, of the clauses that the run's profiles ask for on its device."""
    states, found = cells(report), dict[str, list[str]]()
    for key in clauses_here(report):
        if (state := states[key.split("~")[0]]) != "not-asked":
            found.setdefault(state, []).append(key)
    return dict(sorted(found.items()))


def _failures(report: Report) -> dict[str, Line]:
    """Of each red clause the first failure; where several are equal, the one that has a script which stands alone."""
    keys = {key.split("~")[0]: key for key in report.header["clauses"]}
    ranked = sorted(reds(report), key=lambda line: not line.get("repro", {}).get("alone"))
    found: dict[str, Line] = {}
    for line in ranked:
        found.setdefault(keys.get(clause_of(line), ""), _failure(line, report))
    return {key: found[key] for key in report.header["clauses"] if key in found}


def _failure(line: Line, report: Report) -> Line:
    header, told = report.header, dict(split(line["message"])[1])
    asked = f"--backend {placeless(header['connection'])} --device {header['device']} -k '{line['check']}'"
    return {
        "check": line["check"],
        "state": line["state"],
        "found": plainly(unplaced(told.get("found", ""))),
        "repeat": f"conform run {asked}",
        "script": Path(line.get("repro", {}).get("script") or "").name,
    }


def load(folder: Path | None = None) -> list[Line]:
    """Every line of every backend, by file and then as they were added; empty where there is none yet.

    Raises `OSError` that names file and line for what is no such line, was edited by hand, does not add up, or is there twice.
    """
    found: list[Line] = []
    for path in sorted((home() if folder is None else folder).glob("*.jsonl")):
        for place, text in enumerate(read(path).splitlines(), start=1):
            try:
                line = parsed(text)
            except ValueError as error:
                raise unreadable(path, f"line {place}: expected JSON: {error}") from error
            if fault := faults(line) or _twice(line, found):
                raise unreadable(path, f"line {place}: {fault}")
            found.append(line)
    return found


def add(line: Mapping[str, Any], folder: Path | None = None) -> Path:
    """Put a line at the end of its backend's file, whole or not at all; the file. Raises `OSError` as `load` does, and for a
    run that is there already."""
    folder = home() if folder is None else folder
    path = folder / f"{safe(str(line.get('backend')))}.jsonl"
    if fault := faults(line) or _twice(line, load(folder)):
        raise unreadable(path, fault)
    folder.mkdir(parents=True, exist_ok=True)
    before = read(path) if path.is_file() else ""
    write(path, f"{before}{_encoded(line)}\n")
    return path


def faults(line: Any) -> str:
    """What is wrong with a line; empty where it is sound."""
    if not isinstance(line, dict):
        return "expected a JSON object"
    for name, kind in FORM.items():
        if name not in line:
            return f"the field {name!r} is missing"
        if not isinstance(line[name], kind) or (isinstance(line[name], bool) and kind is not bool):
            return f"the field {name!r} has another type than expected"
    if unknown := sorted(set(line) - set(FORM)):
        return f"unknown field {unknown[0]!r}"
    if line["schema"] != SCHEMA:
        return f"schema {line['schema']}, expected {SCHEMA}"
    if line["sha256"] != signed(line)["sha256"]:
        return "the line is not the one that was published: its sha256 is another. Publish the run again"
    if not _HEX.fullmatch(line["report"]):
        return "`report` is no digest of a report"
    try:
        return _unsound(line)
    except (TypeError, KeyError, AttributeError) as error:
        return f"a field has another form than expected: {error}"


def _unsound(line: Line) -> str:
    """What does not add up between verdicts, clauses and failures."""
    states = {key: state for state, keys in line["clauses"].items() for key in keys}
    if len(states) != sum(map(len, line["clauses"].values())):
        return "a clause has two states"
    for told in line["verdicts"]:
        if not isinstance(told, dict) or (lacking := sorted(VERDICT - set(told))):
            return f"a verdict lacks {lacking[0]}" if isinstance(told, dict) else "a verdict is no JSON object"
        if told.get("verdict") not in VERDICTS:
            return f"no such verdict: {told.get('verdict')!r}"
        if told["declared"] != sum(told.get(name, 0) for name in SUMS):
            return f"{told['profile']}: {told['declared']} declared clauses are not the sum of their states"
        if wrong := [key for key in told["red"] if states.get(key) != "red"]:
            return f"{told['profile']}: {wrong[0]} is red in the verdict and {states.get(wrong[0])} among the clauses"
        if bool(told["red"]) != (told["verdict"] == "NON-CONFORMANT") and told["verdict"] != "HARNESS-ERROR":
            return f"{told['profile']}: {told['verdict']} with {len(told['red'])} failed clauses"
    strange = [key for key, told in line["failures"].items() if not isinstance(told, dict) or set(told) != FAILURE]
    return f"the failure of {strange[0]} is not {', '.join(sorted(FAILURE))}" if strange else ""


def _twice(line: Line, others: Sequence[Line]) -> str:
    same = [other for other in others if other["report"] == line["report"]]
    return f"the run with the report {line['report'][:12]} of {line['backend']} is there already" if same else ""


def _encoded(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


BUDGET, LONGEST = 600_000, 200_000
"""Bytes of all evidence of a run, and of its log: what is kept is committed."""


def evidence(files: Mapping[str, bytes], connection: str) -> dict[str, bytes]:
    """What is kept of a run's log and scripts: without the machine's folders, the log cut in its middle, within `BUDGET`.

    A script and its arrays are kept together or not at all, in the order given.
    """
    kept: dict[str, bytes] = {}
    for name, data in files.items():
        if name.endswith(".npz") and f"{name[:-4]}.py" not in kept:
            continue
        made = data if name.endswith(".npz") else _placeless_text(data.decode(errors="replace"), connection).encode()
        arrays = files.get(f"{name[:-3]}.npz", b"") if name.endswith(".py") else b""
        if name.endswith(".npz") or sum(map(len, kept.values())) + len(made) + len(arrays) <= BUDGET:
            kept[name] = made
    return kept


def _placeless_text(text: str, connection: str) -> str:
    text = unplaced(text.replace(connection, placeless(connection)))
    if len(text) <= LONGEST:
        return text
    left = len(text) - LONGEST
    return f"{text[: LONGEST // 2]}\n# … {left} letters are left out here …\n{text[-LONGEST // 2 :]}"
