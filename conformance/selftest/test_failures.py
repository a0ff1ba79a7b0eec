"""The page's first part: failures by cause, what they block, and the rest folded away."""

from __future__ import annotations

from conformance.pages import kills
from conformance.pages.html import html
from conformance.selftest.pages import KILLS, Reader, result, source


def test_failures_stand_first_then_what_they_block_and_the_rest_is_folded() -> None:
    page = html([source()], kills=kills.matrix(KILLS))
    places = [page.index(f'<section id="{name}"') for name in ("verdict", "failures", "blocked", "gaps", "matrix", "margins")]
    assert places == sorted(places)
    failures, blocked, gaps_ = (page[places[n] : places[n + 1]] for n in (1, 2, 3))
    assert [failures.index(words) for words in ("What is wrong", "Where", "What next")] == sorted(
        failures.index(words) for words in ("What is wrong", "Where", "What next")
    )
    assert "conform explain PHYS-001" in Reader(failures).words and "conform run -k PHYS-001" in Reader(failures).words
    assert "1 check by PHYS-001 What PHYS-001 says" in Reader(blocked).words
    assert "<details><summary>" in gaps_ and "<details open" not in gaps_


def test_checks_that_fail_for_one_cause_are_one_card_with_its_cases() -> None:
    many = tuple(result(f"PHYS-001:light_adds[{n}]@cpu", "fail") for n in range(16))
    text = html([source(results=many)])
    assert text.count('<details class="card cardred"') == 1 and "Its 16 cases" in text
    assert text.count('<details class="small case"') == 16
    assert Reader(text).ids.count("red-PHYS-001:light_adds[7]@cpu") == 1


def test_methods_that_are_not_written_are_one_card() -> None:
    message = "PHYS-001~1 X\n  check     c, observation `call`\n  found     NotImplementedError: surface physics: {}"
    lines = [result(f"PHYS-001:a[{n}]@cpu", "crash", message=message.format("diffract" if n else "merge")) for n in range(300)]
    text = html([source(results=tuple(lines))])
    assert text.count('<details class="card cardred"') == 1 and "2 methods are not written yet" in text
    assert "<code>physics.diffract</code> 299 checks wait for it" in text
    seen = Reader(text)
    assert {link[1:] for link in seen.links if link.startswith("#")} <= set(seen.ids)


def test_a_planted_backend_gives_the_page_its_name() -> None:
    text = html([source(connection="mutant:DEF-002", backend={"name": "reference", "version": "1"})])
    assert "<title>mutant:DEF-002 on cpu</title>" in text
    assert "<title>fake on cpu</title>" in html([source()])
