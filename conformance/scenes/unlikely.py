"""Conversions of a scan that is none, and of one that is hardly what its flags say (CLI-110, CLI-111)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors import process
from conformance.scenes import archives, commands, converting, lights, sources
from conformance.scenes.converting import COUNT, SIDE
from conformance.scenes.shared import once

WORDS = {"--measurement": "counts", "--zero-frequency": "centre", "--columns": "x y"}
PIXELS = {**WORDS, "--position-unit": "pixel", "--centre": "32,32", **converting.OPTICS, "--object-pixel": "51.67 nm"}
"""Two statements of one object pixel that are the same to within their digits."""
TABLE = {"--measurement": "counts", "--zero-frequency": "centre", "--object-pixel": "50 nm"}
OPTICS = {**TABLE, "--energy": "10 keV", "--columns": "x y", "--position-unit": "um"}
ASIDE = np.array([5.0, 7.0])
"""Somewhere in pixels, x unlike y."""
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a-hole": (PIXELS, "position"),
    "too-few": (PIXELS, "position"),
    "one-place": (PIXELS, "position"),
    "no-such-frame": (TABLE, "position"),
    "beyond-the-detector": ({**OPTICS, "--aperture": "10 mm", "--focal-length": "50 mm"}, "aperture"),
    "wider-than-the-field": ({**OPTICS, "--aperture": "10 um"}, "aperture"),
    "no-divisor": ({**PIXELS, "--bin": 3}, "bin"),
}
"""Name → flags, and the word that a refusal has: what does not fit."""


def _without(flag: str) -> dict[str, Any]:
    return {name: value for name, value in PIXELS.items() if name != flag}


DOUBTED: dict[str, dict[str, Any]] = {
    "plain": PIXELS,
    "narrow": PIXELS,
    "far-apart": PIXELS,
    "full": PIXELS,
    "whole-amplitudes": {**PIXELS, "--measurement": "amplitude"},
    "another-pixel": {**PIXELS, "--object-pixel": "60 nm"},
    "odd-side": {**_without("--object-pixel"), "--crop": 48},
    "aside": _without("--centre"),
}
"""Name → flags; the first is as it should be, the last says nothing of a beam beside the middle."""


def _places(name: str) -> np.ndarray:
    """Positions `(n, 2)` [x, y] in pixels, or for a probe of optics in micrometres."""
    usual = converting.places()
    made = {
        "a-hole": np.where(np.arange(2 * COUNT).reshape(COUNT, 2) == 11, np.nan, 20 * usual),
        "too-few": 20 * usual[:-1],
        "one-place": ASIDE + 1e-6 * usual,
        "narrow": ASIDE + 0.5 * usual,
        "far-apart": 4000 * usual,
    }
    return made.get(name, usual if name in REFUSED else 20 * usual)


def _frames(name: str) -> np.ndarray:
    counts = converting.exposures(SIDE, SIDE, 17).astype(np.uint16)
    if name == "full":
        counts[:2, 30, 30:33] = 2**16 - 1
    return np.roll(counts, 9, axis=2) if name == "aside" else counts


def _files(folder: Path, name: str, flags: dict[str, Any]) -> dict[str, Any]:
    arrays = {"--source": _frames(name), "--positions": _places(name), "--probe": lights.field(SIDE)[0]}
    if "--aperture" in flags:
        del arrays["--probe"]
    for flag, array in arrays.items():
        np.save(folder / f"{flag[2:]}.npy", array)
    files: dict[str, Any] = {flag: folder / f"{flag[2:]}.npy" for flag in arrays}
    if flags is TABLE:
        lines = [f"{number if number else 99},{x:.9f},{y:.9f}" for number, (x, y) in enumerate(_places(name))]
        files["--positions"] = folder / "table.csv"
        files["--positions"].write_text("\n".join(["frame,x (um),y (um)", *lines]) + "\n", encoding="utf-8")
    return files


def _called(backend: Any, folder: Path, name: str, flags: dict[str, Any]) -> process.Completed:
    (folder / "out").mkdir()
    argv = [*backend.command("convert"), *commands.listed(_files(folder, name, flags) | flags)]
    return commands.call([*argv, "--output", folder / "out" / "scan.npz"], folder)


def refused(backend: Any, shared: Path, name: str, folder: Path) -> tuple[process.Completed, list[str]]:
    """A call that cannot be: how it ended, and what lies in its folder of results."""
    flags = REFUSED[name][0]
    sources.understood(backend, shared, "--source", "--positions", *flags)
    return _called(backend, folder, name, flags), archives.left(folder / "out")


def warnings(backend: Any, shared: Path, name: str) -> tuple[process.Completed, int]:
    """A call that can be, once for all checks of a session: how it ended, and in how many lines of the error stream it warns."""
    flags = DOUBTED[name]
    sources.understood(backend, shared, "--source", "--positions", "--probe", *flags)
    told = once(shared, f"unlikely-{name}", lambda folder: vars(_called(backend, folder, name, flags)))
    done = process.Completed(**told)
    return done, sum("warning" in line.lower() for line in done.stderr.splitlines())
