"""One process's view of a run: what it was asked for, and the backend, made once."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from conformance.connectors import beside
from conformance.connectors.connect import connect, information
from conformance.connectors.names import offered
from conformance.judging.observe import Observer
from conformance.plugin.checks import Check
from conformance.specification.bindings import default_suite
from conformance.specification.choosing import Choice
from conformance.specification.clauses import load
from conformance.specification.releases import Release
from conformance.specification.tiers import tiers

CHECK = pytest.StashKey[Check]()
OBSERVER = pytest.StashKey[Observer]()
STATION = pytest.StashKey["Station"]()


class Station:
    """One process's view of the run: the registry, the selection and the backend, made once and late."""

    def __init__(self, config: pytest.Config) -> None:
        self.suite = Path(config.getoption("--suite") or default_suite()).resolve()
        folder = config.getoption("--specs")
        self.spec = load(Path(folder) if folder else None)
        self.tiers = tiers(self.spec.clauses, self.spec.folder)
        self.backend_name: str = config.getoption("--backend")
        self.device: str = config.getoption("--device")
        self.profiles: tuple[str, ...] | None = tuple(config.getoption("--profile")) or None
        self.select: tuple[str, ...] = tuple(config.getoption("--select"))
        self.choice = Choice(areas=tuple(config.getoption("--area")), levels=tuple(config.getoption("--level")))
        self.left = Path(config.getoption("--report")).resolve().parent if config.getoption("--report") else None
        self.patience = float(config.getini("faulthandler_timeout") or 0)
        self.draft = bool(os.environ.get("CONFORM_DRAFT"))
        self.worker: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.release: Release | None = None
        self.devices: list[str] | None = None
        self.found: dict[str, Any] | None = None
        self._backend: Any = None
        self._offered: tuple[frozenset[str] | None] | None = None
        self._trouble: Exception | None = None
        self._where: TracebackType | None = None

    def backend(self) -> Any:
        """The backend, made once; an error of its making passes through, at every call the same."""
        if self._trouble is not None:
            raise self._trouble.with_traceback(self._where)
        if self._backend is None:
            try:
                self._backend = connect(self.backend_name, self.device)
                if self.connection is not None:
                    log = f"backend-{self.worker['workerid'] if self.worker else 'main'}.log"
                    self.connection.equip(self.patience, self.left / log if self.left else None)
            except Exception as error:
                self._trouble, self._where = error, error.__traceback__
                raise
        return self._backend

    @property
    def offered(self) -> frozenset[str] | None:
        """The methods that the backend says it offers; None where it names no surfaces."""
        if self._offered is None:
            self._offered = (offered(information(self.backend()).surfaces),)
        return self._offered[0]

    @property
    def connection(self) -> Any:
        """The connection to the backend's own process; None where it runs in this one."""
        return self._backend.connection if isinstance(self._backend, beside.Afar) else None

    def retarget(self, name: str) -> None:
        """Another backend from here on."""
        self.backend_name, self._backend, self._trouble, self._offered, self.found = name, None, None, None, None

    def targeted(self, config: pytest.Config) -> bool:
        """True where pytest was asked for the suite or a part of it."""
        places = [Path(str(config.invocation_params.dir), argument.split("::")[0]).resolve() for argument in config.args]
        return any(
            place == self.suite or place.is_relative_to(self.suite) or self.suite.is_relative_to(place) for place in places
        )
