"""CLI-105, CLI-106, CLI-107: flags alone and beside each other, several in each of some calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import converting, flags, pairs_of_flags, pairs_of_settings, pairs_of_ways, solving
from conformance.scenes.images import apart

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-105~1", needs=("CLI-027", "CLI-031"))
@pytest.mark.parametrize("call", pairs_of_flags.CALLS)
def test_a_flag_of_a_conversion_acts_beside_any_other(backend: Any, observe: Observer, shared_folder: Path, call: int) -> None:
    """Half of the flags, and without the rest. If this fails, suspect a flag that another one takes away, or brings along."""
    done, path, typed = pairs_of_flags.called(backend, shared_folder, call)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    truth = pairs_of_flags.truth(typed)
    found = converting.found(backend, path)
    observe.equal("good pixels", found.good, truth.good)
    observe.close("patterns", found.amplitudes, truth.amplitudes)
    places = (pairs_of_flags.laid(one, typed) for one in (found.positions, truth.positions))
    observe.close("positions", *places, dtype="float64")


@pytest.mark.clause("CLI-106~1", needs=("CLI-024",))
@pytest.mark.parametrize("call", pairs_of_ways.CALLS)
def test_a_flag_of_an_inference_acts_beside_any_other(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, call: str
) -> None:
    """Some flags, and without the rest. If this fails, suspect a flag that another one takes away, or that waits for one."""
    done, folder, given = pairs_of_ways.called(backend, shared_folder, call)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    library = pairs_of_ways.by_the_library(backend, shared_folder, call, given, tmp_path)

    field = flags.field_of(solving.Solved(done, "", folder / "out"))
    observe.shape("object", field, library.field.shape)
    observe.close("object", apart(field, library.field), 0.0, dtype="float64")


@pytest.mark.clause("CLI-107~2", needs=("CLI-004", "CLI-011"))
def test_a_flag_of_a_training_states_its_own_setting(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """And no other one, whatever stands beside it. If this fails, suspect two flags that are exchanged."""
    observe.equal("failed", pairs_of_settings.failed(backend, shared_folder), "")

    observe.equal("settings", pairs_of_settings.wrong(backend, shared_folder), {})
