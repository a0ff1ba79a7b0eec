"""What somebody forgets: each kind of omission in a small file, and that a changed file still is one."""

from __future__ import annotations

import ast

import pytest

from conformance.defects import mutations, omissions

LOST = {
    "KeywordLost": ("f(x, mask=m)", "f(x)"),
    "ConversionLost": ("y = x.copy()", "y = x"),
    "ArgumentsSwapped": ("f(y, x)", "f(x, y)"),
    "OperandLost": ("z = a and b", "z = b"),
    "BranchLost": ("z = a if c else b", "z = a"),
    "SliceLost": ("z = a[1:]", "z = a"),
    "Narrower": ("z = np.float64(a)", "z = np.float32(a)"),
    "EntryLost": ("z = {'a': 1, 'b': 2}", "z = {'b': 2}"),
    "StatementLost": ("a.b += 1", "pass"),
    "ConditionLost": ("if a:\n    b = 1", "b = 1"),
    "ContextLost": ("with lock:\n    b = 1", "b = 1"),
}


@pytest.mark.parametrize("operator", sorted(omissions.OPERATORS))
def test_each_kind_loses_what_it_says(operator: str) -> None:
    before, after = LOST[operator]
    assert omissions.changed(before, operator, 0) == f"{after}\n"


def test_an_occurrence_is_counted_for_its_kind_and_named_by_its_line() -> None:
    text = "f(x)\nf(x,\n  mask=m,\n  side=n)\n"
    found = [one for one in omissions.places(text) if one[0] == "KeywordLost"]

    assert found == [("KeywordLost", 3, 7, 0), ("KeywordLost", 4, 7, 1)]
    assert omissions.changed(text, "KeywordLost", 1) == "f(x)\nf(x, mask=m)\n"
    with pytest.raises(LookupError, match="no omission 2 of KeywordLost"):
        omissions.changed(text, "KeywordLost", 2)


@pytest.mark.parametrize(
    "text",
    ["raise E(field=name)", "x: f(a=b) = 1", "__all__ = ['a', 'b', 'c']", "if TYPE_CHECKING:\n    f(a=1)", "add(help='words')"],
)
def test_words_and_types_are_left_alone(text: str) -> None:
    assert [one for one in omissions.places(text) if one[0] != "StatementLost"] == []


def test_every_omission_of_a_file_is_a_file_and_another_one() -> None:
    with open(mutations.__file__, encoding="utf-8") as stream:
        text = stream.read()

    for operator, _, _, occurrence in omissions.places(text):
        assert ast.dump(ast.parse(omissions.changed(text, operator, occurrence))) != ast.dump(ast.parse(text))


def test_omissions_are_drawn_and_made_as_changes_of_tokens_are() -> None:
    text = "SIDE = f(1, mask=m, good=g)\n"
    one = mutations.drawn(mutations.population({"a/b.py": text}, omitting=True), {"a/b.py": text}, 1, seed=3)[0]

    assert mutations.mutated(text, mutations.parsed(one.id)) in ("SIDE = f(1, good=g)\n", "SIDE = f(1, mask=m)\n")
