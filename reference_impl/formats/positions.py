"""Positions, from where the user or the layout says, as (row, column) in the unit that they have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from reference_impl.data import units
from reference_impl.data.experiment import Item
from reference_impl.errors import ContractError
from reference_impl.formats import values
from reference_impl.formats.images import FRAMES
from reference_impl.formats.layout import Layout
from reference_impl.formats.sources import Source, inventory, place
from reference_impl.formats.text import TextSource
from reference_impl.formats.values import Lookup
from reference_impl.formats.wishes import Wishes


class Positions:
    """`index`: the numbers of the frames that a table of text names, once its positions were read."""

    def __init__(self, lookup: Lookup, layout: Layout, wishes: Wishes, opener: Callable[[Path], Source | TextSource]) -> None:
        self.lookup, self.layout, self.wishes, self._open = lookup, layout, wishes, opener
        self._grid = values.raster(lookup, layout)
        self.index: Item | None = None

    def positions(self) -> Item | None:
        """From where the user says, or from the layout's names; None where there are none."""
        wishes = self.wishes
        if (wishes.positions_x is None) != (wishes.positions_y is None):
            raise ContractError(field="positions_x", expected="--positions-x and --positions-y together", found="one of them")
        if wishes.positions_x is not None and wishes.positions_y is not None:
            pair = [self._axis(wishes.positions_y, "positions_y"), self._axis(wishes.positions_x, "positions_x")]
            return self._joined(pair, "")
        if wishes.positions is not None:
            return self._table(*place(wishes.positions, "positions"))
        found = [self.lookup.first(self.layout.names("positions", axis)) for axis in ("y", "x")]
        if all(found):
            pair = [(values.vector(s.array(n), s.place(n)), s.place(n), s.unit(n)) for s, n in found if s]
            return self._joined(pair, self.layout.get("positions", "unit") or "")
        whole = self.lookup.expand(next((n for n in self.layout.names("positions") if self.lookup.expand(n)), ""))
        if not whole:
            return None
        columns = wishes.columns or self.layout.get("positions", "columns")
        parts = [values.table(s.array(n), columns, s.place(n)) for s, n in whole]
        source, name = whole[0]
        value, said = np.concatenate(parts), ""
        basis = self.lookup.first(self.layout.names("positions", "basis"))
        if basis is not None:
            value, said = _along_basis(value, basis[0].array(basis[1]), basis[0].place(basis[1]))
        factor = float(self.layout.get("positions", "multiplier") or 1.0)
        return self._with_unit(
            value * factor, source.place(name), source.unit(name), self.layout.get("positions", "unit") or "", said
        )

    def _axis(self, text: str, flag: str) -> tuple[np.ndarray, str, str | None]:
        path, name, factor = place(text, flag)
        source = self._open(path)
        if isinstance(source, TextSource) or not name:
            raise ContractError(field=flag, expected="FILE::name of one axis", found=repr(text[:80]))
        return values.vector(source.array(name.lstrip("/")), source.place(name)) * factor, source.place(name), source.unit(name)

    def _joined(self, pair: list[tuple[np.ndarray, str, str | None]], default: str) -> Item:
        (y, where_y, unit), (x, where_x, other) = pair
        if self.wishes.position_unit is None and units.canonical(unit or "") != units.canonical(other or ""):
            found = f"{other or 'none'}; --position-unit with a factor for each (FILE::name*number) says what is right"
            raise ContractError(field=where_x, expected=f"the unit of {where_y}, {unit or 'none'}", found=found)
        said = ""
        if y.shape != x.shape or (self._grid == (len(y), len(x)) and len(y) > 1):
            if self._grid != (len(y), len(x)):
                raise ContractError(field=where_x, expected=f"as many numbers as {where_y}, {len(y)}", found=str(len(x)))
            y, x = (axis.reshape(-1) for axis in np.meshgrid(y, x, indexing="ij"))
            said = "the axes of a raster, its rows first"
        return self._with_unit(np.stack([y, x], axis=1), f"{where_x}, {where_y.rsplit('::', 1)[-1]}", unit, default, said)

    def _table(self, path: Path, name: str, factor: float) -> Item:
        source = self._open(path)
        if isinstance(source, TextSource):
            value, unit, said = source.positions(self.wishes.columns)
            index = source.index()
            if index is not None:
                self.index = Item(index, source.place("index"))
            return self._with_unit(value * factor, str(path), unit, "", said)
        if name:
            value = values.table(source.array(name.lstrip("/")), self.wishes.columns, source.place(name))
            return self._with_unit(value * factor, source.place(name), source.unit(name), "", f"columns {self.wishes.columns}")
        if source.names() == [FRAMES]:
            return self._with_unit(
                values.table(source.array(FRAMES), self.wishes.columns, str(path)) * factor, str(path), None, "", ""
            )
        raise ContractError(file=path, field="positions", expected="FILE::name of the positions", found=inventory(source))

    def _with_unit(self, value: np.ndarray, where: str, stated: str | None, default: str, said: str) -> Item:
        known = self.wishes.position_unit or units.canonical(stated or "")
        unit, notes = known or default, [said] if said else []
        stated_unit = units.canonical(stated or "")
        if stated_unit and self.wishes.position_unit not in (None, stated_unit):
            notes.append(f"unit {known} by --position-unit, though the file states {stated_unit}")
        if not known and default:
            notes.append(f"unit {default}: what this layout means")
        return Item(value, where, unit, "; ".join(notes))

    def raster(self, stack: Any) -> Item | None:
        """Positions of a raster, from the step that the user gives."""
        if self.wishes.step is None:
            return None
        rows, columns = self.wishes.scan_shape or getattr(stack, "raster", None) or (0, 0)
        if rows * columns != stack.shape[0]:
            found = f"{rows} x {columns} points for {stack.shape[0]} patterns"
            raise ContractError(field="scan_shape", expected="rows,columns of the scan", found=found)
        y, x, unit = self.wishes.step
        row, column = np.divmod(np.arange(rows * columns), columns)
        return Item(np.stack([row * y, column * x], axis=1), "--step", unit, "a raster, columns first, no position was measured")


def _along_basis(value: np.ndarray, basis: np.ndarray, where: str) -> tuple[np.ndarray, str]:
    """CXI: the sample's translations (x, y) along the detector's axes; the probe moves over the sample the other way."""
    basis = basis.T if basis.shape == (2, 3) else basis
    if basis.shape != (3, 2) or not np.isfinite(basis).all() or (np.linalg.norm(basis, axis=0) == 0).any():
        raise ContractError(field=where, expected="two basis vectors (3, 2)", found=f"shape {basis.shape}")
    unit = basis / np.linalg.norm(basis, axis=0)
    flat = np.linalg.pinv(unit[:2])
    with np.errstate(invalid="ignore"):  # positions that are not finite are refused where they belong to a frame
        along = -(value[:, ::-1] @ flat.T)
    return along, f"along the detector's axes, {where.rsplit('::', 1)[-1]}"
