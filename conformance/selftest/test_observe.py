"""Observations assert and record at once, judge by the clause's bound, and say what they saw."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.connectors.names import NotClaimed
from conformance.connectors.native import Malformed
from conformance.evidence.report import encode
from conformance.judging.judge import contrasted
from conformance.judging.observe import Misuse, Observer, Refuted
from conformance.selftest.fakes import Fake, Pure
from conformance.selftest.house import clause
from conformance.specification.clauses import Clause, parse_chapter

EPS32 = float(np.finfo(np.float32).eps)
X = np.linspace(0.5, 2.0, 12, dtype=np.float32).reshape(3, 4)


def observer(fence: str = "tolerance = { eps = 16 }", *others: Clause) -> Observer:
    (made,), faults = parse_chapter(clause("PHYS-001~1", "Light adds", fence=fence), "physics")
    assert faults == []
    return Observer(
        check="PHYS-001:x@cpu", clauses=[made, *others], suspect="the sign", repeat="conform run -k x", suite=Path(__file__)
    )


def refused(act: Callable[[Observer], Any], fence: str = "tolerance = { eps = 16 }") -> str:
    watch = observer(fence)
    with pytest.raises(Refuted) as caught:
        act(watch)
    assert watch.records, "a refutation is recorded too"
    return str(caught.value)


@pytest.mark.parametrize(
    "value",
    [4, np.int32(4), np.uint8(4), np.array(4), type("Count", (int,), {})(4)],
    ids=["int", "narrow", "unsigned", "0-d", "own"],
)
def test_a_number_is_itself_in_whatever_class(value: Any) -> None:
    """Its kind counts, which no class of another house changes; a truth value is no number, and a whole one no real one."""
    observer('tolerance = "exact"').equal("C", value, 4)
    assert "expected  4.0" in refused(lambda o: o.equal("C", value, 4.0))
    assert "expected  5" in refused(lambda o: o.equal("C", value, 5))
    assert "expected  1" in refused(lambda o: o.equal("C", np.bool_(True), 1))


def test_a_refutation_says_all_that_is_needed() -> None:
    wrong = X.copy()
    wrong[0, 1] = 9.0
    told = refused(lambda o: o.close("images", wrong, X))
    parts = (
        "PHYS-001~1 Light adds",
        "check     PHYS-001:x@cpu, observation `images`",
        "expected  the truth (ndarray float32 (3, 4))",
        "eps of float32 × max|truth| at (0, 1): 9.0 instead of 0.6363636",
        "bound     16 eps × max|truth|",
        "suspect   the sign",
        "repeat    conform run -k x",
    )
    assert [part for part in parts if part not in told] == []


def test_the_record_is_the_judged_number() -> None:
    watch = observer()
    watch.close("images", X * (1 + np.float32(4 * EPS32)), X)
    assert watch.records["images"]["bound"] == 16 and 3 <= watch.records["images"]["value"] <= 5


@pytest.mark.parametrize(
    ("fence", "inside", "outside"),
    [
        ('tolerance = "exact"', 0.0, EPS32),
        ("tolerance = { eps = 16 }", 2 * 15 * EPS32, 2 * 18 * EPS32),
        ("tolerance = { relative = 1e-3 }", 2 * 0.9e-3, 2 * 1.1e-3),
        ("tolerance = { absolute = 1e-3 }", 0.9e-3, 1.1e-3),
        ('tolerance = "exact"\nbounds = { images = { absolute = 1e-3 } }', 0.9e-3, 1.1e-3),
    ],
    ids=["exact", "eps", "relative", "absolute", "by-name"],
)
def test_bounds_are_those_of_the_clause(fence: str, inside: float, outside: float) -> None:
    truth = np.array([0.25, -2.0])
    observer(fence).close("images", truth + [inside, 0], truth, dtype="float32")
    refused(lambda o: o.close("images", truth + [outside, 0], truth, dtype="float32"), fence)
    observer(fence).differs("images", truth + [outside, 0], truth, dtype="float32")
    refused(lambda o: o.differs("images", truth + [inside, 0], truth, dtype="float32"), fence)


def test_a_statistical_bound_counts_standard_errors() -> None:
    watch = observer("tolerance = { sigma = 5 }")
    watch.close("mean", 104.0, 100.0, spread=1.0)
    with pytest.raises(Refuted, match="6 standard errors"):
        watch.close("mean", 106.0, 100.0, spread=1.0)
    with pytest.raises(Misuse, match="spread"):
        watch.close("mean", 104.0, 100.0)


def test_records_are_plain_so_that_every_report_can_hold_them() -> None:
    watch = observer()
    with pytest.raises(Refuted):
        watch.close("infinitely_far", np.ones(2, np.float32), np.zeros(2))
    watch.at_most("numpy", np.float32(1.5), np.int64(2))
    watch.shape("shape", X, tuple(np.array([3, 4])))
    values = [(record["value"], record["bound"]) for record in watch.records.values()]
    assert values == [("inf", 16.0), (1.5, 2), ([3, 4], [3, 4])]
    assert json.loads(encode({"observations": list(watch.records.values())}))["observations"][0]["value"] == "inf"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_never_passes(bad: float) -> None:
    value = X.copy()
    value[1, 2] = bad
    assert "1 of 12 are not finite" in refused(lambda o: o.close("images", value, X), "tolerance = { absolute = 1e30 }")


def test_shapes_do_not_broadcast() -> None:
    assert "shape (1, 4)" in refused(lambda o: o.close("images", X[:1], X[:1].repeat(3, axis=0)))


def test_a_zero_truth_grants_no_scale() -> None:
    observer().close("images", np.zeros(3, np.float32), np.zeros(3))
    refused(lambda o: o.close("images", np.full(3, 1e-30, np.float32), np.zeros(3)))


@pytest.mark.parametrize(
    ("gauge", "change"),
    [
        ("global-phase", lambda f: f * np.exp(0.7j)),
        ("scale", lambda f: f * 3.5),
        ("ramp", lambda f: f * np.exp(1j * (0.2 * np.arange(8)[:, None] - 0.1 * np.arange(8)[None, :]))),
    ],
)
def test_a_granted_freedom_is_taken_out_and_shown(gauge: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    field = rng.normal(size=(8, 8)) + 1j * rng.normal(size=(8, 8))
    fence = "tolerance = { relative = 1e-9 }"
    watch = observer(f'{fence}\ngauge = ["{gauge}"]')
    watch.close("field", change(field), field)
    assert gauge in watch.records["field"]["gauge"]
    refused(lambda o: o.close("field", change(field), field), fence)
    refused(lambda o: o.close("field", change(field), field, gauge=()), f'{fence}\ngauge = ["{gauge}"]')
    with pytest.raises(Misuse, match="no clause grants the gauge"):
        observer(fence).close("field", field, field, gauge=gauge)


def test_a_scale_is_positive() -> None:
    refused(lambda o: o.close("x", -X, X), 'tolerance = { relative = 1e-9 }\ngauge = ["scale"]')


def test_no_bound_no_comparison() -> None:
    with pytest.raises(Misuse, match="neither tolerance nor bounds.images"):
        observer('evidence = ["symmetry"]').close("images", X, X)
    with pytest.raises(Misuse, match="not bound to BATCH-001"):
        observer().close("images", X, X, clause="BATCH-001")


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (X, X.astype(np.float64)),
        (X, X.T),
        (X, X + np.float32(EPS32)),
        (np.float32(0.0), np.float32(-0.0)),
        ([1, 2], [2, 1]),
        (1, True),
        (1, 1.0),
        ("a", "b"),
        (None, 0),
        ({"a": 1}, {"a": 2}),
    ],
)
def test_equal_is_exact(value: Any, truth: Any) -> None:
    refused(lambda o: o.equal("x", value, truth))


def test_of_long_mappings_the_message_has_what_differs() -> None:
    truth = {name: {"shapes": [(3, 1, 64, 64)], "dtypes": ["float32"] * 4} for name in ("cnn", "fno", "mixer", "unrolled")}
    value = {**truth, "mixer": {**truth["mixer"], "dtypes": ["float64"]}}

    assert contrasted(value, truth) == (
        "{'mixer': {'dtypes': ['float64']}}",
        "{'mixer': {'dtypes': ['float32', 'float32', 'float32', 'float32']}}",
    )
    assert contrasted({"a": 1}, {"a": 1, "b": 2}) == ("{'a': 1}", "{'a': 1, 'b': 2}")


@pytest.mark.parametrize(
    "value", [X, [1, 2], {"a": (1, None)}, "text", 3, True, np.array([np.nan])], ids=lambda v: type(v).__name__
)
def test_equal_accepts_the_same(value: Any) -> None:
    observer().equal("x", value, value)


def test_forms_are_judged() -> None:
    watch = observer()
    watch.dtype("d", X, "float32")
    watch.shape("s", X, (3, 4))
    watch.at_least("n", 3, 3)
    watch.at_most("m", np.float32(2.5), 2.5)
    watch.holds("h", True, "a", "b")
    assert "expected  float64\n  found     float32" in refused(lambda o: o.dtype("d", X, "float64"))
    assert "found     (3, 4)" in refused(lambda o: o.shape("s", X, (4, 3)))
    assert "at least 4" in refused(lambda o: o.at_least("n", 3, 4))
    assert "at most 2" in refused(lambda o: o.at_most("n", 3, 2))
    refused(lambda o: o.at_most("n", np.nan, 2))
    assert "expected  day\n  found     night" in refused(lambda o: o.holds("h", False, "day", "night"))
    with pytest.raises(Malformed, match="one real number"):
        watch.at_least("n", X, 3)


def test_raises_wants_class_words_and_the_backend_behind_it() -> None:
    backend = Proxy(Fake())
    watch = observer()
    with watch.raises("error", TypeError, "probe", "five axes") as caught:
        backend.diffract(X, X)
    assert "five axes" in caught.message
    for error, fragment, found in ((ValueError, "probe", "TypeError: a probe"), (TypeError, "six", "TypeError: a probe")):
        with pytest.raises(Refuted, match=found), watch.raises("error", error, fragment):
            backend.diffract(X, X)
    with pytest.raises(Refuted, match="no error"), watch.raises("error", TypeError):
        backend.translate(X, X)


def test_raises_takes_one_of_several_words() -> None:
    backend, watch = Proxy(Fake()), observer()
    with watch.raises("error", TypeError, ("six axes", "five axes"), "probe"):
        backend.diffract(X, X)
    with pytest.raises(Refuted, match="'six' or 'seven', 'probe'"), watch.raises("error", TypeError, ("six", "seven"), "probe"):
        backend.diffract(X, X)


def test_accepts_refutes_an_error_of_the_backend_and_swallows_no_other() -> None:
    backend, watch = Proxy(Fake()), observer()
    with watch.accepts("taken"):
        backend.translate(X, X)
    assert watch.records["taken"]["value"] == 0
    with pytest.raises(Refuted, match="TypeError: a probe"), watch.accepts("refused"):
        backend.diffract(X, X)
    with pytest.raises(ZeroDivisionError), watch.accepts("own"):
        raise ZeroDivisionError("the check's own")
    with pytest.raises(NotClaimed), watch.accepts("absent"):
        Proxy(Pure()).diffract(X, X)


def test_raises_swallows_nothing_that_is_not_the_backends() -> None:
    watch = observer()
    with pytest.raises(ZeroDivisionError), watch.raises("error", ZeroDivisionError):
        raise ZeroDivisionError("the check's own")
    with pytest.raises(NotClaimed), watch.raises("error", Exception):
        Proxy(Pure()).diffract(X, X)
    with pytest.raises(Refuted), watch.raises("error", AssertionError):
        watch.holds("h", False, "a", "b")
    with watch.raises("iterated", ZeroDivisionError):
        next(Proxy(Fake()).loaders(None, None, None)[0])


def test_warns_wants_category_and_words() -> None:
    watch = observer()
    with watch.warns("warning", UserWarning, "slow", "cpu"):
        warnings.warn("slow on the cpu", UserWarning, stacklevel=1)
    for category, fragment in ((DeprecationWarning, "slow"), (UserWarning, "fast")):
        with pytest.raises(Refuted), watch.warns("warning", category, fragment):
            warnings.warn("slow on the cpu", UserWarning, stacklevel=1)
    with pytest.raises(Refuted, match="no warning"), watch.warns("warning", UserWarning):
        pass
