"""CLI-020, CLI-021: pictures beside numbers, and the figures of `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import commands, compared, pictured, solving

pytestmark = pytest.mark.slow


def shows(observe: Observer, folder: Path, name: str) -> None:
    """The picture of `name` in `folder` is one of its array, the right way up."""
    found = pictured.explained(folder, name)

    observe.close(f"{name} in its picture", found[name], 1.0, dtype="float64")
    likest = max(found, key=lambda kind: found[kind])
    observe.equal("most like", likest, name)


@pytest.mark.clause("CLI-020~2", needs=("CLI-017",))
@pytest.mark.parametrize("name", pictured.NAMES)
def test_the_engines_pictures_show_its_numbers(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """Colour for value. If this fails, suspect two exchanged pictures, or one that is turned."""
    found = solving.plain(backend, shared_folder)
    observe.holds("exit code", found.done.returncode == 0, "0", f"{found.done.returncode}: {found.done.stderr[-1500:]}")

    shows(observe, found.folder, name)


@pytest.mark.clause("CLI-104~1", needs=("CLI-017",))
def test_what_an_engine_calls_covered_is_lit(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Where it was measured, and not where no patch was. If this fails, suspect the contrary, or x for y."""
    found = solving.plain(backend, shared_folder)
    image, covered = pictured.covered(found.folder)
    observe.equal("shape", covered.shape, image.shape)

    bright, reached = found.lit()

    observe.equal("bright positions that are not covered", int(np.sum(bright & ~covered)), 0)
    observe.equal("covered pixels beyond all patches", int(np.sum(covered & ~reached)), 0)


@pytest.mark.clause("CLI-020~2", needs=("CLI-007",))
@pytest.mark.parametrize("name", pictured.NAMES)
def test_the_networks_pictures_show_its_numbers(backend: Any, observe: Observer, shared_folder: Path, name: str) -> None:
    """Colour for value. If this fails, suspect two exchanged pictures, or one that is turned."""
    shows(observe, commands.brief(backend, shared_folder).pictures, name)


@pytest.mark.clause("CLI-021~1", evidence="symmetry")
def test_evaluate_tells_place_and_gauge(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The same object elsewhere: shift, ramp, factor, and no error. If this fails, suspect the order of the lines, or x for y."""
    done, folder = pictured.evaluated(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    rows = pictured.lines(folder)

    observe.equal("columns that are missing", [name for name in compared.COLUMNS if name not in rows[0]], [])
    observe.equal("lines", [Path(row["name"]).stem for row in rows], list(pictured.OBJECTS))
    observe.close("told", compared.figures(rows[0], *compared.TOLD), list(compared.TOLD.values()), dtype="float64")
    observe.close("errors", compared.figures(rows[0], "error", "mae_amplitude", "mae_phase"), np.zeros(3), dtype="float64")


@pytest.mark.clause("CLI-021~1", evidence="analytic")
def test_evaluate_tells_each_objects_own_error(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """Each pixel turned to one side or the other. If this fails, suspect figures of one object for all."""
    done, folder = pictured.evaluated(backend, shared_folder)
    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")

    row, truth, longer = pictured.lines(folder)[1], compared.truth(), 1 + compared.DEPTH**2

    errors = [np.sqrt(1 - 1 / longer), (1 - longer**-0.5) * np.abs(truth).mean(), np.arctan(compared.DEPTH)]
    observe.close("disturbed", compared.figures(row, "error", "mae_amplitude", "mae_phase"), errors, dtype="float64")
    observe.equal("picture", commands.picture(folder / "evaluation.png")["format"], "png")
    observe.equal("quiet", done.stdout, "")


@pytest.mark.clause("CLI-021~1")
def test_an_evaluation_that_writes_nothing_is_quiet_too(
    backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path
) -> None:
    """Not a word, of figures either. If this fails, suspect figures that are told because nothing else is left of them."""
    done = pictured.unwritten(backend, shared_folder, tmp_path)

    observe.holds("exit code", done.returncode == 0, "0", f"{done.returncode}: {done.stderr[-1500:]}")
    observe.equal("quiet", done.stdout, "")
