"""What a run shows while it runs, what it leaves beside its report, and what it says to machines."""

from __future__ import annotations

import io
import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from rich.console import Console

from conformance.cli import progress
from conformance.cli.progress import Follower, live
from conformance.judging import artefacts
from conformance.judging.observe import Refuted
from conformance.pages.pictures import drawn
from conformance.selftest.house import House, check, clause
from conformance.selftest.pages import result, texts
from conformance.selftest.test_observe import observer

GRID = np.arange(64 * 64, dtype=np.float32).reshape(1, 64, 64) / 4096
WRONG = check(
    "wrong", 'Y = np.tile(X, (2, 2, 4))\nobserve.close("images", backend.translate(Y, Y), Y + 1)', '"PHYS-001~1"'
)  # fmt: skip


def test_a_growing_report_is_read_line_by_line(tmp_path: Path) -> None:
    path, lines = tmp_path / "report.jsonl", texts()
    follower = Follower(path)
    assert list(follower.lines()) == []
    path.write_text(lines[0] + lines[1][:20], encoding="utf-8")
    assert [line["kind"] for line in follower.lines()] == ["header"]
    path.write_text("".join(lines[:3]), encoding="utf-8")
    assert [line["kind"] for line in follower.lines()] == ["plan", "result"]
    assert list(follower.lines()) == []


def test_a_terminal_sees_one_line_and_each_cause_and_no_dots(tmp_path: Path) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=110, highlight=False, color_system=None)
    path = tmp_path / "report.jsonl"
    results = (result("PHYS-001:a[1]@cpu", "fail"), *(result(f"PHYS-002:b[{n}]@cpu") for n in range(3)))
    with live(path, console) as show:
        path.write_text("".join(texts(results=results)[:-1]), encoding="utf-8")
        show("..F                                          [ 75%]\n")
        show("a [word] of the child\n")
    told = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())
    assert "✗ PHYS-001 What PHYS-001 says" in told and "check     PHYS-001:a[1]@cpu" in told
    assert "[ 75%]" not in told and "of the child" not in told, "the child's words belong into run.log"
    assert "4 of 4 checks, 1 failed" in told and "left" in told


def test_a_log_tells_no_state_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "INTERVAL", 0.005)
    monkeypatch.setattr(progress, "SELDOM", 0.001)
    stream, path = io.StringIO(), tmp_path / "report.jsonl"
    with progress.plain(path, Console(file=stream, width=120)):
        path.write_text("".join(texts(results=(result("PHYS-001:a@cpu"),))[:-1]), encoding="utf-8")
        deadline = time.monotonic() + 10
        while "1 of 1 check" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
    assert stream.getvalue().count("1 of 1 check") == 1


@pytest.mark.parametrize("width", [80, 200])
def test_the_line_of_progress_is_one_line(tmp_path: Path, width: int) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, highlight=False, color_system=None)
    path = tmp_path / "report.jsonl"
    results = tuple(result(f"PHYS-001:a[{n}]@cpu", "fail") for n in range(1200))
    with live(path, console):
        path.write_text("".join(texts(results=results)[:-1]), encoding="utf-8")
        time.sleep(1)
    shown = [
        line for line in re.split(r"[\r\n]", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", stream.getvalue())) if "1200 of 1200" in line
    ]
    assert shown and all(len(line) <= width and "failed" in line and "left" in line for line in shown)
    assert not [line for line in re.split(r"[\r\n]", stream.getvalue()) if "collecting" in line and "left" in line]


def test_the_pages_of_a_run_stand_beside_its_report_and_machines_get_json(house: House) -> None:
    numeric = clause("PHYS-001~1", fence='tolerance = { eps = 4 }\none_kind = "one"')
    house.chapter("physics", numeric).tests("physics", WRONG).lock()
    done = house.conform("run", "--workers", "0", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["exit"], told["meaning"]) == (1, 1, "a required clause failed, or an expectation is stale")
    assert [(red["check"], red["state"]) for red in told["reds"]] == [("PHYS-001:wrong@cpu", "fail")]
    assert told["equation"]["states"]["fail"] == 1 and told["verdicts"][0]["verdict"] == "NON-CONFORMANT"
    assert "✗ PHYS-001 A title" in done.stderr and "\x1b" not in done.output
    assert [(cause["clause"], cause["name"], cause["number"]) for cause in told["causes"]] == [("PHYS-001", "images", 1)]
    assert told["next"] == "conform explain PHYS-001"
    folder = house.folder()
    assert {"run.log", "report.jsonl", "summary.md", "junit.xml", "report.html", "artefacts"} <= {
        p.name for p in folder.iterdir()
    }
    assert Xml.parse(folder / "junit.xml").getroot().get("failures") == "1"
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "NON-CONFORMANT" in page and page.count("data:image/png;base64,") == 3


def test_a_red_leaves_the_image_with_the_worst_element(tmp_path: Path) -> None:
    watch = observer()
    watch.left = tmp_path
    wrong = np.stack([GRID, GRID, GRID])
    wrong[1, 0, 5, 7] = 9
    watch.close("fine", wrong, wrong.copy())
    assert watch.artefacts == {}
    with pytest.raises(Refuted):
        watch.close("images of a/b", wrong, np.stack([GRID, GRID, GRID]))
    assert watch.artefacts == {"images of a/b": "artefacts/PHYS-001-x@cpu.images-of-a-b.npz"}
    path = tmp_path / watch.artefacts["images of a/b"]
    with np.load(path) as archive:
        assert archive["found"][5, 7] == 9 and np.array_equal(archive["truth"], GRID[0])
    assert path.stat().st_size < 50_000


def test_what_is_no_image_leaves_nothing(tmp_path: Path) -> None:
    for shape in ((5,), (3, 3), (65, 65), (2, 128, 16)):
        x = np.zeros(shape)
        assert artefacts.arrays(tmp_path, "c", "n", x, x + 1, (0,) * len(shape), ()) == {}
    assert list(tmp_path.iterdir()) == []


def test_a_gauge_is_taken_out_of_what_is_left(tmp_path: Path) -> None:
    truth = np.exp(1j * GRID[0]) * (1 + GRID[0])
    left = artefacts.arrays(tmp_path, "c", "n", truth * np.exp(0.7j), truth, (0, 0), ("global-phase",))
    with np.load(tmp_path / left["n"]) as archive:
        assert np.abs(archive["found"] - archive["truth"]).max() < 1e-6


def test_a_picture_of_the_backend_is_kept_and_shown_small(tmp_path: Path) -> None:
    from PIL import Image

    Image.fromarray(np.tile(np.arange(200, dtype=np.uint8), (900, 4))).save(tmp_path / "big.png")
    watch = observer()
    watch.left = tmp_path
    watch.picture("phase", tmp_path / "big.png")
    watch.picture("absent", tmp_path / "absent.png")
    assert watch.artefacts == {"phase": "artefacts/PHYS-001-x@cpu.phase.png"} and watch.records == {}
    shown = drawn(tmp_path / watch.artefacts["phase"])
    assert (shown.title, shown.caption) == ("phase", "320 × 360 pixels")


def test_a_lower_bound_keeps_its_smallest_number() -> None:
    watch = observer()
    for value in (7, 5, 9):
        watch.at_least("colours", value, 3)
    assert watch.records["colours"] == {"name": "colours", "value": 5, "bound": 3, "unit": "1", "sense": "above"}
    watch.at_most("bytes", 2, 3)
    assert "sense" not in watch.records["bytes"]


def test_pages_that_cannot_be_written_are_the_harnesss_fault(house: House) -> None:
    (house.root / "sitecustomize.py").write_text(
        "from conformance.pages import junit\n\ndef broken(report):\n    raise RuntimeError('no ink')\n\njunit.junit = broken\n"
    )
    done = house.conform("run", "--workers", "0", "--json", env={"PYTHONPATH": str(house.root)})
    assert (done.returncode, json.loads(done.stdout)["trouble"]) == (3, "the pages could not be written")
    assert "no ink" in done.stderr
    assert (house.folder() / "run.log").read_text().endswith("# conform=3 (the pages could not be written)\n")
