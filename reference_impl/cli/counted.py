"""`train --absolute-counts` and `infer` on what it leaves: counts under a calibrated probe (profile `ci`)."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.cli.flags import of
from reference_impl.cli.judging import judged, read_record
from reference_impl.cli.progress import Reporter
from reference_impl.errors import ContractError

PAIR = {"scale_contract_version": "ci_intensity_v2", "measurement_domain": "count_intensity"}
OWN = ("rect_s1s2_init", "rect_s1s2_trainable")
TURNS = ("flip_x", "flip_y", "transpose")


def add_flags(group: argparse._ActionsContainer) -> None:
    """Whether counts are meant, and the two factors of the object's parts."""
    counts = (
        "train on numbers of photons under the file's probe, which has to be calibrated: dose and contrast stay absolute; leaves "
        "checkpoints/last.ckpt for infer --model-path, and no wts.h5.zip"
    )
    group.add_argument("--absolute-counts", action="store_true", help=counts)
    first = "with --absolute-counts: where the factors of real and imaginary part begin: data (at the measured light) or ones"
    group.add_argument("--rect-s1s2-init", type=of("rect_s1s2_init"), default="data", help=first)
    learn = "with --absolute-counts: learn these factors too"
    group.add_argument("--rect-s1s2-trainable", action="store_true", help=learn)


def settle(args: argparse.Namespace, mapped: bool) -> None:
    """`ContractError` for flags that say nothing about counts, or about anything else, before any data are read."""
    from reference_impl.config import ARCHIVE_NAME

    if not args.absolute_counts:
        for name in OWN:
            if name in args.typed:
                raise ContractError(field=name, expected="--absolute-counts beside it", found="none")
        return
    several = "several files or a memory map" if mapped else None
    refused: dict[str, tuple[str, Any]] = {
        "train_data_file": ("one file in memory", several),
        "labels": ("none", None if args.labels == "none" else args.labels),
        "start_from": ("none", args.start_from),
        "resume": ("none: a training on counts begins anew", args.resume),
        "intensity_scale_trainable": ("off: the scale of counts is absolute", args.intensity_scale_trainable or None),
    }
    for name, (expected, found) in refused.items():
        if found is not None:
            raise ContractError(field=name, expected=f"{expected} with --absolute-counts", found=str(found))
    if (args.output_dir / ARCHIVE_NAME).exists():
        expected = "a folder without a model of another kind: a training on counts leaves a checkpoint alone"
        raise ContractError(field="output_dir", expected=expected, found=str(args.output_dir / ARCHIVE_NAME))


def train(args: argparse.Namespace, payload: Any, record: Any, test: Any, say: Reporter) -> None:
    """Train on the counts of a record; says the scale, the factors and the losses."""
    from reference_impl.counts import CountSettings, count_scan, prepare, refuse_several
    from reference_impl.counts import train as fit

    start, config, execution = time.perf_counter(), payload.tf_training_config, payload.execution_config
    refuse_several(execution)
    settings = CountSettings(config, **PAIR, **{name: getattr(args, name) for name in OWN})
    for one in (record, test):
        if one is not None:
            judged(args, one, say)
    scans = [None if one is None else count_scan(one, config, args.nphotons, cap=one is test) for one in (record, test)]
    say.line(f"{len(record)} patterns as counts: amplitudes x {scans[0].scale:.6g} ({scans[0].source})")
    prepared = prepare(scans[0].data, None if scans[1] is None else scans[1].data, settings)
    results = fit(prepared, execution)
    factors, losses = [float(getattr(results["module"], name)) for name in ("s1", "s2")], results["history"]["train_loss"]
    say.line(f"factors of the object's parts: {factors[0]:.6g}, {factors[1]:.6g}")
    if losses:
        say.line(f"training loss {losses[0]:.6g} -> {losses[-1]:.6g}")
    say.line(f"{args.output_dir / 'checkpoints' / 'last.ckpt'}: trained in {time.perf_counter() - start:.1f} s")


def candidate(path: Path) -> Path | None:
    """The checkpoint that `path` names, whatever trained it: a file, or the last in a folder without a bundle; else None."""
    from reference_impl.config import ARCHIVE_NAME

    place = path if path.suffix == ".ckpt" else path / "checkpoints" / "last.ckpt"
    return None if not place.is_file() or (path / ARCHIVE_NAME).exists() else place


def checkpoint_of(path: Path) -> Path | None:
    """The checkpoint of a training on counts that `path` names; else None."""
    if (place := candidate(path)) is None:
        return None
    from reference_impl.counts import is_count_checkpoint  # of what trains, and nothing that a bundle needs

    try:
        return place if is_count_checkpoint(place) else None
    except ContractError:  # no checkpoint: what lies there in the place of a bundle, the caller says
        return None


def infer(args: argparse.Namespace, checkpoint: Path, say: Reporter) -> None:
    """Patches, image, predicted counts of a scan under its own physical probe; numbers and pictures as `infer` leaves them."""
    from reference_impl.config import InferenceConfig, cfg, to_model_config, update_legacy_dict
    from reference_impl.counts import count_scan, open_checkpoint
    from reference_impl.counts import infer as predict
    from reference_impl.execution import build_execution_config_from_args
    from reference_impl.inference.shards import DEVICES

    _refuse_other_ways(args)
    module = open_checkpoint(checkpoint)
    model = to_model_config(module.data_config, module.model_config)
    options = {"neighbor_count": args.neighbor_count, "subsample_seed": args.seed, "backend": "pytorch"}
    config = InferenceConfig(model=model, model_path=args.model_path, test_data_file=args.test_data, **options)
    update_legacy_dict(cfg, config)
    record = read_record(args, args.test_data)
    if record.diff3d.shape[-1] != model.N:
        expected, side = f"patterns of {model.N} x {model.N} pixels, as {checkpoint} was trained on", record.diff3d.shape[-1]
        raise ContractError(file=args.test_data, field="diff3d", expected=expected, found=f"{side} x {side}")
    report = judged(args, record, say, args.stitch_crop_size)
    groups = len(record) if args.n_groups == "all" else args.n_groups
    scan = count_scan(record, _with_groups(config, groups), cap=True)
    accelerator = build_execution_config_from_args(args, "inference").accelerator
    with say.step("predicting"):
        found = predict(module.to(DEVICES.get(accelerator, "cpu")), scan.data)
    ratio = float(scan.data["intensity"].sum(dtype=np.float64) / found["predicted"].sum(dtype=np.float64))
    say.line(f"amplitudes x {scan.scale:.6g} are roots of counts ({scan.source}); measured over predicted counts: {ratio:.5g}")
    _keep(args, scan, found, ratio, config, record, report, say)


def _with_groups(config: Any, groups: int) -> Any:
    from dataclasses import replace

    return replace(config, n_groups=groups)


def _refuse_other_ways(args: argparse.Namespace) -> None:
    chosen = [name for name in (*TURNS, "refine") if getattr(args, name)]
    chosen += ["varpro_scaling"] if args.varpro_scaling != "none" else []
    for name in chosen:
        expected = "none of it for a model of absolute counts: its factors, phases and places are the data's"
        raise ContractError(field=name, expected=expected, found=str(getattr(args, name)))


def _keep(
    args: argparse.Namespace, scan: Any, found: dict[str, np.ndarray], ratio: float, config: Any, record: Any, report: Any,
    say: Reporter,
) -> None:  # fmt: skip
    from reference_impl.cli.kept import keep
    from reference_impl.cli.pictures import FILES, draw_reconstruction, keep_numbers, losses_of
    from reference_impl.data.metadata import object_pixel
    from reference_impl.inference.figures import figures_of
    from reference_impl.inference.predict import absolute_offsets
    from reference_impl.inference.routes import stitched

    M, pixel = args.stitch_crop_size, object_pixel(record.metadata)
    patches, offsets = found["object"].reshape(-1, config.model.N, config.model.N, 1), absolute_offsets(scan.container)
    made = stitched(patches, offsets, M, args.patch_weighting, scan.container)
    image = made.pop("image")
    results = {"obj_tensor_full": patches, "global_offsets": offsets, "recon_amp": np.abs(image), "recon_phase": np.angle(image)}
    results |= {"test_container": scan.container, "count_ratio": ratio, **made}
    measured, predicted = (np.sqrt(one, dtype=np.float64) for one in (scan.data["intensity"], found["predicted"]))
    residual = float(np.linalg.norm(predicted - measured) / np.linalg.norm(measured))
    said = figures_of(results, residual, config, np.column_stack([record.xcoords, record.ycoords]), M)
    for line in (f"{len(offsets)} patches stitched", *said.lines()):
        say.line(line)
    for path in keep(
        args.output_dir,
        FILES,
        lambda stage: keep_numbers(results, said, stage, M, [report], pixel),
        lambda stage: draw_reconstruction(results, said, losses_of(args.model_path), stage, M, pixel),
    ):
        say.line(str(path))
