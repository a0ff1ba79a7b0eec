"""Units as people write them, and what they are in metres or electronvolts."""

from __future__ import annotations

import math
import re

from reference_impl.errors import ContractError

PLANCK, LIGHT, CHARGE = 6.62607015e-34, 299792458.0, 1.602176634e-19  # J s, m/s, C: exact by definition of the SI (2019)

LENGTHS = {"m": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6, "nm": 1e-9, "angstrom": 1e-10, "pm": 1e-12}
ENERGIES = {"eV": 1.0, "keV": 1e3, "MeV": 1e6, "J": 1 / CHARGE}
PIXEL = "pixel"
POSITION_UNITS = (*LENGTHS, PIXEL)

_SPELLINGS = {
    **{name.lower(): name for name in (*LENGTHS, *ENERGIES)},
    "µm": "um", "μm": "um", "micron": "um", "microns": "um", "micrometer": "um", "micrometre": "um", "micrometers": "um",
    "meter": "m", "metre": "m", "meters": "m", "metres": "m", "millimeter": "mm", "millimetre": "mm", "nanometer": "nm",
    "nanometre": "nm", "nanometers": "nm", "å": "angstrom", "a": "angstrom", "angstroms": "angstrom", "joule": "J",
    "px": PIXEL, "pixels": PIXEL, "pixel": PIXEL,
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\*?\s*([^\W\d_]*)\s*", re.UNICODE)


def canonical(unit: str) -> str | None:
    """The name that this module uses for a spelling of a unit, or None where it knows none."""
    return _SPELLINGS.get(unit.strip().lower())


def metres(unit: str) -> float:
    """How many metres one `unit` is; `KeyError` where it is no length."""
    return LENGTHS[unit]


def quantity(text: str, field: str, units: dict[str, float]) -> tuple[float, str]:
    """`(75.0, "um")` of `75 um`; a number alone is in the first of `units`. Raises `ContractError` under the name `field`."""
    found = _QUANTITY.fullmatch(text)
    base = next(iter(units))
    unit = base if found and not found[2] else canonical(found[2]) if found else None
    if not found or unit not in units or not math.isfinite(float(found[1])):
        expected = f"a number and one of the units {', '.join(units)} (a number alone is in {base})"
        raise ContractError(field=field, expected=expected, found=repr(text[:60]))
    if float(found[1]) <= 0:
        raise ContractError(field=field, expected="a number above 0", found=text.strip())
    return float(found[1]), unit


def wavelength(value: float, unit: str) -> float:
    """Metres, of photons of an energy, or of a wavelength that is one already."""
    return value * LENGTHS[unit] if unit in LENGTHS else PLANCK * LIGHT / (value * ENERGIES[unit] * CHARGE)


def electronvolts(metres_: float) -> float:
    """The energy of photons of this wavelength."""
    return PLANCK * LIGHT / (metres_ * CHARGE)


def likely_position_unit(spread: float) -> str:
    """The unit in which a usual scan (1 to 100 um across) has this spread: a hint for messages, never used by itself."""
    limits = {"m": 3e-4, "mm": 0.3, "um": 300.0}
    return next((unit for unit, limit in limits.items() if spread < limit), "nm")
