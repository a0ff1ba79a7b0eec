"""The parts of a script: the same words as the report's, values that come back as they were, inputs cut along one axis."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from conformance.judging.observe import Observer, Refuted
from conformance.repro import eyes
from conformance.repro.bundle import Bundle
from conformance.repro.script import packed
from conformance.repro.shrink import MODES, SAMPLES, SIDES, Cut, candidates, cut
from conformance.repro.values import ARCHIVE, Archive, NotAlone
from conformance.specification.clauses import Clause
from conformance.specification.tolerances import Tolerance

A = np.arange(12, dtype=np.float32).reshape(3, 4)


class Fed(NamedTuple):
    """Two inputs."""

    images: np.ndarray
    scale: float


@dataclass(frozen=True)
class Scene:
    """A field and its probe."""

    field: np.ndarray
    probe: np.ndarray


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(eyes, "NAME", "it")
    monkeypatch.setattr(eyes, "BOUND", ("eps", 4.0, None))
    monkeypatch.setattr(eyes, "GAUGE", ("global-phase",))
    yield


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize(
    "saw",
    [
        lambda o: o.close("it", A + 1, A),
        lambda o: o.close("it", A * np.exp(1j) + 1, A.astype(complex)),
        lambda o: o.close("it", A[:2], A),
        lambda o: o.close("it", A / 0, A),
        lambda o: o.differs("it", A, A),
        lambda o: o.equal("it", A, A.astype(float)),
        lambda o: o.equal("it", A, A + 1),
        lambda o: o.equal("it", 1, 1.0),
        lambda o: o.equal("it", ["a"], ["b"]),
        lambda o: o.at_least("it", 1, 2),
        lambda o: o.at_most("it", np.float32(3), 2),
        lambda o: o.dtype("it", A, "float64"),
        lambda o: o.shape("it", A, (4, 3)),
        lambda o: o.holds("it", False, "one", "another"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_script_says_what_the_report_says(saw: Callable[[Any], None]) -> None:
    clause = Clause.__new__(Clause)
    for name, value in {"id": "PHYS-001", "revision": 1, "title": "T", "suspect": "", "tolerance": Tolerance("eps", 4.0)}.items():
        object.__setattr__(clause, name, value)
    object.__setattr__(clause, "gauge", ("global-phase",))
    object.__setattr__(clause, "bounds", {})
    with pytest.raises(Refuted) as told:
        saw(Observer(check="PHYS-001:a@cpu", clauses=[clause]))
    with pytest.raises(eyes.Refuted) as said:
        saw(eyes)
    _, expected, found, bound, _ = said.value.args
    report = dict(re.findall(r"^  (expected|found|bound)\s+(.*)$", str(told.value), re.MULTILINE))
    assert (expected, found, bound) == (report["expected"], report["found"], report["bound"])


def test_what_was_not_refuted_is_not_judged() -> None:
    eyes.close("another", A, A + 1)
    eyes.equal("another", 1, 2)
    eyes.holds("another", False, "one", "another")


def strided(array: np.ndarray) -> np.ndarray:
    return np.repeat(array, 2, axis=-1)[..., ::2]


def read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def back(value: Any) -> Any:
    """The value, written down and read again."""
    archive = Archive(Bundle({}), 10_000)
    text = ast.unparse(ast.fix_missing_locations(archive.write(value, "it")))
    stored = np.load(io.BytesIO(packed(archive.arrays)), allow_pickle=False) if archive.arrays else {}
    names = {ARCHIVE: stored, "strided": strided, "read_only": read_only}
    return eval(text, {"test_repro_parts_Fed": Fed, "test_repro_parts_Scene": Scene, "numpy": np, **names})


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 2.5, float("-inf"), 1 - 2j, "a'b", b"\0", (1, [2, {"a": (3,)}]), {("x", 1): 2}, ValueError, np.ndarray],
    ids=repr,
)
def test_plain_values_come_back(value: Any) -> None:
    assert back(value) == value and type(back(value)) is type(value)


@pytest.mark.parametrize(
    "make", [np.array, strided, lambda a: read_only(a.copy()), np.asfortranarray], ids=["plain", "strided", "locked", "F"]
)
def test_arrays_come_back_as_they_lie_in_memory(make: Callable[[np.ndarray], np.ndarray]) -> None:
    value = make(A)
    found = back(Fed(value, 2.0)).images
    assert np.array_equal(found, value) and found.dtype == value.dtype
    assert [found.flags[name] for name in ("WRITEABLE", "C_CONTIGUOUS")] == [
        value.flags[name] for name in ("WRITEABLE", "C_CONTIGUOUS")
    ]


def test_what_would_not_be_the_same_is_refused() -> None:
    for value in ([A, A[1:]], np.array([object()]), object(), np.zeros(20_000), "x" * 1000, lambda: 1):
        with pytest.raises(NotAlone):
            back(value)


def test_a_cut_takes_one_kind_of_axis() -> None:
    scene = Scene(np.zeros((4, 1, 6, 6)), np.zeros((4, 1, 3, 6, 6)))
    shapes = {
        kind: [part.shape for part in vars(cut(scene, Cut(kind, n, 0, (n + 1) // 2))).values()]
        for kind, n in ((SAMPLES, 4), (MODES, 3), (SIDES, 6))
    }
    assert shapes == {
        SAMPLES: [(2, 1, 6, 6), (2, 1, 3, 6, 6)],
        MODES: [(4, 1, 6, 6), (4, 1, 2, 6, 6)],
        SIDES: [(4, 1, 3, 3), (4, 1, 3, 3, 3)],
    }
    assert {by.kind for by in candidates({"scene": scene})} == {SAMPLES, MODES, SIDES}
    assert isinstance(cut(Fed(A, 1.0), Cut(SAMPLES, 3, 0, 1)), Fed) and cut({"a": [A]}, Cut(SAMPLES, 3, 1, 3))["a"][0].shape == (
        2,
        4,
    )
