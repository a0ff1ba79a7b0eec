"""CLI-067: a memory map by command, and the mask and the words that it was made under."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import map_commands, odds
from conformance.specification import flag_table

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-067~3", needs=("CLI-005", "CLI-061"))
def test_a_map_of_another_mask_is_refused(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path) -> None:
    """Of the same form. If this fails, suspect a key of a map that holds a mask's name or form, or nothing of it."""
    done, bundle, kept = map_commands.under_another_mask(backend, shared_folder, tmp_path)

    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", "mask" in done.stderr, "a message that names the mask", done.stderr[-500:])
    observe.equal("bundle", bundle, False)
    observe.equal("map as it was", kept, True)


@pytest.mark.clause("CLI-067~3", needs=("CLI-005", "CLI-061"))
@pytest.mark.parametrize(("flag", "value"), flag_table.mapping().items(), ids=[flag[2:] for flag in flag_table.mapping()])
def test_a_map_of_other_words_is_refused(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, flag: str, value: Any
) -> None:
    """Of how its files are read. If this fails, suspect a setting that shapes a map and is not in its key."""
    done, bundle, kept = map_commands.under_another_word(backend, shared_folder, tmp_path, flag, value)

    named = any(word in done.stderr for word in (flag, map_commands.place(backend, shared_folder), *odds.NAMES))
    observe.equal("exit code", done.returncode, 1)
    observe.holds("message", named, f"a message that names {flag}, the folder of the map or a finding", done.stderr[-500:])
    observe.equal("bundle", bundle, False)
    observe.equal("map as it was", kept, True)
