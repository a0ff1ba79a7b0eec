"""The command `reconstruct`: an engine's experiments as files, a call of the command each, and what its file of numbers says."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.connectors.names import NotClaimed
from conformance.oracles import inference as oracle
from conformance.scenes import archives, commands, engines
from conformance.scenes.records import patch_at, write_npz
from conformance.scenes.shared import once

NUMBERS = "reconstruction.npz"
DOSE = 1.0e5
"""Photons a pattern of the noisy experiment: noise alone leaves a relative residual of about 0.03."""
SHAKEN = 0.5
"""Pixels, rms on each axis, by which positions are wrong where they are to be refined."""
LIT = 0.01
"""Of the light, what a mode has that was found; a seventh of it is in the second one."""
SETTLING = 200
"""Sweeps at most where the solver is to stop by itself; the reference makes about 70."""


def _noisy(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    intensity = arrays["diff3d"].astype(float) ** 2
    intensity *= DOSE / intensity.sum(axis=(-2, -1)).mean()
    return {**arrays, "diff3d": np.sqrt(np.random.default_rng(7).poisson(intensity)).astype(np.float32)}


def _shaken(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    moves = np.random.default_rng(11).normal(size=(2, len(arrays["xcoords"])))
    moves -= moves.mean(axis=1, keepdims=True)
    moves *= SHAKEN / moves.std(axis=1, keepdims=True)
    return {**arrays, "xcoords": arrays["xcoords"] + moves[0], "ycoords": arrays["ycoords"] + moves[1]}


def _first_of_two(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    light = engines.light_of_two_modes()
    return {**engines.under(light, arrays), "probeGuess": light[1]}


EXPERIMENTS: dict[str, Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]] = {
    "plain": dict,
    "noisy": _noisy,
    "shaken": _shaken,
    "first-of-two": _first_of_two,
}
"""What of the engine's experiment is another one in the file."""


def arrays(name: str) -> dict[str, np.ndarray]:
    """The arrays of an experiment's file: at whole pixels, but for the one whose positions are to be found."""
    return EXPERIMENTS[name](engines.experiment(whole=name != "shaken"))


@dataclass(frozen=True)
class Solved:
    """A call that has ended: how, and what its folder holds."""

    done: process.Completed
    experiment: str
    folder: Path

    def __getitem__(self, name: str) -> np.ndarray:
        """A member of the file of numbers; raises `Malformed` where it is not there."""
        path = self.folder / NUMBERS
        if not path.is_file():
            raise native.Malformed(f"expected {NUMBERS}, found {archives.left(self.folder)}; {self.done.stderr[-500:]}")
        with np.load(path, allow_pickle=False) as file:
            if name not in file:
                raise native.Malformed(f"expected {name!r} in {NUMBERS}, found {sorted(file)}")
            return file[name]

    @property
    def place(self) -> np.ndarray:
        """`origin` as two numbers; raises `Malformed` where it is not."""
        found = self["origin"].astype(float)
        if found.shape != (2,):
            raise native.Malformed(f"expected origin [x, y], found the shape {found.shape}")
        return found

    def beside(self, aside: tuple[float, float] = (0.0, 0.0)) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`(object, truth, weight)` at the place that `origin` tells; weight one where enough light fell.

        `aside`: [x, y] in pixels by which all positions, and the object, were moved.
        """
        found = self["object"]
        (x, y), (rows, columns) = self.place - aside, (np.arange(side) for side in found.shape)
        return found, engines.transmission((y + rows)[:, None], (x + columns)[None, :]), self._light(found.shape)

    def match(self, aside: tuple[float, float] = (0.0, 0.0)) -> oracle.Match:
        """The object beside the truth, up to its gauge; its shift is small, or not told well."""
        return oracle.matched(*self.beside(aside))

    def residual(self) -> float:
        """sqrt(Σ (|F| - A)² / Σ A²) of what the file holds, positions at whole pixels."""
        return misfit(self._modelled(), arrays(self.experiment)["diff3d"])

    def unlikelihood(self) -> float:
        """Σ λ - y·ln λ of counts `y` = A² beside λ = |F|², at least 1e-3: up to a constant the negative Poisson likelihood."""
        rate = np.maximum(self._modelled() ** 2, 1e-3)
        return float(np.sum(rate - arrays(self.experiment)["diff3d"].astype(float) ** 2 * np.log(rate)))

    def _modelled(self) -> np.ndarray:
        """Amplitudes `(n, N, N)` of the file's patches under its probe, which lies between the canvas's pixels where these do.

        An engine is free to interpolate its object or its probe there: what explains the patterns better is taken.
        """
        image, probe = self["object"].astype(complex), self["probe"].reshape(-1, engines.N, engines.N)
        at, N = self["positions"] - self.place, engines.N
        whole = np.rint(at).astype(int)
        cut = np.stack([image[y : y + N, x : x + N] for x, y in whole - N // 2])
        ways = [modelled(cut, moved(probe, at - whole)), modelled(np.stack([patch_at(image, x, y, N) for x, y in at]), probe)]
        return min(ways, key=lambda way: misfit(way, arrays(self.experiment)["diff3d"]))

    def lit(self) -> tuple[np.ndarray, np.ndarray]:
        """Pixels at a position with at least half of the brightest pixel's light, and those within a pixel of a patch; bool."""
        (rows, columns), N = self["object"].shape, engines.N
        at = np.rint(self["positions"] - self.place).astype(int)
        light, middle, reached = self._brought((rows, columns)), np.zeros((rows, columns), bool), np.zeros((rows, columns), bool)
        for x, y in at:
            middle[y, x] = light[y, x] >= light.max() / 2
            reached[max(y - N // 2 - 1, 0) : y + N // 2 + 1, max(x - N // 2 - 1, 0) : x + N // 2 + 1] = True
        return middle, reached

    def _light(self, shape: tuple[int, int]) -> np.ndarray:
        total = self._brought(shape)
        return (total > engines.LIT * total.max()).astype(float)

    def _brought(self, shape: tuple[int, int]) -> np.ndarray:
        given = arrays("shaken" if self.experiment == "shaken" else "plain")
        bright, total = np.abs(given["probeGuess"]) ** 2, np.zeros((shape[0] + 2 * engines.N, shape[1] + 2 * engines.N))
        for x, y in np.stack([given["xcoords"], given["ycoords"]], axis=-1) - self.place:
            row, column = round(y) + engines.N // 2, round(x) + engines.N // 2
            total[row : row + engines.N, column : column + engines.N] += bright
        return total[engines.N : -engines.N, engines.N : -engines.N]


def misfit(model: np.ndarray, amplitude: np.ndarray) -> float:
    """Relative residual of modelled beside measured amplitudes `(n, N, N)`."""
    return float(np.sqrt(np.sum((model - amplitude) ** 2) / np.sum(amplitude.astype(float) ** 2)))


def modelled(patches: np.ndarray, probe: np.ndarray) -> np.ndarray:
    """Amplitudes `(n, N, N)` of patches `(n, N, N)` under modes `(P, N, N)`, or under those of each, `(n, P, N, N)`."""
    waves = patches[:, None] * probe
    far = np.fft.fftshift(np.fft.fft2(waves, norm="ortho"), axes=(-2, -1))
    return np.sqrt(np.sum(np.abs(far) ** 2, axis=1))


def moved(probe: np.ndarray, rests: np.ndarray) -> np.ndarray:
    """Modes `(P, N, N)` moved by fractions `(n, 2)` [x, y] of a pixel, by their spectrum: `(n, P, N, N)`."""
    k = np.fft.fftfreq(probe.shape[-1])
    turns = np.exp(-2j * np.pi * (k * rests[:, :1, None] + k[:, None] * rests[:, 1:, None]))
    return np.fft.ifft2(np.fft.fft2(probe) * turns[:, None])


def noise_floor() -> float:
    """The residual that the truth itself leaves beside the noisy experiment."""
    exact, counted = (arrays(name)["diff3d"].astype(float) for name in ("plain", "noisy"))
    exact = exact * np.sqrt(DOSE / np.mean(np.sum(exact**2, axis=(-2, -1))))
    return float(np.sqrt(np.sum((exact - counted) ** 2) / np.sum(counted**2)))


def offered(backend: Any, name: str, shared: Path) -> dict[str, str]:
    """Flag, with hyphens → its paragraph in the help of a command; `NotClaimed` where there is no command of this name."""
    argv = [*backend.command(name), "--help"]
    done = once(shared, f"offered-{name}", lambda folder: vars(commands.call(argv, folder)))
    if done["returncode"] != 0:
        raise NotClaimed(f"command `{name}`: its --help ends with code {done['returncode']}")
    return commands.documented(done["stdout"])


def understood(backend: Any, name: str, flag: str, shared: Path) -> None:
    """Raises `NotClaimed` where the help of a command does not list a flag."""
    if flag not in offered(backend, name, shared):
        raise NotClaimed(f"command `{name}`: its help does not list {flag}")


@cache
def flags_of(made: Callable[[Path], dict[str, Any]]) -> tuple[str, ...]:
    """The flags by which a call names the files that are made for it."""
    with tempfile.TemporaryDirectory() as folder:
        return tuple(made(Path(folder)))


def call(backend: Any, shared: Path, experiment: str, *flags: Any, folder: Path | None = None) -> Solved:
    """`reconstruct` on an experiment: into `folder`, or once for all checks of a session."""
    offered(backend, "reconstruct", shared)

    def run(place: Path) -> process.Completed:
        data = write_npz(place / f"{experiment}.npz", **arrays(experiment))
        own = ["--data", data, "--output-dir", place / "out", "--accelerator", "cpu", *flags]
        return commands.call([*backend.command("reconstruct"), *own], place)

    if folder is not None:
        return Solved(run(folder), experiment, folder / "out")
    name = "-".join(["solved", experiment, *(Path(str(flag)).name.strip("-") for flag in flags)])
    return Solved(process.Completed(**once(shared, name, lambda place: vars(run(place)))), experiment, shared / name / "out")


PLAIN = ("--sweeps", 40, "--keep-probe", "--quiet")
POSITIONS = ("--sweeps", 60, "--refine-positions", "--seed", 5)


def plain(backend: Any, shared: Path) -> Solved:
    """Forty sweeps under the true probe, without noise."""
    return call(backend, shared, "plain", *PLAIN)


def noisy(backend: Any, shared: Path) -> Solved:
    """Counts, for as long as it takes."""
    return call(backend, shared, "noisy", "--sweeps", SETTLING, "--keep-probe", "--likelihood", "poisson")


def noisy_by_amplitudes(backend: Any, shared: Path) -> Solved:
    """The same counts under the other likelihood."""
    return call(backend, shared, "noisy", "--sweeps", SETTLING, "--keep-probe", "--likelihood", "amplitude")


def two_modes(backend: Any, shared: Path) -> Solved:
    """Light of two modes, of which the file has the stronger one."""
    return call(backend, shared, "first-of-two", "--sweeps", 80, "--modes", 2)


def positions(backend: Any, shared: Path) -> Solved:
    """Positions that are wrong, refined with the probe; the whole way in one run."""
    return call(backend, shared, "shaken", *POSITIONS)


def halved(backend: Any, shared: Path) -> Solved:
    """The same, stopped soon with its state kept, and where the help lists it with two halves beside it."""
    halves = ["--halves"] if "--halves" in offered(backend, "reconstruct", shared) else []
    return call(backend, shared, "shaken", *POSITIONS[2:], "--sweeps", 8, "--checkpoint", *halves)


def halfway(backend: Any, shared: Path) -> Path:
    """The state that it leaves."""
    found = halved(backend, shared)
    return state_of(found)


def state_of(found: Solved) -> Path:
    """What a call has left to be resumed from; raises `Malformed` where that is not one file."""
    states = [found.folder / name for name in archives.left(found.folder) if name.endswith(".npz") and name != NUMBERS]
    if len(states) != 1:
        raise native.Malformed(f"expected one state to resume from beside {NUMBERS}, found {archives.left(found.folder)}")
    return states[0]


def resumed(backend: Any, shared: Path) -> Solved:
    """The rest of it."""
    return call(backend, shared, "shaken", *POSITIONS, "--resume", halfway(backend, shared))


def settling_again(backend: Any, shared: Path) -> Solved:
    """`noisy_by_amplitudes`, stopped on its way between two changes of its steps, and gone on with to its end."""
    flags = ("--keep-probe", "--likelihood", "amplitude")
    cut = call(backend, shared, "noisy", *flags, "--sweeps", 40, "--checkpoint")
    return call(backend, shared, "noisy", *flags, "--sweeps", SETTLING, "--resume", state_of(cut))


def resumed_elsewhere(backend: Any, shared: Path, folder: Path) -> Solved:
    """The state of one scan beside another, in a folder with older results."""
    (folder / "out").mkdir()
    (folder / "out" / NUMBERS).write_bytes(b"older")
    return call(backend, shared, "plain", *POSITIONS, "--resume", halfway(backend, shared), folder=folder)


def contradicted(backend: Any, shared: Path, folder: Path, *flags: Any) -> Solved:
    """The state of a scan beside the same scan, under flags that it was not made with."""
    return call(backend, shared, "shaken", *POSITIONS, *flags, "--resume", halfway(backend, shared), folder=folder)


def position_error(found: np.ndarray) -> float:
    """Rms distance, an axis, of positions `(n, 2)` from the true ones, what they share aside; raises `Malformed`."""
    given = np.stack(engines.scan(whole=False), axis=-1)
    if found.shape != given.shape:
        raise native.Malformed(f"expected positions {given.shape}, found {found.shape}")
    away = found - given
    return float(np.sqrt(np.mean((away - away.mean(axis=0)) ** 2)))
