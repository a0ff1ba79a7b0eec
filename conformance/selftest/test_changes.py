"""The words of mutants and twins: each plants what it says, and an original keeps its name and signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from conformance.defects import changes
from conformance.defects.planting import Plant, Register
from reference_impl.physics import merge_for_inference, padded_size


class Adapter:
    """Something with a method and a number."""

    size = 3

    def twice(self, value: int) -> int:
        """Twice the value."""
        return 2 * value


class Noted(Plant):
    """A plant that calls each wrap at once, and keeps what came of it."""

    def __init__(self, original: Any) -> None:
        super().__init__()
        self.found = original

    def function(self, original: Any, wrap: Callable[[Any], Any]) -> None:
        assert original == "the original"
        self.found = wrap(self.found)


def planted(change: Any, original: Any) -> Any:
    """What takes the place of an original under a change."""
    plant = Noted(original)
    changes.function("the original", change)(plant)
    return plant.found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda original, a, b=2: original(b, a), -1),
        (changes.result(lambda found: 10 * found), 10),
        (changes.instead(lambda a, b: a * b), 6),
        (changes.instead("no function"), "no function"),
    ],
)
def test_a_change_takes_the_place_of_its_original(change: Any, expected: Any) -> None:
    found = planted(change, lambda a, b: a - b)

    assert (found(3, 2) if callable(found) else found) == expected


def test_an_error_is_answered_or_replaced() -> None:
    def inverse(value: int, *, times: int = 1) -> float:
        return times / value

    swallowed = planted(changes.caught(ArithmeticError, lambda error, value: value), inverse)
    replaced = planted(changes.caught(ArithmeticError, lambda error, value: KeyError(str(error))), inverse)

    assert (swallowed(2), swallowed(0, times=3)) == (0.5, 0)
    with pytest.raises(KeyError, match="division by zero") as raised:
        replaced(0)
    assert raised.value.__context__ is None


def test_what_is_planted_has_the_name_and_the_signature_of_its_original() -> None:
    found = planted(changes.result(str), padded_size)

    assert found.__name__ == "padded_size" and inspect.signature(found) == inspect.signature(padded_size)


def test_several_changes_are_planted_in_their_order() -> None:
    plant = Noted(lambda: 1)
    double, next_one = (changes.result(step) for step in (lambda found: 2 * found, lambda found: found + 1))

    changes.every(changes.function("the original", next_one), changes.function("the original", double))(plant)

    assert plant.found() == 4


def test_methods_and_constants_are_planted_where_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Adapter, "twice", Adapter.twice)
    changes.method(Adapter, "twice", lambda original, self, value: original(self, value) + self.size)(Plant())

    assert Adapter().twice(2) == 7


def test_an_area_can_have_words_of_its_own() -> None:
    @changes.shape
    def larger(plant: Plant, by: int) -> None:
        plant.answer("twice", lambda original: lambda value: original(value) + by)

    plant = Plant()
    larger(by=5)(plant)

    (name, wrap), *none = plant.answers
    assert (name, wrap(Adapter().twice)(1), none) == ("twice", 7, [])


def test_nothing_is_planted_before_a_row_is_tried() -> None:
    register = Register("conformance.mutants")
    before = merge_for_inference
    register.rows("conformance.mutants.batch_loader")(
        "DEF-1", "one", "A-1:one", plant=changes.function(merge_for_inference, changes.instead(None))
    )

    assert merge_for_inference is before
    assert (register["DEF-1"].area, register["DEF-1"].checks, register["DEF-1"].files) == ("batch", ("A-1:one",), ())
