"""Defects of further flags of a conversion, and of what it is to leave alone."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

ACT = "CLI-031:further_flags_of_a_conversion_act"
CORNER = "CLI-065:a_corner_is_found_where_nobody_says_anything"
BEAM = "CLI-065:a_beam_is_found_where_nobody_says_where_it_is"
LIGHT = "CLI-066:a_probe_goes_with_its_detector"
HELD = "CLI-031:what_is_held_out_is_in_one_file_alone"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-031", "--held-out: what is held out is trained on, too", HELD,
    plant=source("cli/convert.py", '(("train", ~chosen), ("test", chosen))',
        '(("train", np.ones(count, bool)), ("test", chosen))'))
mutant("GUARD-CLI-031b", "--bin takes the mean of pixels", f"{ACT}[window]",
    plant=source("data/geometry.py", "self.bin, self.N, self.bin).sum(axis=(-3, -1))",
        "self.bin, self.N, self.bin).mean(axis=(-3, -1))"))
mutant("GUARD-CLI-031c", "frames of a folder come in the order of their names, 10 before 2", f"{ACT}[raster]",
    plant=source("formats/images.py", "int(part) if part.isdigit() else part for part in re.split", "part for part in re.split"))
mutant("GUARD-CLI-031d", "--drop-surplus drops the first positions", f"{ACT}[names]",
    plant=source("data/geometry_positions.py", "    chosen = positions[frames]\n",
        "    chosen = positions[frames + max(0, len(positions) - count)]\n"))
mutant("GUARD-CLI-031e", "the mask is not turned with its frames", f"{ACT}[names]",
    plant=source("data/geometry_record.py", "(~cut.cut(good, fill=False))",
        "(~replace(cut, transpose=False).cut(good, fill=False))"))
mutant("GUARD-CLI-031f", "what was filled up counts as measured", f"{ACT}[raster]",
    plant=source("data/geometry_record.py", "cut.cut(good, fill=False)", "cut.cut(good, fill=True)"))
mutant("GUARD-CLI-031g", "--step is taken for x,y", f"{ACT}[raster]",
    plant=source("formats/positions.py", "        y, x, unit = self.wishes.step\n", "        x, y, unit = self.wishes.step\n"))
mutant("GUARD-CLI-031h", "a binned pixel is good where a part of it is", f"{ACT}[window]",
    plant=source("data/geometry_record.py", ".astype(np.int64)) == 0", ".astype(np.int64)) < cut.bin**2"))
mutant("GUARD-CLI-032", "a file is converted onto itself", "CLI-032:a_file_is_not_converted_onto_itself",
    plant=source("cli/convert.py", "    for path in found.values():\n        refuse_same_file(",
        "    for path in ():\n        refuse_same_file("))
mutant("GUARD-CLI-032b", "--dry-run writes", "CLI-032:a_rehearsal_writes_nothing",
    plant=source("cli/convert.py", "    if args.dry_run:\n", "    if False:\n"))
mutant("GUARD-CLI-031i", "--drop-surplus drops the first frames", f"{ACT}[window]",
    plant=source("data/geometry_positions.py", "            frames = frames[frames < len(positions)]\n        elif",
        "            frames = frames[frames >= count - len(positions)]\n"
        "            return frames, positions[frames - count + len(positions)]\n        elif"))
mutant("GUARD-CLI-031j", "a conversion prints its table past --quiet", "CLI-031:a_quiet_conversion_says_nothing",
    plant=source("cli/convert.py", "    say = Reporter(args.quiet)\n", "    say = Reporter(False)\n"))
mutant("GUARD-CLI-065", "the beam's centroid is counted from its box", BEAM,
    plant=source("data/geometry_survey.py", "moved = low + np.array(", "moved = np.array("))
mutant("GUARD-CLI-065b", "what a detector of 32 bits writes where it has no count is a count", BEAM,
    plant=source("data/geometry_survey.py", "else float(2**32 - 1)", "else float(2**33)"))
mutant("GUARD-CLI-065c", "a beam beside a far edge is no beam about the corner", BEAM,
    plant=source("data/geometry.py", "np.minimum(place, sides - place) / sides", "place / sides"))
mutant("GUARD-CLI-065d", "photons say where the zero frequency is where a centre is asked for alone", CORNER,
    plant=source("data/geometry.py", 'bool((strength >= CONCENTRATION).all()) and wanted.centre in (None, "middle", "found")',
        'bool((strength >= CONCENTRATION).all()) and wanted.centre in ("middle", "found")'))
mutant("GUARD-CLI-066", "a conversion keeps the first mode of a probe", f"{LIGHT}[cut]",
    plant=source("data/geometry_probe.py", "return (field[0] if len(field) == 1 else field)", "return field[0]"))
mutant("GUARD-CLI-066b", "a probe is cut out of its middle", f"{LIGHT}[cut]",
    plant=source("data/geometry_probe.py",
        "    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes=axes), norm=\"ortho\"), axes=axes)\n",
        "    if side < probe.shape[-1]:\n        low = (probe.shape[-1] - side) // 2\n"
        "        return probe[..., low : low + side, low : low + side]\n"
        "    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes=axes), norm=\"ortho\"), axes=axes)\n"))
mutant("GUARD-CLI-066c", "a far field is filled up at one side alone", f"{LIGHT}[filled-up]",
    plant=source("data/geometry_probe.py", "widths[axis] = (side // 2 - size // 2, side - size - (side // 2 - size // 2))",
        "widths[axis] = (0, side - size)"))
OPTICS = "CLI-060:a_probe_is_made_of_optics"
mutant("GUARD-CLI-060", "--defocus loses its sign", OPTICS,
    plant=source("cli/convert_flags.py", 'return (-1.0 if (text or "").strip().startswith("-") else 1.0) * number',
        "return number"))
mutant("GUARD-CLI-060b", "--stop is taken for a radius", OPTICS,
    plant=source("data/geometry_probe.py", "in (optics.aperture, optics.stop))", "in (optics.aperture, 2 * optics.stop))"))
mutant("GUARD-CLI-057f", "a table whose columns have two units is read in one of them",
    "CLI-057:a_file_of_another_program_is_read_by_what_it_states[table]",
    plant=source("formats/text.py", "* [1.0, scale]", "* [1.0, 1.0]"))
mutant("GUARD-CLI-027e", "frames of an NPY in Fortran's order are read in C's", "CLI-027:a_conversion_does_what_its_flags_say",
    plant=source("formats/images.py", 'reshape(self.shape, order="F")', "reshape(self.shape)"))
mutant("GUARD-CLI-071", "a window may leave the detector at its far edge",
    "CLI-071:a_window_that_leaves_the_detector_is_refused",
    plant=source("data/geometry.py", "if place - crop // 2 < 0 or place + crop - crop // 2 > size:", "if place - crop // 2 < 0:"))
CXI, CXI_MASK = "CLI-062:an_experiment_is_exported_as_cxi", "CLI-062:an_exported_mask_is_that_of_its_frames"
mutant("GUARD-CLI-062", "export: translations along x are in pixels of the other axis", f"{CXI}[positions]",
    plant=source("formats/write.py", "made.positions[:, ::-1] * optics.pixel[::-1]", "made.positions[:, ::-1] * optics.pixel"))
mutant("GUARD-CLI-062b", "export: the pixel of the detector is square", f"{CXI}[width]",
    plant=source("formats/write.py", '"x_pixel_size", optics.pitch[1], "m"', '"x_pixel_size", optics.pitch[0], "m"'))
mutant("GUARD-CLI-062c", "export: the mask says which pixels are good", CXI_MASK,
    plant=source("formats/write.py", "np.where(made.mask, 0, BAD)", "np.where(made.mask, BAD, 0)"))
mutant("GUARD-CLI-062d", "export knows no geometry of convert", f"{CXI}[counts]", f"{CXI}[positions]",
    plant=source("cli/export.py", "made = plan(experiment, orders.geometry)",
        "made = plan(experiment, __import__('reference_impl.data.geometry', fromlist=['x']).Geometry())"))
TEACHES = "CLI-063:what_is_held_out_teaches_a_probe_nothing"
mutant("GUARD-CLI-063", "the probe is refined by the exposures that are held out, too", TEACHES,
    plant=source("cli/convert.py", "list(parts.values())[1 if orders.held_out else 0]", "list(parts.values())[0]"))
mutant("GUARD-CLI-063b", "--refine-probe has no effect", TEACHES,
    plant=source("cli/convert.py", "    if not orders.sweeps:\n", "    if True:\n"))
mutant("GUARD-CLI-031k", "of a file of several frames in a folder the first is read", f"{ACT}[raster]",
    plant=source("formats/images.py", 'Stack(array, ["y", "x"] if len(array.shape) == 2 else ["m", "y", "x"], str(file))',
        'Stack(array if len(array.shape) == 2 else np.asarray(array[0]), ["y", "x"], str(file))'))
ALIKE = "CLI-073:an_export_is_a_conversion_for_others"
mutant("GUARD-CLI-073", "export makes its probe of the patterns whatever optics it is told", f"{ALIKE}[window]",
    plant=source("cli/export.py", "made = plan(experiment, orders.geometry)",
        "orders = __import__('dataclasses').replace(orders, optics=None); made = plan(experiment, orders.geometry)"))
mutant("GUARD-CLI-073b", "export does not refine its probe", f"{ALIKE}[beside]",
    plant=source("cli/export.py", "made = plan(experiment, orders.geometry)",
        "orders = __import__('dataclasses').replace(orders, sweeps=0); made = plan(experiment, orders.geometry)"))
mutant("GUARD-CLI-073c", "export: of patterns in amplitudes the amplitudes are written", f"{ALIKE}[names]",
    plant=source("formats/write.py", "        data[start : start + len(block)] = block\n",
        "        data[start : start + len(block)] = block if made.experiment.patterns.unit == 'counts' else np.sqrt(block)\n"))
mutant("GUARD-CLI-074", "what belongs to patterns is found by its name alone", "CLI-074:what_a_file_lacks_stands_in_another_one",
    plant=source("formats/read.py", 'others = [self._open(place(text, "parameters")[0]) for text in wishes.parameters]',
        "others = []"))
GOOD = "CLI-080:a_probe_is_refined_by_good_pixels"
mutant("GUARD-CLI-080", "pixels that nobody measured teach a probe that they are dark", GOOD,
    plant=source("cli/convert.py", "mask = None if made.mask.all() else made.mask", "mask = None"))
mutant("GUARD-CLI-080b", "a refinement learns from the pixels that are masked", GOOD,
    plant=source("cli/probe_refinement.py", "np.where(good, pattern, modulus)", "np.where(good, modulus, pattern)"))
mutant("GUARD-CLI-031n", "--drop counts the frames that --drop-dark and --drop-saturated leave", f"{ACT}[raster]",
    plant=source("data/geometry_positions.py", "    return np.flatnonzero(kept)\n",
        "    kept[list(wanted.drop)] = True\n    return np.delete(np.flatnonzero(kept), list(wanted.drop))\n"))
mutant("GUARD-CLI-031r", "a folder of images with brackets in its name is taken for a pattern", f"{ACT}[raster]",
    plant=source("formats/images.py", "for path in folder.iterdir()",
        "for path in map(Path, __import__('glob').glob(f'{folder}/*'))"))
mutant("GUARD-CLI-031s", "--threshold of amplitudes is beside their squares", f"{ACT}[names]",
    plant=source("data/geometry_record.py", "np.where(block >= self.wanted.threshold, block, 0)",
        "np.where((np.square(block) if amplitudes else block) >= self.wanted.threshold, block, 0)"))
mutant("GUARD-CLI-032c", "a rehearsal makes the folder that it would write to", "CLI-032:a_rehearsal_writes_nothing",
    plant=source("cli/convert.py", "    if args.dry_run:\n", lambda one: f"    require_writable(folder)\n{one}"))
mutant("GUARD-CLI-073d", "sums of pixels wrap round in the type of the detector",
    "CLI-073:an_export_is_a_conversion_for_others[window]",
    plant=source("formats/write.py", ' and made.cut.bin == 1 and kept.kind in "iuf"', ' and kept.kind in "iuf"'))
