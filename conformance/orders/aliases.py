"""From a test that an order names to the checks of the suite: a check's id, an alias, or the name of the test function. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from conformance.orders.order import BadOrder
from conformance.specification.bindings import Binding
from conformance.specification.choosing import matches, near
from conformance.specification.texts import read

TABLE = Path(__file__).with_name("aliases.toml")


def table(path: Path | None = None) -> dict[str, str]:
    """The aliases, those of `path` before the built-in ones; raises `OSError` or `ValueError` for a bad file."""
    own = tomllib.loads(read(path)) if path else {}
    found = {**tomllib.loads(read(TABLE)), **own}
    if wrong := [name for name, value in found.items() if not isinstance(value, str)]:
        raise ValueError(f"{wrong[0]}: expected the id of a check, found {found[wrong[0]]!r}")
    return found


def selector(test: str, aliases: Mapping[str, str], bindings: Iterable[Binding]) -> str:
    """The pattern of the checks behind a test; raises `BadOrder` where there are none."""
    checks = [binding.check for binding in bindings]
    name = test.rpartition("::")[2].partition("[")[0]
    wanted = aliases.get(test) or aliases.get(name) or ""
    if not wanted:
        bare = name.removeprefix("test_")
        wanted = next((check for check in checks if check.partition(":")[2] == bare), test if "::" not in test else "")
    if wanted and any(matches(check, [wanted]) for check in checks):
        return wanted
    names = [check.partition(":")[2] for check in checks]
    raise BadOrder(
        f"{test}: expected a check, an alias (--aliases FILE) or the name of a test; {near(name.removeprefix('test_'), names)}"
    )
