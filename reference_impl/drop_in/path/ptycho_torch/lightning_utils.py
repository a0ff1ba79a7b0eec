"""Checkpoints of a run."""

from __future__ import annotations

from pathlib import Path

RANKED, LAST = "epoch=*.ckpt", "last.ckpt"


def find_best_checkpoint(run_dir: str | Path) -> Path | None:
    """The checkpoint of the best epoch, of which a run keeps one; else that of the last epoch; None without any."""
    folder = Path(run_dir) / "checkpoints"
    return next((path for pattern in (RANKED, LAST) for path in sorted(folder.glob(pattern))), None)
