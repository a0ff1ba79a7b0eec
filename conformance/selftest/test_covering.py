"""Covering arrays: every pair that there can be occurs, no row breaks a rule, equal seeds give equal rows."""

from __future__ import annotations

from itertools import combinations, permutations, product
from typing import Any

import pytest

from conformance.scenes import covering, pairs_of_data, pairs_of_images, pairs_of_maps, pairs_of_terms

AXES = {"a": (1, 2, 3), "b": ("x", "y"), "c": (True, False), "d": (0.0, 0.5, 1.0, 2.0)}


def possible(row: dict[str, Any]) -> bool:
    return not (row["a"] == 1 and row["b"] == "y") and not (row["c"] and row["d"] == 2.0)


OTHERS = (pairs_of_terms, pairs_of_images, pairs_of_maps)
ARRAYS = {
    "free": (AXES, lambda row: True, covering.covering(AXES)),
    "ruled": (AXES, possible, covering.covering(AXES, possible)),
    **{name: (axes, pairs_of_data.possible, pairs_of_data.rows(name)) for name, axes in pairs_of_data.ARRAYS.items()},
    **{one.__name__.split(".")[-1]: (one.AXES, one.possible, one.rows()) for one in OTHERS},
}


@pytest.mark.parametrize("name", ["free", "ruled"])
def test_every_pair_that_there_can_be_occurs(name: str) -> None:
    axes, rule, rows = ARRAYS[name]
    whole = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    wanted = {pair for row in whole if rule(row) for pair in covering.pairs_of(row)}
    assert {pair for row in rows for pair in covering.pairs_of(row)} == wanted


@pytest.mark.parametrize("name", ARRAYS)
def test_every_row_is_possible_and_needed(name: str) -> None:
    axes, rule, rows = ARRAYS[name]
    assert all(rule(row) and list(row) == list(axes) for row in rows)
    met: set[Any] = set()
    for row in rows:
        assert covering.pairs_of(row) - met
        met |= covering.pairs_of(row)


@pytest.mark.parametrize("name", [name for name in ARRAYS if name not in ("free", "ruled")])
def test_pairs_that_do_not_occur_are_ruled_out(name: str) -> None:
    """Whatever else a row says: no row of a pair that is missing is possible."""
    axes, rule, rows = ARRAYS[name]
    met = {pair for row in rows for pair in covering.pairs_of(row)}
    every = {pair for a, b in combinations(axes, 2) for pair in product([(a, x) for x in axes[a]], [(b, y) for y in axes[b]])}
    for pair in every - met:
        base = rows[0]
        assert not any(rule({**row, **dict(pair)}) for row in [base, *rows]), pair


def test_checks_are_made_for_every_row() -> None:
    assert {name: len(pairs_of_data.rows(name)) for name in pairs_of_data.ARRAYS} == pairs_of_data.COUNTS
    assert [len(one.rows()) for one in OTHERS] == [one.COUNT for one in OTHERS]


def test_equal_seeds_give_equal_rows() -> None:
    assert covering.covering(AXES, possible, 3) == covering.covering(AXES, possible, 3)


def test_of_every_two_names_a_call_has_one_alone() -> None:
    names = [f"flag {number}" for number in range(20)]
    calls = covering.shared_out(names, 6)
    assert all(any(one in call and other not in call for call in calls) for one, other in permutations(names, 2))
    with pytest.raises(ValueError, match="at most 20 names"):
        covering.shared_out([*names, "one more"], 6)
