"""Freedoms of the packages that a client imports: where a name is defined, and what it takes besides."""

from __future__ import annotations

from conformance.defects.changes import every, source
from conformance.twins import rows

NAMES, OTHER = "drop_in/path/ptycho", "drop_in/path/ptycho_torch"


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-DRIFT-NAMES-FROM-ELSEWHERE", "names are imported from modules of the backend's own, some by a star",
    files=("test_drift",),
    plant=every(source(f"{NAMES}/params.py", "import cfg, defaults, get, params\n", "import *  # noqa: F403\n"),
        source(f"{NAMES}/probe.py", "def set_probe_guess(", "def keep("),
        source(f"{NAMES}/probe.py", "    current = checks.probe(probe_guess, None)\n",
            "    current = probe_guess\n\n\nset_probe_guess = keep\n")))
twin("TWIN-DRIFT-MORE-IS-TAKEN", "functions take more than the client gives, and any keyword", files=("test_drift",),
    plant=every(source(f"{NAMES}/loader.py", "create_split: bool = False\n", "**options: object\n"),
        source(f"{NAMES}/workflows/components.py", "config: Any, M: int = 20", "config: Any, *more: Any, M: int = 20"),
        source(f"{OTHER}/config_params.py", "    N: int = 128\n", "    N: int | float = 128\n    binning: int = 1\n")))
twin("TWIN-DRIFT-NO-ANNOTATIONS", "nothing is annotated: types cannot be judged", files=("test_drift",),
    plant=every(source(f"{NAMES}/loader.py", "which: str | None = None, create_split: bool = False",
            "which=None, create_split=False"),
        source(f"{NAMES}/loader.py", ") -> PtychoDataContainer:", "):"),
        source(f"{NAMES}/workflows/components.py", " -> tuple[model_manager.Model, dict[str, Any]]:", ":")))
twin("TWIN-DRIFT-FIELDS-BY-NAME", "fields of a configuration are set from a table, and no statement names them",
    files=("test_drift",),
    plant=source(f"{NAMES}/config/config.py", "InferenceConfig = canonical.InferenceConfig\n",
        "class InferenceConfig:\n    def __init__(self, **given):\n"
        "        vars(self).update(vars(canonical.InferenceConfig(**given)))\n"))
