"""BUNDLE: damaged and hostile archives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import archives, attacks, damage
from conformance.scenes.archives import NAME
from conformance.scenes.attacks import ATTACKS, DAMAGES, Damage

REFUSAL = (ValueError, RuntimeError)


@pytest.mark.clause("BUNDLE-021~1")
def test_a_missing_archive_is_not_found(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """FileNotFoundError with its phrase. If this fails, suspect an error of the zip library."""
    with observe.raises("refusal", FileNotFoundError, "Model archive not found"):
        backend.load(tmp_path)


@pytest.mark.clause("BUNDLE-021~1")
def test_a_good_archive_is_read_without_a_trace(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Loading writes nothing beside the archive. If this fails, suspect `extractall`."""
    folder = archives.put(tmp_path / "bundle", archives.entries(archives.good(backend)))

    backend.load(folder)

    observe.equal("files", archives.left(tmp_path), [f"bundle/{NAME}"])


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-021~1")
@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_damaged_archive_is_refused(backend: Any, observe: Observer, tmp_path: Path, damage: Damage) -> None:
    """Archive and entry are named, nothing is written. If this fails, suspect a library's own error passed through."""
    damage.spoil(tmp_path / "bundle", archives.entries(archives.good(backend)))

    with observe.raises("refusal", REFUSAL, NAME, damage.named):
        backend.load(tmp_path / "bundle")
    observe.equal("files", archives.left(tmp_path), [f"bundle/{NAME}"])


@pytest.mark.slow
@pytest.mark.clause("BUNDLE-021~1", needs=("BUNDLE-004",))
@pytest.mark.parametrize("kind", ATTACKS)
def test_a_call_among_the_parameters_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Whatever the opcode, nothing is called. If this fails, suspect an unpickler that resolves names."""
    canary = tmp_path / "canary"
    content = attacks.hostile(kind, "params.dill", archives.entries(archives.good(backend)), canary)
    folder = archives.put(tmp_path / "bundle", content)

    with observe.raises("refusal", REFUSAL, NAME, "params.dill"):
        backend.load(folder)
    observe.equal("canary", canary.exists(), False)


@pytest.mark.axes("bundle:hostile")
@pytest.mark.slow
@pytest.mark.clause("BUNDLE-021~1", needs=("BUNDLE-004",))
@pytest.mark.parametrize(
    "entry", ["manifest.dill", "autoencoder/model.pth", "diffraction_to_obj/model.pth"], ids=["manifest", "part", "whole"]
)
@pytest.mark.parametrize("kind", ["global", "stack-global"])
def test_a_call_in_any_entry_is_refused(backend: Any, observe: Observer, tmp_path: Path, entry: str, kind: str) -> None:
    """Manifest, parameters and weights alike. If this fails, suspect one reader less careful than the others."""
    canary = tmp_path / "canary"
    content = attacks.hostile(kind, entry, archives.entries(archives.good(backend)), canary)
    folder = archives.put(tmp_path / "bundle", content)

    with observe.raises("refusal", REFUSAL, NAME, entry):
        backend.load(folder)
    observe.equal("canary", canary.exists(), False)


@pytest.mark.axes("bundle:damaged")
@pytest.mark.slow
@pytest.mark.clause("BUNDLE-036~1", needs=("BUNDLE-024",))
@pytest.mark.parametrize("seed", range(3))
def test_changed_bytes_load_what_was_saved_or_nothing(backend: Any, observe: Observer, tmp_path: Path, seed: int) -> None:
    """Bits, bytes and pieces, in content and structure. If this fails, suspect checksums that nobody compares."""
    data = (archives.good(backend) / NAME).read_bytes()
    honest = archives.content(backend, archives.good(backend))

    found = damage.outcomes(
        lambda: archives.content(backend, tmp_path), tmp_path / NAME, NAME, damage.changed(data, seed, 30), honest
    )

    observe.equal("loaded with another content", found.silent, [])
    observe.equal("not refused by name", found.unnamed, [])


@pytest.mark.axes("bundle:greedy")
@pytest.mark.slow
@pytest.mark.clause("BUNDLE-037~1", needs=("BUNDLE-004",))
def test_small_archives_that_want_much_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """In time, in memory, and alive. If this fails, suspect limits behind the work."""
    given = damage.bundles(tmp_path, archives.entries(archives.good(backend)))

    found = damage.openings(backend, pytestconfig.getoption("--backend"), "load", given)

    observe.equal("outcomes", {name: one["outcome"] for name, one in found.items()}, dict.fromkeys(given, "refused"))
    observe.equal("unnamed", [one["message"] for one in found.values() if NAME not in one["message"]], [])
    observe.at_most("seconds", max(one["seconds"] for one in found.values()), 10)
    observe.at_most("mebibytes", max(one["mebibytes"] for one in found.values()), 512)


@pytest.mark.clause("BUNDLE-041~1", needs=("BUNDLE-020", "BUNDLE-021"))
@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ({"version": "3.0-pytorch"}, "3.0-pytorch"),
        ({"models": ["autoencoder", "diffraction_to_obj", "critic"]}, "critic"),
        ({"version": "2.1-pytorch"}, "2.1-pytorch"),
        ({"version": "10.0-pytorch"}, "10.0-pytorch"),
    ],
    ids=["version", "models", "minor", "tenth"],
)
def test_an_archive_of_another_form_is_refused(
    backend: Any, observe: Observer, tmp_path: Path, manifest: dict[str, Any], told: str
) -> None:
    """With what it states. If this fails, suspect a manifest of which the tag alone is read."""
    content = archives.entries(archives.good(backend))
    archives.put(tmp_path, archives.sealed(content, **manifest))

    with observe.raises("refusal", (ValueError, RuntimeError), "wts.h5.zip", told):
        backend.load(tmp_path)
