"""Freedoms of the commands: the form of help and errors, flags and files besides those of the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from conformance.defects.changes import every, function, result, source
from conformance.twins import rows
from reference_impl.cli import panels, pictures, solution
from reference_impl.engine import canvas

HELP = ("CLI-001:train_documents_its_flags_and_their_defaults", "CLI-006:infer_documents_its_flags_and_their_defaults")
ERRORS = (
    "CLI-002:usage_errors_of_train_end_with_code_1_and_a_message",
    "CLI-006:infer_ends_with_code_1_and_a_message_otherwise[no-model]",
)


def pictures_are_deep_and_grey(original, figure, path):
    from PIL import Image

    found = original(figure, path)
    with Image.open(found) as picture:
        grey = np.asarray(picture.convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(found, format="PNG")
    return found


def the_array_itself(values, path):
    """Two pixels an element, between the least and the greatest value, in a palette; no axes."""
    from matplotlib import colormaps
    from PIL import Image

    share = (values - values.min()) / max(np.ptp(values), np.finfo(float).tiny)
    picture = Image.fromarray(np.kron(np.rint(255 * share), np.ones((2, 2))).astype(np.uint8)).convert("P")
    picture.putpalette((colormaps["cividis"](np.arange(256))[:, :3] * 255).astype(np.uint8).tobytes())
    picture.save(path)
    return path


def the_solution_itself(original, found, folder, pixel):
    return _drawn_bare(found.object, folder)


def the_reconstruction_itself(original, results, figures, losses, folder, *options, **more):
    return _drawn_bare(results["recon_amp"] * np.exp(1j * results["recon_phase"]), folder)


def _drawn_bare(field, folder):
    names = {"amplitude": np.abs(field), "phase": np.angle(field)}
    return [the_array_itself(values, folder / f"reconstructed_{name}.png") for name, values in names.items()]


def a_fifth_of_a_pixel_beside_the_mean(frame):
    return replace(frame, mean=(frame.mean[0] + 0.2, frame.mean[1] - 0.2))


SHOWN = ("CLI-020:the_engines_pictures_show_its_numbers", "CLI-020:the_networks_pictures_show_its_numbers")
NUMBERS = ("CLI-017:reconstruct_recovers_the_object_at_its_place", "CLI-017:the_file_of_numbers_explains_the_patterns")
UNREAD = """    from reference_impl.errors import ContractError

    if any(name in str(path) for path in args.source for name in (".cxi", "contract.npz")):
        raise ContractError(field="source", expected="a file of a program that is read here", found=str(args.source[0]))
"""
twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-HELP-IN-ANOTHER-FORM", "help states defaults in brackets, narrow, with more flags than the contract's", *HELP,
    files=("test_cli",),
    plant=every(source("cli/flags.py", '(default: %(default)s)"', '[default=%(default)s]"'),
        source("cli/flags.py", "max_help_position=34", "max_help_position=24, width=90"),
        source("cli/flags.py", '    group.add_argument("--quiet"',
            '    group.add_argument("--profile", help="write a profile")\n    group.add_argument("--quiet"')))
twin("TWIN-HELP-IN-OTHER-WORDS", "help says in a sentence, in capitals, what is so by default", *HELP, files=("test_cli",),
    plant=source("cli/flags.py", 'f"{action.help} (default: %(default)s)"', 'f"{action.help.upper()}; %(default)s by default"'))
twin("TWIN-DEEP-GREY-PICTURES", "pictures are grey, 16 bits a pixel", "CLI-010:train_save_load_infer[g1]",
    "CLI-007:infer_leaves_pictures", files=("test_cli",), plant=function(panels.save, pictures_are_deep_and_grey))
twin("TWIN-USAGE-WITH-ERRORS", "a usage error comes with the usage, on several lines of standard error", *ERRORS,
    files=("test_cli",),
    plant=source("cli/flags.py", "        print(f\"error: {' '.join(message.split())}",
        "        self.print_usage(sys.stderr)\n        print(f\"error: {' '.join(message.split())}"))
twin("TWIN-PICTURES-IN-OTHER-COLOURS", "pictures are dark where values are high, and in other colours", *SHOWN,
    files=("test_cli_pictures",),
    plant=every(source("cli/pictures.py", '"object amplitude", "amplitude (normalised)", "gray"',
            '"object amplitude", "amplitude (normalised)", "cividis_r"'),
        source("cli/pictures.py", '"phase (rad)", "viridis"', '"phase (rad)", "magma"')))
twin("TWIN-PICTURES-WITHOUT-AXES", "pictures are the arrays, whole canvas, in a palette and nothing beside", *SHOWN,
    files=("test_cli_pictures",),
    plant=every(function(solution.draw_solution, the_solution_itself),
        function(pictures.draw_reconstruction, the_reconstruction_itself)))
twin("TWIN-A-WIDER-CANVAS", "the engine's file of numbers is in doubles, on a canvas with a margin", *NUMBERS,
    files=("test_cli_engine", "test_cli_pictures"),
    plant=source("cli/solution.py", "    if pixel is not None:\n        known[\"object_pixel\"] = pixel\n",
        "    known[\"object\"] = np.pad(np.asarray(found.object, np.complex128), 6, constant_values=1)\n"
        "    known |= {\"origin\": np.asarray(found.frame.origin) - 6, \"covered\": np.pad(found.covered, 6)}\n"
        "    known[\"probe\"] = np.asarray(found.probe, np.complex128)\n"
        "    if pixel is not None:\n        known[\"object_pixel\"] = pixel\n"))
twin("TWIN-A-CANVAS-BETWEEN-PIXELS", "the engine's canvas begins between the pixels of the positions", *NUMBERS,
    files=("test_cli_engine",), plant=function(canvas.frame_of, result(a_fifth_of_a_pixel_beside_the_mean)))
twin("TWIN-A-REHEARSAL-ON-STANDARD-ERROR", "what would be done is told beside the output",
    "CLI-032:a_rehearsal_writes_nothing",
    files=("test_cli_converted",),
    plant=source("cli/convert.py", "    say = Reporter(args.quiet)\n",
        "    say = Reporter(args.quiet)\n    if args.dry_run:\n        say.console.stderr = True\n"))
twin("TWIN-SIMULATIONS-OF-TODAY", "metadata say when a file was made, its mask is of whole numbers, a recipe has notes",
    "CLI-047:a_recipe_makes_the_same_files", "CLI-047:patterns_of_a_simulation_are_those_of_its_truth",
    "CLI-047:every_real_number_of_a_recipe_acts", files=("test_cli_simulations",),
    plant=every(source("simulation/exposures.py", "{\"mask\": good}", "{\"mask\": good.astype(np.uint8)}"),
        source("simulation/exposures.py", "    whole = {**(extra or {}), ",
            "    import time\n\n    whole = {**(extra or {}), \"made\": time.time_ns(), ")))
twin("TWIN-FEWER-FLAGS", "an inference has its own number of neighbours, files of a map add up, a folder is held by a file",
    "CLI-024:an_inference_by_flags_is_its_library_call", "CLI-030:an_inference_tells_where_it_lies[origin]",
    "CLI-016:counts_of_several_processes_are_refused_or_trained", "CLI-061:a_training_on_a_map_is_that_of_its_file",
    "CLI-043:nothing_is_made_of_an_implausible_file[train]", files=("test_cli",),
    plant=every(source("cli/infer.py", "default=6, help=neighbours)", "default=6, help=argparse.SUPPRESS)"),
        source("cli/train.py", "help=\"Lightning's, for instance ddp\")", "help=argparse.SUPPRESS)"),
        source("cli/train.py", "type=file, nargs=\"+\", metavar", "type=file, nargs=\"+\", action=\"extend\", metavar"),
        source("atomic.py", "    handle = os.open(path, os.O_RDONLY)\n    try:\n        status",
            "    (path / \".held\").touch()\n    handle = os.open(path, os.O_RDONLY)\n    try:\n        status")))
twin("TWIN-FILES-OF-FEW-PROGRAMS", "neither CXI nor contract files are read, products are written, windows cut and then turned",
    "CLI-031:further_flags_of_a_conversion_act[window]", "CLI-059:a_file_of_each_program_is_the_same_scan[tike]",
    files=("test_cli_converted",),
    plant=every(source("cli/convert.py", "Layouts: contract (PtychoPINN), tike,", "Layouts: tike,"),
        source("cli/convert.py", "fold_slice, CXI / \"\n    \"NXcxi_ptycho, PtyLab", "fold_slice, \"\n    \"PtyLab"),
        source("cli/convert.py", "    say = Reporter(args.quiet)\n", f"{UNREAD}    say = Reporter(args.quiet)\n"),
        source("cli/export.py", "    say, orders = ", f"{UNREAD}    say, orders = "),
        source("cli/export.py", "{\"cxi\": write.cxi, ", "{"),
        source("cli/export.py", "help=\"cxi or product\"", "help=\"product\""),
        source("data/geometry.py", "    if flip and crop == size and index.max() == size:\n",
            "    if flip and crop == side and side % 2 == 0:\n        index[0] = centre - side // 2\n"
            "    if flip and crop == size and index.max() == size:\n")))
twin("TWIN-NO-ANSWERS", "nobody is asked to answer findings", "CLI-024:an_inference_by_flags_is_its_library_call",
    "CLI-029:flags_undo_what_was_done_to_a_file", files=("test_cli",),
    plant=source("cli/judging.py", 'metavar="NAME", help=again)', 'metavar="NAME", help=argparse.SUPPRESS)'))
twin("TWIN-A-RECIPE-POINTS-AT-A-PROBE", "a recipe names the file of a probe where it lies, and has no copy of it",
    "CLI-047:a_recipe_goes_with_its_probe", "CLI-047:a_recipe_makes_the_same_files", files=("test_cli_simulations",),
    plant=source("simulation/recipe.py", 'probe.append(f\'path = "{PROBE}"\')',
        'probe.append(f\'path = "{Path.cwd() / PROBE}"\')'))
