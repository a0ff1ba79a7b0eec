"""The observations of a check, for a script of its own: the same numbers and words as `judging.observe`, and no records.

A script takes along the functions that its check calls, and those of `conformance` that they call. Only the observation that was
refuted is judged; the blocks, which catch what a backend raises, are judged always.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from conformance.connectors import native
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.judging.compare import distance
from conformance.judging.judge import deviated, short, unlike, working_dtype
from conformance.specification.tolerances import Tolerance

NAME = ""
"""The observation that was refuted."""
BOUND: tuple[str, float, str | None] = ("exact", 0.0, None)
"""Kind, amount and dtype of its bound."""
GAUGE: tuple[str, ...] = ()
"""The freedoms that its clause grants."""
CONTRACT: Any = None
"""What a contract says."""


class Refuted(AssertionError):
    """The observation contradicts its clause: name, expected, found, bound, and whether numbers alone are wrong."""


def refute(name: str, expected: str, found: str, within: str = "exact", numbers: bool = False) -> NoReturn:
    """Say it in a line. `numbers`: two arrays of one form were compared."""
    raise Refuted(name, expected, found, within, numbers)


def _distance(value: Any, truth: Any, gauge: tuple[str, ...], spread: Any, dtype: str | None) -> Any:
    a, b = native.array(value), native.array(truth)
    if a.shape != b.shape:
        refute(NAME, f"shape {b.shape}", f"shape {a.shape}")
    if not np.isfinite(a).all():
        refute(NAME, "finite values", f"{int((~np.isfinite(a)).sum())} of {a.size} are not finite")
    return distance(a, b, Tolerance(*BOUND), working=dtype or working_dtype(value), gauge=gauge, spread=spread)


def close(
    name: str, value: Any, truth: Any, *, clause: Any = None, gauge: Any = None, spread: Any = None, dtype: str | None = None
) -> None:
    """`value` equals `truth` up to the bound, the freedoms taken out."""
    if name != NAME:
        return
    seen = _distance(value, truth, GAUGE, spread, dtype)
    if not seen.within:
        removed = f", after taking out {seen.removed}" if seen.removed else ""
        found = f"{deviated(seen, value, truth)}{removed}"
        refute(name, f"the truth ({native.kind(truth)})", found, str(Tolerance(*BOUND)), numbers=True)


def differs(name: str, value: Any, other: Any, *, clause: Any = None, dtype: str | None = None) -> None:
    """`value` differs from `other` by more than the bound."""
    if name == NAME and (seen := _distance(value, other, (), None, dtype)).within:
        refute(name, "a difference beyond the bound", f"a difference of {seen}", f"more than {Tolerance(*BOUND)}")


def equal(name: str, value: Any, truth: Any, *, clause: Any = None) -> None:
    """`value` equals `truth` exactly: arrays bit by bit, numbers by type too."""
    if name != NAME:
        return
    if hasattr(truth, "dtype") or hasattr(value, "dtype"):
        a, b = native.array(value), native.array(truth)
        wrong, found = unlike(a, b)
        if wrong:
            refute(name, f"{native.kind(b)}, bit for bit", found, numbers=a.shape == b.shape and a.dtype == b.dtype)
        return
    numbers = isinstance(value, int | float) or isinstance(truth, int | float)
    if not (value == truth and (not numbers or type(value) is type(truth))):
        refute(name, short(truth), short(value))


def _number(name: str, value: Any) -> Any:
    found = native.array(value)
    if found.size != 1 or found.dtype.kind not in "iuf":
        raise native.Malformed(f"`{name}`: expected one real number, found {native.kind(value)}")
    return found.reshape(()).item()


def at_least(name: str, value: Any, limit: float, *, clause: Any = None) -> None:
    """One number against a lower limit."""
    if name == NAME and not (number := _number(name, value)) >= limit:
        refute(name, f"at least {limit!r}", repr(number), f"at least {limit!r}")


def at_most(name: str, value: Any, limit: float, *, clause: Any = None) -> None:
    """One number against an upper limit."""
    if name == NAME and not (number := _number(name, value)) <= limit:
        refute(name, f"at most {limit!r}", repr(number), f"at most {limit!r}")


def dtype(name: str, value: Any, expected: str, *, clause: Any = None) -> None:
    """The value's dtype by its plain name."""
    if name == NAME and (found := native.dtype(value)) != expected:
        refute(name, expected, found)


def shape(name: str, value: Any, expected: Sequence[int], *, clause: Any = None) -> None:
    """The value's shape."""
    if name == NAME and (found := native.shape(value)) != tuple(expected):
        refute(name, str(tuple(expected)), str(found))


def holds(name: str, condition: Any, expected: str, found: str, *, clause: Any = None) -> None:
    """A condition, with both sides in words."""
    if name == NAME and not condition:
        refute(name, expected, found)


def contract(name: str, data: Any, *, clause: Any = None) -> None:
    """What was agreed, word by word."""
    if name == NAME and data != CONTRACT:
        refute(name, f"the snapshot {short(CONTRACT)}", short(data))


def picture(name: str, path: Any) -> None:
    """For people who read a report; nothing here."""


class Caught:
    """The error that a `raises` block asked for."""

    error: BaseException | None = None
    message: str = ""


Fragment = str | tuple[str, ...]
"""What a message contains: a text, or one of several."""


def _says(message: str, fragment: Fragment) -> bool:
    return any(one in message for one in ((fragment,) if isinstance(fragment, str) else fragment))


def _wanted(text: str, fragments: Sequence[Fragment]) -> str:
    named = (repr(one) if isinstance(one, str) else " or ".join(map(repr, one)) for one in fragments)
    return text + (f" whose message contains {', '.join(named)}" if fragments else "")


@contextmanager
def raises(name: str, error: Any, *fragments: Fragment, clause: Any = None) -> Iterator[Caught]:
    """This class of error (or a subclass) is raised in the block, and its message contains every fragment: of several, one."""
    classes = error if isinstance(error, tuple) else (error,)
    expected = _wanted(" or ".join(c.__name__ for c in classes), fragments)
    caught = Caught()
    try:
        yield caught
    except (NotClaimed, NotEvaluated, Refuted, native.Malformed, KeyboardInterrupt):
        raise
    except BaseException as raised:
        caught.error, caught.message = raised, str(raised)
        if isinstance(raised, KeyError) and raised.args:
            caught.message = str(raised.args[0])
        if not (isinstance(raised, classes) and all(_says(caught.message, fragment) for fragment in fragments)):
            refute(name, expected, f"{type(raised).__name__}: {caught.message}")
    else:
        refute(name, expected, "no error")


@contextmanager
def accepts(name: str, *, clause: Any = None) -> Iterator[None]:
    """Nothing is raised in the block."""
    try:
        yield
    except (NotClaimed, NotEvaluated, Refuted, native.Malformed, KeyboardInterrupt):
        raise
    except BaseException as raised:
        refute(name, "no error", f"{type(raised).__name__}: {raised}")


@contextmanager
def warns(name: str, category: type[Warning], *fragments: str, clause: Any = None) -> Iterator[list[warnings.WarningMessage]]:
    """A warning of this category (or a subclass), with every fragment in its text, is given in the block."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        yield given
    texts = [str(w.message) for w in given if issubclass(w.category, category)]
    if not any(all(fragment in text for fragment in fragments) for text in texts):
        found = "; ".join(f"{w.category.__name__}: {w.message}" for w in given) or "no warning"
        refute(name, _wanted(category.__name__, fragments), found)
