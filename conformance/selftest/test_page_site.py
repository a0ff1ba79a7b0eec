"""The static site in a real browser, from files: search, a cell, a clause, and nothing on the console."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from conformance.cli import main
from conformance.evidence import results
from conformance.selftest.browser import chromium, colours, sticks_out
from conformance.selftest.house import build, clause
from conformance.selftest.pages import HOSTILE, result, source
from conformance.selftest.pages import clause as facts

LIGHT = result("PHYS-001:light_adds@cpu")
KEPT = result("PHYS-002:light_is_kept@cpu")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium without a network, without a history."""
    found = chromium(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


def line(name: str, day: str, *found: Any, **more: Any) -> dict[str, Any]:
    """A run of two clauses."""
    words = {f"PHYS-00{n}~1": facts(f"PHYS-00{n}") for n in (1, 2)}
    info = {"name": name, "version": "0.1"}
    report = source(results=found, clauses=words, backend=info, started=f"2026-01-{day}T00:00:00+00:00", **more).report
    return results.of_report(report)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of three backends: one holds, one fails, one became worse; one run was a part; one version is hostile."""
    root = tmp_path_factory.mktemp("site")
    build(root).chapter("physics", clause("PHYS-001~1", "Light adds"), clause("PHYS-002~1", "Light is kept", "It MUST stay."))
    broken = result("PHYS-001:light_adds@cpu", "fail", repro={"script": "repro/light@cpu.py", "alone": True})
    for each in (
        line("good", "01", LIGHT, KEPT),
        line("worse", "02", LIGHT, KEPT),
        line("worse", "03", broken, KEPT),
        line("good", "04", LIGHT, select=["PHYS-001"]),
        line(HOSTILE, "05", LIGHT, result("PHYS-002:light_is_kept@cpu", "not-evaluated", message="no device")),
    ):
        results.add(each, root / "results")
    kept = root / "results" / "evidence" / results.load(root / "results")[-1]["report"][:12]
    kept.mkdir(parents=True)
    (kept / "light@cpu.py").write_text("print('RED')\n", encoding="utf-8")
    (kept / "run.log").write_text("# conform run\n", encoding="utf-8")
    assert main(["--specs", str(root / "specs"), "site", str(root / "out"), "--results", str(root / "results")]) == 0
    return root / "out"


@pytest.fixture
def opened(browser: webdriver.Chrome, place: Path) -> Iterator[webdriver.Chrome]:
    """The first page, fresh; whatever was done with it, the console stays empty and no word of a backend ran."""
    browser.get("about:blank")
    browser.get((place / "index.html").as_uri())
    yield browser
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.broken") is None


def shown(browser: webdriver.Chrome, what: str) -> list[str]:
    """The words of what is visible."""
    return [part.text for part in browser.find_elements(By.CSS_SELECTOR, what) if part.is_displayed()]


def test_search_leaves_the_rows_and_the_clauses_that_were_asked_for(opened: webdriver.Chrome) -> None:
    assert len(shown(opened, ".row-of")) == 3
    opened.find_element(By.ID, "rows").send_keys("failed worse")
    assert [row.split()[0] for row in shown(opened, ".row-of")] == ["worse"]
    assert opened.find_element(By.ID, "shown-rows").text == "1 of 3 rows"
    opened.find_element(By.NAME, "text").send_keys("kept")
    assert [words.split()[0] for words in shown(opened, "details.clause")] == ["PHYS-002"]
    opened.find_element(By.CSS_SELECTOR, "#filter button").click()
    Select(opened.find_element(By.NAME, "state")).select_by_visible_text("red")
    assert [words.split()[0] for words in shown(opened, "details.clause")] == ["PHYS-001"]


def test_cells_go_from_quiet_to_loud(opened: webdriver.Chrome) -> None:
    found = {cell.get_attribute("class"): cell for cell in opened.find_elements(By.CSS_SELECTOR, ".matrix .grade")}
    assert sorted(found) == ["grade alarm", "grade low", "grade quiet"]
    alarm = found["grade alarm"]
    assert "worse" in alarm.text and "1 failed" in alarm.text and "2 of 2" in found["grade quiet"].text


def test_a_cell_leads_to_clause_log_and_script(opened: webdriver.Chrome) -> None:
    opened.find_element(By.CSS_SELECTOR, ".grade.alarm").click()
    assert "NON-CONFORMANT" in opened.find_element(By.ID, "core").text
    for link, words in (("light@cpu.py", "print('RED')"), ("run.log", "# conform run")):
        href = opened.find_element(By.LINK_TEXT, link).get_attribute("href")
        opened.get(str(href))
        assert words in opened.find_element(By.TAG_NAME, "body").text
        opened.back()
    opened.find_element(By.CSS_SELECTOR, "#PHYS-001 a.id").click()
    clause = opened.find_element(By.ID, "PHYS-001")
    assert clause.get_attribute("open") == "true" and "conform run --backend NAME -k 'PHYS-001:'" in clause.text


def test_a_clause_shows_the_answer_of_each_backend_and_leads_to_its_failure(opened: webdriver.Chrome) -> None:
    opened.find_element(By.CSS_SELECTOR, "#PHYS-001 .title").click()
    answers = shown(opened, "#PHYS-001 .answers tr")
    assert len(answers) == 3 and any("✗ red" in words and "worse" in words for words in answers)
    row = next(row for row in opened.find_elements(By.CSS_SELECTOR, "#PHYS-001 .answers tr") if "worse" in row.text)
    row.find_element(By.TAG_NAME, "a").click()
    assert opened.current_url.endswith("#PHYS-001") and opened.find_element(By.ID, "PHYS-001").is_displayed()


def test_the_history_has_every_run_and_says_of_a_part_that_it_is_one(opened: webdriver.Chrome) -> None:
    for part in opened.find_elements(By.CSS_SELECTOR, "#history summary"):
        part.click()
    rows = shown(opened, "#history tr")
    assert len([words for words in rows if words.startswith("2026-01-")]) == 5
    assert any("a part" in words and "PHYS-001" in words for words in rows)


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_sticks_out(opened: webdriver.Chrome, place: Path, width: int) -> None:
    assert not sticks_out(opened, width)
    for page in sorted((place / "runs").glob("*.html")):
        opened.get(page.as_uri())
        assert not sticks_out(opened, width)


def test_light_and_dark_and_paper(opened: webdriver.Chrome) -> None:
    alarm = ".grade.alarm"
    light, dark = colours(opened, "light", under=alarm), colours(opened, "dark", under=alarm)
    printed = colours(opened, "dark", "print", under=alarm)
    assert light[0] > 230 and light[1] < 60 and dark[0] < 60 and dark[1] > 200
    assert printed[0] == 255 and printed[1] == 0


def test_nothing_is_fetched(opened: webdriver.Chrome, place: Path) -> None:
    for page in (place / "index.html", *sorted((place / "runs").glob("*.html"))):
        opened.get(page.as_uri())
        script = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
        assert [name for name in opened.execute_script(script) if not name.startswith("data:")] == []
