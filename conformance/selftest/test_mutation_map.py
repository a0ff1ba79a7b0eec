"""The map from checks to lines: what is traced, what is kept, and what is made again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.defects import mutation_map

TEXT = "def widened(side):\n    return side + 1\n"


END = {"kind": "end", "checks": 1, "cpu": 0.5}


def mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: dict[str, str], lot: int = 9) -> list[list[str]]:
    """A tracer that needs no suite: the checks without `red` pass, each runs line 9; returns what is asked of it."""
    asked: list[list[str]] = []

    def run(folder: Path, job: dict[str, Any]) -> int:
        (folder / "nodes.json").write_text(json.dumps(nodes))
        last = {mutation_map.trials.bare(name): name for name in nodes if mutation_map.trials.bare(name) not in job["known"]}
        asked.append([*last][:lot])
        for bare in asked[-1]:
            own = folder / mutation_map.trials.safe(last[bare])
            own.mkdir()
            result = {"kind": "result", "check": bare, "state": "fail" if "red" in bare else "pass"}
            (own / "results.jsonl").write_text(f"{json.dumps(result)}\n{json.dumps(END)}\n")
            (own / "lines.json").write_text(json.dumps({"data/b.py" if "other" in bare else "data/a.py": [9]}))
        return 0

    names = [SimpleNamespace(check=name) for name in {mutation_map.trials.bare(name) for name in nodes}]
    monkeypatch.setattr(mutation_map.trial_run, "run", run)
    monkeypatch.setattr(mutation_map, "scan", lambda: (names, []))
    monkeypatch.setattr(mutation_map, "default_suite", lambda: tmp_path)
    for node in nodes.values():
        (tmp_path / node.split("::")[0]).write_text("def test(): ...")
    return asked


def test_a_check_is_traced_once_and_again_where_its_lines_or_its_own_file_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A red check is remembered without lines, and asked again whatever has changed."""
    nodes = {"A-1:old[x]": "a.py::1", "A-1:old[y]": "a.py::2", "A-2:other": "b.py::1", "A-3:red": "b.py::2"}
    asked = mapping(tmp_path, monkeypatch, nodes)
    path, texts = tmp_path / "map.json", {"data/a.py": TEXT, "data/b.py": TEXT}

    first, second = (mutation_map.mapped(path, texts, 1, 60.0) for _ in range(2))
    mutation_map.mapped(path, {**texts, "data/b.py": f"\n{TEXT}"}, 1, 60.0)
    (tmp_path / "a.py").write_text("def test(): pass")
    mutation_map.mapped(path, {**texts, "data/b.py": f"\n{TEXT}"}, 1, 60.0)

    assert first == second
    assert first["A-1:old[y]"] | {"suite": ""} == {"node": "a.py::2", "suite": "", "cpu": 0.5, "lines": {"data/a.py": [9]}}
    assert first["A-3:red"]["lines"] == {}
    assert asked == [["A-1:old", "A-2:other", "A-3:red"], ["A-2:other", "A-3:red"], ["A-1:old"]]


def test_a_map_is_made_in_lots_and_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no longer stands in the suite is forgotten; what is not collected here ends the search for it."""
    nodes = {f"A-{number}:one": "a.py::1" for number in range(5)}
    asked = mapping(tmp_path, monkeypatch, nodes, lot=2)
    found = mutation_map.mapped(tmp_path / "map.json", {"data/a.py": TEXT}, 1, 60.0)
    monkeypatch.setattr(mutation_map, "scan", lambda: ([SimpleNamespace(check=c) for c in ("A-1:one", "A-9:absent")], []))

    assert [len(lot) for lot in asked] == [2, 2, 1] and len(found) == 5
    for _ in range(2):
        assert set(mutation_map.mapped(tmp_path / "map.json", {"data/a.py": TEXT}, 1, 60.0)) == {"A-1:one"}
