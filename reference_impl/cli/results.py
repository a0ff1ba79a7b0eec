"""What `infer` and `train` say about their results, and what they keep of it."""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.cli.progress import Reporter
from reference_impl.data.report import Report
from reference_impl.errors import reason_of

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
) -> dict[str, Any]:
    """Say the figures, warn by them, write numbers and pictures: all files of a call, or none. Returns the results as kept.

    Where a picture fails the numbers are kept, those of an earlier run go, and what it failed by is raised.
    """
    from reference_impl.cli.kept import keep
    from reference_impl.cli.pictures import FILES, draw_reconstruction, keep_numbers, losses_of
    from reference_impl.data.metadata import object_pixel
    from reference_impl.inference import synchronised
    from reference_impl.inference.figures import light_of

    M, folder, pixel = args.stitch_crop_size, args.output_dir, object_pixel(record.metadata)
    found = _figures(args, results, module, config, execution, record, say)
    if not args.plain and found.overlap.phases_are_free:
        light = light_of(results["test_container"], config)
        results = synchronised(results, M, light.T if args.transpose else light)
        say.line("patches stitched with one phase each, agreed over their overlaps (--plain averages them as they are)")
    for path in keep(
        folder,
        FILES,
        lambda stage: keep_numbers(results, found, stage, M, [report], pixel),
        lambda stage: draw_reconstruction(results, found, losses_of(args.model_path), stage, M, pixel),
    ):
        say.line(str(path))
    return results


def _figures(
    args: argparse.Namespace, results: dict[str, Any], module: Any, config: Any, execution: Any, record: Any, say: Reporter
) -> Any:
    """The figures of a reconstruction, said and warned by."""
    from reference_impl.inference.figures import figures

    signs = np.array([-1.0 if args.flip_x else 1.0, -1.0 if args.flip_y else 1.0])  # patches were placed so (INFER-004)
    positions = np.column_stack([record.xcoords, record.ycoords]) * signs
    found = figures(results, module, config, execution, positions, args.stitch_crop_size, args.transpose)
    first, *more = found.lines()
    for line in (f"{len(results['global_offsets'])} patches stitched; {first}", *more):
        say.line(line)
    used = len(np.unique(np.asarray(results["test_container"].nn_indices)))
    for text in found.warnings(used, len(record), args.stitch_crop_size, args.test_data):
        warnings.warn(f"{args.test_data}: {text}", UserWarning, stacklevel=3)
    return found


def checkpoints_of(folder: Path) -> dict[Path, tuple[int, int]]:
    """The checkpoints of a training in its output folder, each with what tells it from another file of its name."""
    place, names = folder / "checkpoints", ("epoch=*.ckpt", "last.ckpt")
    status = {path: path.stat() for name in names for path in place.glob(name)}
    return {path: (found.st_ino, found.st_mtime_ns) for path, found in status.items()}


def close_training(
    args: argparse.Namespace, results: dict[str, Any], config: Any, execution: Any, reports: Sequence[Report], cause: str = "",
    older: Mapping[Path, tuple[int, int]] | None = None,
) -> Path:  # fmt: skip
    """Warn where the training came to nothing; keep beside the bundle what was checked and assumed. Returns that file.

    `cause`: what was found before that makes a training come to nothing. `older`: `checkpoints_of` an earlier training, which
    go now: nobody could tell them from those of this one.

    With several processes, each with the same weights, the first one does it.
    """
    from lightning.pytorch.utilities import rank_zero_only

    from reference_impl.atomic import atomic_write
    from reference_impl.inference.figures import collapse

    path = args.output_dir / CHECKED
    if rank_zero_only.rank:
        return path
    for place, known in checkpoints_of(args.output_dir).items():
        if (older or {}).get(place) == known:
            place.unlink()
    try:
        told = collapse(results["models"]["diffraction_to_obj"], results["train_container"], config, execution, cause)
    except Exception as error:  # the bundle is written: what judges it does not take it back
        told = [f"the trained network could not be judged ({reason_of(error)}); the bundle is written"]
    for text in told:
        warnings.warn(f"{args.train_data_file}: {text}", UserWarning, stacklevel=2)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps([one.plain() for one in reports], indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return path
