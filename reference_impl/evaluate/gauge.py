"""Two objects brought into one place and one gauge: what no pattern tells is taken out, and said.

An object is known up to a complex factor, a shift, and a phase ramp (a shift of all patterns on the detector). They are found in
two steps: whole pixels by the correlation of phase differences between neighbours, which knows neither factor nor ramp; then all
seven numbers together by least squares (Gauss-Newton; Guizar-Sicairos, Thurman and Fienup, Opt. Lett. 33 (2008) 156, show why
shift and factor are to be fitted together).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_erosion, map_coordinates, spline_filter

from reference_impl.errors import ContractError
from reference_impl.evaluate.read import Picture

ROUNDS = 30
CLOSE = 1e-5
"""Pixels, and radians across the image, of a step after which nothing more is to be gained."""
ORDER = 5  # of the splines that an image is sampled between its pixels with
RIM = 3  # pixels next to what was not measured, which splines mix with it
SAME = 5e-3  # relative: over 200 pixels a larger difference of pixels moves detail by more than one
LEAST = 256  # pixels that both objects have to show


@dataclass(frozen=True)
class Gauge:
    """Taken out of an object: `factor` complex, `ramp` [x, y] rad/px, `shift` [x, y] px (in the pixels of the reference).

    `shift`: by how much the object lay beside the reference; with origins known, beyond what these say.
    """

    factor: complex
    ramp: tuple[float, float]
    shift: tuple[float, float]


@dataclass(frozen=True)
class Pair:
    """`image` and `truth` `(H, W)` complex128 in one place and gauge; `common` bool: where both were measured."""

    image: np.ndarray
    truth: np.ndarray
    common: np.ndarray
    gauge: Gauge


def registered(image: Picture, truth: Picture) -> Pair:
    """`image` in the place and the gauge of `truth`. `ContractError`: no piece in common, or pixels of other sizes."""
    if image.pixel is not None and truth.pixel is not None and abs(image.pixel / truth.pixel - 1) > SAME:
        expected = f"pixels of {truth.pixel * 1e9:.4g} nm as in {truth.name}; nothing is resampled"
        raise ContractError(field=image.name, expected=expected, found=f"{image.pixel * 1e9:.4g} nm")
    if image.origin is not None and truth.origin is not None:
        start = np.array(truth.origin) - np.array(image.origin)
    else:
        start = np.zeros(2)
    nominal = start if image.origin is not None and truth.origin is not None else None
    moved = _coarse(image, truth) if nominal is None else nominal
    return _fitted(image, truth, moved, np.zeros(2) if nominal is None else nominal)


def _coarse(image: Picture, truth: Picture) -> np.ndarray:
    """`[x, y]` whole pixels: the image's pixel on which the truth's [0, 0] lies."""
    shape = [int(2 ** np.ceil(np.log2(a + b))) for a, b in zip(image.field.shape, truth.field.shape, strict=True)]
    total = np.zeros(shape)
    for axis in (0, 1):
        one, other = (np.fft.fft2(_steps(picture, axis), shape) for picture in (image, truth))
        total += np.abs(np.fft.ifft2(one * other.conj()))
    row, column = np.unravel_index(int(np.argmax(total)), total.shape)
    return np.array([_signed(column, shape[1], truth.field.shape[1]), _signed(row, shape[0], truth.field.shape[0])], float)


def _signed(place: int, side: int, reach: int) -> int:
    return int(place) - side if place > side - reach else int(place)


def _steps(picture: Picture, axis: int) -> np.ndarray:
    """Each pixel times the conjugate of its neighbour, less the mean: a ramp is a factor of it, a constant factor its size."""
    both = picture.covered & np.roll(picture.covered, 1, axis)
    both[(slice(0, 1), slice(None)) if axis == 0 else (slice(None), slice(0, 1))] = False
    product = picture.field * np.roll(picture.field, 1, axis).conj()
    return np.where(both, product - product[both].mean(), 0)


def _fitted(image: Picture, truth: Picture, moved: np.ndarray, nominal: np.ndarray) -> Pair:
    """All seven numbers by Gauss-Newton on the common pixels; the factor and the ramp start from neighbours' phases."""
    sampler, (rows, columns) = _Sampler(image), np.mgrid[: truth.field.shape[0], : truth.field.shape[1]]
    sure = binary_erosion(truth.covered, iterations=RIM, border_value=0)
    centre = np.array([columns[sure].mean(), rows[sure].mean()]) if sure.any() else np.zeros(2)
    x, y = columns - centre[0], rows - centre[1]
    ramp: np.ndarray | None = None
    for _ in range(ROUNDS):
        field, known = sampler.at(rows + moved[1], columns + moved[0])
        common = sure & known
        if common.sum() < LEAST:
            found = f"{int(common.sum())} pixels in common"
            raise ContractError(field=image.name, expected=f"an object that shares a piece with {truth.name}", found=found)
        if ramp is None:
            ramp = _first_ramp(truth.field, field, common)
        turned = field * np.exp(1j * (ramp[0] * x + ramp[1] * y))
        factor = np.vdot(turned[common], truth.field[common]) / np.vdot(turned[common], turned[common])
        step = _step(factor * turned, truth.field, common, x, y)
        moved, ramp = moved + step[:2], ramp + step[2:]
        if np.abs(step[:2]).max() < CLOSE and np.abs(step[2:]).max() * max(truth.field.shape) < CLOSE:
            break
    gauge = Gauge(complex(factor), (float(ramp[0]), float(ramp[1])), tuple(map(float, moved - nominal)))  # type: ignore[arg-type]
    return Pair(factor * turned, truth.field, common, gauge)


def _first_ramp(truth: np.ndarray, field: np.ndarray, common: np.ndarray) -> np.ndarray:
    """`[x, y]` rad/px by which the truth's phase grows faster, from the phases of neighbours."""
    product = np.where(common, truth * field.conj(), 0)
    return np.array([np.angle(np.vdot(product[:, :-1], product[:, 1:])), np.angle(np.vdot(product[:-1], product[1:]))])


def _step(image: np.ndarray, truth: np.ndarray, common: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`[shift x, y, ramp x, y]`: the least-squares step, the complex factor fitted along with it."""
    down, right = np.gradient(image)
    columns = [right, down, 1j * x * image, 1j * y * image, image, 1j * image]
    design = np.stack([column[common] for column in columns], axis=1)
    lacking = (truth - image)[common]
    real = np.concatenate([design.real, design.imag]), np.concatenate([lacking.real, lacking.imag])
    scale = np.linalg.norm(real[0], axis=0)
    scale[scale == 0] = 1.0
    return (np.linalg.lstsq(real[0] / scale, real[1], rcond=None)[0] / scale)[:4].clip(-1, 1)


class _Sampler:
    """An image between its pixels: splines of `ORDER`, and where all that they mix was measured."""

    def __init__(self, picture: Picture) -> None:
        self.parts = [spline_filter(part, ORDER, mode="mirror") for part in (picture.field.real, picture.field.imag)]
        self.sure = binary_erosion(picture.covered, iterations=RIM, border_value=0).astype(float)

    def at(self, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """`(values, whether they are known)` at fractional rows and columns."""
        places = np.stack([rows, columns])
        real, imaginary = (map_coordinates(part, places, order=ORDER, mode="mirror", prefilter=False) for part in self.parts)
        known = map_coordinates(self.sure, places, order=1, mode="constant", cval=0.0) > 0.999
        return real + 1j * imaginary, known
