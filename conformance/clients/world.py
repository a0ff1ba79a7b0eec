"""Where a path of a `Use` leads in a backend's source, step by step."""

from __future__ import annotations

from conformance.clients import results
from conformance.clients.found import Found, Held, Missing, Module, Untold, steps
from conformance.clients.source import Source


class World(Source):
    """A backend's packages, in which paths are followed."""

    def walk(self, module: str, name: str = "") -> Found:
        """Where a path leads; `Untold` and `Missing` say at which step it ends."""
        if self.tree(module) is None:
            return Missing("module", module)
        found: Found = Module(module)
        known = module
        for step in steps(name):
            found = self.step(found, step, known)
            known = f"{known}{step}" if step[0] in "([" else f"{known}.{step}" if known != module else step
            if isinstance(found, Untold | Missing):
                return found
        return found

    def step(self, found: Found, step: str, known: str) -> Found:
        """One step: `()`, `[0]` or a name."""
        if step == "()":
            return results.called(self, found, known)
        if isinstance(found, Held):
            found = results.held(self, found, known)
        if step.startswith("["):
            return results.item(self, found, int(step[1:-1]), known)
        return self.member(found, step, known)
