"""Defects of flags beside each other: exchanged, waiting for another one, or lost where another one is given."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

CONVERTED = "CLI-105:a_flag_of_a_conversion_acts_beside_any_other"
INFERRED = "CLI-106:a_flag_of_an_inference_acts_beside_any_other"
STATED = "CLI-107:a_flag_of_a_training_states_its_own_setting"
SWITCHES = "    settings |= {name: getattr(args, name) for name in same}\n"

mutant = rows(__name__)

# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-105", "convert: --flip-rows acts only beside --transpose", f"{CONVERTED}[3]",
    plant=source("cli/convert_flags.py", "    return Geometry(\n        centre",
        "    args.flip_rows = args.flip_rows and args.transpose\n    return Geometry(\n        centre"))

mutant("GUARD-CLI-106", "infer: --transpose acts only beside a flip", f"{INFERRED}[weighed]",
    plant=source("cli/infer.py", "        transpose=args.transpose,\n",
        "        transpose=args.transpose and (args.flip_x or args.flip_y),\n"))
mutant("GUARD-CLI-106b", "--measurement counts acts only beside --mask", f"{INFERRED}[turned]",
    plant=source("cli/judging.py", '{"measurement": args.measurement, "mask"',
        '{"measurement": args.measurement if args.mask else "amplitude", "mask"'))
mutant("GUARD-CLI-106c", "infer: --varpro-scaling is lost beside --patch-weighting", f"{INFERRED}[weighed]",
    plant=source("cli/infer.py", "        varpro_scaling=args.varpro_scaling,\n",
        '        varpro_scaling=args.varpro_scaling if args.patch_weighting == "count" else "none",\n'))
mutant("GUARD-CLI-106d", "infer: --seed acts only beside --neighbor-count", f"{INFERRED}[gaps]",
    plant=source("cli/infer.py", '"subsample_seed": args.seed,',
        '"subsample_seed": args.seed if "neighbor_count" in args.typed else 42,'))
mutant("GUARD-CLI-106e", "infer: --patch-weighting is lost beside a flip", f"{INFERRED}[none]",
    plant=source("cli/infer.py", "        patch_weighting=args.patch_weighting,\n",
        '        patch_weighting="count" if args.flip_x or args.flip_y else args.patch_weighting,\n'))

mutant("GUARD-CLI-107", "train: --probe-mask and --intensity-scale-trainable are exchanged", STATED,
    plant=source("cli/train.py", SWITCHES, f"{SWITCHES}    masked = settings[\"probe_mask\"]\n"
        '    settings |= {"probe_mask": args.intensity_scale_trainable, "intensity_scale_trainable": masked}\n'))
mutant("GUARD-CLI-001f", "train keeps three ranked checkpoints unless --checkpoint-save-top-k is typed",
    "CLI-001:one_ranked_checkpoint_is_kept_by_default",
    plant=source("cli/train.py", "    step = {",
        '    if "checkpoint_save_top_k" not in args.typed:\n        args.checkpoint_save_top_k = 3\n    step = {'))
mutant("GUARD-CLI-004d", "train: --disable-checkpointing has no effect", "CLI-011:a_small_scan_needs_no_number_of_groups",
    clauses=["CLI-004"],
    plant=source("cli/train.py", "    step = {", "    args.enable_checkpointing = True\n    step = {"))
mutant("GUARD-CLI-041f", "train: --accept answers for the validation file alone",
    "CLI-041:a_training_reads_its_files_as_it_is_told",
    plant=source("cli/train.py", "    reports += [judged(args, record, say) for record in records if record is not None]\n",
        "    accept = args.accept\n"
        "    for record in (one for one in records if one is not None):\n"
        "        args.accept = accept if record is test else None\n"
        "        reports.append(judged(args, record, say))\n"))

SIMULATION = "    return Experiment(\n        size="
MODES = "CLI-047:a_probe_of_ones_own_has_modes_too"
mutant("GUARD-CLI-047q", "simulate: --seed is lost beside --mode-powers", MODES,
    plant=source("cli/simulate.py", SIMULATION, f"    args.seed = 0 if args.mode_powers else args.seed\n{SIMULATION}"))
mutant("GUARD-CLI-047r", "simulate: --beam-stop is lost beside --probe-file", "CLI-047:a_simulation_takes_a_probe_of_ones_own",
    plant=source("cli/simulate.py", SIMULATION, f"    args.beam_stop = 0.0 if args.probe_file else args.beam_stop\n{SIMULATION}"))
mutant("GUARD-CLI-047s", "simulate: --photons is lost beside --probe-file", MODES,
    plant=source("cli/simulate.py", SIMULATION,
        f"    args.photons = usual.photons if args.probe_file else args.photons\n{SIMULATION}"))

SOLVED = "CLI-108:an_engine_is_told_several_things_at_once"
mutant("GUARD-CLI-108", "reconstruct: positions are refined under one mode alone", SOLVED,
    plant=source("cli/reconstruct.py", "        refine_positions=args.refine_positions,\n",
        "        refine_positions=args.refine_positions and (args.modes or 1) == 1,\n"))
mutant("GUARD-CLI-108b", "reconstruct: --likelihood poisson is lost beside --refine-positions",
    "CLI-108:a_state_is_of_the_likelihood_beside_other_flags",
    plant=source("cli/reconstruct.py", "        likelihood=args.likelihood,\n",
        '        likelihood="amplitude" if args.refine_positions else args.likelihood,\n'))
mutant("GUARD-CLI-108c", "reconstruct: --mask is lost beside --refine-positions", SOLVED,
    plant=source("cli/reconstruct.py", "    record = read_record(args, args.data, args.output_dir)\n",
        "    args.mask = None if args.refine_positions else args.mask\n"
        "    record = read_record(args, args.data, args.output_dir)\n"))
mutant("GUARD-CLI-108d", "reconstruct: --modes is lost under --likelihood poisson", SOLVED,
    plant=source("cli/reconstruct.py", "modes=args.modes or 0",
        'modes=(args.modes or 0) if args.likelihood == "amplitude" else 0'))
mutant("GUARD-CLI-107b", "train: --nphotons is lost where patterns are amplitudes", STATED,
    plant=source("cli/train.py", '"nphotons": args.nphotons,',
        '"nphotons": args.nphotons if args.measurement == "counts" else None,'))
mutant("GUARD-CLI-004e", "train: --checkpoint-mode acts only beside --checkpoint-monitor",
    "CLI-001:one_ranked_checkpoint_is_kept_by_default", clauses=["CLI-004"],
    plant=source("cli/train.py", "    step = {",
        '    if "checkpoint_monitor" not in args.typed:\n        args.checkpoint_mode = "min"\n    step = {'))
mutant("GUARD-CLI-025f", "train: --gradient-clip-val is lost beside --accumulate-grad-batches",
    "CLI-025:every_further_flag_reaches_the_training",
    plant=source("cli/train.py", "    args.accumulate_grad_batches = None\n",
        "    args.accumulate_grad_batches = None\n    if step:\n        args.gradient_clip_val = None\n"))
mutant("GUARD-CLI-025g", "train: --learning-rate is lost under --scheduler WarmupCosine",
    "CLI-025:every_further_flag_reaches_the_training",
    plant=source("cli/train.py", "    step = {",
        '    if args.scheduler == "WarmupCosine":\n        args.learning_rate = 1e-3\n    step = {'))
mutant("GUARD-CLI-001g", "train: the rate is 5e-4 unless --learning-rate is typed",
    "CLI-011:a_scan_with_dropped_frames_needs_no_number_of_groups", clauses=["CLI-001"],
    plant=source("cli/train.py", "    step = {",
        '    if "learning_rate" not in args.typed:\n        args.learning_rate = 5e-4\n    step = {'))
mutant("GUARD-CLI-107c", "train: --amp-activation brings another loss along", STATED,
    plant=source("cli/train.py", SWITCHES,
        f'{SWITCHES}    settings["torch_loss_mode"] = "mae" if "amp_activation" in args.typed else args.torch_loss_mode\n'))
mutant("GUARD-CLI-043k", "inspect: --stitch-crop-size acts only beside --position-scale",
    "CLI-043:an_inspection_hears_of_a_crop_alone",
    plant=source("cli/inspect.py", "report_of(args, record, args.stitch_crop_size,",
        'report_of(args, record, args.stitch_crop_size if "position_scale" in args.typed else 20,'))
mutant("GUARD-CLI-021e", "evaluate: --quiet acts only beside --output-dir",
    "CLI-021:an_evaluation_that_writes_nothing_is_quiet_too",
    plant=source("cli/evaluate.py", "Reporter(args.quiet)", "Reporter(args.quiet and args.output_dir is not None)"))
mutant("GUARD-CLI-022f", "what is refined is the file, read anew without --mask and --measurement",
    "CLI-022:an_inference_is_refined_to_the_object",
    plant=source("cli/refine.py", "    from reference_impl.cli.doubts import warn_of\n",
        "    from reference_impl.cli.doubts import warn_of\n    from reference_impl.data import load_data\n\n"
        "    record = load_data(args.test_data, coord_scale=args.position_scale)\n"))

STANDS = "CLI-109:a_relative_folder_is_where_one_stands"
mutant("GUARD-CLI-109", "infer: a relative folder lies beside the data file", f"{STANDS}[infer]",
    plant=source("cli/infer.py", "    refine.refuse_turned(args)\n",
        "    refine.refuse_turned(args)\n    args.output_dir = args.test_data.parent / args.output_dir\n"))
mutant("GUARD-CLI-109b", "train: a relative folder lies beside the data file", f"{STANDS}[train]",
    plant=source("cli/train.py", "    say, start = Reporter(args.quiet), time.perf_counter()\n",
        "    say, start = Reporter(args.quiet), time.perf_counter()\n"
        "    args.output_dir = args.train_data_file[0].parent / args.output_dir\n"))
