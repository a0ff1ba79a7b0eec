"""Flags that have an effect, several in one call beside the library's own way to the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.scenes import apart, commands, configs, engines, images, masks, pictured, runs, solving
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once
from conformance.specification import flag_table

SCALE = 1.25
"""Object pixels in a unit of the positions of `odd`."""
LARGEST = 2**15 - 1
"""A count at which a file is asked whether its detector was full (DATA-030)."""
HOT = 30.0
"""Times the brightest pixel: what the masked pixels hold."""
INFER = {"--n_images": 10, "--stitch-crop-size": 16, "--seed": 0, "--measurement": "counts", "--position-scale": SCALE,
         "--precision": "32-true"}  # fmt: skip
TURNS = ("--flip-x", "--flip-y", "--transpose", "--plain")
M, GROUPS, SEED, NEIGHBOURS = 16, 10, 0, 9
"""Zero is a seed, and no flag that was left out."""
REFINED = ("reconstruction.npz", "reconstructed_amplitude.png", "reconstructed_phase.png")
"""What an older refinement has left (CLI-022)."""
NOTES = "notes of somebody else.txt"
THEIRS = (NOTES, f"refined/{NOTES}")
"""What stands in the output folder before, and is nobody's of these commands."""


def hot(amplitudes: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Counts of amplitudes `(n, N, N)`, float32 and whole, whose masked pixels hold many more."""
    return np.rint(np.where(good, amplitudes**2, HOT * amplitudes.max() ** 2)).astype(np.float32)


def full_scale(amplitudes: np.ndarray, good: np.ndarray) -> np.ndarray:
    """The same amplitudes `(n, N, N)`, so bright that the brightest good pixel counts what a detector of 15 bits ends at."""
    return amplitudes * np.sqrt(LARGEST / np.max(amplitudes.astype(float)[:, good] ** 2))


def accepted(backend: Any, command: str, shared: Path) -> list[str]:
    """The words by which a command goes on in spite of that, where its help lists the flag."""
    return ["--accept", "largest-integer"] if "--accept" in solving.offered(backend, command, shared) else []


def asked_about(backend: Any, command: str, shared: Path, amplitudes: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Amplitudes `(n, N, N)` about which a file is asked, where the command can be answered; else as they are."""
    return full_scale(amplitudes, good) if accepted(backend, command, shared) else amplitudes


def odd(backend: Any, shared: Path, folder: Path) -> tuple[Path, Path, np.ndarray]:
    """A file of counts at positions in another unit, with hot pixels, and a mask beside it: both paths, and the good pixels."""
    given, good = record(n=20, N=64), masks.mask(64)
    counts = hot(asked_about(backend, "infer", shared, given["diff3d"], good), good)
    given = {**given, "diff3d": counts, "xcoords": given["xcoords"] / SCALE, "ycoords": given["ycoords"] / SCALE}
    np.save(folder / "good.npy", good)
    return write_npz(folder / "odd.npz", **given), folder / "good.npy", good


def trained(backend: Any, shared: Path) -> commands.Flow:
    """A training that has left a bundle: that of `further`, groups of four, no setting its default, else CLI-010's flow.

    Of how many neighbours `infer` draws groups is its own number where it cannot be told: then the groups are single patterns.
    """
    known = set(flag_table.further("train")) <= set(solving.offered(backend, "train", shared))
    if known and neighbours(backend, shared) and not refused(flow := further(backend, shared)):
        return flow
    return commands.brief(backend, shared)


def refused(flow: commands.Flow) -> list[str]:
    """The settings that a training names, or whose flags, where it ends with code 1 and a line, as it may (CONFIG-071)."""
    told = flow.train.stderr.strip().rpartition("\n")[2] if flow.train.returncode == 1 else ""
    return [name for name in flow.said if "_" in name and name in told.replace("-", "_")]


def understood_training(backend: Any, shared: Path) -> commands.Flow:
    """The training of `further`; `NotClaimed` where a setting is refused by its name."""
    flow = further(backend, shared)
    if names := refused(flow):
        raise NotClaimed(f"command `train` with this {names[0]}: {flow.train.stderr.strip()}")
    return flow


def neighbours(backend: Any, shared: Path) -> dict[str, int]:
    """Of how many a group is drawn, as a setting: a number that `infer` is told, or nothing where it cannot be told."""
    return {"neighbor_count": NEIGHBOURS} if "--neighbor-count" in solving.offered(backend, "infer", shared) else {}


def processes(backend: Any, shared: Path) -> tuple[str, ...]:
    """Flags of `train` that ask for two processes; `NotClaimed` where its help has none."""
    solving.understood(backend, "train", "--devices", shared)
    listed = solving.offered(backend, "train", shared)
    return ("--devices", "2", *(("--strategy", "ddp") if "--strategy" in listed else ()))


def turned(backend: Any, shared: Path) -> solving.Solved:
    """`infer` with every flag that changes what is stitched, on the bundle of `trained`; once for all checks of a session."""
    for flag in (*INFER, *TURNS, "--mask"):
        solving.understood(backend, "infer", commands.hyphened(flag), shared)
    flow = trained(backend, shared)
    near = {"--neighbor-count": NEIGHBOURS} if neighbours(backend, shared) else {}

    def run(folder: Path) -> process.Completed:
        data, good, _ = odd(backend, shared, folder)
        (folder / "out" / "refined").mkdir(parents=True)
        for place in THEIRS:
            (folder / "out" / place).write_bytes(b"not yours")
        for name in REFINED:
            (folder / "out" / "refined" / name).write_bytes(b"older")
        files = {"--model_path": flow.output, "--test_data": data, "--mask": good, "--output_dir": folder / "out"}
        argv = [*backend.command("infer"), *commands.listed(files | INFER | near), *TURNS, "--accelerator", "cpu", "--quiet"]
        return commands.call([*argv, *accepted(backend, "infer", shared)], folder)

    done = once(shared, "turned", lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "", shared / "turned" / "out")


def _asked(backend: Any, shared: Path, folder: Path) -> tuple[Any, Any, Any]:
    """Models, record and configuration of the same call through the library."""
    models, parameters = backend.load(trained(backend, shared).output)
    data, _, good = odd(backend, shared, folder)
    known = {name: parameters.get(configs.REGISTRY_KEYS.get(name, name)) for name in configs.MODEL}
    model = backend.canonical("model", **{name: value for name, value in known.items() if value is not None})
    paths = {
        "model_path": trained(backend, shared).output,
        "test_data_file": data,
        "output_dir": folder / "out",
        "backend": "pytorch",
    }
    near = neighbours(backend, shared)
    config = backend.canonical("inference", model=model, n_groups=GROUPS, subsample_seed=SEED, **paths, **near)
    backend.synchronise(config)
    return models, backend.masked(backend.read(data, measurement="counts", coord_scale=SCALE), good), config


def by_the_library(backend: Any, shared: Path, folder: Path, **without: Any) -> images.Image:
    """The same through `reconstruct`; `without`: options that are other ones than the flags'."""
    models, record_, config = _asked(backend, shared, folder)
    options = {"M": M, "flip_x": True, "flip_y": True, "transpose": True} | without
    return images.Image(*runs.three(backend.reconstruct({"models": models}, record_, config, **options)))


def figures(backend: Any, shared: Path, folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    """The figures that the numbers of `turned` tell, and those of the library; `NotClaimed` where none are told.

    What is covered is looked at where patches were placed: at positions that were turned with them.
    """
    models, record_, config = _asked(backend, shared, folder)
    with np.load(turned(backend, shared).folder / solving.NUMBERS, allow_pickle=False) as file:
        told = {name: float(file[name]) for name in ("amplitude_residual", "flat_residual", "covered_share") if name in file}
        seen = {name: file[name] for name in ("covered", "origin") if name in file}
    if not told:
        raise NotClaimed("reconstruction.npz: the command tells no residual")
    container = backend.container(record_, config)
    turned_places = -np.stack([native.array(record_.xcoords), native.array(record_.ycoords)], axis=-1).astype(float)
    module = native.item(models, "diffraction_to_obj")
    library = {"amplitude_residual": lambda: backend.amplitude_residual(module, container, config),
               "flat_residual": lambda: backend.flat_residual(container, config),
               "covered_share": lambda: backend.covered_share(seen["covered"], tuple(seen["origin"]), turned_places)}  # fmt: skip
    return told, {name: float(library[name]()) for name in told}


def field_of(found: solving.Solved) -> np.ndarray:
    """The object in the numbers of a command; `NotClaimed` where it leaves none."""
    return pictured.numbers(found.folder)["object"]


def places(found: solving.Solved, library: images.Image) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """`origin` and `offsets`: what the numbers of a command tell, and where the library's image and patches lie (INFER-006)."""
    numbers, offsets, N = pictured.numbers(found.folder), library.offsets.reshape(-1, 2), library.patches.shape[1]
    missing = [name for name in ("origin", "offsets") if name not in numbers]
    if missing:
        raise NotClaimed(f"reconstruction.npz: the command does not tell {missing[0]!r}")
    sides = np.array(library.field.shape[::-1])
    corner = offsets.mean(axis=0) - (sides - M) / 2 - (N // 2 - (N - M) // 2)
    return {"origin": (numbers["origin"], corner), "offsets": (numbers["offsets"], offsets)}


MAE = {"torch_loss_mode": "mae"}
"""The loss of `further`, by which its metrics are named."""


class Further(commands.Stated):
    """The training of the flags of `flags.toml` that state a setting, beside those of CLI-001."""

    def _name(self, name: str) -> str:
        return f"further-{name}"

    def _train(self, folder: Path) -> process.Completed:
        files = {f"--{kind}_data_file": write_npz(folder / f"{kind}.npz", **apart.file(kind)) for kind in ("train", "test")}
        switches = [flag for flag, (_, value) in self.flags.items() if isinstance(value, bool)]
        given = {flag: value for flag, (_, value) in self.flags.items() if flag not in switches}
        argv = [*self.backend.command("train"), *commands.listed(files | given), *switches, "--output_dir", folder / "output"]
        return commands.call([*argv, *RUN, "--quiet"], folder)

    @property
    def flags(self) -> dict[str, tuple[str, Any]]:
        return flag_table.further("train")

    @property
    def said(self) -> dict[str, Any]:
        own = {
            "accum_steps": 2,
            "accelerator": "cpu",
            "scheduler": "WarmupCosine",
            "checkpoint_mode": "max",
            "learning_rate": 2e-3,
        }
        return dict(self.flags.values()) | own


RUN = ("--max_epochs", 3, "--batch_size", 8, "--n_images", 24, "--gridsize", 2, "--accelerator", "cpu",
       "--scheduler", "WarmupCosine", "--precision", "32-true", "--accumulate-grad-batches", 2,
       "--checkpoint-mode", "max", "--learning-rate", 2e-3)  # fmt: skip
"""What CLI-014 looks at; more groups than the twenty exposures of `scenes.apart`. Gradients are gathered and clipped, and epochs
ranked by what is ranked without a word."""


def further(backend: Any, shared: Path) -> Further:
    """The training with every further flag, which the help of `train` lists."""
    for flag in flag_table.further("train"):
        solving.understood(backend, "train", flag, shared)
    return Further(backend, shared, 2, 24)


ENGINE = ("--sweeps", 20, "--keep-probe", "--measurement", "counts", "--position-scale", SCALE)
RATES = {"": ("--seed", 9, "--batch", 24), "seed": ("--seed", 10, "--batch", 24), "batch": ("--seed", 9, "--batch", 12)}
"""What of the call is another one."""
ASIDE = (0.37, -0.21)
"""Object pixels [x, y] by which all positions of the engine's scan are moved, and its object: their mean is not whole."""
USED = "batch"
"""The call into a folder in which another one, with more flags, has left its files."""


def aside() -> tuple[np.ndarray, np.ndarray]:
    """x and y of the engine's scan, moved by `ASIDE`."""
    given = solving.arrays("plain")
    return given["xcoords"] + ASIDE[0], given["ycoords"] + ASIDE[1]


def undone(backend: Any, shared: Path, other: str = "") -> solving.Solved:
    """`reconstruct` on the engine's experiment as counts, in another unit, with hot pixels, and with flags that say so."""
    for flag in ("--measurement", "--position-scale", "--mask", "--batch"):
        solving.understood(backend, "reconstruct", flag, shared)

    def run(folder: Path) -> process.Completed:
        given, good = solving.arrays("plain"), masks.mask(engines.N)
        counts = hot(asked_about(backend, "reconstruct", shared, given["diff3d"].astype(float), good), good)
        x, y = aside()
        odd_ones = {"diff3d": counts, "xcoords": x / SCALE, "ycoords": y / SCALE}
        np.save(folder / "good.npy", good)
        data = write_npz(folder / "counts.npz", **{**given, **odd_ones})
        own = ["--data", data, "--mask", folder / "good.npy", "--output-dir", folder / "out", "--accelerator", "cpu", "--quiet"]
        if other == USED:
            shutil.copytree(solving.halfway(backend, shared).parent, folder / "out")
            (folder / "out" / NOTES).write_bytes(b"not yours")
        own += accepted(backend, "reconstruct", shared)
        return commands.call([*backend.command("reconstruct"), *own, *ENGINE, *RATES[other]], folder)

    name = f"undone{other}"
    done = once(shared, name, lambda folder: vars(run(folder)))
    return solving.Solved(process.Completed(**done), "plain", shared / name / "out")
