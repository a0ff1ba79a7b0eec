"""What was checked and what was assumed, as lines to read and as plain values to keep beside a result."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reference_impl.data.metadata import DEFAULT_NPHOTONS
from reference_impl.data.plausible import Row, Verdict, judge
from reference_impl.errors import ContractError


@dataclass(frozen=True)
class Report:
    """Verdicts about one record, and what was taken for granted: `assumed` name → (what, because)."""

    file: str
    verdicts: tuple[Verdict, ...]
    assumed: Mapping[str, tuple[str, str]]

    def lines(self, every: bool = False) -> list[str]:
        """The table; with `every` the rows that found nothing stand one a line, with their thresholds."""
        found = [verdict for verdict in self.verdicts if every or verdict.found is not None]
        fine = [verdict.row.name for verdict in self.verdicts if verdict.found is None]
        width = max(len(verdict.row.name) for verdict in self.verdicts)
        rows = [f"  {verdict.row.name:{width}}  {verdict.state:8}  {_words(verdict)}".rstrip() for verdict in found]
        head = f"{self.file}: checked: {len(fine)} of {len(self.verdicts)} findings absent"
        summary = [] if every or not fine else [f"  absent: {', '.join(fine)}"]
        taken = [f"  {name:{width}}  {what} ({because})" for name, (what, because) in self.assumed.items()]
        return [head, *rows, *summary, f"{self.file}: taken for granted:", *taken]

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        checked = [
            {
                "name": verdict.row.name,
                "severity": verdict.row.severity,
                "field": verdict.row.field,
                "threshold": verdict.row.threshold,
                "state": verdict.state,
                "found": verdict.found,
            }
            for verdict in self.verdicts
        ]
        return {"file": self.file, "checked": checked, "assumed": {name: list(pair) for name, pair in self.assumed.items()}}

    def errors(self) -> list[Verdict]:
        """The errors that nobody has accepted."""
        return [verdict for verdict in self.verdicts if verdict.state == "error"]

    def warn(self) -> None:
        """A `UserWarning` for each warning that nobody has accepted."""
        for verdict in self.verdicts:
            if verdict.state == "warning":
                text = f"{self.file}: {verdict.row.field}: {verdict.found} ({verdict.row.name}): {verdict.row.advice}"
                warnings.warn(text, UserWarning, stacklevel=2)

    def refuse(self) -> None:
        """`ContractError` with the first error that nobody has accepted, and how many more there are."""
        errors = self.errors()
        if errors:
            first, more = errors[0], len(errors) - 1
            others = f"; {more} more: {', '.join(verdict.row.name for verdict in errors[1:])}" if more else ""
            or_else = f"; or --accept {first.row.name}" if first.row.can_be_accepted else f" ({first.row.name})"
            found = f"{first.found}: {first.row.advice}{or_else}{others}"
            raise ContractError(file=self.file, field=first.row.field, expected="plausible data", found=found)


def _words(verdict: Verdict) -> str:
    if verdict.found is None:
        return f"threshold {verdict.row.threshold:g}: {verdict.row.source}"
    return verdict.found if verdict.state == "accepted" else f"{verdict.found}; {verdict.row.advice}"


def report(
    record: Any, verdicts: Sequence[Verdict], *, measurement: str, position_scale: float = 1.0, nphotons: float | None = None
) -> Report:
    """The report about `record`, read as `measurement` with positions multiplied by `position_scale`; `nphotons` by hand."""
    modes = 0 if record.probeGuess is None else 1 if record.probeGuess.ndim == 2 else len(record.probeGuess)
    stated = record.nphotons
    mask = getattr(record, "mask", None)
    converted = isinstance(record.metadata, dict) and "conversion" in record.metadata
    known = "the file's own table of its conversion" if converted else "the contract's; nothing in the file says so"
    assumed = {
        "patterns": (
            "amplitudes, roots of photon counts" if measurement == "amplitude" else "photon counts; their root was taken",
            f"--measurement {measurement}",
        ),
        "zero frequency": (f"row and column {record.diff3d.shape[-1] // 2}", "the contract's; checked by zero-frequency"),
        "orientation": ("rows of a pattern along y, columns along x", known),
        "positions": (
            "object pixels" if position_scale == 1 else f"multiplied by {position_scale:g} to object pixels",
            known if position_scale == 1 else f"--position-scale {position_scale:g}",
        ),
        "probe": (f"{modes} mode{'s' * (modes != 1)} as in the file", "it is not refined"),
        "photons": _photons(stated, nphotons),
        "bad pixels": (
            ("none", "no mask was given") if mask is None else (f"{int((~mask).sum())} of {mask.size} left out", "the mask")
        ),
    }
    return Report(str(record.file), tuple(verdicts), assumed)


def reported(
    record: Any,
    accept: Sequence[str] = (),
    *,
    crop: int = 20,
    measurement: str = "amplitude",
    position_scale: float = 1.0,
    nphotons: float | None = None,
    more: Sequence[Row] = (),
) -> Report:
    """The report about `record` with every row of the table and of `more` on it; arguments as of `judge` and `report`."""
    verdicts = judge(record, accept, crop=crop, measurement=measurement, more=more)
    return report(record, verdicts, measurement=measurement, position_scale=position_scale, nphotons=nphotons)


def _photons(stated: float | None, by_hand: float | None) -> tuple[str, str]:
    if by_hand is not None:
        other = f", instead of the file's {stated:.4g}" if stated not in (None, by_hand) else ""
        return f"{by_hand:.4g} a pattern", f"--nphotons{other}"
    if stated is not None:
        return f"{stated:.4g} a pattern", "the file's metadata"
    return f"{DEFAULT_NPHOTONS:.4g} a pattern", "nobody says; --nphotons of train does"


def as_text(reports: Sequence[Report]) -> np.ndarray:
    """Reports as JSON in a 0-d unicode array, for an NPZ."""
    return np.array(json.dumps([one.plain() for one in reports], sort_keys=True))
