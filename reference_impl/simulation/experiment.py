"""A synthetic experiment: what is simulated, checked as a whole, and the files that follow from it alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.domains.fields import refuse_outside
from reference_impl.errors import ContractError
from reference_impl.simulation import exposures, objects, probes, pupils, scans

# Photons a pattern: 108 counts a pixel at N = 64, the dose of the published synthetic studies of this field.
PHOTONS = 108 * 64 * 64
LARGEST = 2**35  # bytes of patterns: 32 GiB
TEST_PITCH = 4.3  # pixels between test positions, as in the published recipe (256 positions on about 70 x 68 pixels)
PROBES = (*probes.KINDS, "zernike", "zone_plate", "file")
MOST_ZERNIKE, MOST_RAD = 66, 20.0
"""Noll's number of the last term of order 10; rad rms."""


@dataclass(frozen=True)
class Optic:
    """What makes the probe of the kinds `zernike` and `zone_plate`; the others take no notice.

    `aperture`: diameter of the pupil as a share of the detector; `stop`: diameter of the zone plate's central stop as a share of
    the aperture; `defocus`: rad at its edge; `coefficients`: rad rms by Noll's number.
    """

    aperture: float = 0.5
    stop: float = 0.3
    defocus: float = 20.0
    coefficients: dict[int, float] = field(default_factory=lambda: {4: 1.5, 6: 0.5, 7: 0.5})


@dataclass(frozen=True)
class Experiment:
    """What is simulated; `photons` is the mean of a pattern, `size` the side of the object in pixels.

    `others`: kinds of further objects, each with a training scan of its own. `powers`: the modes' shares of the light.
    `beam_stop`: radius in pixels of a disc on the detector that counts nothing. `probe_array`: `(N, N)` or `(P, N, N)`, of a
    probe from a file.
    """

    object: str = "lines"
    probe: str = "curved"
    N: int = 64
    size: int = 320
    patterns: int = 2048
    test_patterns: int = 256
    photons: float = PHOTONS
    seed: int = 0
    others: tuple[str, ...] = ()
    powers: tuple[float, ...] = (1.0,)
    beam_stop: float = 0.0
    optic: Optic = Optic()
    probe_array: np.ndarray | None = None


NAMES = {"N": "--N", "others": "--object", "powers": "--mode-powers"}
"""Field → the flag that states it, where that is another word."""


def simulate(experiment: Experiment, extra: dict[str, Any] | None = None) -> dict[str, dict[str, Any]]:
    """`train` (or `train_1`, `train_2`, … of several objects), `test` and `ground_truth`: names → arrays.

    Every part draws from a generator of its own, so none moves another. `extra` goes into each scan's metadata.
    """
    check(experiment)
    N, size = experiment.N, experiment.size
    streams = [np.random.default_rng([experiment.seed, part]) for part in range(5)]
    probe = make_probe(experiment, streams[0])
    trained, unseen = make_object(experiment, streams[1]), make_object(experiment, streams[2])
    whole = scans.inner_bounds(size, size, N)
    reach = min(TEST_PITCH * np.sqrt(experiment.test_patterns) / 2, (whole[1] - whole[0]) / 2)
    centre = ((size - 1) / 2 - reach, (size - 1) / 2 + reach)
    places = [
        scans.jittered_grid(experiment.patterns, whole, streams[3]),
        scans.jittered_grid(experiment.test_patterns, (*centre, *centre), streams[3]),
    ]
    first = "train_1" if experiment.others else "train"
    made = {first: (trained, places[0], streams[4]), "test": (unseen, places[1], streams[4])}
    for number, kind in enumerate(experiment.others, 2):
        own = [np.random.default_rng([experiment.seed, 5, number, part]) for part in range(3)]
        scan = scans.jittered_grid(experiment.patterns, whole, own[1])
        made[f"train_{number}"] = (objects.KINDS[kind](size, own[0]), scan, own[2])
    hidden = {"beam_stop": experiment.beam_stop, "extra": extra}
    files = {
        name: exposures.expose(truth, probe, scan, experiment.photons, rng, **hidden) for name, (truth, scan, rng) in made.items()
    }
    truth = {f"object_{name}": thing for name, (thing, *_) in made.items()}
    return {**files, "ground_truth": {**truth, "probe": files[first]["probeGuess"]}}


def make_object(experiment: Experiment, rng: np.random.Generator) -> np.ndarray:
    """`(size, size)` complex64 object of the experiment's first kind."""
    return objects.KINDS[experiment.object](experiment.size, rng)


def make_probe(experiment: Experiment, rng: np.random.Generator) -> np.ndarray:
    """`(N, N)` complex64, or `(P, N, N)` of several modes."""
    N, optic = experiment.N, experiment.optic
    if experiment.probe == "zernike":
        probe = pupils.aberrated(N, optic.aperture, optic.coefficients)
    elif experiment.probe == "zone_plate":
        probe = pupils.zone_plate(N, optic.aperture, optic.stop, optic.defocus)
    elif experiment.probe == "file":
        probe = np.asarray(experiment.probe_array, np.complex64)
    else:
        probe = probes.KINDS[experiment.probe](N, rng)
    return probe if len(experiment.powers) == 1 else pupils.partly_coherent(probe, experiment.powers)


def check(experiment: Experiment, file: str | Path | None = None, labels: dict[str, str] | None = None) -> None:
    """The domains of all values, what contradicts itself, and what no machine of this kind holds.

    `labels`: what a field is called in `file`; else the flag that states it. Raises `ContractError`.
    """

    def called(name: str) -> str:
        return (labels or {}).get(name, NAMES.get(name, f"--{name.replace('_', '-')}"))

    def refuse(name: str, expected: str, found: object) -> None:
        raise ContractError(file=file, field=called(name), expected=expected, found=str(found))

    for name in ("object", "probe", "N", "size", "patterns", "test_patterns", "photons", "seed", "beam_stop"):
        domain = {"N": "side", "test_patterns": "patterns"}.get(name, name)
        refuse_outside(domain, getattr(experiment, name), label=called(name), file=file)
    for kind in experiment.others:
        refuse_outside("object", kind, label=called("others"), file=file)
    for share in experiment.powers:
        refuse_outside("mode_power", share, label=called("powers"), file=file)
    if not 1 <= len(experiment.powers) <= 10:
        refuse("powers", "one to ten shares of the light", f"{len(experiment.powers)}")
    _check_probe(experiment, refuse)
    if experiment.size < 2 * experiment.N:
        refuse("size", f"at least 2 N = {2 * experiment.N}", experiment.size)
    if experiment.beam_stop > experiment.N / 2:
        refuse("beam_stop", f"a radius of at most N / 2 = {experiment.N // 2} pixels", experiment.beam_stop)
    asked = (experiment.patterns * (1 + len(experiment.others)) + experiment.test_patterns) * experiment.N**2 * 4
    if asked > LARGEST:
        found = f"{asked / 2**30:.0f} GiB in patterns of {experiment.N} x {experiment.N} pixels"
        refuse("patterns", f"at most {LARGEST >> 30} GiB of them", found)


def _check_probe(experiment: Experiment, refuse: Any) -> None:
    optic, array, N = experiment.optic, experiment.probe_array, experiment.N
    for name, value, high in (("aperture", optic.aperture, 1.0), ("stop", optic.stop, 0.95)):
        low = 4 / N if name == "aperture" else 0.0  # four pixels across are a pupil still
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            refuse(name, f"a share from {low:g} to {high:g}", repr(value))
    if not isinstance(optic.defocus, int | float) or isinstance(optic.defocus, bool) or not abs(optic.defocus) <= 1e3:
        refuse("defocus", "a number of rad from -1000 to 1000", repr(optic.defocus))
    for j, size in optic.coefficients.items():
        if not isinstance(j, int) or not 2 <= j <= MOST_ZERNIKE:
            refuse("coefficients", f"Noll's numbers from 2 to {MOST_ZERNIKE}", repr(j))
        if not isinstance(size, int | float) or isinstance(size, bool) or not abs(size) <= MOST_RAD:
            refuse("coefficients", f"numbers of rad rms from {-MOST_RAD:g} to {MOST_RAD:g}", repr(size))
    if (experiment.probe == "file") != (array is not None):
        refuse("probe", "a file with the probe, and 'file', together", "one of them")
    if array is None:
        return
    if array.ndim not in (2, 3) or tuple(array.shape[-2:]) != (N, N) or not 1 <= len(array.reshape(-1, N, N)) <= 10:
        refuse("path", f"a probe ({N}, {N}) or up to ten modes of that", f"shape {array.shape}")
    if not np.isfinite(array).all() or not array.any():
        refuse("path", "a finite probe with light", "others")
    if array.ndim == 3 and len(experiment.powers) > 1:
        refuse("powers", "none of them beside a file that has modes", f"{len(experiment.powers)}")
