"""Defects of conversions that cut, fill up and add up pixels, of what they refuse and doubt; of units; of moved recipes."""

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
UNSTATED = "CLI-065:a_corner_is_found_where_nobody_says_anything"
HOLE = "CLI-060:a_probe_is_made_of_a_pinhole"
NONE = "CLI-110:a_scan_that_is_none_is_refused"
DOUBT = "CLI-111:what_is_unlikely_is_said"
mutant("GUARD-CLI-065e", "frames that are not square are cut about their middle", f"{UNSTATED}[uneven]",
    plant=source("data/geometry.py", 'wanted.centre == "found" or (wanted.centre is None and shape[0] != shape[1])',
        'wanted.centre == "found"'))
mutant("GUARD-CLI-065f", "a mark is none in doubles", f"{UNSTATED}[corner]",
    plant=source("data/geometry_survey.py", "    if dtype.itemsize < 4:\n", "    if dtype.itemsize != 4:\n"))
mutant("GUARD-CLI-060c", "the diameter of a pinhole is taken for its radius", HOLE,
    plant=source("data/geometry_probe.py", "<= optics.aperture / 2).astype", "<= optics.aperture).astype"))
mutant("GUARD-CLI-060d", "a probe of optics has the light of one photon", HOLE,
    plant=source("data/geometry_probe.py", "(field * np.sqrt(photons / np.sum", "(field * np.sqrt(1.0 / np.sum"))
mutant("GUARD-CLI-057g", "of several positions of a frame the sum is taken",
    "CLI-057:a_file_of_another_program_is_read_by_what_it_states[table]",
    plant=source("data/geometry_positions.py", "np.bincount(inverse, positions[:, axis]) / times",
        "np.bincount(inverse, positions[:, axis])"))
mutant("GUARD-CLI-057h", "frames that count from 1 are each the next one", "CLI-057:frames_of_a_table_may_count_from_one",
    plant=source("data/geometry_positions.py", "            index = index - 1\n", "            pass\n"))
mutant("GUARD-CLI-077i", "a window that is mirrored and leaves the detector comes in at the other edge", f"{PLACES}[filled]",
    plant=source("data/geometry.py", "    if flip and crop == size and index.max() == size:\n", "    if flip:\n"))
mutant("GUARD-CLI-077j", "--pad fills up with what --crop left out", f"{PLACES}[filled]",
    plant=source("data/geometry.py", "(steps >= -(crop // 2)) & (steps < crop - crop // 2)", "steps < crop - crop // 2"))
mutant("GUARD-CLI-077k", "frames of more pixels than a piece are in no piece", f"{PLACES}[wide]",
    plant=source("data/geometry_survey.py", "step = max(1, AT_ONCE", "step = max(0, AT_ONCE"))
mutant("GUARD-CLI-110", "a position that is no number is found by an array of another shape", f"{NONE}[a-hole]",
    plant=source("data/geometry_positions.py", "bad = ~np.isfinite(chosen).all(axis=1)",
        "bad = ~np.isfinite(chosen).all(axis=0)"))
mutant("GUARD-CLI-110b", "the spread of a scan is that of x and y of a position", f"{NONE}[one-place]",
    plant=source("data/geometry_positions.py", "if len(pixels) > 1 and np.ptp(pixels, axis=0)",
        "if len(pixels) > 1 and np.ptp(pixels, axis=1)"))
mutant("GUARD-CLI-110c", "a position of a frame that is not there is left out", f"{NONE}[no-such-frame]",
    plant=source("data/geometry_positions.py", "elif index.min() < 0 or index.max() >= count:", "elif index.min() < 0:"))
mutant("GUARD-CLI-110d", "a file that came to nothing is closed after its stream, and says so", f"{NONE}[wider-than-the-field]",
    plant=source("data/geometry_write.py", "stack.enter_context(closing(_Growing(stream, (len(numbers), made.N, made.N))))",
        "_Growing(stream, (len(numbers), made.N, made.N))"))
mutant("GUARD-CLI-111", "every scan is narrow", f"{DOUBT}[narrow]",
    plant=source("data/geometry_positions.py", "len(pixels) > 1 and max(spread) < 1", "len(pixels) > 1 or max(spread) < 1"))
mutant("GUARD-CLI-111b", "counts are said to be saturated, whatever they are", f"{DOUBT}[full]",
    plant=source("data/geometry_record.py", 'if unit == "counts" and experiment.frames.dtype == np.uint16 and saturated:',
        'if unit == "counts":'))
mutant("GUARD-CLI-111c", "a beam beside the middle is passed over", f"{DOUBT}[aside]",
    plant=source("data/geometry.py", "    if away > FAR_OFF and not corner:\n", "    if False:\n"))
mutant("GUARD-CLI-031u", "a beam beyond as many columns as there are rows is refused",
    "CLI-031:further_flags_of_a_conversion_act[window]",
    plant=source("data/geometry.py", "0 <= column < shape[1]", "0 <= column < shape[0]"))
mutant("GUARD-CLI-077l", "positions in pixels are those of a probe, and of none there are none", f"{PLACES}[wide]",
    plant=source("data/geometry_positions.py", "    if probe is None and frame[0] != frame[1]:\n", "    if probe is None:\n"))
mutant("GUARD-CLI-060e", "a pitch without a distance is taken for all of the optics", HOLE,
    plant=source("data/experiment.py", "if self.wavelength is None or self.distance is None or self.detector_pixel is None:",
        "if self.wavelength is None or self.detector_pixel is None:"))
mutant("GUARD-CLI-110e", "bins that do not divide a window are looked at by nobody", f"{NONE}[no-divisor]",
    plant=source("data/geometry.py", "if wanted.bin < 1 or side % wanted.bin:", "if wanted.bin < 1:"))
mutant("GUARD-CLI-111d", "of two statements of an object pixel one is taken without a word", f"{DOUBT}[another-pixel]",
    plant=source("data/geometry_positions.py", "np.abs(optics / pixel - 1).max() > 0.01",
        "np.abs(optics / pixel - 1).max() > 10"))
mutant("GUARD-CLI-111e", "a side that no network takes is said of those that one takes", f"{DOUBT}[odd-side]",
    plant=source("data/geometry.py", "    if made.N in SIZES:\n", "    if made.N not in SIZES:\n"))
