"""DATA: what a subsample, a second mask, a file and a call leave as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import data as oracle
from conformance.scenes import batches, files, kept, masks

GOOD = masks.mask(16)


@pytest.mark.clause("DATA-025~1")
@pytest.mark.parametrize("part", ["metadata", "mask", "probeGuess", "objectGuess"])
def test_a_subsample_keeps_what_is_no_exposures(backend: Any, observe: Observer, tmp_path: Path, part: str) -> None:
    """As the record of the whole file has it. If this fails, suspect a list of fields that is not complete."""
    path = files.contract_file(tmp_path, _metadata=files.metadata("unicode"), **kept.masked_if_claimed(backend, GOOD))
    whole = backend.read(path)

    found = backend.read(path, n_subsample=9, subsample_seed=4)

    observe.equal(part, kept.plain(getattr(found, part, None)), kept.plain(getattr(whole, part, None)))


@pytest.mark.clause("DATA-025~1")
def test_a_subsample_of_all_carries_its_indices(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """0 … M − 1, and its seed. If this fails, suspect a draw that is left out and not told."""
    path = files.contract_file(tmp_path)

    raw = backend.read(path, n_subsample=23, subsample_seed=4)

    observe.equal("sample_indices", kept.plain(raw.sample_indices), list(range(23)))
    observe.equal("subsample_seed", raw.subsample_seed, 4)
    observe.equal("arrays that differ", files.unlike(raw, files.arrays(), kept.EXPOSURES), [])


@pytest.mark.clause("DATA-025~1", evidence="conservation")
def test_a_subsample_of_a_configuration_has_the_files_photons(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """And is dark under the file's mask. If this fails, suspect photons of the configuration in the place of the file's."""
    path = files.contract_file(tmp_path, _metadata=files.metadata("unicode"), **kept.masked_if_claimed(backend, GOOD))
    config = batches.training(backend, N=16, gridsize=1, n_groups=7, n_subsample=9, sequential_sampling=True)

    container = backend.container(backend.read(path), config)

    found = native.array(container.physics_scaling_constant).ravel()
    observe.close("physics scale", found, [np.sqrt(files.PHOTONS) / 8])
    observe.equal("source", container.nphotons_source, "metadata")


@pytest.mark.clause("DATA-026~1")
@pytest.mark.parametrize("where", ["record", "file"])
def test_masks_add_up(backend: Any, observe: Observer, tmp_path: Path, where: str) -> None:
    """Hidden where either hides. If this fails, suspect the last mask alone, or pixels that are good to one of both."""
    other, stack = GOOD.T[::-1], files.arrays()["diff3d"]
    raw = kept.MASKED[where](backend, tmp_path, GOOD)

    found = backend.masked(raw, other)

    observe.equal("mask", native.array(found.mask).astype(bool), GOOD & other)
    observe.equal("diff3d", native.array(found.diff3d), oracle.hidden(stack, GOOD & other))
    observe.equal("the first record", native.array(raw.mask).astype(bool), GOOD)


@pytest.mark.clause("DATA-026~1")
def test_masks_that_leave_nothing_are_refused(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Each leaves a half. If this fails, suspect a look at each of them alone."""
    half = np.arange(256).reshape(16, 16) < 128
    raw = backend.masked(backend.read(files.contract_file(tmp_path)), half)

    with observe.raises("refusal", ValueError, "mask"):
        backend.masked(raw, ~half)


@pytest.mark.clause("DATA-027~1")
@pytest.mark.parametrize("kind", kept.MASK_FILES)
def test_a_mask_may_be_named_by_its_file(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """In whatever form NumPy writes it. If this fails, suspect an order of axes, or a header that is taken for another."""
    path = kept.MASK_FILES[kind](tmp_path, GOOD)
    raw = backend.read(files.contract_file(tmp_path))
    kept.takes_files(backend, raw, tmp_path)

    with observe.accepts("file"):
        found = backend.masked(raw, path)

    observe.equal("mask", native.array(found.mask).astype(bool), GOOD)


@pytest.mark.clause("DATA-027~1")
def test_a_mask_that_was_rewritten_is_read_anew(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Another mask of the same name and size. If this fails, suspect a memory of the last call."""
    raw, write = backend.read(files.contract_file(tmp_path)), kept.MASK_FILES["npy"]
    kept.takes_files(backend, raw, tmp_path)

    first, second = (native.array(backend.masked(raw, write(tmp_path, good)).mask) for good in (GOOD, GOOD.T))

    observe.equal("first", first.astype(bool), GOOD)
    observe.equal("second", second.astype(bool), GOOD.T)


@pytest.mark.clause("DATA-027~1")
@pytest.mark.parametrize("fault", kept.WRONG_MASK_FILES)
def test_a_file_that_is_no_mask_is_refused(backend: Any, observe: Observer, tmp_path: Path, fault: str) -> None:
    """By its name, before any of it runs. If this fails, suspect a reader of arrays that reads anything."""
    path, marker = kept.WRONG_MASK_FILES[fault](tmp_path, GOOD), tmp_path / "it-ran"
    raw = backend.read(files.contract_file(tmp_path))
    kept.takes_files(backend, raw, tmp_path)

    with observe.raises("refusal", (ValueError, FileNotFoundError), path.name, "mask"):
        backend.masked(raw, path)

    observe.holds("nothing ran", not marker.exists(), "no trace", "a file that the mask made")


@pytest.mark.clause("DATA-028~1")
@pytest.mark.parametrize("call", kept.CALLS)
def test_what_is_given_stays_as_it_was(backend: Any, observe: Observer, call: str) -> None:
    """Every array, bit for bit. If this fails, suspect an operation in place on what came in."""
    given, act = kept.CALLS[call](backend)
    before = {name: np.array(value) for name, value in given.items()}

    act()

    changed = [name for name, value in before.items() if not np.array_equal(value, given[name], equal_nan=True)]
    observe.equal("changed", changed, [])


@pytest.mark.clause("DATA-029~1")
@pytest.mark.parametrize("call", kept.DRAWS)
def test_nobodys_draws_are_disturbed(backend: Any, observe: Observer, tmp_path: Path, call: str) -> None:
    """NumPy's global generator goes on where it was. If this fails, suspect a seed that is set for all."""
    act = kept.DRAWS[call](backend, files.contract_file(tmp_path))
    truth, found = kept.around(act)

    observe.equal("next draws", found, truth)


@pytest.mark.clause("DATA-007~1")
@pytest.mark.parametrize(
    "name",
    ["scan", "scan.dat", "scan 1.npz", "scän.npz", "a.b.npz"],
    ids=["no-suffix", "other-suffix", "space", "umlaut", "dots"],
)
def test_a_record_is_written_under_the_name_that_was_said(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """No other name. If this fails, suspect a suffix that a library adds."""
    (tmp_path / "out").mkdir()

    backend.write(backend.record(**files.arrays()), tmp_path / "out" / name)

    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    observe.holds("folder", name in names, name, str(names))
    observe.equal("arrays that differ", files.unlike(backend.read(tmp_path / "out" / name), files.arrays(), kept.EXPOSURES), [])


@pytest.mark.clause("DATA-007~1")
def test_a_record_that_cannot_be_written_replaces_nothing(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """The file is the old one, or the new one where JSON was found for it. If this fails, suspect a file that goes first."""
    path, given = tmp_path / "scan.npz", files.arrays()
    backend.write(backend.record(**given), path)
    before = path.read_bytes()

    said = kept.written(backend, {**given, "diff3d": given["diff3d"] + 1}, {"places": {1, 2}}, path)

    same = path.is_file() and path.read_bytes() == before
    observe.equal("the old file", same, said != "")


@pytest.mark.clause("DATA-005~1")
@pytest.mark.parametrize("kind", ["unicode", "object"])
def test_metadata_may_be_long(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """The log of a beam time before the photons. If this fails, suspect a text that is cut, or a limit below what there is."""
    path = files.contract_file(tmp_path, _metadata=files.text_array(kept.long_metadata(), kind))

    with observe.accepts("file"):
        raw = backend.read(path)

    observe.equal("photons", dict(raw.metadata or {}).get("physics_parameters", {}).get("nphotons"), files.PHOTONS)


@pytest.mark.clause("BATCH-010~1")
@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_labels_of_a_record_that_are_real_are_refused(backend: Any, observe: Observer, dtype: str) -> None:
    """Moduli are no labels. If this fails, suspect a cast where the record's labels are gathered."""
    given = {**files.arrays(), "Y": np.ones((23, 16, 16), dtype)}
    config = batches.training(backend, N=16, gridsize=1)

    with observe.raises("refusal", ValueError, "complex"):
        backend.container(backend.record(**given), config)


@pytest.mark.clause("DATA-007~1")
def test_a_record_survives_its_file_to_the_last_bit(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Numbers that no narrower type holds. If this fails, suspect a cast in the writer."""
    given = kept.wide()

    backend.write(backend.record(**given), tmp_path / "written.npz")

    observe.equal("arrays that differ", files.unlike(backend.read(tmp_path / "written.npz"), given, given), [])
