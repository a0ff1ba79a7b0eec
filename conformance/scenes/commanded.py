"""Files with a call in them that a command reads because a flag names them: nothing of them may run (POLICY-015)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.scenes import commands, gallery, solving, sources
from conformance.scenes.readers import calling, hidden

Door = Callable[[Any, Path, Path, Path], None]
"""One command over a file that calls: `(backend, folder of the session, own folder, canary)`."""


def _scan() -> dict[str, np.ndarray]:
    x, y = gallery.places().T
    return {"diff3d": np.sqrt(gallery.counts()).astype(np.float32), "xcoords": x, "ycoords": y, "probeGuess": gallery.probe()[0]}


def _archive(path: Path, arrays: Mapping[str, np.ndarray], calls: Iterable[str], canary: Path) -> Path:
    """An archive in which each of the members `calls` is an array of objects."""
    np.savez(path, **{name: array for name, array in arrays.items() if name not in calls})
    for name in calls:
        hidden(path, name, canary)
    return path


def _convert(backend: Any, shared: Path, folder: Path, source: Path, *flags: Any) -> None:
    """Whether it refuses or goes on is free."""
    sources.named(backend, shared, "contract")
    own = ["--source", source, "--measurement", "amplitude", "--output", folder / "out.npz", "--quiet", *flags]
    commands.call([*backend.command("convert"), *own], folder)


def _source(backend: Any, shared: Path, folder: Path, canary: Path) -> None:
    members = ("probeGuess", "mask", "objectGuess")
    _convert(backend, shared, folder, _archive(folder / "scan.npz", _scan(), members, canary))


def _probe(backend: Any, shared: Path, folder: Path, canary: Path) -> None:
    sources.understood(backend, shared, "--probe")
    probe = calling(folder / "probe.npy", canary)
    _convert(backend, shared, folder, _archive(folder / "scan.npz", _scan(), (), canary), "--probe", probe)


def _resume(backend: Any, shared: Path, folder: Path, canary: Path) -> None:
    """The state of the very scan, every part of which calls."""
    with np.load(solving.halfway(backend, shared)) as honest:
        state = _archive(folder / "state.npz", {}, honest.files, canary)
    solving.call(backend, shared, "shaken", *solving.POSITIONS, "--resume", state, folder=folder)


CONVERSIONS: dict[str, Door] = {"source": _source, "probe": _probe}
RECONSTRUCTIONS: dict[str, Door] = {"resume": _resume}
"""What a flag names → a call of the command."""
