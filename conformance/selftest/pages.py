"""Synthetic reports for the tests of the pages: every state, hostile words, images behind a red, a ledger, mutants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from conformance.evidence import report as reports
from conformance.evidence.verdict import exit_code, verdicts
from conformance.pages.model import Source

Line = dict[str, Any]
HOSTILE = "<script>window.broken = 1</script><img src=x onerror=window.broken=1>\x00\x1b[31m ]]>"
AREAS = {"PHYS": "physics", "BATCH": "batch", "MODEL": "model"}
SHA = hashlib.sha256(b"").hexdigest()


def clause(name: str, level: str = "MUST", **more: Any) -> Line:
    """A clause as the header holds it."""
    rank = {"MUST": "required", "SHOULD": "recommended", "MAY": "optional"}[level]
    return {
        "title": f"What {name} says",
        "area": AREAS[name.split("-")[0]],
        "level": level,
        "profiles": {"core": rank},
        "pending": None,
        "untestable": None,
        "prose": f"`images` {level} hold, see BATCH-001.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n*Why.* Because <b>of</b> ![it](https://example.org/x.png).",
        "digest": SHA,
        "evidence": ["analytic"],
        "gauge": [],
        "mutants": [],
        "bounds": {"": "4 eps × max|truth|"},
        **more,
    }


def result(check: str, state: str = "pass", **more: Any) -> Line:
    """A result; a red has a message in the harness's own form."""
    name = check.split(":")[0]
    rows = f"  check     {check}\n  expected  the truth\n  found     {HOSTILE}\n  repeat    conform run -k {name}"
    seen = [{"name": "images", "value": 0.25, "bound": 4.0, "unit": "eps of float32 × max|truth|"}]
    return {
        "kind": "result",
        "check": check,
        "clauses": [f"{name}~1"],
        "needs": [],
        "evidence": [],
        "state": state,
        "message": "" if state == "pass" else f"{name}~1 What {name} says\n{rows}",
        "observations": seen,
        "seconds": 0.01,
        "worker": "main",
        **more,
    }


RESULTS = (
    result("PHYS-001:light_adds[g2]@cpu", "fail", artefacts={"images": "artefacts/images.npz"}),
    result("PHYS-002:light_is_kept@cpu", needs=["PHYS-001"]),
    result("PHYS-003:far_fields_crash@cpu", "crash", message="PHYS-003~1 X\n  found     y\n\ntrace <b>back</b>"),
    result("BATCH-001:images_are_channel_first@cpu"),
    result("BATCH-001:images_are_float32@cpu"),
    result("BATCH-002:on_a_device@cpu", "not-evaluated", message="no cuda device here"),
    result("MODEL-001:is_a_module@cpu", "not-claimed", message="surface `model`: Fake offers no `module`"),
    result("MODEL-002:own_mistake@cpu", "error"),
)
CLAUSES = {f"PHYS-00{n}~1": clause(f"PHYS-00{n}") for n in (1, 2, 3)} | {
    "BATCH-001~1": clause("BATCH-001"),
    "BATCH-002~1": clause("BATCH-002", "SHOULD"),
    "MODEL-001~1": clause("MODEL-001"),
    "MODEL-002~1": clause("MODEL-002", "MAY"),
    "MODEL-003~1": clause("MODEL-003", pending="later"),
    "MODEL-004~1": clause("MODEL-004", untestable="a freedom"),
}
KILLS = {
    "mutants": {
        "DEF-001": {
            "title": "modes add coherently", "area": "physics",
            "must_fail": ["PHYS-001:light_adds"], "killed": ["PHYS-001:light_adds"],
        },
        "DEF-002": {"title": HOSTILE, "area": "batch", "must_fail": ["BATCH-001:images_are_float32"], "killed": []},
    }
}  # fmt: skip


def texts(
    results: tuple[Line, ...] = RESULTS,
    clauses: Mapping[str, Line] = CLAUSES,
    deselected: Mapping[str, list[str]] = {},  # noqa: B006 -- nobody writes to it
    **header: Any,
) -> list[str]:
    """A whole report, closed: its lines."""
    top = {
        "kind": "header", "schema": 1, "suite": "0.1.0", "lock": SHA, "connection": "fakes:Fake", "device": "cpu",
        "backend": {"name": "fake", "version": "0", "profiles": ["core"], "devices": ["cpu"]},
        "surfaces": {"physics": ["diffract"]}, "libraries": {"numpy": "2.4.6"},
        "profiles": ["core"], "select": [], "draft": False, "python": "3.11.7", "platform": "Linux",
        "workers": 0, "started": "2026-01-02T03:04:05+00:00", "clauses": dict(clauses),
    } | header  # fmt: skip
    collected = {line["check"]: line["clauses"] for line in results}
    plan = {"kind": "plan", "collected": collected, "deselected": dict(deselected), "here": [*collected, *deselected]}
    lines = [reports.encode(line) for line in (top, plan, *results, *reports.blocked_lines(results))]
    return [*lines, footer(lines)]


def footer(lines: list[str]) -> str:
    """The line that closes a report."""
    report = reports.assemble(lines)
    closing = {
        "kind": "footer",
        "equation": reports.equation(report.plan, report.states()),
        "verdicts": [found.plain() for found in verdicts(report)],
        "exit": exit_code(report),
        "seconds": 1.0,
        "sha256": reports.digest(lines),
    }
    return reports.encode(closing)


def source(**options: Any) -> Source:
    """The report as the page takes it, with two lines of a ledger."""
    report = reports.read("".join(texts(**options)))
    ledger = [
        {"utc": f"2026-01-0{n}", "check": "PHYS-001:light_adds[g2]@cpu", "event": event, "state": state}
        for n, event, state in ((1, "red", "fail"), (2, "green", "pass"))
    ]
    return Source(report, int(report.footer["exit"]) if report.footer else 6, ledger=ledger)


def folder(place: Path, **options: Any) -> Path:
    """A run's folder with the report and the images behind its red."""
    run = place / "2026-01-02T030405Z" / "fake-cpu"
    (run / "artefacts").mkdir(parents=True)
    (run / "report.jsonl").write_text("".join(texts(**options)), encoding="utf-8")
    grid = np.arange(16)
    truth = np.exp(1j * grid[:, None] / 5) * (1 + 0.2 * np.cos(grid[None, :] / 3))
    np.savez_compressed(run / "artefacts" / "images.npz", found=np.roll(truth, 1, axis=1), truth=truth)
    return run


class Reader(HTMLParser):
    """Tags, ids, links, handlers and words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.handlers: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words = f"{self.words}{data}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"] or ""] if "id" in found else []
        self.links += [found["href"] or ""] if tag == "a" else []
        self.loads += [found.get(name) or "" for name in ("src", "srcset", "data") if name in found]
        self.loads += [found["href"] or ""] if tag == "link" else []
        self.handlers += [name for name in found if name.startswith("on")]
