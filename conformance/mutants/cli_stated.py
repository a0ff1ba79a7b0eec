"""Defects of what a file of another program states."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

READ = "CLI-057:a_file_of_another_program_is_read_by_what_it_states"
EXPORTED = "CLI-057:an_experiment_is_exported_as_a_product"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-057", "a layout's unit goes before the file's own", f"{READ}[cxi]",
    plant=source("formats/positions.py", "        unit, notes = known or default,", "        unit, notes = default or known,"))
mutant("GUARD-CLI-057b", "columns of a table are taken in their order, x first", f"{READ}[table]",
    plant=source("formats/text.py", "            (x, other), (y, unit) = named[\"x\"], named[\"y\"]\n",
        "            (x, other), (y, unit) = sorted(named.values())\n"))
mutant("GUARD-CLI-057c", "lines of a table are taken for the frames in their order", f"{READ}[table]",
    plant=source("formats/positions.py", "            if index is not None:\n", "            if False:\n"))
mutant("GUARD-CLI-057i", "units that a program in C wrote are not read", f"{READ}[cxi]",
    plant=source("formats/hdf5.py", "isinstance(value, bytes | str)", "isinstance(value, str)"))
mutant("GUARD-CLI-057d", "an exported object lies about the other axis's middle", EXPORTED,
    plant=source("formats/write.py", "zip(thing.shape[::-1], (width, height), strict=True)",
        "zip(thing.shape, (width, height), strict=True)"))
mutant("GUARD-CLI-057e", "a pixel is as high as wide", f"{READ}[cxi]", EXPORTED,
    plant=source("data/geometry_positions.py", '    pixel = np.array([float(f"{value:.12g}") for value in pixel])\n',
        '    pixel = np.array([float(f"{pixel[1]:.12g}")] * 2)\n'))
