"""How near a product's object is to the known one: figures beside those of the best constant image, and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

REACH = 3  # pixels by which a product is moved to see where it fits best
NEAR = 1  # pixels: what a short training blurs by; an image around the mean position lies further off
MARGIN = 38  # pixels at the rim where the probe has seen little: half a patch and the disc's blur


@dataclass(frozen=True)
class Score:
    """Relative error of the complex object and rms error of its phase (rad), each beside the best constant image's.

    One complex factor (global phase and scale) is taken out. `shift` (rows, columns) is where the product fits best; `turned` is
    the least error among its mirror images, its conjugate and its transpose.
    """

    error: float
    error_null: float
    phase: float
    phase_null: float
    shift: tuple[int, int]
    turned: float

    def failures(self, part: float) -> list[str]:
        """What is not as it has to be: errors at most `part` of the constant's, in place, the right way up."""
        found = [
            f"{name} {value:.3f}, expected at most {part} of the constant image's {null:.3f}"
            for name, value, null in (("error", self.error, self.error_null), ("phase error", self.phase, self.phase_null))
            if not value <= part * null
        ]
        found += [f"fits best {self.shift} pixels off"] if max(map(abs, self.shift)) > NEAR else []
        return found + ([f"fits better turned: {self.turned:.3f} against {self.error:.3f}"] if self.turned <= self.error else [])

    def __str__(self) -> str:
        return (
            f"error {self.error:.3f} (constant {self.error_null:.3f}), phase {self.phase:.3f} rad "
            f"(constant {self.phase_null:.3f}), best place {self.shift}, best turned {self.turned:.3f}"
        )


def score(image: np.ndarray, truth: np.ndarray) -> Score:
    """Compare on the pixels that are `MARGIN` inside; both `(H, W)`, pixel by pixel. Raises `ValueError` for another shape."""
    if image.shape != truth.shape:
        raise ValueError(f"object: expected shape {truth.shape}, found {image.shape}")
    inside = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    true = truth[inside]
    error, phase = _errors(image[inside], true)
    error_null, phase_null = _errors(np.ones_like(true), true)
    shifts = {
        (r, c): _errors(np.roll(image, (-r, -c), (0, 1))[inside], true)[0]
        for r in range(-REACH, REACH + 1)
        for c in range(-REACH, REACH + 1)
    }
    part = image[inside]
    side = min(part.shape)
    square, true_square = part[:side, :side], true[:side, :side]
    turned = [_errors(a, true)[0] for a in (part[::-1], part[:, ::-1], part[::-1, ::-1], part.conj())]
    turned.append(_errors(square.T, true_square)[0])
    return Score(error, error_null, phase, phase_null, min(shifts, key=lambda place: shifts[place]), min(turned))


def _errors(image: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Relative error and rms phase (rad) after the best complex factor."""
    factor = np.vdot(image, true) / max(np.vdot(image, image).real, np.finfo(np.float64).tiny)
    fitted = factor * image
    angle = np.angle(fitted * true.conj())
    return float(np.linalg.norm(fitted - true) / np.linalg.norm(true)), float(np.sqrt(np.mean(angle**2)))


def draw(image: np.ndarray, truth: np.ndarray, title: str, path: Path) -> None:
    """Amplitude and phase of a product above those of the truth."""
    from matplotlib.figure import Figure

    factor = np.vdot(image, truth) / max(np.vdot(image, image).real, np.finfo(np.float64).tiny)
    figure = Figure(figsize=(11, 9), layout="constrained")
    axes = figure.subplots(2, 2)
    for row, (name, field) in zip(axes, (("product", factor * image), ("known", truth)), strict=True):
        for place, (part, values) in zip(row, (("amplitude", np.abs(field)), ("phase (rad)", np.angle(field))), strict=True):
            limits = np.percentile(np.abs(truth) if part == "amplitude" else np.angle(truth), [0.5, 99.5])
            shown = place.imshow(values, vmin=limits[0], vmax=limits[1], cmap="gray" if part == "amplitude" else "viridis")
            place.set(title=f"{name}: {part}", xlabel="column x (pixels)", ylabel="row y (pixels)")
            figure.colorbar(shown, ax=place)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)
