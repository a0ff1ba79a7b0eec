"""Freedoms of trainings on several processes."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.twins import rows

LOADERS = "batch/loaders.py"
ALL = (
    "TRAIN-080:two_processes_come_to_an_end", "TRAIN-080:an_epoch_has_the_steps_of_the_whole",
    "TRAIN-081:two_processes_leave_what_one_leaves", "TRAIN-081:an_epoch_has_one_row", "TRAIN-081:the_first_process_speaks",
    "TRAIN-082:the_first_losses_are_those_of_one_process", "TRAIN-082:later_losses_are_those_of_one_process",
    "TRAIN-083:a_map_is_built_once",
)  # fmt: skip

twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-ranks-other-parts", "a process has other samples of a batch", *ALL,
    plant=source(LOADERS, "yield whole[rank::processes] or whole[:1]", "yield whole[::-1][rank::processes] or whole[-1:]"))
twin("TWIN-ranks-quick-look", "who waits for a map looks more often, and locks another file", *ALL,
    plant=source("batch/mapping.py", "PATIENCE = 0.2", "PATIENCE = 0.01"))
twin("TWIN-ranks-single-precision", "what processes tell each other is in single precision", *ALL,
    plant=source("training/ranks.py", "else torch.float64", "else torch.float32"))
