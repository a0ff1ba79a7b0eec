"""Trainings on two processes and on one, through the command: each once a session, and what they left."""

from __future__ import annotations

import csv
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import commands, maps
from conformance.scenes.outputs import newest_log
from conformance.scenes.records import record, write_npz
from conformance.scenes.runs import left
from conformance.scenes.shared import once

SAMPLES, BATCH, EPOCHS = 17, 4, 2
"""Two processes share batches of 8: of the third one, a single sample, one of them has nothing."""
STEPS = 3
PATIENCE = 170.0
"""Seconds: a training of this size takes some ten on a quiet machine; who takes longer waits for somebody."""
LOOK = 0.02
"""Seconds between two looks at the folder of a map: building one takes longer than that, starting a process a hundred times."""


@dataclass(frozen=True)
class Ended:
    """How a training ended, what it said, and which files were once its map's manifest."""

    code: int
    out: str
    err: str
    manifests: list[int]


class Pair:
    """The same training on two processes (`two`) and on one with batches twice as large (`one`)."""

    def __init__(self, backend: Any, shared: Path) -> None:
        self.backend, self.shared = backend, shared

    def ended(self, name: str) -> Ended:
        """How `one`, `two` or `mapped` (two processes, two files) ended."""
        return Ended(**once(self.shared, f"ranks-{name}", lambda folder: vars(self._train(folder, name))))

    def folder(self, name: str) -> Path:
        """Where it wrote."""
        self.ended(name)
        return self.shared / f"ranks-{name}" / "output"

    def losses(self, name: str, kind: str) -> np.ndarray:
        """`train` or `val` loss of each epoch, float64, from the one log that there is."""
        found = [row for row in self.rows(name) if (column := _column(row, kind)) and row[column]]
        return np.array([float(row[_column(row, kind)]) for row in found], dtype=np.float64)

    def last_steps(self, name: str) -> list[int]:
        """The number of the last step of each epoch, whether or not the steps before it have rows of their own."""
        last: dict[int, int] = {}
        for row in self.rows(name):
            if row.get("step") and row.get("epoch"):
                epoch, step = int(row["epoch"]), int(row["step"])
                last[epoch] = max(step, last.get(epoch, step))
        return [last[epoch] for epoch in sorted(last)]

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of the log."""
        newest = newest_log(self.folder(name))
        if newest is None:
            raise native.Malformed(f"expected lightning_logs/version_<k>/metrics.csv, found {left(self.folder(name))}")
        with newest.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def _train(self, folder: Path, name: str) -> Ended:
        train, test = (
            write_npz(folder / f"{kind}.npz", **record(n=n, N=64, seed=n)) for kind, n in (("train", 24), ("test", 17))
        )
        several = ["--strategy", "ddp", "--devices", 2, "--batch_size", BATCH]
        how = ["--batch_size", 2 * BATCH] if name == "one" else several
        files = [train, test] if name == "mapped" else [train, "--test_data_file", test]
        argv = [*self.backend.command("train"), "--train_data_file", *files, "--output_dir", folder / "output", *how]
        argv += ["--gridsize", 1, "--n_images", SAMPLES, "--max_epochs", EPOCHS, "--accelerator", "cpu"]
        argv += ["--precision", "32-true"]
        return watched(argv, folder)


def watched(argv: list[Any], folder: Path) -> Ended:
    """A command to its end, while somebody looks which files stand there as the manifest of a map."""
    seen: dict[int, None] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            for path in folder.rglob(maps.MANIFEST):
                if not path.parent.name.startswith("."):
                    seen.setdefault(path.stat().st_ino)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        done = process.run([str(part) for part in argv], env=commands.TELLING, cwd=folder, timeout=PATIENCE)
        return Ended(done.returncode, done.stdout, done.stderr, list(seen))
    except process.NoAnswer as error:
        return Ended(-1, "", str(error), list(seen))
    finally:
        over.set()
        watcher.join()


def plain(paths: list[str]) -> list[str]:
    """Files by names that are the same in every run: without the loss in the name of a checkpoint."""
    return sorted(re.sub(r"(epoch=\d+).*(\.ckpt)$", r"\1\2", path) for path in paths)


def _column(row: dict[str, str], kind: str) -> str:
    """The column of an epoch's loss (LOSS-010): `<name>_epoch` where the value of a step has a column of its own; or ""."""
    found = [name for name in row if re.fullmatch(rf"(poisson|mae)_{kind}(_Amp)?(_Phase)?_loss(_epoch)?", name)]
    return max(found, key=lambda name: name.endswith("_epoch"), default="")
