"""`train`: a contract file → a trained bundle, a checkpoint to resume from, a table of losses."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path
from typing import Any

from reference_impl.cli import counted, labels, presets, scans
from reference_impl.cli.flags import Older, add_execution_flags, add_groups_flag, add_measurement_flag, of
from reference_impl.cli.judging import add_judgement_flags, judged, read_record
from reference_impl.cli.precision import settle_precision
from reference_impl.cli.progress import Reporter
from reference_impl.cli.results import checkpoints_of, close_training
from reference_impl.errors import ContractError

SUMMARY = "train a model on a contract file"
DESCRIPTION = (
    "Train a model on the patterns and positions of a contract file. Leaves wts.h5.zip, checkpoints/last.ckpt and "
    "lightning_logs/version_N/metrics.csv in the output folder."
)

JOINING = ("unrolled",)
"""Architectures whose patches of a group are cut from one object already: to merge them again would cut them to their centres."""
BRIGHTEST = 0.9  # mean amplitude that a sigmoid still reaches with room for bright details
BELOW = 0.95  # of the probe scale that just fits: two digits of it stay below


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of CLI-001, and those of the model, the loss and the hardware."""
    file = of("train_data_file", must_exist=True)
    several = "NPZ with patterns, positions and a probe; or several of them, or a folder of them"
    parser.add_argument("--train-data-file", required=True, type=file, nargs="+", metavar="PATH", help=several)
    parser.add_argument("--output-dir", required=True, type=of("output_dir"), help="folder for everything that is written")
    parser.add_argument("--test-data-file", type=of("test_data_file", must_exist=True), help="NPZ to validate on")
    for older in ("--ptycho-dir", "--config"):
        parser.add_argument(older, action=Older, help=argparse.SUPPRESS)
    resume = "checkpoint to go on from, for instance OUTPUT_DIR/checkpoints/last.ckpt"
    parser.add_argument("--resume", type=of("resume", must_exist=True), help=resume)
    override = "with --resume: a setting that may differ from the checkpoint's, and acts from there on; may be repeated"
    parser.add_argument("--override", type=of("override"), action="append", metavar="NAME", help=override)
    parser.add_argument("--preset", type=of("preset"), default="standard", help=presets.HELP)
    parser.add_argument("--seed", type=of("seed"), default=42, help="of sampling, order and weights")
    add_measurement_flag(parser)
    add_judgement_flags(parser)
    scans.add_flags(parser.add_argument_group("several files"))
    _add_run_flags(parser.add_argument_group("run"))
    _add_model_flags(parser.add_argument_group("model and loss"))
    labels.add_flags(parser.add_argument_group("labels and first weights"))
    counted.add_flags(parser.add_argument_group("absolute counts"))
    add_execution_flags(parser)
    _add_optimiser_flags(parser.add_argument_group("optimiser and hardware"))
    _add_checkpoint_flags(parser.add_argument_group("checkpoints and logs"))


def _add_run_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--max-epochs", type=of("nepochs"), default=100, help="passes over the training groups")
    add_groups_flag(group, "how many groups of gridsize x gridsize patterns to train on; all: one around every pattern")
    group.add_argument("--gridsize", type=of("gridsize"), default=2, help="g: groups of g x g patterns")
    group.add_argument("--batch-size", type=of("batch_size"), default=16, help="groups a batch, a power of two")
    neighbours = "neighbours that a group is drawn from"
    group.add_argument("--neighbor-count", type=of("neighbor_count"), default=6, help=neighbours)
    more = "let --n-groups be more than there are patterns: other combinations of neighbours"
    group.add_argument("--enable-oversampling", action="store_true", help=more)


def _add_model_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--n-filters-scale", type=of("n_filters_scale"), default=2, help="width of the network")
    amplitude = "of the amplitude: sigmoid, swish, softplus or relu"
    group.add_argument("--amp-activation", type=of("amp_activation"), default="sigmoid", help=amplitude)
    switch = argparse.BooleanOptionalAction
    group.add_argument("--probe-big", action=switch, default=True, help="let the object fill the patch, not its centre alone")
    group.add_argument("--probe-mask", action=switch, default=False, help="cut the probe off beyond a quarter of the patch")
    scale = "the probe is divided by this number times its mean amplitude"
    group.add_argument("--probe-scale", type=of("probe_scale"), default=4.0, help=scale)
    group.add_argument("--architecture", type=of("architecture"), default="cnn", help="name of a registered network")
    group.add_argument("--model-type", type=of("model_type"), default="pinn", help="pinn or supervised")
    photons = "mean photons a pattern; otherwise the file's, otherwise 1e9"
    group.add_argument("--nphotons", type=of("nphotons"), help=photons)
    group.add_argument("--torch-loss-mode", type=of("torch_loss_mode"), default="poisson", help="data term: poisson or mae")
    group.add_argument("--intensity-scale-trainable", action=switch, default=False, help="learn gain and offset of the detector")


def _add_optimiser_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--learning-rate", type=of("learning_rate"), default=1e-3, help="of the optimiser")
    schedules = "Default, Exponential, WarmupCosine or ReduceLROnPlateau"
    group.add_argument("--scheduler", type=of("scheduler"), default="Default", help=schedules)
    group.add_argument("--lr-warmup-epochs", type=of("lr_warmup_epochs"), default=0, help="epochs of linear rise (WarmupCosine)")
    group.add_argument("--lr-min-ratio", type=of("lr_min_ratio"), default=0.1, help="last rate over first (WarmupCosine)")
    group.add_argument("--gradient-clip-val", type=of("gradient_clip_val"), help="largest norm of the gradient")
    steps = "batches whose gradients make one step"
    group.add_argument("--accumulate-grad-batches", type=of("accum_steps"), default=1, help=steps)
    deterministic = {"action": argparse.BooleanOptionalAction, "default": True}
    group.add_argument("--deterministic", **deterministic, help="the same bits for the same seed, on by default")
    group.add_argument("--devices", type=of("devices"), default=1, help="processes or accelerators on each node")
    group.add_argument("--num-nodes", type=of("num_nodes"), default=1, help="machines")
    group.add_argument("--strategy", type=of("strategy"), default="auto", help="Lightning's, for instance ddp")


def _add_checkpoint_flags(group: argparse._ArgumentGroup) -> None:
    on = {"dest": "enable_checkpointing", "default": True}
    group.add_argument("--enable-checkpointing", action="store_true", **on, help="write checkpoints, on by default")
    group.add_argument("--disable-checkpointing", action="store_false", **on, help="write none, and never stop early")
    kept = "best checkpoints to keep; -1 all, 0 none"
    group.add_argument("--checkpoint-save-top-k", type=of("checkpoint_save_top_k"), default=1, help=kept)
    monitor = of("checkpoint_monitor_metric")
    group.add_argument("--checkpoint-monitor", type=monitor, default="val_loss", help="metric that ranks them")
    group.add_argument("--checkpoint-mode", type=of("checkpoint_mode"), default="min", help="min or max")
    patience = "epochs without improvement before stopping"
    group.add_argument("--early-stop-patience", type=of("early_stop_patience"), default=100, help=patience)
    group.add_argument("--logger", type=of("logger_backend"), default="csv", help="csv, tensorboard, mlflow or none")
    group.add_argument("--disable-mlflow", action="store_true", help="deprecated: use --logger none")


def overrides_of(args: argparse.Namespace) -> dict[str, Any]:
    """The settings of the factory that the flags state (CONFIG-061: explicit, hence first)."""
    settings = {
        "max_epochs": args.max_epochs,
        "n_groups": args.n_groups,
        "gridsize": args.gridsize,
        "batch_size": args.batch_size,
        "neighbor_count": args.neighbor_count,
        "object_big": args.gridsize > 1 and args.architecture not in JOINING,  # CLI-004: a single patch needs no common canvas
        "subsample_seed": args.seed,
        "test_data_file": args.test_data_file,
        "nphotons": args.nphotons,
        "enable_oversampling": args.enable_oversampling,
    }
    same = ("amp_activation", "probe_big", "probe_mask", "probe_scale", "architecture", "model_type", "torch_loss_mode")
    same += ("intensity_scale_trainable", "lr_warmup_epochs", "lr_min_ratio")
    scale = args.n_filters_scale
    settings |= {name: getattr(args, name) for name in same}
    settings["n_filters_scale"] = int(scale) if scale == int(scale) else scale
    return {name: value for name, value in settings.items() if value is not None}


def run(args: argparse.Namespace) -> None:
    """Paths, factory, data, workflow (CLI-009)."""
    from reference_impl.config import create_training_payload
    from reference_impl.dispatch.selector import run_cdi_example_with_backend
    from reference_impl.execution import build_execution_config_from_args, validate_paths

    say, start = Reporter(args.quiet), time.perf_counter()
    if args.override and args.resume is None:
        raise ContractError(
            field="override", expected="--resume beside it: it names what may differ from a checkpoint", found="none"
        )
    say.line(presets.apply(args) or presets.hint(args))
    scans.settle(args)
    counted.settle(args, scans.mapped(args))
    labels.prepare(args, say)
    say.line(settle_precision(args))
    validate_paths(args.train_data_file, args.test_data_file, args.output_dir)
    _warn_of_an_older_model(args)
    # The step gathers the gradients; Lightning's own accumulation is refused under manual optimisation (EXEC-004).
    step = {"accum_steps": args.accumulate_grad_batches} if args.accumulate_grad_batches != 1 else {}
    args.accumulate_grad_batches = None
    begin = labels.starting_weights(args, say)
    execution = build_execution_config_from_args(args, "training")
    payload = create_training_payload(args.train_data_file, args.output_dir, overrides_of(args), execution)
    train, reports = scans.read(args, payload.tf_training_config, say)
    test = None if args.test_data_file is None else read_record(args, args.test_data_file)
    if args.absolute_counts:
        return counted.train(args, payload, train, test, say)
    scale = fitting_scale(args, train, payload.tf_training_config)
    if scale is not None:
        say.line(
            f"preset {args.preset}: --probe-scale {scale}: at {args.probe_scale} {saturation(train, payload.tf_training_config)}"
        )
        args.probe_scale = scale
        payload = create_training_payload(args.train_data_file, args.output_dir, overrides_of(args), execution)
    config = scans.of_all(payload.tf_training_config) if scans.mapped(args) else payload.tf_training_config
    train = scans.under(train, config)
    say.line(scans.described(args, train, config))
    count = len(train) if scans.mapped(args) else config.n_groups
    say.line(f"{count} groups of {config.model.gridsize**2}, {config.nepochs} epochs, seed {config.subsample_seed}")
    records = (test,) if scans.mapped(args) else (train, test)
    reports += [judged(args, record, say) for record in records if record is not None]
    cause = saturation(train, config)
    if cause:
        warnings.warn(f"{args.train_data_file}: {cause}", stacklevel=2)
    train = labels.labelled_record(args, train, config, say)
    groups = scans.groups_of(args, train)
    older = checkpoints_of(args.output_dir) if args.resume is None else {}
    resume = {} if args.resume is None else {"resume_from": args.resume, "resume_override": args.override or ()}
    _, _, results = run_cdi_example_with_backend(
        train, test, config, execution_config=payload.execution_config, overrides={**step, **groups, **begin, **resume}
    )
    close_training(args, results, config, payload.execution_config, reports, cause, older)
    _say_results(say, results["history"], args.output_dir, time.perf_counter() - start)


def _warn_of_an_older_model(args: argparse.Namespace) -> None:
    """Who trains into a used folder learns now, not by next week's pictures, that its model goes; to resume means just that."""
    from reference_impl.config import ARCHIVE_NAME

    older = args.output_dir / ARCHIVE_NAME
    if args.resume is None and older.is_file():
        text = (
            f"{older}: a model of an earlier training; it goes, and its checkpoints, once this one ends well: take another folder"
        )
        warnings.warn(text, UserWarning, stacklevel=3)


def mean_amplitude(record: Any, config: Any) -> float:
    """Of a uniform object that makes the record's patterns under its normalised probe."""
    import torch

    from reference_impl.batch import normalise_probe

    probe, _ = normalise_probe(record.probeGuess, config.model.probe_scale)
    # Normalised patterns carry (N/2)² on average (GROUP-030).
    return config.model.N / 2 / float(torch.linalg.vector_norm(probe))


def saturation(record: Any, config: Any) -> str:
    """A sigmoid ends at 1: an object that has to be brighter under this probe trains to a flat picture, without an error.

    What is wrong and what to choose, or nothing.
    """
    amplitude = mean_amplitude(record, config)
    if config.model.amp_activation != "sigmoid" or amplitude <= BRIGHTEST:
        return ""
    scale = config.model.probe_scale * BRIGHTEST / amplitude
    return (
        f"under this probe the object's mean amplitude is {amplitude:.2f}, and a sigmoid ends at 1: "
        f"choose --probe-scale {scale:.2g} or less, or --amp-activation softplus"
    )


def fitting_scale(args: argparse.Namespace, record: Any, config: Any) -> float | None:
    """A probe scale under which a sigmoid reaches the object, where a preset other than `standard` leaves it open; else None."""
    if args.preset == "standard" or "probe_scale" in args.typed or not saturation(record, config):
        return None
    return float(f"{BELOW * config.model.probe_scale * BRIGHTEST / mean_amplitude(record, config):.2g}")


def _say_results(say: Reporter, history: dict[str, Any], folder: Path, seconds: float) -> None:
    losses, validated = history["train_loss"], history["val_loss"]
    if losses:
        text = f"training loss {losses[0]:.6g} -> {losses[-1]:.6g}"
        say.line(f"{text}, validation {validated[0]:.6g} -> {validated[-1]:.6g}" if validated else text)
    say.line(f"{folder / 'wts.h5.zip'}: trained in {seconds:.1f} s")
