"""What a client uses of a backend, held against that backend's source. Nothing of either is imported or run.

`client` reads the uses, `source` the backend's names; here they are compared: a name that is missing, a parameter or a field that
is not taken, another type, another default.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.drift.client import Use
from conformance.drift.source import Definition, Package

BREAKING = ("missing module", "missing name", "missing parameter", "missing argument", "different type")
"""Findings that stop the client; `different default` is told and stops nothing."""


@dataclass(frozen=True)
class Finding:
    """One use and how the backend answers it: `present`, one of `BREAKING`, `different default`, or `not followed`."""

    use: Use
    state: str
    detail: str = ""


def compare(uses: Iterable[Use], packages: dict[str, Package]) -> list[Finding]:
    """A finding a use, and one more for each parameter that differs."""
    return [finding for use in uses for finding in _judge(use, packages[use.module.split(".")[0]])]


def _judge(use: Use, package: Package) -> list[Finding]:
    if not package.has(use.module):
        return [Finding(use, "missing module", use.module)]
    if not use.name:
        return [Finding(use, "present")]
    found = package.find(use.module, use.name)
    if found is None:
        return [Finding(use, "missing name", f"{use.module} has no {use.name}")]
    if isinstance(found, str):
        return [Finding(use, "not followed", found)]
    faults = list(_call_faults(use, found)) if use.called else []
    return faults or [Finding(use, "present")]


def _call_faults(use: Use, found: Definition) -> Iterable[Finding]:
    if found.parameters is None:
        return
    for name, given in use.keywords.items():
        if name not in found.parameters and not found.open_keywords:
            yield Finding(use, "missing parameter", f"{use.name}({name}=…)")
        elif name in found.parameters:
            yield from _differences(use, name, given, found)
    if use.positional > found.most_positional:
        told = f"{use.name} takes {found.most_positional} by position, {use.positional} are given"
        yield Finding(use, "missing argument", told)
    given_names = {*use.keywords, *list(found.parameters)[: use.positional]}
    lacking = [name for name in found.required if name not in given_names]
    if lacking and not use.starred:
        yield Finding(use, "missing argument", f"{use.name} needs {', '.join(lacking)}, which the client does not give")


def _differences(use: Use, name: str, given: tuple[str, str] | None, found: Definition) -> Iterable[Finding]:
    """What the client's own setting for a parameter says of type and default, against the backend's."""
    if given is None:
        return
    kind, default = given
    theirs, annotation = found.parameters[name] if found.parameters else (None, None)
    if annotation and kind not in _kinds(annotation):
        yield Finding(use, "different type", f"{use.name}.{name}: the client holds {kind}, the backend {annotation}")
    if theirs is not None and not _equal(default, theirs):
        yield Finding(use, "different default", f"{use.name}.{name}: {default} in the client, {theirs} in the backend")


def _kinds(annotation: str) -> set[str]:
    """The plain types that an annotation admits; everything where it says nothing of them."""
    plain = {kind for kind in ("bool", "int", "float", "str") if kind in annotation.replace("[", " ").replace(",", " ").split()}
    plain |= {kind for kind in ("bool", "int", "float", "str") if annotation == kind or f"{kind} |" in annotation}
    plain |= {"str"} if "Literal" in annotation or "Path" in annotation else set()
    plain |= {"int"} if "float" in plain else set()
    return plain or {"bool", "int", "float", "str"}


def _equal(one: str, other: str) -> bool:
    try:
        return bool(ast.literal_eval(one) == ast.literal_eval(other))
    except (ValueError, SyntaxError):
        return True  # what is no literal cannot be compared from its source
