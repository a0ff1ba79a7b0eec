"""What is kept of drift: a line for each client and version of a backend, `conformance/results/drift/<backend>.jsonl`.

A line is bound to what was held against each other: `client_sha256` is the digest of the client's sources, as its recorded
uses have it, `source_sha256` that of the backend's. `clauses` are the DRIFT clauses judged, with revisions; `findings` what is
not as the client needs it; `sha256` is the digest of the line, as in `conformance.evidence.results`. Pure, but for `load`,
`add` and `digest`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from conformance.clients.compare import BREAKING, CLAUSES, Finding
from conformance.clients.uses import Uses
from conformance.evidence import results
from conformance.evidence.ledger_file import safe
from conformance.evidence.report import Line
from conformance.specification.texts import parsed, read, unreadable, write

SCHEMA = 1
FORM: dict[str, type] = {
    "schema": int, "client": str, "client_version": str, "client_sha256": str, "packages": list, "backend": str, "version": str,
    "commit": str, "dated": str, "source_sha256": str, "specification": str, "clauses": list, "counts": dict, "findings": list,
    "sha256": str,
}  # fmt: skip
FINDING = {"clause", "state", "name", "detail", "places"}


def home() -> Path:
    """Where they are kept."""
    return results.home() / "drift"


def digest(folders: Mapping[str, Path]) -> str:
    """The sha256 of the Python sources of some packages, by package and relative path."""
    whole = hashlib.sha256()
    for name, folder in sorted(folders.items()):
        for path in sorted(folder.rglob("*.py")):
            whole.update(f"{name}/{path.relative_to(folder).as_posix()}\0".encode())
            whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def of_findings(uses: Uses, found: Sequence[Finding], keys: Iterable[str], source: str, **names: str) -> Line:
    """A line; `keys`: the clauses of the specification (`DRIFT-001~1`), `source`: the digest of the backend's sources,
    `names`: `backend`, `version`, `commit`, `dated`, `specification`.
    """
    odd = [one for one in found if one.state != "present"]
    line = {
        "schema": SCHEMA,
        "client": uses.client,
        "client_version": uses.version,
        "client_sha256": uses.sha256,
        "packages": sorted({use.module.split(".")[0] for use in uses.uses}),
        "source_sha256": source,
        "clauses": judged(keys),
        "counts": {state: sum(one.state == state for one in found) for state in dict.fromkeys(one.state for one in found)},
        "findings": [
            {
                "clause": one.clause,
                "state": one.state,
                "name": one.use.whole,
                "detail": one.detail,
                "places": list(one.use.places),
            }
            for one in odd
        ],
        **names,
    }
    return results.signed(line)


def judged(keys: Iterable[str]) -> list[str]:
    """Those of a specification's clauses that drift is judged by."""
    return sorted(key for key in keys if key.split("~")[0] in CLAUSES.values())


def breaking(line: Line) -> list[Line]:
    """The findings that stop the client."""
    return [one for one in line["findings"] if one["state"] in BREAKING]


def load(folder: Path | None = None) -> list[Line]:
    """Every line, by file and as they were added. Raises `OSError` with file and line for what is none, or was edited."""
    found = []
    for path in sorted((folder or home()).glob("*.jsonl")):
        for place, text in enumerate(read(path).splitlines(), start=1):
            try:
                line = parsed(text)
            except ValueError as error:
                raise unreadable(path, f"line {place}: expected JSON: {error}") from error
            if fault := faults(line):
                raise unreadable(path, f"line {place}: {fault}")
            found.append(line)
    return found


def add(line: Line, folder: Path | None = None) -> Path:
    """Keep a line, behind the others; an older one of the same client, backend and version gives its place to it.

    Raises `OSError` as `load` does.
    """
    folder = folder or home()
    if fault := faults(line):
        raise unreadable(folder, fault)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{safe(line['backend'])}.jsonl"
    kept = {_who(one): one for one in load(folder) if one["backend"] == line["backend"]} | {_who(line): line}
    write(path, "".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")) + "\n" for one in kept.values()))
    return path


def _who(line: Line) -> tuple[str, ...]:
    return tuple(line[name] for name in ("client", "client_version", "backend", "version"))


def faults(line: Any) -> str:
    """What is wrong with a line; empty where it is sound."""
    if not isinstance(line, dict):
        return "expected a JSON object"
    for name, kind in FORM.items():
        if not isinstance(line.get(name), kind):
            return f"the field {name!r} is missing, or of another type than expected"
    if unknown := sorted(set(line) - set(FORM)):
        return f"unknown field {unknown[0]!r}"
    if line["schema"] != SCHEMA:
        return f"schema {line['schema']}, expected {SCHEMA}"
    if any(not isinstance(one, dict) or set(one) != FINDING for one in line["findings"]):
        return f"a finding is not {', '.join(sorted(FINDING))}"
    if line["sha256"] != results.signed(line)["sha256"]:
        return "the line is not the one that was kept: its sha256 is another. Read the drift again"
    return ""
