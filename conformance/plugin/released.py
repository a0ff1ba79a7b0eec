"""By which release of the specification a run is judged."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from conformance.specification import releases
from conformance.specification.clauses import Specification
from conformance.specification.releases import Release


def released(name: str, spec: Specification) -> Release | None:
    """The release that a run is judged by; None: by today's words. One that is not here is a usage error."""
    if name in ("", "current"):
        return None
    known = releases.load(spec.folder)
    if name not in known:
        here = ", ".join(known) or "none"
        raise pytest.UsageError(f"specification {name}: not here; known: {here}. Install a suite of {name}, or ask for `current`")
    return known[name]


def within(release: Release, profiles: Sequence[str], given: Sequence[str] | None) -> tuple[str, ...]:
    """The profiles that the release has; one that was asked for and is a draft is a usage error, as is none at all."""
    draft = [name for name in profiles if name not in release.profiles]
    if draft and (given or len(draft) == len(profiles)):
        told = f"no part of specification {release.name} ({', '.join(release.profiles)})"
        raise pytest.UsageError(f"profile {', '.join(draft)}: {told}; ask for `--specification current`")
    return tuple(name for name in profiles if name in release.profiles)
