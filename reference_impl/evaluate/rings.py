"""Fourier ring correlation: to which detail two objects agree (van Heel and Schatz, J. Struct. Biol. 151 (2005) 250)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rings:
    """`frequency` `(k,)` cycles a pixel, `correlation` `(k,)` its real part, `side` px.

    `threshold`, `one_bit` `(k,)`: half a bit and one bit of information a pixel.
    """

    frequency: np.ndarray
    correlation: np.ndarray
    threshold: np.ndarray
    one_bit: np.ndarray
    side: int

    @property
    def crossing(self) -> float:
        """Cycles a pixel where the correlation first falls below half a bit; 0.5 where it never does."""
        return self._crossing(self.threshold)

    @property
    def crossing_one_bit(self) -> float:
        """The same for one bit, the stricter threshold."""
        return self._crossing(self.one_bit)

    def _crossing(self, threshold: np.ndarray) -> float:
        below = np.flatnonzero(self.correlation < threshold)
        if not below.size:
            return 0.5
        at = int(below[0])
        if at == 0:
            return float(self.frequency[0])
        before, after = (self.correlation - threshold)[[at - 1, at]]
        step = self.frequency[at] - self.frequency[at - 1]
        return float(self.frequency[at - 1] + step * before / (before - after))

    def line(self, pixel: float | None = None) -> str:
        """The crossing in words: a period, in pixels and where the pixel is known in metres."""
        shown = {"half a bit": self.crossing, "one bit": self.crossing_one_bit}
        words = ", ".join(f"{name} down to {_period(crossing, pixel)}" for name, crossing in shown.items())
        return f"Fourier rings of {self.side} x {self.side} pixels: {words}"


def _period(crossing: float, pixel: float | None) -> str:
    if crossing >= 0.5:
        return "the finest period, 2 pixels"
    metres = "" if pixel is None else f" ({pixel / crossing * 1e9:.3g} nm)"
    return f"a period of {1 / crossing:.2f} pixels{metres}"


def rings(one: np.ndarray, other: np.ndarray) -> Rings:
    """Of two complex squares `(s, s)` in one place and gauge. A Hann window takes the edges out; the mean goes with them.

    The thresholds count the pixels of a ring; under the window fewer are independent, so that single rings scatter more than
    half a bit allows for, and the crossing is the first one.
    """
    side = len(one)
    window = np.outer(np.hanning(side + 2)[1:-1], np.hanning(side + 2)[1:-1])
    spectra = [np.fft.fft2((image - image.mean()) * window) for image in (one, other)]
    q = np.fft.fftfreq(side)
    ring = np.rint(np.hypot(q[:, None], q) * side).astype(int)
    kept = (ring > 0) & (ring <= side // 2)
    numbers = ring[kept]

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(numbers, values[kept], side // 2 + 1)[1:]

    shared = total((spectra[0] * spectra[1].conj()).real)
    power = np.sqrt(total(np.abs(spectra[0]) ** 2) * total(np.abs(spectra[1]) ** 2))
    correlation = np.divide(shared, power, out=np.zeros_like(shared), where=power > 0)
    root = np.sqrt(total(np.ones_like(q[:, None] + q)))
    half = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
    one_bit = (0.5 + 2.4142 / root) / (1.5 + 1.4142 / root)
    return Rings(np.arange(1, side // 2 + 1) / side, correlation, half, one_bit, side)
