"""What a client uses of some packages, as facts: names, arguments and places, and none of its code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = 1
ACTS = ("module", "read", "call", "set", "base")


@dataclass(frozen=True)
class Sent:
    """A value that the client hands over: the kinds that it may have (empty: its source does not tell), its text where it is a
    literal, and, of one of the client's own settings, the default of that setting.
    """

    kinds: tuple[str, ...] = ()
    literal: str | None = None
    default: str | None = None


@dataclass(frozen=True)
class Use:
    """Something that a client needs of `name` in `module`. In `name`, `()` is what a call returns and `[0]` an item of it.

    `open`: arguments are handed over that the source does not name. `guarded`: the client goes on where it is missing.
    """

    act: str
    module: str
    name: str = ""
    arguments: tuple[Sent, ...] = ()
    keywords: Mapping[str, Sent] = field(default_factory=dict)
    open: bool = False
    guarded: bool = False
    places: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """`ptycho.raw_data:RawData.from_file`."""
        return f"{self.module}:{self.name}".rstrip(":")


@dataclass(frozen=True)
class Uses:
    """All uses of a client. `gives`: what the client itself puts into a field, by `(module:Class, field)`, if it is one thing."""

    client: str
    version: str
    packages: tuple[str, ...]
    uses: tuple[Use, ...]
    gives: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sha256: str = ""

    def of(self, package: str) -> Uses:
        """Those of one package."""
        mine = tuple(use for use in self.uses if use.module.split(".")[0] == package)
        return Uses(self.client, self.version, (package,), mine, self.gives, self.sha256)


def merged(found: Sequence[Use]) -> tuple[Use, ...]:
    """Equal uses once, with all their places, by module and name."""
    places: dict[str, list[str]] = {}
    kept: dict[str, Use] = {}
    for use in found:
        key = json.dumps(_plain(use) | {"places": []}, sort_keys=True)
        kept.setdefault(key, use)
        places.setdefault(key, []).extend(place for place in use.places if place not in places.get(key, ()))
    whole = [Use(**{**vars(use), "places": tuple(places[key])}) for key, use in kept.items()]
    return tuple(sorted(whole, key=lambda use: (use.module, use.name, ACTS.index(use.act), use.places)))


def dumped(found: Uses) -> str:
    """The text of a record: a line a use."""
    told = {"schema": SCHEMA, "client": found.client, "version": found.version, "sha256": found.sha256}
    head = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in (told | {"packages": list(found.packages)}).items()]
    gives = [{"to": to, "field": name, "value": value} for (to, name), value in sorted(found.gives.items())]
    lists = [("gives", gives), ("uses", [_plain(use) for use in found.uses])]
    parts = [f"{json.dumps(name)}: [\n  " + ",\n  ".join(map(json.dumps, rows)) + "\n ]" for name, rows in lists]
    return "{\n " + ",\n ".join([*head, *parts]) + "\n}\n"


def recorded(client: str, version: str) -> list[Path]:
    """The records of a released client: `ptychodus-1.7.0.json`, and those of further packages, `ptychodus-1.7.0+ptychi.json`."""
    first = Path(__file__).with_name(f"{Path(client).name}-{Path(version).name}.json")
    further = sorted(path for path in first.parent.glob("*.json") if path.name.startswith(f"{first.stem}+"))
    return [*[first] * first.is_file(), *further]


def steps_of(client: str, version: str) -> Path:
    """Where the steps of a client's users stand, whether they do or not."""
    return Path(__file__).with_name(f"{Path(client).name}-{Path(version).name}.toml")


def loaded(path: Path) -> Uses:
    """A record. Raises `ValueError` with the file's name where it is none."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        gives = {(given["to"], given["field"]): given["value"] for given in told["gives"]}
        uses = tuple(_use(use) for use in told["uses"])
        return Uses(told["client"], told["version"], tuple(told["packages"]), uses, gives, told["sha256"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected recorded uses, found {type(error).__name__}: {error}") from error


def _plain(use: Use) -> dict[str, Any]:
    """A use without what it leaves empty."""
    told = {name: value for name, value in vars(use).items() if value or name in ("act", "module", "name")}
    if use.arguments:
        told["arguments"] = [_sent(value) for value in use.arguments]
    if use.keywords:
        told["keywords"] = {name: _sent(value) for name, value in use.keywords.items()}
    return told | {"places": list(use.places)}


def _sent(value: Sent) -> dict[str, Any]:
    return {name: told for name, told in asdict(value).items() if told}


def _use(told: dict[str, Any]) -> Use:
    def sent(value: dict[str, Any]) -> Sent:
        return Sent(tuple(value.get("kinds", ())), value.get("literal"), value.get("default"))

    arguments = tuple(sent(value) for value in told.get("arguments", ()))
    keywords = {name: sent(value) for name, value in told.get("keywords", {}).items()}
    return Use(**{**told, "arguments": arguments, "keywords": keywords, "places": tuple(told.get("places", ()))})
