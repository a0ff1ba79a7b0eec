"""Documents of others, section by section: each has clauses that exist, or a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cli import main
from conformance.specification.clauses import find_specs, load
from conformance.specification.outside import FILE, lint, sections

HEAD = '[[document]]\nname = "A guide"\nsections = ['


def test_the_sections_that_the_order_points_to_lead_to_clauses(capsys: pytest.CaptureFixture[str]) -> None:
    found = {(section.document.rpartition("/")[2], section.number): section for section in sections(find_specs())}

    assert "BUNDLE" in found["ptychodus_api_spec.md", "4.6"].clauses
    assert "EXEC" in found["pytorch.md", "12"].clauses
    assert lint(load().clauses, find_specs()) == []
    assert main(["trace", "--outside"]) == 0
    told = capsys.readouterr().out
    assert "§4.6   how a model is stored and opened: BUNDLE (" in told and "no clause: " in told


@pytest.mark.parametrize(
    ("sections_", "told"),
    [
        ('{ number = "1", about = "a" }', "expected clauses or a gap, found neither"),
        ('{ number = "1", about = "a", clauses = ["BATCH-999"] }', "unknown clause BATCH-999"),
        ('{ number = "1", about = "a", gap = "g" }, { number = "1", about = "a", gap = "g" }', "§1 stands twice"),
        ('{ number = "1", of = "a" }', "TypeError"),
    ],
)
def test_lint_names_what_leads_nowhere(tmp_path: Path, sections_: str, told: str) -> None:
    (tmp_path / FILE).write_text(f"{HEAD}{sections_}]\n", encoding="utf-8")

    assert told in "\n".join(lint(load().clauses, tmp_path))
