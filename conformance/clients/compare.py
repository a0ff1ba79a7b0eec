"""What a client uses of a backend, held against that backend's source. Nothing of either is imported or run.

`client` reads the uses, `source` and `results` the backend's names; here they are compared: what is missing, not taken, of
another type, of another default, or cannot be set, each under its clause (specs/drift.md). Recorded uses lie beside this file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.clients.found import Class, Found, Function, Held, Missing, Module, Plain, Thing, Untold
from conformance.clients.kinds import admitted, takes
from conformance.clients.results import Parameter, Signature, held, refuses_assignment, signature
from conformance.clients.uses import Sent, Use, Uses
from conformance.clients.world import World

CLAUSES = {
    "missing module": "DRIFT-001",
    "missing name": "DRIFT-002",
    "missing attribute": "DRIFT-003",
    "missing parameter": "DRIFT-004",
    "missing argument": "DRIFT-005",
    "missing field": "DRIFT-006",
    "different type": "DRIFT-007",
    "different default": "DRIFT-008",
    "cannot be set": "DRIFT-009",
    "undeclared None": "DRIFT-010",
}
"""State of a finding → the clause that it breaks. `present`, `not followed` and `guarded` break none."""

ADVICE = ("different default", "undeclared None")
BREAKING = tuple(state for state in CLAUSES if state not in ADVICE)
PTYCHODUS = Path(__file__).with_name("ptychodus-1.7.0.json")


@dataclass(frozen=True)
class Finding:
    """A use and how the backend answers it: `present`, a state of `CLAUSES`, `not followed`, `guarded` (the client goes on)."""

    use: Use
    state: str
    detail: str = ""

    @property
    def clause(self) -> str:
        """The clause that is broken; empty where none is."""
        return CLAUSES.get(self.state, "")


def compare(uses: Uses, world: World) -> list[Finding]:
    """The findings of each use, at least one; what is found again is found once, at all its places.

    A `set` makes what it sets present for the reads of the same name.
    """
    made = {use.whole for use in uses.uses if use.act == "set"}
    told: dict[tuple[str, ...], Finding] = {}
    for finding in [finding for use in uses.uses for finding in _judge(use, world, made)]:
        key = (finding.state, finding.detail or f"{finding.use.act} {finding.use.whole}")
        before = told.get(key, finding).use
        places = tuple(dict.fromkeys((*before.places, *finding.use.places)))
        told[key] = replace(finding, use=replace(before, places=places))
    return list(told.values())


def _judge(use: Use, world: World, made: set[str]) -> Iterator[Finding]:
    found = world.walk(use.module) if use.act == "module" else _reached(use, world, made)
    faults = [_of_missing(use, found)] if isinstance(found, Missing | Untold) else list(_faults(use, found, world))
    for state, detail in faults or [("present", "")]:
        yield Finding(use, "guarded" if use.guarded and state in BREAKING else state, detail)


def _reached(use: Use, world: World, made: set[str]) -> Found:
    if use.act == "set":
        owner = world.walk(use.module, use.name.rpartition(".")[0])
        return held(world, owner, use.name.rpartition(".")[0]) if isinstance(owner, Held) else owner
    found = world.walk(use.module, use.name)
    return Plain("object") if isinstance(found, Missing) and use.whole in made else found


def _of_missing(use: Use, found: Missing | Untold) -> tuple[str, str]:
    if isinstance(found, Untold):
        return "not followed", found.why
    kind = "missing module" if found.kind == "module" else "missing attribute" if found.inside else "missing name"
    return kind, found.why


def _faults(use: Use, found: Found, world: World) -> Iterator[tuple[str, str]]:
    if use.act == "set":
        yield from _set_faults(use, found, world)
    if use.act != "call" or isinstance(found, Plain):
        return
    told = (
        signature(world, found) if isinstance(found, Class | Function | Thing) else "how it is called, its source does not tell"
    )
    if isinstance(told, str):
        yield "not followed", told
        return
    name = use.name.rpartition(".")[2]
    yield from _argument_faults(use, name, told)
    given = [*zip(told.parameters, use.arguments, strict=False), *use.keywords.items()]
    for parameter, sent in given:
        if parameter in told.parameters:
            yield from _differences(f"{name}.{parameter}", sent, told.parameters[parameter])
    if isinstance(found, Class):
        yield from _enumerated(use, found)


def _argument_faults(use: Use, name: str, told: Signature) -> Iterator[tuple[str, str]]:
    lacking = "missing field" if told.fields else "missing parameter"
    for word in use.keywords:
        if word not in told.parameters and not told.open:
            yield lacking, f"{name}({word}=…)"
        elif word in told.parameters and not told.parameters[word].by_name:
            yield lacking, f"{name}({word}=…), which is taken by position only"
    if len(use.arguments) > told.most:
        yield "missing parameter", f"{name} takes {told.most:g} by position, {len(use.arguments)} are given"
    by_position = [word for word, part in told.parameters.items() if part.by_position][: len(use.arguments)]
    absent = [word for word in told.required if word not in (*by_position, *use.keywords)]
    if absent and not use.open:
        yield "missing argument", f"{name} needs {', '.join(absent)}, which the client does not give"
    if twice := [word for word in by_position if word in use.keywords]:
        yield "missing parameter", f"{name} is given {', '.join(twice)} by position and by name"


def _differences(place: str, sent: Sent, told: Parameter) -> Iterator[tuple[str, str]]:
    """What the client hands over against the annotation and, of one of its own settings, against the default."""
    admits = admitted(told.annotation) if told.annotation is not None else None
    if admits and sent.kinds:
        kinds, values = admits[0] | ({"None"} if told.default == "None" else set()), admits[1]
        wrong = [kind for kind in sent.kinds if kind != "None" and not takes(kinds, kind)]
        shown = ast.unparse(told.annotation) if told.annotation is not None else ""
        stated = sent.literal or sent.default
        if wrong:
            yield "different type", f"{place}: the client sends {' or '.join(sent.kinds)}, the backend takes {shown}"
        elif values and kinds == {"str"} and stated and stated not in values and _literal(stated):
            yield "different type", f"{place}: the client sends {stated}, the backend takes {shown}"
        elif "None" in sent.kinds and "None" not in kinds:
            yield "undeclared None", f"{place}: the client sends None, the backend declares {shown}"
    if sent.default is not None and told.default is not None and not _equal(sent.default, told.default):
        yield "different default", f"{place}: {sent.default} in the client, {told.default} in the backend"


def _enumerated(use: Use, found: Class) -> Iterator[tuple[str, str]]:
    """`Kind('value')` of an enumeration needs a member of that value."""
    if not any(ast.unparse(base).endswith("Enum") for base in found.node.bases) or not use.arguments:
        return
    values = [ast.unparse(node.value) for node in found.node.body if isinstance(node, ast.Assign)]
    asked = use.arguments[0].literal
    if asked is not None and values and asked not in values and all(map(_literal, values)):
        yield "different type", f"{found.node.name}({asked}): its values are {', '.join(values)}"


def _set_faults(use: Use, owner: Found, world: World) -> Iterator[tuple[str, str]]:
    """Whether an attribute can be assigned; what is no field of a dataclass would be set without effect."""
    name = use.name.rpartition(".")[2]
    if not isinstance(owner, Thing):
        if not isinstance(owner, Plain | Module):
            yield "not followed", f"what {use.name.rpartition('.')[0]} holds, its source does not tell"
        return
    if why := refuses_assignment(world, owner.of, name):
        yield "cannot be set", f"{use.name}: {why}"
        return
    told = signature(world, owner.of)
    if isinstance(told, Signature) and told.fields:
        if name not in told.parameters:
            yield "missing field", f"{owner.of.node.name} has no field {name}: what is set there has no effect"
        else:
            yield from _differences(use.name, use.arguments[0] if use.arguments else Sent(), told.parameters[name])


def _literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return True


def _equal(one: str, other: str) -> bool:
    """What is no literal cannot be compared from its source."""
    return not (_literal(one) and _literal(other)) or bool(ast.literal_eval(one) == ast.literal_eval(other))
