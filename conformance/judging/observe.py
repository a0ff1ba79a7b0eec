"""Observations: one call that asserts and records, so that the number in the report is the number that was judged.

Bounds come from the clause. Nothing here knows pytest; the plug-in makes an `Observer` for each check and reads its `records`.
Every observation takes a name, which may stand in the clause's `bounds`, and `clause=`: to which of several it belongs.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.connectors import native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.judging import artefacts, blame
from conformance.judging.judge import Judge, Misuse, Named, Refuted, contrasted, deviated, unlike
from conformance.judging.snapshots import SAFE_ID, NotPlain, plain

__all__ = ["Caught", "Misuse", "Observer", "Refuted"]

Fragment = str | tuple[str, ...]
"""What a message contains: a text, or one of several."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Caught:
    """The error that a `raises` block asked for."""

    error: BaseException | None = None
    message: str = ""


class Observer(Judge):
    """What one check saw."""

    def close(
        self,
        name: str,
        value: Any,
        truth: Any,
        *,
        clause: Named = None,
        gauge: str | Sequence[str] | None = None,
        spread: Any = None,
        dtype: str | None = None,
    ) -> None:
        """`value` equals `truth` up to the clause's bound; shapes must be equal, and every element finite.

        `gauge` names freedoms to take out, among those that the clause grants (default: all of them; `()`: none). `spread` is
        the standard error for a bound in sigma. `dtype` is the dtype in which the backend worked; by default the value's own,
        and float32 for a plain number.
        """
        bound, freedoms = self._bound(name, clause), self._gauge(clause, gauge)
        seen = self._measure(name, value, truth, bound, gauge=freedoms, spread=spread, dtype=dtype, clause=clause)
        found = deviated(seen, value, truth)
        found += f", after taking out {seen.removed}" if seen.removed else ""
        if self.left is not None and not seen.within:
            self.artefacts |= artefacts.arrays(self.left, self.check, name, value, truth, seen.where, freedoms)
        self._judge(
            name, seen.within, value=seen.value, bound=seen.bound, unit=seen.unit, expected=f"the truth ({native.kind(truth)})",
            found=found, within=str(bound), clause=clause, removed=seen.removed,
        )  # fmt: skip

    def differs(self, name: str, value: Any, other: Any, *, clause: Named = None, dtype: str | None = None) -> None:
        """`value` differs from `other` by more than the clause's bound: what was changed has an effect."""
        bound = self._bound(name, clause)
        seen = self._measure(name, value, other, bound, gauge=(), spread=None, dtype=dtype, clause=clause)
        self._judge(
            name, not seen.within, value=seen.value, bound=seen.bound, unit=seen.unit, expected="a difference beyond the bound",
            found=f"a difference of {seen}", within=f"more than {bound}", clause=clause, above=True,
        )  # fmt: skip

    def equal(self, name: str, value: Any, truth: Any, *, clause: Named = None) -> None:
        """`value` equals `truth` exactly: arrays bit by bit, shape and dtype included; the rest by `==`.

        A number is a truth value, a whole or a real number, and has to be of that kind; it may be a 0-d array as well.
        """
        number = isinstance(truth, int | float) and native.shape(value) == () if hasattr(value, "shape") else False
        if not number and (hasattr(truth, "dtype") or hasattr(value, "dtype")):
            a, b = native.array(value), native.array(truth)
            (wrong, found), unit, expected = unlike(a, b), "elements", f"{native.kind(b)}, bit for bit"
        else:
            value = native.array(value)[()] if number else value
            wrong, unit = int(not (value == truth and _kind(value) == _kind(truth))), "1"
            found, expected = contrasted(value, truth)
        self._judge(name, wrong == 0, value=wrong, bound=0, unit=unit, expected=expected, found=found, clause=clause)

    def at_least(self, name: str, value: Any, limit: float, *, clause: Named = None) -> None:
        """One number against a lower limit of the clause's own text: a count, the end of a range."""
        number = self._number(name, value)
        self._limited(name, number >= limit, number, limit, f"at least {limit!r}", clause, above=True)

    def at_most(self, name: str, value: Any, limit: float, *, clause: Named = None) -> None:
        """One number against an upper limit of the clause's own text."""
        number = self._number(name, value)
        self._limited(name, number <= limit, number, limit, f"at most {limit!r}", clause, above=False)

    def _limited(self, name: str, holds: bool, number: float, limit: float, within: str, clause: Named, above: bool) -> None:
        self._judge(
            name, holds, value=number, bound=limit, unit="1", expected=within, found=repr(number), within=within,
            clause=clause, above=above,
        )  # fmt: skip

    def picture(self, name: str, path: Path) -> None:
        """Leave a PNG beside the report, for people; observes nothing."""
        if self.left is not None:
            self.artefacts |= artefacts.picture(self.left, self.check, name, path)

    def dtype(self, name: str, value: Any, expected: str, *, clause: Named = None) -> None:
        """The value's dtype by its plain name, as in `float32`."""
        found = native.dtype(value)
        self._judge(
            name, found == expected, value=found, bound=expected, unit="dtype", expected=expected, found=found, clause=clause
        )

    def shape(self, name: str, value: Any, expected: Sequence[int], *, clause: Named = None) -> None:
        """The value's shape."""
        found, wanted = native.shape(value), tuple(expected)
        self._judge(
            name,
            found == wanted,
            value=list(found),
            bound=list(wanted),
            unit="shape",
            expected=str(wanted),
            found=str(found),
            clause=clause,
        )

    def holds(self, name: str, condition: Any, expected: str, found: str, *, clause: Named = None) -> None:
        """A condition that no other observation expresses, with both sides in words."""
        wrong = int(not condition)
        self._judge(name, not wrong, value=wrong, bound=0, unit="1", expected=expected, found=found, clause=clause)

    def contract(self, name: str, data: Any, *, clause: Named = None) -> None:
        """The snapshot of a contract (keys, shapes, dtypes, fields, defaults, texts) in strict JSON; never computed numbers."""
        if not SAFE_ID.fullmatch(name) or self.snapshot is None:
            raise Misuse(f"a contract needs a name that matches {SAFE_ID.pattern} and a snapshot fixture, found {name!r}")
        try:
            plain(data)
        except NotPlain as error:
            raise Misuse(f"contract {name}: {error}") from error
        assertion = self.snapshot()(name=name)
        wrong = int(not (assertion == data))
        found = _COLOUR.sub("", "\n".join(["a difference", *assertion.get_assert_diff()])) if wrong else ""
        self._judge(name, not wrong, value=wrong, bound=0, unit="snapshot", expected="the snapshot", found=found, clause=clause)

    @contextmanager
    def raises(
        self, name: str, error: type[BaseException] | tuple[type[BaseException], ...], *fragments: Fragment, clause: Named = None
    ) -> Iterator[Caught]:
        """This class (or a subclass) is raised in the block; its message contains every fragment (or one of several)."""
        classes = error if isinstance(error, tuple) else (error,)
        expected = _wanted(" or ".join(c.__name__ for c in classes), fragments)
        caught = Caught()
        try:
            yield caught
        except (NotClaimed, NotEvaluated, Refuted, Misuse, native.Malformed, KeyboardInterrupt):
            raise
        except BaseException as raised:
            if blame.origin(raised, self.suite) != "backend":
                raise
            # A KeyError shows its message in quotes; the text itself is its argument.
            caught.error, caught.message = (
                raised,
                str(raised.args[0]) if isinstance(raised, KeyError) and raised.args else str(raised),
            )
            matches = isinstance(raised, classes) and all(_says(caught.message, fragment) for fragment in fragments)
            found = f"{type(raised).__name__}: {caught.message}"
            self._judge(
                name, matches, value=int(not matches), bound=0, unit="error", expected=expected, found=found, clause=clause,
                cause=raised,
            )  # fmt: skip
        else:
            self._judge(name, False, value=1, bound=0, unit="error", expected=expected, found="no error", clause=clause)

    @contextmanager
    def accepts(self, name: str, *, clause: Named = None) -> Iterator[None]:
        """The backend raises nothing in the block: what the clause calls valid is taken."""
        expected = "no error"
        try:
            yield
        except (NotClaimed, NotEvaluated, Refuted, Misuse, native.Malformed, KeyboardInterrupt):
            raise
        except BaseException as raised:
            if blame.origin(raised, self.suite) != "backend":
                raise
            found = f"{type(raised).__name__}: {raised}"
            self._judge(name, False, value=1, bound=0, unit="error", expected=expected, found=found, clause=clause, cause=raised)
        else:
            self._judge(name, True, value=0, bound=0, unit="error", expected=expected, found=expected, clause=clause)

    @contextmanager
    def warns(
        self, name: str, category: type[Warning], *fragments: str, clause: Named = None
    ) -> Iterator[list[warnings.WarningMessage]]:
        """A warning of this category (or a subclass), with every fragment in its text, is given in the block."""
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            yield given
        texts = [str(w.message) for w in given if issubclass(w.category, category)]
        matches = any(all(fragment in text for fragment in fragments) for text in texts)
        found = "; ".join(f"{w.category.__name__}: {w.message}" for w in given) or "no warning"
        expected = _wanted(category.__name__, fragments)
        self._judge(name, matches, value=int(not matches), bound=0, unit="warning", expected=expected, found=found, clause=clause)


def _kind(value: Any) -> str:
    """What kind of number something is, whichever class of Python's or NumPy's it has; empty for what is none."""
    found = str(getattr(getattr(value, "dtype", None), "kind", ""))
    if found or not isinstance(value, int | float):
        return {"b": "truth", "i": "whole", "u": "whole", "f": "real"}.get(found, "")
    return "truth" if isinstance(value, bool) else "whole" if isinstance(value, int) else "real"


def _says(message: str, fragment: Fragment) -> bool:
    return any(one in message for one in ((fragment,) if isinstance(fragment, str) else fragment))


def _wanted(kind: str, fragments: Sequence[Fragment]) -> str:
    named = (repr(one) if isinstance(one, str) else " or ".join(map(repr, one)) for one in fragments)
    return kind + (f" whose message contains {', '.join(named)}" if fragments else "")
