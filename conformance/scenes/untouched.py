"""What a conversion is to leave alone: everything where it is rehearsed, and its own source (CLI-032)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.scenes import commands, converting, solving, sources


def rehearsed(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, list[str]]:
    """`--dry-run` of a conversion into a folder that is not there, or where that is refused into one that is: how it ended, and
    the files and folders that are new.
    """
    case = converting.CASES["names"]
    sources.understood(backend, shared, "--dry-run", "--held-out", "--drop-surplus", *case.flags, *solving.flags_of(case.files))
    argv = [*backend.command("convert"), *commands.listed(case.files(folder) | case.flags), "--drop-surplus", "--dry-run"]
    before = set(folder.rglob("*"))
    for place in (folder / "not yet", folder):
        done = commands.call([*argv, "--held-out", converting.HELD, "--output", place / "scan.npz"], folder)
        if done.returncode == 0:
            break
    return done, sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before)


def onto_itself(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, bytes, bytes]:
    """A contract file that is converted onto itself, by another name: how it ended, and the file before and after."""
    _, made = converting.converted(backend, shared, "names")
    source, link = folder / "scan.npz", folder / "link.npz"
    source.write_bytes((made / "scan.npz").read_bytes())
    link.symlink_to(source)
    before = source.read_bytes()
    done = commands.call([*backend.command("convert"), "--source", source, "--bin", 2, "--output", link], folder)
    return done, before, source.read_bytes()
