"""`conform publish` and `conform site`: what is kept of a run, what follows from it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from conformance.cli import main
from conformance.evidence import matrix, results
from conformance.pages import badges, derived
from conformance.selftest.pages import folder, result, source

AWAY = "venv:/opt/somewhere/env:ptychi"
RED = result("PHYS-001:light_adds@cpu", "fail", repro={"script": "repro/light@cpu.py", "alone": True})


def run_of(place: Path, **more: Any) -> Path:
    """A run's folder with its log and a script."""
    run = folder(place, connection=AWAY, results=(RED,), **more)
    (run / "run.log").write_text(f"# argv /usr/bin/python --backend {AWAY} /home/somebody/suite\n", encoding="utf-8")
    (run / "repro").mkdir()
    (run / "repro" / "light@cpu.py").write_text("HERE = '/home/somebody/work'\n", encoding="utf-8")
    (run / "repro" / "light@cpu.npz").write_bytes(b"arrays")
    return run


def publish(run: Path, kept: Path, *words: str) -> int:
    return main(["publish", str(run), "--results", str(kept), *words])


def test_a_run_is_kept_with_its_log_and_its_script_and_without_the_machine(tmp_path: Path) -> None:
    assert publish(run_of(tmp_path), tmp_path / "kept", "--commit", "abc", "--dated", "2026-01-01") == 0
    (line,) = results.load(tmp_path / "kept")
    place = tmp_path / "kept" / "evidence" / line["report"][:12]
    assert (line["commit"], line["dated"]) == ("abc", "2026-01-01")
    assert sorted(path.name for path in place.iterdir()) == ["light@cpu.npz", "light@cpu.py", "run.log"]
    words = (place / "run.log").read_text(encoding="utf-8") + (place / "light@cpu.py").read_text(encoding="utf-8")
    assert words == "# argv …/python --backend venv:ENVIRONMENT:ptychi …/suite\nHERE = '…/work'\n"


def test_a_run_is_kept_once_and_a_second_try_loses_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, kept = run_of(tmp_path), tmp_path / "kept"
    assert publish(run, kept) == 0
    before = {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()}
    assert publish(run, kept) == 4 and "is there already" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in kept.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({"draft": True}, "was a draft"),
        ({"checkout": {"commit": "c" * 40, "dirty": True}}, "had local changes"),
        ({"connection": "mutant:DEF-001"}, "is planted"),
        ({"connection": "twin:TWIN-lists"}, "is planted"),
    ],
)
def test_a_run_that_may_not_be_kept_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], header: dict[str, Any], words: str
) -> None:
    run = folder(tmp_path, results=(RED,), **header)
    assert publish(run, tmp_path / "kept") == 4
    assert words in capsys.readouterr().err and not (tmp_path / "kept").exists()


def test_a_report_that_does_not_close_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_of(tmp_path)
    whole = (run / "report.jsonl").read_text(encoding="utf-8")
    (run / "report.jsonl").write_text(whole.replace('"state": "fail"', '"state": "pass"'), encoding="utf-8")
    assert publish(run, tmp_path / "kept") == 6 and "BadDigest" in capsys.readouterr().err
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize("day", ["yesterday", "15.07.2026", "20260715", "2026-13-01"])
def test_a_day_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], day: str) -> None:
    assert publish(run_of(tmp_path), tmp_path / "kept", "--dated", day) == 4
    assert f"--dated {day}: expected a day, as 2026-07-15" in capsys.readouterr().err and not (tmp_path / "kept").exists()


def test_a_link_in_a_run_is_not_followed(tmp_path: Path) -> None:
    run, secret = run_of(tmp_path), tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (run / "run.log").unlink()
    (run / "run.log").symlink_to(secret)
    assert publish(run, tmp_path / "kept") == 0
    assert not list((tmp_path / "kept").rglob("run.log"))


def test_evidence_has_a_budget_and_no_script_without_its_arrays() -> None:
    files = {"run.log": b"x" * 300_000, "a.py": b"a", "a.npz": b"z" * 450_000, "b.py": b"b", "b.npz": b"z"}
    kept = results.evidence(files, "reference")
    assert sorted(kept) == ["b.npz", "b.py", "run.log"] and b"letters are left out here" in kept["run.log"]
    assert sum(map(len, kept.values())) <= results.BUDGET


# -- what follows --------------------------------------------------------------------------------------------------------------


def cells() -> tuple[list[dict[str, Any]], list[matrix.Cell]]:
    lines = [results.of_report(source(results=(RED,), backend={"name": "reference", "version": "1<2"}).report)]
    return lines, matrix.cells(lines, {})


def texts() -> dict[str, str]:
    """The files with their marks and nothing between them."""
    return {
        path: "head\n" + "".join(f"{derived.begin(name)}\nold\n{derived.end(name)}\ntail\n" for name in parts)
        for path, parts in derived.PARTS.items()
    }


def test_what_stands_between_the_marks_is_made_and_the_rest_is_kept() -> None:
    lines, found = cells()
    made = derived.derived(texts(), lines, found)
    readme, backends = made["README.md"], made["conformance/backends/README.md"]
    assert readme.startswith("head\n") and readme.endswith("tail\n") and "old" not in readme + backends
    assert "badges/reference-core-cpu.svg" in readme and "1 check: 1 fail" in readme
    assert "| reference | 1<2 | core | cpu | NON-CONFORMANT |" in backends
    assert derived.derived(texts() | {path: made[path] for path in derived.PARTS}, lines, found) == made


def test_a_file_without_its_marks_is_refused() -> None:
    lines, found = cells()
    with pytest.raises(ValueError, match="README.md: expected `<!-- badges"):
        derived.derived(texts() | {"README.md": "no marks"}, lines, found)


def test_a_badge_names_the_words_and_the_report() -> None:
    lines, found = cells()
    (made,) = badges.badges(found).values()
    assert "NON-CONFORMANT" in made and lines[0]["report"][:12] in made and lines[0]["specification"][:12] in made
    assert "1&lt;2" in made and "1<2" not in made and "http" not in made.replace("http://www.w3.org/2000/svg", "")


def test_check_sees_a_verdict_that_became_worse_and_evidence_of_no_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    green = result("PHYS-001:light_adds@cpu")
    for day, found in (("01", green), ("02", RED)):
        line = results.of_report(source(results=(found,), started=f"2026-01-{day}T00:00:00+00:00").report)
        results.add(line, tmp_path)
    (tmp_path / "evidence" / "0123456789ab").mkdir(parents=True)
    assert main(["publish", "--check", "--results", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "fake 0 core cpu: PHYS-001~1 failed, and passed" in told and "evidence/0123456789ab: belongs to no run" in told
    (tmp_path / "evidence" / "0123456789ab").rmdir()
    accepted = f'["fake 0 core cpu"]\nreason = "known"\nreport = "{line["report"][:12]}"\n'
    (tmp_path / matrix.ACKNOWLEDGED).write_text(accepted, encoding="utf-8")
    assert main(["publish", "--check", "--results", str(tmp_path)]) == 0


def test_check_sees_a_table_and_a_badge_that_nobody_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole checkout in small: made once, then a table edited by hand, a badge changed, and one too many."""
    from conformance.cli import publish as verb

    home = tmp_path / "conformance" / "results"
    for path, text in texts().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    results.add(cells()[0][0], home)
    assert verb._made(home) == 0 and verb._different(*verb._derived(home)) == []
    (tmp_path / "README.md").write_text((tmp_path / "README.md").read_text(encoding="utf-8").replace("1 fail", "1 passed"))
    (home / "badges" / "reference-core-cpu.svg").write_text("<svg/>", encoding="utf-8")
    (home / "badges" / "gone-core-cpu.svg").write_text("<svg/>", encoding="utf-8")
    badge = "conformance/results/badges/"
    wanted = ["README.md", f"{badge}reference-core-cpu.svg", f"{badge}gone-core-cpu.svg"]
    assert verb._different(*verb._derived(home)) == wanted
    assert verb._made(home) == 0 and verb._different(*verb._derived(home)) == []
    assert "made: README.md" in capsys.readouterr().out


def test_the_site_leaves_a_foreign_folder_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, kept = tmp_path / "out", tmp_path / "kept"
    publish(run_of(tmp_path), kept)
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert main(["site", str(out), "--results", str(kept)]) == 4 and "left as it is" not in capsys.readouterr().out
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    for _ in range(2):  # a folder that it wrote is written again
        assert main(["site", str(tmp_path / "site"), "--results", str(kept)]) == 0
    pages = sorted(path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.html"))
    assert pages[0] == "index.html" and len(pages) == 2
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".site")]


def test_every_link_of_the_site_leads_somewhere(tmp_path: Path) -> None:
    from conformance.selftest.pages import Reader

    publish(run_of(tmp_path), tmp_path / "kept")
    assert main(["site", str(tmp_path / "site"), "--results", str(tmp_path / "kept")]) == 0
    pages = {path: Reader(path.read_text(encoding="utf-8")) for path in (tmp_path / "site").rglob("*.html")}
    for path, page in pages.items():
        assert not page.handlers and not [name for name in page.loads if not name.startswith("data:")]
        for link in page.links:
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target.is_file(), f"{path.name}: {link}"
            assert not anchor or anchor in pages[target].ids, f"{path.name}: {link}"


def test_a_line_is_json_that_others_can_read(tmp_path: Path) -> None:
    publish(run_of(tmp_path), tmp_path / "kept")
    (text,) = (tmp_path / "kept" / "fake.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(text) == results.load(tmp_path / "kept")[0]
