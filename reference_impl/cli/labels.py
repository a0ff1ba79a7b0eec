"""What `train --labels` and `--start-from` prepare: labels from the solver, and the weights to begin with."""

from __future__ import annotations

import argparse
from collections import deque
from pathlib import Path
from typing import Any

from reference_impl.cli.flags import of
from reference_impl.cli.progress import Reporter
from reference_impl.errors import ContractError

SWEEPS = 50
"""Of the solver, at most; it stops where its residual settles."""
VIEWS = 1
"""Scans made for the one that was taken, unless told otherwise: 2,048 patterns of 64 x 64 pixels with labels take 100 MB."""
KEPT = (
    "architecture",
    "gridsize",
    "n_filters_scale",
    "amp_activation",
    "probe_big",
    "probe_mask",
    "probe_scale",
    "intensity_scale_trainable",
)
"""Flags of the model that a bundle to begin with decides."""


def add_flags(group: argparse._ActionsContainer) -> None:
    """Where labels come from, how many exposures are made of them, and where the weights begin."""
    source = (
        "engine: solve the training scan first, and train on the solved object as well as on the patterns (with "
        "--torch-loss-mode mae unless it is given); validation sees the patterns alone"
    )
    group.add_argument("--labels", type=of("labels"), default="none", help=source)
    views = f"with --labels engine: scans of the solved object, mirrored or turned, that are made beside it; {VIEWS} unless given"
    group.add_argument("--views", type=of("views"), help=views)
    start = (
        "bundle (folder, or its wts.h5.zip) whose weights are the first ones: fine-tuning on another scan; it decides the model"
    )
    group.add_argument("--start-from", type=of("model_path"), metavar="BUNDLE", help=start)


def prepare(args: argparse.Namespace, say: Reporter) -> None:
    """Settle the flags that hang together. `ContractError` for those that contradict each other."""
    if args.labels == "none":
        if args.views:
            raise ContractError(
                field="views", expected="--labels engine beside it: they are made of the solved object", found="none"
            )
        return
    args.views = VIEWS if args.views is None else args.views
    if "torch_loss_mode" not in args.typed and args.torch_loss_mode != "mae":
        args.torch_loss_mode = "mae"
        say.line("labels engine: --torch-loss-mode mae; a likelihood of many photons outweighs every label")


def labelled_record(args: argparse.Namespace, record: Any, config: Any, say: Reporter) -> Any:
    """The record with the labels that `--labels` asks for; as it is without."""
    if args.labels == "none":
        return record
    from reference_impl.cli.doubts import warn_of
    from reference_impl.engine import Settings
    from reference_impl.engine.labels import labelled

    settings = Settings(sweeps=SWEEPS, seed=args.seed, refine_probe=False)
    photons = args.nphotons or record.nphotons or config.nphotons
    last: deque[Any] = deque(maxlen=1)
    with say.step("solving the scan for its labels"):
        found, solution = labelled(record, settings, args.views, photons, told=lambda solver, _: last.append(solver))
    residual = f"{len(solution.residuals)} sweeps, relative residual {solution.residuals[-1]:.5f}"
    say.line(f"labels of {len(record)} patterns and {len(found) - len(record)} made ones: {residual}")
    warn_of(solution, record, last[-1], args.train_data_file, final=True)
    return found


def starting_weights(args: argparse.Namespace, say: Reporter) -> dict[str, Any]:
    """The override that names the first weights, and the flags of the model set as the bundle has them; nothing without one.

    `ContractError` where a flag that was given contradicts the bundle.
    """
    if args.start_from is None:
        return {}
    from reference_impl.bundle.parameters import config_of
    from reference_impl.cli.infer import bundle_folder
    from reference_impl.inference import load_inference_bundle_torch

    if args.resume is not None:
        raise ContractError(
            field="start_from", expected="no --resume beside it: one of them has the weights", found=str(args.resume)
        )
    folder = bundle_folder(Path(args.start_from))
    models, params = load_inference_bundle_torch(folder)
    config = config_of(params)
    model = config.model
    for name in KEPT:
        value, given = getattr(model if hasattr(model, name) else config, name), getattr(args, name)
        if name in args.typed and given != value:
            raise ContractError(field=name, expected=f"{value!r}, as {folder} has it", found=repr(given))
        setattr(args, name, value)
    say.line(f"starting from {folder}: {model.architecture}, groups of {model.gridsize**2}")
    return {"start_from": models["diffraction_to_obj"].state_dict()}
