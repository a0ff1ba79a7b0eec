"""`infer`: a bundle and a contract file → pictures, and the object as numbers."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from reference_impl.atomic import refuse_same_file, sole_run
from reference_impl.cli import counted, refine
from reference_impl.cli.flags import add_execution_flags, add_groups_flag, add_measurement_flag, of
from reference_impl.cli.judging import add_judgement_flags, judged, read_record
from reference_impl.cli.precision import settle_precision
from reference_impl.cli.progress import Reporter
from reference_impl.cli.results import keep_reconstruction
from reference_impl.errors import ContractError

SUMMARY = "reconstruct the object of a contract file with a trained bundle"
DESCRIPTION = (
    "Reconstruct the object. Leaves reconstructed_amplitude.png, reconstructed_phase.png, overview.png (amplitude, phase, scan, "
    "losses) and reconstruction.npz in the output folder."
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of CLI-006, and those of the stitching."""
    parser.add_argument("--model-path", required=True, type=of("model_path"), help="folder that holds wts.h5.zip, or that file")
    file = of("input_file", must_exist=True)
    parser.add_argument("--test-data", required=True, type=file, help="NPZ with patterns, positions and a probe")
    parser.add_argument("--output-dir", required=True, type=of("output_dir"), help="folder for everything that is written")
    add_groups_flag(parser, "how many groups to place; all: one around every pattern")
    crop = "M: central pixels of each patch that are placed"
    parser.add_argument("--stitch-crop-size", type=of("stitch_crop_size"), default=20, help=crop)
    neighbours = "neighbours that a group is drawn from"
    parser.add_argument("--neighbor-count", type=of("neighbor_count"), default=6, help=neighbours)
    parser.add_argument("--seed", type=of("seed"), default=42, help="of sampling")
    plain = "average the patches as they are; else, where they then fit better, one phase a patch is agreed over their overlaps"
    parser.add_argument("--plain", action="store_true", help=plain)
    weights = (
        "how patches are averaged: count, or weighed: uniform, central, probe (by its light); weighed ones keep their phases"
    )
    parser.add_argument("--patch-weighting", type=of("patch_weighting"), default="count", help=weights)
    parts = "global: two factors, of the real and the imaginary part of all patches, fitted to the measured intensities"
    parser.add_argument("--varpro-scaling", type=of("varpro_scaling"), default="none", help=parts)
    for flag, text in (("--flip-x", "negate x positions"), ("--flip-y", "negate y positions"), ("--transpose", "turn patches")):
        parser.add_argument(flag, action="store_true", help=text)
    refine.add_flag(parser)
    parser.add_argument("--inference-batch-size", type=of("inference_batch_size"), help="groups a forward pass")
    devices = "accelerators, or threads of the processor, on which the network works side by side"
    parser.add_argument("--devices", type=of("devices"), default=1, help=devices)
    add_measurement_flag(parser)
    add_judgement_flags(parser)
    add_execution_flags(parser)


def run(args: argparse.Namespace) -> None:
    """Paths, bundle, factory, data, reconstruction, pictures (CLI-009)."""
    _refuse_absent(args.model_path)
    from reference_impl.execution import validate_paths

    say, start = Reporter(args.quiet), time.perf_counter()
    refine.refuse_turned(args)
    validate_paths(None, args.test_data, args.output_dir)
    refuse_same_file("output_dir", args.output_dir / "reconstruction.npz", {"--test-data": args.test_data, "--mask": args.mask})
    with sole_run(args.output_dir):
        _reconstruct(args, say)
    say.line(f"done in {time.perf_counter() - start:.1f} s")


def _reconstruct(args: argparse.Namespace, say: Reporter) -> None:
    from reference_impl.data import inspect_file
    from reference_impl.execution import build_execution_config_from_args
    from reference_impl.inference import load_inference_bundle_torch, reassemble_cdi_image_torch

    checkpoint = counted.checkpoint_of(args.model_path)
    if checkpoint is not None:
        return counted.infer(args, checkpoint, say)
    args.model_path = bundle_folder(args.model_path)
    say.line(settle_precision(args))
    execution = build_execution_config_from_args(args, "inference")
    models, params = load_inference_bundle_torch(args.model_path)
    header = inspect_file(args.test_data)
    say.line(f"{args.test_data}: {header.n_patterns} patterns of {header.N} x {header.N} pixels")
    _refuse_other_side(header.N, params, args)
    config = _config(args, params, execution)
    record = read_record(args, args.test_data)
    report = judged(args, record, say, args.stitch_crop_size)
    _, _, results = reassemble_cdi_image_torch(
        record,
        config,
        flip_x=args.flip_x,
        flip_y=args.flip_y,
        transpose=args.transpose,
        M=args.stitch_crop_size,
        train_results={"models": models},
        execution_config=execution,
        patch_weighting=args.patch_weighting,
        varpro_scaling=args.varpro_scaling,
    )
    _say_ways(args, results, say)
    found = keep_reconstruction(args, results, models["diffraction_to_obj"], config, execution, record, report, say)
    refine.refine(args, found, record, report, say)


def _say_ways(args: argparse.Namespace, results: dict[str, Any], say: Reporter) -> None:
    """What was chosen, and the factors that were found. Weighed patches are not turned: that way has weights of its own."""
    if args.patch_weighting != "count":
        args.plain = True
        say.line(f"patches averaged by the weights {args.patch_weighting!r}")
    if "varpro_scales" in results:
        real, imaginary = results["varpro_scales"]
        say.line(f"factors of the real and the imaginary part: {real:.6g}, {imaginary:.6g}")


def _refuse_absent(path: Path) -> None:
    """That there is no model is said before torch is imported; `FileNotFoundError`, `ContractError` (`bundle_folder`)."""
    from reference_impl.config import ARCHIVE_NAME

    if counted.candidate(path) is None and not (archive := bundle_folder(path) / ARCHIVE_NAME).is_file():
        raise FileNotFoundError(f"Model archive not found: {archive}")


def bundle_folder(path: Path) -> Path:
    """The folder of a bundle that is named by its folder, by its file `wts.h5.zip`, or by that without `.zip`.

    `ContractError` where there is something else; it names `--resume` where a checkpoint lies there.
    """
    from reference_impl.config import ARCHIVE_NAME

    folder = path.parent if path.name in (ARCHIVE_NAME, ARCHIVE_NAME.removesuffix(".zip")) and not path.is_dir() else path
    if path.is_file() and folder == path:
        found = "a checkpoint" if path.suffix == ".ckpt" else "another file"
    elif folder.is_dir() and not (folder / ARCHIVE_NAME).exists():
        found = "none in it (Model archive not found)"
    else:
        return folder
    places = (path, path / "checkpoints" / "last.ckpt", path / "last.ckpt")
    last = next((place for place in places if place.suffix == ".ckpt" and place.is_file()), None)
    if last is not None:
        found += f"; end its training first: python -m reference_impl train … --resume {last}"
    raise ContractError(file=path, field="model_path", expected=f"a folder with {ARCHIVE_NAME}, or that file", found=found)


def _refuse_other_side(side: int, params: dict[str, Any], args: argparse.Namespace) -> None:
    if side != params["N"]:
        expected = f"patterns of {params['N']} x {params['N']} pixels, as {args.model_path} was trained on"
        raise ContractError(file=args.test_data, field="diff3d", expected=expected, found=f"{side} x {side}")


def _config(args: argparse.Namespace, params: dict[str, Any], execution: Any) -> Any:
    """The inference configuration: the bundle's model, the flags' groups."""
    from reference_impl.bundle.parameters import config_of
    from reference_impl.config import create_inference_payload
    from reference_impl.config.canonical import ModelConfig, field_names

    model = config_of(params).model
    overrides = {name: getattr(model, name) for name in field_names(ModelConfig) if getattr(model, name) is not None}
    own = {
        "n_groups": args.n_groups,
        "neighbor_count": args.neighbor_count,
        "subsample_seed": args.seed,
        "nphotons": params["nphotons"],
    }
    payload = create_inference_payload(args.model_path, args.test_data, args.output_dir, {**overrides, **own}, execution)
    return payload.tf_inference_config
