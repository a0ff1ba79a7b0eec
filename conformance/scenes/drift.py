"""What the recorded client uses of a backend's drop-in, held against its source."""

from __future__ import annotations

from typing import Any

from conformance.clients.compare import PTYCHODUS, Finding, compare
from conformance.clients.places import DROP_IN, world_of_drop_in
from conformance.clients.uses import loaded

PACKAGES = tuple(DROP_IN)


def findings(backend: Any, package: str) -> list[Finding]:
    """All findings of one package's uses; `backend` offers the surface `client`."""
    uses = loaded(PTYCHODUS).of(package)
    folders = {name: getattr(backend, DROP_IN[name])() for name in (package,)}
    return compare(uses, world_of_drop_in(folders, backend.info().python, uses))


def told(found: list[Finding], state: str) -> list[str]:
    """What a state's findings say, each with the first place where the client needs it."""
    return [f"{finding.detail} ({finding.use.places[0]})" for finding in found if finding.state == state]
