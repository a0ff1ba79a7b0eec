"""Pictures that commands leave beside numbers, and `evaluate`: what is shown and told of objects that are known."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed, NotEvaluated
from conformance.oracles import pictures, shown
from conformance.scenes import commands, compared, solving
from conformance.scenes.shared import once

NAMES = ("amplitude", "phase")
TAILS = (0.5, 99.5)
"""Percentiles beyond which a picture need not tell values apart."""
LEVELS = 4 / 255
"""Of what a picture may span, from no light to the most, or a whole turn: what varies by less is one grey among others."""
TABLE = "evaluation.csv"
OBJECTS = ("elsewhere", "disturbed")
"""In the order in which `evaluate` is given them, the truth behind them."""


def numbers(folder: Path) -> dict[str, np.ndarray]:
    """The file of numbers beside pictures; `NotClaimed` where the command leaves none with an object."""
    path = folder / solving.NUMBERS
    if not path.is_file():
        raise NotClaimed(f"{solving.NUMBERS}: the command leaves no numbers beside its pictures")
    with np.load(path, allow_pickle=False) as file:
        if "object" not in file:
            raise NotClaimed(f"{solving.NUMBERS}: no `object`")
        return {name: file[name] for name in ("object", "covered", "origin", "offsets") if name in file}


def covered(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The object in the file of numbers, and the pixels that it says are covered, bool; `NotClaimed` where it says none."""
    found = numbers(folder)
    if "covered" not in found:
        raise NotClaimed(f"{solving.NUMBERS}: no `covered`")
    return found["object"], found["covered"].astype(bool)


def explained(folder: Path, name: str) -> dict[str, float]:
    """Array → its share that the picture `name` explains: of modulus and argument, and of the right one upside down and mirrored.

    A picture may show the whole canvas, or what was covered of it.
    """
    picture = pictures.pixels(folder / f"reconstructed_{name}.png")
    picture = np.repeat(picture, 3, axis=-1)[..., :3] if picture.shape[-1] < 3 else picture[..., :3]
    arrays = numbers(folder)
    field, seen = arrays["object"].astype(complex), arrays.get("covered")
    seen = np.ones(field.shape, bool) if seen is None else seen.astype(bool)
    _refuse_flat(name, field, seen)
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    cut = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    own = {"amplitude": _modulus(field, seen), "phase": field / np.maximum(np.abs(field), np.finfo(float).tiny)}

    def best(values: np.ndarray, turn: tuple[slice, slice]) -> float:
        parts = (cut, (slice(None), slice(None)))
        return max(shown.explained(picture, values[part][turn], seen[part][turn]) for part in parts)

    plain, upside, mirror = (slice(None), slice(None)), (slice(None, None, -1), slice(None)), (slice(None), slice(None, None, -1))
    ways = {"upside down": best(own[name], upside), "mirrored": best(own[name], mirror)}
    return {kind: best(values, plain) for kind, values in own.items()} | ways


def _refuse_flat(name: str, field: np.ndarray, seen: np.ndarray) -> None:
    """`NotEvaluated` where the numbers are alike to the eye: a network that has learnt little may have such an image."""
    turned = field[seen] * np.conj(field[seen].mean())
    values, span = (np.abs(turned), np.abs(turned).max()) if name == "amplitude" else (np.angle(turned), 2 * np.pi)
    if np.ptp(np.percentile(values, TAILS)) < LEVELS * span:
        raise NotEvaluated(f"the {name} varies by less than {LEVELS:.1%} of what a picture of it spans")


def _modulus(field: np.ndarray, seen: np.ndarray) -> np.ndarray:
    modulus = np.abs(field)
    return np.clip(modulus, *np.percentile(modulus[seen], TAILS))


def evaluated(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`evaluate` on two objects beside the truth, once for all checks of a session: how it ended, and its folder."""
    solving.offered(backend, "evaluate", shared)

    def run(folder: Path) -> process.Completed:
        made = {"elsewhere": compared.elsewhere(), "disturbed": compared.disturbed(compared.truth()), "truth": compared.truth()}
        (elsewhere := folder / "elsewhere").mkdir(exist_ok=True)  # than where one stands (CLI-109)
        files = [elsewhere / f"{name}.npy" for name in (*OBJECTS, "truth")]
        for path in files:
            np.save(path, made[path.stem])
        return commands.call([*backend.command("evaluate"), *files, "--output-dir", "out", "--quiet"], folder)

    done = once(shared, "evaluated", lambda folder: vars(run(folder)))
    return process.Completed(**done), shared / "evaluated" / "out"


def unwritten(backend: Any, shared: Path, folder: Path) -> process.Completed:
    """`evaluate --quiet` on two of its files, and no folder to write to; `NotClaimed` where that is refused by a flag's name."""
    files = [evaluated(backend, shared)[1].parent / "elsewhere" / f"{name}.npy" for name in (OBJECTS[0], "truth")]
    done = commands.call([*backend.command("evaluate"), *files, "--quiet"], folder)
    if done.returncode == 1 and any(flag in commands.hyphened(done.stderr) for flag in ("--quiet", "--output-dir")):
        raise NotClaimed(f"command `evaluate`: --quiet without --output-dir: {done.stderr.strip()}")
    return done


def lines(folder: Path) -> list[Mapping[str, str]]:
    """The lines of the table of `evaluate`; raises `Malformed` where there is none."""
    if not (folder / TABLE).is_file():
        raise native.Malformed(f"expected {TABLE}, found {sorted(path.name for path in folder.glob('*'))}")
    with (folder / TABLE).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
