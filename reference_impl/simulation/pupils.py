"""Probes of optics: a pupil with Zernike aberrations, a zone plate; and incoherent modes of any probe.

Lengths are shares: an `aperture` of 1 is a pupil whose diameter fills the detector, so that no wavelength is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import factorial

import numpy as np

from reference_impl.data.geometry_probe import Optics, of_optics


def noll(j: int) -> tuple[int, int]:
    """Radial order n and azimuthal order m (negative: the sine) of Zernike term `j` from 1 (Noll, JOSA 66 (1976) 207)."""
    n = 0
    while j > (n + 1) * (n + 2) // 2:
        n += 1
    place = j - n * (n + 1) // 2 - 1
    m = 2 * ((place + 1) // 2) if n % 2 == 0 else 2 * (place // 2) + 1
    return n, m if j % 2 == 0 else -m


def zernike(j: int, rho: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Term `j` (Noll) at radius `rho` in pupil radii and `azimuth` (rad); its rms over the unit disc is 1."""
    n, m = noll(j)
    k = abs(m)
    radial = np.zeros_like(rho)
    for s in range((n - k) // 2 + 1):
        divisor = factorial(s) * factorial((n + k) // 2 - s) * factorial((n - k) // 2 - s)
        radial += (-1) ** s * factorial(n - s) / divisor * rho ** (n - 2 * s)
    if k == 0:
        return np.sqrt(n + 1) * radial
    return np.sqrt(2 * (n + 1)) * radial * (np.cos(k * azimuth) if m > 0 else np.sin(k * azimuth))


def aberrated(N: int, aperture: float, coefficients: Mapping[int, float]) -> np.ndarray:
    """complex64 `(N, N)`, peak 1: the focus of a round pupil under aberrations, `coefficients` in rad rms by Noll's number."""
    y, x = (np.mgrid[:N, :N] - N // 2) / (aperture * N / 2)
    rho, azimuth = np.hypot(x, y), np.arctan2(y, x)
    phase = sum((size * zernike(j, rho, azimuth) for j, size in coefficients.items()), np.zeros((N, N)))
    pupil = (rho <= 1) * np.exp(1j * phase)
    field = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(pupil), norm="ortho"))
    return (field / np.abs(field).max()).astype(np.complex64)


def zone_plate(N: int, aperture: float, stop: float, defocus: float) -> np.ndarray:
    """complex64 `(N, N)`, peak 1: a zone plate with a central `stop` (a share of its diameter), `defocus` rad at its edge."""
    edge = aperture / 2  # cycles a pixel
    optics = Optics(aperture=aperture, focal_length=1.0, defocus=-defocus / (np.pi * edge**2), stop=stop * aperture)
    field = of_optics(optics, wavelength=1.0, pixel=(1.0, 1.0), N=N, photons=1.0)
    return (field / np.abs(field).max()).astype(np.complex64)


def partly_coherent(probe: np.ndarray, powers: Sequence[float]) -> np.ndarray:
    """Modes complex64 `(P, N, N)`, orthogonal, of `probe` `(N, N)`; mode p has the share `powers[p]` of the light.

    The first is the probe; the others are it times coordinates and their powers, made orthogonal in their order, as Hermite modes
    are of a Gaussian beam (Siegman, Lasers (1986) chapter 16).
    """
    N = probe.shape[-1]
    y, x = (np.mgrid[:N, :N] - N // 2) / N
    orders = ((right, total - right) for total in range(len(powers)) for right in range(total, -1, -1))
    base = probe.astype(np.complex128)
    steps = [(base * x**right * y**down).ravel() for right, down in list(orders)[: len(powers)]]
    orthonormal, triangle = np.linalg.qr(np.stack(steps, axis=1))
    turned = orthonormal * (np.diag(triangle) / np.abs(np.diag(triangle)))  # the first is the probe, not minus it
    size = np.sqrt(np.asarray(powers) / np.sum(powers)) * np.linalg.norm(base)
    return (turned * size).T.reshape(len(powers), N, N).astype(np.complex64)
