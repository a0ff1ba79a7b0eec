"""Which mutants stand under which clause: from the kill matrix into the chapters of the specification. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_CLAUSE = re.compile(r"^## ([A-Z]+-\d+)~\d+ .*\n```toml\n((?:.*\n)*?)```$", re.MULTILINE)
WIDTH = 120


def by_clause(table: Mapping[str, Any]) -> dict[str, list[str]]:
    """Clause → the mutants that its checks must catch, sorted."""
    found: dict[str, set[str]] = {}
    for name, row in table.get("mutants", {}).items():
        for clause in {*row.get("clauses", ()), *(check.split(":")[0] for check in row["must_fail"])}:
            found.setdefault(clause, set()).add(name)
    return {clause: sorted(names) for clause, names in found.items()}


def marked(chapter: str, mutants: Mapping[str, Sequence[str]]) -> str:
    """A chapter whose clauses name these mutants and no others."""

    def rewrite(match: re.Match[str]) -> str:
        fence = re.sub(r"^mutants *= \[[^\]]*\]\n", "", match[2], flags=re.MULTILINE)
        line = _line(mutants.get(match[1], ()))
        return match[0].replace(f"```toml\n{match[2]}```", f"```toml\n{fence}{line}```")

    return _CLAUSE.sub(rewrite, chapter)


def _line(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' for name in names]
    whole = f"mutants = [{', '.join(quoted)}]\n"
    if not names or len(whole) <= WIDTH:
        return whole if names else ""
    return "mutants = [\n" + "".join(f"    {name},\n" for name in quoted) + "]\n"
