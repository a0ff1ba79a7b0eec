"""How commands behave beside what they compute: what they find in a file and say, what they leave, who reads it, who listens."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.scenes import archives, commands, compared, flags, masks, pictured, rights, runs, solving
from conformance.scenes.optics import curved_probe
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once

METRES = 2e-9
"""Of an object pixel, in which the positions of `unlikely` are stated."""
SCALE = 8.0
"""Of positions, so large that those which are scaled twice lie beyond each other's patterns."""
ODD = {"--measurement": "counts", "--position-scale": SCALE}
TYPED = {"--max_epochs": 2, "--gridsize": 2, "--batch_size": 8, "--n_images": 16, "--n-filters-scale": 1, "--learning-rate": 5e-4,
         "--torch-loss-mode": "poisson", "--nphotons": 7.0e4, "--precision": "32-true"}  # fmt: skip
SAID = {"nepochs": 2, "gridsize": 2, "batch_size": 8, "n_groups": 16, "n_filters_scale": 1, "learning_rate": 5e-4,
        "torch_loss_mode": "poisson", "nphotons": 7.0e4, "accum_steps": 1, "accelerator": "cpu"}  # fmt: skip
AWAY = 5000.0
"""Pixels from all others at which an exposure is an outlier (DATA-030)."""
BAD, MAPPED = "no scan.npz", ("--skip-bad-files",)
"""A file that is none, and the flags under which it is left out of a map."""
ANSWERS = ("--accept", "position-outlier", "--accept", "largest-integer")
"""To what is found in the file that is validated on, and in the one that is trained on."""
LATER = 2.5e-3
"""The rate with which a training goes on."""


# -- a training on files that need words


def _odd(folder: Path, kind: str, good: np.ndarray) -> Path:
    """Counts in another unit, with hot pixels under the mask; to train on as many as a detector of 15 bits ends at; to validate
    on, one repeats another, and one is far away.
    """
    given = record(n=20, N=64, seed={"train": 5, "test": 11}[kind])
    counts = flags.hot(flags.full_scale(given["diff3d"], good) if kind == "train" else given["diff3d"], good)
    if kind == "test":
        counts[1] = counts[0]
        given["xcoords"][-1] += AWAY
    places = {name: given[name] / SCALE for name in ("xcoords", "ycoords")}
    return write_npz(folder / f"{kind}.npz", **{**given, **places, "diff3d": counts})


@dataclass(frozen=True)
class Odd(commands.Stated):
    """`train` and its validation under flags that say what both files hold; where there are presets, beside one of them.

    `mapped`: the training file in a map on disk, and beside it one that is none and is to be left out.
    """

    mapped: bool = False

    def _name(self, name: str) -> str:
        return f"odd-{'mapped-' if self.mapped else ''}{name}"

    def _train(self, folder: Path) -> process.Completed:
        good = masks.mask(64)
        np.save(folder / "good.npy", good)
        files = {f"--{kind}_data_file": _odd(folder, kind, good) for kind in ("train", "test")} | {"--mask": folder / "good.npy"}
        given = ["--train_data_file", files.pop("--train_data_file")]
        if self.mapped:
            (folder / BAD).write_bytes(b"PK\x03\x04 cut off")
            given += [folder / BAD, *MAPPED, "--map-dir", folder / "map", *self._remade(folder)]
        argv = [*self.backend.command("train"), *given, *commands.listed(files | ODD | TYPED)]
        words = preset(self.backend, self.shared)
        rest = [*ANSWERS, "--output_dir", folder / "output", "--accelerator", "cpu", "--quiet"]
        done = commands.call([*argv, *words, *rest], folder)
        refused = done.returncode == 1 and words and "preset" in done.stderr.strip().rpartition("\n")[2]
        return commands.call([*argv, *rest], folder) if refused else done  # what its help explains is no preset

    def _remade(self, folder: Path) -> list[str]:
        """Where the help lists the flag, the map of another file lies there already, and the words by which it is made anew."""
        listed = "--remake-map" in solving.offered(self.backend, "train", self.shared)
        if not listed or "mmap" not in self.backend.info().profiles:
            return []
        other = write_npz(folder / "other.npz", **record(n=20, N=64, seed=23))
        self.backend.mapped([other], folder / "map", runs.configuration(self.backend, runs.Recipe(groups=16, gridsize=2), folder))
        return ["--remake-map"]

    @property
    def said(self) -> dict[str, Any]:
        return dict(SAID)

    def _records(self) -> list[Any]:
        paths, good = [self.output.parent / f"{kind}.npz" for kind in ("train", "test")], masks.mask(64)
        read = [self.backend.read(path, measurement="counts", coord_scale=SCALE) for path in paths]
        return [self.backend.masked(one, good) for one in read]


def preset(backend: Any, shared: Path) -> tuple[str, ...]:
    """`--preset` with the first name that its help explains (`name: what it is`); nothing where there is none."""
    said = solving.offered(backend, "train", shared).get("--preset", "")
    named = re.search(r"\b([A-Za-z][\w-]*):", said)
    return () if named is None else ("--preset", named[1])


def odd(backend: Any, shared: Path, mapped: bool = False) -> Odd:
    """The training of such files; `NotClaimed` where the help of `train` does not list the flags."""
    more = ("--map-dir", *MAPPED) if mapped else ()
    for flag in (*ODD, "--mask", "--accept", "--nphotons", "--n-filters-scale", "--torch-loss-mode", "--precision", *more):
        solving.understood(backend, "train", flag, shared)
    return Odd(backend, shared, 2, 16, mapped=mapped)


def continued(backend: Any, shared: Path) -> tuple[process.Completed, list[float]]:
    """CLI-010's training, resumed for an epoch at another rate by command: how it ended, and the rates of what it made."""
    for flag in ("--resume", "--override"):
        solving.understood(backend, "train", flag, shared)
    flow = commands.brief(backend, shared)

    def run(folder: Path) -> process.Completed:
        data = {"--train_data_file": flow.output.parent / "data.npz", "--resume": flow.output / "checkpoints" / "last.ckpt"}
        own = commands.TRAINING | {"--max_epochs": 3, "--learning-rate": LATER, "--gridsize": 1, "--n_images": flow.groups}
        argv = [*backend.command("train"), *commands.listed(data | own), "--override", "learning_rate", "--device", "cpu"]
        return commands.call([*argv, "--output_dir", "out", "--quiet"], folder)  # its data lie elsewhere (CLI-109)

    done, folder = process.Completed(**once(shared, "continued", lambda folder: vars(run(folder)))), shared / "continued" / "out"
    return done, runs.rates(SimpleNamespace(folder=folder)) if not done.returncode and folder.is_dir() else []


# -- a look at a file

CROP = 2
"""Central pixels of a patch, less than its scan moves by."""


def crops(backend: Any, shared: Path) -> bool:
    """Whether the help of `inspect` lists how much of a patch is to be placed."""
    return "--stitch-crop-size" in solving.offered(backend, "inspect", shared)


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
        counts = flags.hot(given["diff3d"], good)
        places = {name: given[name] * METRES for name in ("xcoords", "ycoords")}
        data = write_npz(folder / "data.npz", **{**given, **places, "diff3d": np.fft.ifftshift(counts, axes=(1, 2))})
        words = {
            "--measurement": "counts",
            "--position-scale": 1 / METRES,
            "--mask": folder / "good.npy",
            "--accept": "zero-frequency",
        }
        words |= {"--stitch-crop-size": CROP} if crops(backend, shared) else {}
        argv = [*backend.command("inspect"), data, "--output", folder / "picture.png"]
        again = ("--accept", "position-outlier")  # which is not found, and takes nothing back
        return commands.call([*argv, *(["--quiet", *commands.listed(words), *again] if answered else [])], folder)

    name = f"inspected-{'answered' if answered else 'bare'}"
    done = once(shared, name, lambda folder: vars(run(folder)))
    return process.Completed(**done), [one for one in archives.left(shared / name) if one not in ("data.npz", "good.npy")]


def refused(backend: Any, shared: Path, command: str) -> tuple[process.Completed, list[str]]:
    """A command on the file of `inspected` without a word of what it holds, or, as `validation`, a training that is validated on
    it: how it ended, and what it has left.
    """
    name = "train" if command == "validation" else command
    solving.offered(backend, name, shared)
    inspected(backend, shared, answered=False)
    data = shared / "inspected-bare" / "data.npz"

    def run(folder: Path) -> process.Completed:
        own = {
            "train": lambda: {"--train_data_file": data, "--max_epochs": 1},
            "validation": lambda: {"--train_data_file": _fine(folder), "--test_data_file": data, "--max_epochs": 1},
            "infer": lambda: {"--test_data": data, "--model_path": flags.trained(backend, shared).output},
            "reconstruct": lambda: {"--data": data, "--sweeps": 2},
        }[command]()
        output = "--output-dir" if command == "reconstruct" else "--output_dir"
        argv = [*backend.command(name), *commands.listed(own), output, folder / "out", "--accelerator", "cpu", "--quiet"]
        return commands.call(argv, folder)

    place = f"refused-{command}"
    done = process.Completed(**once(shared, place, lambda folder: vars(run(folder))))
    left = [one for one in archives.left(shared / place) if one != FINE]
    return done, [one for one in left if not holds(shared / place / one)]


FINE = "fine.npz"


def _fine(folder: Path) -> Path:
    return write_npz(folder / FINE, **record(n=8, N=64))


def holds(path: Path) -> bool:
    """Whether a file is the hidden and empty one by which a folder is held (CLI-058), of which nothing is made."""
    return path.name.startswith(".") and path.stat().st_size == 0


# -- what is left, and for whom


def closed_to_others(folder: Path, beside: Path) -> list[str]:
    """What of `folder` and of all that is below it has other rights than what is made in `beside` under the same mask."""
    rights.masked(Path.mkdir)(beside / "folder")
    rights.masked(Path.touch)(beside / "file")
    usual = {kind: (beside / kind).stat().st_mode & 0o777 for kind in ("folder", "file")}
    return [str(path.relative_to(folder.parent)) for path in _below(folder) if path.stat().st_mode & 0o777 != usual[_kind(path)]]


def _below(folder: Path) -> Iterator[Path]:
    yield folder
    for place, folders, names in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *names))


def _kind(path: Path) -> str:
    return "folder" if path.is_dir() else "file"


FULL = "/dev/full"
"""A device that is a full disk."""
KINDS = ("lines", "grf")
SMALL = {"--N": 64, "--size": 160, "--patterns": 8, "--test-patterns": 4}


def unheard(backend: Any, shared: Path) -> dict[str, Any]:
    """`simulate` of two objects, a full disk behind its output, then of one into the same folder, nobody at the other end.

    The first has a probe of one's own, where there is a flag for it. `codes` of both, `full`: what it said of a full disk
    (nothing where there is none), the scans that it `made`, what is `left` in the folder by both, what the second makes in a
    `new` one, and whether it `speaks` at all.
    """
    for flag in (*SMALL, "--object"):
        solving.understood(backend, "simulate", flag, shared)
    known = re.findall(r"[\w-]+", solving.offered(backend, "simulate", shared)["--object"])
    if absent := [kind for kind in KINDS if kind not in known]:
        raise NotClaimed(f"command `simulate`: its help of --object does not name {absent[0]}")

    def run(folder: Path) -> dict[str, Any]:
        argv, own = [*backend.command("simulate"), *commands.listed(SMALL), "--output-dir", folder / "out"], []
        if "--probe-file" in solving.offered(backend, "simulate", shared):
            np.save(folder / "own.npy", curved_probe(SMALL["--N"])[0])
            own = ["--probe-file", folder / "own.npy"]
        full = '"$@" > /dev/full' if os.path.exists(FULL) else '"$@"'
        first = commands.call(["sh", "-c", full, "sh", *argv, *own, "--object", *KINDS], folder)
        made = [name for name in archives.left(folder / "out") if name.startswith("train")]
        alone = commands.unread(argv, folder)
        speaks = bool(commands.call([*argv[:-1], folder / "heard"], folder).stdout.strip())
        codes = [first.returncode, alone.returncode]
        left, new = archives.left(folder / "out"), archives.left(folder / "heard")
        return {"codes": codes, "full": first.stderr, "made": made, "left": left, "new": new, "speaks": speaks}

    return dict(once(shared, "unheard", run))


def lossy(found: dict[str, Any]) -> None:
    """`NotEvaluated` where nothing can be lost: there is no full disk, or the command says nothing."""
    if not os.path.exists(FULL) or not found["speaks"]:
        raise NotEvaluated(f"there is no {FULL}" if found["speaks"] else "command `simulate`: it says nothing on standard output")


def placed(backend: Any, shared: Path) -> tuple[process.Completed, list[dict[str, str]]]:
    """`evaluate` on files of numbers as commands leave them: a piece at its place, between pixels, and the truth in part."""
    solving.offered(backend, "evaluate", shared)

    def run(folder: Path) -> process.Completed:
        whole, (x, y), away, beside = compared.truth(), (4, 9), np.array([100.0, 40.0]), (0.3125, 0.4375)
        seen = np.ones(whole.shape, bool)
        seen[:14] = False
        holed = np.where(seen, whole, 7j)
        piece = compared.between(beside)[y:-3, x:-2], away + [x, y] + beside, None
        files = {"piece": piece, "holed": (holed, away, seen), "truth": (whole, away, None)}
        for name, (field, origin, covered) in files.items():
            (folder / name).mkdir()
            write_npz(folder / name / "reconstruction.npz", object=field.astype(np.complex64), origin=origin, covered=covered)
        argv = [*backend.command("evaluate"), *(folder / name / "reconstruction.npz" for name in files)]
        return commands.call([*argv, "--output-dir", folder / "out", "--quiet"], folder)

    done = process.Completed(**once(shared, "placed", lambda folder: vars(run(folder))))
    return done, [] if done.returncode else [dict(row) for row in pictured.lines(shared / "placed" / "out")]
