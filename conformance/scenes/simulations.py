"""What `simulate` makes of several objects, modes and a beam stop, beside the far fields of what its files say (CLI-047)."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.scenes import commands, solving
from conformance.scenes.optics import curved_probe
from conformance.scenes.records import patch_at
from conformance.scenes.shared import once

N, STOP, POWERS = 32, 3.0625, (0.6931471805599453, 0.3068528194400547)
FLAGS: dict[str, Any] = {
    **{"--N": N, "--size": 80, "--patterns": 12, "--test-patterns": 9},
    **{"--photons": 31415926.535897, "--seed": 4123456789, "--beam-stop": STOP},
}
"""Numbers that no shorter form holds among them."""
OTHER = 7
"""Another seed."""
LISTS = ("--object", "lines", "grf", "grf", "--mode-powers", *map(str, POWERS))
FILES = ("train_1", "train_2", "train_3", "test")
COUNTS = {name: FLAGS["--test-patterns" if name == "test" else "--patterns"] for name in FILES}
REAL = re.compile(r"^\s*(\w+)\s*=\s*(-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))\s*(?:#.*)?$", re.MULTILINE)
"""A real number on a line of its own."""
MANY = 3
"""Calls at least: two of the recipe as it is, and one of another number."""


def understood(backend: Any, shared: Path, *flags: str) -> None:
    """`NotClaimed` where the help of `simulate` does not list one of these flags."""
    for flag in flags:
        solving.understood(backend, "simulate", flag, shared)


def _objects(backend: Any, shared: Path, *kinds: str) -> None:
    """`NotClaimed` where the help of `--object` does not name one of these kinds."""
    understood(backend, shared, "--object")
    known = re.findall(r"[\w-]+", solving.offered(backend, "simulate", shared)["--object"])
    if absent := [kind for kind in kinds if kind not in known]:
        raise NotClaimed(f"command `simulate`: its help of --object does not name {absent[0]}")


def made(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`simulate` with all of these flags, once for all checks of a session."""
    understood(backend, shared, *FLAGS, "--mode-powers")
    _objects(backend, shared, "lines", "grf")

    def run(folder: Path) -> process.Completed:
        return simulate(backend, folder, *commands.listed(FLAGS), *LISTS)

    return process.Completed(**once(shared, "several", lambda folder: vars(run(folder)))), shared / "several" / "out"


def made_again(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, Path]:
    """`simulate` of the recipe that it left."""
    understood(backend, shared, "--recipe")
    return simulate(backend, folder, "--recipe", made(backend, shared)[1] / "recipe.toml"), folder / "out"


def of_a_probe(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, Path, np.ndarray]:
    """`simulate` with a probe of one's own: how it ended, its files, and the probe, complex64 `(N, N)`."""
    understood(backend, shared, *FLAGS, "--probe-file")
    probe = curved_probe(N, seed=23)[0]
    np.save(folder / "probe.npy", probe)
    few = {**FLAGS, "--patterns": 4, "--test-patterns": 4}
    return simulate(backend, folder, *commands.listed(few), "--probe-file", folder / "probe.npy"), folder / "out", probe


def elsewhere(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, list[str]]:
    """`simulate` of the recipe of `of_a_probe`, whose folder was renamed, from a third one: how it ended, and what is another.

    The file of the probe is where it was: a recipe may point there, or have a copy of its own.
    """
    solving.understood(backend, "simulate", "--recipe", shared)
    (folder / "first").mkdir()
    done, made, _ = of_a_probe(backend, shared, folder / "first")
    if done.returncode:
        return done, []
    (folder / "third").mkdir()
    moved = made.rename(made.with_name("moved"))
    done = simulate(backend, folder / "third", "--recipe", moved / "recipe.toml")
    return done, [] if done.returncode else unlike(moved, folder / "third" / "out")


def of_a_probe_in_modes(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, Path]:
    """The same with shares of light for two modes, without a beam stop, by another seed.

    `NotClaimed` where a flag of the two is refused by its name.
    """
    understood(backend, shared, *FLAGS, "--probe-file", "--mode-powers")
    np.save(folder / "probe.npy", curved_probe(N, seed=23)[0])
    few = {**FLAGS, "--test-patterns": 4, "--beam-stop": 0, "--seed": OTHER, "--probe-file": folder / "probe.npy"}
    done = simulate(backend, folder, *commands.listed(few), "--mode-powers", *POWERS)
    said = commands.hyphened(done.stderr)
    if done.returncode == 1 and ("--mode-powers" in said or "--probe-file" in said):
        raise NotClaimed(f"command `simulate`: no modes of a probe of one's own: {done.stderr.strip()[-300:]}")
    return done, folder / "out"


def without_effect(backend: Any, shared: Path, folder: Path) -> tuple[list[int], list[str]]:
    """Each real number of a recipe, of a zone plate where there is one, made another one: those that change no pattern.

    Beside them, how the calls ended that were not refused by the number's name: not every other number is a setting.
    """
    understood(backend, shared, *FLAGS, "--recipe")
    few = {**FLAGS, "--patterns": 4, "--test-patterns": 4}
    plate = "zone_plate" in solving.offered(backend, "simulate", shared).get("--probe", "")
    done = [simulate(backend, folder, *commands.listed(few), *(("--probe", "zone_plate") if plate else ()))]
    if done[0].returncode:
        return [done[0].returncode], []
    text = (folder / "out" / "recipe.toml").read_text(encoding="utf-8")
    (folder / "again").mkdir()
    done.append(simulate(backend, folder / "again", "--recipe", folder / "out" / "recipe.toml"))
    stack, same = _stack(folder / "again" / "out"), []
    for number in REAL.finditer(text):
        place = folder / f"{number[1]}-{number.start()}"
        place.mkdir()
        other = 0.75 * float(number[2]) or 0.25
        (place / "recipe.toml").write_text(text[: number.start(2)] + str(other) + text[number.end(2) :])
        called = simulate(backend, place, "--recipe", place / "recipe.toml")
        if called.returncode == 1 and commands.hyphened(number[1]) in commands.hyphened(called.stderr):
            continue
        done.append(called)
        if done[-1].returncode == 0 and np.array_equal(_stack(place / "out"), stack):
            same.append(number[1])
    if len(done) < MANY:
        raise NotClaimed("recipe.toml: it states no real number on a line of its own")
    return [one.returncode for one in done], same


def _stack(folder: Path) -> np.ndarray:
    with np.load(folder / "train.npz") as found:
        return found["diff3d"]


def simulate(backend: Any, folder: Path, *flags: Any) -> process.Completed:
    """The command, quiet, into `out` in a folder."""
    return commands.call([*backend.command("simulate"), *flags, "--output-dir", folder / "out", "--quiet"], folder)


def arrays(record: Any) -> dict[str, np.ndarray]:
    """Counts, positions, probe, object and mask of a record."""
    names = ("xcoords", "ycoords", "probeGuess", "objectGuess")
    found = {name: native.array(getattr(record, name)) for name in names}
    probe = found["probeGuess"]
    return {**found, "probeGuess": probe.reshape(-1, *probe.shape[-2:]), "counts": native.array(record.diff3d).astype(float) ** 2}


def expected(given: dict[str, np.ndarray]) -> np.ndarray:
    """Counts `(n, N, N)` that the far fields of probe times object have, summed over modes (PHYS-001, PHYS-009)."""
    places = zip(given["xcoords"], given["ycoords"], strict=True)
    patches = np.stack([patch_at(given["objectGuess"], x, y, N) for x, y in places])
    far = np.fft.fft2(patches[:, None] * given["probeGuess"].astype(complex), norm="ortho")
    return np.fft.fftshift(np.sum(np.abs(far) ** 2, axis=1), axes=(-2, -1))


def open_pixels() -> np.ndarray:
    """`(N, N)` bool: what a beam stop does not hide."""
    row, column = np.mgrid[:N, :N] - N // 2
    return np.hypot(row, column) > STOP


def deviations(given: dict[str, np.ndarray]) -> tuple[float, float]:
    """How many standard errors the sum of the counts, and the sum of their squared deviations, lie from those of Poisson."""
    good = open_pixels()
    rate, counts = expected(given)[:, good], given["counts"][:, good]
    seen = rate > 1  # (k - λ)²/λ has the mean 1 and the variance 2 + 1/λ
    square = ((counts - rate) ** 2 / np.where(seen, rate, 1))[seen]
    spread = np.sqrt(np.sum(2 + 1 / rate[seen]))
    return float((counts.sum() - rate.sum()) / np.sqrt(rate.sum())), float((square.sum() - square.size) / spread)


def photons(folder: Path, name: str) -> float:
    """What the metadata of a file state."""
    with np.load(folder / f"{name}.npz") as found:
        return float(json.loads(str(found["_metadata"]))["physics_parameters"]["nphotons"])


def alike(folder: Path, what: str) -> list[str]:
    """Pairs of files that have the same object, or the same positions."""
    found = {}
    for name in FILES:
        with np.load(folder / f"{name}.npz") as held:
            found[name] = held["objectGuess"] if what == "object" else np.stack([held["xcoords"], held["ycoords"]])
    pairs = [(a, b) for i, a in enumerate(FILES) for b in FILES[:i]]
    return [f"{b} and {a}" for a, b in pairs if found[a].shape == found[b].shape and np.allclose(found[a], found[b])]


def repeated(one: Path, other: Path) -> list[str]:
    """Training scans of `one`, of any object, with the object and the positions of the training scan in `other`."""
    names = ("objectGuess", "xcoords", "ycoords")
    with np.load(other / "train.npz") as found:
        given = [found[name] for name in names]
    scans = {path.name: np.load(path) for path in sorted(one.glob("train*.npz"))}
    return [name for name, scan in scans.items() if all(map(np.array_equal, (scan[key] for key in names), given))]


def seen(folder: Path, name: str) -> np.ndarray:
    """`(N, N)` bool: the good pixels that a file states; raises `Malformed` where it states none."""
    with np.load(folder / f"{name}.npz") as found:
        if "mask" not in found:
            raise native.Malformed(f"expected a mask in {name}.npz, found {sorted(found)}")
        return found["mask"].astype(bool)


def differ(one: Path, other: Path) -> list[str]:
    """Arrays of the files that are not the same bits in both folders; what metadata tell of a call is its own."""
    found = []
    for name in FILES:
        with np.load(one / f"{name}.npz") as first, np.load(other / f"{name}.npz") as second:
            for key in sorted({*first.files, *second.files} - {"_metadata"}):
                if not (key in first and key in second and np.array_equal(first[key], second[key])):
                    found.append(f"{name}: {key}")
    return found


SPARE = {"--N": 16, "--patterns": 6, "--test-patterns": 4}
"""Flags without which a simulation is large."""
STATED = ("N", "patterns", "test_patterns")


def untold(backend: Any, shared: Path) -> tuple[process.Completed, Path]:
    """`simulate` that is told nothing but how little it is to make, once for all checks of a session."""
    understood(backend, shared, *SPARE, "--size")
    done = once(shared, "untold", lambda folder: vars(simulate(backend, folder, *commands.listed(SPARE))))
    return process.Completed(**done), shared / "untold" / "out"


def by_a_bare_recipe(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, Path]:
    """The same by the recipe that it left, of which nothing stays but these numbers and the names of sections."""
    solving.understood(backend, "simulate", "--recipe", shared)
    text = (untold(backend, shared)[1] / "recipe.toml").read_text(encoding="utf-8")
    lines = {name: line for line in text.splitlines() if (name := line.partition("=")[0].strip()) in STATED}
    if len(lines) < len(STATED):
        raise NotClaimed(f"recipe.toml: it does not state each of {', '.join(STATED)} on a line of its own")
    kept = [line for line in text.splitlines() if line.startswith("[") or line in lines.values()]
    (folder / "bare.toml").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return simulate(backend, folder, "--recipe", folder / "bare.toml"), folder / "out"


def of_five_patterns(backend: Any, shared: Path) -> None:
    """`NotClaimed` where the help of `--size` does not say that an object has five times the side of a pattern."""
    said = solving.offered(backend, "simulate", shared)["--size"]
    if not re.search(r"\b(?:5|five)\b[^.;]*\bN\b", said):
        raise NotClaimed(f"command `simulate`: by its help an object has another side: {said[:200]}")


def sides_of_objects(folder: Path) -> list[tuple[int, ...]]:
    """The form of the object of the training and of the test scan."""
    return [np.shape(np.load(folder / f"{name}.npz")["objectGuess"]) for name in ("train", "test")]


def unlike(one: Path, other: Path) -> list[str]:
    """Arrays of the two scans of a simulation that are not the same bits in both folders."""
    found = []
    for name in ("train", "test"):
        with np.load(one / f"{name}.npz") as first, np.load(other / f"{name}.npz") as second:
            names = sorted(key for key in {*first.files, *second.files} if key != "_metadata")
            found += [f"{name}: {key}" for key in names if not (key in second and np.array_equal(first[key], second[key]))]
    return found


ODD = {"--N": 16, "--size": 81, "--patterns": 4, "--test-patterns": 4}
KINDS = ("lines", "grf")


def of_an_odd_side(backend: Any, shared: Path, folder: Path) -> tuple[process.Completed, dict[str, tuple[int, ...]]]:
    """`simulate` of objects of an odd side, one of each kind: how it ended, and the form of the object of each scan."""
    understood(backend, shared, *ODD)
    _objects(backend, shared, *KINDS)
    done = simulate(backend, folder, *commands.listed(ODD), "--object", *KINDS)
    scans = [] if done.returncode else [f"train_{number}" for number, _ in enumerate(KINDS, 1)]
    return done, {name: np.shape(np.load(folder / "out" / f"{name}.npz")["objectGuess"]) for name in scans}
