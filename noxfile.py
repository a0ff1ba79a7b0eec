"""How everything is run. `python3 noxfile.py -s cpu` needs Python 3.11 or newer with venv and pip, and nothing else.

Sessions: cpu, profiles, ranks, cuda (the suite on the reference), "cpu(lowest)", "cpu(newest)", …, columns (with other versions),
mutants, twins, mutation, replay (on defects and freedoms), tests, page (in a browser), strangers (the suite on other backends),
ptychodus, formats, lint, bench, quality, snapshots.
All of them share one environment, installed from `.ci/constraints.txt`, but for the columns and the strangers
(`.ci/environments.py`); with `--no-venv` they use the interpreter they are in and install nothing. nox turns every failure into
exit code 1: the true code stands in the footer of the log under `reports/`.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / ".ci"))
import environments  # noqa: E402
from environments import BIN, CONSTRAINTS, HOUSE, PIP  # noqa: E402

REPORTS = ROOT / "reports"
BOOTSTRAP = ROOT / ".nox" / "bootstrap"
CLIENT = "ptychodus==1.7.0"
RECIPES = tomllib.loads((ROOT / "conformance" / "backends" / "install.toml").read_text(encoding="utf-8"))
PROFILES = ("core", "cli", "ptychodus", "reconstruct", "supervised", "multimode", "mmap")
TESTS = ("conformance/selftest", "reference_impl/tests")
PAGES = ("conformance/selftest/test_page.py", "conformance/selftest/test_page_site.py")


def bootstrap(arguments: list[str]) -> int:
    """Run nox with these arguments; where it is missing, in an environment of its own. Returns its exit code."""
    command = [sys.executable, "-m", "nox"]
    if subprocess.run([*command, "--version"], capture_output=True, cwd=ROOT).returncode != 0:
        python = BOOTSTRAP / BIN / "python"
        stamp = BOOTSTRAP / "constraints.sha256"
        wanted = hashlib.sha256(CONSTRAINTS.read_bytes()).hexdigest()
        if not stamp.is_file() or stamp.read_text() != wanted:
            print(f"setting up nox in {BOOTSTRAP}", flush=True)
            venv.create(BOOTSTRAP, with_pip=True, clear=True)
            subprocess.run([str(python), "-m", "pip", *PIP, "nox"], check=True)
            stamp.write_text(wanted)
        command = [str(python), "-m", "nox"]
    environment = {**os.environ, "CONFORM_PYTHON": sys.executable}
    return subprocess.run([*command, "-f", str(ROOT / "noxfile.py"), *arguments], env=environment).returncode


if __name__ == "__main__":
    sys.exit(bootstrap(sys.argv[1:]))

import nox  # noqa: E402

nox.needs_version = ">=2024.4"
nox.options.sessions = ["lint", "tests", "cpu"]
# nox makes an environment a session; torch is too large for that. The sessions share one, which `prepare` makes.
nox.options.default_venv_backend = "none"


@nox.session
def cpu(session: nox.Session) -> None:
    """The registry's lint, then the profiles of `PROFILES` on the reference backend."""
    python = prepare(session)
    tee(session, "trace", [python, "-m", "conformance", "trace"])
    examine(session, python, "cpu", more=[] if session.posargs else ["--warm"])  # a few checks alone do not pay for it


@nox.session
def profiles(session: nox.Session) -> None:
    """Every profile that `cpu` leaves out, on the reference backend; `ranks` has a session of its own."""
    rest = {path.stem for path in (ROOT / "specs" / "profiles").glob("*.toml")} - {*PROFILES, "suite", "ranks"}
    if rest:  # at times all of them are quick enough for `cpu`
        examine(session, prepare(session, "fno"), "cpu", sorted(rest), "profiles")  # profile `generators` examines it too


@nox.session
def ranks(session: nox.Session) -> None:
    """Trainings on two processes of this machine (gloo): profile `ranks`."""
    examine(session, prepare(session), "cpu", ["ranks"], "ranks")


@nox.session
def cuda(session: nox.Session) -> None:
    """The checks that mean something on a CUDA device; without one they are counted and skipped, or, if required, failed."""
    on_cuda(session, prepare(session))


def of_column(kind: str, name: str) -> Callable[[nox.Session], None]:
    """The session of a column of versions: `cpu(pinned)` is what `cpu` is, the others have environments of their own."""

    def session(session: nox.Session) -> None:
        python = prepare(session) if name == "pinned" and kind != "numpy" else environments.column(session.log, name, kind)
        label = kind if name == "pinned" else f"{kind}-{name}"
        if kind == "cuda":
            return on_cuda(session, python, label)
        tee(session, "trace", [python, "-m", "conformance", "trace"])
        backend, asked = ("reference", PROFILES) if kind == "cpu" else ("numpy", ())
        examine(session, python, "cpu", asked, label, backend=backend)

    session.__doc__ = f"`{kind}` with the versions of the column {name} (.ci/environments.py)."
    return session


for kind, name in itertools.product(environments.KINDS, environments.names()):
    nox.session(name=f"{kind}({name})", default=False)(of_column(kind, name))


@nox.session
def columns(session: nox.Session) -> None:
    """The newest runs of `cpu` in each column on one page, and what moved between the first and the others. Runs no check."""
    python, (first, *others) = prepare(session), environments.newest(REPORTS)
    tee(session, "columns", [python, "-m", "conformance", "report", first, *others, "--output", "{folder}"])
    for other in others:
        tee(session, f"diff-{Path(other).name}", [python, "-m", "conformance", "diff", first, other])


@nox.session
def tests(session: nox.Session) -> None:
    """The harness's and the reference's own tests."""
    browser = [f"--ignore={path}" for path in PAGES]  # a session of its own: `page`
    tee(session, "tests", [prepare(session), "-m", "pytest", "-n", "2", "-q", *browser, *TESTS, *session.posargs])


@nox.session
def mutants(session: nox.Session) -> None:
    """Every known defect is caught for its reason, every freedom of the contract is left in peace."""
    conform(session, prepare(session), "mutants", "--output", str(REPORTS), *session.posargs)


@nox.session
def twins(session: nox.Session) -> None:
    """Every allowed variation on every quick check of the suite, several at once: none of them may be accused."""
    conform(session, prepare(session), "mutants", "--twins", "--output", str(REPORTS), *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """A sample of changes that nobody wrote, on the suite alone; stopped, it goes on where it was (reports/mutation)."""
    conform(session, prepare(session, "mutation"), "mutation", "--folder", str(REPORTS / "mutation"), *session.posargs)


@nox.session
def replay(session: nox.Session) -> None:
    """The seven defects of 20 October 2025, planted together and taken away one by one."""
    conform(session, prepare(session), "replay", "seed-day", "--output", str(REPORTS))


@nox.session
def page(session: nox.Session) -> None:
    """report.html and the site in a real browser; needs chromium and chromedriver, and fails where they are missing."""
    python = prepare(session, "page")
    tee(session, "page", [python, "-m", "pytest", "-n", "0", "-q", *PAGES, *session.posargs])


@nox.session
def strangers(session: nox.Session) -> None:
    """Every other backend that can be installed here, beside the reference: one table, one matrix. Says what could not be."""
    python, found, absent = prepare(session), ["reference", "proc:numpy"], []
    for name, recipe in RECIPES.items():
        try:
            place = environments.stranger(session.log, name, recipe)
            found += [f"venv:{place}:{adapter}" for adapter in recipe["adapters"]]
        except (subprocess.CalledProcessError, OSError) as error:
            absent.append(f"not installed: {', '.join(recipe['adapters'])}: {error}")
    argv = [python, "-m", "conformance", "run", *(part for name in found for part in ("--backend", name))]
    os.makedirs(room := ROOT / ".nox" / "strangers" / "room", exist_ok=True)  # some of them write where they stand
    code, _ = spoken([*argv, "--output", str(REPORTS), "--label", "strangers", *session.posargs], cwd=room)
    print(*absent, sep="\n", flush=True)
    if code not in (0, 1, 6):  # reds of strangers are what the session is for
        session.error(f"conform run ended with {code}")


@nox.session
def ptychodus(session: nox.Session) -> None:
    """The released ptychodus, unmodified, on the reference: export, train, save, open, reconstruct, compare; both libraries."""
    python = environments.of_the_pins(session.log, ROOT / ".nox" / "ptychodus", CLIENT, "-e", f"{ROOT}[reference]")
    tee(session, "ptychodus", [python, "-m", "conformance.clients.trial", "--output", "{folder}", *session.posargs])


@nox.session
def formats(session: nox.Session) -> None:
    """Files that other programs write, through `convert`, and ours through them; their environments lie under `.nox/formats`."""
    argv = ["-m", "reference_impl.interop", "--environments", str(ROOT / ".nox" / "formats"), "--output", "{folder}"]
    tee(session, "formats", [prepare(session), *argv, *session.posargs])


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, the arrows between the rooms, the rules of style that ruff cannot say, and whether what follows from results does."""
    python = prepare(session)
    tee(session, "ruff", [python, "-m", "ruff", "check", "."])
    tee(session, "format", [python, "-m", "ruff", "format", "--check", "."])
    tee(session, "imports", [str(Path(python).with_name("lint-imports")), "--no-cache"])
    tee(session, "style", [python, "-m", "conformance.selftest.style"])
    tee(session, "publish", [python, "-m", "conformance", "publish", "--check"])


@nox.session
def bench(session: nox.Session) -> None:
    """Times and memory of the reference, against their bounds; `-- --peers`, `--to-error`, `--doses`: beside pty-chi."""
    argv, python = [word for word in session.posargs if word != "--peers"], prepare(session)
    if {"--peers", "--to-error", "--doses"} & set(session.posargs):
        argv = ["--peers", str(environments.stranger(session.log, "ptychi", RECIPES["ptychi"]) / BIN / "python"), *argv]
    tee(session, "bench", [python, "-m", "reference_impl.bench", *argv])


@nox.session
def quality(session: nox.Session) -> None:
    """Reconstruction quality of the reference on synthetic objects, each beside its null."""
    tee(session, "quality", [prepare(session), "-m", "reference_impl.quality", *session.posargs])


@nox.session
def snapshots(session: nox.Session) -> None:
    """Write the suite's snapshots anew, in one process; look at the difference before committing it."""
    argv = [prepare(session), "-m", "pytest", "-n", "0", "-q", "--snapshot-update", *(session.posargs or ["conformance/suite"])]
    tee(session, "snapshots", argv)


# -- helpers -------------------------------------------------------------------------------------------------------------------


def prepare(session: nox.Session, extra: str = "") -> str:
    """The interpreter to use: the shared environment's, or that of one with an extra over it; with `--no-venv`, this one."""
    return (
        environments.over(session.log, extra) if extra else environments.of_the_pins(session.log, HOUSE, *environments.HOUSEHOLD)
    )


def on_cuda(session: nox.Session, python: str, label: str = "") -> None:
    """What `cuda` does, with an environment's interpreter."""
    code, said = examine(session, python, "cuda", label=label, forgiven=(5,))
    if code == 5:
        counted = next((line for line in said.splitlines() if "not evaluated" in line and " check" in line), "nothing evaluated")
        if os.environ.get("CONFORM_REQUIRE_CUDA") == "1":
            session.error(f"CONFORM_REQUIRE_CUDA=1, but there is no CUDA device; {counted}")
        session.skip(f"no CUDA device; {counted}")


def examine(
    session: nox.Session, python: str, device: str, asked: Sequence[str] = PROFILES, label: str = "",
    forgiven: Sequence[int] = (), backend: str = "reference", more: Sequence[str] = (),
) -> tuple[int, str]:  # fmt: skip
    """`conform run` on a backend; it keeps its own log. Returns code and output; a code that is not forgiven is an error."""
    argv = [python, "-m", "conformance", "run", "--backend", backend, "--device", device, "--output", str(REPORTS)]
    argv += ["--label", label or device, *(part for name in asked for part in ("--profile", name))]
    code, said = spoken([*argv, *more, *session.posargs])
    if code != 0 and code not in forgiven:
        session.error(f"conform run ended with {code}")
    return code, said


def conform(session: nox.Session, python: str, *words: str) -> None:
    """A verb of `conform`, which keeps its own log; its failure is the session's."""
    if code := spoken([python, "-m", "conformance", *words])[0]:
        session.error(f"conform {words[0]} ended with {code}")


def tee(session: nox.Session, label: str, argv: list[str]) -> None:
    """Run a command with its output on the terminal and in `reports/<UTC>/<label>/run.log`; its failure is the session's.

    `{folder}` in an argument is that folder.
    """
    folder = REPORTS / datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ") / label
    folder.mkdir(parents=True, exist_ok=True)
    log, began = folder / "run.log", time.monotonic()
    argv = [part.replace("{folder}", str(folder)) for part in argv]
    with log.open("w", encoding="utf-8") as stream:
        stream.write(f"# session {session.name}\n# argv {argv}\n")
        code, said = spoken(argv, stream)
        digest = hashlib.sha256(said.encode()).hexdigest()
        stream.write(f"# exit={code} seconds={time.monotonic() - began:.1f} sha256={digest}\n")
    print(f"log: {log}", flush=True)
    if code != 0:
        session.error(f"{label} ended with {code}; see {log}")


def spoken(argv: list[str], log: TextIO | None = None, cwd: Path = ROOT) -> tuple[int, str]:
    """Run a command (in the root), line by line on the terminal (and in the log); returns exit code and output."""
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part)
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    lines = []
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "encoding": "utf-8", "errors": "replace"}
    with subprocess.Popen(argv, cwd=cwd, env=environment, **pipes) as child:
        for line in child.stdout or ():
            lines.append(line)
            print(line, end="", flush=True)
            if log is not None:
                log.write(line)
                log.flush()
    return child.returncode, "".join(lines)
