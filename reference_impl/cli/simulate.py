"""`simulate`: a recipe, or flags → train and test files of a synthetic experiment, the ground truth, and the recipe."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.atomic import require_writable, sole_run, whole_set
from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.data.npz import write_npz
from reference_impl.errors import ContractError
from reference_impl.simulation import recipe
from reference_impl.simulation.experiment import PHOTONS, TEST_PITCH, Experiment, Optic, make_object, simulate

__all__ = ["PHOTONS", "TEST_PITCH", "Experiment", "make_object", "simulate", "write"]

SUMMARY = "make contract files of a synthetic experiment"
DESCRIPTION = (
    "Simulate an experiment: train.npz of one object (train_1.npz, train_2.npz, … of several), test.npz of another one that "
    "nothing was trained on (a dense scan of its centre), ground_truth.npz with the objects and the probe, and recipe.toml, from "
    "which --recipe makes the same files again, bit for bit."
)
BESIDE = ("recipe", "output_dir", "quiet", "debug")
_OURS = re.compile(r"train(_\d+)?\.npz|probe\.npy|recipe\.toml")
"""What an older set may have that this one has not."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """A recipe, or the fields of `Experiment`."""
    usual, optic = Experiment(), Optic()
    parser.add_argument("--output-dir", required=True, type=of("output_dir"), help="folder for the files")
    recipe_help = "TOML with everything that follows; no other flag goes beside it"
    parser.add_argument("--recipe", type=of("recipe", must_exist=True), metavar="PATH", help=recipe_help)
    kinds = "lines (unless given), dead_leaves or grf; several of them: a training scan of each"
    parser.add_argument("--object", type=of("object"), nargs="+", metavar="NAME", help=kinds)
    probes = (
        "curved (a structured wavefront), ideal (flat, symmetric), zernike (a pupil with aberrations), zone_plate, or file "
        "(with --probe-file)"
    )
    parser.add_argument("--probe", type=of("probe"), default=usual.probe, help=probes)
    parser.add_argument(
        "--probe-file", type=of("probe_file", must_exist=True), help="NPY, or NPZ with probeGuess: complex (N, N)"
    )
    shares = "shares of the light of incoherent modes, for instance 0.7 0.2 0.1"
    parser.add_argument("--mode-powers", type=of("mode_power"), nargs="+", help=shares)
    pupil = "zernike and zone_plate: diameter of the pupil as a share of the detector"
    parser.add_argument("--aperture", type=of("share"), default=optic.aperture, help=pupil)
    parser.add_argument("--beam-stop", type=of("beam_stop"), default=usual.beam_stop, help="radius of a disc that counts nothing")
    parser.add_argument("--N", type=of("side"), default=usual.N, help="side of a pattern")
    parser.add_argument("--size", type=of("size"), help="side of the object; 5 N unless given")
    parser.add_argument("--patterns", type=of("patterns"), default=usual.patterns, help="exposures of each object to train on")
    parser.add_argument("--test-patterns", type=of("patterns"), default=usual.test_patterns, help="exposures of the other object")
    parser.add_argument("--photons", type=of("photons"), default=usual.photons, help="mean photons a pattern")
    parser.add_argument("--seed", type=of("seed"), default=usual.seed, help="of objects, probe, scans and noise")
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def run(args: argparse.Namespace) -> None:
    """Simulate and write: files that belong together, all or none."""
    say = Reporter(args.quiet)
    experiment = _of_flags(args) if args.recipe is None else _of_recipe(args)
    require_writable(args.output_dir)
    with sole_run(args.output_dir):
        with say.step("simulating"):
            files = recorded(experiment)
        write(files, args.output_dir, experiment)
    for name, arrays in files.items():
        count = f": {len(arrays['xcoords'])} patterns" if "xcoords" in arrays else ""
        say.line(f"{args.output_dir / name}.npz{count}")
    say.line(f"{args.output_dir / recipe.NAME}: digest {recipe.digest(experiment)}")


def recorded(experiment: Experiment) -> dict[str, dict[str, Any]]:
    """`simulate`, the recipe's digest in the metadata of each scan."""
    return simulate(experiment, {"simulation": {"recipe_sha256": recipe.digest(experiment)}})


def _of_recipe(args: argparse.Namespace) -> Experiment:
    beside = [flag for dest, flag in args.typed.items() if dest not in BESIDE]
    if beside:
        expected = "no flag beside it that says what is simulated: a recipe says it all"
        raise ContractError(field="recipe", expected=expected, found=", ".join(sorted(beside)))
    return recipe.load(args.recipe)


def _of_flags(args: argparse.Namespace) -> Experiment:
    usual, kinds = Experiment(), args.object or [Experiment.object]
    same = ("N", "patterns", "test_patterns", "photons", "seed", "beam_stop")
    kind = "file" if args.probe_file is not None and "probe" not in args.typed else args.probe
    recipe.refuse_without_effect(kind, {"aperture"} & set(args.typed), None, "{}")
    return Experiment(
        size=5 * args.N if args.size is None else args.size,
        object=kinds[0],
        others=tuple(kinds[1:]),
        probe=kind,
        powers=tuple(args.mode_powers or usual.powers),
        optic=Optic(aperture=args.aperture),
        probe_array=None if args.probe_file is None else recipe.read_probe(args.probe_file),
        **{name: getattr(args, name) for name in same},
    )


def write(files: dict[str, dict[str, Any]], folder: Path, experiment: Experiment | None = None) -> None:
    """Write each part as `<name>.npz` into `folder`, the whole set or nothing; with its experiment, the recipe too.

    Raises `OSError` that names the file.
    """
    older = [path.name for path in folder.glob("*") if _OURS.fullmatch(path.name)]
    with whole_set(folder, older) as stage:
        for name, arrays in files.items():
            write_npz(stage / f"{name}.npz", arrays)
        if experiment is None:
            return
        (stage / recipe.NAME).write_text(recipe.text(experiment), encoding="utf-8")
        if experiment.probe_array is not None:
            np.save(stage / recipe.PROBE, experiment.probe_array)
