"""Connectors: a backend that dies, hangs, lives elsewhere, or asks for what is not its own."""

from __future__ import annotations

import os
import sys
import textwrap
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.connectors.connect import Proxy, connect, information
from conformance.connectors.far.connection import Died, NoSuchInterpreter, TimedOut, interpreter
from conformance.connectors.far.faults import Dependent
from conformance.connectors.names import UnknownBackend, split
from conformance.judging import blame, states
from conformance.repro import script
from conformance.selftest.far import BACKEND, far
from conformance.selftest.house import House, check
from conformance.selftest.test_observe import observer

__all__ = ["far"]
ARGUMENTS = "backend, observe, way"


def test_names_are_split() -> None:
    assert split("numpy") == split("direct:numpy")[:2] + ("numpy",)
    assert split("proc:a.b:C") == ("proc", sys.executable, "a.b:C")
    assert split("venv:/x/y:a.b:C") == ("venv", "/x/y", "a.b:C")
    assert split("a.b:C") == ("direct", sys.executable, "a.b:C")


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoSuchInterpreter, match=r"venv:.*nowhere: expected an environment's folder or its Python"):
        interpreter(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(("how", "said"), [("die", "exit code 7"), ("abort", "signal SIGABRT"), ("orphan", "exit code 7")])
def test_death_is_a_crash_and_the_next_question_has_a_new_process(far: Any, how: str, said: str) -> None:
    record = Proxy(far).record()
    with pytest.raises(Died, match=said) as caught:
        Proxy(far).read(Path("x"), how=how)
    assert states.outcome(caught.value, observer(), "call", Path("nowhere")).state == "crash"
    with pytest.raises(Died, match="has ended"):
        record.anything  # noqa: B018
    assert Proxy(far).diffract(np.ones(1), np.ones(1)) == 1 and far.connection.lives == 2


def test_a_hang_is_a_timeout(far: Any) -> None:
    far.connection.patience = 1.0
    with pytest.raises(TimedOut, match="no answer within 1 s") as caught:
        Proxy(far).read(Path("x"), how="hang")
    assert states.outcome(caught.value, observer(), "call", Path("nowhere")).state == "timeout"
    assert Proxy(far).diffract(np.ones(1), np.ones(1)) == 1


@pytest.mark.parametrize("how", ["reference", "quietly", "oracle"])
def test_who_asks_for_the_reference_or_an_oracle_is_refused_by_name(far: Any, how: str) -> None:
    with pytest.raises(Dependent, match="reference_impl|conformance.oracles") as caught:
        Proxy(far).read(Path("x"), how=how)
    assert "far_backend.py" in str(caught.value) and blame.origin(caught.value, Path("nowhere")) == "backend"


def test_who_reads_the_oracles_source_is_refused_too(far: Any) -> None:
    with pytest.raises(Dependent, match="oracles"):
        Proxy(far).read(Path(native.__file__).parents[1] / "oracles" / "physics.py", how="source")


def test_the_reference_itself_may_be_the_reference() -> None:
    made = connect("proc:reference")
    assert information(made).name == "reference"
    made.connection.close()


def test_an_adapter_that_cannot_be_made_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lame.py").write_text("raise RuntimeError('no engine here')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownBackend, match="cannot be made: RuntimeError: no engine here .*lame.py:1"):
        information(connect("proc:lame:Backend"))
    with pytest.raises(UnknownBackend, match="no module 'nobody'"):
        information(connect("proc:nobody:Backend"))


def test_an_environment_without_numpy_is_named(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    with pytest.raises(UnknownBackend, match="(?s)bare.*could not be started there.*No module named 'numpy'"):
        information(connect(f"venv:{tmp_path / 'bare'}:numpy"))


def test_another_environment_is_used_and_nothing_of_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds its own packages and the harness, and not what is installed here."""
    venv.create(tmp_path / "other", with_pip=False)
    site = next((tmp_path / "other").glob("lib/python*/site-packages"))
    os.symlink(Path(np.__file__).parent, site / "numpy")
    for libraries in Path(np.__file__).parent.parent.glob("numpy.libs"):
        os.symlink(libraries, site / "numpy.libs")
    code = BACKEND + textwrap.dedent("""
        try:
            import scipy
            LIVE["scipy"] = True
        except ImportError:
            LIVE["scipy"] = False
    """)
    (tmp_path / "far_backend.py").write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    made = connect(f"venv:{tmp_path / 'other'}:far_backend:Backend")
    assert information(made).python.startswith(str(tmp_path / "other")) and dict(made.registry())["scipy"] is False
    made.connection.close()


def test_a_busy_process_does_not_outlive_the_harness(far: Any) -> None:
    information(far)
    child = far.connection._process
    far.connection._line.end.close()
    began = time.monotonic()
    while child.poll() is None and time.monotonic() - began < 20:
        time.sleep(0.05)
    assert child.poll() == 0


WAYS = '@pytest.mark.parametrize("way", ["die", "hang", "print", "careful", "oracle", "here"])'


def test_a_run_tells_each_of_them_and_loses_nothing(house: House) -> None:
    """Whoever comes next has a new process; the run is red, and whole."""
    asks = check(
        "asks", 'observe.holds("answer", backend.read("x", how=way) != 1, "one", "none")', above=WAYS, arguments=ARGUMENTS
    )
    house.tests("physics", asks, check("after", 'observe.equal("n", len(backend.registry()), 1)'))
    (house.root / "far_backend.py").write_text(BACKEND, encoding="utf-8")
    done = house.conform("run", "--workers", "1", "--patience", "4", backend="proc:far_backend:Backend")
    expected = {"die": "crash", "hang": "timeout", "print": "pass", "careful": "pass", "oracle": "crash", "here": "pass"}
    states_ = {f"PHYS-001:asks[{way}]": state for way, state in expected.items()} | {"PHYS-001:after": "pass"}
    assert (done.returncode, house.states()) == (1, states_), done.output
    printed = {line["check"]: line["printed"] for line in house.lines() if "printed" in line}
    assert printed == {"PHYS-001:asks[print]@cpu": "hello from afar\n"}
    assert "note: the backend printed while 1 check ran" in done.stdout
    assert (house.folder() / "backend-gw0.log").read_text() == "hello from afar\n"


@pytest.mark.parametrize(("name", "door", "python"), [
    ("proc:mutant:DEF-002", "conformance.mutants:REGISTER.backend=DEF-002", "python"),
    ("direct:numpy", "conformance.backends.numpy_only:Backend", "python"),
    (f"venv:{sys.executable}:a.b:C", "a.b:C", sys.executable),
])  # fmt: skip
def test_a_script_asks_the_backend_itself(name: str, door: str, python: str) -> None:
    """No connection stands between a script and the backend; it is called with the backend's own interpreter."""
    assert (script.door(name), script.python(name)) == (door, python)


def test_an_environment_that_is_not_there_ends_the_run_before_it_begins(house: House) -> None:
    house.tests("physics", check("after", 'observe.equal("n", 1, 1)'))
    done = house.conform("run", "--workers", "1", backend="venv:/nowhere:numpy")
    assert done.returncode == 4 and "venv:/nowhere: expected an environment's folder" in done.stdout, done.output
