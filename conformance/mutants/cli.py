"""Defects of the commands, planted into the source that their processes read."""

from __future__ import annotations

from conformance.defects.changes import every, shape, source
from conformance.defects.planting import Plant
from conformance.mutants import rows


def the_first_argument_picks_the_parser(plant: Plant) -> None:
    older = '    if given[:1] == ["infer"] and given[1:2] not in ([], ["--help"], ["--model_path"]):\n'
    older += '        parser.error("unrecognized arguments: the older interface takes a configuration file")\n'
    plant.source("cli/main.py", "    args = parser.parse_args(given)\n", f"{older}    args = parser.parse_args(given)\n")


def an_error_is_printed_and_not_returned(plant: Plant) -> None:
    report = '{names.advice(one_line(told))}", file=sys.stderr)\n        return '
    plant.source("cli/main.py", report + "1", report + "0")


@shape
def looks_into_the_file(plant: Plant, line: str) -> None:
    """A second reader in the command."""
    how = '"coord_scale": args.position_scale}\n'
    look = f"    import numpy as np\n    with np.load(path) as plain:\n        {line}\n"
    plant.source("cli/judging.py", how, how + look)


def a_picture_is_saved_before_anything_is_drawn(plant: Plant) -> None:
    figure = '    figure = Figure(figsize=(6.4, 5.2), layout="constrained")\n'
    draw, save = "    draw(figure.add_subplot())\n", "    return save(figure, path)\n"
    early = "    figure = Figure(figsize=(1, 1))\n    save(figure, path)\n"
    plant.source("cli/pictures.py", figure + draw + save, early + draw + "    return path\n")


def the_bundle_holds_a_network_made_anew(plant: Plant) -> None:
    anew = "        trained = type(trained).from_config(settled)\n"
    anew += '        results["models"] = {"diffraction_to_obj": trained, "autoencoder": trained.model.autoencoder}\n'
    base = "        base = settled.output_dir"
    plant.source("dispatch/workflow.py", base, anew + base)


FORMS = "CLI-012:neither_form_nor_workers_change_what_is_trained"
COVERED = "CLI-087:what_is_covered_is_where_the_image_is"
mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-001", "nobody learns from --help what happens by default",
    "CLI-001:train_documents_its_flags_and_their_defaults", "CLI-006:infer_documents_its_flags_and_their_defaults",
    plant=source("cli/flags.py", "return action.help if silent or not action.help else", "return action.help if True else"))
mutant("GUARD-CLI-001b", "an old script with --accumulate-grad-batches ends in a usage error",
    "CLI-001:train_documents_its_flags_and_their_defaults",
    plant=source("cli/train.py", '"--accumulate-grad-batches"', '"--accumulate"'))
mutant("GUARD-CLI-006b", "commands start two workers that nobody asked for",
    "CLI-001:train_documents_its_flags_and_their_defaults", "CLI-006:infer_documents_its_flags_and_their_defaults",
    plant=source("cli/flags.py", 'type=of("num_workers"), default=0', 'type=of("num_workers"), default=2'))
mutant("GUARD-CLI-011", "a scan of fewer than 512 exposures is refused", "CLI-011:a_small_scan_needs_no_number_of_groups",
    plant=source("cli/flags.py", 'type=of("groups"), default="all"', 'type=of("groups"), default=512'))
mutant("GUARD-CLI-002", "a usage error ends with the parser's own code 2",
    "CLI-002:usage_errors_of_train_end_with_code_1_and_a_message[no-data]",
    "CLI-006:infer_ends_with_code_1_and_a_message_otherwise[no-model]",
    plant=source("cli/flags.py", "        sys.exit(1)", "        sys.exit(2)"))
mutant("GUARD-CLI-003", "every training runs on the CPU and calls --device deprecated",
    "CLI-003:the_deprecated_device_is_reported_exactly_where_it_is_given",
    plant=source("cli/flags.py", '"--device", type=of("device"), default=None', '"--device", type=of("device"), default="cpu"'))
mutant("DEF-132", "--learning-rate, --num-workers and --precision have no effect", "CLI-004:flags_reach_the_bundle",
    plant=source("cli/train.py", "config, execution_config=payload.execution_config, overrides", "config, overrides"))
mutant("GUARD-CLI-004", "--batch_size has no effect", "CLI-004:flags_reach_the_bundle",
    plant=source("cli/train.py", '        "batch_size": args.batch_size,\n', ""))
mutant("GUARD-CLI-004c", "--checkpoint-save-top-k has no effect", "CLI-004:flags_reach_the_bundle",
    plant=source("cli/train.py", '"--checkpoint-save-top-k", type', '"--checkpoint-save-top-k", dest="save_top_k", type'))
mutant("GUARD-CLI-004b", "groups of patches have no common canvas", "CLI-004:groups_of_patches_have_a_common_canvas",
    plant=source("cli/train.py", '"object_big": args.gridsize > 1', '"object_big": False'))
mutant("GUARD-CLI-005", "a training with --quiet leaves no table of losses", "CLI-005:train_leaves_checkpoint_bundle_and_metrics",
    plant=source("training/trainer.py", "logger=make_logger(execution.logger_backend, folder)",
        "logger=make_logger(execution.logger_backend if execution.enable_progress_bar else None, folder)"))
mutant("DEF-184", "infer is a usage error unless --model_path comes first", "CLI-006:infer_takes_its_flags_in_any_order",
    "CLI-007:infer_leaves_pictures", plant=the_first_argument_picks_the_parser)
mutant("GUARD-CLI-006", "a script goes on after an inference that failed",
    "CLI-006:infer_ends_with_code_1_and_a_message_otherwise[absent-model]", plant=an_error_is_printed_and_not_returned)
mutant("GUARD-CLI-010b", "the pictures are empty", "CLI-010:train_save_load_infer[g1]",
    plant=a_picture_is_saved_before_anything_is_drawn)
mutant("GUARD-CLI-008", "the log of a batch job is megabytes of bars", "CLI-008:quiet_commands_report_no_progress",
    plant=source("training/trainer.py", "enable_progress_bar=execution.enable_progress_bar,", "enable_progress_bar=True,"))
mutant("GUARD-CLI-009", "a wrong path is found after everything else",
    "CLI-009:a_missing_file_is_found_before_an_impossible_setting",
    plant=source("cli/flags.py", "if reader.must_exist and isinstance(path,", "if reader is None and isinstance(path,"))
mutant("GUARD-CLI-010", "the bundle reconstructs as if it had never been trained",
    "CLI-010:what_was_trained_elsewhere_opens_here", plant=the_bundle_holds_a_network_made_anew)
mutant("GUARD-CLI-012", "train refuses doubles, which the reader takes", FORMS,
    plant=looks_into_the_file('if plain["diff3d"].dtype != np.float32: raise ValueError("diff3d: expected float32")'))
mutant("GUARD-CLI-012b", "train takes dim amplitudes for counts", FORMS,
    plant=looks_into_the_file('how["measurement"] = "counts" if plain["diff3d"].max() < 1 else how["measurement"]'))
mutant("GUARD-CLI-012c", "train takes the photons of the file where they have a point", FORMS,
    plant=source("data/metadata.py", "not isinstance(value, numbers.Real)", "not isinstance(value, float)"))
mutant("GUARD-CLI-014", "--accumulate-grad-batches has no effect", "CLI-014:every_flag_reaches_the_training",
    plant=source("cli/train.py", "args.accumulate_grad_batches} if args.accumulate_grad_batches != 1 else",
        "args.accumulate_grad_batches} if False else"))
mutant("GUARD-CLI-014b", "--early-stop-patience has no effect", "CLI-014:every_flag_reaches_the_training",
    plant=source("cli/train.py", '"--early-stop-patience", type', '"--early-stop-patience", dest="patience", type'))
mutant("GUARD-CLI-014c", "--checkpoint-monitor has no effect", "CLI-014:every_flag_reaches_the_training",
    plant=source("cli/train.py", '"--checkpoint-monitor", type', '"--checkpoint-monitor", dest="monitor", type'))
# What profiles have by command.
mutant("GUARD-CLI-015", "--patch-weighting has no effect", "CLI-015:a_way_of_stitching_changes_the_picture[patch_weighting]",
    plant=source("cli/infer.py", "patch_weighting=args.patch_weighting,", ""))
mutant("GUARD-CLI-087", "what is covered lies on a canvas of which x and y are exchanged", COVERED,
    plant=source("inference/routes.py", "origin_of(results), shape)", "origin_of(results), shape[::-1])"))
mutant("GUARD-CLI-087b", "what is covered is cut from the corner of a larger canvas", COVERED,
    plant=source("inference/routes.py", "accumulate_on(*placed, origin_of(results), shape)[1]",
        "accumulate(*placed)[1][: shape[0], : shape[1]]"))
mutant("GUARD-CLI-015b", "--varpro-scaling has no effect", "CLI-015:a_way_of_stitching_changes_the_picture[varpro_scaling]",
    plant=source("cli/infer.py", "varpro_scaling=args.varpro_scaling,", ""))
mutant("GUARD-CLI-015c", "a way of scaling that nobody knows is taken for the usual one",
    "CLI-015:an_unknown_way_of_stitching_is_refused[varpro_scaling]",
    plant=every(source("cli/infer.py", 'type=of("varpro_scaling"), ', ""), source("cli/infer.py",
        "varpro_scaling=args.varpro_scaling,", 'varpro_scaling="global" if args.varpro_scaling == "global" else "none",')))
mutant("GUARD-CLI-016", "amplitudes are counts, whatever the file says", "CLI-016:counts_are_trained_and_inferred_by_command",
    plant=source("counts/records.py", "float(np.sqrt(photons / energy))", "1.0"))
mutant("GUARD-CLI-016b", "counts of several processes end in a traceback's words",
    "CLI-016:counts_of_several_processes_are_refused_or_trained",
    plant=source("counts/session.py", "raise ContractError(field=name, expected=expected, found=str(getattr(execution, name)))",
        "raise TypeError('part')"))
mutant("GUARD-CLI-016c", "a number of photons by hand counts where the file states none alone",
    "CLI-016:photons_by_hand_go_before_those_of_the_file",
    plant=source("counts/records.py", '(nphotons, "asked for") if nphotons is not None',
        '(nphotons, "asked for") if nphotons is not None and record.nphotons is None'))
