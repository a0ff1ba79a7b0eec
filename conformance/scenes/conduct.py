"""How commands behave beside what they compute: what they find in a file and say, what they leave, who reads it, who listens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed
from conformance.scenes import archives, commands, compared, flags, masks, pictured, runs, solving
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once

METRES = 2e-9
"""Of an object pixel, in which the positions of `unlikely` are stated."""
ODD = {"--measurement": "counts", "--position-scale": flags.SCALE}
TYPED = {"--max_epochs": 2, "--gridsize": 1, "--batch_size": 8, "--n_images": 16, "--n-filters-scale": 1, "--learning-rate": 5e-4,
         "--torch-loss-mode": "poisson", "--nphotons": 7.0e4, "--precision": "32-true"}  # fmt: skip
SAID = {"nepochs": 2, "gridsize": 1, "batch_size": 8, "n_groups": 16, "n_filters_scale": 1, "learning_rate": 5e-4,
        "torch_loss_mode": "poisson", "nphotons": 7.0e4, "accum_steps": 1, "accelerator": "cpu"}  # fmt: skip
AWAY = 5000.0
"""Pixels from all others at which an exposure is an outlier (DATA-030)."""
LATER = 2.5e-3
"""The rate with which a training goes on."""


# -- a training on files that need words


def _odd(folder: Path, kind: str, good: np.ndarray) -> Path:
    """Counts in another unit, with hot pixels under the mask; to validate on, one repeats another, and one is far away."""
    given = record(n=20, N=64, seed={"train": 5, "test": 11}[kind])
    counts = np.where(good, np.rint(given["diff3d"] ** 2), flags.HOT * given["diff3d"].max() ** 2).astype(np.float32)
    if kind == "test":
        counts[1] = counts[0]
        given["xcoords"][-1] += AWAY
    places = {name: given[name] / flags.SCALE for name in ("xcoords", "ycoords")}
    return write_npz(folder / f"{kind}.npz", **{**given, **places, "diff3d": counts})


class Odd(commands.Stated):
    """`train` and its validation under flags that say what both files hold; where there are presets, beside one of them."""

    def _name(self, name: str) -> str:
        return f"odd-{name}"

    def _train(self, folder: Path) -> process.Completed:
        good = masks.mask(64)
        np.save(folder / "good.npy", good)
        files = {f"--{kind}_data_file": _odd(folder, kind, good) for kind in ("train", "test")} | {"--mask": folder / "good.npy"}
        argv, words = [*self.backend.command("train"), *commands.listed(files | ODD | TYPED)], preset(self.backend, self.shared)
        rest = ["--accept", "position-outlier", "--output_dir", folder / "output", "--accelerator", "cpu", "--quiet"]
        done = commands.call([*argv, *words, *rest], folder)
        refused = done.returncode == 1 and words and "preset" in done.stderr.strip().rpartition("\n")[2]
        return commands.call([*argv, *rest], folder) if refused else done  # what its help explains is no preset

    @property
    def said(self) -> dict[str, Any]:
        return dict(SAID)

    def _records(self) -> list[Any]:
        paths, good = [self.output.parent / f"{kind}.npz" for kind in ("train", "test")], masks.mask(64)
        read = [self.backend.read(path, measurement="counts", coord_scale=flags.SCALE) for path in paths]
        return [self.backend.masked(one, good) for one in read]


def preset(backend: Any, shared: Path) -> tuple[str, ...]:
    """`--preset` with the first name that its help explains (`name: what it is`); nothing where there is none."""
    said = solving.offered(backend, "train", shared).get("--preset", "")
    named = re.search(r"\b([A-Za-z][\w-]*):", said)
    return () if named is None else ("--preset", named[1])


def odd(backend: Any, shared: Path) -> Odd:
    """The training of such files; `NotClaimed` where the help of `train` does not list the flags."""
    for flag in (*ODD, "--mask", "--accept", "--nphotons", "--n-filters-scale", "--torch-loss-mode", "--precision"):
        solving.understood(backend, "train", flag, shared)
    return Odd(backend, shared, 1, 16)


def continued(backend: Any, shared: Path) -> tuple[process.Completed, list[float]]:
    """CLI-010's training, resumed for an epoch at another rate by command: how it ended, and the rates of what it made."""
    for flag in ("--resume", "--override"):
        solving.understood(backend, "train", flag, shared)
    flow = commands.brief(backend, shared)

    def run(folder: Path) -> process.Completed:
        data = {"--train_data_file": flow.output.parent / "data.npz", "--resume": flow.output / "checkpoints" / "last.ckpt"}
        own = commands.TRAINING | {"--max_epochs": 3, "--learning-rate": LATER, "--gridsize": 1, "--n_images": flow.groups}
        argv = [*backend.command("train"), *commands.listed(data | own), "--override", "learning_rate", "--accelerator", "cpu"]
        return commands.call([*argv, "--output_dir", folder / "out", "--quiet"], folder)

    done = process.Completed(**once(shared, "continued", lambda folder: vars(run(folder))))
    return done, [] if done.returncode else runs.rates(SimpleNamespace(folder=shared / "continued" / "out"))


# -- a look at a file


def inspected(backend: Any, shared: Path, answered: bool) -> tuple[process.Completed, list[str]]:
    """`inspect` on counts in metres with zero frequency in the corner, bare, or with flags that answer each finding.

    How it ended, and what is new beside the file.
    """
    for flag in (*ODD, "--mask", "--accept", "--output"):
        solving.understood(backend, "inspect", flag, shared)

    def run(folder: Path) -> process.Completed:
        good = masks.mask(64)
        np.save(folder / "good.npy", np.fft.ifftshift(good))
        given = record(n=20, N=64)
        counts = np.where(good, np.rint(given["diff3d"] ** 2), flags.HOT * given["diff3d"].max() ** 2).astype(np.float32)
        places = {name: given[name] * METRES for name in ("xcoords", "ycoords")}
        data = write_npz(folder / "data.npz", **{**given, **places, "diff3d": np.fft.ifftshift(counts, axes=(1, 2))})
        words = {
            "--measurement": "counts",
            "--position-scale": 1 / METRES,
            "--mask": folder / "good.npy",
            "--accept": "zero-frequency",
        }
        argv = [*backend.command("inspect"), data, "--output", folder / "picture.png"]
        return commands.call([*argv, *(["--quiet", *commands.listed(words)] if answered else [])], folder)

    name = f"inspected-{'answered' if answered else 'bare'}"
    done = once(shared, name, lambda folder: vars(run(folder)))
    return process.Completed(**done), [one for one in archives.left(shared / name) if one not in ("data.npz", "good.npy")]


# -- what is left, and for whom


def closed_to_others(folder: Path, beside: Path) -> list[str]:
    """What of `folder` and of all that is below it has other rights than those that this process makes in `beside` now."""
    (beside / "folder").mkdir()
    (beside / "file").touch()
    usual = {kind: (beside / kind).stat().st_mode & 0o777 for kind in ("folder", "file")}
    return [str(path.relative_to(folder.parent)) for path in _below(folder) if path.stat().st_mode & 0o777 != usual[_kind(path)]]


def _below(folder: Path) -> Iterator[Path]:
    yield folder
    for place, folders, names in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *names))


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file"


SMALL = {"--N": 64, "--size": 160, "--patterns": 8, "--test-patterns": 4}


def unheard(backend: Any, shared: Path) -> tuple[list[int], list[str]]:
    """`simulate` of two objects, then of one into the same folder, with nobody at the other end of its output.

    Both exit codes, and what is in the folder then.
    """
    for flag in (*SMALL, "--object"):
        solving.understood(backend, "simulate", flag, shared)

    def run(folder: Path) -> dict[str, Any]:
        argv = [*backend.command("simulate"), *commands.listed(SMALL), "--output-dir", folder / "out"]
        first = commands.call([*argv, "--object", "lines", "grf", "--quiet"], folder)
        if first.returncode:
            raise NotClaimed("command `simulate`: it makes no lines and no grf")
        alone = '{ "$@"; echo $? > code; } | true'
        commands.call(["sh", "-c", alone, "sh", *argv], folder)
        return {"codes": [first.returncode, int((folder / "code").read_text())], "left": archives.left(folder / "out")}

    found = once(shared, "unheard", run)
    return found["codes"], found["left"]


def placed(backend: Any, shared: Path) -> tuple[process.Completed, list[dict[str, str]]]:
    """`evaluate` on files of numbers as commands leave them: a piece at its place, and the truth in part."""
    solving.offered(backend, "evaluate", shared)

    def run(folder: Path) -> process.Completed:
        whole, (x, y), away = compared.truth(), (4, 9), np.array([100.0, 40.0])
        seen = np.ones(whole.shape, bool)
        seen[:14] = False
        holed = np.where(seen, whole, 7j)
        files = {"piece": (whole[y:-3, x:-2], away + [x, y], None), "holed": (holed, away, seen), "truth": (whole, away, None)}
        for name, (field, origin, covered) in files.items():
            write_npz(folder / f"{name}.npz", object=field.astype(np.complex64), origin=origin, covered=covered)
        argv = [*backend.command("evaluate"), *(folder / f"{name}.npz" for name in files), "--output-dir", folder / "out"]
        return commands.call([*argv, "--quiet"], folder)

    done = process.Completed(**once(shared, "placed", lambda folder: vars(run(folder))))
    return done, [] if done.returncode else [dict(row) for row in pictured.lines(shared / "placed" / "out")]
