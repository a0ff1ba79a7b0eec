"""What `infer` and `train` say about their results, and what they keep of it."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report

CHECKED = "checked.json"
"""Beside the bundle: what was checked and assumed of the files that it was trained on."""


def keep_reconstruction(
    args: argparse.Namespace,
    results: dict[str, Any],
    module: Any,
    config: Any,
    execution: Any,
    record: Any,
    report: Report,
    say: Reporter,
) -> None:
    """Say the figures, warn by them, write the numbers first and then the pictures: all files of a call, or none."""
    from reference_impl.atomic import whole_set
    from reference_impl.cli.pictures import FILES, draw_reconstruction, keep_numbers, losses_of
    from reference_impl.data.metadata import object_pixel
    from reference_impl.inference.figures import figures

    M, pixel = args.stitch_crop_size, object_pixel(record.metadata)
    found = figures(results, module, config, execution, np.column_stack([record.xcoords, record.ycoords]), M)
    first, *more = found.lines()
    for line in (f"{len(results['global_offsets'])} patches stitched; {first}", *more):
        say.line(line)
    used = len(np.unique(np.asarray(results["test_container"].nn_indices)))
    for text in found.warnings(used, len(record), M):
        warnings.warn(f"{args.test_data}: {text}", UserWarning, stacklevel=2)
    with whole_set(args.output_dir, also=FILES) as stage:
        written = [keep_numbers(results, found, stage, M, [report], pixel)]
        written += draw_reconstruction(results, found, losses_of(args.model_path), stage, M, pixel)
    for path in written:
        say.line(str(args.output_dir / path.name))


def close_training(
    args: argparse.Namespace, results: dict[str, Any], config: Any, execution: Any, reports: Sequence[Report]
) -> Path:
    """Warn where the training came to nothing; keep beside the bundle what was checked and assumed. Returns that file."""
    from reference_impl.atomic import atomic_write
    from reference_impl.inference.figures import collapse

    for text in collapse(results["models"]["diffraction_to_obj"], results["train_container"], config, execution):
        warnings.warn(f"{args.train_data_file}: {text}", UserWarning, stacklevel=2)
    path = args.output_dir / CHECKED
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps([one.plain() for one in reports], indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path
