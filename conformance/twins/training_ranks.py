"""Freedoms of trainings on several processes."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.twins import rows

FILES = ("test_training_ranks",)
LOADERS = "batch/loaders.py"

twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ranks-other-parts", "a process has other samples of a batch", files=FILES,
    plant=source(LOADERS, "yield whole[rank::processes] or whole[:1]", "yield whole[::-1][rank::processes] or whole[-1:]"))
twin("TWIN-ranks-quick-look", "who waits for a map looks more often, and locks another file", files=FILES,
    plant=source("batch/mapping.py", "PATIENCE = 0.2", "PATIENCE = 0.01"))
twin("TWIN-ranks-single-precision", "what processes tell each other is in single precision", files=FILES,
    plant=source("training/ranks.py", "else torch.float64", "else torch.float32"))
