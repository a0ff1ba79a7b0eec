"""The door through which foreign words reach a message: printable, one line, short, and never advice to trust a file."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from reference_impl.errors import LONGEST_MESSAGE, ContractError, naming, printable, reason_of

FOREIGN = {
    "clears-the-screen": "\x1b[2J\x1b]0;title\x07done",
    "a-megabyte": "x" * 1_000_000,
    "lines": "one\ntwo\r\nthree\u2028four",
    "right-to-left": "safe\u202egnp.exe",
    "half-a-character": "\udc80name",
    "nul-and-bell": "a\x00b\x07c",
    "many-marks": "\x1b" * 500,
    "wide": "漢" * 4000,
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("part", ["file", "field", "expected", "found"])
def test_whatever_stands_in_a_file_the_message_is_a_short_printable_line(name: str, part: str) -> None:
    parts = {"file": "data.npz", "field": "xcoords", "expected": "numbers", "found": "none", part: FOREIGN[name]}

    text = str(ContractError(**parts))

    assert text.isprintable() and len(text) <= LONGEST_MESSAGE
    text.encode()


def test_four_endless_parts_are_cut_and_the_name_of_the_file_stays() -> None:
    text = str(ContractError(file="/a" * 500 + "/scan.npz", field="f" * 500, expected="e" * 500, found="y" * 500))

    assert len(text) <= LONGEST_MESSAGE
    assert "/scan.npz: f" in text and ": expected e" in text and ", found y" in text


@pytest.mark.parametrize("depth", [1, 10, 100])
def test_how_deep_a_folder_lies_costs_no_word_of_the_message(depth: int) -> None:
    file = Path("/", *["a_folder_of_a_long_name"] * depth, "wts.h5.zip")
    found = "missing required fields: gridsize. Cannot reconstruct model architecture"
    text = str(ContractError(file=file, field="diffraction_to_obj/params.dill", expected="every shaping field", found=found))

    assert found in text and file.name in text and len(text) <= LONGEST_MESSAGE


def test_a_short_message_is_left_as_it_is() -> None:
    error = ContractError(file="a/b.npz", field="N", expected="one of (64, 128, 256)", found="63")

    assert str(error) == "a/b.npz: N: expected one of (64, 128, 256), found 63"
    assert (error.file, error.field, error.expected, error.found) == ("a/b.npz", "N", "one of (64, 128, 256)", "63")


def test_the_advice_to_read_without_protection_is_not_passed_on() -> None:
    error = pickle.UnpicklingError("Weights only load failed. Re-running `torch.load` with `weights_only` set to `False` …")

    assert reason_of(error) == "UnpicklingError"
    assert reason_of(ValueError("if you trust the source, pass `weights_only=False`")) == "ValueError"
    assert reason_of(OSError(28, "No space left")) == "OSError: [Errno 28] No space left"
    assert reason_of(EOFError()) == "EOFError"


def test_an_error_that_only_names_the_protection_keeps_its_words() -> None:
    """An older Lightning has no such option: who reads `training failed: TypeError` cannot know."""
    words = "Trainer.fit() got an unexpected keyword argument 'weights_only'"

    assert reason_of(TypeError(words)) == f"TypeError: {words}"


def test_both_ends_of_a_long_text_are_kept() -> None:
    text = printable("begin" + "-" * 1000 + "end", 40)

    assert len(text) == 40 and text.startswith("begin-") and text.endswith("-end") and "…" in text


def test_an_error_without_a_file_gets_the_one_that_the_values_came_from() -> None:
    with pytest.raises(ContractError, match="scan.npz: probe: expected light, found none"), naming("scan.npz"):
        raise ContractError(field="probe", expected="light", found="none")
    with pytest.raises(ContractError, match="^other.npz: probe"), naming("scan.npz"):
        raise ContractError(file="other.npz", field="probe", expected="light", found="none")
