"""What is made of `conformance/results` and kept in the checkout: tables and lists of badges between two marks, and the badges.

Pure: texts in, texts out. `conform publish` writes what differs, `conform publish --check` says what does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from conformance.evidence.matrix import FIRST, Cell, table
from conformance.evidence.report import Line
from conformance.pages.badges import badges
from conformance.specification.texts import counted

BADGES = "conformance/results/badges"
OWN = "reference"
"""The backend whose badges and whose last lines stand in README."""

Make = Callable[[Sequence[Line], Sequence[Cell]], str]


def begin(name: str) -> str:
    """The mark above a part that is made."""
    return f"<!-- {name}: made by `conform publish` -->"


def end(name: str) -> str:
    """The mark below it."""
    return f"<!-- end of {name} -->"


def derived(texts: Mapping[str, str], lines: Sequence[Line], found: Sequence[Cell]) -> dict[str, str]:
    """Path (from the root) → text, of every file of `PARTS` in `texts` with its parts made anew, and of every badge.

    Raises `ValueError` where a file has not the two marks of a part.
    """
    made = {path: texts[path] for path in PARTS}
    for path, parts in PARTS.items():
        for name, make in parts.items():
            made[path] = _placed(made[path], name, make(lines, found), path)
    return made | {f"{BADGES}/{name}": text for name, text in badges(found).items()}


def _placed(text: str, name: str, part: str, path: str) -> str:
    head, first, rest = text.partition(begin(name))
    _, last, tail = rest.partition(end(name))
    if not first or not last:
        raise ValueError(f"{path}: expected `{begin(name)}` and `{end(name)}`, found no such pair of lines")
    return f"{head}{first}\n{part}\n{last}{tail}"


def _badges(_: Sequence[Line], found: Sequence[Cell]) -> str:
    """The badges of our own backend on the first profiles, each leading to the results."""
    names = badges([cell for cell in found if cell.backend == OWN and cell.profile in FIRST])
    return "\n".join(f"[![{name.removesuffix('.svg')}]({BADGES}/{name})](conformance/results/README.md)" for name in names)


def _ending(lines: Sequence[Line], _: Sequence[Cell]) -> str:
    """How the newest run of our own backend on the profile core ended, as it was printed."""
    whole = [line for line in lines if line["backend"] == OWN and not line["selected"] and _core(line)]
    if not whole:
        return "No run is kept."
    line = max(whole, key=lambda each: each["started"])
    checks = ", ".join(f"{number} {'passed' if state == 'pass' else state}" for state, number in line["checks"].items() if number)
    told = [f"{counted(sum(line['checks'].values()), 'check')}: {checks}"]
    for each in line["verdicts"]:
        sums = f"{each['evaluated']} evaluated + {each['pending']} pending + {each['untestable']} untestable"
        words = f"clauses: {each['declared']} declared = {sums} + {each['not_evaluated']} not evaluated"
        told.append(f"{each['profile']} on {each['device']}: {each['verdict']}; {words}")
    told += [f"reaches {line['reaches']}"] if line["reaches"] else []
    told += [f"exit {line['exit']}{': nothing that was selected failed' if not line['exit'] else ''}"]
    return "\n".join(["```text", *told, "```"])


def _core(line: Line) -> bool:
    return "core" in [told["profile"] for told in line["verdicts"]]


PARTS: Mapping[str, Mapping[str, Make]] = {
    "README.md": {"badges": _badges, "ending": _ending},
    "conformance/backends/README.md": {"verdicts": lambda _, found: table(found)},
}
"""File → the parts of it that are made, by the name in their marks."""
