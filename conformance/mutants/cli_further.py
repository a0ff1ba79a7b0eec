"""Defects of flags beyond those of CLI-001 and CLI-006: each is parsed and dropped."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

INFERRED = "CLI-024:an_inference_by_flags_is_its_library_call"
PLACES = "CLI-030:an_inference_tells_where_it_lies"
TRAINED = "CLI-025:every_further_flag_reaches_the_training"
UNDONE = "CLI-029:flags_undo_what_was_done_to_a_file"
ORDER = "CLI-029:another_order_of_steps_gives_another_object"
CONVERTED = "CLI-027:a_conversion_does_what_its_flags_say"
SIMULATED = "CLI-028:a_simulation_makes_what_it_was_told"
SEED = "CLI-028:a_simulation_repeats_itself_by_its_seed"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-024", "--flip-y has no effect", INFERRED,
    plant=source("cli/infer.py", "flip_y=args.flip_y", "flip_y=False"))
mutant("GUARD-CLI-024b", "--stitch-crop-size has no effect", INFERRED,
    plant=source("cli/infer.py", "        M=args.stitch_crop_size,\n", "        M=20,\n"))
mutant("GUARD-CLI-024c", "infer draws its groups with a seed of its own", INFERRED,
    plant=source("cli/infer.py", '"subsample_seed": args.seed', '"subsample_seed": 42'))
mutant("GUARD-CLI-024d", "--position-scale has no effect", INFERRED, UNDONE,
    plant=source("cli/judging.py", '"coord_scale": args.position_scale}', '"coord_scale": 1.0}'))
mutant("GUARD-CLI-024e", "--plain has no effect", INFERRED,
    plant=source("cli/results.py", "if not args.plain and found.overlap.phases_are_free:", "if True:"))
mutant("GUARD-CLI-030", "infer tells the corner of its canvas as [y, x]", f"{PLACES}[origin]",
    plant=source("cli/pictures.py", '"origin": np.array(origin_of(results))', '"origin": np.array(origin_of(results))[::-1]'))
mutant("GUARD-CLI-030b", "infer tells the patches' places before they were flipped", f"{PLACES}[offsets]",
    plant=source("cli/pictures.py", '"offsets": results["global_offsets"].reshape(-1, 2)',
        '"offsets": np.abs(results["global_offsets"].reshape(-1, 2))'))
mutant("GUARD-CLI-025", "--neighbor-count has no effect", TRAINED,
    plant=source("cli/train.py", '        "neighbor_count": args.neighbor_count,\n', ""))
mutant("GUARD-CLI-025b", "--seed has no effect", TRAINED,
    plant=source("cli/train.py", '        "subsample_seed": args.seed,\n', ""))
mutant("GUARD-CLI-025c", "--lr-min-ratio has no effect", TRAINED,
    plant=source("cli/train.py", '("intensity_scale_trainable", "lr_warmup_epochs", "lr_min_ratio")',
        '("intensity_scale_trainable", "lr_warmup_epochs")'))
mutant("GUARD-CLI-025d", "--probe-mask has no effect", TRAINED,
    plant=source("cli/train.py", 'same = ("amp_activation", "probe_big", "probe_mask", "probe_scale",',
        'same = ("amp_activation", "probe_big", "probe_scale",'))
mutant("GUARD-CLI-025e", "--gradient-clip-val has no effect", TRAINED,
    plant=source("cli/train.py", "    args.accumulate_grad_batches = None\n",
        "    args.accumulate_grad_batches = args.gradient_clip_val = None\n"))
mutant("GUARD-CLI-029", "--mask has no effect", UNDONE, INFERRED,
    plant=source("cli/judging.py", '"mask": args.mask, "coord_scale"', '"mask": None, "coord_scale"'))
mutant("GUARD-CLI-029b", "--measurement has no effect", UNDONE, INFERRED,
    plant=source("cli/judging.py", '{"measurement": args.measurement,', '{"measurement": "amplitude",'))
mutant("GUARD-CLI-029c", "reconstruct has a seed of its own", f"{ORDER}[seed]",
    plant=source("cli/reconstruct.py", "        seed=args.seed,\n", "        seed=42,\n"))
mutant("GUARD-CLI-029d", "reconstruct --batch has no effect", f"{ORDER}[batch]",
    plant=source("cli/reconstruct.py", "batch=args.batch or 0", "batch=0"))
mutant("GUARD-CLI-027", "patterns are turned about their corner", CONVERTED,
    plant=source("data/geometry.py", "flip, corner) for a, flip in zip(order, flips, strict=True)]",
        "False, corner) for a, flip in zip(order, flips, strict=True)]\n"
        "    axes = [axis[::-1].copy() if flip else axis for axis, flip in zip(axes, flips, strict=True)]"))
mutant("GUARD-CLI-027b", "positions are flipped before they are swapped", CONVERTED,
    plant=source("data/geometry_positions.py", "    pixels = pixels[:, ::-1] if wanted.swap_xy else pixels\n",
        "    pixels = pixels[:, ::-1] * np.array([-1.0, -1.0]) if wanted.swap_xy else pixels\n"))
mutant("GUARD-CLI-027c", "--threshold has no effect", CONVERTED,
    plant=source("data/geometry_record.py", "        if self.wanted.threshold is not None:\n            block =",
        "        if False:\n            block ="))
mutant("GUARD-CLI-027d", "--swap-xy has no effect", CONVERTED,
    plant=source("data/geometry_positions.py", "pixels[:, ::-1] if wanted.swap_xy else pixels", "pixels"))
mutant("GUARD-CLI-028", "the dose is that of the whole scan", f"{SIMULATED}[train]", f"{SIMULATED}[test]",
    plant=source("simulation/exposures.py", "gain = photons / unit.sum(axis=(-2, -1)).mean()", "gain = photons / unit.sum()"))
mutant("GUARD-CLI-028b", "every simulation is another one", SEED,
    plant=source("cli/simulate.py", "        **{name: getattr(args, name) for name in same},\n",
        '        **{name: getattr(args, name) for name in same} | {"seed": __import__("os").getpid()},\n'))
mutant("GUARD-CLI-028c", "every simulation is the same one", SEED,
    plant=source("cli/simulate.py", "        **{name: getattr(args, name) for name in same},\n",
        '        **{name: getattr(args, name) for name in same} | {"seed": 3},\n'))
mutant("GUARD-CLI-024h", "infer: --accept has no effect", INFERRED,
    plant=source("cli/infer.py", "    report = judged(args, record, say, args.stitch_crop_size)\n",
        "    args.accept = None\n    report = judged(args, record, say, args.stitch_crop_size)\n"))
mutant("GUARD-CLI-029e", "reconstruct: --accept has no effect", UNDONE,
    plant=source("cli/reconstruct.py", "    report = about_probe(report_of(args, record), args)\n",
        "    args.accept = None\n    report = about_probe(report_of(args, record), args)\n"))
mutant("GUARD-CLI-029f", "reconstruct tells its origin in whole pixels", UNDONE,
    plant=source("cli/solution.py", '"origin": found.frame.origin,', '"origin": np.rint(found.frame.origin),'))
