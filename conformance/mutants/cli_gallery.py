"""Defects of the readers of other programs' files."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

SAME = "CLI-059:a_file_of_each_program_is_the_same_scan"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-059", "a mask for each frame: good is what is good in any", f"{SAME}[cxi]",
    plant=source("formats/values.py", "usable.all(axis=0)", "usable.any(axis=0)"))
mutant("GUARD-CLI-059b", "a link in a file of a subfolder is looked up beside the first file", f"{SAME}[cxi]",
    plant=source("formats/hdf5.py", "path = (Path(file.filename).parent / target)", "path = (self._room / target)"))
mutant("GUARD-CLI-059c", "translations along the detector's axes keep the sample's sign", f"{SAME}[cxi]",
    plant=source("formats/positions.py", "along = -(value[:, ::-1] @ flat.T)", "along = value[:, ::-1] @ flat.T"))
mutant("GUARD-CLI-059d", "fields that a program left empty are taken for arrays", f"{SAME}[contract]",
    plant=source("formats/npz.py", "return self._archive.present(name)", "return name in self._archive.keys"))
mutant("GUARD-CLI-059e", "the indexes of a product's positions are ignored", f"{SAME}[product]",
    plant=source("formats/read.py", '=self._index("positions") or place_of.index,', "=place_of.index,"))
mutant("GUARD-CLI-059f", "archives of a packer that tried harder are refused", f"{SAME}[contract]",
    plant=source("stored/zips.py", "KNOWN_FLAGS = DESCRIBED | UTF8 | 0x6  #", "KNOWN_FLAGS = DESCRIBED | UTF8  #"))
mutant("GUARD-CLI-059g", "complex numbers of MATLAB lose their second part", f"{SAME}[fold_slice]",
    plant=source("formats/hdf5.py", 'return array["real"] + 1j * array["imag"]', 'return array["real"] + 0j'))
mutant("GUARD-CLI-059h", "chunks come in the order of their names, 10 before 2", f"{SAME}[ptypy]",
    plant=source("formats/values.py", "for other in sorted(found, key=numbers_first)", "for other in sorted(found)"))
mutant("GUARD-CLI-059i", "variations of a probe are taken for modes that add up", f"{SAME}[product]",
    plant=source("formats/values.py", "        value = value[:1]\n    value = value.reshape", "    value = value.reshape"))
mutant("GUARD-CLI-059j", "bad pixels of another program are taken for the good ones", f"{SAME}[training]",
    plant=source("formats/read.py", '("mask", "bad")), "zero", None', '("mask", "bad")), "nonzero", None'))
mutant("GUARD-CLI-059k", "arrays of MATLAB 5 have their rows and columns exchanged", f"{SAME}[matlab]",
    plant=source("formats/values.py", '("y x m", "y x sy sx")', '("x y m", "y x sy sx")'))
mutant("GUARD-CLI-059l", "a link without a root is followed from the root", f"{SAME}[cxi]",
    plant=source("formats/hdf5.py", 'elif link.path.startswith("/"):', "else:"))
