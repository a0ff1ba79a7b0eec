"""Labels from the solver: a scan is solved first, and a network is then shown what each pattern should have become.

The solved object also tells what patterns a scan would have had at other places, and from its other sides: exposures that nobody
took, from the solved object under the record's own probe, with the record's photons (the forward model of PHYS-001 to PHYS-004).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.ndimage import map_coordinates, spline_filter
from scipy.spatial import KDTree

from reference_impl.data import RawData
from reference_impl.engine.reconstruct import solve_record
from reference_impl.engine.settings import Settings
from reference_impl.engine.solver import Solution
from reference_impl.errors import ContractError

CHUNK = 256  # exposures made at once: 256 · 64² complex128 = 16 MiB
ORDER = 3  # of the splines that the object is read with between its pixels
COUNT_STEP = 2.0**-12
"""Expected counts are rounded to it before the draw: two processors whose transforms differ in the last bit draw the same."""


def labelled(
    record: RawData,
    settings: Settings,
    views: int = 0,
    photons: float = 1e9,
    device: str = "cpu",
    told: Any = None,
) -> tuple[RawData, Solution]:
    """`(record, solution)`: the record with labels `Y` `(n, N, N)` complex64 and their `label_light`, and what they come from.

    `views` further scans are added, each as long as the one that was taken, of the object mirrored or turned, with `photons` a
    pattern. The probe is kept as the record has it: it is the network's, too. The order of draws follows
    `settings.seed`. Raises `ContractError` where the record is no experiment, or the solver fails.
    """
    found = solve_record(record, settings, device, told)
    if not (np.isfinite(found.object).all() and np.isfinite(found.residuals).all()):
        raise ContractError(file=record.file, field="labels", expected="an object that the solver finds", found="NaN or infinity")
    modes = record.probeGuess if record.probeGuess.ndim == 3 else record.probeGuess[None]
    places = np.column_stack([record.xcoords, record.ycoords])
    read = _Reader(found, modes.shape[-1])
    more, shown = _more(read, places, views, np.random.default_rng([settings.seed, 1]))
    patterns = _exposed(shown, modes, record, photons, np.random.default_rng([settings.seed, 2]))
    return _joined(record, np.concatenate([read.at(places), shown]), more, patterns, _light(modes)), found


def _light(modes: np.ndarray) -> np.ndarray:
    """`(N, N)` float32: the probe's intensity over its largest."""
    power = np.sum(np.abs(modes.astype(np.complex128)) ** 2, axis=0)
    return (power / power.max()).astype(np.float32)


class _Reader:
    """Patches of a solved object, between its pixels too."""

    def __init__(self, found: Solution, N: int) -> None:
        self.parts = [spline_filter(part.astype(float), ORDER) for part in (found.object.real, found.object.imag)]
        self.origin, self.steps = np.array(found.frame.origin), np.arange(N) - N // 2

    def at(self, places: np.ndarray) -> np.ndarray:
        """`(k, N, N)` complex64 around `places` `(k, 2)` [x, y]: pixel N // 2 lies on the place."""
        patches = np.empty((len(places), len(self.steps), len(self.steps)), np.complex64)
        for number, (x, y) in enumerate(places - self.origin):
            grid = np.meshgrid(y + self.steps, x + self.steps, indexing="ij")
            real, imaginary = (
                map_coordinates(part, grid, order=ORDER, mode="nearest", prefilter=False, output=np.float32)
                for part in self.parts
            )
            patches[number] = real + 1j * imaginary
        return patches


def _more(read: _Reader, places: np.ndarray, views: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of `views` further scans, and what is seen there: the object mirrored and turned, places between the scan's.

    Each scan lies apart from all others, so that its exposures are nobody else's neighbours.
    """
    spread = np.median(KDTree(places).query(places, k=2)[0][:, 1]) if len(places) > 1 else 0.0
    N, (low, high) = len(read.steps), (places.min(axis=0), places.max(axis=0))
    apart = float((high - low).max()) + 4 * N
    made, seen = [np.empty((0, 2))], [np.empty((0, N, N), np.complex64)]
    for number, way in enumerate(itertools.islice(itertools.cycle(rng.permutation(7) + 1), views)):
        at = (places + rng.uniform(-spread / 2, spread / 2, places.shape)).clip(low, high)
        seen.append(_turned(read.at(at), way))
        centred = (at - (low + high) / 2) * [-1 if way & 2 else 1, -1 if way & 1 else 1]
        made.append((centred[:, ::-1] if way & 4 else centred) + (low + high) / 2 + [apart * (number + 1), 0])
    return np.concatenate(made), np.concatenate(seen)


def _turned(patches: np.ndarray, way: int) -> np.ndarray:
    """One of eight orientations of `(k, N, N)`: rows and columns reversed, axes exchanged; pixel N // 2 stays where it is."""
    patches = np.roll(patches[:, ::-1], 1, 1) if way & 1 else patches
    patches = np.roll(patches[:, :, ::-1], 1, 2) if way & 2 else patches
    return patches.swapaxes(1, 2) if way & 4 else patches


def _exposed(patches: np.ndarray, modes: np.ndarray, record: RawData, photons: float, rng: np.random.Generator) -> np.ndarray:
    """`(k, N, N)` float32 amplitudes of `patches` in the record's unit, as bright as the record on the pixels that it has.

    What its mask hides is dark, and none of the `photons`.
    """
    energy = float(np.mean(np.sum(np.square(record.diff3d, dtype=float), axis=(-2, -1))))
    power = float(np.sum(np.abs(modes) ** 2)) if record.mask is None else _seen(patches, modes, record.mask)
    made = np.empty(patches.shape, np.float32)
    for part, light in _far(patches, modes):
        counts = rng.poisson(np.rint(light * (photons / power) / COUNT_STEP) * COUNT_STEP)
        made[part] = np.sqrt(counts * (energy / photons))
    return made if record.mask is None else np.where(record.mask, made, 0).astype(np.float32)


def _far(patches: np.ndarray, modes: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Intensities on the detector, some patches at a time."""
    for first in range(0, len(patches), CHUNK):
        part = slice(first, first + CHUNK)
        far = np.fft.fft2(patches[part, None] * modes, norm="ortho")
        yield part, np.fft.fftshift(np.sum(np.abs(far) ** 2, axis=1), axes=(-2, -1))


def _seen(patches: np.ndarray, modes: np.ndarray, good: np.ndarray) -> float:
    """The light of a pattern that good pixels see, on average: behind a beam stop it is little, and the object's size is free."""
    return sum(float(light[:, good].sum()) for _, light in _far(patches, modes)) / max(1, len(patches))


def _joined(record: RawData, labels: np.ndarray, places: np.ndarray, patterns: np.ndarray, light: np.ndarray) -> RawData:
    """The record with labels, and with further exposures behind its own."""
    whole = copy.copy(record)
    for name, values in {"xcoords": places[:, 0], "ycoords": places[:, 1]}.items():
        for kept in (name, f"{name}_start"):
            setattr(whole, kept, np.concatenate([getattr(record, kept), values]))
    whole.diff3d = np.concatenate([record.diff3d, patterns.astype(record.diff3d.dtype)])
    whole.scan_index = np.concatenate([record.scan_index, np.full(len(places), record.scan_index[-1])])
    whole.Y, whole.label_light = labels, light
    return whole
