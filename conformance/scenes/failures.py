"""Errors planted from outside at each stage of a command: a file that turns bad, a disk that is full, a loss that diverges.

Nothing of the backend is touched: bytes of a file are exchanged, no file of the command's process may grow beyond a size (the
system then refuses to write, as on a full disk), or a setting is one with which no training goes well.
"""

from __future__ import annotations

import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.connectors import process
from conformance.scenes import archives, commands, runs
from conformance.scenes.archives import NAME
from conformance.scenes.batches import TruncatedMap
from conformance.scenes.records import record, write_npz

OLDER = b"an older result"
GOING_ON = 60.0
"""Seconds within which a training of two batches an epoch keeps another checkpoint, on a busy machine."""
DIVERGING = 1e6
"""A learning rate at which the second batch meets weights whose products no float32 holds."""


@dataclass(frozen=True)
class Stage:
    """A stage of a command, and what makes it fail there: `spoilt`, the file that is bad; `room`, the largest file in KiB.

    `told`: what the message may name, any of it.
    """

    name: str
    command: str
    told: tuple[str, ...]
    flags: tuple[str, ...] = ()
    spoilt: str = ""
    room: int | None = None

    def __str__(self) -> str:
        return f"{self.command}-{self.name}"


STAGES = (
    Stage("validation-file", "train", ("test.npz",), spoilt="test.npz"),
    Stage("learning", "train", ("loss", "nan", "finite"), flags=("--learning-rate", f"{DIVERGING:g}")),
    Stage("bundle", "train", ("out",), flags=("--disable-checkpointing", "--logger", "none"), room=64),
    Stage("data-file", "infer", ("test.npz",), spoilt="test.npz"),
    Stage("pictures", "infer", ("out",), room=1),
)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what became of the older results in its folder: name → bytes, None where it is gone."""

    done: process.Completed
    older: dict[str, bytes | None]
    left: list[str]

    @property
    def lines(self) -> list[str]:
        """What standard error says beside warnings and their source lines."""
        return [line for line in self.done.stderr.splitlines() if line.strip() and not re.search(r"(?i)warn|^\s", line)]


def ended(backend: Any, stage: Stage, folder: Path, model: Path | None = None) -> Ended:
    """The command, made to fail at a stage, in a folder where older results lie; `model`: the bundle to infer with."""
    out = folder / "out"
    out.mkdir()
    names = (NAME,) if stage.command == "train" else ("reconstructed_amplitude.png", "reconstructed_phase.png")
    for name in names:
        (out / name).write_bytes(OLDER)
    write_npz(folder / "data.npz", **record(n=8, N=runs.N))
    shutil.copy(folder / "data.npz", folder / "test.npz")
    if stage.spoilt:
        spoil(folder / stage.spoilt)
    own = ["--train_data_file", folder / "data.npz", "--test_data_file", folder / "test.npz", "--gridsize", 1]
    own += ["--max_epochs", 1, "--batch_size", 4]
    if stage.command == "infer":
        own = ["--model_path", model, "--test_data", folder / "test.npz"]
    argv = [*backend.command(stage.command), *own, "--output_dir", out, "--n_images", 8, "--accelerator", "cpu", "--quiet"]
    done = commands.call(within(stage.room, [*argv, *stage.flags]), folder)
    older = {name: (out / name).read_bytes() if (out / name).is_file() else None for name in names}
    return Ended(done, older, archives.left(out))


def misnamed(backend: Any, command: str, folder: Path) -> Ended:
    """A command that is given a file that is not there, in whose name a line ends, and fewer loading processes than none."""
    flag = {"train": ["--train_data_file"], "infer": ["--model_path", folder, "--test_data"]}[command]
    argv = [
        *backend.command(command),
        *flag,
        folder / "no\nwhere.npz",
        "--output_dir",
        folder / "out",
        "--num-workers=-1",
        "--quiet",
    ]
    return Ended(commands.call(argv, folder), {}, archives.left(folder))


def stopped(backend: Any, number: int, folder: Path, meanwhile: Callable[[Any], object] | None = None) -> Ended:
    """A training that would last for a day, sent a signal once its first checkpoint is there, over an older bundle."""
    out = folder / "out"
    out.mkdir()
    (out / NAME).write_bytes(OLDER)
    argv, begun = [*_endless(backend, folder), "--max_epochs", 100_000], out / "checkpoints" / "last.ckpt"
    done = process.stopped(argv, number, begun, env=commands.TELLING, cwd=folder, meanwhile=meanwhile)
    return Ended(done, {NAME: (out / NAME).read_bytes() if (out / NAME).is_file() else None}, archives.left(out))


def _endless(backend: Any, folder: Path, name: str = "out") -> list[Any]:
    data = write_npz(folder / "data.npz", **record(n=8, N=runs.N))
    own = ["--train_data_file", data, "--output_dir", folder / name, "--gridsize", 1, "--batch_size", 4]
    return [*backend.command("train"), *own, "--n_images", 8, "--accelerator", "cpu", "--quiet"]


def disputed(backend: Any, folder: Path) -> tuple[process.Completed, bool]:
    """A training of one epoch into the folder of another one that is under way, by another name of the folder, `same-out`: how
    it ended, and whether the other went on.
    """
    (folder / "same-out").symlink_to(folder / "out")
    seen: list[Any] = []

    def second(first: Any) -> None:
        first.send_signal(signal.SIGSTOP)  # it holds what it holds, and costs nothing
        seen.append(commands.call([*_endless(backend, folder, "same-out"), "--max_epochs", 1], folder))
        first.send_signal(signal.SIGCONT)
        checkpoint, before = folder / "out" / "checkpoints" / "last.ckpt", time.monotonic()
        stood = checkpoint.stat().st_mtime_ns
        while checkpoint.stat().st_mtime_ns == stood and time.monotonic() < before + GOING_ON:
            time.sleep(0.05)
        seen.append(checkpoint.stat().st_mtime_ns != stood)

    stopped(backend, signal.SIGTERM, folder, second)
    return seen[0], seen[1]


def within(room: int | None, argv: list[Any]) -> list[Any]:
    """The command with no room for a file of more than `room` KiB; as it is without."""
    limited = 'ulimit -f "$1"; shift; exec "$@"'  # POSIX counts blocks of 512 bytes
    return argv if room is None else ["sh", "-c", limited, "sh", 2 * room, *argv]


def spoil(path: Path) -> Path:
    """Exchange a byte in the middle of a file: its header is whole, the checksum of its largest part is not."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return path


DIVERGED = runs.Recipe(groups=8, rate=DIVERGING, stitching=False)
LATE = replace(DIVERGED, groups=4)
UNREAD = runs.Recipe(groups=4, stitching=False)
UNKEPT = runs.Recipe(groups=4, stitching=False, validation=False)
UNWRITTEN = replace(UNKEPT, execution=runs.settings(enable_checkpointing=False, logger_backend="none"))
"""Runs that fail at a loss that is no number, in training or not before validation, at validation data that cannot be read, at a
checkpoint and at a bundle."""


def failing(backend: Any, stage: str, folder: Path) -> None:
    """A run of the library that fails at a stage, in a folder `out` where an older bundle lies."""
    (folder / "out").mkdir()
    (folder / "out" / NAME).write_bytes(OLDER)
    if stage in ("loss", "validation-loss"):
        runs.fresh(backend, DIVERGED if stage == "loss" else LATE, folder)
    elif stage == "validation":
        runs.fresh(backend, UNREAD, folder, (runs.training_record(backend), TruncatedMap()))
    else:
        with archives.small_files(backend, 100_000):  # less than any bundle has (BUNDLE-033)
            runs.fresh(backend, UNKEPT if stage == "checkpoint" else UNWRITTEN, folder)
