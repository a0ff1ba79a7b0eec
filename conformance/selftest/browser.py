"""Chromium for the tests of pages: without a network, without a history."""

from __future__ import annotations

import shutil
from pathlib import Path

from selenium import webdriver

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip


def chromium(profile: Path) -> webdriver.Chrome:
    """A browser with an empty profile, to be ended by `quit`; an AssertionError where it is not installed."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary and driver, "chromium and chromedriver are missing: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    found.execute_cdp_cmd("Network.enable", {})
    found.execute_cdp_cmd(
        "Network.emulateNetworkConditions", {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    )
    return found


def sticks_out(browser: webdriver.Chrome, width: int) -> bool:
    """Whether the page, everything on it open, is wider than its window; what scrolls in its own box is not."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_script("for (const part of document.querySelectorAll('details')) part.open = true")
    found = browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return bool(found != [width, width])


def colours(browser: webdriver.Chrome, scheme: str, media: str = "screen", under: str = ".s-fail") -> tuple[float, float, float]:
    """Lightness of paper, of ink and of what lies under a part, 0 to 255, in a colour scheme."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})
    script = (
        "const s = getComputedStyle(document.body), p = getComputedStyle(document.querySelector(arguments[0]));"
        "return [s.backgroundColor, s.color, p.backgroundColor]"
    )
    told: list[str] = browser.execute_script(script, under)
    paper, ink, below = (sum(int(x) for x in text[4:-1].split(",")) / 3 for text in told)
    return paper, ink, below
