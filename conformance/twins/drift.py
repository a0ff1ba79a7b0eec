"""Freedoms of the packages that a client imports: where a name is defined, and what it takes besides."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.twins import twin

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"


@twin(
    "TWIN-DRIFT-NAMES-FROM-ELSEWHERE",
    "names are imported from modules of the backend's own, some by a star",
    files=("test_drift",),
)
def names_are_imported(plant: Plant) -> None:
    plant.source(f"{NAMES}/params.py", "import cfg, defaults, get, params\n", "import *  # noqa: F403\n")
    plant.source(f"{NAMES}/probe.py", "def set_probe_guess(", "def keep(")
    plant.source(
        f"{NAMES}/probe.py",
        "    current = checks.probe(probe_guess, None)\n",
        "    current = probe_guess\n\n\nset_probe_guess = keep\n",
    )


@twin("TWIN-DRIFT-MORE-IS-TAKEN", "functions take more than the client gives, and any keyword", files=("test_drift",))
def functions_take_more(plant: Plant) -> None:
    plant.source(f"{NAMES}/loader.py", "create_split: bool = False\n", "**options: object\n")
    plant.source(f"{NAMES}/workflows/components.py", "config: Any, M: int = 20", "config: Any, *more: Any, M: int = 20")
    plant.source(f"{OTHER}/config_params.py", "    N: int = 128\n", "    N: int | float = 128\n    binning: int = 1\n")


@twin("TWIN-DRIFT-NO-ANNOTATIONS", "nothing is annotated: types cannot be judged", files=("test_drift",))
def nothing_is_annotated(plant: Plant) -> None:
    plant.source(f"{NAMES}/loader.py", "which: str | None = None, create_split: bool = False", "which=None, create_split=False")
    plant.source(f"{NAMES}/loader.py", ") -> PtychoDataContainer:", "):")
    plant.source(f"{NAMES}/workflows/components.py", " -> tuple[model_manager.Model, dict[str, Any]]:", ":")
