"""How a defect, or a freedom, is planted into the reference: the component where it sits is replaced, everything else stays.

A planted backend is the reference's own adapter over changed components, so that a mutant takes the same road as a user. Planting
lasts as long as the process: each trial runs in a process of its own, and commands that the backend starts are planted too.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from conformance.connectors.names import UnknownBackend, unmade

ROOT = "reference_impl"
ADAPTER = "conformance.backends.reference"
COPY = "CONFORM_PLANTED_COPY"
Wrap = Callable[[Any], Any]
"""From the original to what takes its place."""


class Plant:
    """What a mutant's function gets: the places where it can lay a hand on. `touched`: what it has replaced, as it was before.

    `changed`: the files that it has changed in the copy of the package, by their paths in it.
    """

    def __init__(self) -> None:
        self.answers: list[tuple[str, Wrap]] = []
        self.inside = False
        self.copies: list[tempfile.TemporaryDirectory[str]] = []
        self.replaced: dict[int, Any] = {}
        self.touched: list[Any] = []
        self.changed: list[str] = []

    def method(self, owner: type, name: str, wrap: Wrap) -> None:
        """Replace a method (or a class attribute) of a class of the reference."""
        self.inside = True
        self.touched.append(getattr(owner, name, owner))
        plain = inspect.getattr_static(owner, name, None)  # of a base, too
        kind = type(plain) if isinstance(plain, staticmethod | classmethod) else None
        found = wrap(plain.__func__ if kind else getattr(owner, name))
        setattr(owner, name, kind(found) if kind else found)

    def function(self, original: Any, wrap: Wrap) -> None:
        """Replace a function, class or constant of the reference in every module that holds it; what was replaced, again."""
        self.inside = True
        self.touched.append(original)
        present = self.replaced.get(id(original), original)
        replacement, places = wrap(present), 0
        self.replaced[id(original)] = replacement
        for module in [module for name, module in list(sys.modules.items()) if name.split(".")[0] == ROOT]:
            for name, value in list(vars(module).items()):
                if value is present:
                    setattr(module, name, replacement)
                    places += 1
        if not places:
            raise LookupError(f"{original!r} is held by no module of {ROOT}: nothing was planted")

    def constant(self, module: ModuleType, name: str, value: Any) -> None:
        """Set a module's variable."""
        if not hasattr(module, name):
            raise LookupError(f"{module.__name__} has no {name}: nothing was planted")
        self.inside = True
        self.touched.append(module)
        setattr(module, name, value)

    def source(self, path: str, old: str, new: str) -> None:
        """Replace text in a file of the reference for interpreters that start from now on; this one stays as it is.

        For what happens while modules are imported, and for commands: they find a changed copy of the package first.
        """
        file = self.copied(path)
        if file is None:
            return
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise LookupError(f"{path} has {text.count(old)} places {old!r}, expected one: nothing was planted")
        file.write_text(text.replace(old, new), encoding="utf-8")

    def removed(self, path: str) -> None:
        """Take a file of the reference away, as `source` changes one."""
        file = self.copied(path)
        if file is not None:
            file.unlink()

    def copied(self, path: str) -> Path | None:
        """The file in the copy of the package that other interpreters find; None in such an interpreter."""
        package = Path(str(sys.modules[ROOT].__file__)).parent
        if os.environ.get(COPY) == str(package.parent):
            return None
        if not self.copies:
            self.copies.append(tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
            shutil.copytree(package, Path(self.copies[0].name, ROOT), ignore=shutil.ignore_patterns("tests"))
            if (data := package.parent / "fixtures").is_dir():  # of a checkout; an installed package holds them
                shutil.copytree(data, Path(self.copies[0].name, data.name), ignore=shutil.ignore_patterns("*.npz"))
            os.environ[COPY] = str(Path(self.copies[0].name).resolve())
            os.environ["PYTHONPATH"] = os.pathsep.join(p for p in (os.environ[COPY], os.environ.get("PYTHONPATH")) if p)
        self.changed.append(path)
        return place(Path(self.copies[0].name, ROOT), path)

    def answer(self, name: str, wrap: Wrap) -> None:
        """Replace a method of the adapter itself: for defects that sit in no component."""
        self.answers.append((name, wrap))


@dataclass(frozen=True)
class Planted:
    """A defect or a freedom: `plant` lays it into the reference; `title` is its symptom in one line.

    A mutant's `checks` are those that must fail by their own assertion; a twin's are run beside those of its files. Each is a
    check without device (`BATCH-022:images_are_channel_first`), with or without the parameters of one case. `clauses` are named
    beside those of the checks' ids, where the observation that must fail belongs to another clause of its check. `breaks` says of
    a mutant that cannot work through the scenario of `working` at which step it stops, and why: "load: it is what is missing".
    """

    id: str
    title: str
    area: str
    checks: tuple[str, ...]
    plant: Callable[[Plant], None]
    files: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    breaks: str = ""

    @property
    def named(self) -> frozenset[str]:
        """The clauses of which an observation has to fail."""
        return frozenset(check.split(":")[0] for check in self.checks) | frozenset(self.clauses)


class Register(dict[str, Planted]):
    """The mutants, or the twins, of a package: a module an area, each read when its room is asked for."""

    def __init__(self, package: str) -> None:
        super().__init__()
        self.package = package

    def rows(self, module: str) -> Callable[..., None]:
        """The function that enters the rows of a module: id, symptom in one line, checks, what is planted, more of `Planted`."""

        def enter(
            name: str, title: str, *checks: str, plant: Callable[[Plant], None], files: Sequence[str] = (),
            clauses: Sequence[str] = (), breaks: str = "",
        ) -> None:  # fmt: skip
            if name in self:
                raise ValueError(f"{name} is registered twice: {self[name].title}; {title}")
            self[name] = Planted(name, title, _area(module), checks, plant, tuple(files), tuple(clauses), breaks)

        return enter

    def all(self) -> dict[str, Planted]:
        """Every entry of every module of the package."""
        package = importlib.import_module(self.package)
        try:
            for module in pkgutil.iter_modules(package.__path__):
                if not module.name.startswith("_"):
                    importlib.import_module(f"{self.package}.{module.name}")
        except ModuleNotFoundError as error:
            raise unmade("reference", error) from error  # it is what they are planted into
        return dict(self)

    def backend(self, names: str, device: str = "cpu") -> Any:
        """The reference with these entries (`DEF-001+DEF-119`) planted into this process, in their order."""
        known = self.all()
        unknown = [name for name in names.split("+") if name not in known]
        if unknown:
            raise UnknownBackend(f"no {', '.join(unknown)} in {self.package}")
        return plant([known[name] for name in names.split("+")], f"{self.package}:{names}", device)


def place(package: Path, path: str) -> Path:
    """The file of a row's path: in the package, beside it, or in it under the name that it has once it is installed."""
    places = (package / path, package.parent / path, package / f"_{path}")
    return next((file for file in places if file.is_file()), places[0])


def _area(module: str) -> str:
    """`conformance.mutants.batch_loader` is of the area `batch`."""
    return module.rpartition(".")[2].split("_")[0]


def plant(entries: Sequence[Planted], where: str, device: str = "cpu") -> Any:
    """The adapter over the planted reference; its commands are planted as well (`where` is the register and the entries)."""
    planter = Plant()
    for entry in entries:
        entry.plant(planter)
    # The adapter holds the components' functions: it is read anew, over what has been planted.
    adapter = importlib.reload(importlib.import_module(ADAPTER)).Reference(device=device)
    adapter.planter = planter  # its copies last as long as the adapter
    if planter.inside:
        adapter.command = lambda name: [sys.executable, "-m", "conformance.defects.planting", where, name]
    if planter.copies:  # a client's process finds the changed packages there
        names = Path(planter.copies[0].name).resolve() / ROOT / "drop_in" / "path"
        adapter.drop_in = adapter.drop_in_torch = lambda: names
    for name, wrap in planter.answers:
        setattr(adapter, name, wrap(getattr(adapter, name)))
    return adapter


def anew(folder: str, device: str = "cpu") -> Any:
    """The adapter over the package that lies in `folder`, read anew in this process in the place of the one that was there."""
    for module in [module for module in sys.modules if module.partition(".")[0] == ROOT or module == ADAPTER]:
        del sys.modules[module]
    sys.path.insert(0, folder)
    return importlib.import_module(ADAPTER).Reference(device=device)


def main(arguments: Sequence[str]) -> None:
    """A command of the planted reference: `python -m conformance.defects.planting conformance.mutants:DEF-001 train …`."""
    import runpy

    package, _, names = arguments[0].partition(":")
    importlib.import_module(package).REGISTER.backend(names)
    sys.argv = [ROOT, *arguments[1:]]
    runpy.run_module(ROOT, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    from conformance.defects import planting

    planting.main(sys.argv[1:])
