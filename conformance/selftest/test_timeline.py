"""The history of a small backend under git, end to end: bisection, resuming, a commit that cannot be imported, a flaky clause."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import main
from conformance.evidence import timeline as timelines
from conformance.selftest.house import House, build, check, clause

BACKEND = """\
from pathlib import Path
import numpy as np
from conformance.protocol import BackendInfo

TURNS = Path({turns!r})


class Backend:
    shift, scale, flaky = {shift}, {scale}, {flaky}

    def __init__(self, device="cpu"):
        self.device = device

    def info(self):
        return BackendInfo(name="small", version="0", profiles=("core",), numeric_libraries=("numpy",))

    def translate(self, images, offsets):
        return images + self.shift

    def diffract(self, field, probe):
        turn = int(TURNS.read_text()) if TURNS.is_file() else 0
        TURNS.write_text(str(turn + 1))
        return np.abs(field) * (self.scale + self.flaky * (turn % 2))
"""
MOVES = check("moves", 'observe.close("images", backend.translate(X, X), X)')
SCALES = check("scales", 'observe.close("images", backend.diffract(X, X), X)', mark='"PHYS-002~1"')
EXACT = 'tolerance = "exact"'


@dataclass(frozen=True)
class Place:
    """A repository with a backend in `mine/`, a house with two clauses, and the command on both."""

    house: House
    repository: Path

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *words], cwd=self.repository, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, text: str | None = None, **state: Any) -> str:
        """One commit: the backend in some state, or another text; its full name."""
        filled = {"turns": str(self.house.root / "turns"), "shift": 0, "scale": 1, "flaky": 0} | state
        (self.repository / "mine" / "__init__.py").write_text(text if text is not None else BACKEND.format(**filled))
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "state")
        return self.git("rev-parse", "HEAD")

    def conform(self, *words: str, repository: str = "") -> tuple[int, dict[str, Any], str]:
        """`conform timeline` with `--json`: exit code, answer, and what was said on the way."""
        argv = [
            "--specs",
            str(self.house.specs),
            "--suite",
            str(self.house.suite),
            "timeline",
            repository or str(self.repository),
        ]
        argv += ["--backend", "mine:Backend", "--output", str(self.house.root / "reports"), "--workers", "0", "--json", *words]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(argv)
        return code, json.loads(out.getvalue() or "{}"), err.getvalue()

    @property
    def folder(self) -> Path:
        return self.house.root / "reports" / "timelines" / "mine-Backend"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An empty repository beside a house with two clauses."""
    monkeypatch.delenv("CONFORM_DRAFT", raising=False)
    chapter = (clause("PHYS-001~1", fence=EXACT), clause("PHYS-002~1", fence=EXACT))
    house = build(tmp_path).chapter("physics", *chapter).tests("physics", MOVES, SCALES).lock()
    (tmp_path / "repository" / "mine").mkdir(parents=True)
    made = Place(house, tmp_path / "repository")
    made.git("init", "-q")
    yield made


def told(answer: dict[str, Any]) -> list[tuple[str, str, str, list[str]]]:
    return [(one["clause"], one["kind"], one["first"], one["between"]) for one in answer["changes"]]


def test_the_commit_that_broke_and_the_one_that_mended_are_named(place: Place) -> None:
    commits = [place.commit(shift=int(3 <= n), scale=1 + int(n < 6)) for n in range(9)]
    code, answer, said = place.conform("--last", "9", "--spread", "2", "--runs", "1")
    assert code == 0, said
    assert told(answer) == [("PHYS-001~1", "broke", commits[3][:10], []), ("PHYS-002~1", "mended", commits[6][:10], [])]
    examined = [one["version"] for one in answer["versions"] if one.get("runs")]
    assert {commits[n][:10] for n in (0, 2, 3, 5, 6, 8)} <= set(examined) and len(examined) < 9
    assert answer["source"] == "repository"


def test_a_second_call_runs_nothing_and_another_question_asks_anew(place: Place) -> None:
    for n in range(3):
        place.commit(shift=n // 2)
    first = place.conform("--last", "3")
    runs = sorted(place.folder.glob("*/run*"))
    assert place.conform("--last", "3")[1] == first[1] and sorted(place.folder.glob("*/run*")) == runs
    assert place.conform("--last", "3", "-k", "PHYS-002")[1]["changes"] == []
    assert len(list(place.folder.glob("*/run*"))) > len(runs)


def test_a_history_that_was_stopped_goes_on(place: Place) -> None:
    commits = [place.commit(shift=int(4 <= n)) for n in range(6)]
    code, answer, _ = place.conform("--last", "6", "--spread", "2", "--runs", "1", "--at-most", "2")
    assert (code, answer["open"]) == (6, True)
    assert answer["changes"][0]["between"] == [commit[:10] for commit in commits[1:5]]
    assert place.conform("--last", "6", "--spread", "2", "--runs", "1", "--at-most", "0")[:2] == (code, answer)
    code, answer, said = place.conform("--last", "6", "--spread", "2", "--runs", "1")
    assert (code, answer["open"], told(answer)) == (0, False, [("PHYS-001~1", "broke", commits[4][:10], [])]), said


def test_a_commit_that_cannot_be_imported_is_told_and_hides_no_more_than_itself(place: Place) -> None:
    commits = [place.commit("import no_such_module\n" if n in (2, 3) else None, shift=int(2 < n)) for n in range(6)]
    code, answer, _ = place.conform("--last", "6", "--runs", "1")
    trouble = {one["version"]: one["trouble"] for one in answer["versions"] if one.get("trouble")}
    assert code == 0 and set(trouble) == {commits[2][:10], commits[3][:10]}
    assert all("its package 'no_such_module' is not installed here" in why for why in trouble.values())
    assert told(answer) == [("PHYS-001~1", "broke", commits[4][:10], [commits[2][:10], commits[3][:10]])]


def test_a_clause_that_is_once_so_and_once_otherwise_blames_nobody(place: Place) -> None:
    for n in range(4):
        place.commit(flaky=int(n >= 2), shift=int(n >= 3))
    (place.house.root / "turns").write_text("1")
    _, answer, _ = place.conform("--last", "4")
    assert list(answer["unsteady"]) == ["PHYS-002~1"]
    assert {one["clause"] for one in answer["changes"]} == {"PHYS-001~1"}


def test_the_working_copy_is_neither_asked_nor_touched(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.commit(shift=1)
    place.commit(shift=0)
    text = "raise SystemExit('the working copy was imported')\n"
    (place.repository / "mine" / "__init__.py").write_text(text)
    monkeypatch.chdir(place.repository)
    before = place.git("status", "--porcelain")
    code, answer, said = place.conform("--last", "2", "--runs", "1")
    assert code == 0 and [one["kind"] for one in answer["changes"]] == ["mended"], said
    assert place.git("status", "--porcelain") == before and not list(place.folder.glob("trees/*"))


def test_a_package_from_elsewhere_stands_before_no_version(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.commit()
    monkeypatch.setenv("PYTHONPATH", str(place.repository))
    code, answer, _ = place.conform("--last", "1")
    assert code == 5 and "take it off PYTHONPATH" in answer["versions"][0]["trouble"]


def test_what_is_kept_is_read_again_with_its_page(place: Place, tmp_path: Path) -> None:
    for n in range(3):
        place.commit(shift=n // 2)
    _, answer, _ = place.conform("--last", "3", "--record", str(tmp_path / "kept"))
    (found,) = timelines.kept(tmp_path / "kept").values()
    assert found.head()["versions"] == answer["versions"] and [c.kind for c in found.changes()] == ["broke"]
    last = found.lines[found.stops[-1].version]
    assert list(last["failures"]) == ["PHYS-001~1"] and last["commit"] == found.stops[-1].commit
    assert str(tmp_path) not in json.dumps([found.head(), *found.lines.values()])
    text = (place.folder / "timeline.html").read_text()
    assert "PHYS-001" in text and found.stops[-1].version in text and "http" not in text.replace("http-equiv", "")


def test_versions_that_are_named_come_first_and_the_rest_is_bisected(place: Place) -> None:
    commits = [place.commit(shift=int(3 <= n)) for n in range(9)]
    words = ("--last", "9", "--runs", "1", "--at", commits[2][:7], "--at", commits[3])
    _, answer, _ = place.conform(*words)
    assert [one["version"] for one in answer["versions"] if one.get("runs")] == [commits[n][:10] for n in (0, 2, 3, 8)]
    assert told(answer) == [("PHYS-001~1", "broke", commits[3][:10], [])]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--last", "1", "--at", "0000000"), "--at 0000000: expected one of the 1 versions asked for, found 0"),
        ((), "expected --last N or --since DATE"),
        (("--since", "yesterday"), "--since yesterday: expected a day, as 2026-01-31"),
        (("--last", "0"), "--last 0: expected 1 or more"),
        (("--since", "2999-01-01"), "none of 1 versions was asked for; they lie from"),
        (("--last", "1", "--branch", "nowhere"), "git log: fatal: bad revision 'nowhere'"),
    ],
)
def test_a_question_that_cannot_be_asked_is_one_line(place: Place, words: tuple[str, ...], wanted: str) -> None:
    place.commit()
    code, answer, said = place.conform(*words)
    assert code == 4 and not answer and wanted in said.splitlines()[-1]


def wheel(folder: Path, version: str, text: str) -> None:
    """A release of the distribution `mine`, as pip takes it."""
    about = f"mine-{version}.dist-info"
    files = {
        "mine/__init__.py": text,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: mine\nVersion: {version}\nRequires-Dist: no-such-thing\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    with zipfile.ZipFile(folder / f"mine-{version}-py3-none-any.whl", "w") as packed:
        for name, words in files.items():
            packed.writestr(name, words)


def test_releases_are_installed_without_what_they_need_and_ordered_by_version(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wheels").mkdir()
    for version, shift in {"0.9": 1, "0.10": 0, "1.0": 1}.items():
        filled = {"turns": str(tmp_path / "turns"), "shift": shift, "scale": 1, "flaky": 0}
        wheel(tmp_path / "wheels", version, BACKEND.format(**filled))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    code, answer, said = place.conform("--last", "3", "--runs", "1", repository="pypi:mine")
    assert code == 0, said
    assert [one["version"] for one in answer["versions"]] == ["0.9", "0.10", "1.0"]
    assert told(answer) == [("PHYS-001~1", "mended", "0.10", []), ("PHYS-001~1", "broke", "1.0", [])]
    assert answer["source"] == "mine"
    code, _, said = place.conform("--since", "2026-01-01", repository="pypi:mine")
    assert code == 4 and "releases have none here; use --last" in said


VIEWER = "from mine import Model\n\n\ndef show(path):\n    return Model.open(path)\n"
MODEL = "class Model:\n    @classmethod\n    def {name}(cls, path): ...\n"


def test_the_commit_that_lost_what_a_client_uses_is_named_without_running_it(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conformance.clients import uses

    (tmp_path / "viewer").mkdir()
    (tmp_path / "viewer" / "view.py").write_text(VIEWER)
    monkeypatch.setattr(uses, "recorded", lambda client, version: [tmp_path / f"{client}-{version}.json"])
    asked = ["drift", "--client", str(tmp_path / "viewer"), "--backend", f"mine={place.repository}/mine"]
    commits = [place.commit("raise SystemExit\n" + MODEL.format(name="open" if n < 5 else "load")) for n in range(9)]
    assert main([*asked, "--record", str(tmp_path / "viewer-2.0.json")]) == 0
    words = ("--last", "9", "--spread", "2", "--client", "viewer@2.0", "--package", "mine", "--record", str(tmp_path / "kept"))
    house = build(tmp_path / "drift").chapter("drift", clause("DRIFT-003~1"), clause("DRIFT-002~1")).lock()
    code, answer, said = Place(house, place.repository).conform(*words)
    assert (code, told(answer)) == (0, [("DRIFT-003~1", "broke", commits[5][:10], [])]), said
    (found,) = timelines.kept(tmp_path / "kept").values()
    assert [stop.runs for stop in found.stops].count(1) < 9 and [c.first for c in found.changes()] == [5]
    assert Place(house, place.repository).conform(*words)[2].count("examined before") == 1


def test_two_commands_do_not_work_in_one_folder(place: Place) -> None:
    import fcntl

    place.commit()
    place.folder.mkdir(parents=True)
    with (place.folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, _, said = place.conform("--last", "1")
    assert code == 4 and "another `conform timeline` works here" in said


def test_the_site_shows_every_timeline_that_is_kept(tmp_path: Path) -> None:
    assert main(["site", str(tmp_path / "site")]) == 0
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert timelines.kept()
    for name, found in timelines.kept().items():
        text = (tmp_path / "site" / "timelines" / f"{name}.html").read_text(encoding="utf-8")
        assert f'href="timelines/{name}.html"' in index and all(found.stops[c.first].version in text for c in found.changes())
