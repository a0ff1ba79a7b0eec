"""The checkout from which evidence comes: its commit, and whether it is what that commit says."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent
NAMES = 20


def state(folder: Path | None = None) -> dict[str, Any]:
    """`{commit, dirty, diff, untracked}` of the checkout around `folder` (the working directory), else of the harness's own.

    `diff` is the sha256 of `git diff HEAD`, None where that is empty. A file that git neither tracks nor ignores makes a checkout
    dirty as well: it can be imported. Outside of any checkout the commit is None, and nothing can be repeated: dirty.
    """
    for place in (folder or Path.cwd(), PACKAGE):
        commit = _git(place, "rev-parse", "HEAD")
        if commit is not None:
            diff = _git(place, "diff", "HEAD", "--binary", "--no-ext-diff") or b""
            others = (_git(place, "ls-files", "--others", "--exclude-standard", "--full-name", ":/") or b"").decode().splitlines()
            digest = hashlib.sha256(diff).hexdigest() if diff else None
            return {"commit": commit.decode().strip(), "dirty": bool(diff or others), "diff": digest, "untracked": others[:NAMES]}
    return {"commit": None, "dirty": True, "diff": None, "untracked": []}


def told(found: dict[str, Any]) -> str:
    """The same in words."""
    if found["commit"] is None:
        return "not a checkout"
    changes = ["local changes"] if found["diff"] else []
    changes += [f"untracked {', '.join(found['untracked'][:3])}"] if found["untracked"] else []
    return found["commit"] + (f" with {' and '.join(changes)}" if changes else "")


def _git(place: Path, *words: str) -> bytes | None:
    """What git says, None where it refuses: no checkout here, no commit yet, or no git at all."""
    try:
        done = subprocess.run(["git", "-C", str(place), *words], capture_output=True, timeout=60)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
