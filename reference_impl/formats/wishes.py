"""What the user says of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wishes:
    """What the user says of a file; None leaves it to the file. Places are `FILE`, `FILE::name` or `FILE::name*number`."""

    parameters: tuple[str, ...] = ()
    layout: Path | None = None
    axes: str | None = None
    measurement: str | None = None
    positions: str | None = None
    positions_x: str | None = None
    positions_y: str | None = None
    columns: str | None = None
    position_unit: str | None = None
    step: tuple[float, float, str] | None = None
    scan_shape: tuple[int, int] | None = None
    mask: str | None = None
    mask_good: str | None = None
    probe: str | None = None
    energy: tuple[float, str] | None = None
    distance: tuple[float, str] | None = None
    detector_pixel: tuple[float, str] | None = None
