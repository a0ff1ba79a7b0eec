"""A backend that says what it offers is judged by that alone, and the verdict names it; what it offers and lacks stays a gap."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path

import numpy as np
import pytest

from conformance.connectors import process
from conformance.connectors.connect import Proxy, information
from conformance.connectors.names import NotClaimed, NotEvaluated, NotOffered, UnknownBackend, claimed, offered
from conformance.evidence import report as reports
from conformance.evidence.verdict import clause_states
from conformance.protocol import BackendInfo
from conformance.scenes import configs, interpreters
from conformance.selftest.fakes import Pure
from conformance.selftest.house import House, check, clause

CLAUSES = (
    clause("PHYS-001~1", fence='tolerance = "exact"'),
    clause("PHYS-002~1", fence='tolerance = "exact"'),
    clause("PHYS-003~1", fence='tolerance = "exact"'),
)
CHECKS = (
    check("moves", 'observe.close("images", backend.translate(X, X), X)'),
    check("reads", 'observe.equal("record", backend.read("x"), 1)', '"PHYS-002~1"'),
    check("moves_and_reads", 'observe.close("images", backend.translate(X, X), X)', '"PHYS-003~1"'),
    check("only_reads", 'observe.equal("record", backend.read("x"), 1)', '"PHYS-003~1"'),
)
EXTRACTS = check("extracts", 'observe.close("patches", backend.extract(X, X, 3), X)', '"PHYS-001~1"')
INFO_LACKS = """
    from conformance.connectors.names import NotClaimed
    if not backend.info().modules:
        raise NotClaimed("the backend names no modules")
"""


class Moves(Pure):
    """Says that it moves images, and nothing else."""

    surfaces: tuple[str, ...] = ("physics.translate",)

    def info(self) -> BackendInfo:
        return BackendInfo(name="moves", version="0", surfaces=self.surfaces)


class Physics(Moves):
    """Says that it offers all of physics, of which most is absent."""

    surfaces = ("physics",)


class Misspelt(Moves):
    """Names a surface that there is not."""

    surfaces = ("physics", "phsics.diffract")


HERE = "conformance.selftest.test_surfaces"


def ran(shell: House, backend: str, *checks: str) -> tuple[int, str, reports.Report]:
    shell.chapter("physics", *CLAUSES).tests("physics", *checks).lock()
    done = shell.conform("run", "--workers", "0", backend=f"{HERE}:{backend}")
    return done.returncode, done.stdout, reports.read((shell.folder() / "report.jsonl").read_text(encoding="utf-8"))


def test_what_is_not_offered_is_no_gap_and_the_verdict_says_for_what_it_is_meant(shell: House) -> None:
    code, told, report = ran(shell, "Moves", *CHECKS)
    assert shell.states() == {
        "PHYS-001:moves": "pass",
        "PHYS-002:reads": "not-offered",
        "PHYS-003:moves_and_reads": "pass",
        "PHYS-003:only_reads": "not-offered",
    }
    assert clause_states(report) == {"PHYS-001~1": "pass", "PHYS-002~1": "not-offered", "PHYS-003~1": "not-offered"}
    assert code == 0, told
    assert (
        "core on cpu: CONFORMANT for physics.translate; clauses: 3 declared = 1 evaluated" in told and "+ 2 not offered" in told
    )
    assert "2 passed, 2 not offered" in told and "2 checks not offered: outside of physics.translate" in told


def test_what_is_offered_and_absent_stays_a_gap(shell: House) -> None:
    code, told, report = ran(shell, "Physics", *CHECKS, EXTRACTS)
    assert shell.states()["PHYS-001:extracts"] == "not-claimed" and clause_states(report)["PHYS-001~1"] == "not-evaluated"
    assert code == 6, told


def test_what_is_offered_and_wrong_is_red(shell: House) -> None:
    wrong = check("wrong", 'observe.close("images", backend.translate(X, X), X + 1)')
    code, told, _ = ran(shell, "Moves", *CHECKS[1:], wrong)
    assert code == 1 and "core on cpu: NON-CONFORMANT for physics.translate" in told


def test_nothing_offered_of_what_is_asked_is_not_evaluated(shell: House) -> None:
    code, told, _ = ran(shell, "Moves", *(check(f"reads_{n}", 'backend.read("x")', f'"PHYS-00{n}~1"') for n in (1, 2, 3)))
    assert code == 5 and "core on cpu: NOT-EVALUATED for physics.translate" in told


def test_a_method_that_is_there_and_not_offered_is_not_called() -> None:
    proxy = Proxy(Moves(), offered(("config.registry",)))
    assert proxy.registry() == {"N": 64} and proxy.info().name == "moves"
    with pytest.raises(NotOffered, match="`translate` is not among what the backend offers"):
        proxy.translate(1, 2)
    with pytest.raises(NotClaimed):
        Proxy(Moves()).extract(1, 2, 3)
    assert claimed(Moves(), offered(("physics",)))["config"] == []


def test_what_the_description_leaves_out_is_not_offered_either(shell: House) -> None:
    lacking = check("lacks", INFO_LACKS, '"PHYS-002~1"')
    assert ran(shell, "Moves", CHECKS[0], lacking, CHECKS[3])[0] == 0
    assert shell.states()["PHYS-002:lacks"] == "not-offered"


@pytest.mark.parametrize("verb", ["run", "doctor"])
def test_an_unknown_surface_is_refused(shell: House, verb: str) -> None:
    shell.chapter("physics", *CLAUSES).tests("physics", *CHECKS).lock()
    done = shell.conform(verb, *(["--backend", f"{HERE}:Misspelt"] if verb == "doctor" else []), backend=f"{HERE}:Misspelt")
    assert done.returncode == 4, done.output
    assert (
        "BackendInfo.surfaces names 'phsics.diffract', which is neither a surface nor a method of one; near: physics.diffract"
        in done.output
    )


def test_an_unknown_surface_is_refused_over_a_connector() -> None:
    with pytest.raises(UnknownBackend, match="known: describe, config, .*as in physics.diffract"):
        offered(("nothing of the kind",))
    assert information(Moves()).surfaces == ("physics.translate",) and offered(()) is None


# -- the suite's own condition ---------------------------------------------------------------------------------------------------

OWN = clause("FIXTURE-001~1", fence='profiles = { suite = "required" }')
RECORD = check("record_is_whole", 'observe.equal("record", {found}, 1)', '"FIXTURE-001~1"', arguments="observe")


def with_a_record(shell: House, found: int) -> House:
    (shell.specs / "profiles" / "suite.toml").write_text('title = "T"\n', encoding="utf-8")
    shell.chapter("physics", CLAUSES[0]).chapter("fixture", OWN).tests("physics", CHECKS[0])
    return shell.tests("fixture", RECORD.format(found=found)).lock()


def test_the_suites_own_record_is_examined_and_counts_for_no_backend(shell: House) -> None:
    done = with_a_record(shell, 1).conform("run", "--workers", "0", backend="Pure")
    assert done.returncode == 0 and shell.states() == {"PHYS-001:moves": "pass", "FIXTURE-001:record_is_whole": "pass"}
    assert "core on cpu: CONFORMANT; clauses: 1 declared = 1 evaluated" in done.stdout and "suite on cpu" not in done.stdout


def test_a_fault_of_the_suites_own_record_is_the_harnesss(shell: House) -> None:
    done = with_a_record(shell, 2).conform("run", "--workers", "0", backend="Pure")
    assert done.returncode == 3 and "core on cpu: HARNESS-ERROR" in done.stdout
    told = "exit 3: the suite's own record is not as it must be (FIXTURE-001:record_is_whole@cpu): no fault of this backend"
    assert told in done.stdout


def test_a_selection_leaves_it_out_and_a_profile_asks_for_it_alone(shell: House) -> None:
    with_a_record(shell, 2).conform("run", "--workers", "0", "-k", "PHYS-001", backend="Pure")
    assert shell.states() == {"PHYS-001:moves": "pass"}
    done = shell.conform("run", "--workers", "0", "--profile", "suite", backend="Pure")
    assert done.returncode == 3 and shell.states() == {"FIXTURE-001:record_is_whole": "fail"}


def test_of_several_backends_the_first_run_examines_it(shell: House) -> None:
    fakes = "conformance.selftest.fakes"
    words = ["--backend", f"{fakes}:Nobody", "--backend", f"{fakes}:Both"]
    done = with_a_record(shell, 1).conform("run", "--workers", "0", *words, backend="Pure")
    assert done.returncode == 4, "one of them is not there"
    logs = {path.parent.name: path.read_text(encoding="utf-8") for path in shell.root.glob("reports/*/*/report.jsonl")}
    assert [("record_is_whole" in log.partition('"deselected"')[0]) for _, log in sorted(logs.items())] == [True, False]


# -- who is asked for torch ------------------------------------------------------------------------------------------------------


class Told:
    """A description, and nothing else."""

    def __init__(self, *libraries: str) -> None:
        self.libraries = libraries

    def info(self) -> BackendInfo:
        return BackendInfo(name="told", version="0", numeric_libraries=self.libraries, distribution="numpy")


def test_an_engine_without_torch_is_not_told_to_require_it() -> None:
    with pytest.raises(NotClaimed, match="computes without torch, with numpy, cupy"):
        interpreters.of_torch(Told("numpy 2.4", "cupy"))
    interpreters.of_torch(Told("numpy", "torch 2.13.0"))
    with pytest.raises(NotClaimed, match="the description names no `selector`"):
        interpreters.selector_module(Told("numpy"))


class Rooted(Told):
    """Makes configurations of a class that no module knows."""

    def canonical(self, kind: str, **fields: object) -> object:
        return type(kind, (), fields)()


def test_a_configuration_that_no_pickle_carries_is_no_fault_of_the_check(tmp_path: Path) -> None:
    with pytest.raises(NotEvaluated, match="cannot be carried into an interpreter without torch"):
        interpreters.ask(Rooted("torch 2.13.0"), tmp_path, "pytorch", ["torch"])


class Accelerator(StrEnum):
    """Settings of a backend that keeps them as enumerations."""

    CPU = "cpu"


def test_settings_count_by_their_values() -> None:
    given = {"accelerator": Accelerator.CPU, "rate": np.float64(1e-3), "keep": np.int64(-1), "on": np.bool_(True), "none": None}
    found = configs.stated(given)
    assert found == {"accelerator": "cpu", "rate": 1e-3, "keep": -1, "on": True, "none": None}
    assert [type(value) for value in found.values()] == [str, float, int, bool, type(None)]
    assert configs.stated({"rate": [1.0]}) == {"rate": "an object"}


class Silent(Moves):
    """Says who it is, and offers nothing."""

    surfaces = ("describe",)


@pytest.mark.slow
def test_nobody_fails_for_what_is_not_offered(tmp_path: Path) -> None:
    """The whole suite on a backend that offers nothing: a check that goes its own way to a method would accuse it."""
    argv = [
        sys.executable,
        "-m",
        "conformance",
        "run",
        "--backend",
        f"{HERE}:Silent",
        "--output",
        str(tmp_path),
        "--profile",
        "core",
    ]
    done = process.run([*argv, "--no-repro"], timeout=900, env={"CONFORM_DRAFT": None})
    report = reports.read(next(tmp_path.rglob("report.jsonl")).read_text(encoding="utf-8"))
    found = {check: state for check, state in report.states().items() if not check.startswith("FIXTURE-")}
    assert {check: state for check, state in found.items() if state != "not-offered"} == {}
    assert done.returncode == 0 and "core on cpu: NOT-EVALUATED for describe" in done.stdout
