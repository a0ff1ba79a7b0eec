"""A picture of a verdict, drawn here and never fetched: which profile, of which words, and which report says so. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from conformance.evidence.ledger_file import safe
from conformance.evidence.matrix import Cell

COLOURS = {"quiet": "#1a7f4b", "low": "#8a5a00", "loud": "#b42318", "alarm": "#7a0c0c"}
BLANK, SMALL, CAPITAL, EDGE = 3.8, 6.4, 8.2, 12
"""Pixels: a letter's width at 11 px (the text is set to it, whatever the font), and what stands around a word."""


def badges(found: Sequence[Cell]) -> dict[str, str]:
    """File name → SVG, for the newest version of each backend on each profile and device (`found`: by history)."""
    return {f"{safe(f'{cell.backend}-{cell.profile}-{cell.device}')}.svg": badge(cell) for cell in found}


def badge(cell: Cell) -> str:
    """`core 1.0 | CONFORMANT`; the title says backend, version, date and report."""
    part = " in part" if cell.verdict.get("surfaces") and not cell.verdict["red"] else ""
    left = f"{cell.profile} {cell.words}" + ("" if cell.device == "cpu" else f" on {cell.device}")
    right = str(cell.verdict["verdict"]) + part + (", regressed" if cell.regressed else "")
    source = f"{cell.line['started'][:10]}, report {cell.line['report'][:12]}"
    title = f"{cell.backend} {cell.version} on {cell.device}: {right} for {left}; {source}"
    first, second = (round(sum(map(_wide, word))) + EDGE for word in (left, right))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{first + second}" height="20" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{first}" height="20" fill="#3b4149"/>'
        f'<rect x="{first}" width="{second}" height="20" fill="{COLOURS[cell.grade]}"/>'
        '<g fill="#fff" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11">'
        f'<text x="{EDGE // 2}" y="14" textLength="{first - EDGE}">{escape(left)}</text>'
        f'<text x="{first + EDGE // 2}" y="14" textLength="{second - EDGE}">{escape(right)}</text></g></svg>\n'
    )


def _wide(letter: str) -> float:
    """Pixels of a letter."""
    return BLANK if letter == " " else CAPITAL if letter.isupper() else SMALL
