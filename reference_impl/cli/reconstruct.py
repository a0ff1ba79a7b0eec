"""`reconstruct`: a contract file → object, probe and positions, by the iterative solver, without training."""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from reference_impl.atomic import refuse_same_file, require_writable, sole_run
from reference_impl.cli import doubts
from reference_impl.cli.flags import add_measurement_flag, of
from reference_impl.cli.judging import add_judgement_flags, read_record, report_of
from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report
from reference_impl.errors import ContractError

SUMMARY = "reconstruct object, probe and positions of a contract file, without training"
DESCRIPTION = (
    "Solve a scan iteratively. Leaves reconstructed_amplitude.png, reconstructed_phase.png, overview.png (amplitude, phase, "
    "probe, residual) and reconstruction.npz in the output folder. Stops when the residual settles."
)
SOLVER, SAVES, LIVE = "solver.npz", 10, "progress.png"
LINES = 10
"""Sweeps from one line of progress to the next; the first ones are told each."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The file, what is refined, and how long."""
    file = of("input_file", must_exist=True)
    parser.add_argument("--data", required=True, type=file, metavar="FILE", help="NPZ with patterns, positions and a probe")
    parser.add_argument("--output-dir", required=True, type=of("output_dir"), help="folder for everything that is written")
    parser.add_argument("--sweeps", type=of("solver_sweeps"), default=200, help="passes over the patterns, at most")
    parser.add_argument("--batch", type=of("solver_batch"), help="patterns a step; unless given, as many as light the scan once")
    parser.add_argument("--seed", type=of("seed"), default=42, help="of the order of the patterns")
    parser.add_argument("--keep-probe", action="store_true", help="take the file's probe as it is; it is refined otherwise")
    parser.add_argument("--refine-positions", action="store_true", help="refine the positions, within 7 pixels")
    modes = "incoherent modes of the probe; as many as the file has unless given"
    parser.add_argument("--modes", type=of("solver_modes"), help=modes)
    noise = "amplitude (noise of equal width on amplitudes) or poisson (counts)"
    parser.add_argument("--likelihood", type=of("likelihood"), default="amplitude", help=noise)
    halves = "solve two halves of the patterns, too: their Fourier ring correlation says how fine the object can be trusted"
    parser.add_argument("--halves", action="store_true", help=halves)
    keep = f"leave {SOLVER} in the output folder every {SAVES} sweeps and at the end: what --resume goes on from"
    parser.add_argument("--checkpoint", action="store_true", help=keep)
    again = f"go on from a {SOLVER} of the same scan and settings, with --sweeps in all"
    parser.add_argument("--resume", type=of("resume", must_exist=True), metavar="FILE", help=again)
    live = f"leave {LIVE} in the output folder every so many sweeps: amplitude, phase, probe, residual"
    parser.add_argument("--picture-every", type=of("picture_every"), metavar="SWEEPS", help=live)
    where = "auto (cuda where there is one), cpu, gpu or cuda"
    parser.add_argument("--accelerator", type=of("solver_device"), default="auto", help=where)
    add_measurement_flag(parser)
    add_judgement_flags(parser)
    parser.add_argument("--quiet", action="store_true", help="nothing on standard output")


def _inputs(args: argparse.Namespace) -> dict[str, Path | None]:
    return {"--data": args.data, "--mask": args.mask, "--resume": args.resume}


def run(args: argparse.Namespace) -> None:
    """Read, judge, solve, keep."""
    say, start = Reporter(args.quiet), time.perf_counter()
    require_writable(args.output_dir)
    refuse_same_file("output_dir", args.output_dir / "reconstruction.npz", _inputs(args))
    with sole_run(args.output_dir):
        _reconstruct(args, say)
    say.line(f"done in {time.perf_counter() - start:.1f} s")


def _reconstruct(args: argparse.Namespace, say: Reporter) -> None:
    from reference_impl.cli.solution import keep_solution
    from reference_impl.data.metadata import object_pixel
    from reference_impl.engine import Settings, solve_record

    record = read_record(args, args.data, args.output_dir)
    side = record.diff3d.shape[-1]
    say.line(f"{args.data}: {len(record)} patterns of {side} x {side} pixels")
    report = about_probe(report_of(args, record), args)
    for line in report.lines():
        say.line(line)
    report.warn()
    report.refuse()
    settings = Settings(
        sweeps=args.sweeps,
        batch=args.batch or 0,
        seed=args.seed,
        refine_probe=not args.keep_probe,
        refine_positions=args.refine_positions,
        modes=args.modes or 0,
        likelihood=args.likelihood,
    )
    device = device_of(args.accelerator)
    told = Told(say, args, object_pixel(record.metadata))
    found = solve_record(record, settings, device, told, args.resume, args.output_dir)
    say.line(told.end(found))
    noise = doubts.warn_of(found, record, told.solver, args.data, args.keep_probe)
    say.line("" if noise is None else noise.words())
    rings, failed = _halves(args, record, settings, device, say)
    gone = (LIVE,) if args.checkpoint or args.resume else (LIVE, SOLVER)
    for path in keep_solution(args.output_dir, found, record, report, rings, gone, noise):
        say.line(str(path))
    if failed is not None:
        raise failed


def _halves(args: argparse.Namespace, record: Any, settings: Any, device: str, say: Reporter) -> tuple[Any, ContractError | None]:
    """The rings of two halves, None unless asked for; or why there are none, which costs the figure and not the solution."""
    from reference_impl.data.metadata import object_pixel
    from reference_impl.evaluate.halves import compare_halves

    if not args.halves:
        return None, None
    try:
        with say.step("solving two halves"):
            rings = compare_halves(record, settings, device, args.output_dir)
    except ContractError as error:
        return None, ContractError(field="halves", expected="halves that can be compared", found=f"none: {error}")
    say.line(rings.line(object_pixel(record.metadata)))
    return rings, None


def about_probe(report: Report, args: argparse.Namespace) -> Report:
    """The report with what is done to the probe and the positions: here they are more than assumed."""
    assumed = dict(report.assumed)
    kept = "kept" if args.keep_probe else "refined by the patterns"
    assumed["probe"] = (f"{assumed['probe'][0]}, {kept}", "--keep-probe" if args.keep_probe else "unless --keep-probe")
    if args.refine_positions:
        assumed["positions"] = (f"{assumed['positions'][0]}, refined by the patterns", "--refine-positions")
    return replace(report, assumed=assumed)


def device_of(accelerator: str) -> str:
    """`cpu` or `cuda`: `auto` takes a CUDA device where there is one; a CPU is quick enough to say nothing."""
    import torch

    return "cpu" if accelerator == "cpu" or (accelerator == "auto" and not torch.cuda.is_available()) else "cuda"


class Told:
    """Progress: a line for each of the first sweeps, then one for every `LINES`, with the seconds a sweep; and, where the flags
    say so, a file of the solver's state and a picture, kept up to date."""

    def __init__(self, say: Reporter, args: argparse.Namespace, pixel: float | None) -> None:
        self.say, self.sweeps, self.pixel, self.start, self.made = say, args.sweeps, pixel, time.perf_counter(), 0
        self.solver: Any = None
        self.saved = args.output_dir / SOLVER if args.checkpoint else None
        self.live, self.every = args.output_dir / LIVE, args.picture_every or 0

    def __call__(self, solver: Any, residual: float) -> None:
        from reference_impl.engine.saved import save

        number = solver.state.sweep
        self.solver = solver
        self.made += 1
        if self.saved is not None and (number % SAVES == 0 or number == self.sweeps or solver.state.settling.done):
            save(solver, self.saved)
        if self.every and number % self.every == 0:
            from reference_impl.cli.solution import draw_overview

            draw_overview(solver.solution(), self.live, self.pixel)
        if number in (1, 2, 5) or number % LINES == 0:
            each = (time.perf_counter() - self.start) / self.made
            self.say.line(f"sweep {number} of at most {self.sweeps}: relative residual {residual:.5f}, {each:.3g} s a sweep")

    def end(self, found: Any) -> str:
        """The last line: why it is over."""
        why = "the residual has settled" if found.settled else "all sweeps are made; more (--sweeps) may bring it down"
        return f"{len(found.residuals)} sweeps, relative residual {found.residuals[-1]:.5f}: {why}"
