"""Every layout: the same experiment gives the same record, bit for bit, and that record is the object's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from reference_impl import formats
from reference_impl.cli.main import main
from reference_impl.formats import layout
from reference_impl.interop import scans
from reference_impl.simulation import exposures
from reference_impl.tests import writers

MADE = scans.scan()
ARRAYS = ("diff3d", "xcoords", "ycoords", "probeGuess", "mask")


def converted(flags: list[str], folder: Path, *more: str) -> dict[str, np.ndarray]:
    """The arrays of the file that `convert` writes with these flags."""
    output = folder / "converted" / "out.npz"
    assert main(["convert", *flags, "--output", str(output), "--quiet", *more]) == 0
    with np.load(output) as file:
        return dict(file)


@pytest.mark.parametrize("kind", writers.WRITERS)
def test_the_same_experiment_gives_the_same_record_through_every_reader(kind: str, tmp_path: Path) -> None:
    found = converted(writers.WRITERS[kind](MADE, tmp_path), tmp_path)

    half = scans.N // 2
    assert np.array_equal(found["mask"], MADE.good)
    right = {
        "diff3d": np.sqrt(MADE.counts * MADE.good, dtype=np.float64).astype(np.float32),
        "xcoords": np.round(MADE.x - MADE.x.min(), 6) + half,
        "ycoords": np.round(MADE.y - MADE.y.min(), 6) + half,
        "probeGuess": MADE.probe,
    }
    for name, value in right.items():
        assert found[name].dtype == value.dtype and np.array_equal(found[name], value), name


def test_that_record_explains_its_object_and_no_turned_one_does() -> None:
    """The oracle of the test above: positions, orientation and probe of the scan belong together."""

    def residual(patterns: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
        model = np.sqrt(exposures.far_field_intensity(MADE.thing, MADE.probe, x, y)) * MADE.good
        measured = np.sqrt(patterns.astype(np.float64)) * MADE.good
        return float(np.linalg.norm(model - measured) / np.linalg.norm(measured))

    right = residual(MADE.counts, MADE.x, MADE.y)
    turned = [MADE.counts.swapaxes(1, 2), MADE.counts[:, ::-1], MADE.counts[:, :, ::-1]]
    assert right < 0.25
    assert all(residual(patterns, MADE.x, MADE.y) > 1.3 * right for patterns in turned)
    assert residual(MADE.counts, MADE.y, MADE.x) > 1.3 * right


@pytest.mark.parametrize("kind", writers.WRITERS)
def test_the_file_keeps_the_table_with_places_and_what_was_assumed(kind: str, tmp_path: Path) -> None:
    flags = writers.WRITERS[kind](MADE, tmp_path)

    metadata = json.loads(str(converted(flags, tmp_path)["_metadata"]))

    rows = metadata["conversion"]
    items = {row["item"] for row in rows}
    assert {
        "kind",
        "patterns",
        "values",
        "zero frequency",
        "centre",
        "orientation",
        "positions",
        "spread of the scan",
        "photons a pattern",
        "probe",
        "mask",
    } <= items
    assert any(row["kind"] == "assumed" for row in rows)
    assert metadata["physics_parameters"]["nphotons"] == pytest.approx((MADE.counts * MADE.good).sum() / len(MADE.counts))
    assert all(row["source"] for row in rows if row["item"] == "patterns")


def test_a_dry_run_says_everything_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.cxi(MADE, tmp_path)
    before = sorted(tmp_path.rglob("*"))

    assert main(["convert", *flags, "--output", str(tmp_path / "new" / "out.npz"), "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "translation" in said and "16 x" not in said and "51.66 nm" in said and "not written" in said
    assert sorted(tmp_path.rglob("*")) == before


def test_several_scans_at_once_become_files_of_their_names(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        Path(writers.cxi(MADE, tmp_path / name)[1]).rename(tmp_path / f"{name}.cxi")

    sources = [str(tmp_path / f"{name}.cxi") for name in ("first", "second")]
    assert main(["convert", "--source", *sources, "--output", str(tmp_path / "out"), "--quiet"]) == 0

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["first.npz", "second.npz"]


def test_a_file_that_no_layout_fits_is_told_what_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = writers.named(MADE, tmp_path)

    code = main(["convert", "--source", flags[1].split("::")[0], "--output", str(tmp_path / "out.npz"), "--quiet"])

    said = capsys.readouterr().err
    assert code == 1 and len(said.splitlines()) == 1
    assert "raw/det (12, 64, 64)" in said and "FILE::name" in said and "truncated" not in said


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("[patterns]\npath = 'a'\nunits = 'counts'", "is 'unit' meant?"),
        ("[patterns]\npath = 'a'\nunit = 'photons'", "one of counts, amplitudes"),
        ("[positions]\npath = 'a'", "patterns"),
        ("[pattern]\npath = 'a'", "is 'patterns' meant?"),
        ("not toml", "TOML"),
        ("[patterns]\npath = 3", "a name or a list of names"),
    ],
)
def test_a_layout_with_a_mistake_is_refused_with_the_place_of_the_mistake(
    text: str, fragment: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = writers.cxi(MADE, tmp_path)
    (tmp_path / "own.toml").write_text(text)

    code = main(["convert", *flags, "--layout", str(tmp_path / "own.toml"), "--output", str(tmp_path / "out.npz"), "--quiet"])

    said = capsys.readouterr().err
    assert code == 1 and fragment in said and "own.toml" in said and len(said.splitlines()) == 1


def test_the_layout_on_the_page_is_one(tmp_path: Path) -> None:
    """README's example is read as it stands, and every section of the language is in it but four that few files have."""
    page = (Path(formats.__file__).parent / "README.md").read_text(encoding="utf-8")
    text = page.split("```toml\n")[1].split("```")[0]

    found = layout.parse(text, "line7", "README.md")

    assert set(layout.SECTIONS) - set(found.sections) == {"object_pixel", "object", "metadata"}
    for known in layout.known():
        assert known.title.split(" ")[0].lower().strip("(") in page.lower(), known.title
