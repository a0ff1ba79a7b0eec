"""Work orders: read in two forms, carried out from RED to `[x]`, blocked, guarded; and what only a person sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.orders import aliases, words
from conformance.orders.order import BadOrder
from conformance.orders.reading import read
from conformance.selftest import house
from conformance.selftest.books import commit, git
from conformance.selftest.house import House, build, check, clause
from conformance.specification.bindings import default_suite, scan

OWN = Path(aliases.__file__).with_name("loader-parity.md")
FOLDER = "plans/reports/parity"
BACKEND = """\
import os
from pathlib import Path

from conformance.selftest.fakes import Pure


class Backend(Pure):
    shift = 1
    noise = False

    def translate(self, images, offsets):
        assert os.environ.get("CUDA_VISIBLE_DEVICES") == "", "the order's environment did not arrive"
        if self.noise:
            Path("noise.log").write_text("x")
        return images + self.shift
"""
ORDER = """\
Summary: images come back as they were
Focus: [X] one row (C4.D3)
Branch: feature/torchapi
Artifacts: plans/reports/parity/{red.log,green.log,whole.log}
Do Now:
1. C4.D3 RED test @ plans/plan.md: CUDA_VISIBLE_DEVICES="" pytest tests/torch/test_x.py::TestX::test_their_name -vv
   (expect FAIL, tee to red.log)
2. C4.D3: mend it, then CUDA_VISIBLE_DEVICES="" pytest tests/torch/test_x.py::TestX::test_their_name -vv (tee to green.log)
3. C4.D3: CUDA_VISIBLE_DEVICES="" pytest tests/torch/test_y.py::test_whole -vv (tee to whole.log)
4. C4.D3: mark `[x]`, log Attempt #26; tests: none.
If Blocked: keep what failed in `plans/reports/parity/blocker.log`
Pitfalls To Avoid:
- Leave `given.json` untouched.
"""


@pytest.fixture
def place(tmp_path: Path) -> House:
    """A small house under git, on the branch that the order names, with a backend that moves what it should leave alone."""
    found = build(tmp_path).chapter("physics", clause("PHYS-001~1"), clause("PHYS-002~1"))
    same = 'observe.equal("images", backend.translate(X, X), X)'
    found.tests("physics", check("identity", same), check("whole", same, '"PHYS-002~1"')).lock()
    (tmp_path / "mine.py").write_text(BACKEND, encoding="utf-8")
    (tmp_path / "order.md").write_text(ORDER, encoding="utf-8")
    (tmp_path / "given.json").write_text("{}", encoding="utf-8")
    (tmp_path / "aliases.toml").write_text('test_their_name = "PHYS-001:identity"\n', encoding="utf-8")
    commit(found)
    git(found, "checkout", "-q", "-b", "feature/torchapi")
    return found


def conform(place: House, *arguments: str) -> process.Completed:
    """`conform` in the house."""
    argv = [sys.executable, "-m", "conformance", "--specs", str(place.specs), "--suite", str(place.suite), *arguments]
    env = {"CONFORM_DRAFT": None, "CI": None, "PYTHONPATH": str(place.root), "PYTHONDONTWRITEBYTECODE": "1"}
    return process.run(argv, cwd=place.root, env=env, timeout=120)


def carry(place: House, *more: str) -> process.Completed:
    """The order of the house, carried out on its backend as far as it goes."""
    given = ("--backend", "mine:Backend", "--aliases", "aliases.toml", "--workers", "0")
    return conform(place, "order", "order.md", *given, *more)


def change(place: House, old: str, new: str) -> None:
    """Another word in the backend."""
    path = place.root / "mine.py"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def rows(place: House) -> list[str]:
    """`[P] 1`, mark and step of each row written."""
    lines = (place.root / "reports/ledger/orders.jsonl").read_text(encoding="utf-8").splitlines()
    return [f"{line['mark']} {line['step']}" for line in map(json.loads, lines)]


def test_an_order_is_carried_out_from_a_failure_to_its_row(place: House) -> None:
    """RED, then nothing is mended (blocked), then it is: GREEN, the whole, the row; the notes of a person stay."""
    failed = carry(place)
    assert failed.returncode == 0 and "step 1 (red) is on record: plans/reports/parity/red.log" in failed.stdout
    assert "next: make the change" in failed.stdout and rows(place) == ["[P] 1"]

    blocked = carry(place)
    assert (
        blocked.returncode == 1
        and "[P] C4.D3 is blocked at step 2: physics:" in blocked.stderr
        and "PHYS-001~1" in blocked.stderr
    )
    log = (place.root / FOLDER / "blocker.log").read_text(encoding="utf-8")
    assert "# layer: physics" in log and "PHYS-001:identity" in log and rows(place) == ["[P] 1", "[P] 2"]

    notes = place.root / FOLDER / "summary.md"
    notes.write_text(notes.read_text(encoding="utf-8") + "\nThe shift was a leftover.\n", encoding="utf-8")
    change(place, "shift = 1", "shift = 0")
    done = carry(place)

    assert done.returncode == 0 and "[x] C4.D3: every step is done" in done.stdout
    assert rows(place) == ["[P] 1", "[P] 2", "[P] 2", "[P] 3", "[x] 4"]
    folder = place.root / FOLDER
    assert {path.name for path in folder.iterdir()} == {"red.log", "green.log", "whole.log", "blocker.log", "summary.md"}
    assert "fail PHYS-001:identity" in (folder / "red.log").read_text(encoding="utf-8")
    assert "pass PHYS-001:identity" in (folder / "green.log").read_text(encoding="utf-8")
    told = notes.read_text(encoding="utf-8")
    assert "[x] C4.D3  attempt 26" in told and "Attempt #26: every step is done" in told and "The shift was a leftover." in told
    assert conform(place, "order").stdout.startswith("[x] C4.D3  attempt 26")
    assert "the chain holds" in conform(place, "ledger", "verify", "--backend", "orders").stdout
    assert carry(place).returncode == 0 and rows(place)[-1] == "[x] 4"


def test_a_failure_that_is_none_is_no_red(place: House) -> None:
    change(place, "shift = 1", "shift = 0")

    refused = carry(place)

    assert refused.returncode == 1 and "step 1 wants a failure first" in refused.stderr and "PHYS-001:identity" in refused.stderr
    assert not (place.root / "reports/ledger/orders.jsonl").exists()


@pytest.mark.parametrize("trouble", ["branch", "changed before", "changed meanwhile", "noise at the root"])
def test_what_must_be_left_alone_is_guarded(place: House, trouble: str) -> None:
    """Another branch, a named file that differs from its commit or changes, a new file beside the folders."""
    if trouble == "branch":
        git(place, "checkout", "-q", "-b", "other")
        expected = "the order names feature/torchapi, and other is checked out"
    elif trouble == "changed before":
        (place.root / "given.json").write_text("{1}", encoding="utf-8")
        expected = "given.json: the order wants it untouched"
    elif trouble == "changed meanwhile":
        change(place, 'Path("noise.log")', 'Path("given.json")')
        change(place, "noise = False", "noise = True")
        expected = "given.json: changed while the order was carried out"
    else:
        change(place, "noise = False", "noise = True")
        expected = "noise.log: new beside the folders"

    refused = carry(place)

    assert refused.returncode == 1 and expected in refused.stderr, refused.stderr
    if trouble == "branch":
        assert carry(place, "--any-branch").returncode == 0


def test_our_own_order_is_understood_and_its_tests_are_found() -> None:
    order = read(OWN.read_text(encoding="utf-8"))
    bindings, known = scan(default_suite())[0], aliases.table()

    assert [step.kind for step in order.steps] == ["red", "green", "integration", "close"]
    assert [step.log for step in order.steps] == ["dataloader_red.log", "dataloader_green.log", "integration.log", ""]
    assert order.steps[0].env == {"CUDA_VISIBLE_DEVICES": ""} and (order.row, order.attempt) == ("C4.D3", 26)
    assert order.untouched == ("fixtures/minimal_dataset_v1.json",) and order.blocker == "blocker.log"
    found = [aliases.selector(test, known, bindings) for test in order.tests]
    assert found == ["BATCH-020:lightning_dataloader_tensor_dict_structure", "CLI-010:train_save_load_infer"]


def test_headings_in_other_dress_are_read_alike() -> None:
    plain = read(ORDER)
    dressed = ORDER.replace("Summary:", "## Summary\n").replace("Do Now:", "**Do Now:**").replace("Focus:", "### Focus:")
    dressed = dressed.replace("1. C4", "- [ ] C4").replace("2. C4", "* C4")

    other = read(dressed)

    assert [(s.kind, s.tests, s.log) for s in other.steps] == [(s.kind, s.tests, s.log) for s in plain.steps]
    assert (other.summary, other.row, other.folder) == (plain.summary, plain.row, plain.folder)


TOML = """\
summary = "s"
row = "C4.D3"
folder = "plans/x"
[[step]]
kind = "red"
tests = ["PHYS-001:identity"]
log = "red.log"
env = { CUDA_VISIBLE_DEVICES = "" }
"""


def test_the_same_in_toml() -> None:
    order = read(TOML, toml=True)

    assert order.steps[0].tests == ("PHYS-001:identity",) and order.steps[0].env == {"CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.parametrize(
    ("text", "toml", "told"),
    [
        ("nothing at all", False, "found neither heading"),
        (ORDER.replace("Do Now:", "Later:"), False, "expected numbered steps"),
        (ORDER.replace("Artifacts: plans/reports/parity/{red.log,green.log,whole.log}", ""), False, "expected a folder"),
        (ORDER.replace("plans/reports/parity/{", "../elsewhere/{"), False, "leads out of it"),
        (TOML.replace("red", "rod"), True, "expected one of red, green, integration, close"),
        (TOML.replace('"s"', "1"), True, "summary: expected a text"),
        (TOML + "= ]", True, "expected TOML"),
        (TOML.replace("row", "raw"), True, "raw: expected one of"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_in_a_line(text: str, toml: bool, told: str) -> None:
    with pytest.raises(BadOrder, match=told):
        read(text, toml=toml)


def test_an_unknown_test_is_refused_with_what_is_near(place: House) -> None:
    (place.root / "aliases.toml").write_text("", encoding="utf-8")
    refused = carry(place)

    assert refused.returncode == 4 and "test_their_name: expected a check, an alias" in refused.stderr


def test_notes_outside_of_our_part_are_kept_wherever_they_stand() -> None:
    order = read(ORDER)
    first = words.summary(order, ["a"], "Before.\n")
    again = words.summary(order, ["b"], f"Above.\n{first}Below.\n")

    assert again.startswith("Above.\n") and again.endswith("Before.\nBelow.\n") and "\nb\n" in again and "\na\n" not in again


# -- attestations --------------------------------------------------------------------------------------------------------------

CHECKLIST = "- [ ] The picture shows spokes: `picture.png`\n- [ ] `infer` ends with one line\n"
ANSWERS = 'by = "who looked"\n[[answer]]\nis = "yes"\n[[answer]]\nis = "{}"\nremark = "two lines"\n'


@pytest.mark.parametrize(("word", "code"), [("yes", 0), ("no", 1)])
def test_what_a_person_saw_is_kept_with_a_digest_of_what_was_shown(tmp_path: Path, word: str, code: int) -> None:
    """A picture that changes later makes its answer old."""
    found = house.sound(tmp_path)
    (tmp_path / "list.md").write_text(CHECKLIST, encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"spokes")
    (tmp_path / "answers.toml").write_text(ANSWERS.format(word), encoding="utf-8")

    assert conform(found, "attest", "list.md", "--answers", "answers.toml").returncode == code

    lines = [json.loads(line) for line in (tmp_path / "reports/ledger/orders.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["kind"], line["answer"], line["by"]) for line in lines] == [
        ("attestation", "yes", "who looked"), ("attestation", word, "who looked"),
    ]  # fmt: skip
    assert len(lines[0]["digest"]) == 64 and lines[0]["shown"] != {}
    assert "has changed" not in conform(found, "attest").stdout
    (tmp_path / "picture.png").write_bytes(b"noise")
    assert "picture.png has changed since: look again" in conform(found, "attest").stdout


@pytest.mark.parametrize(
    ("checklist", "answers", "told"),
    [
        ("no questions", None, "expected a list of questions"),
        (CHECKLIST.replace("picture", "absent"), None, "absent.png: expected a file to be looked at"),
        (CHECKLIST, None, "expected a person at a terminal, or --answers FILE"),
        (CHECKLIST, 'by = "x"\n', "expected an [[answer]] for each of 2 items, found 0"),
        (CHECKLIST, ANSWERS.format("perhaps"), 'answer 2: expected is = "yes" or "no"'),
        (CHECKLIST, ANSWERS.format("yes").replace("who looked", ""), "the name of whoever looked"),
    ],
)
def test_a_list_that_cannot_be_asked_is_refused_in_a_line(tmp_path: Path, checklist: str, answers: str | None, told: str) -> None:
    found = house.sound(tmp_path)
    (tmp_path / "list.md").write_text(checklist, encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"spokes")
    if answers:
        (tmp_path / "answers.toml").write_text(answers, encoding="utf-8")

    refused = conform(found, "attest", "list.md", *(("--answers", "answers.toml") if answers else ()))

    assert refused.returncode == 4 and told in refused.stderr and refused.stderr.count("\n") == 1
    assert not (tmp_path / "reports").exists()
