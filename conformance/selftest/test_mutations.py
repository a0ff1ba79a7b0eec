"""Mutations that nobody wrote: what is drawn, which checks are asked, what counts, and that a stopped run goes on."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conformance.cli import main
from conformance.defects import mutation_page, mutation_run, mutations
from conformance.defects.mutations import Mutation
from conformance.defects.reach import Reach

TEXT = '''SIDE = 64


def widened(side: int = 3) -> int:
    """Wider."""
    if side > 7:
        side = (
            side
            + 1
        )
    return side


def untouched(side: "Literal[5]") -> int:
    return side - 2
'''


NAME = "core/NumberReplacer"


class Numbers:
    """An operator of cosmic-ray's form over the digits of a text: the first occurrence adds one, the second takes one away."""

    @staticmethod
    def arguments() -> tuple[()]:
        return ()

    def mutation_positions(self, node: tuple[int, str]) -> Any:
        line, text = node
        for found in re.finditer(r"\d+", text):
            yield from [((line, found.start()), (line, found.end()))] * 2


def changed(text: str, operator: Numbers, occurrence: int) -> str | None:
    """The text with one of its numbers changed, as `cosmic_ray.mutating.mutate_code` has it."""
    found = list(re.finditer(r"\d+", text))
    if occurrence // 2 >= len(found):
        return None
    place = found[occurrence // 2]
    return f"{text[: place.start()]}{int(place[0]) + (1 if occurrence % 2 == 0 else -1)}{text[place.end() :]}"


@pytest.fixture(autouse=True)
def numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """cosmic-ray is an extra of its own: what is tested here is what is made of its operators."""
    parts = {
        "cosmic_ray": {},
        "cosmic_ray.ast": {"get_ast": lambda text: list(enumerate(text.splitlines(), 1)), "ast_nodes": lambda tree: tree},
        "cosmic_ray.plugins": {"operator_names": lambda: [NAME], "get_operator": {NAME: Numbers}.__getitem__},
        "cosmic_ray.mutating": {"mutate_code": changed},
    }
    for name, members in parts.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("ast", "plugins", "mutating"):
        setattr(sys.modules["cosmic_ray"], name, sys.modules[f"cosmic_ray.{name}"])


def test_annotations_are_not_mutated_and_defaults_are() -> None:
    lines = {mutation.line for mutation in mutations.population({"data/a.py": TEXT})}

    assert lines == {1, 4, 6, 9, 15}


def test_one_mutation_a_place_and_a_small_sample_begins_a_large_one() -> None:
    texts = {"data/a.py": TEXT}
    every = mutations.population(texts)

    large, small = (mutations.drawn(every, texts, size, 3) for size in (5, 2))

    assert len(every) == 10 and len(large) == 5
    assert len({(m.line, m.column) for m in large}) == 5
    assert large[:2] == small
    assert mutations.drawn(every, texts, 5, 4) != large


def test_a_place_keeps_its_rank_when_lines_move_and_when_files_come() -> None:
    """So a sample can be tried again on a later state, and its survivors found again."""
    texts = {"data/a.py": TEXT}
    moved = {"data/a.py": f'"""Moved."""\n\n{TEXT}', "data/b.py": "def other(x):\n    return x + 9 * 8\n"}

    first = mutations.drawn(mutations.population(texts), texts, 9, 3)
    later = [m for m in mutations.drawn(mutations.population(moved), moved, 9, 3) if m.path == "data/a.py"]

    assert [(m.line + 2, m.column, m.occurrence) for m in first] == [(m.line, m.column, m.occurrence) for m in later]


def test_a_mutation_changes_its_place_and_no_other() -> None:
    one = next(m for m in mutations.population({"data/a.py": TEXT}) if m.line == 6)

    assert mutations.mutated(TEXT, one) == TEXT.replace("side > 7", "side > 8")
    with pytest.raises(LookupError, match="place 99"):
        mutations.mutated(TEXT, Mutation("data/a.py", 0, 0, "NumberReplacer", 99))
    assert mutations.parsed(one.id).occurrence == one.occurrence


def reach() -> Reach:
    def told(cpu: float, *lines: int) -> dict[str, Any]:
        return {"node": f"n{cpu}", "cpu": cpu, "lines": {"data/a.py": list(lines)}}

    checks = {
        "DATA-001:dear": told(3.0, 6, 7, 11),
        "DATA-002:near[one]": told(0.5, 6, 11),
        "DATA-002:near[two]": told(0.4, 6, 11),
        "PHYS-001:far": told(0.6, 6, 8, 11),
        "DATA-003:elsewhere": told(0.1, 15),
    }
    return Reach(checks, {"data/a.py": TEXT, "data/b.py": "def never():\n    return 3\n"})


def test_the_checks_that_reach_a_line_come_near_and_quick_first_and_further_cases_of_one_later() -> None:
    cases = {f"DATA-002:near[{k}]": {"node": "n", "cpu": 0.5, "lines": {"data/a.py": [6]}} for k in "abcdefghi"}
    many = Reach({**reach().checks, **cases}, {"data/a.py": TEXT})

    assert reach().of("data/a.py", 6, "data") == ["DATA-002:near[two]", "DATA-002:near[one]", "PHYS-001:far", "DATA-001:dear"]
    order = many.of("data/a.py", 6, "data").index
    assert order("DATA-002:near[b]") < order("PHYS-001:far") < order("DATA-002:near[i]")


def test_a_statement_of_several_lines_is_reached_by_any_of_them_and_a_head_by_its_body() -> None:
    assert reach().of("data/a.py", 9, "data") == ["PHYS-001:far", "DATA-001:dear"]
    assert "PHYS-001:far" in reach().of("data/a.py", 4, "data")
    assert reach().of("data/a.py", 14, "data") == ["DATA-003:elsewhere"]


def test_a_line_that_no_traced_case_runs_is_asked_of_those_that_run_its_function() -> None:
    checks = {"DATA-001:early": {"node": "n", "cpu": 0.1, "lines": {"data/a.py": [6, 11]}}}
    assert Reach(checks, {"data/a.py": TEXT}).of("data/a.py", 9, "data") == ["DATA-001:early"]


def test_what_is_no_functions_is_asked_of_all_that_run_its_file_and_of_its_area() -> None:
    others = {f"{area}-009:other": {"node": "n", "cpu": 0.1, "lines": {}} for area in ("DATA", "PHYS")}
    found = Reach({**reach().checks, **others}, {"data/a.py": TEXT}).of("data/a.py", 1, "data")
    assert len(found) == 6 and "DATA-009:other" in found


def test_a_file_that_no_check_runs_is_not_drawn_from() -> None:
    assert set(reach().reached) == {"data/a.py"}
    assert reach().of("data/b.py", 2, "data") == []


def test_a_file_without_functions_is_asked_of_its_area() -> None:
    fields = Reach(reach().checks, {"data/c.py": "SIDE = 64\n"})
    assert set(fields.reached) == {"data/c.py"}
    assert set(fields.of("data/c.py", 1, "data")) == {check for check in reach().checks if check.startswith("DATA-")}


RED = {"kind": "result", "check": "DATA-002:near[two]@cpu", "state": "fail"}
GREEN = {**RED, "state": "pass"}
END = {"kind": "end", "checks": 1, "cpu": 0.5}


@pytest.mark.parametrize(
    ("told", "planned", "verdict"),
    [
        ([RED, END], ["x"], "killed"),
        ([GREEN, END], ["x"], "survived"),
        ([GREEN], ["x"], "hung"),
        ([], ["x"], "unmade"),
        ([], [], "unreached"),
    ],
    ids=["red", "green", "no end", "no result", "no check"],
)
def test_how_a_mutation_ends(told: list[dict[str, Any]], planned: list[str], verdict: str) -> None:
    one = Mutation("data/a.py" if planned else "data/b.py", 6 if planned else 2, 7, "NumberReplacer", 4)

    assert mutation_run.line(one, planned, reach(), told)["verdict"] == verdict


def test_what_only_dear_checks_reach_was_not_tried() -> None:
    assert mutation_run.line(Mutation("data/a.py", 6, 7, "NumberReplacer", 4), [], reach(), [])["verdict"] == "too dear"


def result(number: int, verdict: str, state: str = "", line: int = 6) -> dict[str, Any]:
    found = {"id": f"data/a.py:NumberReplacer:{number}", "path": "data/a.py", "line": line, "area": "data"}
    return {**found, "file": mutation_run.digest(TEXT), "verdict": verdict, "state": state, "run": 1, "planned": 2}


def test_what_was_found_is_kept_until_its_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(
        "".join(json.dumps(r) + "\n" for r in (result(1, "survived"), result(2, "killed", "fail"), result(1, "killed", "fail")))
    )

    kept = {name[-1]: told["verdict"] for name, told in mutation_run.read(path, {"data/a.py": TEXT}).items()}
    assert kept == {"1": "killed", "2": "killed"}
    first = mutation_run.read(path, {"data/a.py": TEXT}, first=True)
    assert {name[-1]: told["verdict"] for name, told in first.items()} == {"1": "survived", "2": "killed"}
    assert mutation_run.read(path, {"data/a.py": TEXT + "\n"}) == {}


def test_the_score_leaves_out_what_is_equivalent_and_nothing_else() -> None:
    found = [
        result(0, "killed", "fail"),
        result(2, "killed", "crash"),
        result(4, "survived"),
        result(5, "survived", line=9),
        result(6, "unreached", line=15),
    ]
    read = {"data/a.py": {"if side > 7:": {"NumberReplacer+1": "equivalent: no side is 8"}, "+ 1": {"*": "gap: nobody asks"}}}
    texts = {"data/a.py": TEXT}

    assert mutation_page.score(found, read, texts) == pytest.approx(2 / 4)
    silent = {"data/a.py": {"return side - 2": {"*": "no clause: nobody asks"}}}
    assert mutation_page.spoken_of(found, silent, texts) == pytest.approx(2 / 4)
    assert mutation_page.unread(found, read, texts) == ["data/a.py:NumberReplacer:6 line 15: return side - 2"]
    drawn = {"seed": 1, "commit": "abc", "budget": 3.0, "sample": 5, "places": 9, "mutations": 20, "unreached": {"data/b.py": 1}}
    page = mutation_page.page(found, drawn, read, texts)
    assert "| data | 5 | 1 | 1 | 0 | 0 | 2 | 0 | 1 | 1 | 50.0% |" in page
    assert "equivalent: no side is 8" in page and "not read yet" in page and "`data/b.py`" in page


def test_a_sample_stands_beside_those_before_it_and_a_later_state_of_it_takes_its_place() -> None:
    texts, drawn = {"data/a.py": TEXT}, {"seed": 2, "commit": "abc", "budget": 3.0, "sample": 2, "places": 9, "mutations": 20}
    older = {"seed": 1, "commit": "", "budget": 3.0, "tried": 4, "spoken of": 0.5, "areas": {"loss": 0.25, "all": 0.25}}
    half, whole = [result(0, "killed", "fail"), result(4, "survived")], [result(0, "killed", "fail")]

    first = mutation_page.with_sample([older], half, drawn, {}, texts)
    second = mutation_page.with_sample(first, whole, drawn, {}, texts)

    assert [(one["seed"], one["areas"]["all"]) for one in first] == [(1, 0.25), (2, 0.5)]
    assert second == [older, {**first[1], "tried": 1, "spoken of": 1.0, "areas": {"data": 1.0, "all": 1.0}}]
    assert "first" not in second[1] and "The first try" not in mutation_page.page(whole, drawn | {"unreached": {}}, {}, texts)
    told = {**drawn, "first": [result(0, "survived")], "unreached": {"data/b.py": 3}}
    assert mutation_page.with_sample(first, whole, told, {}, texts)[1]["first"] == 0.0
    second[1]["first"] = 0.0
    page = mutation_page.page(whole, told, {"data/b.py": {"*": {"*": "why"}}}, texts, second)
    assert "| all | 25.0% | 100.0% |" in page and "| loss | 25.0% |  |" in page
    assert "- `data/b.py` (3): why" in page and "| all, at the first try |  | 0.0% |" in page
    assert "The first try noticed 0.0% without" in page and "Of the survivors 1 were noticed afterwards" in page


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two portions, then no time; the second run tries what is left, and a third nothing."""
    tried: list[str] = []

    def portion(folder: Path, some: list[Mutation], reached: Reach, wanted: Any) -> list[dict[str, Any]]:
        tried.extend(m.id for m in some)
        return [mutation_run.line(m, ["x"], reached, [GREEN, END]) for m in some]

    monkeypatch.setattr(mutation_run, "portion", portion)
    monkeypatch.setattr(mutation_run.mutation_map, "mapped", lambda *asked: reach().checks)
    monkeypatch.setattr(mutation_run.trial_run, "entries", lambda *asked: {})
    monkeypatch.setattr(mutation_run, "PORTION", 2)
    monkeypatch.setattr(mutation_run.mutations, "sources", lambda package, areas=(): {"data/a.py": TEXT})
    clock = iter([0.0, 0.0, 5.0, 20.0])
    monkeypatch.setattr(mutation_run, "time", SimpleNamespace(monotonic=lambda: next(clock, 0.0)))

    wanted = mutation_run.Wanted(size=5, limit=10.0)
    first, drawn = mutation_run.perform(tmp_path, wanted, tmp_path)
    second, _ = mutation_run.perform(tmp_path, mutation_run.Wanted(size=5), tmp_path)
    third, _ = mutation_run.perform(tmp_path, mutation_run.Wanted(size=5), tmp_path)
    once = [*tried]
    mutation_run.perform(tmp_path, mutation_run.Wanted(size=5, again=True), tmp_path)

    assert (len(first), len(second), len(third), drawn["sample"]) == (4, 5, 5, 5)
    assert len(once) == len(set(once)) == 5
    assert sorted(tried[5:]) == sorted(once)  # each survived, was too dear or unreached


def test_without_its_tools_the_verb_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown area is told with those that there are; both end with code 4."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "coverage" else SimpleNamespace())

    assert main(["mutation"]) == 4
    assert "missing: coverage; pip install 'ptycho-conformance[reference,mutation]'" in capsys.readouterr().err
    assert main(["mutation", "optics"]) == 4
    assert "no area optics; known: config, " in capsys.readouterr().err
