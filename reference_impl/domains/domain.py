"""What a domain is: a type, a range, choices, and how it reads and says itself (the rows stand in `domains`)."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LONGEST_TEXT = 4096


@dataclass(frozen=True)
class Domain:
    """The values of one setting. `kind`: whole, real, switch, choice, text, path, pair (two equal whole numbers) or mask.

    `above`, `below`: `low`, `high` itself is outside. `also`: single values that are taken besides.
    `remark`: what a refusal adds after the value, with {value} and {name}.
    """

    kind: str
    low: float = 0.0
    high: float = 0.0
    above: bool = False
    below: bool = False
    choices: tuple[Any, ...] | Callable[[], tuple[Any, ...]] = ()
    also: tuple[Any, ...] = ()
    power_of_two: bool = False
    remark: str = ""

    def accepts(self, value: Any) -> bool:
        """Whether the setting takes `value`; types count: a truth value is no number, text is none either."""
        if any(value is other or (isinstance(value, str) and value == other) for other in self.also):
            return True
        return _KINDS[self.kind](self, value)

    @property
    def options(self) -> tuple[Any, ...]:
        """The choices as they stand now."""
        return self.choices() if callable(self.choices) else self.choices

    @property
    def expected(self) -> str:
        """The domain in words."""
        rest = "".join(f", or {'none' if other is None else repr(other)}" for other in self.also)
        return _words(self) + rest

    def read(self, text: str) -> Any:
        """The value that `text` on a command line means; text itself where it is none of this kind, to be refused by name."""
        try:
            if self.kind == "whole" or (self.kind == "choice" and isinstance(self.options[0], int)):
                return int(text)
            if self.kind == "real":
                return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            return text
        # A shell expands ~ only where it stands bare and first.
        return Path(text).expanduser() if self.kind == "path" else text


def _whole(domain: Domain, value: Any) -> bool:
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not domain.low <= value <= domain.high:
        return False
    return not domain.power_of_two or value & (value - 1) == 0


def _real(domain: Domain, value: Any) -> bool:
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    # An infinity or NaN is outside of every range; a whole number may be too large for a float, and compares all the same.
    inside = domain.low <= value <= domain.high
    return inside and not (domain.above and value == domain.low) and not (domain.below and value == domain.high)


def _choice(domain: Domain, value: Any) -> bool:
    return any(_alike(value, option) and value == option for option in domain.options)


def _alike(value: Any, option: Any) -> bool:
    """Whether two values are of one kind: whole numbers are, whoever has them, and a truth value is none."""
    whole = type(option) is int and isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return whole or type(value) is type(option)


def _text(domain: Domain, value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def _path(domain: Domain, value: Any) -> bool:
    return isinstance(value, str | Path) and 0 < len(str(value)) <= LONGEST_TEXT and "\0" not in str(value)


def _pair(domain: Domain, value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and all(_whole(domain, part) for part in value)


def truth_value(value: Any) -> bool:
    """True, False, or NumPy's (told by its name: configuration is importable without NumPy)."""
    return isinstance(value, bool) or (type(value).__module__, type(value).__name__) in (("numpy", "bool"), ("numpy", "bool_"))


_KINDS: Mapping[str, Callable[[Domain, Any], bool]] = {
    "whole": _whole,
    "real": _real,
    "switch": lambda domain, value: truth_value(value),
    "choice": _choice,
    "text": _text,
    "path": _path,
    "pair": _pair,
    # A mask of the probe: CONFIG-050 lets it be an array.
    "mask": lambda domain, value: value is None or truth_value(value) or hasattr(value, "shape"),
}


def _words(domain: Domain) -> str:
    low, high = (str(bound) if isinstance(bound, int) else f"{bound:g}" for bound in (domain.low, domain.high))
    number = "whole number" if domain.kind == "whole" else "number"
    upper = f"below {high}" if domain.below else f"at most {high}"
    if domain.kind == "choice":
        return f"one of {list(domain.options)}"
    if domain.kind not in ("whole", "real"):
        return _PLAIN[domain.kind]
    if domain.power_of_two:
        return f"a positive power of two, {upper}"
    if domain.low == 0:
        return f"a {'positive' if domain.above else 'non-negative'} {number}, {upper}"
    return f"a {'positive ' if 0 < domain.low <= 1 else ''}{number} from {low} to {high}"


_PLAIN = {
    "switch": "true or false",
    "text": "a printable name",
    "path": "a path",
    "pair": "two positive whole numbers",
    "mask": "true, false or an array",
}


def whole(low: int, high: int, **more: Any) -> Domain:
    """A whole number from `low` to `high`."""
    return Domain("whole", low, high, **more)


def real(low: float, high: float, **more: Any) -> Domain:
    """A finite number from `low` to `high`."""
    return Domain("real", low, high, **more)


def choice(*names: Any, **more: Any) -> Domain:
    """One of these."""
    return Domain("choice", choices=names, **more)


def optional(domain: Domain) -> Domain:
    """The same, or None: not stated."""
    return replace(domain, also=(*domain.also, None))
