"""Defects of the client's doors: a setting that is lost between its objects and the registry, or in a checkpoint."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"

mutant = rows(__name__)
mutant(
    "GUARD-CLIENT-002c",
    "what the client denies leaves what another training said",
    "CLIENT-002:each_setting_of_the_client_is_in_the_registry",
    plant=source(
        f"{NAMES}/config/config.py",
        "    registry.update_legacy_dict(dictionary, flat)",
        "    before = dict(dictionary)\n    registry.update_legacy_dict(dictionary, flat)\n"
        "    dictionary.update({key: before[key] for key in before if dictionary[key] is False})",
    ),
)
mutant(
    "GUARD-CLIENT-022b",
    "a checkpoint forgets how fine-tuning was laid out",
    "CLIENT-022:a_checkpoint_gives_back_every_setting",
    plant=source(
        f"{OTHER}/api/base_api.py",
        'kept = read_checkpoint(path)["hyper_parameters"]',
        'kept = read_checkpoint(path)["hyper_parameters"]\n        kept["training_config"].pop("finetune_stage2_epochs", None)',
    ),
)
