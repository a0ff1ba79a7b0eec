"""Libraries that a process has imported and does not show: `sys.modules` is that of a new interpreter until one is asked for.

Imported from the folder of `server.py`, by a process that has nothing of this project.
"""

from __future__ import annotations

import copy
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class Kept(MetaPathFinder, Loader):
    """Finds what was imported before, without importing it again.

    The libraries are layers in the order in which they were imported. Who asks for a module gets, as an import would have, all
    of its layer, and the layers before it, on which it may rest; nothing of the later ones is there.
    """

    def __init__(self, libraries: Sequence[str]) -> None:
        self.layers: list[dict[str, ModuleType]] = []
        self.place: dict[str, int] = {}
        self.specs: dict[str, Any] = {}
        for name in libraries:
            before = set(sys.modules)
            if importlib.util.find_spec(name.partition(".")[0]) is not None:  # nobody misses one that is not installed
                importlib.import_module(name)
            self._keep({n: m for n, m in sys.modules.items() if n not in before and not standard(n)})

    def _keep(self, modules: dict[str, ModuleType]) -> None:
        self.place.update(dict.fromkeys(modules, len(self.layers)))
        self.layers.append(modules)

    def hide(self) -> None:
        """Take all of them out of `sys.modules`, and be asked first from now on."""
        for name in self.place:
            del sys.modules[name]
        sys.meta_path.insert(0, self)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """The module's own specification, with another loader; who only looks whether it is there brings nothing back."""
        if fullname not in self.place or target is not None:  # a target is there already, and is to be run again
            return None
        module = self.layers[self.place[fullname]][fullname]
        own = getattr(module, "__spec__", None)
        spec = ModuleSpec(fullname, self, is_package=hasattr(module, "__path__")) if own is None else copy.copy(own)
        spec.loader = self
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module as it is, in the company of its layers."""
        last = self.place[spec.name]
        for layer in self.layers[: last + 1]:
            for name, module in layer.items():
                sys.modules.setdefault(name, module)
        module = self.layers[last][spec.name]
        self.specs[spec.name] = getattr(module, "__spec__", None)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It has run already; what the import system has just written over is put back."""
        spec = module.__spec__
        module.__spec__ = self.specs.pop(spec.name) if spec else None


def standard(name: str) -> bool:
    """Whether a module belongs to Python itself."""
    return name.partition(".")[0] in sys.stdlib_module_names
