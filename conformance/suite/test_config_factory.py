"""The training factory: what it needs, in which order it works, what it takes from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.connectors import audit
from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import backend_sides, configs, inputs, reactions


@pytest.mark.clause("CONFIG-001~1", "CONFIG-003~1", needs=("CONFIG-002",))
def test_the_registry_is_up_to_date_when_the_training_file_is_opened(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """At the first opening of the data file every stated value stands in the registry.

    If this fails, suspect a synchronisation that stands after the call that reads.
    """
    registry, file, output = backend.registry(), inputs.data_file(tmp_path), tmp_path / "out"
    expected = {**configs.OVERRIDDEN, "train_data_file_path": str(file), "output_prefix": str(output)}

    with audit.watching(file, registry) as seen:
        backend.payload(file, output, dict(configs.OVERRIDES))

    observe.at_least("openings", len(seen), 1, clause="CONFIG-001")
    observe.equal(
        "registry at the first opening", configs.chosen(seen[0], expected), expected, clause=("CONFIG-001", "CONFIG-003")
    )


@pytest.mark.clause("CONFIG-001~1")
def test_what_the_file_says_is_in_the_registry_afterwards(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Patch side and photon number of the file are written once they are known.

    If this fails, suspect one synchronisation where two are needed.
    """
    file = inputs.data_file(tmp_path, N=64, metadata=inputs.metadata(7e5, "text"))

    backend.payload(file, tmp_path / "out", dict(configs.OVERRIDES))

    observe.equal("patch side", backend.registry().get("N"), 64)
    observe.equal("photons", backend.registry().get("nphotons"), 7e5)


@pytest.mark.clause("CONFIG-002~1", "CONFIG-003~1")
def test_the_factory_writes_into_the_registry_that_readers_hold(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """A reader that took the registry before the factory ran sees the new values.

    If this fails, suspect a copy of the registry in the call.
    """
    held = backend.registry()

    backend.payload(inputs.data_file(tmp_path), tmp_path / "out", dict(configs.OVERRIDES))

    observe.equal("values", configs.chosen(held, configs.OVERRIDDEN), configs.OVERRIDDEN, clause=("CONFIG-002", "CONFIG-003"))


@pytest.mark.clause("CONFIG-004~1", needs=("CONFIG-002",))
def test_execution_settings_never_reach_the_registry(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """No setting that belongs to the execution alone is a key of the registry.

    If this fails, suspect two configurations merged before they are flattened.
    """
    alone = set(configs.EXECUTION) - set(configs.TRAINING) - set(configs.MODEL)

    backend.payload(inputs.data_file(tmp_path), tmp_path / "out", {"n_groups": 21}, configs.execution(backend, accum_steps=1))

    observe.equal("execution settings", sorted(alone & set(backend.registry())), [])
    observe.equal("the configuration itself", backend.registry().get("n_groups"), 21)


@pytest.mark.clause("CONFIG-012~1")
def test_the_factory_refuses_an_unsupported_patch_side(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """A network exists for three sizes; the factory says so.

    If this fails, suspect a size check that only the network has.
    """
    file = inputs.data_file(tmp_path, N=96)

    with observe.raises("payload", ValueError, "N", "96"):
        backend.payload(file, tmp_path / "out", {"n_groups": 4, "N": 96})


@pytest.mark.clause("CONFIG-044~1")
@pytest.mark.parametrize("name", ["gridsizee", "learning_rte", "n_group"])
def test_an_unknown_override_is_refused_by_name(backend: Proxy, observe: Observer, tmp_path: Path, name: str) -> None:
    """A misspelt override is an error that shows it.

    If this fails, suspect a loop over known names that never looks at the rest.
    """
    file = inputs.data_file(tmp_path)

    with observe.raises("payload", ValueError, name):
        backend.payload(file, tmp_path / "out", {"n_groups": 21, name: 2})


@pytest.mark.clause("CONFIG-044~1")
def test_an_unknown_override_of_nothing_is_refused_by_name(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """`None` is a value like others. If this fails, suspect overrides that are looked through for what they state."""
    file = inputs.data_file(tmp_path)

    with observe.raises("payload", ValueError, "gridsizee"):
        backend.payload(file, tmp_path / "out", {"n_groups": 21, "gridsizee": None})


@pytest.mark.clause("CONFIG-055~1")
def test_the_factory_takes_paths_as_text(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """Text does for every path, and the canonical object holds paths.

    If this fails, suspect a path used before it was converted.
    """
    file, output = inputs.data_file(tmp_path), tmp_path / "out"
    overrides = {"n_groups": 21, "test_data_file": str(file)}

    found = backend.payload(str(file), str(output), overrides).tf_training_config

    observe.equal("train file", found.train_data_file, file)
    observe.equal("test file", found.test_data_file, file)
    observe.equal("output", found.output_dir, output)


@pytest.mark.clause("CONFIG-062~1")
def test_a_missing_training_file_is_reported_as_such(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """The absent file has its own class of error and is named.

    If this fails, suspect an error passed on from the reader.
    """
    with observe.raises("payload", FileNotFoundError, "Training data file not found", "absent.npz"):
        backend.payload(tmp_path / "absent.npz", tmp_path / "out", {"n_groups": 21})


@pytest.mark.clause("CONFIG-062~1")
@pytest.mark.parametrize("overrides", [None, {}, {"gridsize": 2}], ids=["none", "empty", "others"])
def test_the_number_of_groups_has_no_default(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any] | None
) -> None:
    """Without a stated number of groups there is no payload.

    If this fails, suspect a default number of groups.
    """
    file = inputs.data_file(tmp_path)

    with observe.raises("payload", ValueError, "n_groups is required"):
        backend.payload(file, tmp_path / "out", overrides)


@pytest.mark.axes("header:N", "header:M", "factory:N")
@pytest.mark.clause("CONFIG-064~1")
@pytest.mark.parametrize(("side", "n"), [(64, 3), (128, 3), (64, 1), (64, 130)], ids=["64", "128", "one", "many"])
def test_the_patch_side_is_the_probes(backend: Proxy, observe: Observer, tmp_path: Path, side: int, n: int) -> None:
    """N comes from the data file.

    If this fails, suspect a default that stands where the file should have been read.
    """
    file = inputs.data_file(tmp_path, N=side, n=n)

    with observe.accepts("file"):
        payload = backend.payload(file, tmp_path / "out", {"n_groups": 1})

    observe.equal("canonical", payload.tf_training_config.model.N, side)
    observe.equal("backend-side", backend_sides.said(payload, "N", otherwise=side), side)


@pytest.mark.clause("CONFIG-064~1")
def test_an_override_of_the_patch_side_wins(backend: Proxy, observe: Observer, tmp_path: Path) -> None:
    """A stated N is the N of the payload.

    If this fails, suspect a file that is believed more than its user.
    """
    payload = backend.payload(inputs.data_file(tmp_path, N=64), tmp_path / "out", {"n_groups": 3, "N": 128})

    observe.equal("canonical", payload.tf_training_config.model.N, 128)


@pytest.mark.clause("CONFIG-064~1")
@pytest.mark.parametrize("fault", ["truncated", "without-arrays", "oblong-probe"])
def test_a_file_without_a_patch_side_is_not_passed_over(backend: Proxy, observe: Observer, tmp_path: Path, fault: str) -> None:
    """Where N cannot be read the factory raises or warns; it never falls back in silence.

    If this fails, suspect an exception swallowed around the reading of the header, or one of a probe's sides taken for both.
    """
    file = inputs.faulty_file(tmp_path, fault)
    # With the accelerator named there is no warning but the one about the file.
    given = backend.canonical("execution", accelerator="cpu")

    said = reactions.reaction(lambda: backend.payload(file, tmp_path / "out", {"n_groups": 3, "nphotons": 1e6}, given))

    observe.holds("reaction", said != "said nothing", "an error or a UserWarning", said)


@pytest.mark.clause("CONFIG-065~1")
@pytest.mark.parametrize(
    ("overrides", "form", "expected", "source"),
    [
        ({"nphotons": 3e6}, "object", 3e6, "override"),
        ({}, "object", 7e5, "metadata"),
        ({}, "text", 7e5, "metadata"),
        ({}, None, 1e9, "default"),
    ],
    ids=["override", "metadata-object", "metadata-text", "default"],
)
def test_the_photon_number_says_where_it_came_from(
    backend: Proxy, observe: Observer, tmp_path: Path, overrides: dict[str, Any], form: str | None, expected: float, source: str
) -> None:
    """Override, then metadata, then the canonical default; the audit tells which.

    If this fails, suspect metadata that is read and not used, or a backend's default of 1e5.
    """
    file = inputs.data_file(tmp_path, metadata=inputs.metadata(7e5, form))

    with observe.accepts("file"):
        payload = backend.payload(file, tmp_path / "out", {"n_groups": 3, **overrides})

    observe.equal("canonical", float(payload.tf_training_config.nphotons), expected)
    observe.equal("backend-side", backend_sides.photons(payload), expected)
    observe.equal("source", payload.overrides_applied["nphotons_source"], source)
