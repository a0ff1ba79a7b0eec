"""`infer`: a bundle and a contract file → pictures, and the object as numbers."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from reference_impl.cli.flags import add_execution_flags, add_measurement_flag, count_or_all
from reference_impl.cli.progress import Reporter

SUMMARY = "reconstruct the object of a contract file with a trained bundle"
DESCRIPTION = (
    "Reconstruct the object. Leaves reconstructed_amplitude.png, reconstructed_phase.png, overview.png (amplitude, phase, scan, "
    "losses) and reconstruction.npz in the output folder."
)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of CLI-006, and those of the stitching."""
    parser.add_argument("--model_path", required=True, type=Path, help="folder that holds wts.h5.zip")
    parser.add_argument("--test_data", required=True, type=Path, help="NPZ with patterns, positions and a probe")
    parser.add_argument("--output_dir", required=True, type=Path, help="folder for everything that is written")
    parser.add_argument("--n_images", type=count_or_all, default=32, help="number of groups, or all: one a pattern")
    parser.add_argument("--stitch-crop-size", type=int, default=20, help="M: central pixels of each patch that are placed")
    parser.add_argument("--neighbor-count", type=int, default=6, help="neighbours that a group is drawn from")
    parser.add_argument("--seed", type=int, default=42, help="of sampling")
    for flag, text in (("--flip-x", "negate x positions"), ("--flip-y", "negate y positions"), ("--transpose", "turn patches")):
        parser.add_argument(flag, action="store_true", help=text)
    parser.add_argument("--inference-batch-size", type=int, help="groups a forward pass")
    add_measurement_flag(parser)
    add_execution_flags(parser)


def run(args: argparse.Namespace) -> None:
    """Paths, bundle, factory, data, reconstruction, pictures (CLI-009)."""
    from reference_impl.cli.pictures import draw_reconstruction, losses_of
    from reference_impl.data import load_data
    from reference_impl.execution import build_execution_config_from_args, validate_paths
    from reference_impl.inference import amplitude_residual, load_inference_bundle_torch, reassemble_cdi_image_torch

    say, start = Reporter(args.quiet), time.perf_counter()
    validate_paths(None, args.test_data, args.output_dir)
    execution = build_execution_config_from_args(args, "inference")
    models, params = load_inference_bundle_torch(args.model_path)
    config = _config(args, params, execution)
    record = load_data(args.test_data, measurement=args.measurement)
    say.line(f"{args.test_data}: {len(record)} patterns of {config.model.N} x {config.model.N} pixels")
    _, _, results = reassemble_cdi_image_torch(
        record,
        config,
        flip_x=args.flip_x,
        flip_y=args.flip_y,
        transpose=args.transpose,
        M=args.stitch_crop_size,
        train_results={"models": models},
        execution_config=execution,
    )
    residual = amplitude_residual(models["diffraction_to_obj"], results["test_container"], config, execution)
    say.line(f"{len(results['global_offsets'])} patches stitched; relative amplitude residual {residual:.4f}")
    written = draw_reconstruction(results, losses_of(args.model_path), args.output_dir, residual, args.stitch_crop_size)
    for path in written:
        say.line(str(path))
    say.line(f"done in {time.perf_counter() - start:.1f} s")


def _config(args: argparse.Namespace, params: dict[str, Any], execution: Any) -> Any:
    """The inference configuration: the bundle's model, the flags' groups."""
    from reference_impl.bundle.parameters import config_of
    from reference_impl.config import create_inference_payload
    from reference_impl.config.canonical import ModelConfig, field_names
    from reference_impl.data import inspect_file

    model = config_of(params).model
    overrides = {name: getattr(model, name) for name in field_names(ModelConfig) if getattr(model, name) is not None}
    groups = inspect_file(args.test_data).n_patterns if args.n_images is None else args.n_images
    own = {"n_groups": groups, "neighbor_count": args.neighbor_count, "subsample_seed": args.seed, "nphotons": params["nphotons"]}
    payload = create_inference_payload(args.model_path, args.test_data, args.output_dir, {**overrides, **own}, execution)
    return payload.tf_inference_config
