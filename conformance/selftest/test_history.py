"""The history of a backend: bisection finds the first version exactly, and says what it does not know."""

from __future__ import annotations

import math
import random

import pytest

from conformance.evidence.history import Change, Seen, ahead, changes, grid, unconfirmed, unsteady

A, B = "PHYS-001~1", "PHYS-002~1"


def told(truth: list[dict[str, str] | None], spread: int, most: int = 1000) -> tuple[dict[int, Seen], list[int]]:
    """Ask for versions until nothing is asked for any more; `None` is a version that cannot be examined."""
    seen: dict[int, Seen] = {}
    order: list[int] = []
    while (place := ahead(len(truth), seen, grid(len(truth), spread))) is not None:
        assert place not in seen and len(order) < most
        order.append(place)
        states = truth[place]
        seen[place] = Seen((states,)) if states is not None else Seen(trouble="no module")
    return seen, order


def walk(count: int, flips: list[int], clause: str = A) -> list[dict[str, str]]:
    """A clause that passes, and changes at each of some versions."""
    return [{clause: ("pass", "red")[sum(flip <= place for flip in flips) % 2]} for place in range(count)]


@pytest.mark.parametrize("first", range(1, 40))
def test_the_first_bad_version_is_found_exactly_wherever_it_is(first: int) -> None:
    seen, order = told(walk(40, [first]), spread=2)
    assert [(c.kind, c.last, c.first, c.between) for c in changes(seen)] == [("broke", first - 1, first, ())]
    assert len(order) <= 2 + math.ceil(math.log2(39))


def test_several_clauses_that_break_and_mend_at_places_of_their_own() -> None:
    draw = random.Random(7)
    for _ in range(50):
        grid_of = grid(60, 12)
        # At most one change of each clause between two examined versions: more than that no bisection can see.
        flips = {c: sorted(draw.randint(grid_of[k] + 1, grid_of[k + 1]) for k in draw.sample(range(11), 3)) for c in (A, B)}
        truth = [one | other for one, other in zip(walk(60, flips[A], A), walk(60, flips[B], B), strict=True)]
        seen, _ = told(truth, spread=12)
        found = {clause: [c.first for c in changes(seen) if c.clause == clause] for clause in (A, B)}
        assert found == flips
        assert all(c.first - c.last == 1 for c in changes(seen))


def test_nothing_but_the_spread_is_examined_where_nothing_changes() -> None:
    _, order = told(walk(100, []), spread=5)
    assert order == [0, 25, 50, 74, 99] or order == list(grid(100, 5))


@pytest.mark.parametrize(("count", "spread", "wanted"), [(3, 12, (0, 1, 2)), (1, 2, (0,)), (10, 2, (0, 9)), (9, 3, (0, 4, 8))])
def test_the_spread_holds_both_ends_and_no_more_than_there_is(count: int, spread: int, wanted: tuple[int, ...]) -> None:
    assert grid(count, spread) == wanted


def test_versions_that_cannot_be_examined_are_told_and_their_stretch_is_exact() -> None:
    truth: list[dict[str, str] | None] = [*walk(20, [12])]
    truth[10:14] = [None] * 4
    seen, _ = told(truth, spread=2)
    (change,) = changes(seen)
    assert (change.last, change.first) == (9, 14)
    assert change.between == (10, 11, 12, 13)


def test_a_tail_that_cannot_be_examined_has_its_first_version() -> None:
    truth: list[dict[str, str] | None] = [*walk(20, [])]
    truth[13:] = [None] * 7
    seen, _ = told(truth, spread=2)
    assert not seen[12].trouble and seen[13].trouble
    assert changes(seen) == []


def test_a_clause_hidden_in_between_names_the_last_version_that_told_something() -> None:
    seen = {0: Seen(({A: "pass"},)), 1: Seen(({A: "blocked"},)), 2: Seen(({A: "red"},))}
    assert changes(seen) == [Change(A, "lost", 0, 1, "pass", "blocked"), Change(A, "broke", 0, 2, "pass", "red", (1,))]


def test_what_comes_back_as_it_was_broke_nothing() -> None:
    seen = {0: Seen(({A: "pass"},)), 1: Seen(({A: "blocked"},)), 2: Seen(({A: "pass"},))}
    assert [c.kind for c in changes(seen)] == ["lost", "back"]


def test_a_clause_that_is_offered_for_the_first_time_appears() -> None:
    seen = {0: Seen(({A: "not-offered"},)), 1: Seen(({A: "red"},))}
    assert [(c.kind, c.after) for c in changes(seen)] == [("appeared", "red")]


def test_both_sides_of_a_change_are_asked_again_and_nothing_else_is() -> None:
    seen = {place: Seen((states,)) for place, states in enumerate(walk(6, [3]))}
    asked = []
    while (place := unconfirmed(seen, 2)) is not None:
        asked.append(place)
        seen[place] = Seen((*seen[place].runs, seen[place].runs[0]))
    assert asked == [2, 3]


def test_a_clause_that_is_once_so_and_once_otherwise_has_no_first_version() -> None:
    seen = {place: Seen((states,)) for place, states in enumerate(walk(6, [3]))}
    seen[3] = Seen(({A: "red"}, {A: "pass"}))
    assert unsteady(seen) == {A: (3,)}
    assert changes(seen) == []


def test_an_unsteady_clause_draws_no_further_versions() -> None:
    seen = {0: Seen(({A: "pass", B: "pass"},)), 50: Seen(({A: "red", B: "pass"}, {A: "pass", B: "pass"}))}
    assert ahead(51, seen, (0, 50)) is None
