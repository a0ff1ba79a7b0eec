"""Defects of how commands behave: what they read by which words, find and say, leave, and who has to listen."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.mutants import rows

WORDS = "CLI-041:a_training_reads_its_files_as_it_is_told"
GOES_ON = "CLI-042:a_training_goes_on_by_command"
BOTH = "CLI-043:what_is_found_is_said_of_both_files"
INSPECTED = "CLI-043:an_implausible_file_does_not_pass_inspection"
ANSWERED = "CLI-043:flags_answer_what_an_inspection_finds"
REFINED = "CLI-044:an_older_refinement_does_not_stay"
SMALLER = "CLI-044:a_smaller_simulation_leaves_no_larger_one"
UNHEARD = "CLI-045:nobody_has_to_listen_to_a_simulation"
RIGHTS = "CLI-045:what_is_left_can_be_read_by_others"
TOLD = "CLI-046:an_inference_tells_its_figures"
PLACES = "CLI-046:objects_of_files_are_compared_at_their_places"
INFERRED = "CLI-024:an_inference_by_flags_is_its_library_call"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-024f", "infer takes the seed 0 for none", INFERRED,
    plant=source("cli/infer.py", '"subsample_seed": args.seed', '"subsample_seed": args.seed or 42'))
mutant("GUARD-CLI-041", "the validation file is read without the flags", WORDS,
    plant=source("cli/train.py", "else read_record(args, args.test_data_file)\n",
        'else __import__("reference_impl.data").data.load_data(args.test_data_file)\n'))
mutant("GUARD-CLI-041b", "a preset goes before what was typed", WORDS,
    plant=source("cli/presets.py", "PRESETS[args.preset].items() if name not in args.typed}", "PRESETS[args.preset].items()}"))
mutant("GUARD-CLI-041c", "the mask is for the training file alone", WORDS,
    plant=source("cli/train.py", "else read_record(args, args.test_data_file)\n",
        "else read_record(argparse.Namespace(**vars(args) | {'mask': None}), args.test_data_file)\n"))
mutant("GUARD-CLI-041d", "--nphotons has no effect", WORDS,
    plant=source("cli/train.py", '        "nphotons": args.nphotons,\n', ""))
mutant("GUARD-CLI-041e", "--accept answers for the training file alone", WORDS, BOTH,
    plant=source("cli/train.py", "    reports += [judged(args, record, say) for record in records if record is not None]\n",
        "    reports += [judged(args, record, say) for record in records[:1]]\n    args.accept = ()\n"
        "    reports += [judged(args, record, say) for record in records[1:] if record is not None]\n"))
mutant("GUARD-CLI-042", "--override is not handed on", GOES_ON,
    plant=source("cli/train.py", '"resume_override": args.override or ()}', '"resume_override": ()}'))
mutant("GUARD-CLI-042b", "--resume is not handed on", GOES_ON,
    plant=source("cli/train.py", "resume = {} if args.resume is None else", "resume = {} if True else"))
mutant("GUARD-CLI-043", "nobody looks at the validation file", BOTH,
    plant=source("cli/train.py", "else (train, test)\n", "else (train,)\n"))
mutant("GUARD-CLI-043b", "our own warnings are hidden with those of libraries", BOTH,
    plant=source("cli/main.py", '"ignore", module=r"(lightning|torch|', '"ignore", module=r"(reference_impl|lightning|torch|'))
mutant("GUARD-CLI-043c", "inspect ends well whatever it finds", INSPECTED,
    plant=source("cli/inspect.py", "    report.warn()\n    report.refuse()", "    report.warn()"))
mutant("GUARD-CLI-043d", "inspect: --position-scale has no effect on what is judged", ANSWERED,
    plant=source("cli/inspect.py", "    record = read_record(args, path) if contract",
        "    args.position_scale = 1.0\n    record = read_record(args, path) if contract"))
mutant("GUARD-CLI-043e", "inspect: --accept has no effect", ANSWERED,
    plant=source("cli/judging.py", "reported(record, args.accept or (),", "reported(record, (),"))
mutant("GUARD-CLI-044", "an older refinement stays", REFINED,
    plant=source("cli/refine.py", "            (folder / name).unlink(missing_ok=True)\n", "            pass\n"))
mutant("GUARD-CLI-044b", "an older, larger simulation stays", SMALLER,
    plant=source("cli/simulate.py", 'if _OURS.fullmatch(path.name)]', 'if False]'))
mutant("GUARD-CLI-045", "a closed pipe is an error", UNHEARD,
    plant=source("cli/progress.py", "            return self.stream.write(text)\n        except (OSError, ValueError) as",
        "            return self.stream.write(text)\n        except ValueError as"))
mutant("GUARD-CLI-045b", "what was written by one file is its owner's alone", f"{RIGHTS}[train]",
    plant=source("atomic.py", "            temporary.chmod(0o666 & ~umask())\n", ""))
mutant("GUARD-CLI-045c", "a folder that was put in place keeps its temporary rights", f"{RIGHTS}[infer]",
    plant=source("atomic.py", "    shutil.copymode(target, stage)\n", ""))
mutant("GUARD-CLI-045d", "a folder of results takes the place of all that was there",
    "CLI-045:a_file_of_somebody_else_stays",
    plant=every(source("atomic.py", "    if apart and set(os.listdir(target)) <= names | also and", "    if apart and"),
        source("atomic.py", "            os.rename(stage / name, target / name)\n", "            pass\n")))
mutant("GUARD-CLI-046", "infer tells the residual of a flat object for its own", TOLD,
    plant=source("cli/pictures.py", '"amplitude_residual": figures.residual,\n',
        '"amplitude_residual": figures.flat_residual,\n'))
mutant("GUARD-CLI-046b", "evaluate reads origins as [y, x]", PLACES,
    plant=source("evaluate/read.py", "(float(origin.ravel()[0]), float(origin.ravel()[1]))",
        "(float(origin.ravel()[1]), float(origin.ravel()[0]))"))
mutant("GUARD-CLI-046c", "evaluate looks at pixels that nobody saw", PLACES,
    plant=source("evaluate/read.py", "if covered is None or covered.shape != field.shape else", "if True else"))
mutant("GUARD-CLI-058", "two trainings write to one folder", "CLI-058:one_training_at_a_time_writes_to_a_folder",
    plant=source("atomic.py", "        if not lock(handle):\n            found",
        "        if not lock(handle) and False:\n            found"))
ENGINES = "CLI-044:a_reconstruction_leaves_nothing_of_an_older_one"
KEPT = "CLI-023:a_training_keeps_the_bundles_model"
RANKED = "CLI-044:a_training_leaves_no_ranked_checkpoint_of_an_older_one"
mutant("GUARD-CLI-044c", "the state of an older reconstruction stays", ENGINES,
    plant=source("cli/reconstruct.py", "else (LIVE, SOLVER)", "else (LIVE,)"))
mutant("GUARD-CLI-044d", "a ranked checkpoint of an older training stays", RANKED,
    plant=source("cli/results.py", "        if (older or {}).get(place) == known:\n", "        if False:\n"))
mutant("GUARD-CLI-045e", "files can be read by everybody, whatever the mask says", f"{RIGHTS}[train]",
    plant=source("atomic.py", "temporary.chmod(0o666 & ~umask())", "temporary.chmod(0o644)"))
mutant("GUARD-CLI-045f", "after the first file that is written the process has no mask", f"{RIGHTS}[train]",
    plant=source("claims.py", "    mask = os.umask(0)\n    os.umask(mask)\n", "    mask = os.umask(0)\n"))
mutant("GUARD-CLI-045g", "a full disk behind the output ends a command", UNHEARD,
    plant=source("cli/progress.py", "            return self.stream.write(text)\n        except (OSError, ValueError) as",
        "            return self.stream.write(text)\n        except (BrokenPipeError, ValueError) as"))
LOST = "CLI-045:what_is_lost_of_the_output_is_told"
mutant("GUARD-CLI-045h", "a full disk behind the output is passed over in silence", LOST,
    plant=source("cli/main.py", "    if out.lost is not None:\n", "    if False:\n"))
mutant("GUARD-CLI-024g", "infer: --neighbor-count has no effect", INFERRED,
    plant=source("cli/infer.py", '        "neighbor_count": args.neighbor_count,\n', ""))
mutant("GUARD-CLI-023c", "a training on a bundle's weights takes the probe scale of the flags", KEPT,
    plant=source("cli/labels.py", '"probe_scale",', ""))
mutant("GUARD-CLI-023d", "a training on a bundle's weights takes the activation of the flags", KEPT,
    plant=source("cli/labels.py", '"amp_activation",', ""))
MAPPED, SAID_OF = "CLI-061:a_training_on_a_map_is_that_of_its_file", "CLI-061:what_a_map_does_not_hold_is_said"
NOTHING = "CLI-043:nothing_is_made_of_an_implausible_file"
mutant("GUARD-CLI-061", "--position-scale is for files in memory alone", f"{MAPPED}[train]",
    plant=source("cli/scans.py", '"coord_scale": args.position_scale}', '"coord_scale": 1.0}'))
mutant("GUARD-CLI-061b", "beside a map nobody looks at the validation file", f"{SAID_OF}[validation]",
    plant=source("cli/train.py", "records = (test,) if scans.mapped(args)", "records = () if scans.mapped(args)"))
mutant("GUARD-CLI-061c", "--mask is for files in memory alone", f"{MAPPED}[train]",
    plant=source("cli/scans.py", '"mask": args.mask, "coord_scale"', '"mask": None, "coord_scale"'))
mutant("GUARD-CLI-061d", "a file that is left out of a map is left out without a word", f"{SAID_OF}[left-out]",
    plant=source("batch/mapping.py", 'warnings.warn(f"{path}: skipped, with all that belongs to it: {reason_of(error)}", '
        "UserWarning, stacklevel=4)", "pass"))
mutant("GUARD-CLI-043f", "reconstruct goes on in spite of what it finds", f"{NOTHING}[reconstruct]",
    plant=source("cli/reconstruct.py", "    report.warn()\n    report.refuse()\n", "    report.warn()\n"))
mutant("GUARD-CLI-043g", "infer goes on in spite of what it finds", f"{NOTHING}[infer]",
    plant=source("cli/infer.py", "    report = judged(args, record, say, args.stitch_crop_size)\n",
        "    report = __import__('reference_impl.cli.judging', fromlist=['x']).report_of(args, record, args.stitch_crop_size)\n"))
mutant("GUARD-CLI-046d", "what is covered is looked at beside where patches were placed", TOLD,
    plant=source("cli/results.py", "record.ycoords]) * signs", "record.ycoords])"))
mutant("GUARD-CLI-044e", "beside somebody else's file an older state stays", ENGINES,
    plant=source("atomic.py", "    for name in also - names:\n        (stage / GONE / name).mkdir(parents=True)\n", ""))
STEPS = "CLI-043:an_inspection_looks_at_the_steps_as_it_is_told"
mutant("GUARD-CLI-043h", "inspect: --stitch-crop-size has no effect", STEPS,
    plant=source("cli/inspect.py", "report_of(args, record, args.stitch_crop_size, (SIDE,))",
        "report_of(args, record, 20, (SIDE,))"))
MIXED = "CLI-079:older_results_do_not_stand_beside_newer_ones"
mutant("GUARD-CLI-079", "where a picture of infer fails an older overview stays", f"{MIXED}[infer]",
    plant=source("cli/pictures.py", '"reconstructed_phase.png", "overview.png")', '"reconstructed_phase.png")'))
mutant("GUARD-CLI-079b", "evaluate passes over a picture that fails", f"{MIXED}[evaluate]",
    plant=source("cli/kept.py", "    if failed is not None:\n        raise failed\n", ""))
mutant("GUARD-CLI-079c", "reconstruct writes its numbers before it draws, an older overview beside them", f"{MIXED}[reconstruct]",
    plant=source("cli/kept.py", "    with whole_set(folder, also=also) as stage:\n",
        "    with whole_set(folder) as first:\n        numbers(first)\n    with whole_set(folder, also=also) as stage:\n"
        "        pictures(stage)\n"))
ROUND = "CLI-095:the_orientation_of_a_detector_is_found"
mutant("GUARD-CLI-095", "orientations are told, the worst one first", ROUND,
    plant=source("cli/orientations.py", "key=lambda each: each.residual)", "key=lambda each: -each.residual)"))
mutant("GUARD-CLI-095b", "an orientation is named by the flags of another one", ROUND,
    plant=source("cli/orientations.py", '(("--transpose", self.transpose), ("--flip-rows", self.rows)',
        '(("--flip-rows", self.transpose), ("--transpose", self.rows)'))
ANY = "CLI-096:a_flag_of_an_inspection_acts_on_any_file"
mutant("GUARD-CLI-096", "inspect: --mask is for contract files alone", f"{ANY}[--mask]",
    plant=source("cli/inspect.py", "mask=None if args.mask is None else str(args.mask)", "mask=None"))
mutant("GUARD-CLI-096b", "inspect: --measurement is for contract files alone", f"{ANY}[--measurement]",
    plant=source("cli/inspect.py", 'said = args.measurement if "measurement" in args.typed else None', "said = None"))
mutant("GUARD-CLI-096c", "inspect: --position-scale is for contract files alone", f"{ANY}[--position-scale]",
    plant=source("cli/inspect.py", "    if args.position_scale != 1:\n", "    if False:\n"))
mutant("GUARD-CLI-096d", "inspect: what nobody states of a file of another program is a bin of no pixels", f"{ANY}[--mask]",
    plant=source("data/geometry.py", "    bin: int = 1\n", "    bin: int = 0\n"))
CONTRARY = "CLI-097:what_cannot_act_is_refused"
mutant("GUARD-CLI-097", "a training on counts passes over a checkpoint to go on from", f"{CONTRARY}[counts-resumed]",
    plant=source("cli/counted.py", '        "resume": ("none: a training on counts begins anew", args.resume),\n', ""))
mutant("GUARD-CLI-097b", "weights of a bundle are dropped where a training goes on", f"{CONTRARY}[begun-twice]",
    plant=source("cli/labels.py", '    if args.resume is not None:\n        raise ContractError(\n            field="start_from"',
        '    if False:\n        raise ContractError(\n            field="start_from"'))
mutant("GUARD-CLI-097c", "--views without labels has no effect", f"{CONTRARY}[views-of-nothing]",
    plant=source("cli/labels.py", "        if args.views:\n", "        if False:\n"))
GAPS = "CLI-103:an_inference_looks_at_the_steps_as_it_places"
mutant("GUARD-CLI-103", "infer warns of gaps between patches of 20 pixels, however many it places", GAPS,
    plant=source("cli/infer.py", "judged(args, record, say, args.stitch_crop_size)", "judged(args, record, say)"))
mutant("GUARD-CLI-103b", "infer looks for gaps between the two pixels in the middle of its patches", GAPS,
    plant=source("cli/infer.py", "judged(args, record, say, args.stitch_crop_size)", "judged(args, record, say, 2)"))
mutant("GUARD-CLI-045r", "an older refinement goes with all that lies beside it", "CLI-045:a_file_of_somebody_else_stays",
    plant=source("cli/refine.py", "        for name in (*FILES, RINGS):\n            (folder / name).unlink(missing_ok=True)\n",
        "        __import__('shutil').rmtree(folder, ignore_errors=True)\n"))
mutant("GUARD-CLI-058b", "a folder is held by the name that was typed", "CLI-058:one_training_at_a_time_writes_to_a_folder",
    plant=source("atomic.py", "    handle = os.open(path, os.O_RDONLY)\n    try:\n        status",
        "    handle = os.open(Path(tempfile.gettempdir(), str(path).replace('/', '_')), os.O_RDWR | os.O_CREAT)\n"
        "    try:\n        status"))
mutant("GUARD-CLI-045s", "a training takes every older checkpoint for one of an older training",
    "CLI-045:a_file_of_somebody_else_stays_beside_a_training",
    plant=source("cli/results.py", '("epoch=*.ckpt", "last.ckpt")', '("*.ckpt",)'))
mutant("GUARD-CLI-046e", "of objects whose files have one name the last one is told", PLACES,
    plant=source("cli/evaluate.py", "found = [compare(image, truth) for image in images]",
        "found = [*{Path(image.name).name: compare(image, truth) for image in images}.values()]"))
mutant("GUARD-CLI-046f", "objects are laid at whole pixels, and the rest is told as their shift", PLACES,
    plant=source("evaluate/read.py", "(float(origin.ravel()[0]), float(origin.ravel()[1]))", "tuple(np.rint(origin.ravel()))"))
