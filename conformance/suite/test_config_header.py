"""CONFIG, DATA: what the factories find in the headers of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import entrances, headers, reactions

FACTORIES = pytest.mark.parametrize("factory", headers.FACTORIES)


@FACTORIES
@pytest.mark.clause("CONFIG-072~1")
def test_a_stated_side_that_the_file_contradicts_is_told(backend: Any, observe: Observer, tmp_path: Path, factory: str) -> None:
    """128 for 64: a warning with both. If this fails, suspect a header that is read and not compared."""
    path = entrances.put(tmp_path, entrances.whole())

    with observe.warns("warning", UserWarning, "128", "64", path.name):
        headers.FACTORIES[factory](backend, path, {"n_groups": 4, "N": 128})


@FACTORIES
@pytest.mark.clause("CONFIG-072~1")
@pytest.mark.parametrize(
    "stated", [{}, {"N": 64}, {"nphotons": 3e5}, {"N": 64, "nphotons": 3e5}], ids=["none", "N", "photons", "both"]
)
def test_a_side_that_the_file_has_is_no_news(
    backend: Any, observe: Observer, tmp_path: Path, factory: str, stated: dict[str, Any]
) -> None:
    """Nothing of the kind is said. If this fails, suspect a warning of every side."""
    path = entrances.put(tmp_path, entrances.whole())

    said = headers.warnings_of(lambda: headers.FACTORIES[factory](backend, path, {"n_groups": 4, **stated}))

    observe.equal("warnings that name the file", [text for text in said if path.name in text], [])


@FACTORIES
@pytest.mark.clause("DATA-020~1")
@pytest.mark.parametrize("side", [32, 128])
def test_headers_of_a_probe_of_another_side_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, factory: str, side: int
) -> None:
    """Patterns of 64, a probe of half or twice the side. If this fails, suspect one header that stands for both."""
    path = entrances.put(tmp_path, {**entrances.whole(), "probeGuess": headers.probe(side, side)})

    with observe.raises("refusal", ValueError, "probeGuess", path.name, "64", str(side)):
        headers.FACTORIES[factory](backend, path, {"n_groups": 4})


@FACTORIES
@pytest.mark.clause("CONFIG-064~1")
@pytest.mark.parametrize("shape", headers.NO_PROBES.values(), ids=headers.NO_PROBES)
def test_headers_of_what_is_no_probe_are_refused(
    backend: Any, observe: Observer, tmp_path: Path, factory: str, shape: tuple[int, ...]
) -> None:
    """A row, an oblong, four axes, modes last. If this fails, suspect a side that is read off one axis."""
    path = entrances.put(tmp_path, {**entrances.whole(), "probeGuess": headers.probe(*shape)})

    said = reactions.reaction(lambda: headers.FACTORIES[factory](backend, path, {"n_groups": 4, "nphotons": 3e5}))

    told = said.startswith("warned") or (said.startswith("raised") and "probeGuess" in said)
    observe.holds("reaction", told and path.name in said, f"an error that names probeGuess, or a warning, with {path.name}", said)


@FACTORIES
@pytest.mark.clause("CONFIG-064~1", needs=("DATA-004",))
@pytest.mark.parametrize("case", headers.MISFITS)
def test_headers_are_counted_as_the_reader_counts(
    backend: Any, observe: Observer, tmp_path: Path, factory: str, case: str
) -> None:
    """More positions than patterns, fewer, positions in a column. If this fails, suspect lengths that nobody compares."""
    path = entrances.put(tmp_path, headers.MISFITS[case](entrances.whole()))

    with observe.raises("refusal", ValueError, "coords", path.name):
        headers.FACTORIES[factory](backend, path, {"n_groups": 4})


@FACTORIES
@pytest.mark.clause("DATA-013~1", needs=("CONFIG-064", "CONFIG-065"))
@pytest.mark.parametrize("case", headers.NUMBERED)
def test_headers_of_numbered_files_are_taken(backend: Any, observe: Observer, tmp_path: Path, factory: str, case: str) -> None:
    """More patterns than positions, or fewer, in either layout. If this fails, suspect lengths that are compared."""
    path = entrances.put(tmp_path, headers.NUMBERED[case](entrances.whole()))

    with observe.accepts("file"):
        found = headers.numbered(backend, factory, path)

    observe.equal("side, and where photons were found", found, (entrances.N, "metadata"))


@FACTORIES
@pytest.mark.clause("CONFIG-001~1", "CONFIG-003~1", needs=("CONFIG-021", "CONFIG-064"))
def test_the_registry_holds_what_a_payload_says(backend: Any, observe: Observer, tmp_path: Path, factory: str) -> None:
    """The side of the file, unlike its default, and all else. If this fails, suspect one synchronisation where two are needed."""
    found, owed = headers.registered(backend, factory, tmp_path)

    observe.equal("registry", found, owed, clause=("CONFIG-001", "CONFIG-003"))
