"""Files for a memory map that differ in their masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.scenes import entrances, masks

NARROW: dict[str, Any] = {"N": entrances.N, "n_groups": 3, "neighbor_count": 4, "intensity_scale_trainable": False}


def masked_files(folder: Path) -> list[Path]:
    """Three files of side 64: without a mask, with one, and with the same turned round."""
    good = masks.mask(entrances.N)
    own = (entrances.whole(), {**entrances.another(), "mask": good}, {**entrances.whole(seed=11), "mask": good[::-1, ::-1]})
    return [entrances.put(folder / str(number), given) for number, given in enumerate(own)]
