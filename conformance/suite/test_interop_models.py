"""SIDE-031, SIDE-032, SIDE-034: trained models beside each other on one file, and files of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.judging.observe import Observer
from conformance.scenes import interop_figures as figures
from conformance.scenes import model_comparisons as scenes
from conformance.scenes import neighbours, readers, runs

pytestmark = pytest.mark.slow


@pytest.mark.clause("SIDE-031~1", needs=("SIDE-030", "INFER-003", "BUNDLE-023"))
def test_every_model_has_its_line(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """In their order, somebody else's last. If this fails, suspect a table of models alone."""
    asked, other = scenes.bundles(backend), scenes.reconstruction(tmp_path)

    scenes.compared(backend, tmp_path / "out", asked, scenes.scan(tmp_path), reconstruction=other)

    columns, rows = figures.table(tmp_path / "out")
    observe.equal("missing columns", [name for name in figures.COLUMNS if name not in columns], [])
    observe.equal("lines", list(rows), [*asked, scenes.ALGORITHM])
    wanted = {*figures.FILES, *(f"{name}_frc_curves.csv" for name in rows)}
    observe.equal("missing", sorted(wanted - {path.name for path in (tmp_path / "out").iterdir()}), [])


@pytest.mark.clause("SIDE-031~1", needs=("INFER-003", "BUNDLE-023"))
def test_all_models_see_the_same_exposures(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """One model under two names. If this fails, suspect a draw for each."""
    (bundle,) = scenes.bundles(backend, "single").values()

    found = scenes.compared(backend, tmp_path / "out", {"a": bundle, "b": bundle}, scenes.scan(tmp_path), n_subsample=20)

    observe.equal("objects", found["a"], found["b"])


@pytest.mark.clause("SIDE-031~1", needs=("INFER-003", "BUNDLE-023"))
def test_a_seed_draws_the_exposures(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The same ones again, zero being a seed, and others. If this fails, suspect a seed that nobody reads."""
    asked, test = scenes.bundles(backend, "single"), scenes.scan(tmp_path)

    found = [
        scenes.compared(backend, tmp_path / str(k), asked, test, n_subsample=20, subsample_seed=seed)["single"]
        for k, seed in enumerate((0, 0, 4))
    ]

    observe.equal("again", found[1], found[0])
    observe.equal("others", np.array_equal(found[2], found[0]), False)


@pytest.mark.clause("SIDE-031~1", needs=("INFER-003", "BUNDLE-023"))
def test_the_window_is_the_one_that_was_asked_for(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """A wider one shows more, up to the whole patch. If this fails, suspect the default, or a bound that is left out."""
    asked, test = scenes.bundles(backend, "single"), scenes.scan(tmp_path)

    wide, narrow = (
        scenes.compared(backend, tmp_path / str(m), asked, test, stitch_crop_size=m)["single"] for m in (runs.N, scenes.M)
    )

    shown, less = (int(np.count_nonzero(one)) for one in (wide, narrow))
    observe.holds("pixels", shown > less > 0, f"more than the {less} of a narrower window", f"{shown}")


@pytest.mark.clause("SIDE-031~1", needs=("INFER-003", "BUNDLE-023"))
@pytest.mark.parametrize("kind", sorted(scenes.NO_COMPARISON))
def test_what_cannot_be_compared_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """By name, and nothing is left. If this fails, suspect a default for what is missing."""
    name, made = scenes.NO_COMPARISON[kind]
    asked, test = scenes.bundles(backend, "single"), scenes.scan(tmp_path)

    with observe.raises("refusal", (ValueError, TypeError), name):
        scenes.compared(backend, tmp_path / "out", asked, test, **made(tmp_path))

    observe.equal("left", [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()], [])


@pytest.mark.clause("SIDE-032~1", needs=("INFER-003", "BUNDLE-023"))
def test_each_model_sees_groups_of_its_own(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Together as alone, whoever comes first. If this fails, suspect the grid size of the first model for all."""
    asked, test = scenes.bundles(backend), scenes.scan(tmp_path)

    together = scenes.compared(backend, tmp_path / "out", dict(reversed(asked.items())), test)

    for_each = {name: scenes.compared(backend, tmp_path / name, {name: path}, test)[name] for name, path in asked.items()}
    observe.equal("unlike alone", [name for name in asked if not np.array_equal(together[name], for_each[name])], [])


@pytest.mark.clause("SIDE-032~1", needs=("INFER-003", "SIDE-030", "BUNDLE-023"))
@pytest.mark.parametrize("name", sorted(scenes.RECIPES))
def test_where_the_scan_begins_changes_nothing(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """The same object, as far beside a truth that moves along. If this fails, suspect positions handed over as they stand."""
    asked = scenes.bundles(backend, name)
    seen = scenes.compared(backend, tmp_path / "first", asked, scenes.scan(tmp_path))[name]

    here, there = (
        scenes.compared(backend, tmp_path / f"{x}", asked, scenes.scan(tmp_path / f"scan{x}", (x, y), seen))[name]
        for x, y in ((0, 0), scenes.MOVED)
    )

    observe.close("object", there, here)
    rows = [figures.table(tmp_path / f"{x}")[1][name] for x in (0, scenes.MOVED[0])]
    observe.close("shift", *(np.array([row["shift_x"], row["shift_y"]]) for row in rows))


@pytest.mark.clause("SIDE-034~1", needs=("SIDE-002", "SIDE-021", "SIDE-031"))
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reader", neighbours.READERS)
def test_nothing_that_a_neighbour_stored_runs(backend: Any, observe: Observer, tmp_path: Path, reader: str) -> None:
    """The same calls as everywhere (POLICY-011). If this fails, suspect a text that was saved as an object."""
    ran = readers.tried(backend, neighbours.READERS[reader], tmp_path, neighbours.FORMS)

    observe.at_least("files", len(ran), len(neighbours.FORMS))
    observe.equal("what ran", [name for name, canary in ran.items() if canary], [])
