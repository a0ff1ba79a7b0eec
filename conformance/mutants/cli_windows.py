"""Defects of conversions that cut, fill up and add up pixels; of names of units; of recipes that are moved."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.mutants import rows

PLACES = "CLI-077:positions_go_with_a_window"
MIDDLE = "CLI-077:the_middle_of_a_probe_is_kept"
OBJECT = "CLI-094:an_object_goes_with_its_positions"
SHARED = "CLI-047:every_scan_of_a_simulation_has_its_exposures"
SIDES = "CLI-028:an_object_has_the_side_that_was_asked_for"
NAMES = "CLI-078:a_unit_has_several_names"
MOVED = "CLI-047:a_recipe_goes_with_its_probe"
LEAST = ("        if self.wanted.threshold is not None:\n"
         "            block = np.where(block >= self.wanted.threshold, block, 0).astype(block.dtype)\n")  # fmt: skip
BINNED = "        block = self.cut.binned(block if self.cut.bin == 1 else block.astype(np.float64))\n"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-077", "positions in pixels stay as they were, whatever is cut", f"{PLACES}[cut]",
    plant=source("data/geometry_positions.py", "        pixels = positions * factor\n", "        pixels = positions * 1.0\n"))
mutant("GUARD-CLI-077b", "positions in pixels go with the binned pixels", f"{PLACES}[summed]",
    plant=source("data/geometry_positions.py", "factor = cut.side / base_sides", "factor = cut.N / base_sides"))
mutant("GUARD-CLI-077c", "positions in pixels are scaled the other way", f"{PLACES}[filled]",
    plant=source("data/geometry_positions.py", "factor = cut.side / base_sides(experiment, cut)",
        "factor = base_sides(experiment, cut) / cut.side"))
mutant("GUARD-CLI-077d", "the object pixel is that of the binned pixels", f"{PLACES}[metres]",
    plant=source("data/geometry_positions.py", "optics = experiment.optical_pixel((cut.side, cut.side))",
        "optics = experiment.optical_pixel((cut.N, cut.N))"))
mutant("GUARD-CLI-077e", "a threshold is one of the sums", f"{PLACES}[cut]",
    plant=every(source("data/geometry_record.py", LEAST, ""),
        source("data/geometry_record.py", BINNED.replace("block = ", "return "), BINNED + LEAST + "        return block\n")))
mutant("GUARD-CLI-077f", "negative pixels are counted in the last piece alone", f"{PLACES}[wide]",
    plant=source("data/geometry_survey.py", "            negative += (finite", "            negative = (finite"))
mutant("GUARD-CLI-077g", "--bin keeps the corner of the probe", MIDDLE,
    plant=source("data/geometry_probe.py", "    edge = (cut.side - cut.N) // 2\n", "    edge = 0\n"))
mutant("GUARD-CLI-077h", "--bin takes every second pixel of the probe", MIDDLE,
    plant=source("data/geometry_probe.py", "field[..., edge : edge + cut.N, edge : edge + cut.N]",
        "field[..., :: cut.bin, :: cut.bin]"))
mutant("GUARD-CLI-078", "micrometres with the Greek letter are no unit", NAMES,
    plant=source("data/units.py", '"\u03bcm": "um", ', ""))
mutant("GUARD-CLI-078b", "a micron is a millimetre", NAMES,
    plant=source("data/units.py", '"micron": "um"', '"micron": "mm"'))
mutant("GUARD-CLI-047m", "the path of a probe in a recipe begins where the command is called", MOVED,
    plant=source("simulation/recipe.py", "read_probe(recipe.parent / Path(name)", "read_probe(Path(name)"))
mutant("GUARD-CLI-094", "a conversion leaves the object of a file behind", OBJECT,
    plant=source("data/geometry_write.py", '        found["objectGuess"] = made.thing\n', "        pass\n"))
mutant("GUARD-CLI-094b", "a conversion moves positions away from the object that it keeps", OBJECT,
    plant=source("data/geometry_positions.py", "if wanted.keep_origin or experiment.object is not None:",
        "if wanted.keep_origin:"))
mutant("GUARD-CLI-094c", "an object is written beside positions of a window", "CLI-094:an_object_of_other_pixels_stays_behind",
    plant=source("data/geometry_record.py", "return None if item is None or not same or self.cut.bin > 1 else item.value",
        "return None if item is None else item.value"))
mutant("GUARD-CLI-094d", "the object's pixel stays as it was where the detector is transposed",
    "CLI-094:pixels_turn_with_their_detector",
    plant=source("data/geometry_positions.py", "        optics = optics[::-1]\n", "        pass\n"))
mutant("GUARD-CLI-094e", "what a contract file holds is rooted once more", "CLI-094:a_contract_file_is_converted[whole]",
    plant=source("data/geometry_record.py", "            block = np.square(block, dtype=np.float64)\n", "            pass\n"))
mutant("GUARD-CLI-047o", "several objects share the exposures that were asked for", SHARED,
    plant=source("simulation/experiment.py", "scan = scans.jittered_grid(experiment.patterns, whole, own[1])",
        "scan = scans.jittered_grid(experiment.patterns // (1 + len(experiment.others)), whole, own[1])"))
mutant("GUARD-CLI-047p", "a further object has as many exposures as the test", SHARED,
    plant=source("simulation/experiment.py", "scan = scans.jittered_grid(experiment.patterns, whole, own[1])",
        "scan = scans.jittered_grid(experiment.test_patterns, whole, own[1])"))
mutant("GUARD-CLI-028g", "a random field of an odd side is a pixel too small", SIDES,
    plant=source("simulation/objects.py", "half = -(-size // 2)", "half = size // 2"))
mutant("GUARD-CLI-028h", "lines are drawn on an even side", SIDES,
    plant=source("simulation/objects.py", "centre = blurred[size // 2 : size // 2 + size, size // 2 : size // 2 + size]",
        "centre = blurred[size // 2 :, size // 2 :][: size // 2 * 2, : size // 2 * 2]"))
