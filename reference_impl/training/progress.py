"""What a training says while it runs: bars on a terminal, a line an epoch elsewhere; early on, how long it will take."""

from __future__ import annotations

import sys
import time
from typing import Any

from reference_impl.policy import require_torch

require_torch()

from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar  # noqa: E402

FIRST_STEPS, FIRST_SECONDS = 3, 2.0
"""The first step allocates; after this many more, and this long, a mean says something (within a tenth on a quiet machine)."""


class Pace:
    """Times the steps of a run and says once, when it is known, how long the run will take."""

    def __init__(self) -> None:
        self.start = self.steps = 0.0
        self.said = False

    def step(self, trainer: Trainer) -> str:
        """To be called after every training step; the line to be said now, or nothing."""
        now = time.perf_counter()
        if self.said or not self.start:
            self.start = self.start or now
            return ""
        self.steps += 1
        seconds = now - self.start
        if self.steps < FIRST_STEPS or seconds < FIRST_SECONDS:
            return ""
        self.said = True
        each, batches = seconds / self.steps, int(trainer.num_training_batches)
        epochs = (trainer.max_epochs or 0) - trainer.current_epoch
        whole = f"{epochs} epochs of {batches} steps" if epochs != 1 else f"one epoch of {batches} steps"
        return f"about {spoken(each * epochs * batches)} for {whole}, {each:.2g} s a step"


def spoken(seconds: float) -> str:
    """A time in the unit a person would use, with two digits at most."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{round(minutes)} minutes" if minutes < 100 else f"{minutes / 60:.2g} hours"


class EpochLines(ProgressBar):
    """A line an epoch, for outputs that are no terminal (a log file, a pipe)."""

    def __init__(self) -> None:
        super().__init__()
        self.pace, self.began, self.enabled = Pace(), 0.0, True

    def disable(self) -> None:
        """Lightning calls it on every process but the first."""
        self.enabled = False

    def enable(self) -> None:
        """The opposite."""
        self.enabled = True

    def print(self, *parts: Any, **options: Any) -> None:
        """One line, at once: whoever follows a log sees it."""
        if self.enabled:
            print(*parts, **{**options, "flush": True})

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self.began = time.perf_counter()

    def on_train_batch_end(self, trainer: Trainer, *_: Any, **__: Any) -> None:
        if line := self.pace.step(trainer):
            self.print(line)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        seconds, epoch = time.perf_counter() - self.began, trainer.current_epoch + 1
        metrics = self.get_metrics(trainer, pl_module)
        losses = ", ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()) if name.endswith("_loss"))
        left = ((trainer.max_epochs or epoch) - epoch) * seconds
        rest = f", about {spoken(left)} left" if left else ""
        self.print(f"epoch {epoch} of {trainer.max_epochs}: {losses}, {seconds:.1f} s{rest}")


class Bars(RichProgressBar):
    """Lightning's bars; epochs are counted from one to their number."""

    def __init__(self) -> None:
        super().__init__()
        self.pace = Pace()

    def _get_train_description(self, current_epoch: int) -> str:
        """Lightning's own counts from zero to one less than there are."""
        return f"{f'Epoch {current_epoch + 1}/{self.trainer.max_epochs}':{len(self.validation_description)}}"

    def on_train_batch_end(self, trainer: Trainer, *given: Any, **named: Any) -> None:
        super().on_train_batch_end(trainer, *given, **named)
        line = self.pace.step(trainer)
        if line and self.progress is not None:
            self.progress.console.print(line, highlight=False)


def progress() -> ProgressBar:
    """Bars where standard output is a terminal, lines elsewhere."""
    return Bars() if sys.stdout.isatty() else EpochLines()
