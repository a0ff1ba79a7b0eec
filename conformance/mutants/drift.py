"""Names that have drifted away from the client, planted into the packages that it would import."""

from __future__ import annotations

from conformance.defects.changes import removed, source
from conformance.defects.planting import Plant
from conformance.mutants import rows

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"
SETTINGS = f"{OTHER}/config_params.py"
FIRST, SECOND = "[ptycho]", "[ptycho_torch]"


def a_name_is_there_for_types_alone(plant: Plant) -> None:
    old = "from reference_impl.config.registry import cfg, defaults, get, params\n"
    guard = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from reference_impl.config.registry import cfg\n\n"
    plant.source(f"{NAMES}/params.py", old, guard + old.replace("cfg, ", ""))


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-DRIFT-001", "the probe's module is gone", f"DRIFT-001:the_modules_are_there{FIRST}",
    plant=removed(f"{NAMES}/probe.py"))
mutant("GUARD-DRIFT-001b", "the checkpoints' module is gone", f"DRIFT-001:the_modules_are_there{SECOND}",
    plant=removed(f"{OTHER}/lightning_utils.py"))
mutant("GUARD-DRIFT-002", "save_outputs has another name", f"DRIFT-002:the_names_of_the_modules_are_there{FIRST}",
    plant=source(f"{NAMES}/workflows/components.py", "def save_outputs(", "def write_outputs("))
mutant("GUARD-DRIFT-002b", "a name is imported for types alone", f"DRIFT-002:the_names_of_the_modules_are_there{FIRST}",
    plant=a_name_is_there_for_types_alone)
mutant("GUARD-DRIFT-002c", "find_best_checkpoint has another name", f"DRIFT-002:the_names_of_the_modules_are_there{SECOND}",
    plant=source(f"{OTHER}/lightning_utils.py", "def find_best_checkpoint(", "def best_checkpoint("))
mutant("GUARD-DRIFT-003", "the container's offsets have another name",
    f"DRIFT-003:objects_have_the_attributes_and_methods{FIRST}",
    plant=source(f"{NAMES}/loader.py", "    local_offsets: np.ndarray\n", "    relative_offsets: np.ndarray\n"))
mutant("GUARD-DRIFT-003b", "patterns in memory cannot be handed over",
    f"DRIFT-003:objects_have_the_attributes_and_methods{SECOND}",
    plant=source(f"{OTHER}/api/base_api.py", "def from_np(", "def from_arrays("))
mutant("GUARD-DRIFT-003c", "the model has no name for its loss", f"DRIFT-003:objects_have_the_attributes_and_methods{SECOND}",
    breaks="train: the loss is logged under the name that is missing",
    plant=source("training/module.py", "self.loss_name, self.val_loss_name =",
        "self.loss_name, self.validation_name ="))
mutant("GUARD-DRIFT-004", "load knows no create_split", f"DRIFT-004:functions_take_what_they_are_given{FIRST}",
    plant=source(f"{NAMES}/loader.py", "create_split: bool = False\n", "split: bool = False\n"))
mutant("GUARD-DRIFT-004b", "the trainer takes no orchestration", f"DRIFT-004:functions_take_what_they_are_given{SECOND}",
    plant=source(f"{OTHER}/api/base_api.py", 'self, orchestration: str = "lightning", experiment', "self, experiment"))
mutant("GUARD-DRIFT-004c", "results are written by name only", f"DRIFT-004:functions_take_what_they_are_given{FIRST}",
    plant=source(f"{NAMES}/workflows/components.py", "def save_outputs(amplitude: Any, ", "def save_outputs(*, amplitude: Any, "))
mutant("GUARD-DRIFT-005", "training needs a seed", f"DRIFT-005:functions_need_nothing_else{FIRST}",
    plant=source(f"{NAMES}/workflows/components.py", "config: Any, M: int = 20", "config: Any, seed: int, M: int = 20"))
mutant("GUARD-DRIFT-005b", "the engine needs a device", f"DRIFT-005:functions_need_nothing_else{SECOND}",
    plant=source(f"{OTHER}/api/base_api.py",
        "def __init__(self, config_manager: ConfigManager, ptycho_model: PtychoModel) -> None:",
        lambda old: old.replace(") ->", ", device: str) ->")))
mutant("GUARD-DRIFT-006", "the configuration does not know nll_weight", f"DRIFT-006:configurations_have_the_fields{FIRST}",
    breaks="train: the flat form asks for the field that is missing",
    plant=source("config/canonical.py", "    nll_weight: float = 1.0\n", "    likelihood_weight: float = 1.0\n"))
mutant("GUARD-DRIFT-006b", "the configuration does not know min_lr_ratio", f"DRIFT-006:configurations_have_the_fields{SECOND}",
    plant=source(SETTINGS, "    min_lr_ratio: float = 0.1\n", ""))
mutant("GUARD-DRIFT-007", "a count of filters is text", f"DRIFT-007:types_are_those_that_are_sent{FIRST}",
    plant=source("config/canonical.py", "    n_filters_scale: int | float = 2\n", '    n_filters_scale: str = "2"\n'))
mutant("GUARD-DRIFT-007b", "the loaders' format has another value", f"DRIFT-007:types_are_those_that_are_sent{SECOND}",
    plant=source(f"{OTHER}/api/base_api.py", '"lightning_only_module"', '"lightning_module"'))
mutant("GUARD-DRIFT-008", "a script trains with other photons than the client", f"DRIFT-008:defaults_agree{FIRST}",
    plant=source(f"{NAMES}/config/config.py", "nphotons: float = 1e6", "nphotons: float = 1e9"))
mutant("GUARD-DRIFT-008b", "a script trains on other patches than the client", f"DRIFT-008:defaults_agree{SECOND}",
    plant=source(SETTINGS, "    N: int = 128\n", "    N: int = 64\n"))
mutant("GUARD-DRIFT-009", "N cannot be set once the data are known", f"DRIFT-009:what_the_client_sets_can_be_set{FIRST}",
    plant=source(f"{NAMES}/config/config.py", "    __setattr__ = object.__setattr__\n", ""))
mutant("GUARD-DRIFT-009b", "the number of devices cannot be set", f"DRIFT-009:what_the_client_sets_can_be_set{SECOND}",
    plant=source(SETTINGS, "@dataclass\nclass TrainingConfig:", "@dataclass(frozen=True)\nclass TrainingConfig:"))
mutant("GUARD-DRIFT-010", "a loader without a purpose is not declared", f"DRIFT-010:none_is_declared_where_it_is_sent{FIRST}",
    plant=source(f"{NAMES}/loader.py", "which: str | None = None", 'which: str = "train"'))
mutant("GUARD-DRIFT-010b", "a probe mask may not be left out", f"DRIFT-010:none_is_declared_where_it_is_sent{SECOND}",
    plant=source(SETTINGS, "    phase_loss: str | None = None\n", '    phase_loss: str = "none"\n'))
