"""`infer --refine`: the network's object goes to the solver, which makes of it what the patterns say."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report
from reference_impl.errors import ContractError

FOLDER = "refined"
"""In the output folder: what the solver leaves, as `reconstruct` does."""
TURNS = ("flip_x", "flip_y", "transpose")


def add_flag(parser: argparse.ArgumentParser) -> None:
    """How many sweeps."""
    sweeps = f"sweeps of the solver, at most, that begin with the stitched object; leaves {FOLDER}/ as reconstruct does"
    parser.add_argument("--refine", type=of("refine"), metavar="SWEEPS", help=sweeps)


def refuse_turned(args: argparse.Namespace) -> None:
    """The solver knows the record as it is: `ContractError` where positions or patches are turned for the stitching alone."""
    turned = [name for name in TURNS if getattr(args, name)]
    if args.refine and turned:
        expected = "no --flip-x, --flip-y or --transpose beside it: convert the file instead, for the solver takes it as it is"
        raise ContractError(field="refine", expected=expected, found=", ".join(f"--{name.replace('_', '-')}" for name in turned))


def refine(args: argparse.Namespace, results: dict[str, Any], record: Any, report: Report, say: Reporter) -> None:
    """Solve from the kept results of `infer` on, and keep the solution; without `--refine` one of an older run goes."""
    from reference_impl.cli.pictures import FILES
    from reference_impl.cli.solution import RINGS, keep_solution

    folder = args.output_dir / FOLDER
    if not args.refine:
        for name in (*FILES, RINGS):
            (folder / name).unlink(missing_ok=True)
        return
    from reference_impl.cli.doubts import warn_of
    from reference_impl.cli.reconstruct import SOLVER, Told, device_of
    from reference_impl.data.metadata import object_pixel
    from reference_impl.engine import Settings, solve_record
    from reference_impl.engine.begin import begin_with

    begin = partial(begin_with, patches=results["obj_tensor_full"], offsets=results["global_offsets"], M=args.stitch_crop_size)
    own = argparse.Namespace(sweeps=args.refine, output_dir=folder, checkpoint=False, picture_every=None)
    told = Told(say, own, object_pixel(record.metadata))
    device = device_of(args.accelerator if args.accelerator in ("cpu", "auto") else "cuda")
    found = solve_record(record, Settings(sweeps=args.refine, seed=args.seed), device, told, before=begin)
    say.line(told.end(found))
    noise = warn_of(found, record, told.solver, args.test_data)
    say.line("" if noise is None else noise.words())
    for path in keep_solution(folder, found, record, report, gone=(SOLVER,), noise=noise):
        say.line(str(path))
