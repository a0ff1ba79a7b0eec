"""Fourier ring correlation: to which detail two objects agree (van Heel and Schatz, J. Struct. Biol. 151 (2005) 250)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rings:
    """`frequency` `(k,)` cycles a pixel, `correlation` `(k,)` its real part, `threshold` `(k,)` of half a bit; `side` px."""

    frequency: np.ndarray
    correlation: np.ndarray
    threshold: np.ndarray
    side: int

    @property
    def crossing(self) -> float:
        """Cycles a pixel where the correlation first falls below the threshold; 0.5 where it never does."""
        below = np.flatnonzero(self.correlation < self.threshold)
        if not below.size:
            return 0.5
        at = int(below[0])
        if at == 0:
            return float(self.frequency[0])
        before, after = (self.correlation - self.threshold)[[at - 1, at]]
        step = self.frequency[at] - self.frequency[at - 1]
        return float(self.frequency[at - 1] + step * before / (before - after))

    def line(self, pixel: float | None = None) -> str:
        """The crossing in words: a period, in pixels and where the pixel is known in metres."""
        if self.crossing >= 0.5:
            return f"Fourier rings of {self.side} x {self.side} pixels: above half a bit up to the finest period, 2 pixels"
        period = 1 / self.crossing
        metres = "" if pixel is None else f", {period * pixel * 1e9:.3g} nm"
        return f"Fourier rings of {self.side} x {self.side} pixels: half a bit down to a period of {period:.2f} pixels{metres}"


def rings(one: np.ndarray, other: np.ndarray) -> Rings:
    """Of two complex squares `(s, s)` in one place and gauge. A Hann window takes the edges out; the mean goes with them.

    The threshold counts the pixels of a ring; under the window fewer are independent, so that single rings scatter more than
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
    threshold = (0.2071 + 1.9102 / root) / (1.2071 + 0.9102 / root)
    return Rings(np.arange(1, side // 2 + 1) / side, correlation, threshold, side)
