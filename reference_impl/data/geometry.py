"""From an experiment as a file has it to the contract's amplitudes: what is done, in which order, each step once.

Order: frames that are dropped · pairing with positions · mask · zero frequency to the middle · window (centre, crop, pad) with
transposition and flips around the centre · threshold · binning · square root. Every choice that nobody stated is a row of the
table with the word *assumed*; the table travels with the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reference_impl.data.experiment import Experiment
from reference_impl.data.geometry_survey import Survey, circular_centroid, found_centre
from reference_impl.domains.fields import SUPPORTED_SIZES
from reference_impl.errors import ContractError

CORNER_REACH = 1 / 8
"""Zero frequency is in the corner where the photons' circular centroid lies within an eighth of the side of index 0."""
CONCENTRATION = 0.1
"""Length of the mean phasor below which the photons lie nowhere in particular; 0.96 for a focused beam of 64 pixels."""
SIZES = SUPPORTED_SIZES
"""Sides that `train` and `infer` take."""
FAR_OFF = 2.0
"""Pixels between the middle of the detector and the beam above which the table says so."""


@dataclass(frozen=True)
class Geometry:
    """What the user wants done; None leaves a choice to the file. `centre` is (row, column) of the detector as stored, `middle`
    or `found`. `crop`, `pad`: sides in detector pixels, before binning. Flips and transposition turn the detector around its
    centre, transposition first; `swap_xy`, `flip_x`, `flip_y` turn the positions, swap first."""

    centre: tuple[float, float] | str | None = None
    crop: int | None = None
    pad: int | None = None
    bin: int = 1
    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False
    zero_frequency: str = "auto"
    object_pixel: tuple[float, str] | None = None
    swap_xy: bool = False
    flip_x: bool = False
    flip_y: bool = False
    keep_origin: bool = False
    mask_marked: bool = False
    clip_negatives: float | None = None
    threshold: float | None = None
    drop: tuple[int, ...] = ()
    drop_dark: float | None = None
    drop_saturated: float | None = None
    drop_surplus: bool = False


@dataclass(frozen=True)
class Row:
    """A line of the table: `kind` is `taken`, `assumed`, `done` or `warning`."""

    item: str
    value: str
    source: str = ""
    kind: str = "taken"


@dataclass
class Table:
    """What was taken from where, what was assumed, and what was done."""

    rows: list[Row] = field(default_factory=list)

    def add(self, item: str, value: str, source: str = "", kind: str = "taken") -> None:
        """One more line."""
        self.rows.append(Row(item, value, source, kind))

    def lines(self) -> list[str]:
        """Aligned text; places in the file that the first row names are given without its name."""
        file = self.rows[0].source
        wide, value = (max(len(getattr(row, name)) for row in self.rows) for name in ("item", "value"))
        shown = [(row, f"{row.item:<{wide}}  {row.kind:<8} {row.value:<{min(value, 60)}}") for row in self.rows]
        return [f"{text}  {row.source.replace(f'{file}::', '::')}".rstrip() for row, text in shown]

    def plain(self) -> list[dict[str, str]]:
        """For the file that is written."""
        return [{"item": row.item, "value": row.value, "source": row.source, "kind": row.kind} for row in self.rows]


@dataclass(frozen=True)
class Window:
    """Which detector pixels make a pattern: indices `(W,)` into the rows and columns of the (transposed) frame, -1 is outside."""

    rows: np.ndarray
    columns: np.ndarray
    transpose: bool
    bin: int

    @property
    def side(self) -> int:
        """Detector pixels across, before binning."""
        return len(self.rows)

    @property
    def N(self) -> int:
        """Pixels across a pattern that is written."""
        return self.side // self.bin

    def cut(self, frames: np.ndarray, fill: float = 0) -> np.ndarray:
        """`(n, H, W)` → `(n, side, side)`; what lies outside is `fill`."""
        turned = frames.swapaxes(-2, -1) if self.transpose else frames
        outside = (self.rows < 0)[:, None] | (self.columns < 0)[None]
        cut = turned[..., self.rows[:, None], self.columns[None]]
        if outside.any():
            cut[..., outside] = fill
        return cut

    def binned(self, values: np.ndarray) -> np.ndarray:
        """Sums of `bin` x `bin` pixels."""
        if self.bin == 1:
            return values
        return values.reshape(*values.shape[:-2], self.N, self.bin, self.N, self.bin).sum(axis=(-3, -1))


def window(experiment: Experiment, wanted: Geometry, survey: Survey, table: Table) -> Window:
    """The window, with every choice in the table. Raises `ContractError` that names the flag."""
    shape = experiment.frames.shape[1:]
    corner = _zero_frequency(experiment, wanted, survey, table)
    centre = _centre(shape, wanted, survey, corner, table)
    crop, side = _sides(shape, wanted, centre, table)
    if wanted.bin < 1 or side % wanted.bin:
        raise ContractError(field="bin", expected=f"a divisor of {side} pixels", found=str(wanted.bin))
    order = (1, 0) if wanted.transpose else (0, 1)
    flips = (wanted.flip_rows, wanted.flip_columns)
    axes = [_axis(shape[a], centre[a], crop, side, flip, corner) for a, flip in zip(order, flips, strict=True)]
    made = Window(axes[0], axes[1], wanted.transpose, wanted.bin)
    turns = [("transpose", wanted.transpose), ("flip rows", flips[0]), ("flip columns", flips[1])]
    done = [name for name, on in turns if on]
    table.add(
        "orientation",
        ", ".join(done) if done else "as stored",
        "" if done else "no flip, no transposition",
        "done" if done else "assumed",
    )
    size = f"{made.N} x {made.N}"
    if wanted.bin > 1:
        table.add("binning", f"{wanted.bin} x {wanted.bin} pixels summed", "--bin", "done")
    if made.N in SIZES:
        table.add("pattern", size, "a size that train and infer take", "done")
    else:
        table.add("pattern", size, f"train and infer take {', '.join(map(str, SIZES))}: --crop or --pad one of them", "warning")
    return made


def _zero_frequency(experiment: Experiment, wanted: Geometry, survey: Survey, table: Table) -> bool:
    """Whether it is in the corner."""
    if wanted.zero_frequency != "auto":
        table.add("zero frequency", wanted.zero_frequency, "--zero-frequency")
        return wanted.zero_frequency == "corner"
    says, sees = experiment.zero_frequency, "centre"
    place, strength = circular_centroid(survey.mean)
    sides = np.array(survey.mean.shape)
    distance = np.minimum(place, sides - place) / sides
    clear = bool((strength >= CONCENTRATION).all()) and wanted.centre in (None, "middle", "found")
    if clear and sides[0] == sides[1] and (distance <= CORNER_REACH).all():
        sees = "corner"
    if not clear:
        sees = says if says != "unknown" and wanted.centre in (None, "middle", "found") else "centre"
        table.add("zero frequency", sees, "what the layout means; the photons do not show it", "assumed")
    elif says in ("unknown", sees):
        table.add("zero frequency", sees, "by the photons" + (", as the layout says" if says == sees else ""))
    else:
        source = f"by the photons, though this layout keeps it in the {says} (--zero-frequency {says} insists)"
        table.add("zero frequency", sees, source, "warning")
    return sees == "corner"


def _centre(shape: tuple[int, int], wanted: Geometry, survey: Survey, corner: bool, table: Table) -> tuple[int, int]:
    """(row, column) of zero frequency, in the frame whose corner was moved to the middle."""
    middle = (shape[0] // 2, shape[1] // 2)
    if isinstance(wanted.centre, tuple):
        row, column = (int(np.rint(value)) for value in wanted.centre)
        if not (0 <= row < shape[0] and 0 <= column < shape[1]):
            expected = f"a pixel of {shape[0]} x {shape[1]}, row,column"
            raise ContractError(field="centre", expected=expected, found=f"{wanted.centre[0]:g},{wanted.centre[1]:g}")
        table.add("centre", f"row {row}, column {column}", "--centre")
        return row, column
    mean = np.fft.fftshift(survey.mean) if corner else survey.mean
    found = found_centre(mean)
    if wanted.centre == "found" or (wanted.centre is None and shape[0] != shape[1]):
        place = tuple(int(value) for value in np.rint(found))
        kind = "done" if wanted.centre == "found" else "assumed"
        table.add(
            "centre", f"row {place[0]}, column {place[1]}", "where the photons are (--centre ROW,COLUMN says otherwise)", kind
        )
        return place[0], place[1]
    away = float(np.hypot(*(found - middle)))
    if away > FAR_OFF and not corner:
        text = f"the photons' centroid is at row {found[0]:.1f}, column {found[1]:.1f}, {away:.1f} pixels off: --centre found"
        table.add("centre", f"row {middle[0]}, column {middle[1]}", text, "warning")
    else:
        table.add("centre", f"row {middle[0]}, column {middle[1]}", "the middle", "assumed")
    return middle


def _sides(shape: tuple[int, int], wanted: Geometry, centre: tuple[int, int], table: Table) -> tuple[int, int]:
    """(pixels kept, pixels of the window); more of the second is padding."""
    least = min(shape)
    if wanted.crop is not None and (not 0 < wanted.crop <= least or (wanted.crop % 2 and wanted.crop != least)):
        expected = f"an even number of pixels, at most {least} (--pad makes more of them)"
        raise ContractError(field="crop", expected=expected, found=str(wanted.crop))
    square = shape[0] == shape[1]
    crop, said = wanted.crop, "--crop"
    if crop is None and not square:
        room = [2 * min(place, size - place) for place, size in zip(centre, shape, strict=True)]
        fitting = [side for side in SIZES if side * wanted.bin <= min(room)]
        crop = fitting[-1] * wanted.bin if fitting else min(room)
        said = "the largest square around the centre that train takes" if fitting else "the largest square around the centre"
    if crop is None:
        crop = least
    elif crop != least or not square:
        table.add("crop", f"{crop} x {crop} of {shape[0]} x {shape[1]} pixels", said, "done" if wanted.crop else "assumed")
    side = crop if wanted.pad is None else wanted.pad
    if side < crop or side % 2:
        raise ContractError(field="pad", expected=f"an even number of pixels, at least {crop}", found=str(wanted.pad))
    if side > crop:
        table.add("pad", f"{crop} to {side} pixels", "pixels that nobody measured: zero, and bad in the mask", "done")
    if wanted.pad is None:
        for place, size, name in zip(centre, shape, ("row", "column"), strict=True):
            if place - crop // 2 < 0 or place + crop - crop // 2 > size:
                found = f"{crop} pixels around {name} {place} of {size}"
                raise ContractError(field="crop", expected="a window on the detector (or --pad, which fills up)", found=found)
    return crop, side


def _axis(size: int, centre: int, crop: int, side: int, flip: bool, corner: bool) -> np.ndarray:
    """Indices of one axis. A flip turns around the centre; at full size the line at the Nyquist frequency stays where it is."""
    steps = np.arange(side) - side // 2
    index = centre - steps if flip else centre + steps
    if flip and crop == size and index.max() == size:
        index[index == size] = 0
    kept = (steps >= -(crop // 2)) & (steps < crop - crop // 2)
    index = np.where(kept & (index >= 0) & (index < size), index, -1)
    return np.where(index < 0, -1, (index - size // 2) % size) if corner else index
