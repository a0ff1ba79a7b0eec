"""The probe on the grid of the patterns that come out: from the file, of a modulus alone, from optics, or from the patterns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference_impl.data.experiment import Experiment
from reference_impl.data.geometry import Table, Window
from reference_impl.errors import ContractError


@dataclass(frozen=True)
class Optics:
    """A lens or zone plate (`aperture`, `focal_length`, `stop`: a central disc, all metres) out of focus by `defocus`; without
    a focal length, a pinhole of diameter `aperture` at the distance `defocus` before the sample."""

    aperture: float
    focal_length: float | None = None
    defocus: float = 0.0
    stop: float = 0.0


def on_grid(probe: np.ndarray, experiment: Experiment, cut: Window, table: Table) -> np.ndarray:
    """`(P, h, w)` → complex64 `(N, N)` or `(P, N, N)`.

    A pattern of fewer detector pixels of the same pitch sees the same field of view with fewer samples: the probe's spectrum is
    cut (or filled with zeros) alike. Binned pixels see a smaller field of view with the same samples: its middle is kept.
    """
    item = experiment.probe
    assert item is not None
    shape, frame = probe.shape[-2:], tuple(experiment.frames.shape[1:])
    if shape not in (frame, (cut.side, cut.side)):
        expected = f"complex (…, P, {frame[0]}, {frame[1]}), as the patterns, or a real modulus of this shape"
        raise ContractError(file=item.path, field="probe", expected=expected, found=f"{probe.dtype} of shape {shape}")
    modes = f"{len(probe)} incoherent mode{'s' if len(probe) > 1 else ''}"
    table.add("probe", f"{modes}, {shape[0]} x {shape[1]}", item.path)
    if item.assumed:
        table.add("probe", "modes", item.assumed, "assumed")
    if probe.dtype.kind != "c":
        table.add("probe", "a modulus alone", "its phase is set to zero: a start, which --refine-probe improves", "assumed")
    field = resampled(probe.astype(np.complex128) if probe.dtype.kind != "c" else probe, cut.side)
    if shape != (cut.side, cut.side):
        table.add("probe", f"{cut.side} x {cut.side}", "its spectrum cut or filled up as the detector was", "done")
    edge = (cut.side - cut.N) // 2
    field = field[..., edge : edge + cut.N, edge : edge + cut.N]
    return (field[0] if len(field) == 1 else field).astype(np.complex64)


def resampled(probe: np.ndarray, side: int) -> np.ndarray:
    """`(P, h, w)` → `(P, side, side)`: the same field of view, the central frequencies alone, or zeros beyond those that were."""
    axes = (-2, -1)
    if probe.shape[-2:] == (side, side):
        return probe
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe, axes=axes), norm="ortho"), axes=axes)
    for axis in axes:
        size = spectrum.shape[axis]
        if side <= size:
            first = size // 2 - side // 2
            spectrum = np.take(spectrum, np.arange(first, first + side), axis=axis)
        else:
            widths = [(0, 0)] * spectrum.ndim
            widths[axis] = (side // 2 - size // 2, side - size - (side // 2 - size // 2))
            spectrum = np.pad(spectrum, widths)
    return np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(spectrum, axes=axes), norm="ortho"), axes=axes)


def of_optics(optics: Optics, wavelength: float, pixel: tuple[float, float], N: int, photons: float) -> np.ndarray:
    """complex64 `(N, N)`: the field in the sample's plane, with the energy of a mean pattern; `pixel` (height, width) and
    `wavelength` in metres.

    Lens: its aperture is the far field of the focus, |q| <= D / (2 λ f); pinhole: a disc in real space. Both are propagated by
    the Fresnel transfer function exp(-i π λ z q²) (Goodman, Introduction to Fourier Optics, equation 4-21).
    """
    radius = np.hypot(np.fft.fftfreq(N, pixel[0])[:, None], np.fft.fftfreq(N, pixel[1]))
    if optics.focal_length is not None:
        edge, inner = (size / (2 * wavelength * optics.focal_length) for size in (optics.aperture, optics.stop))
        limit = 1 / (2 * max(pixel))
        if edge > limit:
            found = (
                f"a half angle of {edge * wavelength * 1e3:.3g} mrad, the detector ends at {limit * wavelength * 1e3:.3g} mrad"
            )
            raise ContractError(field="aperture", expected="a lens whose cone the detector sees", found=found)
        far = ((radius <= edge) & (radius >= inner)).astype(np.complex128)
    else:
        y, x = (np.mgrid[:N, :N] - N // 2) * np.reshape(pixel, (2, 1, 1))
        disc = (np.hypot(y, x) <= optics.aperture / 2).astype(np.complex128)
        if not disc.any() or optics.aperture > N * min(pixel):
            found = f"{optics.aperture * 1e6:.4g} um in a field of view of {N * min(pixel) * 1e6:.4g} um"
            raise ContractError(field="aperture", expected="a pinhole that fits the field of view", found=found)
        far = np.fft.fft2(np.fft.ifftshift(disc))
    field = np.fft.fftshift(np.fft.ifft2(far * np.exp(-1j * np.pi * wavelength * optics.defocus * radius**2)))
    return (field * np.sqrt(photons / np.sum(np.abs(field) ** 2))).astype(np.complex64)


def candidates(mean: np.ndarray) -> list[np.ndarray]:
    """Probes `(N, N)` whose far field has the mean pattern's modulus: in focus, and out of it by a few steps both ways.

    A focused beam's far field is its aperture; the sample scatters little of it elsewhere, so that a tenth of the brightest (of
    a pattern smoothed over 3 x 3 pixels) bounds it. A phase `a |q|²` over the aperture is a defocus; its steps blur the focus to
    a tenth, a fifth, … of the field of view.
    """
    N = mean.shape[0]
    padded = np.pad(mean, 1, mode="edge")
    smooth = sum(padded[i : i + N, j : j + N] for i in range(3) for j in range(3)) / 9
    aperture = np.sqrt(mean * (smooth > 0.1 * smooth.max()))
    v, u = np.mgrid[:N, :N] - N // 2
    radius2 = (u**2 + v**2).astype(np.float64)
    reach = np.sqrt(np.sum(aperture**2 * radius2) / np.sum(aperture**2)) or 1.0
    # exp(i a r²) sends the rim r to the place a r N / π: blurs of these fractions of the field of view.
    steps = [0.0, *(sign * blur * np.pi / (2 * reach) for blur in (0.1, 0.2, 0.35, 0.5) for sign in (1, -1))]
    return [np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(aperture * np.exp(1j * a * radius2)), norm="ortho")) for a in steps]
