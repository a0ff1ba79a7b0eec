"""The pages of a report: everything it says stands there, nothing that it says runs, and they stay small."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np
import pytest
from PIL import Image

from conformance.evidence import causes
from conformance.evidence import report as reports
from conformance.evidence.diff import compare
from conformance.evidence.report import read
from conformance.pages import cards, kills, margins, pictures, press
from conformance.pages.html import html
from conformance.pages.junit import junit
from conformance.pages.model import Source, areas, gaps, run_view
from conformance.selftest.pages import CLAUSES, HOSTILE, KILLS, Reader, clause, folder, footer, result, source, texts


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of one report with every state, images, a ledger and mutants."""
    run, found = folder(tmp_path_factory.mktemp("page")), source()
    reds, left, untold = press.plates([run], [found])
    return html([found], kills=kills.matrix(KILLS), reds=reds, left=left, untold=untold)


def test_every_clause_has_its_anchor_and_every_link_a_place(page: str) -> None:
    seen = Reader(page)
    assert {key.split("~")[0] for key in CLAUSES} | {"DEF-001", "gaps", "matrix", "margins"} <= set(seen.ids)
    assert len(set(seen.ids)) == len(seen.ids), "an id stands twice"
    inner = {link[1:] for link in seen.links if link.startswith("#")}
    assert inner - set(seen.ids) == set()
    assert "red-PHYS-001:light_adds[g2]@cpu" in inner


def test_nothing_that_a_backend_says_runs_and_nothing_is_fetched(page: str) -> None:
    seen = Reader(page)
    assert (seen.tags.count("script"), seen.handlers) == (1, [])
    assert "&lt;script&gt;window.broken" in page and "<script>window" not in page
    assert [load for load in seen.loads if not load.startswith("data:")] == []
    assert {link for link in seen.links if not link.startswith("#")} <= {"https://example.org/x.png"}
    assert seen.tags.count("img") == 5 and "<b>of</b>" not in page
    assert "default-src 'none'" in page and "script-src 'sha256-" in page


def test_words_of_a_clause_are_markdown_and_link_to_others(page: str) -> None:
    assert '<code>images</code> MUST hold, see <a class="id" href="#BATCH-001">BATCH-001</a>' in page
    assert "<th>a</th>" in page and "<em>Why.</em>" in page


def test_a_clause_shows_state_checks_margin_history_and_mutants(page: str) -> None:
    part = page[page.index('id="PHYS-001"') : page.index('id="PHYS-002"')]
    for told in (
        "✗ red",
        "light_adds[g2]",
        "observed / bound = 0.062",
        "2026-01-01",
        "green",
        "modes add coherently",
        "analytic",
    ):
        assert told in part, told
    assert "blocked by" in page[page.index('id="PHYS-002"') : page.index('id="PHYS-003"')]


def test_what_was_not_evaluated_is_told_with_its_reason() -> None:
    told = [(gap.number, gap.kind, gap.reason) for gap in gaps(source().report)]
    assert told == [
        (1, "not-claimed", "surface `model`: Fake offers no `module`"),
        (1, "not-evaluated", "no cuda device here"),
        (1, "pending", "MODEL-003: later"),
        (1, "untestable", "MODEL-004: a freedom"),
    ]


def test_a_red_shows_both_images_their_difference_and_the_correlation(page: str) -> None:
    part = page[page.index('id="red-PHYS-001') : page.index('id="red-PHYS-003')]
    for told in ("found: amplitude", "expected: phase", "|difference|", "Fourier ring correlation", "currentColor"):
        assert told in part, told
    assert part.count("data:image/png;base64,") == 5
    assert "#ffffff" not in part, "a white plot on a dark page"


def test_rings_of_an_image_with_itself_are_one_and_of_noise_near_zero() -> None:
    chance = np.random.default_rng(0)
    one, other = chance.normal(size=(2, 64, 64))
    frequency, same = pictures.rings(one, one)
    assert np.allclose(same, 1) and (frequency[0], frequency[-1]) == (0, 1)
    assert np.allclose(pictures.rings(3 * one, one)[1], 1) and np.allclose(pictures.rings(-one, one)[1], -1)
    assert np.abs(pictures.rings(one, other)[1][5:]).max() < 0.4


def test_an_artefact_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"no archive")
    (tmp_path / "x.png").write_bytes(b"no picture")
    np.savez_compressed(tmp_path / "whole.npz", found=np.ones((64, 64)), truth=np.ones((64, 64)))
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:200])
    (tmp_path / "bent.npz").write_bytes(whole[:60] + b"\xff" * 40 + whole[100:])
    np.savez(tmp_path / "other.npz", found=np.ones((64, 64)))
    Image.new("1", (5000, 5000)).save(tmp_path / "vast.png")
    for name in ("x.npz", "x.png", "absent.npz", "cut.npz", "bent.npz", "other.npz", "vast.png"):
        (picture,) = pictures.plate("x", tmp_path / name).pictures
        assert (picture.source, f"{name} cannot be shown" in picture.trouble) == ("", True)


def test_reds_stand_in_the_order_of_the_specification_and_advice_last() -> None:
    red = [result(f"{name}:a@cpu", "fail") for name in ("MODEL-002", "PHYS-003", "PHYS-001")]
    assert [card.clause for card in cards.cards(read("".join(texts(results=tuple(red)))))] == [
        "PHYS-001",
        "PHYS-003",
        "MODEL-002",
    ]


def test_a_message_is_split_at_its_labels() -> None:
    text = "A~1 T\n  check     c\n  found     first\nsecond\n  third\n  suspect   s\n\ntrace\n  found     no"
    assert causes.split(text) == (
        "A~1 T",
        [("check", "c"), ("found", "first\nsecond\n  third"), ("suspect", "s")],
        "trace\n  found     no",
    )


@pytest.mark.parametrize(
    ("value", "bound", "more", "expected"),
    [
        (1.0, 4.0, {}, 0.25), (8.0, 4.0, {"sense": "above"}, 0.5), (0.0, 4.0, {"sense": "above"}, float("inf")),
        (0, 0, {}, None), ("float32", "float32", {}, None), (True, 1, {}, None), (0.0, 2.0, {}, 0.0), ("inf", 2.0, {}, None),
    ],
)  # fmt: skip
def test_a_margin_is_observed_over_bound(value: object, bound: object, more: dict[str, str], expected: float | None) -> None:
    assert margins.ratio({"name": "x", "value": value, "bound": bound, "unit": "1", **more}) == expected


def test_the_axis_is_logarithmic_and_holds_everything() -> None:
    places = [margins.percent(x) for x in (0.0, 1e-30, 1e-8, 1e-3, 1.0, 100.0, 1e9, float("inf"))]
    assert places == [0, 0, 0, 50, 80, 100, 100, 100]


def test_the_matrix_knows_who_was_killed_for_its_reason() -> None:
    found = kills.matrix(KILLS)
    assert [(m.id, m.dead, m.survived) for m in found.mutants] == [
        ("DEF-001", True, ()),
        ("DEF-002", False, ("BATCH-001:images_are_float32",)),
    ]
    assert found.checks == ("BATCH-001:images_are_float32", "PHYS-001:light_adds")
    assert found.bands == [("BATCH", 0), ("PHYS", 1)]
    assert kills.matrix(None).mutants == ()
    row = {"must_fail": ["BATCH-001:a"], "killed": ["GROUP-002:b[1]@cpu", "GROUP-001:b"]}
    assert kills.matrix({"mutants": {"DEF-001": row}}).checks == ("GROUP-001:b", "GROUP-002:b", "BATCH-001:a")


def test_two_backends_stand_side_by_side() -> None:
    other = source(results=tuple(result(f"PHYS-00{n}:light@cpu") for n in (1, 2, 3)), backend={"name": "other"})
    page = html([source(), other])
    (first, *_), *_ = [area.clauses for area in areas([source(), other])]
    assert [proof.state for proof in first.proofs] == ["red", "pass"] and first.states == "red pass"
    assert "<title>fake and other</title>" in page and 'class="chip ' not in page
    assert page[page.index('id="PHYS-001"') :].index('title="other: pass"') < 900


def test_a_report_of_an_older_harness_is_shown_as_far_as_it_goes() -> None:
    old = {key: {name: told[name] for name in ("title", "area", "level", "profiles")} for key, told in CLAUSES.items()}
    assert 'id="PHYS-001"' in html([source(clauses=old)])


def test_a_previous_run_shows_what_healed_and_broke() -> None:
    before = read("".join(texts(results=(result("PHYS-001:light_adds[g2]@cpu"), result("PHYS-002:light_is_kept@cpu", "fail")))))
    page = html([source()], changes=compare(before, source().report), since="yesterday")
    assert "Since the run of yesterday" in page
    assert page.index("2 broken" if "2 broken" in page else "1 broken") < page.index("new")


def test_a_run_that_was_cut_off_says_that_it_proves_nothing(tmp_path: Path) -> None:
    run = folder(tmp_path)
    path = run / "report.jsonl"
    path.write_text(path.read_text(encoding="utf-8")[:-400], encoding="utf-8")
    found = press.source(run)
    assert (found.code, found.trouble.split(":")[0]) == (6, "BadDigest")
    assert "This report proves nothing" in press.page([run], [found])
    path.write_text("".join(texts()[:5]), encoding="utf-8")
    found = press.source(run)
    assert found.trouble.startswith("MissingFooter")
    assert "never ended" in [gap.kind for gap in run_view(0, found).gaps]


def test_junit_keeps_every_state_and_is_well_formed() -> None:
    found = read("".join(texts()))
    root = Xml.fromstring(junit(found))
    told = {
        case.get("name"): [(part.tag, (part.get("message") or "").split(":")[0]) for part in case]
        for case in root.iter("testcase")
    }
    assert told == {
        "PHYS-001:light_adds[g2]@cpu": [("failure", "fail")],
        "PHYS-002:light_is_kept@cpu": [("skipped", "blocked")],
        "PHYS-003:far_fields_crash@cpu": [("error", "crash")],
        "BATCH-001:images_are_channel_first@cpu": [],
        "BATCH-001:images_are_float32@cpu": [],
        "BATCH-002:on_a_device@cpu": [("skipped", "not-evaluated")],
        "MODEL-001:is_a_module@cpu": [("skipped", "not-claimed")],
        "MODEL-002:own_mistake@cpu": [("error", "error")],
    }
    assert [root.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["8", "1", "2", "3"]
    (blocked,) = [part.get("message") for part in root.iter("skipped") if "blocked" in (part.get("message") or "")]
    assert blocked == "blocked: by PHYS-001:light_adds[g2]@cpu"
    assert [suite.get("name") for suite in root.iter("testsuite")] == ["physics", "batch", "model"]


def test_junit_of_a_cut_run_has_no_green_that_never_ended() -> None:
    root = Xml.fromstring(junit(reports.assemble(texts()[:4])))
    ended = [case.get("name") for case in root.iter("testcase") if not len(case)]
    assert ended == ["PHYS-002:light_is_kept@cpu"]


def test_a_full_run_is_small_and_quick() -> None:
    """1500 checks of 250 clauses, 120 of them red. Measured: 1.1 s of one core, 1.0 MB."""
    names = [f"PHYS-{number:03d}" for number in range(1, 251)]
    clauses = {f"{name}~1": clause(name, prose="It MUST hold. " * 40) for name in names}
    results = tuple(
        result(f"{name}:light[{n}]@cpu", "fail" if n == 0 and int(name[5:]) < 120 else "pass") for name in names for n in range(6)
    )
    found = source(results=results, clauses=clauses)
    began = time.process_time()
    page = html([found])
    assert time.process_time() - began < 5
    assert len(page.encode()) < 3_000_000


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "x"
    press.write(target, "one")
    with pytest.raises(UnicodeEncodeError):
        press.write(target, "\ud800")
    assert (target.read_text(), [path.name for path in tmp_path.iterdir()]) == ("one", ["x"])


def test_the_page_needs_no_words_of_this_machine(page: str) -> None:
    assert not re.search(r"/(tmp|home|root|work)/", page)
    assert HOSTILE not in page and json.dumps(HOSTILE) not in page


def test_known_reds_stand_with_their_reason_and_their_end() -> None:
    line = {
        "kind": "expectation", "check": "PHYS-001:light_adds[g2]@cpu", "outcome": "expected", "entry": "PHYS-001:*",
        "state": "fail",
        "message": "a deviation", "reason": "a driver that rounds", "since": "2026-01-01", "expires": "2027-01-01",
    }  # fmt: skip
    lines = [*texts()[:-1], reports.encode(line)]
    report = read("".join([*lines, footer(lines)]))
    page = html([Source(report, 0)])
    part = page[page.index('id="known"') : page.index('id="matrix"')]
    for told in ("≈ expected", "a driver that rounds", "fail with a deviation; since 2026-01-01, until 2027-01-01"):
        assert told in part, told
    assert 'id="red-PHYS-001' not in page
