"""What a work order wants left alone: the branch, named files, the root of the checkout. Looks, and changes nothing."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.orders.order import Order

OWN = {"reports", ".git", "__pycache__"}


@dataclass(frozen=True)
class Seen:
    """The state before or after: the branch (empty outside of a checkout), digests of files, names at the root."""

    branch: str
    files: dict[str, str]
    root: frozenset[str]


def look(order: Order, place: Path) -> Seen:
    """What there is now; a file that is not there has the digest `absent`."""
    files = {name: _digest(place / name) for name in order.untouched}
    return Seen(_git(place, "symbolic-ref", "--short", "-q", "HEAD"), files, frozenset(path.name for path in place.iterdir()))


def before(order: Order, seen: Seen, place: Path, any_branch: bool = False) -> list[str]:
    """Why the order cannot begin here: another branch, or a named file that differs from its commit."""
    wrong = []
    if order.branch and seen.branch and seen.branch != order.branch and not any_branch:
        wrong.append(f"Branch: the order names {order.branch}, and {seen.branch} is checked out here (--any-branch takes it)")
    changed = [name for name in order.untouched if _git(place, "status", "--porcelain", "--", name)]
    return wrong + [
        f"{name}: the order wants it untouched, and it differs from its commit (git diff HEAD -- {name})" for name in changed
    ]


def after(order: Order, first: Seen, last: Seen) -> list[str]:
    """What a step changed although the order wants it left alone."""
    top = order.folder.split("/", maxsplit=1)[0]
    changed = [name for name, digest in first.files.items() if last.files[name] != digest]
    new = sorted(last.root - first.root - OWN - {top})
    return [
        *(f"{name}: changed while the order was carried out; it wants it untouched" for name in changed),
        *(f"{name}: new beside the folders; everything belongs under {order.folder}" for name in new),
    ]


def missing(folder: Path, logs: Sequence[str]) -> list[str]:
    """Named logs that are not there, or empty."""
    return [name for name in logs if not (folder / name).is_file() or not (folder / name).stat().st_size]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"


def _git(place: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, text=True, timeout=60)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
