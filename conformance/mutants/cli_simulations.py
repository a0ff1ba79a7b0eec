"""Defects of `simulate`: scans that are not independent, files that are not true, recipes that leave something out."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

TRUTH = "CLI-047:patterns_of_a_simulation_are_those_of_its_truth"
COUNTED = "CLI-047:a_simulation_states_the_photons_that_were_counted"
ALIKE = "CLI-047:no_two_scans_of_a_simulation_are_alike"
AGAIN = "CLI-047:a_recipe_makes_the_same_files"
OWN = "CLI-047:a_simulation_takes_a_probe_of_ones_own"
ACTS = "CLI-047:every_real_number_of_a_recipe_acts"
EXPERIMENT, EXPOSURES = "simulation/experiment.py", "simulation/exposures.py"

BARE = "CLI-072:a_recipe_leaves_out_what_flags_leave_out"
SIDE = "CLI-072:an_object_has_the_side_that_help_says"
mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-047", "the test scan is of the object that is trained on", f"{ALIKE}[object]",
    plant=source(EXPERIMENT, "make_object(experiment, streams[1]), make_object(experiment, streams[2])",
        "[make_object(experiment, streams[1])] * 2"))
mutant("GUARD-CLI-047b", "further objects are all the same one", f"{ALIKE}[object]", f"{ALIKE}[positions]",
    plant=source(EXPERIMENT, "[experiment.seed, 5, number, part]", "[experiment.seed, 5, part]"))
mutant("GUARD-CLI-047c", "metadata state the photons that were asked for", f"{COUNTED}[train_1]", f"{COUNTED}[test]",
    plant=source(EXPOSURES, "metadata(float(counts.sum(axis=(-2, -1)).mean()), N", "metadata(float(photons), N"))
mutant("GUARD-CLI-047d", "a recipe leaves the beam stop out", AGAIN,
    plant=source("simulation/recipe.py", """, f"beam_stop = {found['beam_stop']!r}"),""", "),"))
mutant("GUARD-CLI-047e", "the modes of a file are not those behind its patterns", f"{TRUTH}[train_1]", f"{TRUTH}[test]",
    plant=source(EXPOSURES, '        "probeGuess": probe,', '        "probeGuess": probe[::-1],'))
mutant("GUARD-CLI-047f", "positions of a file are whole pixels", f"{TRUTH}[train_2]", f"{TRUTH}[test]",
    plant=source(EXPOSURES, '        "xcoords": x,', '        "xcoords": np.rint(x),'))
mutant("GUARD-CLI-047g", "a probe from a file is turned", OWN,
    plant=source("simulation/recipe.py", "ascontiguousarray(found, np.complex64)", "ascontiguousarray(found.T, np.complex64)"))
mutant("GUARD-CLI-047h", "the stop of a zone plate is always the usual one", ACTS,
    plant=source(EXPERIMENT, "zone_plate(N, optic.aperture, optic.stop,", "zone_plate(N, optic.aperture, Optic.stop,"))
mutant("GUARD-CLI-047i", "the photons of a recipe are the usual ones", ACTS,
    plant=source("simulation/recipe.py", "{name: table[name] for name in KEYS[\"\"] if name in table}",
        "{name: table[name] for name in KEYS[\"\"] if name in table and name != 'photons'}"))
mutant("GUARD-CLI-072", "objects are as large as those of the usual patterns, however small the patterns are", SIDE,
    plant=source("cli/simulate.py", "size=5 * args.N if args.size is None", "size=usual.size if args.size is None"))
mutant("GUARD-CLI-072b", "a recipe without a size makes smaller objects than flags without one", BARE,
    plant=source("simulation/recipe.py", "5 * N if isinstance(N, int) else N", "4 * N if isinstance(N, int) else N"))
mutant("GUARD-CLI-072c", "flags without photons have others than a recipe without them", BARE,
    plant=source("cli/simulate.py", "default=usual.photons", "default=1e6"))
WIDE, NONE = "CLI-075:a_pupil_is_as_wide_as_was_asked_for", "CLI-075:what_has_no_pupil_is_not_asked_for_one"
mutant("GUARD-CLI-075", "--aperture is not handed on", f"{WIDE}[zernike]",
    plant=source("cli/simulate.py", "optic=Optic(aperture=args.aperture)", "optic=Optic()"))
mutant("GUARD-CLI-075b", "a zone plate has its aperture for a radius", f"{WIDE}[zone_plate]",
    plant=source("simulation/pupils.py", "    edge = aperture / 2  # cycles a pixel\n",
        "    aperture = min(1.0, 2 * aperture)\n    edge = aperture / 2\n"))
mutant("GUARD-CLI-075c", "a flag of a pupil beside a probe of a file has no effect", NONE,
    plant=source("cli/simulate.py", '    recipe.refuse_without_effect(kind, {"aperture"} & set(args.typed), None, "{}")\n', ""))
mutant("GUARD-CLI-047l", "--mode-powers is for probes of the simulation's own", "CLI-047:a_probe_of_ones_own_has_modes_too",
    plant=source("cli/simulate.py", "powers=tuple(args.mode_powers or usual.powers)",
        "powers=tuple(args.mode_powers or usual.powers) if args.probe_file is None else usual.powers"))
