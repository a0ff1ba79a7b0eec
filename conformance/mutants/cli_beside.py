"""Defects that show where something is not alone: one flag beside another, a second file, a folder that is in use."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.mutants import rows

TYPED = "CLI-002:a_value_is_kept_as_it_was_typed[apart]"
NAMED = "CLI-013:a_message_is_one_line_whatever_it_names"
FLIPPED = "CLI-030:a_flip_negates_its_own_axis"
QUIET = "CLI-008:further_calls_report_no_progress"
RANKED = "CLI-044:a_training_leaves_no_ranked_checkpoint_of_an_older_one"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-001c", "batches are of 32 groups unless --batch_size says otherwise",
    "CLI-004:groups_of_patches_have_a_common_canvas", clauses=["CLI-001"],
    plant=source("cli/train.py", '"batch_size": args.batch_size,',
        '"batch_size": args.batch_size if "batch_size" in args.typed else 32,'))
mutant("GUARD-CLI-001d", "single patterns are trained on unless --gridsize says otherwise",
    "CLI-011:a_scan_with_dropped_frames_needs_no_number_of_groups", clauses=["CLI-001"],
    plant=source("cli/train.py", "    say.line(presets.apply(args) or presets.hint(args))\n",
        '    args.gridsize = args.gridsize if "gridsize" in args.typed else 1\n'
        "    say.line(presets.apply(args) or presets.hint(args))\n"))
mutant("GUARD-CLI-002d", "a validation file that does not exist is trained without", TYPED,
    plant=every(source("cli/train.py", 'type=of("test_data_file", must_exist=True)', 'type=of("test_data_file")'),
        source("cli/train.py", "    scans.settle(args)\n",
            "    if args.test_data_file is not None and not args.test_data_file.is_file():\n"
            "        args.test_data_file = None\n    scans.settle(args)\n")))
mutant("GUARD-CLI-003b", "a training is not told that --device is deprecated",
    "CLI-003:a_training_is_told_of_the_deprecated_device",
    plant=source("execution.py",
        '    warnings.warn("--device is deprecated; use --accelerator", DeprecationWarning, stacklevel=2)\n',
        "    with warnings.catch_warnings(action='ignore' if 'train' in __import__('sys').argv else None):\n"
        '        warnings.warn("--device is deprecated; use --accelerator", DeprecationWarning, stacklevel=2)\n'))
mutant("GUARD-CLI-008b", "a refinement tells its sweeps past --quiet", f"{QUIET}[refined]",
    plant=source("cli/refine.py", "    told = Told(say, own, object_pixel(record.metadata))\n",
        "    told = Told(Reporter(False), own, object_pixel(record.metadata))\n"))
mutant("GUARD-CLI-009b", "an inference looks at its settings before its file", f"{NAMED}[infer]", clauses=["CLI-009"],
    plant=source("cli/infer.py", "type=file, help=", 'type=of("input_file"), help='))
mutant("GUARD-CLI-009c", "a training looks at its settings before its validation file", TYPED,
    plant=source("cli/train.py", 'type=of("test_data_file", must_exist=True)', 'type=of("test_data_file")'))
mutant("GUARD-CLI-030c", "infer: --flip-x and --flip-y are exchanged", f"{FLIPPED}[gaps]", f"{FLIPPED}[none]",
    plant=source("cli/infer.py", "        flip_x=args.flip_x,\n        flip_y=args.flip_y,\n",
        "        flip_x=args.flip_y,\n        flip_y=args.flip_x,\n"))
mutant("GUARD-CLI-031l", "--clip-negatives refuses the value that it names", "CLI-031:further_flags_of_a_conversion_act[window]",
    plant=source("data/geometry_record.py", "seen.least[left].min() >= -limit", "seen.least[left].min() > -limit"))
mutant("GUARD-CLI-043i", "of several --accept the last one alone counts", "CLI-043:flags_answer_what_an_inspection_finds",
    plant=source("cli/judging.py", "reported(record, args.accept or (),", "reported(record, (args.accept or ())[-1:],"))
mutant("GUARD-CLI-044f", "the last checkpoint of an older training stays, the new one beside it under another name", RANKED,
    plant=every(source("training/checkpoints.py", "filename=ModelCheckpoint.CHECKPOINT_NAME_LAST, save_top_k=1",
        'filename="last-v1" if (folder / "last.ckpt").exists() else "last", save_top_k=1'),
        source("cli/results.py", '("epoch=*.ckpt", "last.ckpt")', '("epoch=*.ckpt",)')))
mutant("GUARD-CLI-044g", "the probe of an older simulation stays", "CLI-044:a_smaller_simulation_leaves_no_larger_one",
    plant=source("cli/simulate.py", r"\.npz|probe\.npy|recipe", r"\.npz|recipe"))
mutant("GUARD-CLI-045i", "a training empties its folder, whosever files lie there",
    "CLI-045:a_file_of_somebody_else_stays_beside_a_training",
    plant=source("cli/train.py", "    _warn_of_an_older_model(args)\n", "    _warn_of_an_older_model(args)\n"
        "    for one in args.output_dir.iterdir():\n"
        '        if one.is_file() and one.suffix not in (".zip", ".npz") and one.name[0] != ".":\n            one.unlink()\n'))
mutant("GUARD-CLI-001e", "--disable_mlflow takes the next flag for its value", "CLI-004:groups_of_patches_have_a_common_canvas",
    plant=source("cli/train.py", '"--disable-mlflow", action="store_true", help', '"--disable-mlflow", help'))
mutant("GUARD-CLI-016h", "an inference on counts leaves no picture of the phase",
    "CLI-016:counts_are_trained_and_inferred_by_command",
    plant=source("cli/counted.py", "        say.line(str(path))\n",
        '        say.line(str(path))\n    (args.output_dir / "reconstructed_phase.png").unlink()\n'))
mutant("GUARD-CLI-045j", "an inference ends where nobody reads what it says", "CLI-045:nobody_has_to_listen_to_an_inference",
    plant=source("cli/infer.py", "    refine.refuse_turned(args)\n",
        '    say.console.file = __import__("sys").__stdout__\n    refine.refuse_turned(args)\n'))
mutant("GUARD-CLI-045k", "what is refined is its owner's alone", "CLI-045:what_is_left_can_be_read_by_others[refined]",
    plant=source("cli/refine.py", "    for path in keep_solution(folder,",
        "    folder.mkdir(0o700, parents=True, exist_ok=True)\n    for path in keep_solution(folder,"))
mutant("GUARD-CLI-015d", "--patch-weighting central weighs by the probe", "CLI-015:each_weighting_is_one_of_its_own",
    plant=source("cli/infer.py", "        patch_weighting=args.patch_weighting,\n",
        '        patch_weighting="probe" if args.patch_weighting == "central" else args.patch_weighting,\n'))
mutant("GUARD-CLI-022e", "what is refined takes the place of the network's picture, too",
    "CLI-022:an_inference_is_refined_to_the_object",
    plant=source("cli/refine.py", "        say.line(str(path))\n",
        "        say.line(str(path))\n        (args.output_dir / path.name).write_bytes(path.read_bytes())\n"))
mutant("GUARD-CLI-027f", "a conversion writes positions in single precision", "CLI-027:a_conversion_does_what_its_flags_say",
    plant=source("data/geometry_write.py", "    found: dict[str, np.ndarray] = {",
        "    x, y = x.astype(np.float32), y.astype(np.float32)\n    found: dict[str, np.ndarray] = {"))
mutant("GUARD-CLI-028i", "a simulation writes amplitudes in doubles", "CLI-028:a_simulation_makes_what_it_was_told",
    plant=source("simulation/exposures.py", "np.sqrt(counts).astype(np.float32)", "np.sqrt(counts)"))
mutant("GUARD-CLI-021d", "the table of evaluate has no nulls", "CLI-021:evaluate_tells_place_and_gauge",
    plant=source("cli/evaluate.py", "    rows = [figures.row() for figures in found]\n",
        '    rows = [{name: value for name, value in one.row().items() if "null" not in name} for one in found]\n'))
FACTORS = "CLI-016:factors_begin_and_learn_as_flags_say"
mutant("GUARD-CLI-016i", "--rect-s1s2-init has no effect", f"{FACTORS}[--rect-s1s2-init]",
    plant=source("cli/counted.py", "**{name: getattr(args, name) for name in OWN})",
        "**{name: getattr(args, name) for name in OWN[1:]})"))
mutant("GUARD-CLI-016j", "--rect-s1s2-trainable has no effect", f"{FACTORS}[--rect-s1s2-trainable]",
    plant=source("cli/counted.py", "**{name: getattr(args, name) for name in OWN})",
        "**{name: getattr(args, name) for name in OWN[:1]})"))
mutant("GUARD-CLI-031m", "--centre is taken for that of the frame as it is turned",
    "CLI-031:further_flags_of_a_conversion_act[window]",
    plant=source("data/geometry.py", "    axes = [_axis(shape[a], centre[a], crop, side, flip, corner)",
        "    axes = [_axis(shape[a], centre[order[a]], crop, side, flip, corner)"))
mutant("GUARD-CLI-071b", "a window may leave the detector at its near edge",
    "CLI-071:a_window_that_leaves_the_detector_is_refused[near]",
    plant=source("data/geometry.py", "if place - crop // 2 < 0 or place", "if place"))
mutant("GUARD-CLI-043j", "what a training finds in its validation file is said, and stops nothing",
    "CLI-043:nothing_is_made_of_an_implausible_file[validation]",
    plant=source("cli/train.py", "    reports += [judged(args, record, say) for record in records if record is not None]\n",
        "    from reference_impl.cli.judging import report_of\n\n"
        "    found = [report_of(args, one) if one is test else judged(args, one, say) for one in records if one is not None]\n"
        "    print(*(line for one in found for line in one.lines()), sep='\\n', file=__import__('sys').stderr)\n"
        "    reports += found\n"))
