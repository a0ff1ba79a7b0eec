"""From the text of a work order, in Markdown or TOML, to the order. Pure, and tolerant of headings, bullets and backticks."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from conformance.orders.order import KINDS, ROW, BadOrder, Order, Step, checked

HEADINGS = {
    "summary": "summary", "mode": "mode", "focus": "focus", "branch": "branch", "mapped tests": "tests", "artifacts": "artefacts",
    "artefacts": "artefacts", "do now": "steps", "if blocked": "blocked", "pitfalls": "pitfalls", "pointers": "pointers",
    "priorities": "priorities", "how-to map": "how", "how to": "how", "next up": "next",
}  # fmt: skip
_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s*)?(?:\*\*|__)?([A-Za-z][A-Za-z &/-]{2,40}?)(?:\*\*|__)?\s*(:|$)(?:\*\*|__)?\s*(.*)$")
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*+])\s+(?:\[[ xP]\]\s*)?(.*)$")
_TEST = re.compile(r"((?:\b\w+=(?:\"[^\"]*\"|'[^']*'|\S*)\s+)*)\b(?:python3? -m )?pytest\s+([^\s;|`,]+)")
_LOG = re.compile(r"[\w.-]+\.log\b")
_TICKED = re.compile(r"`([^`]+)`")
_FORBIDS = re.compile(r"untouched|(?:do not|don't|never) (?:modify|edit|change|touch)", re.IGNORECASE)
_ATTEMPT = re.compile(r"\bAttempt\s*#?\s*(\d+)", re.IGNORECASE)


def read(text: str, toml: bool = False) -> Order:
    """The order of a text; raises `BadOrder` for one that names no step, no row or no folder."""
    return checked(_of_table(text) if toml else _of_markdown(text))


# -- Markdown ------------------------------------------------------------------------------------------------------------------


def _of_markdown(text: str) -> Order:
    parts, others = _sections(text)
    summary = " ".join(parts.get("summary", "").split())
    if not summary and not parts.get("steps"):
        raise BadOrder("expected a work order (Summary: …, Do Now: …), found neither heading")
    folder, logs = _artefacts(parts.get("artefacts", ""))
    items = _items(parts.get("steps", ""))
    rows = ROW.findall(" ".join([*items, parts.get("focus", "")]))
    attempts = [int(found) for item in items for found in _ATTEMPT.findall(item)]
    pitfalls = tuple(_items(parts.get("pitfalls", "")))
    return Order(
        summary=summary,
        mode=parts.get("mode", "").strip(),
        focus=" ".join(parts.get("focus", "").split()),
        branch=parts.get("branch", "").strip().strip("`"),
        row=rows[0] if rows else "",
        plan=next(iter(re.findall(r"@ ?`?([\w./-]+)`?", " ".join(items))), ""),
        attempt=attempts[0] if attempts else 1,
        tests=tuple(node for node, _ in _tests(parts.get("tests", ""))),
        folder=folder,
        logs=logs,
        steps=_steps(items),
        blocker=next(
            (path.rpartition("/")[2] for path in _paths(parts.get("blocked", "")) if path.endswith(".log")), "blocker.log"
        ),
        untouched=tuple(dict.fromkeys(path for item in pitfalls if _FORBIDS.search(item) for path in _paths(item))),
        pitfalls=pitfalls,
        pointers=tuple(_items(parts.get("pointers", ""))),
        others=tuple(others),
    )


def _sections(text: str) -> tuple[dict[str, str], list[str]]:
    """The known headings with what stands under them, and the headings that nobody knows."""
    parts: dict[str, list[str]] = {}
    others, under = [], ""
    for line in text.splitlines():
        found = None if _ITEM.match(line) else _HEADING.match(line)
        name = _known(found[1]) if found else ""
        if found and name and (found[2] or line.lstrip().startswith(("#", "*", "_"))):
            under = name
            parts.setdefault(under, []).append(found[3])
        elif found and found[2] and line[:1].isalpha() and len(found[1].split()) <= 4:
            under = found[1]
            others.append(found[1])
            parts.setdefault(under, []).append(found[3])
        elif under:
            parts[under].append(line)
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}, others


def _known(heading: str) -> str:
    words = " ".join(heading.lower().split())
    return next((name for start, name in HEADINGS.items() if words.startswith(start)), "")


def _items(text: str) -> list[str]:
    """The numbered or bulleted items; a line without a mark goes on with the item above it."""
    found: list[str] = []
    for line in text.splitlines():
        if item := _ITEM.match(line):
            found.append(item[1].strip())
        elif line.strip() and found:
            found[-1] += " " + line.strip()
    return found


def _artefacts(text: str) -> tuple[str, tuple[str, ...]]:
    """`folder/{a.log,b.log}`, or paths of one folder, one a line."""
    plain = text.replace("`", " ").strip()
    if braced := re.search(r"([\w./@+-]+)/\{([^}]*)\}", plain):
        return braced[1], tuple(name.strip() for name in braced[2].split(",") if name.strip())
    paths = [word.strip("-*,;") for word in plain.split() if "/" in word]
    logs = [path for path in paths if re.search(r"\.\w+$", path)]
    folder = logs[0].rpartition("/")[0] if logs else (paths[0].rstrip("/") if paths else "")
    return folder, tuple(path.rpartition("/")[2] for path in logs)


def _paths(text: str) -> list[str]:
    """What stands in backticks and looks like a path."""
    return [word for word in _TICKED.findall(text) if re.fullmatch(r"[\w./+-]*[/.][\w./+-]+", word) and "::" not in word]


def _tests(text: str) -> list[tuple[str, dict[str, str]]]:
    """Every `NAME=value pytest NODE`, with its environment."""
    found = []
    for prefix, node in _TEST.findall(text):
        pairs = (word.partition("=") for word in shlex.split(prefix))
        found.append((node.rstrip(".)"), {name: value for name, _, value in pairs}))
    return found


def _steps(items: Iterable[str]) -> tuple[Step, ...]:
    """A step fails as it should where it says so; the same test again is its repair; another test is the integration."""
    steps: list[Step] = []
    failed: set[str] = set()
    for number, item in enumerate(items, 1):
        tests = _tests(item)
        nodes = tuple(dict.fromkeys(node for node, _ in tests))
        asks_red = bool(re.search(r"expect(?:ed|ing)?\s+(?:to\s+)?fail|\bRED (?:test|run|step)\b", item, re.IGNORECASE))
        kind = "close" if not nodes else "red" if asks_red else "green" if set(nodes) <= failed else "integration"
        failed |= set(nodes) if kind == "red" else set()
        logs = [found for found in _LOG.findall(re.sub(r"\S*/(?=[\w.-]+\.log)", "", item))]
        env = {name: value for _, pairs in tests for name, value in pairs.items()}
        steps.append(Step(number, kind, item, nodes, env, logs[0] if logs and nodes else ""))
    return tuple(steps)


# -- TOML ----------------------------------------------------------------------------------------------------------------------


def _of_table(text: str) -> Order:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadOrder(f"expected TOML, found {error}") from error
    steps = tuple(_step(number, given) for number, given in enumerate(table.get("step", ()), 1))
    known = {"step", "artefacts", "artifacts", "untouched", "blocker"} | set(Order.__dataclass_fields__)
    if unknown := sorted(set(table) - known):
        raise BadOrder(f"{unknown[0]}: expected one of {', '.join(sorted(known))}")
    words = {
        name: table[name] for name in ("summary", "mode", "focus", "branch", "row", "plan", "attempt", "blocker") if name in table
    }
    for name, value in words.items():
        if not isinstance(value, int if name == "attempt" else str):
            raise BadOrder(f"{name}: expected {'a number' if name == 'attempt' else 'a text'}, found {value!r}")
    return Order(
        **{"summary": "", **words},
        folder=str(table.get("folder", "")),
        logs=tuple(step.log for step in steps if step.log),
        tests=tuple(dict.fromkeys(test for step in steps for test in step.tests)),
        steps=steps,
        untouched=tuple(map(str, table.get("untouched", ()))),
    )


def _step(number: int, given: Mapping[str, Any]) -> Step:
    kind = given.get("kind", "")
    if kind not in KINDS:
        raise BadOrder(f"step {number}: kind: expected one of {', '.join(KINDS)}, found {kind!r}")
    tests, env = given.get("tests", []), given.get("env", {})
    if not isinstance(tests, list) or not isinstance(env, dict):
        raise BadOrder(f"step {number}: expected tests as a list and env as a table")
    pairs = {str(name): str(value) for name, value in env.items()}
    return Step(number, kind, str(given.get("text", "")), tuple(map(str, tests)), pairs, str(given.get("log", "")))
