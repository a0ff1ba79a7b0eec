"""FIXTURE: the minimal integration record, its recipe and its generator."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import fixture as oracle
from conformance.scenes import fixture as scene

KEYS = [
    "version", "created", "generator_script", "generator_commit", "source_dataset", "subset_strategy", "subset_size",
    "transformations", "recipe", "sha256_checksum", "validation_notes",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-001~3")
def test_the_record_is_made_where_it_is_absent(observe: Observer, tmp_path: Path) -> None:
    """A description that is kept, data that are made. If this fails, suspect a path that depends on the caller's folder."""
    run = scene.generate(tmp_path)

    observe.equal("exit code", (run.returncode, run.stderr), (0, ""))
    observe.equal("files", scene.files_in(tmp_path), [scene.NAME])
    observe.equal("description", scene.description()["version"], "v1")
    observe.equal("digest", oracle.digest(scene.loaded(tmp_path / scene.NAME)), scene.description()["sha256_checksum"])


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-002~2")
@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("diffraction", (64, 64, 64), "float32"),
        ("diff3d", (64, 64, 64), "float32"),
        ("probeGuess", (64, 64), "complex64"),
        ("xcoords", (64,), "float64"),
        ("ycoords", (64,), "float64"),
    ],
)
def test_arrays_have_their_shapes_and_dtypes(observe: Observer, name: str, shape: tuple[int, ...], dtype: str) -> None:
    """The smallest file that the smallest network accepts. If this fails, suspect a recipe that changed."""
    observe.shape("shape", scene.arrays()[name], shape)
    observe.dtype("dtype", scene.arrays()[name], dtype)


@pytest.mark.clause("FIXTURE-002~2")
def test_values_are_small_amplitudes_under_both_names(observe: Observer) -> None:
    """0 ≤ amplitude < 10, and an object of at least 128. If this fails, suspect counts in the place of amplitudes."""
    arrays = scene.arrays()

    observe.at_least("lowest", arrays["diffraction"].min(), 0)
    observe.holds("highest", arrays["diffraction"].max() < 10, "below 10", str(arrays["diffraction"].max()))
    observe.equal("diff3d", arrays["diff3d"], arrays["diffraction"])
    observe.dtype("object", arrays["objectGuess"], "complex64")
    observe.at_least("side of the object", min(arrays["objectGuess"].shape), 128)
    observe.equal("axes of the object", arrays["objectGuess"].ndim, 2)


@pytest.mark.clause("FIXTURE-003~2", needs=("FIXTURE-006",))
def test_exposures_are_chosen_evenly(observe: Observer) -> None:
    """Exposure `int(i · M / 64)` of M = 1087. If this fails, suspect a draw."""
    chosen = np.floor(np.arange(64) * 1087 / 64).astype(int)

    observe.equal("x", scene.arrays()["xcoords"], scene.scan()["xcoords"][chosen])
    observe.equal("y", scene.arrays()["ycoords"], scene.scan()["ycoords"][chosen])
    observe.equal("patterns", scene.arrays()["diffraction"], scene.scan()["diff3d"][chosen])


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-003~2")
def test_two_runs_make_equal_arrays(observe: Observer, tmp_path: Path) -> None:
    """The recipe is deterministic. If this fails, suspect an unseeded generator."""
    scene.generate(tmp_path, "--output", "again.npz", "--metadata-out", "again.json")

    observe.equal("digest", oracle.digest(scene.loaded(tmp_path / "again.npz")), oracle.digest(scene.arrays()))


@pytest.mark.clause("FIXTURE-004~2", needs=("FIXTURE-006",))
def test_positions_cover_the_scan(observe: Observer) -> None:
    """More than half of the range on either axis, and unequal ranges. If this fails, suspect the first exposures of the scan."""
    chosen = scene.spans(scene.arrays()["xcoords"], scene.arrays()["ycoords"])
    whole = scene.spans(scene.scan()["xcoords"], scene.scan()["ycoords"])

    observe.holds("coverage", np.all(chosen > whole / 2), "more than half", str(chosen / whole))
    observe.holds("ratio", max(chosen) > 1.5 * min(chosen), "ranges that differ", str(chosen))


@pytest.mark.clause("FIXTURE-005~2")
def test_the_description_has_its_keys(observe: Observer) -> None:
    """Where the file came from, and how to make it again. If this fails, suspect a description edited by hand."""
    described = scene.description()

    observe.equal("missing keys", sorted(set(KEYS) - set(described)), [])
    observe.equal("strategy", (described["subset_strategy"], described["subset_size"]), ("stratified_uniform_sampling", 64))
    observe.equal("transformations", type(described["transformations"]), list)
    created = datetime.fromisoformat(described["created"])
    observe.equal("time zone", str(created.tzinfo), "UTC")


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-006~3")
def test_the_generator_takes_a_subset_of_a_source(observe: Observer, tmp_path: Path) -> None:
    """Patterns and positions of a source, by its number of positions. If this fails, suspect a count of the last axis."""
    source = scene.source(tmp_path)
    flags = ("--output", "out.npz", "--subset-size", "20", "--metadata-out", "out.json")

    run = scene.generate(tmp_path, "--source", str(source), *flags)

    observe.equal("exit code", (run.returncode, run.stderr), (0, ""))
    made, given = scene.loaded(tmp_path / "out.npz"), scene.loaded(source)
    observe.equal("patterns", made["diffraction"], given["diff3d"][::2])
    observe.equal("positions", made["xcoords"], given["xcoords"][::2])
    observe.equal("digest", json.loads((tmp_path / "out.json").read_text())["sha256_checksum"], oracle.digest(made))


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-006~3")
@pytest.mark.parametrize(("N", "axis"), [(16, 2), (40, 0)], ids=["patterns-last", "as-many-as-pixels"])
def test_the_generator_counts_positions(observe: Observer, tmp_path: Path, N: int, axis: int) -> None:
    """In either layout, where all three sides are equal, down to the least size. If this fails, suspect the axis asked first."""
    stack = scene.loaded(scene.source(tmp_path, N))["diff3d"]
    source = scene.source(tmp_path, N, diff3d=np.ascontiguousarray(np.moveaxis(stack, 0, axis)))

    run = scene.generate(tmp_path, "--source", str(source), "--output", "out.npz", "--subset-size", "16")

    observe.equal("exit code", (run.returncode, run.stderr), (0, ""))
    observe.equal("patterns", scene.loaded(tmp_path / "out.npz")["diffraction"], stack[np.arange(16) * 40 // 16])


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-006~3")
@pytest.mark.parametrize(
    ("changes", "size", "fragments"),
    [
        ({}, "15", ("15",)),
        ({}, "41", ("41",)),
        ({"xcoords": None}, "20", ("source.npz", "xcoords")),
        ({"diff3d": None}, "20", ("source.npz", "diffraction")),
    ],
    ids=["too-few", "too-many", "no-xcoords", "no-patterns"],
)
def test_the_generator_refuses_in_one_line(
    observe: Observer, tmp_path: Path, changes: dict[str, Any], size: str, fragments: tuple[str, ...]
) -> None:
    """Exit code 1, a line that names the fault, no output. If this fails, suspect a traceback in the place of a message."""
    source = scene.source(tmp_path, **changes)

    run = scene.generate(tmp_path, "--source", str(source), "--output", "out.npz", "--subset-size", size)

    observe.equal("exit code", run.returncode, 1)
    observe.equal("lines", len(run.stderr.splitlines()), 1)
    observe.equal("fragments that are missing", scene.missing(fragments, run.stderr), [])
    observe.equal("files", scene.files_in(tmp_path), ["source.npz"])


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-006~3")
def test_the_generator_names_a_missing_source(observe: Observer, tmp_path: Path) -> None:
    """A source that is not there. If this fails, suspect the recipe used in its place."""
    run = scene.generate(tmp_path, "--source", "nowhere.npz", "--output", "out.npz")

    observe.equal("exit code", run.returncode, 1)
    observe.equal("lines", len(run.stderr.splitlines()), 1)
    observe.holds("message", "nowhere.npz" in run.stderr, "the name of the source", run.stderr)


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-007~1")
def test_a_backend_reads_it(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Read like any other file. If this fails, suspect the layout: all three axes are equal here."""
    scene.generate(tmp_path, "--metadata-out", "made.json")

    raw = backend.read(tmp_path / scene.NAME)

    observe.equal("diff3d", native.array(raw.diff3d), scene.arrays()["diffraction"])
    observe.equal("x", native.array(raw.xcoords), scene.arrays()["xcoords"])
    observe.equal("y", native.array(raw.ycoords), scene.arrays()["ycoords"])
    stated = json.loads(str(scene.arrays()["_metadata"]))["physics_parameters"]["nphotons"]
    observe.equal("photons", raw.metadata["physics_parameters"]["nphotons"], stated)


@pytest.mark.clause("FIXTURE-020~2", needs=("FIXTURE-006",), evidence="differential")
def test_patterns_belong_to_their_positions(observe: Observer) -> None:
    """A pattern is most likely at its own position. If this fails, suspect two index arrays."""
    observe.at_least("patterns that are most likely at their own position", scene.at_home(), 60)


@pytest.mark.clause("FIXTURE-020~2", evidence="conservation")
def test_photons_agree_with_the_prediction(observe: Observer) -> None:
    """Counted photons within the Poisson error of the expected ones. If this fails, suspect a probe off the photon scale."""
    expected = scene.predictions().sum(axis=(1, 2))

    observe.close("photons", scene.photons(), expected, spread=np.sqrt(expected))


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-021~2")
def test_the_digest_is_that_of_the_contents(observe: Observer, tmp_path: Path) -> None:
    """SHA-256 over names, dtypes, shapes and contents. If this fails, suspect a digest of the file, or a recipe that changed."""
    observe.equal("recipe", oracle.digest(scene.arrays()), scene.description()["sha256_checksum"])

    stated = scene.digest_of(tmp_path, scene.source(tmp_path))
    observe.equal("stated", stated, oracle.digest(scene.loaded(tmp_path / "out.npz")))


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-021~2")
def test_the_digest_does_not_depend_on_compression(observe: Observer, tmp_path: Path) -> None:
    """The same arrays in another container. If this fails, suspect a digest of the container."""
    plain = scene.source(tmp_path)
    np.savez_compressed(tmp_path / "compressed.npz", **scene.loaded(plain))

    found = scene.digest_of(tmp_path, tmp_path / "compressed.npz")
    observe.equal("digest", found, scene.digest_of(tmp_path, plain))
    observe.equal("contents", found, oracle.digest(scene.loaded(tmp_path / "out.npz")))


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-021~2")
@pytest.mark.parametrize("name", ["diff3d", "xcoords", "probeGuess", "objectGuess"])
def test_the_digest_sees_every_array(observe: Observer, tmp_path: Path, name: str) -> None:
    """Another order of one array's elements is another digest. If this fails, suspect an array left out."""
    given = scene.loaded(scene.source(tmp_path))[name]
    first = scene.digest_of(tmp_path, tmp_path / "source.npz")

    changed = scene.digest_of(tmp_path, scene.source(tmp_path, **{name: given[::-1].copy()}))

    observe.holds("digest", changed != first, "another digest", "the same")


@pytest.mark.slow
@pytest.mark.clause("FIXTURE-021~2")
def test_the_digest_sees_shapes(observe: Observer, tmp_path: Path) -> None:
    """The same bytes in another shape are another digest. If this fails, suspect a digest of bytes alone."""
    given = scene.loaded(scene.source(tmp_path))["objectGuess"]
    first = scene.digest_of(tmp_path, tmp_path / "source.npz")

    changed = scene.digest_of(tmp_path, scene.source(tmp_path, objectGuess=given.reshape(2 * given.shape[0], -1)))

    observe.holds("digest", changed != first, "another digest", "the same")


@pytest.mark.clause("FIXTURE-022~3", evidence="conservation")
def test_the_stated_dose_was_counted(observe: Observer) -> None:
    """`nphotons` is the mean of Σ amplitude². If this fails, suspect a dose copied from the request."""
    stated = json.loads(str(scene.arrays()["_metadata"]))["physics_parameters"]["nphotons"]

    observe.close("photons", stated, float(scene.photons().mean()))


@pytest.mark.clause("FIXTURE-022~3", evidence="conservation")
@pytest.mark.slow
@pytest.mark.parametrize("N", [16, 32])
def test_smaller_exposures_have_a_known_dose(observe: Observer, tmp_path: Path, N: int) -> None:
    """The same generator at smaller sides. If this fails, suspect a dose or a side that is built in."""
    scene.digest_of(tmp_path, scene.source(tmp_path, N))

    made = scene.loaded(tmp_path / "out.npz")
    counted = np.sum(made["diff3d"].astype(np.float64) ** 2, axis=(1, 2)).mean()
    stated = json.loads(str(made["_metadata"]))["physics_parameters"]["nphotons"]
    observe.shape("patterns", made["diff3d"], (20, N, N))
    observe.close("photons", stated, float(counted))
