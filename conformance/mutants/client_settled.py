"""A defect of settings that a checkpoint has and a reconstruction forgets."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLIENT-022f", "a reconstruction forgets how much of a patch was to be placed",
    "CLIENT-022:a_reconstruction_is_by_the_settings_of_its_checkpoint",
    plant=source("drop_in/path/ptycho_torch/api/base_api.py",
        "        return cls(**{name: getattr(ptycho_model, name) for name in settings.KINDS})",
        "        kept = {name: getattr(ptycho_model, name) for name in settings.KINDS}\n"
        '        return cls(**kept | {"inference_config": InferenceConfig()})'))
