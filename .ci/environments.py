"""The environments of the nox sessions, below `.nox`: the house's, those of strangers, and the columns of the matrix of versions.

`pinned`: what `.ci/constraints.txt` says; `lowest`: the lower bounds of pyproject.toml; `newest`: what pip gives today;
`python3.12`, …: what is pinned, on each other Python that is there (on the path, or of pyenv).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / ".ci" / "constraints.txt"
HOUSE = ROOT / ".nox" / "house"
HOUSEHOLD = ("-e", f"{ROOT}[reference,lint]")
BIN = "Scripts" if os.name == "nt" else "bin"
PIP = ("install", "-qq", "--disable-pip-version-check", "-c", str(CONSTRAINTS))
KINDS = {"cpu": "reference", "cuda": "reference", "numpy": ""}
"""The backend of a column → the extra that it needs; NumPy's needs none, and so no torch."""

MINORS = range(11, 16)
TORCH = "CONFORM_TORCH"
"""Variable with the version of torch that `lowest` and `newest` take, where pip has no fitting build of theirs (CUDA: 7 GB)."""


def names() -> list[str]:
    """`pinned`, `lowest`, `newest`, and a column for each other Python that is there."""
    others = [minor for minor in MINORS if minor != sys.version_info.minor and interpreter(minor)]
    return ["pinned", "lowest", "newest", *(f"python3.{minor}" for minor in others)]


def interpreter(minor: int) -> str:
    """Where Python 3.`minor` is; empty where it is not. A shim of pyenv starts none by itself, so its versions are looked at."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = shutil.which(f"python3.{minor}") or ""
    kept = sorted(
        root.glob(f"versions/3.{minor}.*/{BIN}/python"), key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))]
    )
    return str(kept[-1]) if kept else "" if "shims" in Path(found).parts else found


def lowest(pyproject: str, extra: str = "") -> list[str]:
    """`name==X` for each `name>=X` of the dependencies and of an extra, the higher of two; `ValueError` where there is none."""
    from packaging.requirements import Requirement  # late: nox brings it, and the set-up of nox itself reads this file
    from packaging.version import Version

    project = tomllib.loads(pyproject)["project"]
    wanted = project["dependencies"] + (project["optional-dependencies"][extra] if extra else [])
    found: dict[str, str] = {}
    for text in wanted:
        requirement = Requirement(text)
        bounds = [part.version for part in requirement.specifier if part.operator in (">=", "~=", "==")]
        if not bounds:
            raise ValueError(f"pyproject.toml: {text}: expected a lower bound (>=), found none")
        found[requirement.name] = max([*bounds, found.get(requirement.name, "0")], key=Version)
    return [f"{name}=={version}" for name, version in found.items()]


def constraints(column: str, kind: str) -> str:
    """The text of the constraints under which pip installs a column; of the newest only torch, where `CONFORM_TORCH` names it."""
    stated = [f"torch=={os.environ[TORCH]}"] if os.environ.get(TORCH) else []
    if column == "newest":
        lines = stated
    elif column == "lowest":
        bounds = lowest((ROOT / "pyproject.toml").read_text(encoding="utf-8"), KINDS[kind])
        lines = [line for line in bounds if not (stated and line.startswith("torch=="))] + stated
    else:
        return CONSTRAINTS.read_text(encoding="utf-8")
    return "".join(f"{line}\n" for line in lines)


def column(log: Callable[[str], None], name: str, kind: str) -> str:
    """The interpreter of a column's environment, made anew where constraints, pyproject.toml or (of the newest) the day changed.

    Raises `CalledProcessError` where pip finds no versions that fit each other: a bound that does not hold.
    """
    base = interpreter(int(name.partition(".")[2])) if name.startswith("python3.") else sys.executable
    extra, under = KINDS[kind], constraints(name, kind)
    day = datetime.now(UTC).date().isoformat() if name == "newest" else ""
    state = "\n".join([under, (ROOT / "pyproject.toml").read_text(encoding="utf-8"), day, base])
    place = ROOT / ".nox" / f"{extra or 'harness'}-{name}"
    python, stamp, digest = place / BIN / "python", place / "installed.sha256", hashlib.sha256(state.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        log(f"installing into {place}")
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--clear", "-p", base, str(place)], check=True)
        (place / "constraints.txt").write_text(under, encoding="utf-8")
        wanted = f"{ROOT}[{extra}]" if extra else str(ROOT)
        subprocess.run([str(python), "-m", "pip", *PIP[:4], str(place / "constraints.txt"), "-e", wanted], check=True)
        stamp.write_text(digest)
    return str(python)


def newest(reports: Path) -> list[str]:
    """The folder of the newest run of `cpu` in each column that has one below `reports`, in the order of the columns."""
    labels = ["cpu" if name == "pinned" else f"cpu-{name}" for name in names()]
    found = [sorted(reports.glob(f"*/{label}/report.jsonl")) for label in labels]
    return [str(paths[-1].parent) for paths in found if paths]


def of_the_pins(log: Callable[[str], None], place: Path, *wanted: str) -> str:
    """The interpreter of an environment with what is `wanted`, under the pins; with `--no-venv`, this one."""
    if "--no-venv" in sys.argv:
        return os.environ.get("CONFORM_PYTHON", sys.executable)
    python, stamp = place / BIN / "python", place / "installed.sha256"
    state = CONSTRAINTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    digest = hashlib.sha256(state + (b"" if place == HOUSE else wanted[0].encode())).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        log(f"installing into {place}")
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--clear", str(place)], check=True)
        subprocess.run([str(python), "-m", "pip", *PIP, *wanted], check=True)
        stamp.write_text(digest)
    return str(python)


def over(log: Callable[[str], None], extra: str) -> str:
    """The interpreter of an environment that has an extra of ours, and everything else from the house's, which stays as it is.

    An extra in the house itself would be there for every later session, and in no fresh clone's. With `--no-venv`, this one.
    """
    house = of_the_pins(log, HOUSE, *HOUSEHOLD)
    if "--no-venv" in sys.argv:
        return house
    place = HOUSE.with_name(f"{HOUSE.name}-{extra}")
    python, stamp = place / BIN / "python", place / "installed.sha256"
    digest = hashlib.sha256(CONSTRAINTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != digest:
        log(f"installing into {place}")
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--clear", "-p", house, str(place)], check=True)
        own, shared = (next(root.glob("[Ll]ib*/**/site-packages")) for root in (place, HOUSE))
        (own / "house.pth").write_text(f"{shared}\n", encoding="utf-8")
        subprocess.run([str(python), "-m", "pip", *PIP, "-e", f"{ROOT}[{extra}]"], check=True)
        stamp.write_text(digest)
    return str(python)


def stranger(log: Callable[[str], None], name: str, recipe: dict[str, Any]) -> Path:
    """An environment under `.nox/strangers`, installed once for each state of its recipe; a checkout goes onto its path.

    Raises CalledProcessError or OSError where that cannot be had.
    """
    place = ROOT / ".nox" / "strangers" / name
    source = Path(os.environ.get(recipe.get("folder", ""), place.with_name(f"{name}-checkout"))).resolve()
    if "checkout" in recipe and not source.is_dir():
        subprocess.run(["git", "clone", "-q", "--depth", "1", recipe["checkout"], str(source)], check=True)
    wanted = hashlib.sha256(repr((recipe, str(source))).encode()).hexdigest()
    stamp = place / "installed.sha256"
    if not stamp.is_file() or stamp.read_text() != wanted:
        log(f"installing into {place}")
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([str(place / BIN / "python"), "-m", "pip", *PIP[:3], *recipe["requirements"]], check=True)
        if "checkout" in recipe:
            (next(place.glob("lib*/**/site-packages")) / "checkout.pth").write_text(f"{source}\n")
        stamp.write_text(wanted)
    return place
