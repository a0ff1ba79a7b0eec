"""A process that finds its libraries imported is, but for its time, the process that was asked for."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance.protocol
from conformance.connectors import process, warm

LIBRARIES = ("packaging.version", "no_such_library", "iniconfig")
ASKS = "import sys\nprint(type(sys.meta_path[0]).__name__ == 'Kept')\n"
SEEN = "print(sorted(name for name in sys.modules if name.partition('.')[0] in ('packaging', 'iniconfig')))"
OURS = "print(sorted(name for name in sys.modules if name.split('.')[0] in ('conformance', 'reference_impl')))"
PROGRAMS = {
    "what it is told": "import os, sys\nprint(sys.argv[1:], os.getcwd(), os.environ['TOLD'], __name__, sys.stdin.read())",
    "its path": "import sys\nprint(list(dict.fromkeys(sys.path)))",
    "a code": "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(7)",
    "last words": "raise SystemExit('it ends here')",
    "an error": "raise ValueError('of its own')",
    "a signal": "import os, signal\nprint('before', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)",
    "what runs at its end": "import atexit\natexit.register(print, 'at the end')\nprint('first')",
    "a thread": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()",
    "a warning": "import warnings\nwarnings.warn('soon', DeprecationWarning)\nwarnings.warn('soon', PendingDeprecationWarning)",
    "its main": "import sys, pickle\ndef f(): pass\nprint(sys.modules['__main__'].f is f, pickle.loads(pickle.dumps(f)) is f)",
    "nothing": f"import sys\n{SEEN}",
    "a library": f"import sys\nimport packaging.version as v\n{SEEN}\nprint(v.__spec__.origin, v.parse('2') > v.Version('1'))",
    "a part of it": f"import sys\nfrom packaging import version\nimport packaging.tags as t\n{SEEN}\nprint(t.__spec__.name)",
    "one that is looked for": f"import sys, importlib.util as u\nprint(u.find_spec('iniconfig').origin)\n{SEEN}",
    "one by its name": "import sys, importlib\nprint(importlib.import_module('iniconfig').__spec__.origin)",
    "one anew": "import importlib, iniconfig\nprint(importlib.reload(iniconfig) is iniconfig, iniconfig.__spec__.origin)",
    "one that is absent": "import no_such_library",
    "ours": f"import sys\n{OURS}",
}


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    with warm.interpreter(LIBRARIES) as path:
        yield path


def told(done: process.Completed) -> tuple[int, str, list[str]]:
    """Code, output and errors, without the lines of a traceback that name this machinery's own file."""
    return done.returncode, done.stdout, [line for line in done.stderr.splitlines() if not line.startswith("  ")]


@pytest.mark.parametrize("warnings", [None, "default", "error"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_goes_as_in_a_new_interpreter(stub: str, tmp_path: Path, name: str, warnings: str | None) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAMS[name] + "\n")
    calls = [[str(script), "a", "b c"], ["-m", "program", "a", "b c"]]
    environment = {"PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": warnings, "TOLD": "ä"}

    found, expected = (
        [told(process.run([python, *words], env=environment, cwd=tmp_path)) for words in calls]
        for python in (stub, sys.executable)
    )

    assert found == expected


def test_a_program_inherits_what_a_new_interpreter_does(stub: str, tmp_path: Path) -> None:
    """Rights of new files, limits and signals that are ignored are the parent's when it asks, not the server's when it began."""
    program = """
import os, resource, signal
open("new", "w")
print(oct(os.stat("new").st_mode), resource.getrlimit(resource.RLIMIT_NOFILE))
print(*(signal.getsignal(one) == signal.SIG_IGN for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)))
os.remove("new")
"""
    (tmp_path / "program.py").write_text(program)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    umask, handled = os.umask(0o027), signal.signal(signal.SIGHUP, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 7, hard))
    try:
        found, expected = (process.run([python, "program.py"], cwd=tmp_path).stdout for python in (stub, sys.executable))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.umask(umask)
        signal.signal(signal.SIGHUP, handled)

    assert found == expected and "0o100640" in found and found.endswith(" True True\n")


def test_libraries_are_kept_and_a_new_interpreter_has_none(stub: str, tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(ASKS)

    assert [process.run([python, str(script)]).stdout for python in (stub, sys.executable)] == ["True\n", "False\n"]


@pytest.mark.parametrize("how", ["code", "option", "customised", "variable"])
def test_what_a_fork_cannot_be_is_a_new_interpreter(stub: str, tmp_path: Path, how: str) -> None:
    (tmp_path / "program.py").write_text(ASKS)
    (tmp_path / "sitecustomize.py").write_text("" if how == "customised" else "raise SystemExit('it is not asked for')")
    words = {
        "code": ["-c", ASKS],
        "option": ["-X", "utf8", str(tmp_path / "program.py")],
    }
    given = {"customised": {"PYTHONPATH": str(tmp_path)}, "variable": {"PYTHONHASHSEED": "3"}}

    done = process.run([stub, *words.get(how, [str(tmp_path / "program.py")])], env=given.get(how, {}))

    assert (done.returncode, done.stdout) == (0, "False\n")


def test_a_fork_finds_this_project_compiled_and_compiles_nothing_else(stub: str, tmp_path: Path) -> None:
    """A changed copy of a package, which a mutant plants, is read from its own text."""
    (tmp_path / "other.py").write_text("")
    text = "import other, pathlib, conformance.protocol as ours\nfor module in (ours, other):\n"
    (tmp_path / "program.py").write_text(text + "    print(pathlib.Path(module.__cached__).is_file(), module.__file__)\n")

    done = process.run([stub, str(tmp_path / "program.py")], env={"PYTHONPATH": str(tmp_path)})

    assert done.stdout.splitlines() == [f"True {conformance.protocol.__file__}", f"False {tmp_path / 'other.py'}"]


def test_a_fork_ends_with_its_client(stub: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import time\ntime.sleep(1)\nopen('late', 'w')\n")

    with pytest.raises(process.NoAnswer):
        process.run([stub, str(tmp_path / "program.py")], cwd=tmp_path, timeout=0.3)
    time.sleep(1.5)

    assert not (tmp_path / "late").exists()


def test_programs_run_beside_each_other(stub: str, tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(
        "import subprocess, sys\nprint(subprocess.run([sys.executable, 'second.py'], capture_output=True, text=True).stdout)\n"
    )
    (tmp_path / "second.py").write_text(ASKS)

    assert process.run([stub, "first.py"], cwd=tmp_path).stdout == "True\n\n"


def test_checks_start_forks_inside_of_it_and_interpreters_outside(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(ASKS)
    argv = (sys.executable, str(tmp_path / "program.py"))

    with warm.started(LIBRARIES):
        inside = process.run(argv)
    outside = process.run(argv)

    assert (inside.stdout, inside.argv) == ("True\n", argv)
    assert outside.stdout == "False\n"
    assert process.INTERPRETER not in os.environ


def test_what_a_fork_costs_is_written_where_its_client_says(stub: str, tmp_path: Path) -> None:
    """The server is nobody's child here: without this a budget of CPU would not hold for what its forks use."""
    (tmp_path / "program.py").write_text("import time\nwhile time.process_time() < 0.4:\n    pass\n")
    account = tmp_path / "cpu"

    for _ in range(2):
        process.run([stub, str(tmp_path / "program.py")], env={warm.ACCOUNT: str(account)})

    assert 0.8 <= warm.spent(account) < 8
    assert warm.spent(tmp_path / "none") == 0


def test_a_fork_is_traced_where_tracing_is_asked_for(stub: str, tmp_path: Path) -> None:
    """Without the `sitecustomize` by which a new interpreter is traced; another one still makes it a new interpreter."""
    (tmp_path / "coverage.py").write_text("def process_startup():\n    print('traced')\n")
    (tmp_path / "program.py").write_text(ASKS)
    (hook := tmp_path / "hook").mkdir()
    (hook / "sitecustomize.py").write_text("print('traced')\n")
    environment = {"COVERAGE_PROCESS_START": str(tmp_path / "coverage.ini"), "PYTHONPATH": f"{hook}:{tmp_path}"}

    found = [process.run([python, "-m", "program"], env=environment, cwd=tmp_path).stdout for python in (stub, sys.executable)]
    (tmp_path / "sitecustomize.py").write_text("")
    other = process.run([stub, "-m", "program"], env=environment, cwd=tmp_path).stdout

    assert found == ["traced\nTrue\n", "traced\nFalse\n"]
    assert other == "traced\nFalse\n"


def test_a_mutated_backend_can_be_made_in_a_fresh_process_and_its_commands_are_mutated(tmp_path: Path) -> None:
    """By the name that a result has, in new interpreters and in forks of the warm one; here the text has a line more."""
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from conformance.defects import mutations
mutations.mutated = lambda text, mutation: text + 'MUTATED = True\\n'
from conformance.connectors.connect import connect
from conformance.cli import main
from conformance.connectors import process, warm
backend = connect('mutation:policy.py:AddNot:0')
import reference_impl.policy

said = 'import sys, reference_impl.policy as p; print(p.MUTATED, type(sys.meta_path[0]).__name__)'
open('asks.py', 'w').write(said)
print(reference_impl.policy.MUTATED)
with warm.started(('packaging.version',)):
    for words in (['-c', said], ['asks.py'], ['-m', 'asks']):
        print(process.run([sys.executable, *words], cwd={str(tmp_path)!r}).stdout.strip())
"""
    said = process.run([sys.executable, "-c", code], cwd=tmp_path).stdout.splitlines()
    assert said[0] == "True" and said[1].startswith("True ") and said[2:4] == ["True Kept", "True Kept"]
