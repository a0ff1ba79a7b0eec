"""`conform new-backend`: a package to fill in, written whole or not at all."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conformance.cli.shared import specification


def add(verbs: Any) -> None:
    """new-backend."""
    verb = verbs.add_parser(
        "new-backend",
        help="write a package whose every surface raises NotImplementedError",
        description="Writes NAME/ with an adapter, pyproject.toml, README.md, expectations/NAME.toml, noxfile.py, a job for CI "
        "(GitHub, GitLab); never over what is there. It claims what you ask for, by default the profile core with all methods. "
        "Its first run fails on purpose: no method is written yet.",
    )
    verb.add_argument("name", metavar="NAME", help="the package's name: lower-case letters, digits, _")
    verb.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="where NAME/ is made (default: here)")
    verb.add_argument("--profile", action="append", metavar="P", help="repeatable; a profile to claim (default: core)")
    verb.add_argument(
        "--surfaces", nargs="+", action="extend", default=[], metavar="S",
        help="what is offered, a surface (physics) or a method (physics.diffract); the rest is no gap (default: everything)",
    )  # fmt: skip
    verb.set_defaults(act=_new)


def _new(arguments: argparse.Namespace) -> int:
    from conformance.cli.scaffold import files, name_fault
    from conformance.connectors.names import UnknownBackend
    from conformance.specification.choosing import Choice
    from conformance.specification.lint import digest

    name, target = arguments.name, arguments.to / arguments.name
    fault = name_fault(name)
    if not fault and _importable(name):
        fault = "expected a name of its own, found a package that is installed here"
    spec, profiles = specification(arguments), tuple(dict.fromkeys(arguments.profile or ["core"]))
    if fault:
        return _refuse(f"{name}: {fault}")
    if fault := Choice(profiles=profiles).fault(spec.profiles):
        return _refuse(fault)
    if os.path.lexists(target):
        return _refuse(f"{target}: expected nothing there, found something; it was left as it is")
    if not arguments.to.is_dir():
        return _refuse(f"{arguments.to}: expected a folder, found none")
    try:
        _write(target, files(name, profiles, tuple(dict.fromkeys(arguments.surfaces)), digest(spec.folder) or ""))
    except UnknownBackend as error:
        return _refuse(str(error).replace("BackendInfo.surfaces names", "--surfaces"))
    except OSError as error:
        return _refuse(f"{target}: {error.strerror or error}; nothing was written")
    print(target)
    offers = f", offers {', '.join(arguments.surfaces)}" if arguments.surfaces else ""
    print(f"claims {', '.join(profiles)}{offers} (--profile and --surfaces claim otherwise)")
    print(f"next: cd {target} && conform run --backend {name}.adapter:Backend")
    return 0


def _importable(name: str) -> bool:
    """A package or module of this name that is more than a folder which happens to lie here."""
    from importlib.util import find_spec

    found = find_spec(name)
    return found is not None and found.origin is not None


def _write(target: Path, texts: Mapping[str, str]) -> None:
    """All files in a folder beside the target, synchronised, then renamed to it."""
    made = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        for place, text in texts.items():
            path = made / place
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        made.chmod(0o755)
        made.rename(target)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _refuse(why: str) -> int:
    print(f"refused: {why}", file=sys.stderr)
    return 4
