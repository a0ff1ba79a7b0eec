"""What a training leaves in its folder, whatever else lies there."""

from __future__ import annotations

import re
from pathlib import Path


def newest_log(folder: Path) -> Path | None:
    """The metrics file of the highest version, as a number: `version_10` is newer than `version_9`; None where there is none."""
    logs = {int(log.parent.name.removeprefix("version_")): log for log in folder.glob("lightning_logs/version_*/metrics.csv")}
    return logs[max(logs)] if logs else None


def ranked(folder: Path) -> dict[str, int]:
    """File name → epoch of each ranked checkpoint, −1 where the name does not say it once; a link is what it leads to."""
    found: dict[Path, list[str]] = {}
    for path in sorted(folder.glob("checkpoints/*.ckpt")):
        found.setdefault(path.resolve(), []).append(path.name)
    # Of several names of one checkpoint the one that says an epoch; `last` may be a name of the best one, too.
    names = [max(alike, key=lambda name: ("epoch=" in name, name)) for alike in found.values()]
    said = {name: re.findall(r"epoch=(\d+)", name) for name in names if not name.startswith("last")}
    return {name: int(epochs[0]) if len(epochs) == 1 and name.count("epoch=") == 1 else -1 for name, epochs in said.items()}
