"""A fresh interpreter that imports a backend's modules, or asks its selector, and reports who asked for what with what outcome.

`python -m conformance.connectors.imports IN.json`, where IN names the job and the file for the answer. Started by
`conformance.scenes.interpreters`, usually in an interpreter in which some modules cannot be found.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import pickle
import sys
import sysconfig
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import Any

DATA_FILES = (".npz", ".npy", ".h5", ".hdf5")


class Listener:
    """A finder that finds nothing and hears every request for a module that is not loaded yet."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []
        self.told: Callable[[str], None] = lambda name: None

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Note `(module, who asked, whether while it was imported itself)`."""
        self.asked.append((name, *_importer()))
        self.told(name)


def _importer() -> tuple[str, bool]:
    """The name of the module whose code asks for an import: the first frame beyond the import machinery and this file; and
    whether that code is the module's own body, and no function of it.
    """
    frame = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if frame.f_code.co_filename != __file__ and not name.startswith(("importlib", "_frozen_importlib")):
            return name, frame.f_code.co_name == "<module>"
        frame = frame.f_back
    return "", False


def outcome(call: Callable[[], Any]) -> dict[str, Any]:
    """`{error, cause, message}` of a call: class names along the inheritance, empty where there was no error."""
    try:
        call()
    except Exception as error:
        return {"error": _lineage(error), "cause": _lineage(error.__cause__), "message": str(error)}
    return {"error": [], "cause": [], "message": ""}


def _lineage(error: BaseException | None) -> list[str]:
    return [] if error is None else [kind.__name__ for kind in type(error).__mro__]


def modules_of(root: str) -> Iterator[str]:
    """Every module of a package by its files, without importing any; `__main__` and tests are left out."""
    spec = importlib.util.find_spec(root)
    places = list(spec.submodule_search_locations or ()) if spec else []
    yield root
    for place in places:
        for path in sorted(Path(place).rglob("*.py")):
            parts = path.relative_to(place).with_suffix("").parts
            parts = parts[:-1] if parts[-1] == "__init__" else parts
            if parts and not any(part in ("__main__", "tests", "conftest") or part.startswith("test_") for part in parts):
                yield ".".join((root, *parts))


def import_modules(job: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Import each of `modules` (or all of the packages `roots`): the outcome, and what the backend's own code asked for.

    What a module's own body asked for counts for it whenever that was: an earlier one may have brought it along, and failed.
    """
    opened: list[str] = []
    own: dict[str, set[str]] = {}
    sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event == "open" else None)
    found = {}
    for name in job["modules"] or [module for root in job["roots"] for module in modules_of(root)]:
        listener.asked.clear()
        answer = outcome(lambda name=name: importlib.import_module(name))
        heard = [told for told in listener.asked if _below(told[1], job["roots"])]
        for module, by, _ in (told for told in heard if told[2]):
            own.setdefault(by, set()).add(module)
        found[name] = answer | {"asked": sorted({told[0] for told in heard} | own.get(name, set()))}
    data = sorted({path for path in opened if path.endswith(DATA_FILES) and not _of_a_library(path, job["roots"])})
    return {"modules": found, "networks": networks(job["roots"]), "data files": data}


def networks(roots: Sequence[str]) -> list[str]:
    """Class names of the live networks that the backend's own classes make."""
    kinds = [type(thing) for thing in gc.get_objects()]
    return sorted(
        {k.__name__ for k in kinds if _below(k.__module__, roots) and hasattr(k, "parameters") and hasattr(k, "forward")}
    )


def _of_a_library(path: str, roots: Sequence[str]) -> bool:
    """True for a file in an installed package other than the backend's: what a library reads is not the backend's doing."""
    homes = [
        Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib") if Path(path).is_relative_to(sysconfig.get_path(kind))
    ]
    return bool(homes) and not _below(Path(path).relative_to(homes[0]).parts[0], roots)


def _below(name: Any, roots: Sequence[str]) -> bool:
    return str(name).split(".")[0] in roots


def ask_selector(job: dict[str, Any], listener: Listener) -> dict[str, Any]:
    """Call each workflow of the selector: the outcome, what it asked for, and the registry when it first asked for the stack."""
    try:
        configs = {name: pickle.loads(bytes.fromhex(text)) for name, text in job["configs"].items()}
    except Exception as error:
        return {"unfit": f"{type(error).__name__}: {error}"}
    registry = find_registry(job["registries"])
    if registry is None:
        return {"unfit": f"none of {', '.join(job['registries'])} can be imported"}
    return {name: _ask(job, listener, registry, name, config) for name, config in configs.items()}


def find_registry(places: Sequence[str]) -> MutableMapping[str, Any] | None:
    """The registry at the first place that can be imported here."""
    found: list[Any] = []
    for module, attribute in (place.split(":") for place in places):
        if not found and not outcome(lambda name=module: importlib.import_module(name))["error"]:
            found.append(getattr(sys.modules[module], attribute))
    return found[0] if found else None


def _ask(job: dict[str, Any], listener: Listener, registry: MutableMapping[str, Any], name: str, config: Any) -> dict[str, Any]:
    seen: list[dict[str, Any]] = []

    def look(module: str) -> None:
        if module in job["stack"]:
            seen.append(readable(registry))

    registry.clear()
    registry.update(job["before"])
    listener.asked.clear()
    listener.told = look
    arguments = (Path("bundle"), config) if name.startswith("load") else (None, None, config)
    answer = outcome(lambda: getattr(importlib.import_module(job["selector"]), name)(*arguments))
    listener.told = lambda module: None
    asked = sorted({told[0] for told in listener.asked})
    return answer | {"asked": asked, "registry": seen[0] if seen else None, "afterwards": readable(registry)}


def readable(registry: MutableMapping[str, Any]) -> dict[str, Any]:
    """The entries of a registry that JSON can hold."""
    return {key: value for key, value in registry.items() if value is None or type(value) in (bool, int, float, str)}


def main(path: str) -> None:
    """Do the job of a file and write the answer where it says."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    listener = Listener()
    sys.meta_path.insert(0, listener)  # type: ignore[arg-type]
    answer = {"modules": import_modules, "selector": ask_selector}[job["do"]](job, listener)
    Path(job["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
