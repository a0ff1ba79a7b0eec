"""Mutants and twins: who counts as killed, what is hollow, and that a trial is a process of its own."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.defects import trial_run, trials
from conformance.defects.planting import Plant, Planted, Register
from conformance.defects.trials import Place, Tried
from conformance.specification.bindings import scan


def planted(*checks: str, name: str = "DEF-1", files: tuple[str, ...] = ()) -> Planted:
    return Planted(name, "a symptom", "batch", checks, lambda plant: None, files)


def tried(states: dict[str, str], *checks: str, complete: bool = True, name: str = "DEF-1") -> Tried:
    return Tried(planted(*checks, name=name), states, dict.fromkeys(states, ""), complete)


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ({"A-1:one[g1]": "pass", "A-1:one[g2]": "fail"}, "killed"),
        ({"A-1:one[g1]": "pass"}, "survived"),
        ({"A-1:one[g1]": "crash"}, "killed for another reason"),
        ({"A-1:one[g1]": "pass", "A-1:other": "fail"}, "killed for another reason"),
        ({}, "survived"),
    ],
    ids=["by its assertion", "green", "crash", "elsewhere", "nothing ran"],
)
def test_only_the_named_assertion_kills(states: dict[str, str], verdict: str) -> None:
    assert tried(states, "A-1:one").verdict == verdict


def test_every_named_check_must_fail() -> None:
    found = tried({"A-1:one": "fail", "A-1:two": "pass"}, "A-1:one", "A-1:two")

    assert found.verdict == "killed for another reason"
    assert found.missed == ["A-1:two"]


def test_a_named_case_is_that_case_alone() -> None:
    assert tried({"A-1:one[g1]": "fail", "A-1:one[g2]": "pass"}, "A-1:one[g2]").missed == ["A-1:one[g2]"]


def test_a_trial_that_did_not_end_kills_nothing() -> None:
    assert tried({"A-1:one": "fail"}, "A-1:one", complete=False).verdict == "incomplete"


PLACES = [
    Place("n1", "A-1:one[g1]@cpu", "test_a"),
    Place("n2", "A-1:one[g2]@cpu", "test_a"),
    Place("n3", "A-2:slow@cpu", "test_a", slow=True),
    Place("n4", "B-1:other@cpu", "test_b"),
]


def test_a_trial_runs_the_named_checks_and_the_quick_ones_beside_them() -> None:
    assert [place.node for place in trials.chosen(PLACES, ["A-1:one[g2]"], [], "all cases")] == ["n2", "n1"]
    assert [place.node for place in trials.chosen(PLACES, ["A-2:slow"], ["test_b"], "all cases")] == ["n3", "n1", "n2", "n4"]


def test_what_is_not_named_runs_in_one_case() -> None:
    assert [place.node for place in trials.chosen(PLACES, ["A-2:slow"], ["test_b"])] == ["n3", "n2", "n4"]
    assert [place.node for place in trials.chosen(PLACES, ["A-1:one"], [])] == ["n1", "n2"]
    assert [place.node for place in trials.chosen(PLACES, ["B-1:other"], ["test_a"])] == ["n4", "n2"]
    assert [place.node for place in trials.chosen(PLACES, ["A-2:slow"], ["test_b"], "none")] == ["n3"]


@pytest.mark.parametrize(("checks", "files"), [(["A-9:gone"], []), ([], ["test_gone"])], ids=["check", "file"])
def test_a_name_of_nothing_is_refused(checks: list[str], files: list[str]) -> None:
    with pytest.raises(LookupError, match="gone"):
        trials.chosen(PLACES, checks, files)


def test_what_is_traced_begins_with_the_quick_checks_and_takes_one_case_of_a_slow_one() -> None:
    places = [Place("n0", "A-2:slow[a]@cpu", "test_a", slow=True), *PLACES[2:3], *PLACES[:2], *PLACES[3:]]

    assert trials.unknown(places, set()) == [["A-1:one[g1]", "A-1:one[g2]"], ["B-1:other"], ["A-2:slow"]]
    assert trials.unknown(places, {"A-1:one"}) == [["B-1:other"], ["A-2:slow"]]


@pytest.mark.parametrize(
    ("names", "settled"),
    [(["A-1:one"], True), (["A-1:one[g2]"], False), (["A-1:one", "A-1:one[g2]"], False), (["A-1:other"], False), ([], False)],
    ids=["a case of it", "another case", "not all that ask", "another check", "nobody asks"],
)
def test_a_check_is_settled_when_a_case_has_proved_every_name_that_asks(names: list[str], settled: bool) -> None:
    assert trials.settled("A-1:one[g2]", names, {"A-1:one[g1]"}) is settled


def test_only_a_failure_of_a_named_clause_settles() -> None:
    line = {"state": "fail", "stop": {"clauses": ["A-2~1"]}}

    assert trials.refutes(line["state"], trials.stop_of(line), ["A-2"])
    assert not trials.refutes(line["state"], trials.stop_of(line), ["A-1"])
    assert not trials.refutes("crash", (), ["A-1"])
    assert trials.refutes("fail", trials.stop_of({"state": "fail"}), ["A-1"])


def test_hollow_checks_and_the_smallest_selection() -> None:
    table = trials.matrix(
        [
            tried({"A-1:one": "fail", "A-1:two": "fail"}, "A-1:one", name="DEF-1"),
            tried({"A-1:two": "fail", "A-1:three": "crash"}, "A-1:two", name="DEF-2"),
        ]
    )

    assert trials.hollow(["A-1:one", "A-1:two", "A-1:three"], table) == ["A-1:three"]
    assert trials.smallest(table) == ["A-1:two"]


def test_a_matrix_that_differs_tells_where() -> None:
    before = trials.matrix([tried({"A-1:one": "fail"}, "A-1:one")])
    after = trials.matrix([tried({"A-1:two": "fail"}, "A-1:two"), tried({"A-1:one": "fail"}, name="DEF-2")])

    assert trials.drift(before, after) == [
        "DEF-2: not in the committed matrix",
        "DEF-1: no longer has to fail A-1:one",
        "DEF-1: now has to fail A-1:two",
    ]
    assert trials.drift(after, after) == []
    by_chance = trials.matrix([tried({"A-1:one": "fail", "A-1:two": "fail"}, "A-1:one")])
    assert trials.drift(before, by_chance) == []


def test_a_survivor_is_code_7_an_accused_twin_or_a_hollow_check_1(tmp_path: Path) -> None:
    def ending(mutant: dict[str, str], twin: dict[str, str], code: int = 0) -> int:
        found = trial_run.conclude(
            tmp_path, (tried(mutant, "A-1:one"),), (tried(twin, name="TWIN-a"),), code, complete=False, update=True
        )
        return found.code

    assert ending({"A-1:one": "fail"}, {"A-1:one": "pass"}) == 0
    assert ending({"A-1:one": "pass"}, {"A-1:one": "pass"}) == 7
    assert ending({"A-1:one": "fail"}, {"A-1:one": "crash"}) == 1
    assert ending({"A-1:one": "fail"}, {"A-1:one": "pass"}, code=1) == 3
    assert json.loads((tmp_path / "mutants.json").read_text())["mutants"]["DEF-1"]["killed"] == ["A-1:one"]


def test_a_reason_for_a_hollow_check_must_hold() -> None:
    table = trials.matrix([tried({"A-1:one": "fail"}, "A-1:one")])

    problems = trial_run.excuses(["A-1:one", "A-1:two", "A-1:three"], table, {"A-1:two": "needs a GPU", "A-1:one": "?"})

    assert [problem.split()[1] for problem in problems] == ["A-1:three", "A-1:one"]


def test_every_check_has_a_defect_that_it_must_catch_or_a_reason() -> None:
    """What a whole trial says at its end, said at once: a check that no row names, and by which the matrix knows no red."""
    named = {check.split("[")[0] for row in trial_run.entries((), "mutant").values() for check in row.checks}
    seen = {check for row in trial_run.read_json(trial_run.MATRIX)["mutants"].values() for check in row["killed"]}
    reasons = trial_run.read_json(trial_run.HOLLOW)

    assert [bound.check for bound in scan()[0] if bound.check not in named | seen | reasons.keys()] == []


def test_what_cannot_be_planted_is_an_error() -> None:
    import json as somebodys

    with pytest.raises(LookupError, match="nothing was planted"):
        Plant().function(somebodys.dumps, lambda original: original)
    with pytest.raises(LookupError, match="nothing was planted"):
        Plant().constant(somebodys, "no_such_name", 1)


def test_source_is_planted_into_interpreters_that_start_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A fresh interpreter reads the changed file, this one and its files stay as they are; no such text is an error."""
    import reference_impl.policy

    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("CONFORM_PLANTED_COPY", "")
    before = Path(str(reference_impl.policy.__file__)).read_text(encoding="utf-8")
    plant = Plant()
    plant.source("policy.py", "def require_torch() -> None:", "def require_torch_later() -> None:")

    code = "import reference_impl.policy as policy; print(hasattr(policy, 'require_torch_later'))"
    assert process.run([sys.executable, "-c", code], cwd=tmp_path).stdout.strip() == "True"
    assert not hasattr(reference_impl.policy, "require_torch_later")
    assert Path(str(reference_impl.policy.__file__)).read_text(encoding="utf-8") == before
    with pytest.raises(LookupError, match="nothing was planted"):
        plant.source("policy.py", "no such line", "")


def test_hypothesis_reads_the_sources_of_a_process_once_for_all_its_forks(tmp_path: Path) -> None:
    """It does so at a draw, unless the process from which all are forked has drawn before."""
    code = (
        "import ast, os, conformance.scenes.runs\nfrom conformance.scenes import strategies\n"
        "strategies.ready() if {ready} else None\n"
        "read, parse = [], ast.parse\nast.parse = lambda *given, **options: read.append(given) or parse(*given, **options)\n"
        "if not os.fork():\n    strategies.ready()\n    print(len(read), flush=True)\n    os._exit(0)\nos.wait()\n"
    )

    first, others = (
        int(process.run([sys.executable, "-c", code.format(ready=ready)], cwd=tmp_path).stdout) for ready in (False, True)
    )

    assert first > 5 + others


def test_an_id_is_registered_once() -> None:
    row = Register("conformance.mutants").rows("conformance.mutants.batch")
    row("DEF-1", "one", "A-1:one", plant=lambda plant: None)

    with pytest.raises(ValueError, match="DEF-1 is registered twice: one; two"):
        row("DEF-1", "two", "A-1:one", plant=lambda plant: None)


def test_a_mutant_a_twin_and_the_reference_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant is killed and a twin stays green, side by side: what is planted in one fork is in no other.

    In a deep folder too: the last starts processes, whose sockets have no room in a long path. The second writes its logs where
    it stands, and nothing of that is left where the trials were started.
    """
    (stand := tmp_path / "stand").mkdir()
    monkeypatch.chdir(stand)
    named = ("DEF-001", "GUARD-TRAIN-010", "TWIN-dict-in-a-list", "TWIN-orders-of-numpy")
    outcome = trial_run.perform(trial_run.Asked(only=named, workers=2, output=Path("deep" * 30), patience=120.0))

    assert [mutant.verdict for mutant in outcome.mutants] == ["killed"] * 2
    assert [(twin.reds, twin.complete) for twin in outcome.twins] == [([], True)] * 2
    assert [path.name for path in stand.iterdir()] == ["deep" * 30]


@pytest.mark.parametrize(("limit", "code"), [(1 << 33, 1), (None, 0)], ids=["bounded", "free"])
def test_a_trial_addresses_no_more_than_its_job_allows(limit: int | None, code: int, tmp_path: Path) -> None:
    asks = f"from conformance.plugin.trials import bounded; bounded({limit}); import mmap; mmap.mmap(-1, 1 << 34, flags=0x4022)"
    assert process.run([sys.executable, "-c", asks], cwd=tmp_path).returncode == code


def test_a_trial_that_does_not_end_says_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "DEF-1").mkdir()
    (tmp_path / "DEF-1" / "run.log").write_text(
        'noise\nTimeout (0:04:30)!\n  File "loader.py", line 7 in wait\n', encoding="utf-8"
    )

    outcome = trial_run.conclude(tmp_path, (), (tried({"A-1:one": "pass"}, complete=False),), 0, complete=False, update=False)

    assert outcome.code == 1
    assert outcome.problems[0].startswith("DEF-1 incomplete; the last check that ended: A-1:one;")
    assert outcome.problems[0].endswith("line 7 in wait")


def test_a_row_whose_files_hold_slow_checks_alone_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It would be tried on nothing: checks that are slow run where they are named."""
    lost, named = planted(name="TWIN-lost", files=("test_client",)), planted("CLI-007:infer_leaves_pictures", name="TWIN-named")
    monkeypatch.setattr(trial_run, "entries", lambda only, scheme: {e.id: e for e in (lost, named)} if scheme == "twin" else {})
    monkeypatch.setattr(trial_run, "run", lambda *_: pytest.fail("trials were started"))

    with pytest.raises(LookupError, match="TWIN-lost.*test_client.*slow.*name"):
        trial_run.perform(trial_run.Asked(output=tmp_path))


def test_a_trial_without_a_check_says_so(tmp_path: Path) -> None:
    (tmp_path / "DEF-1").mkdir()
    (tmp_path / "DEF-1" / "results.jsonl").write_text('{"kind": "end", "checks": 0, "seconds": 0.1, "cpu": 0.1}\n')

    found = trials.read(tmp_path, planted("A-1:one"))
    outcome = trial_run.conclude(tmp_path, (), (found,), 0, complete=False, update=False)

    assert outcome.problems == ("DEF-1 incomplete: it ended, but was tried on no check at all; name checks in its row",)


def test_a_check_that_starts_processes_is_slow() -> None:
    """By a mark of its own or of its file: it is tried where it is named, never beside others, and begins early."""
    starting = {
        (path, node.name.removeprefix("test_"))
        for path in trial_run.default_suite().glob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and starts_processes(node)
    }

    slow = {(binding.path, binding.name) for binding in trial_run.scan()[0] if binding.slow}

    assert starting - slow == set()
    assert {"test_client", "test_training_ranks", "test_cli"} <= {path.stem for path, _ in slow & starting}


def starts_processes(node: ast.FunctionDef) -> bool:
    """What needs the folder of the session keeps there what a process has left."""
    return node.name.startswith("test_") and "shared_folder" in [argument.arg for argument in node.args.args]
