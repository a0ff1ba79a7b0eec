"""`simulate`: a synthetic object, probe and scan → train and test files, and the ground truth."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import require_writable, sole_run, whole_set
from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.data.npz import write_npz
from reference_impl.domains.fields import refuse_outside
from reference_impl.errors import ContractError

SUMMARY = "make contract files of a synthetic experiment"
DESCRIPTION = (
    "Simulate an experiment: train.npz of one object, test.npz of another one that nothing was trained on (a dense scan of its "
    "centre), ground_truth.npz with both objects and the probe."
)
# Photons a pattern: 108 counts a pixel at N = 64, the dose of the published synthetic studies of this field.
PHOTONS = 108 * 64 * 64
LARGEST = 2**35  # bytes of patterns: 32 GiB
TEST_PITCH = 4.3  # pixels between test positions, as in the published recipe (256 positions on about 70 x 68 pixels)


@dataclass(frozen=True)
class Experiment:
    """What is simulated; `photons` is the mean of a pattern, `size` the side of the object in pixels."""

    object: str = "lines"
    probe: str = "curved"
    N: int = 64
    size: int = 320
    patterns: int = 2048
    test_patterns: int = 256
    photons: float = PHOTONS
    seed: int = 0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The fields of `Experiment`."""
    usual = Experiment()
    parser.add_argument("--output-dir", required=True, type=of("output_dir"), help="folder for the files")
    parser.add_argument("--object", type=of("object"), default=usual.object, help="lines, dead_leaves or grf")
    parser.add_argument(
        "--probe", type=of("probe"), default=usual.probe, help="curved (a structured wavefront) or ideal (flat, symmetric)"
    )
    parser.add_argument("--N", type=of("side"), default=usual.N, help="side of a pattern")
    parser.add_argument("--size", type=of("size"), help="side of the object; 5 N unless given")
    parser.add_argument("--patterns", type=of("patterns"), default=usual.patterns, help="exposures to train on")
    parser.add_argument("--test-patterns", type=of("patterns"), default=usual.test_patterns, help="exposures of the other object")
    parser.add_argument("--photons", type=of("photons"), default=usual.photons, help="mean photons a pattern")
    parser.add_argument("--seed", type=of("seed"), default=usual.seed, help="of objects, probe, scans and noise")
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Simulate and write: three files that belong together, all or none."""
    say = Reporter(args.quiet)
    size = 5 * args.N if args.size is None else args.size
    same = ("object", "probe", "N", "patterns", "test_patterns", "photons", "seed")
    experiment = Experiment(size=size, **{name: getattr(args, name) for name in same})
    require_writable(args.output_dir)
    with sole_run(args.output_dir):
        with say.step("simulating"):
            files = simulate(experiment)
        write(files, args.output_dir)
    for name, arrays in files.items():
        count = f": {len(arrays['xcoords'])} patterns" if "xcoords" in arrays else ""
        say.line(f"{args.output_dir / name}.npz{count}")


def write(files: dict[str, dict[str, Any]], folder: Path) -> None:
    """Write each part as `<name>.npz` into `folder`, the whole set or nothing. Raises `OSError` that names the file."""
    with whole_set(folder) as stage:
        for name, arrays in files.items():
            write_npz(stage / f"{name}.npz", arrays)


def simulate(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """`train`, `test` and `ground_truth`: names → arrays. Every part draws from a generator of its own, so none moves another."""
    from reference_impl.simulation import exposures, probes, scans

    _check(experiment)
    N, size = experiment.N, experiment.size
    streams = [np.random.default_rng([experiment.seed, part]) for part in range(5)]
    probe = probes.KINDS[experiment.probe](N, streams[0])
    trained, unseen = make_object(experiment, streams[1]), make_object(experiment, streams[2])
    whole = scans.inner_bounds(size, size, N)
    reach = min(TEST_PITCH * np.sqrt(experiment.test_patterns) / 2, (whole[1] - whole[0]) / 2)
    centre = ((size - 1) / 2 - reach, (size - 1) / 2 + reach)
    places = {
        "train": scans.jittered_grid(experiment.patterns, whole, streams[3]),
        "test": scans.jittered_grid(experiment.test_patterns, (*centre, *centre), streams[3]),
    }
    files = {
        name: exposures.expose(truth, probe, places[name], experiment.photons, streams[4])
        for name, truth in (("train", trained), ("test", unseen))
    }
    truth = {"object_train": trained, "object_test": unseen, "probe": files["train"]["probeGuess"]}
    return {**files, "ground_truth": truth}


def make_object(experiment: Experiment, rng: np.random.Generator) -> np.ndarray:
    """`(size, size)` complex64 object of the experiment's kind."""
    from reference_impl.simulation import objects

    return objects.KINDS[experiment.object](experiment.size, rng)


def _check(experiment: Experiment) -> None:
    """The domains of the flags, for Python callers too, and what no machine of this kind holds."""
    for name, value in vars(experiment).items():
        domain = {"N": "side", "test_patterns": "patterns"}.get(name, name)
        refuse_outside(domain, value, label=f"--{name.replace('_', '-')}")
    if experiment.size < 2 * experiment.N:
        raise ContractError(field="--size", expected=f"at least 2 N = {2 * experiment.N}", found=str(experiment.size))
    asked = (experiment.patterns + experiment.test_patterns) * experiment.N**2 * 4
    if asked > LARGEST:
        found = f"{asked / 2**30:.0f} GiB in patterns of {experiment.N} x {experiment.N} pixels"
        raise ContractError(field="--patterns", expected=f"at most {LARGEST >> 30} GiB of them", found=found)
