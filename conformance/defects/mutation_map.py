"""The map from checks to lines at its rim: traced in forks, kept in a file, and made again where a text has changed.

A check's entry holds as long as the files of the reference whose lines it runs, and its own file of the suite, are as they were:
lines move. What was traced stays when a run is stopped, a lot of checks at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.defects import tracing, trial_run, trials
from conformance.specification.bindings import default_suite, scan

LOT = 250
"""Checks that one process traces, which has collected the suite: what an interruption loses."""


def digest(text: str) -> str:
    """The state of a file."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mapped(path: Path, texts: Mapping[str, str], workers: int, patience: float) -> dict[str, dict[str, Any]]:
    """Check → node, seconds of CPU of a case, and lines: from the file `path`; what is not there is traced, a check in a fork.

    `texts`: file of the reference → its text. A check that does not pass here sees nothing, and is remembered so, without lines.
    """
    names = {binding.check for binding in scan()[0]}
    while True:
        known = {check: told for check, told in current(path, texts).items() if trials.bare(check) in names}
        before = {trials.bare(check) for check in known}
        if not names - before:
            return known
        with tempfile.TemporaryDirectory(prefix="map-", dir=path.parent) as scratch:
            job = {"workers": workers, "patience": patience, "trace": True, "warm": True, "each": "reference", "most": LOT}
            if code := trial_run.run(Path(scratch), job | {"known": sorted(before)}):
                raise RuntimeError(f"the map could not be made: the trials ended with {code}")
            found = {check: told for check, told in traced(Path(scratch)).items() if trials.bare(check) in names}
        write(path, known | found, texts)
        if not found:  # what is left is not collected here
            return known


def current(path: Path, texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The entries of a map that still hold."""
    if not path.is_file():
        return {}
    kept = json.loads(path.read_text(encoding="utf-8"))
    now = {name: digest(text) for name, text in texts.items()}
    changed = {name for name in {*now, *kept["files"]} if now.get(name) != kept["files"].get(name)}
    return {check: told for check, told in kept["checks"].items() if _holds(told, changed)}


def _holds(told: Mapping[str, Any], changed: set[str]) -> bool:
    """Whether the check's file is what it was, and none of those whose lines it runs has changed; of a red one, none at all."""
    reached = set(told["lines"]) or changed
    return bool(told["suite"] == suite(told["node"]) and not changed & reached)


def suite(node: str) -> str:
    """The state of the file of a check; empty where it is gone."""
    path = default_suite() / Path(node.split("::")[0]).name
    return digest(path.read_text(encoding="utf-8")) if path.is_file() else ""


def traced(folder: Path) -> dict[str, dict[str, Any]]:
    """What the forks of a map's job left: of a quick check what all cases reach, of a slow one what one of them does."""
    nodes = json.loads((folder / "nodes.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, Any]] = {}
    for check in nodes:
        told, own = trials.lines(folder, check), folder / trials.safe(check)
        states = [entry["state"] for entry in told if entry["kind"] == "result"]
        cpu = next((entry["cpu"] for entry in told if entry["kind"] == "end"), 0.0)
        passed = {*states} == {"pass"} and (own / tracing.LINES).is_file()
        if own.is_dir():
            seen = json.loads((own / tracing.LINES).read_text(encoding="utf-8")) if passed else {}
            found[trials.bare(check)] = {"cpu": cpu / max(1, len(states)), "lines": seen}
            if not passed:
                print(f"not mapped: {check} ({', '.join(sorted({*states})) or 'no result'})", flush=True)
    cases = {check: node for check, node in nodes.items() if trials.bare(check) in found}
    return {check: {"node": node, "suite": suite(node)} | found[trials.bare(check)] for check, node in cases.items()}


def write(path: Path, checks: Mapping[str, Any], texts: Mapping[str, str]) -> None:
    """The map as a whole, in the place of the one that was there."""
    partial = path.with_suffix(".new")
    files = {name: digest(text) for name, text in texts.items()}
    partial.write_text(json.dumps({"files": files, "checks": dict(checks)}), encoding="utf-8")
    os.replace(partial, path)
