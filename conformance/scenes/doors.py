"""Doors that a configuration's fields pass, and what has to come out behind each (CONFIG-010 … CONFIG-070, EXEC-001 … EXEC-011).

Values are those of `specification.fields`: none a default, none another field's where there is a choice. Through each door goes a
configuration that states all fields, one for each field that states this one alone, and one for each that states all others; the
registry holds something else before. What comes out is the value, or the default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.scenes import configs
from conformance.specification import fields as declared

Values = dict[str, Any]
OWED_ELSEWHERE = {"training": {"n_groups": 512, "backend": "tensorflow"}, "inference": {"backend": "tensorflow"}}
"""Defaults that other clauses say (CONFIG-011, DISPATCH-007)."""
ALWAYS = {"model": (), "training": (), "inference": ("model_path", "test_data_file"), "execution": ("accelerator",)}
"""Fields without a default that does as well."""


def values(kind: str, other: bool = False) -> Values:
    """A value of each field of a kind, those of its model among them."""
    nested = declared.stated("model", other) if kind in ("training", "inference") else {}
    return {**nested, **declared.stated(kind, other)}


def defaults(kind: str) -> Values:
    """The default of each field that has one."""
    known = {**(declared.fields("model") if kind in ("training", "inference") else {}), **declared.fields(kind)}
    found = {name: field.default for name, field in known.items() if name not in ALWAYS[kind]}
    found |= {name: Path(value) for name, value in found.items() if name == "output_dir"}
    return {**found, **OWED_ELSEWHERE.get(kind, {})}


@dataclass(frozen=True)
class Scene:
    """What is stated, and under which heading a difference is reported."""

    heading: str
    name: str
    stated: Values


ALL, ONLY, WITHOUT = "all stated", "one stated alone", "one left out"


def scenes(whole: Values, always: tuple[str, ...] = (), zero: Values | None = None) -> Iterator[Scene]:
    """All of `whole`; each alone; each of `zero` alone; all but one. Those of `always` are stated in each."""
    base = {name: whole[name] for name in always}
    free = [name for name in whole if name not in always]
    yield Scene(ALL, "all", whole)
    yield from (Scene(ONLY, name, {**base, name: whole[name]}) for name in free)
    yield from (Scene(ONLY, f"{name} of zero", {**base, name: value}) for name, value in (zero or {}).items() if name in free)
    yield from (Scene(WITHOUT, name, {n: v for n, v in whole.items() if n != name}) for name in free)


def in_codes(whole: Values) -> list[Scene]:
    """A few scenes, for doors that take long: each field stated in some and left out in others, no two switches always alike.

    Switch number i is true in scene j where the binary digit j of i + 1 is set; the others are stated in every second scene.
    """
    switches = [name for name, value in whole.items() if isinstance(value, bool)]
    rest = [name for name in whole if name not in switches]
    digits = max(2, (len(switches) + 1).bit_length())

    def says(name: str, j: int) -> bool:
        if name in switches:  # what is not stated is the contrary of its value
            return bool(switches.index(name) + 1 >> j & 1) == whole[name]
        return (rest.index(name) + j) % 2 == 0

    return [Scene(ALL, f"code {j}", {name: whole[name] for name in whole if says(name, j)}) for j in range(digits)]


def made(backend: Any, kind: str, stated: Mapping[str, Any]) -> Any:
    """A canonical object that states exactly this."""
    if kind in ("model", "execution"):
        return backend.canonical(kind, **stated)
    names = declared.fields("model")
    model = backend.canonical("model", **{name: value for name, value in stated.items() if name in names})
    return backend.canonical(kind, model=model, **{name: value for name, value in stated.items() if name not in names})


def said(config: Any, kind: str) -> Values:
    """What an object of a kind says of each field; `absent` where it has no such attribute."""
    nested = declared.fields("model") if kind in ("training", "inference") else {}
    found = {name: getattr(config.model, name, "absent") for name in nested}
    return {**found, **{name: getattr(config, name, "absent") for name in declared.fields(kind)}}


def unlike(found: Mapping[str, Any], truth: Mapping[str, Any]) -> Values:
    """Field → what was found, and what is owed, where these differ in value or kind (a truth value is no number)."""
    wrong = {name: (found.get(name, "absent"), value) for name, value in truth.items()}
    return {name: f"{a!r}, owed {b!r}" for name, (a, b) in wrong.items() if not _same(a, b)}


def _same(one: Any, other: Any) -> bool:
    number = isinstance(one, int | float) and isinstance(other, int | float)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool) if number else one == other


Found = dict[str, dict[str, Values]]
"""Heading → scene → the fields that came out otherwise; empty where none did."""


def crossed(all_scenes: Iterator[Scene], cross: Callable[[Scene], tuple[Values, Values]]) -> Found:
    """What comes out of a door unlike what is owed; `cross` gives what came out and what is owed."""
    found: Found = {}
    for scene in all_scenes:
        if wrong := unlike(*cross(scene)):
            found.setdefault(scene.heading, {})[scene.name] = wrong
    return found


def stale(kind: str, owed: Mapping[str, Any]) -> Values:
    """A value of each field that is not the one that is owed, as another experiment may have left it; 3 or 4 for a real."""
    ways = (values(kind, other=True), values(kind), defaults(kind))
    left = {name: next((way[name] for way in ways if name in way and way[name] != value), None) for name, value in owed.items()}
    # A whole number stood there as well as a real one: what is written has its own type, and not the older value's.
    return left | {name: 4 if value == 3 else 3 for name, value in owed.items() if isinstance(value, float)}


# -- canonical objects and the registry ----------------------------------------------------------------------------------------


def constructed(backend: Any, kind: str) -> Found:
    """Keywords → attributes."""
    whole = values(kind)
    return crossed(
        scenes(whole, ALWAYS[kind], declared.zeros(kind)),
        lambda scene: (said(made(backend, kind, scene.stated), kind), {**defaults(kind), **scene.stated}),
    )


def flattened(backend: Any, kind: str) -> Found:
    """A canonical object → its flat form."""
    return crossed(
        scenes(values(kind), ALWAYS[kind], declared.zeros(kind)),
        lambda scene: (
            of_registry(backend.flatten(made(backend, kind, scene.stated))),
            texts({**defaults(kind), **scene.stated}, but_none=True),
        ),
    )


def synchronised(backend: Any, kind: str, write: Callable[[Any], Any]) -> Found:
    """A canonical object → the live registry, in which another experiment stands; what is none leaves that (CONFIG-005)."""

    def cross(scene: Scene) -> tuple[Values, Values]:
        owed = {**defaults(kind), **scene.stated}
        before = stale(kind, owed)
        registry = backend.registry()
        registry.update(configs.in_registry(before))
        write(made(backend, kind, scene.stated))
        return of_registry(registry), texts({name: before[name] if value is None else value for name, value in owed.items()})

    return crossed(scenes(values(kind), ALWAYS[kind], declared.zeros(kind)), cross)


WRITE: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "synchronise": lambda backend: backend.synchronise,
    "populate": lambda backend: lambda config: backend.populate(config, force=True),
}
"""Ways to write the live registry."""


def of_registry(flat: Mapping[str, Any]) -> Values:
    """The entries of a flat mapping under the names of their fields, paths as text."""
    names = {key: name for name, key in configs.REGISTRY_KEYS.items()}
    return {names.get(key, key): text(flat[key]) for key in list(flat)}


def texts(fields: Mapping[str, Any], but_none: bool = False) -> Values:
    """Paths as text; without what is none."""
    return {name: text(value) for name, value in fields.items() if value is not None or not but_none}


def text(value: Any) -> Any:
    """A path as text, anything else as it is."""
    return str(value) if isinstance(value, Path) else value


def through_yaml(backend: Any, kind: str, folder: Path) -> Found:
    """A file of settings → the mapping → a canonical object (CONFIG-016)."""
    names, path = declared.fields("model"), folder / "settings.yaml"

    def cross(scene: Scene) -> tuple[Values, Values]:
        own = {name: text(value) for name, value in scene.stated.items() if name not in names}
        model = {name: value for name, value in scene.stated.items() if name in names}
        path.write_text(json.dumps({"model": model, **own}, indent=1), encoding="utf-8")  # JSON is YAML
        read = dict(backend.read_yaml(path))
        found = made(backend, kind, {**dict(read.pop("model")), **read})
        return said(found, kind), {**defaults(kind), **scene.stated}

    # Left out one by one, a field is what it is where nothing is stated: long files would be read for nothing.
    short = (scene for scene in scenes(values(kind), ALWAYS[kind], declared.zeros(kind)) if scene.heading != WITHOUT)
    return crossed(short, cross)
