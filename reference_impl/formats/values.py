"""Values of one experiment, brought to the shapes of `Experiment`; their numbers stay as the file has them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from reference_impl.data import units
from reference_impl.data.experiment import Item
from reference_impl.errors import ContractError
from reference_impl.formats.layout import Layout
from reference_impl.formats.sources import Source
from reference_impl.formats.stack import Joined, Stack, default_axes


class Lookup:
    """Names over several sources; the first source that has a name gives it."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources

    def expand(self, name: str) -> list[tuple[Source, str]]:
        """Where `name` is: one place, or with a `*` in it all places of one source, by their numbers."""
        for source in self.sources:
            if "*" not in name:
                if source.has(name):
                    return [(source, name)]
                continue
            pattern = re.compile(re.escape(name.lstrip("/")).replace(r"\*", "[^/]*"))
            found = [other for other in candidates(source, name) if pattern.fullmatch(other) and source.has(other)]
            if found:
                return [(source, other) for other in sorted(found, key=numbers_first)]
        return []

    def first(self, names: tuple[str, ...]) -> tuple[Source, str] | None:
        """The first of the names that is anywhere."""
        return next((found[0] for name in names if (found := self.expand(name))), None)


def candidates(source: Source, pattern: str) -> list[str]:
    """Names that may match: those of the source, and links in the group of the pattern (an Eiger master holds only links)."""
    group = pattern.rsplit("/", 1)[0] if "/" in pattern else ""
    linked = [f"{group}/{name}" for name in source.links(group)] if hasattr(source, "links") and "*" not in group else []
    return [*dict.fromkeys([*source.names(), *linked])]


def numbers_first(name: str) -> list[int | str]:
    """Sorting key: `chunks/2/data` before `chunks/10/data`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def frames(lookup: Lookup, layout: Layout, axes: str | None, positions: int | None) -> tuple[Any, str, str, str]:
    """`(stack, place, unit of the values, assumption)` of the patterns."""
    for name in layout.names("patterns"):
        found = lookup.expand(name)
        if not found:
            continue
        source, first = found[0]
        shape, said = source.shape(first), ""
        named = axes or layout.get("patterns", "axes_matlab" if source.matlab else "axes")
        if named is None and source.matlab and len(shape) in (3, 4):
            named, said = ("y x m", "y x sy sx")[len(shape) - 3], "MATLAB's order of axes: rows, columns, scan"
        if named is None or len(named.split()) != len(shape):
            named, said = default_axes(shape, positions)
        parts = [source.stack(part, named.split()) for source, part in found]
        stack: Stack | Joined = parts[0] if len(parts) == 1 else Joined(parts, source.place(name))
        unit = layout.get("patterns", "unit") or ""
        return stack, source.place(name if len(parts) > 1 else first), unit, said
    wanted = " or ".join(layout.names("patterns"))
    raise ContractError(file=lookup.sources[0].path, field="patterns", expected=f"a data set {wanted}", found="none")


def raster(lookup: Lookup, layout: Layout) -> tuple[int, int] | None:
    """(rows, columns) of the scan where the patterns stand in one array of four axes, the scan's first."""
    found = lookup.first(layout.names("patterns"))
    shape = () if found is None else found[0].shape(found[1])
    matlab = found is not None and found[0].matlab
    return (shape[2], shape[3]) if len(shape) == 4 and matlab else (shape[0], shape[1]) if len(shape) == 4 else None


def vector(value: np.ndarray, place: str) -> np.ndarray:
    """Numbers `(P,)` of an array with one long axis, or of a raster of two, row by row."""
    squeezed = np.squeeze(value)
    if squeezed.ndim > 2 or squeezed.dtype.kind not in "iufb":
        raise ContractError(field=place, expected="one number a position", found=f"{value.dtype} of shape {value.shape}")
    return squeezed.reshape(-1).astype(np.float64)


def table(value: np.ndarray, columns: str | None, place: str) -> np.ndarray:
    """(row, column) `(P, 2)` of an array `(P, k)` or `(k, P)` whose columns are named, like `x y z`."""
    if value.ndim == 3 and 1 not in value.shape and value.shape[-1] in (2, 3):
        value = value.reshape(-1, value.shape[-1])  # a raster, row by row
    value = np.squeeze(value) if value.ndim > 2 else value
    if value.ndim != 2 or value.dtype.kind not in "iuf":
        raise ContractError(field=place, expected="positions (P, 2)", found=f"{value.dtype} of shape {value.shape}")
    if value.shape[1] not in (2, 3) and value.shape[0] in (2, 3):
        value = value.T
    names = re.split(r"[\s,]+", columns.strip()) if columns else []
    if not {"x", "y"} <= set(names) or value.shape[1] < 2 or max(names.index("x"), names.index("y")) >= value.shape[1]:
        found = f"shape {value.shape}" + (f" and columns {columns!r}" if columns else "")
        expected = "--columns 'x y' or 'y x': which column is which"
        raise ContractError(field=place, expected=expected, found=found)
    return value[:, [names.index("y"), names.index("x")]].astype(np.float64)


def scalars(lookup: Lookup, layout: Layout, section: str) -> Item | None:
    """A number, or (height, width), of a section, with the unit that the file states, else the layout's; zeros are absent."""
    pairs = [names for names in (layout.names(section, "y"), layout.names(section, "x")) if names] or [layout.names(section)]
    found = [lookup.first(names) for names in pairs]
    if not all(found):
        return None
    values = [np.squeeze(source.array(name)).astype(np.float64).reshape(-1) for source, name in found]
    source, name = found[0]
    value = np.concatenate(values) if len(values) > 1 else values[0]
    if not value.size or not np.isfinite(value).all() or (value <= 0).any():
        return None
    stated = units.canonical(source.unit(name) or "")
    if section.endswith("pixel"):
        value = value[:2] if value.size >= 2 else np.repeat(value, 2)
    elif value.size > 1:
        value = value.mean(keepdims=True)
    unit = stated if stated and stated != units.PIXEL else layout.get(section, "unit") or ""
    said = "" if stated else f"unit {unit}: what this layout means"
    return Item(value if section.endswith("pixel") else float(value[0]), source.place(name), unit, said)


def mask(value: np.ndarray, good: str, also_good: int | None, place: str, frame: tuple[int, int]) -> np.ndarray:
    """bool `(H, W)`, True is good; of a stack, what is good in every frame."""
    value = np.squeeze(value)
    if value.dtype.kind not in "biuf" or value.ndim not in (2, 3) or value.shape[-2:] != frame:
        expected = f"a mask of {frame[0]} x {frame[1]} pixels, as the patterns"
        raise ContractError(field=place, expected=expected, found=f"{value.dtype} of shape {value.shape}")
    nonzero = value != 0
    usable = nonzero if good == "nonzero" else ~nonzero
    if also_good is not None and good == "zero" and value.dtype.kind in "iu":
        usable = usable | (value == also_good)
    usable = usable if usable.ndim == 2 else usable.all(axis=0)
    if not usable.any():
        found = f"none, where {good} is good (--mask-good says which)"
        raise ContractError(field=place, expected="a mask that leaves pixels", found=found)
    return usable


def probe(value: np.ndarray, axes: str | None, matlab: bool, place: str) -> tuple[np.ndarray, str]:
    """`((P, H, W) complex or real, assumption)`: incoherent modes; of OPR modes, which are the variation of one, the first."""
    if value.ndim < 2 or value.dtype.kind not in "fciu" or 0 in value.shape:
        expected = "complex modes (P, H, W), or a real modulus"
        raise ContractError(field=place, expected=expected, found=f"{value.dtype} of shape {value.shape}")
    if matlab and value.ndim > 2:
        value = np.moveaxis(value, (0, 1), (-2, -1)).transpose([*range(value.ndim - 3, -1, -1), value.ndim - 2, value.ndim - 1])
    if value.ndim == 3 and value.shape[2] == 1 and value.shape[0] == value.shape[1]:
        value = value[None, ..., 0]
    said = ""
    if axes and axes.split()[0] == "opr" and value.ndim == 4 and value.shape[0] > 1:
        said = f"the first of {value.shape[0]} OPR modes: the others are variations of it, not modes that add up"
        value = value[:1]
    value = value.reshape(-1, *value.shape[-2:])
    if not np.isfinite(value).all() or not np.abs(value).any():
        raise ContractError(field=place, expected="a finite probe that is not dark everywhere", found="NaN, infinite or all zero")
    return value, said
