"""What stands behind every observation: the bound that the clause grants, the record, and the message of a refutation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from conformance.connectors import native
from conformance.judging.blame import missing_package
from conformance.judging.compare import Distance, distance
from conformance.specification.clauses import Clause
from conformance.specification.tolerances import EPS, Tolerance

Named = str | tuple[str, ...] | None
"""The clause of an observation; several where one sentence stands in several chapters; None: the check's only one."""


class Refuted(AssertionError):
    """An observation that contradicts its clause (or the clauses that say the same)."""

    def __init__(self, message: str, observation: str = "", clauses: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.observation, self.clauses = observation, clauses


class Misuse(Exception):
    """The check asks for something that its clause does not grant: the harness's own mistake."""


@dataclass
class Judge:
    """One check's clauses and its records. The first clause gives the check its name."""

    check: str
    clauses: Sequence[Clause]
    suspect: str = ""
    repeat: str = ""
    suite: Path = Path("suite")
    snapshot: Callable[[], Any] | None = None
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    left: Path | None = None
    """Where pictures and the arrays of a red are left, in a folder `artefacts`; None: nowhere."""
    artefacts: dict[str, str] = field(default_factory=dict)
    """Observation → its artefact, relative to the report."""
    reached: dict[tuple[str, ...], set[str]] = field(default_factory=dict)
    """Clauses of an observation → the names of those that held."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Short among the arguments of an example that Hypothesis tells of."""
        printer.text(f"<{self.check}>")

    def _judge(
        self,
        name: str,
        holds: bool,
        *,
        value: Any,
        bound: Any,
        unit: str,
        expected: str,
        found: str,
        within: str = "exact",
        clause: Named = None,
        removed: dict[str, Any] | None = None,
        above: bool = False,
        cause: BaseException | None = None,
    ) -> None:
        """Record `{value, bound, unit}` under `name` (of several the worst stays), and raise `Refuted` unless it holds.

        `above`: the bound is a lower one, and the record says so with `"sense": "above"`.
        """
        value, bound = plainly(value), plainly(bound)
        record = {"name": name, "value": value, "bound": bound, "unit": unit}
        record |= ({"gauge": plainly(removed)} if removed else {}) | ({"sense": "above"} if above else {})
        if not holds or name not in self.records or _worse(value, self.records[name]["value"], above):
            self.records[name] = record
        keys = tuple(found.key for found in self._named(clause))
        if not holds:
            raise Refuted(self.message(name, expected, found, within, clause), name, keys) from cause
        self.reached.setdefault(keys, set()).add(name)

    def _refute(self, name: str, unit: str, expected: str, found: str, clause: Named) -> NoReturn:
        self._judge(name, False, value=found, bound=expected, unit=unit, expected=expected, found=found, clause=clause)
        raise AssertionError("unreachable")

    def message(self, name: str, expected: str, found: str, within: str = "exact", clause: Named = None) -> str:
        """The refutation: clause, check, observation, both sides, bound, suspect, and the command that repeats it."""
        against = self._named(clause)[0]
        lines = [
            f"{against.key} {against.title}",
            f"  check     {self.check}, observation `{name}`",
            f"  expected  {expected}",
            f"  found     {found}",
            f"  bound     {within}",
        ]
        suspect = self.suspect or against.suspect
        if package := missing_package(found):
            suspect = (
                f"the backend's environment, which has no {package} (or its import is misspelt), and not what this clause says"
            )
        lines += [f"  suspect   {suspect}"] if suspect else []
        lines += [f"  repeat    {self.repeat}"] if self.repeat else []
        return "\n".join(lines)

    def _named(self, names: Named) -> list[Clause]:
        """The clauses of an observation; the first bound one where none is named."""
        if names is None:
            return [self.clauses[0]]
        found = []
        for name in (names,) if isinstance(names, str) else names:
            mine = next((clause for clause in self.clauses if name in (clause.id, clause.key)), None)
            if mine is None:
                raise Misuse(f"{self.check} is not bound to {name}; bound: {', '.join(clause.key for clause in self.clauses)}")
            found.append(mine)
        return found

    def _bound(self, name: str, clause: Named) -> Tolerance:
        """The bound of this observation: `bounds[name]` of a bound clause, else the first `tolerance`."""
        candidates = self.clauses if clause is None else self._named(clause)
        named = [c.bounds[name] for c in candidates if name in c.bounds]
        general = [c.tolerance for c in candidates if c.tolerance]
        if not named and not general:
            raise Misuse(f"no bound for `{name}`: {', '.join(c.key for c in candidates)} has neither tolerance nor bounds.{name}")
        return (named or general)[0]

    def _gauge(self, clause: Named, asked: str | Sequence[str] | None) -> tuple[str, ...]:
        """The freedoms to take out; a freedom that no bound clause grants is misuse."""
        candidates = self.clauses if clause is None else self._named(clause)
        granted = tuple(dict.fromkeys(name for c in candidates for name in c.gauge))
        wanted = granted if asked is None else (asked,) if isinstance(asked, str) else tuple(asked)
        if beyond := [name for name in wanted if name not in granted]:
            raise Misuse(f"{self.check}: no clause grants the gauge {', '.join(beyond)}; granted: {', '.join(granted) or 'none'}")
        return wanted

    def _measure(
        self,
        name: str,
        value: Any,
        truth: Any,
        bound: Tolerance,
        *,
        gauge: tuple[str, ...],
        spread: Any,
        dtype: str | None,
        clause: Named,
    ) -> Distance:
        """The distance of two arrays of one shape, all of whose elements are finite; anything else is refuted on the spot."""
        a, b = native.array(value), native.array(truth)
        if a.shape != b.shape:
            self._refute(name, "shape", f"shape {b.shape}", f"shape {a.shape}", clause)
        if not np.isfinite(b).all():
            raise Misuse(f"{self.check}, `{name}`: the truth itself is not finite")
        if not np.isfinite(a).all():
            self._refute(name, "finite", "finite values", f"{int((~np.isfinite(a)).sum())} of {a.size} are not finite", clause)
        if bound.kind == "sigma" and spread is None:
            raise Misuse(f"{self.check}, `{name}`: a bound in sigma needs `spread`, the standard error")
        return distance(a, b, bound, working=dtype or working_dtype(value), gauge=gauge, spread=spread)

    def _number(self, name: str, value: Any) -> float | int:
        found = native.array(value)
        if found.size != 1 or found.dtype.kind not in "iuf":
            raise native.Malformed(f"`{name}`: expected one real number, found {native.kind(value)}")
        return found.reshape(()).item()


def working_dtype(value: Any) -> str:
    """The dtype whose rounding the answer carries: its own if floating, else float32, the contract's precision."""
    found = str(getattr(value, "dtype", "")).removeprefix("torch.")
    return found if found in EPS else "float32"


def _worse(new: Any, old: Any, above: bool = False) -> bool:
    numbers = (int, float)
    return isinstance(new, numbers) and isinstance(old, numbers) and (new < old if above else new > old)


def plainly(value: Any) -> Any:
    """A record's entry as JSON knows it: NumPy numbers as Python's, what is not finite as text, everything else as `str`."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, dict):
        return {str(key): plainly(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plainly(part) for part in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


SHORT = 200
"""Letters of a value in a message."""


def short(value: Any, length: int = SHORT) -> str:
    """`repr`, cut to one readable line."""
    text = repr(value)
    return text if len(text) <= length else text[: length - 1] + "…"


def contrasted(value: Any, truth: Any) -> tuple[str, str]:
    """Both as `short` has them; of mappings too long for that only what differs, so that nothing of it is cut away."""
    if max(len(repr(value)), len(repr(truth))) > SHORT and isinstance(value, dict) and isinstance(truth, dict):
        value, truth = _apart(value, truth), _apart(truth, value)
    return short(value), short(truth)


def _apart(one: dict[Any, Any], other: dict[Any, Any]) -> dict[Any, Any]:
    """The entries of `one` that are not those of `other`, and of entries that are mappings again their own."""
    differing = {key: part for key, part in one.items() if key not in other or other[key] != part}
    return {
        key: _apart(part, other[key]) if isinstance(part, dict) and isinstance(other.get(key), dict) else part
        for key, part in differing.items()
    }


def deviated(seen: Any, value: Any, truth: Any) -> str:
    """What was found in the place of the truth, for a message: of one number itself, of an array its worst element."""
    a, b = native.array(value), native.array(truth)
    if a.ndim == 0 and a.dtype.kind in "fiuc":
        return f"{a[()]:.4g} instead of {b[()]:.4g}, a deviation of {seen}"
    return f"a deviation of {seen} at {seen.where}" + (f": {a[seen.where]!s} instead of {b[seen.where]!s}" if a.size else "")


def unlike(a: np.ndarray, b: np.ndarray) -> tuple[int, str]:
    """How many elements of `a` are not those of `b`, and what is to be said of it: values, type and shape each by name."""
    wrong = differing(a, b)
    if a.shape != b.shape:
        return wrong, f"{native.kind(a)}: the shape is {a.shape}, expected {b.shape}"
    if _same_type(a, b) or a.dtype.kind in "OUS" or b.dtype.kind in "OUS":
        return wrong, f"{native.kind(a)}, {wrong} elements differ"
    with np.errstate(all="ignore"):
        apart = int(np.sum(~((a == b) | (np.not_equal(a, a) & np.not_equal(b, b)))))
        near = bool(np.allclose(a, b, rtol=1e-5, atol=0, equal_nan=True))
    values = "the values agree" if not apart else f"the values agree to 1e-5, {apart} differ in the last digits" if near else ""
    return wrong, f"{values or f'{apart} of {a.size} values differ'}; the type is {a.dtype}, expected {b.dtype}"


def differing(a: np.ndarray, b: np.ndarray) -> int:
    """How many elements differ in any bit, whatever the order of their bytes; all of them where shape or dtype differ."""
    if a.shape != b.shape or not _same_type(a, b):
        return max(a.size, b.size, 1)
    if a.dtype.kind in "OUS":
        return int(np.sum(a != b))
    width = a.dtype.itemsize
    alike = (x.astype(x.dtype.newbyteorder("="), order="C") for x in (a, b))
    left, right = (np.frombuffer(x.tobytes(), np.uint8).reshape(-1, width) for x in alike)
    return int((left != right).any(axis=1).sum())


def _same_type(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether numbers are of one type; like strides, the order of their bytes belongs to where they lie (DATA-018)."""
    return a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")
