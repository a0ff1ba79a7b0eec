"""What every reader hands over: one experiment, as the file has it. Nothing is converted here; every item says where it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reference_impl.data import units
from reference_impl.data.geometry_survey import Survey


class Frames(Protocol):
    """A stack of detector frames that is read a piece at a time."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """`(M, H, W)`."""

    @property
    def dtype(self) -> np.dtype:
        """As the file has it: integers or floating-point numbers."""

    def read(self, start: int, stop: int) -> np.ndarray:
        """Frames `start` to `stop`, `(stop - start, H, W)`; `ContractError` where the file is damaged."""


@dataclass(frozen=True)
class Item:
    """A value as it stands in a file (or was typed), with its unit and its place; `assumed` says what nobody stated."""

    value: Any
    path: str
    unit: str = ""
    assumed: str = ""

    @property
    def metres(self) -> Any:
        """The value in metres; `KeyError` where the unit is no length."""
        return np.asarray(self.value, dtype=np.float64) * units.metres(self.unit)


@dataclass(frozen=True)
class Experiment:
    """One scan.

    `patterns`: `Frames` `(M, H, W)`, unit `counts` or `amplitudes`. `zero_frequency`: where the layout puts it, `centre` or
    `corner`, or `unknown`. `positions`: float64 `(P, 2)`, **(row, column)**, unit a length, `pixel`, or empty where nobody said.
    `frame_index` `(M,)`, `position_index` `(P,)`: numbers that tell which position belongs to which frame. `energy`: a number,
    unit of energy or, for a wavelength, of length. `distance`: sample to detector. `detector_pixel`, `object_pixel`: (height,
    width). `mask`: bool `(H, W)`, True is good. `probe`: `(P, H, W)` complex, or real where only a modulus is known. `object`:
    complex `(H, W)`; positions then refer to its pixels. `notes`: what the reader chose, for the table.
    `survey`: the first look at all frames. `overridden`: what the file says where the user says another energy or length.
    `candidates`: where no positions were found, names of what is as long as the scan.
    """

    kind: str
    file: Path
    patterns: Item
    zero_frequency: str = "unknown"
    positions: Item | None = None
    frame_index: Item | None = None
    position_index: Item | None = None
    energy: Item | None = None
    distance: Item | None = None
    detector_pixel: Item | None = None
    object_pixel: Item | None = None
    mask: Item | None = None
    probe: Item | None = None
    object: Item | None = None
    metadata: dict[str, Any] | None = None
    notes: tuple[tuple[str, str], ...] = field(default=())
    survey: Survey | None = None
    candidates: tuple[str, ...] = ()
    overridden: Mapping[str, Item] = field(default_factory=dict)

    @property
    def frames(self) -> Frames:
        """The patterns' stack."""
        return self.patterns.value

    @property
    def wavelength(self) -> float | None:
        """Metres, or None where neither energy nor wavelength is known."""
        return None if self.energy is None else units.wavelength(float(self.energy.value), self.energy.unit)

    def optical_pixel(self, sides: tuple[float, float]) -> np.ndarray | None:
        """`λ z / (side × pitch)` in metres, (height, width), for a window of `sides` pixels; None if not all is known."""
        if self.wavelength is None or self.distance is None or self.detector_pixel is None:
            return None
        pitch = np.broadcast_to(self.detector_pixel.metres, (2,))
        return self.wavelength * float(self.distance.metres) / (np.asarray(sides, dtype=np.float64) * pitch)
