"""report.html in a real browser, from a file. The session `page` runs this; without Chromium it fails, it never looks green."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from conformance.pages import kills, press
from conformance.pages.comparison import Absent
from conformance.pages.html import html
from conformance.selftest.browser import chromium, colours, sticks_out
from conformance.selftest.pages import CLAUSES, KILLS, clause, folder, result, source


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Chromium without a network, without a history."""
    found = chromium(tmp_path_factory.mktemp("profile"))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of one backend lies, with images, a ledger and mutants."""
    run, found = folder(tmp_path_factory.mktemp("page")), source(backend={"name": "b" * 40})
    reds, left, untold = press.plates([run], [found])
    target = run / "report.html"
    press.write(target, html([found], kills=kills.matrix(KILLS), reds=reds, left=left, untold=untold))
    return Path(target).as_uri()


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of six backends lies: with every state, passing, without a report, without a name that fits."""
    green = tuple(result(f"PHYS-00{n}:light@cpu") for n in (1, 2, 3))
    others = [source(results=green, backend={"name": name, "version": "0.1"}) for name in ("b" * 40, "other", "third")]
    gone = [Absent(f"venv:/a/long/way/to/an/environment:lost_{n}", 4, "there is no module 'lost' " * 4) for n in (1, 2)]
    run, entries = folder(tmp_path_factory.mktemp("beside")), [source(), *others, *gone]
    press.press_comparison(run.parent / "comparison", [(run, entry) for entry in entries], None, "conform run …")
    return (run.parent / "comparison" / "report.html").as_uri()


@pytest.fixture
def compared(browser: webdriver.Chrome, beside: str) -> Iterator[webdriver.Chrome]:
    """The page of several backends, fresh."""
    browser.get("about:blank")
    browser.get(beside)
    yield browser
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.broken") is None


@pytest.fixture
def opened(browser: webdriver.Chrome, place: str) -> Iterator[webdriver.Chrome]:
    """The page, fresh; whatever was done with it, the console stays empty and no word of a backend ran."""
    browser.get("about:blank")
    browser.get(place)
    yield browser
    assert browser.get_log("browser") == []
    assert browser.execute_script("return window.broken") is None


def visible(browser: webdriver.Chrome, kind: str = "details.clause") -> list[str]:
    return [
        part.get_attribute("id") or str(part.get_attribute("hash"))[1:]
        for part in browser.find_elements(By.CSS_SELECTOR, kind)
        if part.is_displayed()
    ]


def test_filters_leave_what_was_asked_for(opened: webdriver.Chrome) -> None:
    assert visible(opened) == [key.split("~")[0] for key in CLAUSES]
    Select(opened.find_element(By.NAME, "state")).select_by_visible_text("red")
    assert visible(opened) == ["PHYS-001", "PHYS-003"]
    assert set(visible(opened, ".chip")) == {"PHYS-001", "PHYS-003"}
    opened.find_element(By.NAME, "text").send_keys("far_fields")
    assert visible(opened) == ["PHYS-003"]
    assert opened.find_element(By.ID, "shown").text == "1 of 9 clauses"
    opened.find_element(By.CSS_SELECTOR, "#filter button").click()
    Select(opened.find_element(By.NAME, "area")).select_by_visible_text("batch")
    Select(opened.find_element(By.NAME, "level")).select_by_visible_text("SHOULD")
    assert visible(opened) == ["BATCH-002"]


def test_a_clause_opens_and_shows_its_checks(opened: webdriver.Chrome) -> None:
    clause = opened.find_element(By.ID, "BATCH-001")
    assert not clause.find_element(By.CLASS_NAME, "checks").is_displayed()
    clause.find_element(By.CLASS_NAME, "title").click()
    assert clause.find_element(By.CLASS_NAME, "checks").is_displayed()
    assert "images_are_channel_first" in clause.text and "observed / bound" in clause.text


def test_an_anchor_leads_to_its_clause_also_through_a_filter(opened: webdriver.Chrome) -> None:
    Select(opened.find_element(By.NAME, "area")).select_by_visible_text("batch")
    opened.execute_script("location.hash = '#MODEL-004'")
    clause = opened.find_element(By.ID, "MODEL-004")
    assert clause.get_attribute("open") == "true" and clause.is_displayed()
    top = opened.execute_script("return arguments[0].getBoundingClientRect().top", clause)
    assert 0 <= top < opened.execute_script("return innerHeight")


def test_an_address_with_an_anchor_opens_its_clause(opened: webdriver.Chrome, place: str) -> None:
    opened.get("about:blank")
    opened.get(f"{place}#PHYS-001")
    opened.find_element(By.LINK_TEXT, "light_adds[g2]").click()
    case = opened.find_element(By.ID, "red-PHYS-001:light_adds[g2]@cpu")
    card = case.find_element(By.XPATH, "ancestor-or-self::details[contains(@class, 'cardred')]")
    assert card.get_attribute("open") == "true" and "conform run -k PHYS-001" in card.text and case.is_displayed()
    for image in card.find_elements(By.TAG_NAME, "img"):
        assert opened.execute_script("return arguments[0].naturalWidth", image) == 16
    assert card.find_element(By.CSS_SELECTOR, ".frc svg").size["height"] > 50


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_sticks_out(opened: webdriver.Chrome, width: int) -> None:
    assert not sticks_out(opened, width)


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_nothing_sticks_out_where_six_stand_side_by_side(compared: webdriver.Chrome, width: int) -> None:
    assert not sticks_out(compared, width)


BROKEN = """
const found = [], seen = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = seen.nextNode()); ) {
  if (node.parentElement.closest("svg, script, style")) continue;
  for (const match of node.data.matchAll(/[A-Z]+-\\d{3}/g)) {
    const range = document.createRange();
    range.setStart(node, match.index); range.setEnd(node, match.index + match[0].length);
    const tops = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
    if (tops.size > 1) found.push(node.parentElement.outerHTML.slice(0, 200));
  }
}
return found;
"""
"""The ids that stand on two lines."""


@pytest.mark.parametrize("width", [320, 360, 400])
def test_a_telephone_breaks_no_id(browser: webdriver.Chrome, long: str, width: int) -> None:
    browser.get("about:blank")
    browser.get(long)
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    found = browser.execute_script(BROKEN)
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found == []


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a page lies whose ids stand at every distance from the margin."""
    names = [f"BATCH-{n:03d}" for n in range(1, 40)]
    words = [" ".join(["a"] * (int(name[6:]) % 23)) for name in names]
    results = [
        result(f"{name}:{'long_' * 9}name[{word.replace(' ', '-') or 'x'}]@cpu", state, needs=["BATCH-001"] if n % 4 == 3 else [],
               message=f"{name}~1 {word} {name}\n  check     {name}:a@cpu\n  found     {word} {name} {word} {name}~1")
        for n, (name, word) in enumerate(zip(names, words, strict=True))
        for state in [("fail", "pass", "not-claimed", "crash")[n % 4]]
    ]  # fmt: skip
    clauses = {
        f"{n}~1": clause(n, title=f"{word} {n} {word} {n}", prose=f"{word} {n} MUST {word} {n}")
        for n, word in zip(names, words, strict=True)
    }
    found = source(results=tuple(results), clauses=clauses, connection="mutant:DEF-002")
    target = tmp_path_factory.mktemp("long") / "report.html"
    press.write(target, html([found], kills=kills.matrix(KILLS)))
    return target.as_uri()


def test_failures_come_first_and_what_was_not_evaluated_is_folded(opened: webdriver.Chrome) -> None:
    order = [part.get_attribute("id") for part in opened.find_elements(By.CSS_SELECTOR, "main > section")]
    assert order[:3] == ["verdict", "failures", "blocked"] and order.index("gaps") > order.index("blocked")
    assert opened.find_element(By.CSS_SELECTOR, "#failures .cardred").is_displayed()
    assert not opened.find_element(By.CSS_SELECTOR, "#gaps .mono").is_displayed()
    heads = [part.text for part in opened.find_elements(By.CSS_SELECTOR, "#failures details[open] h4")][:3]
    assert heads == ["What is wrong", "Where", "What next"]


def test_the_first_failure_is_seen_without_scrolling(opened: webdriver.Chrome) -> None:
    top = opened.execute_script("return document.querySelector('#failures .cardred').getBoundingClientRect().top")
    assert top < 700


def test_disagreements_stand_first_and_are_a_filter(compared: webdriver.Chrome) -> None:
    assert visible(compared)[:3] == ["PHYS-001", "PHYS-003", "PHYS-002"]
    Select(compared.find_element(By.NAME, "state")).select_by_visible_text("disagree")
    assert visible(compared) == ["PHYS-001", "PHYS-003"]
    assert compared.find_element(By.ID, "shown").text == "2 of 9 clauses"


@pytest.mark.parametrize("width", [320, 1280])
def test_the_cells_of_a_backend_stand_under_its_name(compared: webdriver.Chrome, width: int) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    compared.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    lefts = "return [...document.querySelectorAll(arguments[0])].map((x) => Math.round(x.getBoundingClientRect().left))"
    names = compared.execute_script(lefts, ".cell.name")
    cells = [compared.execute_script(lefts, f"#{name} .cell") for name in ("PHYS-001", "MODEL-004")]
    compared.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert len(names) == 6 and names == sorted(set(names)) and cells == [names, names]


def test_whoever_is_not_there_has_a_row_that_says_why(compared: webdriver.Chrome) -> None:
    rows = compared.find_elements(By.CSS_SELECTOR, ".verdict-table tr")
    assert len(rows) == 7 and "there is no module 'lost'" in rows[-1].text and rows[-1].text.startswith("6 venv:")


def test_light_and_dark_and_paper(opened: webdriver.Chrome) -> None:
    light, dark, printed = colours(opened, "light"), colours(opened, "dark"), colours(opened, "dark", "print")
    assert light[0] > 230 and light[1] < 60
    assert dark[0] < 60 and dark[1] > 200
    assert printed[0] == 255 and printed[1] == 0 and printed[2] > 200


def test_a_print_opens_everything_and_closes_it_again(opened: webdriver.Chrome) -> None:
    count = "return document.querySelectorAll('details.clause[open]').length"
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert opened.execute_script(count) == len(CLAUSES)
    opened.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert opened.execute_script(count) == 0
