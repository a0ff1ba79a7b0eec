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
mutant(
    "GUARD-CLIENT-029",
    "the model that the client saves states the scale that stands in the registry",
    "CLIENT-029:a_saved_model_states_its_training",
    plant=source(
        f"{NAMES}/model_manager.py",
        "base, latest.config, latest.intensity_scale)",
        "base, latest.config)",
    ),
)
mutant(
    "GUARD-CLIENT-029b",
    "the model that the client saves is described by the default settings of an optimiser",
    "CLIENT-029:a_saved_model_states_its_training",
    plant=source(
        f"{NAMES}/model_manager.py",
        "base, latest.config, latest.intensity_scale)",
        "base, __import__('dataclasses').replace(latest.config, batch_size=16, nphotons=1e9), latest.intensity_scale)",
    ),
)
mutant(
    "GUARD-CLIENT-030",
    "save_outputs keeps the two images under each other's names",
    "CLIENT-030:images_are_kept_as_they_were_given",
    plant=source(
        f"{NAMES}/workflows/components.py", '{"amplitude": amplitude, "phase": phase}', '{"amplitude": phase, "phase": amplitude}'
    ),
)
mutant(
    "GUARD-CLIENT-030b",
    "the table of losses begins with the second epoch",
    "CLIENT-030:losses_are_kept_as_they_were",
    plant=source(
        f"{NAMES}/workflows/components.py",
        "enumerate(zip(*curves.values(), strict=True), start=1)",
        "list(enumerate(zip(*curves.values(), strict=True), start=1))[1:]",
    ),
)
