"""Whole runs on small backends with known faults: states, codes, logs, and what the terminal ends with."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.evidence import report as reports
from conformance.selftest.house import GOOD, House, build, check, clause, sound

CHAPTER = (
    clause("PHYS-001~1", fence='tolerance = "exact"'),
    clause("PHYS-002~1", fence='tolerance = "exact"'),
    clause("PHYS-003~1", prose="It SHOULD hold.", fence='tolerance = "exact"'),
    clause("PHYS-004~1", prose="It MUST wait.", fence='pending = "later"'),
)
PAIR = '@pytest.mark.parametrize("n", [1, 2])'
CHECKS = (
    GOOD,
    check("wrong", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-002~1"'),
    check("follows", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-001~1", needs=("PHYS-002",)'),
    check("green_by_chance", 'observe.close("images", backend.translate(X, X), X)', '"PHYS-001~1", needs="PHYS-002"'),
    check("raises", 'observe.close("images", backend.diffract(X, X), X)', '"PHYS-002~1"'),
    check("dies", 'observe.close("images", backend.merge(X, X, n), X)', '"PHYS-002~1"', PAIR, "backend, observe, n"),
    check("absent", 'observe.close("images", backend.extract(X, X, 3), X)', '"PHYS-001~1"'),
    check("other_form", 'observe.close("images", backend.translate(X, X)["images"], X)', '"PHYS-002~1"'),
    check("iterates", "next(backend.loaders(X, None, None)[0])", '"PHYS-002~1"'),
    check("advises", 'observe.close("images", backend.translate(X, X), X + 1)', '"PHYS-003~1"'),
    check("dirties", 'backend.registry()["N"] = 9\nobserve.equal("N", backend.registry()["N"], 9)'),
    check("is_fresh", 'observe.equal("registry", dict(backend.registry()), {"N": 64})'),
)  # fmt: skip
FAULTS = (
    check("observes_nothing", "backend.translate(X, X)"),
    check("misspelt", "backend.trnslate(X, X)"),
    check("own_mistake", "observe.close('images', Y, X)"),
    check("skips", "pytest.skip('not today')"),
    check("wants_a_bound", 'observe.close("images", X, X)', '"PHYS-005~1"'),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, str, int]:
    """One run in two workers with every kind of red; the house, the output, the exit code."""
    house = build(tmp_path_factory.mktemp("red")).chapter("physics", *CHAPTER).tests("physics", *CHECKS).lock()
    done = house.conform("run", "--workers", "2")
    return house, done.stdout, done.returncode


def test_every_check_has_its_state(ran: tuple[House, str, int]) -> None:
    house, _, code = ran
    assert house.states() == {
        "PHYS-001:identity": "pass",
        "PHYS-002:wrong": "fail",
        "PHYS-001:follows": "blocked",
        "PHYS-001:green_by_chance": "blocked",
        "PHYS-002:raises": "crash",
        "PHYS-002:dies[1]": "crash",
        "PHYS-002:dies[2]": "crash",
        "PHYS-001:absent": "not-claimed",
        "PHYS-002:other_form": "fail",
        "PHYS-002:iterates": "crash",
        "PHYS-003:advises": "fail",
        "PHYS-001:dirties": "pass",
        "PHYS-001:is_fresh": "pass",
    }
    assert code == 6, "two processes died"


def test_the_report_closes_although_workers_died(ran: tuple[House, str, int]) -> None:
    report = reports.read((ran[0].folder() / "report.jsonl").read_text())
    assert sorted(line["check"] for line in report.results if line.get("worker_died")) == [
        "PHYS-002:dies[1]@cpu",
        "PHYS-002:dies[2]@cpu",
    ]
    assert report.footer is not None and report.footer["exit"] == 6
    assert {line["check"]: line["was"] for line in report.blocked} == {
        "PHYS-001:follows@cpu": "fail",
        "PHYS-001:green_by_chance@cpu": "pass",
    }


def test_every_failure_says_all_and_how_to_repeat_it(ran: tuple[House, str, int]) -> None:
    house, output, _ = ran
    log = (house.folder() / "run.log").read_text()
    for name in ("wrong", "raises", "dies[1]", "other_form", "iterates", "advises"):
        told = log[log.index(f"check     PHYS-00{3 if name == 'advises' else 2}:{name}@cpu") :].split("repeat")
        for label in ("expected  ", "found     ", f"suspect   {name.split('[')[0]}."):
            assert label in told[0], (name, told[0])
        assert re.match(r"    conform run --backend \S+ --device cpu -k '?PHYS-00\d:", told[1])
    assert "✗ PHYS-002 A title\n    check     PHYS-002:wrong@cpu, observation `images`\n    expected  " in output
    assert re.search(r"\n    where     \S*fakes.py:\d+ in diffract\n", output)


def test_the_run_ends_with_one_count_verdict_next_step_and_page(ran: tuple[House, str, int]) -> None:
    house, output, _ = ran
    clauses = "4 declared = 2 evaluated + 1 pending + 0 untestable + 0 not evaluated + 1 blocked"
    assert output.splitlines()[-5:] == [
        "13 checks: 3 passed, 1 not claimed, 2 blocked, 3 failed, 4 crashed",
        f"core on cpu: NON-CONFORMANT; clauses: {clauses}",
        "exit 6: incomplete: 2 checks took their process down (PHYS-002:dies[1]@cpu, PHYS-002:dies[2]@cpu); "
        "6 checks failed, all on PHYS-002 (A title)",
        "next: conform explain PHYS-002",
        f"page: {house.folder() / 'report.html'}",
    ]
    assert "\x1b[" not in output, "colours belong on a terminal"
    assert "\n  PHYS-002    A title: 6 checks\n" in output and "\nadvice: PHYS-003 A title: 1 check\n" in output
    assert "\n2 checks blocked by PHYS-002 A title\n" in output
    assert "PHYS-001:follows" not in output, "what is blocked is no failure of its own"
    assert not re.search(r"\d failed, \d+ passed|bringing up|\[ *\d+%\]|=== ", output), "pytest's words belong into run.log"


def test_the_log_holds_everything_and_is_sealed(ran: tuple[House, str, int]) -> None:
    house, _, _ = ran
    lines = (house.folder() / "run.log").read_text().splitlines(keepends=True)
    assert lines[0] == "# conform run\n" and any(line.startswith("# argv ") for line in lines[:7])
    seal = re.fullmatch(r"# exit=6 seconds=[\d.]+ sha256=(\w+)\n", lines[-2])
    assert seal and seal[1] == hashlib.sha256("".join(lines[:-2]).encode()).hexdigest()
    assert lines[-1] == "# conform=6\n"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{6}Z", house.folder().parent.name)
    summary = (house.folder() / "summary.md").read_text()
    assert "- PHYS-004~1: later" in summary and "**core on cpu: NON-CONFORMANT" in summary and "bound     exact" in summary
    assert " failed, " in "".join(lines) and "FAIL PHYS-002~1" in "".join(lines)


def test_a_check_that_hangs_is_a_crash_and_the_others_stand(house: House) -> None:
    house.tests("physics", check("hangs", 'import time\ntime.sleep(999)\nobserve.equal("n", 1, 1)'), GOOD)
    done = house.conform("run", "--workers", "1", "--patience", "1", backend="Pure")
    assert (done.returncode, house.states()) == (6, {"PHYS-001:hangs": "crash", "PHYS-001:identity": "pass"})


def test_a_red_alone_is_one_and_its_command_repeats_it(ran: tuple[House, str, int], tmp_path: Path) -> None:
    house = build(tmp_path).chapter("physics", *CHAPTER).tests("physics", *CHECKS).lock()
    done = house.conform("run", "--workers", "1", "-k", "PHYS-002:wrong@cpu")
    assert (done.returncode, house.states()) == (1, {"PHYS-002:wrong": "fail"})
    assert "1 of 13 checks selected: 1 failed" in done.stdout
    assert "exit 1: 1 check failed, on PHYS-002 (A title)" in done.stdout


def test_faults_of_the_harness_are_its_own(tmp_path: Path) -> None:
    house = (
        build(tmp_path)
        .chapter("physics", *CHAPTER, clause("PHYS-005~1"))
        .tests("physics", GOOD, *FAULTS, *CHECKS[1:2], CHECKS[9])
        .lock()
    )
    done = house.conform("run", "--workers", "0")
    states = house.states()
    assert {name for name, state in states.items() if state == "error"} == {
        "PHYS-001:observes_nothing", "PHYS-001:misspelt", "PHYS-001:own_mistake", "PHYS-001:skips", "PHYS-005:wants_a_bound",
    }  # fmt: skip
    assert done.returncode == 3 and "core on cpu: HARNESS-ERROR" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_sound_house_is_conformant(house: House, workers: str) -> None:
    done = house.conform("run", "--workers", workers, "--label", "mine", backend="Pure")
    assert done.returncode == 0, done.output
    assert (
        "core on cpu: CONFORMANT; clauses: 1 declared = 1 evaluated + 0 pending + 0 untestable + 0 not evaluated" in done.stdout
    )
    assert house.folder().name == "mine"


def test_a_process_that_dies_leaves_the_run_incomplete(tmp_path: Path) -> None:
    house = build(tmp_path).chapter("physics", *CHAPTER).tests("physics", *CHECKS).lock()
    done = house.conform("run", "--workers", "0", "-k", "PHYS-00")
    assert done.returncode == 6 and "MissingFooter" in done.stdout
    assert sound(tmp_path / "b").conform("run", backend="DiesAtOnce").returncode == 6


def four(done: process.Completed, words: str) -> None:
    assert done.returncode == 4, done.output
    assert words in done.output and "INTERNALERROR" not in done.output
    assert (
        done.stdout.splitlines()[-2]
        == "exit 4: could not start: usage, a file, the specification, or a backend that cannot be made"
    )


@pytest.mark.parametrize("workers", ["0", "2"])
def test_inconsistencies_are_four_with_and_without_workers(house: House, workers: str) -> None:
    four(
        house.conform("run", "--workers", workers, "-k", "PHYS-001:nothing"),
        "-k PHYS-001:nothing matches no check; conform list --checks shows what there is",
    )
    wrong = clause("PHYS-001~1", prose="It SHOULD hold.", fence='level = "MUST"\nprofiles = { core = "required" }')
    house.chapter("physics", wrong).lock()
    four(house.conform("run", "--workers", workers), "level is MUST, but the prose says SHOULD")


def test_usage_errors_are_four(house: House) -> None:
    four(house.conform("run", "--workers", "0", "--profile", "varpro"), "unknown profile varpro; known: cli, core")
    four(house.conform("run", "--workers", "0", backend="Nobody"), "conformance.selftest.fakes has no 'Nobody'")
    four(house.conform("run", "--workers", "0", backend="Anonymous"), "info() must return a BackendInfo")
    assert house.conform("run", "--wrokers", "0").returncode == 4
    above = '@pytest.mark.parametrize("n", [1], ids=["a/b"])'
    house.tests("physics", check("identity", 'observe.equal("n", n, 1)', above=above, arguments="observe, n"))
    four(house.conform("run", "--workers", "0"), "the parameter id 'a/b' must match [A-Za-z0-9_.=+x-]+")


def test_nothing_selected_for_the_profile_is_five(house: House) -> None:
    done = house.conform("run", "--workers", "0", "--profile", "cli", backend="Both")
    assert done.returncode == 5 and "cli on cpu: NOT-EVALUATED" in done.stdout


def test_an_accelerator_that_is_not_there_is_never_green(house: House) -> None:
    device = check("on_device", 'observe.close("images", backend.translate(X, X), X)', above="@pytest.mark.device")
    house.tests("physics", GOOD, device)
    done = house.conform("run", "--device", "cuda", backend="Pure")
    assert (done.returncode, house.states()) == (5, {"PHYS-001:on_device": "not-evaluated"})
    assert (
        "core on cuda: NOT-EVALUATED" in done.stdout
        and "1 check not evaluated: no cuda device here; the backend sees cpu" in done.stdout
    )
    done = house.conform("run", "--device", "cuda", backend="Both")
    assert (done.returncode, house.states()) == (0, {"PHYS-001:on_device": "pass"})


def test_an_error_that_a_scene_raises_under_a_late_loader_is_the_backends_to_pass_on(shell: House) -> None:
    body = """
        from conformance.scenes import batches
        with observe.raises("error", OSError, "the map ends"):
            batches.exhaust(backend.loaders(batches.TruncatedMap(), None, None))
    """
    shell.chapter("physics", clause("PHYS-001~1")).tests("physics", check("late", body)).lock()
    shell.conform("run", "--workers", "0", backend="Late")
    assert shell.states() == {"PHYS-001:late": "pass"}


def test_a_registry_without_defaults_is_left_as_it_was_found(shell: House) -> None:
    checks = (check("dirties", 'backend.registry()["N"] = 9\nobserve.equal("N", backend.registry()["N"], 9)'), CHECKS[-1])
    shell.chapter("physics", clause("PHYS-001~1", fence='tolerance = "exact"')).tests("physics", *checks).lock()
    shell.conform("run", "--workers", "0", backend="Undefined")
    assert set(shell.states().values()) == {"pass"}, shell.states()


@pytest.mark.parametrize("flags", [(), ("--warm",), ("--warm", "--workers", "2")], ids=["cold", "warm", "warm-workers"])
def test_a_warm_run_starts_forks_and_says_so(shell: House, flags: tuple[str, ...]) -> None:
    """A process finds no library imported either way, and takes it from where it is kept where the run is warm."""
    program = "import sys; print(type(sys.meta_path[0]).__name__ == 'Kept', 'numpy' in sys.modules)"
    body = f"""
        import sys, tempfile
        from pathlib import Path
        from conformance.connectors import process
        script = Path(tempfile.mkdtemp(), "program.py")
        script.write_text({program!r})
        said = process.run([sys.executable, str(script)]).stdout.split()
        observe.equal("forked, imported", said, {[str(bool(flags)), "False"]})
    """
    shell.chapter("physics", clause("PHYS-001~1")).tests("physics", check("starts", body)).lock()
    shell.conform("run", *(flags if "--workers" in flags else (*flags, "--workers", "0")), backend="Pure")

    assert shell.states() == {"PHYS-001:starts": "pass"}
    assert shell.lines()[0].get("warm") == (True if flags else None)


def test_a_draft_runs_although_the_registry_is_not_whole(house: House) -> None:
    house.chapter("physics", clause("PHYS-001~1", prose="It MUST nearly hold.", fence='tolerance = "exact"'))
    assert house.conform("run", "--workers", "0", backend="Pure").returncode == 4
    assert house.conform("run", "--workers", "0", backend="Pure", env={"CONFORM_DRAFT": "1"}).returncode == 0
    house.tests("physics", check("identity", "pass", '"PHYS-009~1"'))
    done = house.conform("run", "--workers", "0", backend="Pure", env={"CONFORM_DRAFT": "1"})
    assert done.returncode == 4 and "unknown clause 'PHYS-009~1'" in done.output


def test_a_test_file_that_cannot_be_imported_is_a_fault(house: House) -> None:
    house.tests("physics", GOOD, "import nothing_of_that_name\n")
    assert house.conform("run", "--workers", "2", backend="Pure").returncode == 3
