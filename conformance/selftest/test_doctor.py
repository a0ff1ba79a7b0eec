"""What the doctor finds: facts in, findings out; and what it looks at when it is called."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.cli.doctor import asked_for, libraries
from conformance.connectors import process
from conformance.running.doctor import LONGEST_TEMPORARY, ROOM, SHOWN, Answer, Facts, Finding, Folder, Library, code, findings
from conformance.selftest.house import House, check

WELL = Facts(
    backend="mine", device="cpu", python=(3, 12, 1), executable="/usr/bin/python", platform="Linux", cores=4, machine=8,
    memory=8 << 30, variables={}, libraries=(Library("numpy", ">=2.0", "", "2.4.6", True),),
    checkout={"commit": "a" * 40, "dirty": False, "diff": None, "untracked": []},
    folders=(Folder("temporary", "/tmp", 2 * ROOM), Folder("reports", "reports", 2 * ROOM)), problems=(), profiles=("core",),
    untestable={}, pending={}, checks=12, device_checks=3, accelerator=True,
    answer=Answer(name="mine", version="1", devices=("cpu", "cuda"), profiles=("core",), offered=57),
)  # fmt: skip
"""A machine on which nothing is missing."""


def told(**changes: Any) -> list[Finding]:
    """What is found beyond the environment."""
    return [finding for finding in findings(replace(WELL, **changes)) if finding.kind != "environment"]


def answering(**changes: Any) -> Answer:
    return replace(WELL.answer, **changes)


def test_where_nothing_is_missing_only_the_environment_is_told() -> None:
    found = findings(WELL)
    assert {finding.kind for finding in found} == {"environment"} and code(found) == 0
    said = {finding.subject: finding.found for finding in found}
    assert (
        said["python"].startswith("3.12.1 at /usr/bin/python")
        and said["processors"] == "4 of 8 for this process, 8 GiB of memory"
    )
    assert said["libraries"] == "numpy 2.4.6" and said["git"] == "aaaaaaaaaa, clean" and said["devices"] == "cpu, cuda"
    assert said["temporary folder"] == "/tmp, 2.0 GiB free" and said["backend"] == "mine 1, claims core, 57 methods"
    assert said["threads"].startswith("no variable set; a run uses one thread in each of its 4 processes")


LIBRARY = Library("rich", ">=13", "", "12.0", False)
NVIDIA = "an NVIDIA device is here, but the backend sees no cuda"
DEEP = "/".ljust(LONGEST_TEMPORARY + 1, "x")
PLACE = Folder("reports", "reports", fault="Read-only file system")


@pytest.mark.parametrize(
    ("changes", "kind", "subject", "said"),
    [
        ({"python": (3, 10, 9)}, "blocking", "python", "3.10.9"),
        ({"variables": {"OMP_NUM_THREADS": "5"}}, "misconfigured", "OMP_NUM_THREADS", "5"),
        ({"variables": {"MKL_NUM_THREADS": "all"}}, "misconfigured", "MKL_NUM_THREADS", "'all'"),
        ({"variables": {"OMP_NUM_THREADS": "0"}}, "misconfigured", "OMP_NUM_THREADS", "'0'"),
        ({"libraries": (LIBRARY,)}, "misconfigured", "library", "rich 12.0"),
        ({"libraries": (replace(LIBRARY, version=None),)}, "blocking", "library", "rich is missing"),
        (
            {"libraries": (replace(LIBRARY, version=None, extra="page"),), "backend": "proc:reference"},
            "not evaluated", "optional library", "rich is missing",
        ),
        ({"folders": (PLACE,)}, "blocking", "reports folder", "reports"),
        ({"folders": (replace(PLACE, fault="", free=ROOM - 1),)}, "misconfigured", "reports folder", "reports, 1.0 GiB free"),
        (
            {"folders": (Folder("temporary", DEEP, free=ROOM),)},
            "misconfigured", "temporary folder", f"{DEEP}, 76 bytes long",
        ),
        ({"variables": {"TMPDIR": "/gone"}}, "misconfigured", "TMPDIR", "/gone"),
        ({"variables": {"CONFORM_DRAFT": "1"}}, "misconfigured", "CONFORM_DRAFT", "1"),
        ({"problems": ("PHYS-001: not in",)}, "blocking", "specification", "PHYS-001: not in"),
        ({"untestable": {"POLICY-008~1": "a rule"}}, "not evaluated", "POLICY-008~1", "no check can test it"),
        ({"pending": {"PHYS-009~1": "later"}}, "not evaluated", "PHYS-009~1", "no check yet"),
        ({"answer": Answer(trouble="no such thing")}, "blocking", "backend", "no such thing"),
        ({"answer": answering(profiles=("core", "fly"))}, "misconfigured", "profile", "fly"),
        ({"answer": answering(absent={"loss": ["likelihood"]})}, "not evaluated", "surface loss", "no likelihood"),
        ({"device": "mps"}, "not evaluated", "device mps", "the backend sees cpu, cuda"),
        ({"answer": answering(devices=("cpu",)), "accelerator": False}, "not evaluated", "accelerator", "the backend sees none"),
        ({"answer": answering(devices=("cpu", "mps"))}, "misconfigured", "accelerator", NVIDIA),
    ],
)  # fmt: skip
def test_each_fault_is_told_once_and_alone(changes: dict[str, Any], kind: str, subject: str, said: str) -> None:
    found = told(**changes)
    assert [(finding.kind, finding.subject, finding.found) for finding in found] == [(kind, subject, said)]
    assert code(found) == (4 if kind == "blocking" else 0)
    assert found[0].advice, "a finding that nobody can act on"


def test_what_concerns_the_reference_alone_is_told_of_the_reference_alone() -> None:
    optional = tuple(replace(LIBRARY, version=version, extra="reference") for version in (None, "12.0"))
    assert told(libraries=optional) == [] and len(told(libraries=optional, backend="mutant:DEF-002")) == 2
    assert "rich" not in next(
        finding.found for finding in findings(replace(WELL, libraries=optional)) if finding.subject == "libraries"
    )


def test_the_gaps_of_the_backend_come_first() -> None:
    found = told(untestable={"POLICY-008~1": "a rule"}, answer=answering(absent={"loss": ["likelihood"]}))
    assert [finding.subject for finding in found] == ["surface loss", "POLICY-008~1"]


def test_what_is_as_it_should_be_is_no_fault() -> None:
    assert told(variables={"OMP_NUM_THREADS": "4", "TMPDIR": "/tmp/"}) == []
    assert told(variables={"CONFORM_DRAFT": ""}) == []


def test_a_draft_makes_a_broken_registry_no_obstacle() -> None:
    found = told(variables={"CONFORM_DRAFT": "1"}, problems=("a", "b"))
    assert [finding.kind for finding in found] == ["misconfigured"] * 3 and code(found) == 0


def test_many_problems_are_counted() -> None:
    assert len(told(problems=["x"] * SHOWN)) == SHOWN
    assert told(problems=["x"] * (SHOWN + 3))[-1].found == "and 3 more"


def test_a_dirty_checkout_says_what_it_keeps_from() -> None:
    dirty = {"commit": "b" * 40, "dirty": True, "diff": "c", "untracked": ["new.py"]}
    said = next(finding for finding in findings(replace(WELL, checkout=dirty)) if finding.subject == "git")
    assert said.found == "bbbbbbbbbb with local changes, untracked new.py" and "ledger add" in said.advice


# -- called --------------------------------------------------------------------------------------------------------------------


def doctor(house: House, *words: str, backend: str = "Both", env: dict[str, str | None] | None = None) -> Any:
    """`conform doctor --json` on a fake backend: its findings as `(kind, subject, found)`, and how it ended."""
    argv = [sys.executable, "-m", "conformance", "--specs", str(house.specs), "--suite", str(house.suite), "doctor", "--json"]
    name = backend if ":" in backend else f"conformance.selftest.fakes:{backend}"
    clean = {"CONFORM_DRAFT": None, "TMPDIR": None, "OMP_NUM_THREADS": "1"}
    done = process.run([*argv, "--backend", name, *words], cwd=house.root, env={**clean, **(env or {})})
    answer = json.loads(done.stdout)
    assert answer["exit"] == done.returncode
    return [(f["kind"], f["subject"], f["found"]) for f in answer["findings"]], done.returncode


def test_it_looks_at_this_machine_and_runs_no_check(house: House) -> None:
    found, ended = doctor(house, env={"TMPDIR": "/gone", "OMP_NUM_THREADS": "4096"})
    assert ended == 0 and not (house.root / "reports").exists() and sorted(house.root.iterdir()) == [house.specs, house.suite]
    said = {subject: told for _, subject, told in found}
    assert ("misconfigured", "TMPDIR", "/gone") in found and ("misconfigured", "OMP_NUM_THREADS", "4096") in found
    assert said["suite"] == "1 check before parametrisation, 0 for accelerators" and said["devices"] == "cpu, cuda"
    assert said["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.") and "numpy 2" in said["libraries"]
    assert ("not evaluated", "surface loss", "no likelihood, loss, gradient, loss_names") in found


def test_a_run_that_could_not_start_is_a_four(house: House) -> None:
    house.tests("physics", check("other", "pass", '"PHYS-009~1"'))
    (house.root / "reports").write_text("in the way", encoding="utf-8")
    found, ended = doctor(house, backend="conformance.selftest.fakes:Nobody")
    faults = {subject: told for kind, subject, told in found if kind == "blocking"}
    assert ended == 4 and set(faults) == {"specification", "reports folder", "backend"}
    assert "has no 'Nobody'" in faults["backend"]


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("Unmakeable", "backend 'conformance.selftest.fakes:Unmakeable' cannot be made: RuntimeError: a library is missing ("),
        ("DiesAtOnce", "its process ended with 4: it said nothing"),
    ],
)  # fmt: skip
def test_a_backend_that_cannot_be_made_takes_nothing_with_it(house: House, backend: str, said: str) -> None:
    found, ended = doctor(house, backend=backend)
    (told,) = [told for kind, subject, told in found if (kind, subject) == ("blocking", "backend")]
    assert told.startswith(said) and ended == 4


def test_without_a_framework_it_says_what_is_missing(house: House) -> None:
    """The reference where torch cannot be found: a run could not start, and the doctor itself needs none of it."""
    argv = [sys.executable, "-m", "conformance", "--specs", str(house.specs), "--suite", str(house.suite), "doctor"]
    done = process.block_imports(argv, ("torch", "lightning", "h5py"), cwd=house.root, env={"CONFORM_DRAFT": None})
    assert done.returncode == 4, done.output
    assert "backend 'reference': its package 'torch' is not installed here" in done.stdout
    titles = [line.split(":")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert titles == ["here", "would not be evaluated here", "misconfigured", "a run could not start", "exit 4"]


def test_what_is_asked_for_is_what_the_project_declares() -> None:
    asked = {text: extra for extra, text in asked_for()}
    assert asked["numpy>=2.0"] == "" and asked["selenium>=4.20"] == "page"
    known = {(library.name, library.extra): library for library in libraries()}
    own, reference = known["numpy", ""], known["numpy", "reference"]
    assert own.version and own.fits and (own.wanted, reference.wanted) == (">=2.0", ">=2.2"), "the reference needs a newer one"


def test_an_installed_harness_knows_its_requirements_from_its_metadata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "ptycho_conformance-9.dist-info"
    info.mkdir()
    needs = ["numpy>=2.0", 'selenium>=4.20; extra == "page"', 'nothing>=1; python_version < "3"']
    lines = ["Metadata-Version: 2.1", "Name: ptycho-conformance", "Version: 9", "Provides-Extra: page"]
    (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {need}" for need in needs), ""]), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert asked_for(tmp_path / "pyproject.toml") == [("", needs[0]), ("page", needs[1])]
