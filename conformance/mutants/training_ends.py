"""Defects of training that show where losses and rates are small, or where a log cannot be written."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

from lightning.pytorch.callbacks import EarlyStopping
from torch.optim.lr_scheduler import ReduceLROnPlateau

from conformance.defects.changes import Change, constant, function, result
from conformance.mutants import rows
from reference_impl.training import checkpoints, loggers, schedulers

STOPS = "TRAIN-020:an_improvement_may_be_small"
SMALL = "TRAIN-040:the_plateau_is_relative_where_numbers_are_small"
TOLD = "TRAIN-050:a_log_that_cannot_be_written_is_told"


def plateau_with(**changes: Any) -> Change:
    """A plateau whose scheduler has other numbers than it was made with."""

    def change(original: Any, *given: Any) -> Any:
        made = original(*given)
        for name, value in changes.items() if isinstance(made, ReduceLROnPlateau) else ():
            setattr(made, name, value)
        return made

    return function(schedulers.make_scheduler, change)


def stops_below(least: float) -> Change:
    """An improvement by less than this is none."""

    def change(callbacks: list[Any]) -> list[Any]:
        for callback in callbacks:
            if isinstance(callback, EarlyStopping):
                callback.min_delta = math.copysign(least, 1.0 if callback.mode == "max" else -1.0)
        return callbacks

    return function(checkpoints.checkpoint_callbacks, result(change))


mutant = rows(__name__)
# fmt: off
mutant("GUARD-TRAIN-020j", "a training whose losses are small stops although it learns", STOPS, plant=stops_below(1e-4))
mutant("GUARD-TRAIN-020k", "improvements of less than a hundred-thousandth are none", STOPS, plant=stops_below(1e-5))
mutant("GUARD-TRAIN-040d", "rates of a millionth of the usual one stay as they are", f"{SMALL}[rates]",
    plant=plateau_with(eps=1e-8))
mutant("GUARD-TRAIN-040e", "a loss of a ten-thousandth never improves", f"{SMALL}[losses]",
    plant=plateau_with(threshold_mode="abs"))
mutant("GUARD-TRAIN-050b", "a log that cannot be written is lost without a word", TOLD,
    plant=constant(loggers, "warnings", SimpleNamespace(warn=lambda *given, **options: None)))
