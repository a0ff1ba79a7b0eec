"""Defects of dependencies: what is declared, and what happens where a library cannot be found.

Most of them happen while modules are imported: they are planted into the source that fresh interpreters read.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from conformance.defects.changes import method, shape, source
from conformance.defects.planting import Plant
from conformance.mutants import rows
from reference_impl.training.checkpoints import AtomicCheckpointIO

BROKEN = "POLICY-002:importing_beside_a_broken_torch_is_a_runtime_error"
TO_BE_FOUND = (
    "        import importlib.util\n\n        if not importlib.util.find_spec('torch'):\n            raise ImportError('torch')\n"
)
HEAD = "Metadata-Version: 2.1\nName: ptycho-conformance\nVersion: 0.1.0\n"


@shape
def _declare(plant: Plant, *requirements: str) -> None:
    """Installed metadata of the reference's distribution, found before any other."""
    plant.copies.append(folder := tempfile.TemporaryDirectory())
    metadata = Path(folder.name, "ptycho_conformance-0.1.0.dist-info", "METADATA")
    metadata.parent.mkdir()
    lines = [HEAD, *(f"Requires-Dist: {requirement}\n" for requirement in requirements)]
    metadata.write_text("".join(lines), encoding="utf-8")
    sys.path.insert(0, folder.name)


def a_guarded_import_sets_a_flag(plant: Plant) -> None:
    head = "from __future__ import annotations\n"
    guard = "\ntry:\n    import torch\nexcept ImportError:\n    torch = None\n"
    plant.source("data/checks.py", head, head + guard)


def a_network_is_built_at_import(plant: Plant) -> None:
    module = "from reference_impl.training.overrides import settle  # noqa: E402\n"
    network = "from reference_impl.model import create_network\n"
    built = "from reference_impl.config import ModelConfig\nNETWORK = create_network(ModelConfig(gridsize=2))\n"
    plant.source("dispatch/workflow.py", module, module + network + built)


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-POLICY-001", "an installation brings any torch, or none", "POLICY-001:torch_is_declared_with_a_lower_bound",
    plant=_declare("numpy>=2.0", "torch", "lightning>=2.4"))
mutant("GUARD-POLICY-006", "an installation brings no Lightning", "POLICY-006:lightning_is_declared",
    plant=_declare("numpy>=2.0", "torch>=2.10"))
mutant("GUARD-POLICY-002", "without torch users read ModuleNotFoundError and not what to install",
    "POLICY-002:importing_without_torch_is_a_runtime_error_that_helps",
    plant=source("policy.py", "except ImportError as error:", "except MemoryError as error:"))
mutant("GUARD-POLICY-002b", "without torch nobody can find out why it could not be imported",
    "POLICY-002:importing_without_torch_is_a_runtime_error_that_helps",
    plant=source("policy.py", ") from error", ") from None"))
mutant("GUARD-POLICY-002c", "beside a broken torch users read ImportError", BROKEN,
    plant=source("policy.py", "except ImportError as error:", "except ModuleNotFoundError as error:"))
mutant("GUARD-POLICY-002d", "it is asked whether torch can be found, not whether it can be imported", BROKEN,
    plant=source("policy.py", "        import torch  # noqa: F401\n", TO_BE_FOUND))
mutant("GUARD-POLICY-003", "without torch the selector does not say which backend was chosen",
    "POLICY-003:choosing_the_torch_backend_without_its_stack_is_refused",
    plant=source("dispatch/selector.py", "except (ImportError, RuntimeError) as error:", "except ImportError as error:"))
mutant("DEF-180", "a module works without torch, and answers something else",
    "POLICY-005:no_module_survives_the_absence_of_a_torch_it_asked_for", plant=a_guarded_import_sets_a_flag)
mutant("DEF-181", "the backend cannot be imported without MLflow", "POLICY-007:mlflow_is_not_needed_to_import_the_backend",
    breaks="make: MLflow is not there, and the package asks for it",
    plant=source("training/loggers.py", "from lightning.pytorch.loggers import CSVLogger, Logger  # noqa: E402\n",
        lambda head: "import mlflow  # noqa: E402, F401\n" + head))
mutant("DEF-116", "a change of the grid size has no effect: the network is there since the import",
    "POLICY-010:importing_reads_no_data_and_builds_no_network", plant=a_network_is_built_at_import)
mutant("GUARD-POLICY-006b", "a checkpoint does not say which Lightning wrote it", "POLICY-006:checkpoints_are_lightnings",
    plant=method(AtomicCheckpointIO, "save_checkpoint",
        lambda original, self, checkpoint, *rest, **options: original(
            self, {key: value for key, value in checkpoint.items() if key != "pytorch-lightning_version"}, *rest, **options)))
