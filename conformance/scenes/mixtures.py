"""Commands that fail for want of room for their largest file, in a folder that an older call has left its files in (CLI-079)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.connectors.names import NotEvaluated
from conformance.scenes import commands, compared, conduct, failures, solving
from conformance.scenes.records import write_npz

OUT = "out"


@dataclass(frozen=True)
class Cramped:
    """How a call ended, and of the older files that it would have written: those that are as they were, and the others."""

    done: process.Completed
    stayed: list[str]
    others: list[str]

    @property
    def mixed(self) -> list[str]:
        """The older files that stand beside what has changed."""
        return self.stayed if self.others else []


def _evaluate(backend: Any, shared: Path, folder: Path) -> tuple[Path, list[Any]]:
    conduct.placed(backend, shared)
    whole = compared.truth()
    files = [write_npz(folder / f"{name}.npz", object=field) for name, field in (("turned", whole[::-1]), ("truth", whole))]
    return shared / "placed" / OUT, [*files, "--output-dir", folder / OUT]


def _reconstruct(backend: Any, shared: Path, folder: Path) -> tuple[Path, list[Any]]:
    older = solving.plain(backend, shared).folder
    return older, ["--data", older.parent / "plain.npz", "--sweeps", 2, "--output-dir", folder / OUT, "--accelerator", "cpu"]


def _infer(backend: Any, shared: Path, folder: Path) -> tuple[Path, list[Any]]:
    flow = commands.brief(backend, shared)
    own = ["--model_path", flow.output, "--test_data", flow.output.parent / "data.npz", "--n_images", 10, "--accelerator", "cpu"]
    return flow.pictures, [*own, "--output_dir", folder / OUT]


CALLS: dict[str, Callable[[Any, Path, Path], tuple[Path, list[Any]]]] = {
    "evaluate": _evaluate,
    "reconstruct": _reconstruct,
    "infer": _infer,
}
"""Command → the folder that an older call of it has left, and the words of another one."""


def cramped(backend: Any, shared: Path, command: str, folder: Path) -> Cramped:
    """The call, over a copy of the older files, with room for what is halfway from the second to the largest of them.

    `NotEvaluated` where these are too near to each other, and where all that the call leaves has room.
    """
    solving.offered(backend, command, shared)
    older, words = CALLS[command](backend, shared, folder)
    if not older.is_dir():
        raise NotEvaluated(f"command `{command}`: the call whose results are to be the older ones did not end well")
    shutil.copytree(older, folder / OUT)
    before = {path: path.read_bytes() for path in sorted((folder / OUT).iterdir()) if path.is_file()}
    written = {path: path.stat().st_mtime_ns for path in before}
    *_, second, largest = sorted([0, 0, *map(len, before.values())])
    room = (second + largest) // 2048
    if not second < room * 1024 < largest:
        raise NotEvaluated(f"command `{command}`: no file of it is larger than all others")
    done = commands.call(failures.within(room, [*backend.command(command), *words, "--quiet"]), folder)
    stayed = [path.name for path, time in written.items() if path.is_file() and path.stat().st_mtime_ns == time]
    if done.returncode == 0 and not stayed and all(path.is_file() for path in before):
        raise NotEvaluated(f"command `{command}`: all that it leaves this time has room in {room} KiB")
    return Cramped(done, stayed, [path.name for path in before if path.name not in stayed])
