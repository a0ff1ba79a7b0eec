"""Where clients and backends lie: installed packages, folders, and the drop-in of a backend with the path of its interpreter."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from conformance.clients.uses import Uses
from conformance.clients.world import World
from conformance.connectors import process

DROP_IN = {"ptycho": "drop_in", "ptycho_torch": "drop_in_torch"}
"""Package that ptychodus imports → the method of the surface `client` that gives the folder in which it lies."""

ASK = "import json, sys; print(json.dumps(sys.path[1:]))"


def folder_of(name: str) -> Path:
    """A folder that is named, or that of an installed package, which is not imported. Raises `LookupError`."""
    if Path(name).is_dir():
        return Path(name)
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise LookupError(f"{name}: expected a folder or an installed package, found neither")
    return Path(places[0])


def version_of(name: str) -> str:
    """The version of an installed package, or of a folder by the metadata that lies beside it; empty where nobody tells it."""
    if not Path(name).is_dir():
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            return ""
    folder = Path(name).resolve()
    for path in folder.parent.glob(f"{folder.name}-*.dist-info/METADATA"):
        if found := re.search(r"^Version: (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            return found[1]
    return ""


def world_of_drop_in(folders: Mapping[str, Path], python: str, uses: Uses) -> World:
    """Packages by the folders in which they lie; what they import is looked for where that interpreter would look."""
    told = process.run([python, "-c", ASK], timeout=60)
    if told.returncode != 0:
        raise LookupError(f"{python}: expected an interpreter, found {told.output.strip()[-200:]}")
    search = [*folders.values(), *(Path(part) for part in json.loads(told.stdout) if part)]
    return World({name: folder / name for name, folder in folders.items()}, search, uses.gives)


def world_of_packages(folders: Mapping[str, Path], uses: Uses) -> World:
    """Packages by their own folders; what they import is looked for where this interpreter would look."""
    return World(folders, [Path(part or ".") for part in sys.path], uses.gives)


def drop_in_of(backend: Any, packages: tuple[str, ...]) -> dict[str, Path]:
    """The folders that a backend offers, by package; a package for which it has none is left out."""
    offered = {name: getattr(backend, DROP_IN[name], None) for name in packages if name in DROP_IN}
    return {name: Path(str(method())) for name, method in offered.items() if callable(method)}
