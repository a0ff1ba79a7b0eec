"""How a help may state a default."""

from __future__ import annotations

import pytest

from conformance.scenes import commands


@pytest.mark.parametrize(
    ("paragraph", "default"),
    [
        ("--max-epochs N  passes (default: 100)", 100),
        ("--max-epochs N  passes [default = 100]", 100),
        ("--max-epochs N  [DEFAULT = 100] PASSES", 100),
        ("--max-epochs N  passes, defaults to 100", 100),
        ("--max-epochs N  passes; the default is 100.", 100),
        ("--max-epochs N  passes, 100 by default", 100),
        ("--learning-rate X  1e-3 (the default) or less", 0.001),
        ("--scheduler NAME  `Default` by default", "Default"),
        ("--max-epochs N  passes [100 unless given]", 100),
        ("--max-epochs N  passes; 100 if it is omitted", 100),
    ],
)
def test_a_default_is_stated_in_anybodys_words(paragraph: str, default: object) -> None:
    assert commands.states_default(paragraph, default)


@pytest.mark.parametrize(
    "paragraph",
    [
        "--max-epochs N  100 passes",
        "--max-epochs N  passes (default: 50)",
        "--max-epochs N  at most 100 (default: 50)",
        "--max-epochs",
    ],
)
def test_a_value_that_is_no_default_states_none(paragraph: str) -> None:
    assert not commands.states_default(paragraph, 100)
