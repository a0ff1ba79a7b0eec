"""Defects of maps by command: masks that no key knows, positions that are multiplied twice."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

MAPPED = "CLI-061:a_training_on_a_map_is_that_of_its_file"
OTHER_WORDS = "CLI-067:a_map_of_other_words_is_refused"
OTHER_MASK = "CLI-067:a_map_of_another_mask_is_refused"

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-067", "a map knows nothing of its mask", OTHER_MASK,
    plant=source("batch/mapping.py", '{"mask": None if good is None else', '{"mask": None if True else'))
mutant("GUARD-CLI-067b", "a map is asked for the form of its mask alone", OTHER_MASK,
    plant=source("batch/mapping.py", "hashlib.blake2b(good.tobytes(), digest_size=16).hexdigest()", "str(good.shape)"))
mutant("GUARD-CLI-061e", "positions of a map are multiplied in place, and twice where a file has no starts", f"{MAPPED}[train]",
    plant=source("data/on_disk.py", "setattr(record, name, getattr(record, name) * coord_scale)",
        "getattr(record, name).__imul__(coord_scale)"))
mutant("GUARD-CLI-061f", "--remake-map opens the map that lies there", f"{MAPPED}[train]",
    plant=source("cli/scans.py", "        args.remake_map,\n", "        False,\n"))
mutant("GUARD-CLI-067c", "a map knows nothing of the scale of its positions", f"{OTHER_WORDS}[position-scale]",
    plant=source("batch/mapping.py", "settings = {field.name: getattr(self, field.name) for field in fields(self)}",
        'settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "coord_scale"}'))
mutant("GUARD-CLI-067d", "a map knows nothing of what its files hold", f"{OTHER_WORDS}[measurement]",
    plant=source("batch/mapping.py", "settings = {field.name: getattr(self, field.name) for field in fields(self)}",
        'settings = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "measurement"}'))
