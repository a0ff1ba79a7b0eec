"""Connectors: values, objects, errors and surroundings there and back."""

from __future__ import annotations

import dataclasses
import logging
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from conformance.connectors import audit, beside, native
from conformance.connectors.connect import Proxy, connect, information
from conformance.connectors.names import UnknownBackend, claimed
from conformance.judging import blame
from conformance.selftest.far import far

__all__ = ["far"]


def test_what_a_backend_says_and_claims(far: Any) -> None:
    assert information(far).name == "far" and information(far).python == sys.executable
    assert claimed(far)["physics"] == ["diffract", "translate", "simulate"] and claimed(far)["model"] == []
    with pytest.raises(Exception, match="Backend offers no `merge`"):
        Proxy(far).merge(np.zeros(1), np.zeros(1), 3)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.complex64).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12, dtype=np.int16)[::2],
        np.zeros((0, 3), bool),
        np.array(3.5),
        np.array(["a", "bc"]),
    ],
    ids=["complex", "fortran", "gaps", "empty", "scalar", "text"],
)
def test_arrays_cross_bit_for_bit(far: Any, value: np.ndarray) -> None:
    record = Proxy(far).record(diff3d=value)
    back = record.diff3d
    assert back.dtype == value.dtype and back.shape == value.shape and back.tobytes() == value.tobytes()
    assert record.diff3d.flags.c_contiguous == value.flags.c_contiguous


@pytest.mark.parametrize(
    "value",
    [None, True, -3, 10**40, float("inf"), 2.5e-300, "ä\ud800", b"\x00\xff", 1 - 2j, (1, [2, {"k": (3,)}]), {1, 2}, Path("a/b"),
     slice(1, None), range(3), ..., np.float32(1.5), np.int64(7), np.dtype("float32"), np.float64, int, {(1, 2): None}],
    ids=str,
)  # fmt: skip
def test_plain_values_cross_as_they_are(far: Any, value: Any) -> None:
    back = Proxy(far).record(value=value).value
    assert back == value and type(back) is type(value)


def test_a_value_that_is_not_a_number_crosses(far: Any) -> None:
    assert np.isnan(Proxy(far).record(value=float("nan")).value)


def test_an_object_is_the_same_object_twice(far: Any) -> None:
    record = Proxy(far).record(diff3d=np.arange(3))
    again = Proxy(far).record(inner=record)
    assert again.inner is record and type(again) is type(record) and type(record).__name__ == "Record"
    assert len(record) == 3 and record[1] == 1 and not hasattr(record, "nothing") and not callable(record)


def test_the_live_registry_is_live(far: Any) -> None:
    live = Proxy(far).registry()
    assert live is Proxy(far).registry() and isinstance(live, dict) and dict(live) == {"N": 64}
    live.clear()
    live.update(gridsize=3)
    live["N"] = 5
    assert dict(Proxy(far).registry()) == {"gridsize": 3, "N": 5} and "N" in live and sorted(live) == ["N", "gridsize"]


def test_what_is_changed_there_is_changed_here(far: Any) -> None:
    @dataclasses.dataclass
    class Settings:
        gridsize: int

    images, registry = np.zeros((2, 2)), {"old": 1}
    first, second = Proxy(far).translate(images, images)
    Proxy(far).synchronise(Settings(4), registry)
    assert images[0, 0] == 5 and first is second and registry == {"old": 1, "gridsize": 4}


def test_nested_answers_keep_their_objects(far: Any) -> None:
    answer = Proxy(far).simulate(np.ones(3), np.ones(3), 1.0, 0)
    assert isinstance(answer, Mapping) and native.shape(answer["label"].diff3d) == (3,)
    assert list(Proxy(far).read(Path("x"), how="many")) == [0, 1, 2]


def test_errors_keep_class_message_and_cause(far: Any) -> None:
    with pytest.raises(ValueError) as caught:
        Proxy(far).read(Path("x"), how="raise")
    error = caught.value
    assert type(error).__name__ == "Own" and error.args == ("then", 3) and isinstance(error.__cause__, KeyError)
    assert blame.origin(error, Path("nowhere")) == "backend"
    with pytest.raises(FileNotFoundError, match="nowhere.npz"):
        Proxy(far).read(Path("nowhere.npz"), how="open")


def test_an_attribute_that_raises_is_the_backends_fault_and_one_that_is_not_there_is_not(far: Any) -> None:
    record = Proxy(far).record()
    with pytest.raises(ValueError, match="broken inside") as broken:
        record.broken  # noqa: B018
    with pytest.raises(AttributeError, match="nothing") as absent:
        record.nothing  # noqa: B018
    here = Path(__file__).parent
    assert blame.origin(broken.value, here) == "backend" and blame.origin(absent.value, here) == "check"


def test_a_property_is_seen_on_the_class_of_a_handle_though_reading_it_fails(far: Any) -> None:
    record = Proxy(far).record(broken_too=1)
    assert {name for kind in type(record).__mro__ for name in vars(kind)} & {"broken", "broken_too", "nothing"} == {"broken"}


def test_what_a_scene_does_not_find_in_an_answer_is_a_matter_of_form() -> None:
    from conformance.scenes import counts

    here = Path(__file__).parent
    with pytest.raises(KeyError) as absent:
        counts.weighted(None, {"module": None})
    assert blame.origin(absent.value, here) == "check"
    assert blame.origin(absent.value, Path("nowhere")) == "harness"  # beneath no check: nobody has answered


def test_warnings_and_log_records_are_given_here(far: Any, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        Proxy(far).read(Path("x"), how="warn")
    Proxy(far).read(Path("x"), how="log")
    told = [(w.category, str(w.message)) for w in given if w.category is not ResourceWarning]  # other tests' sockets
    assert told == [(FutureWarning, "careful")]
    assert [(r.name, r.levelno, r.getMessage()) for r in caplog.records] == [("far", logging.WARNING, "logged 3")]


def test_it_stands_where_the_suite_stands(far: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    information(far)
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    assert Proxy(far).read(Path("x"), how="here") == str(tmp_path / "inner")


def test_its_random_numbers_are_seeded(far: Any) -> None:
    beside.seed(far, 3)
    first = Proxy(far).read(Path("x"), how="random")
    beside.seed(Proxy(far), 3)
    assert Proxy(far).read(Path("x"), how="random") == first


def test_torch_is_seeded_without_a_word_to_devices_that_are_not_there() -> None:
    """For each of them `torch.manual_seed` keeps the stack of its caller: milliseconds, twice a check."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    expected, queued = torch.rand(2), len(torch.cuda._queued_calls)

    beside.seed(None, 3)

    assert torch.equal(torch.rand(2), expected)
    assert torch.accelerator.is_available() or len(torch.cuda._queued_calls) == queued


def test_a_file_is_seen_being_opened_there(far: Any, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("1")
    live = Proxy(far).registry()
    live["N"] = 8
    with audit.watching(tmp_path / "data.txt", live) as seen:
        Proxy(far).read(tmp_path / "data.txt", how="open")
        live["N"] = 9
    assert seen == [{"N": 8}]


def test_what_it_prints_is_a_note(far: Any) -> None:
    Proxy(far).read(Path("x"), how="print")
    assert far.connection.printed() == "hello from afar\n" and far.connection.printed() == ""


def test_texts_and_numbers_reach_a_backend_as_objects_of_their_own() -> None:
    name, count = "auto", 64 * 1000
    seen: list[Any] = []
    backend = SimpleNamespace(canonical=lambda kind, **fields: seen.extend([kind, *fields.values()]))

    Proxy(backend).canonical(name, accelerator=name, epochs=count, given=True, absent=None)

    assert seen == [name, name, count, True, None] and seen[3] is True
    assert all(one is not given for one, given in zip(seen, (name, name, count), strict=False))


class Deviceless:
    """A backend that lives on the CPU, and says nothing of devices."""


def test_who_takes_no_device_is_made_without_and_lives_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stranger", SimpleNamespace(Backend=Deviceless, build=lambda **options: options))
    assert isinstance(connect("stranger:Backend"), Deviceless)
    assert connect("stranger:build", "cuda") == {"device": "cuda"}
    with pytest.raises(UnknownBackend, match="takes no argument `device`, and 'cuda' was asked for"):
        connect("stranger:Backend", "cuda")


class Strict:
    """Methods of exactly the protocol's arguments, what may be left out left out."""

    def loaders(self, train: Any, test: Any, config: Any) -> tuple[Any, Any]:
        return train, test


class Wider(Strict):
    """The same, which takes more."""

    def loaders(self, train: Any, test: Any, config: Any, execution: Any = None, more: Any = None) -> tuple[Any, Any]:
        return train, test


@pytest.mark.parametrize("kind", [Strict, Wider])
def test_a_check_gives_no_argument_that_the_protocol_does_not_have(kind: type) -> None:
    """Whoever wrote a backend has read the protocol alone: one that takes more hides a check that gives more."""
    backend = Proxy(kind())

    assert backend.loaders(1, None, None) == (1, None)
    for given, options in (((1, None, None, None, None), {}), ((1, None, None), {"more": 2}), ((1,), {})):
        with pytest.raises(AttributeError, match="the protocol has no `loaders` that is called so"):
            backend.loaders(*given, **options)


def test_what_may_be_left_out_of_a_method_is_seen_on_it() -> None:
    assert [beside.takes(Proxy(kind()), "loaders", "execution") for kind in (Strict, Wider)] == [False, True]
    assert not beside.takes(Proxy(SimpleNamespace(loaders=max)), "loaders", "execution")
