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
