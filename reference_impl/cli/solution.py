"""What `reconstruct` keeps: numbers and pictures, all of a call or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from reference_impl.cli.kept import keep
from reference_impl.cli.panels import draw_image, draw_rings, save
from reference_impl.cli.pictures import FILES, NUMBERS, View
from reference_impl.data.metadata import object_pixel
from reference_impl.data.npz import write_npz
from reference_impl.data.report import Report, as_text
from reference_impl.stored.finite import refuse_not_finite

RINGS = "halves.png"
DIVERGED = "the solver diverged; try --keep-probe, or a smaller --batch"


def keep_solution(
    folder: Path,
    found: Any,
    record: Any,
    report: Report,
    rings: Any = None,
    gone: tuple[str, ...] = (),
    noise: Any = None,
) -> list[Path]:
    """Write a `Solution` of `record` into `folder`; returns the paths. `rings`: of two halves (`evaluate.rings.Rings`), or None.
    `gone`: further files of an older run that go; `noise`: `engine.noise.Noise`, or None.

    Where a picture fails the numbers are kept, those of an earlier run go, and what it failed by is raised.
    """
    pixel = object_pixel(record.metadata)
    arrays = numbers(found, report, pixel, rings, noise)
    refuse_not_finite({name: arrays[name] for name in ("object", "probe", "positions", "residuals")}, folder / NUMBERS, DIVERGED)

    def kept(stage: Path) -> Path:
        write_npz(stage / NUMBERS, arrays)
        return stage / NUMBERS

    def drawn(stage: Path) -> list[Path]:
        return draw_solution(found, stage, pixel) + ([] if rings is None else [picture_of_rings(rings, stage / RINGS)])

    return keep(folder, (*FILES, RINGS, *gone), kept, drawn)


def numbers(found: Any, report: Report, pixel: float | None, rings: Any = None, noise: Any = None) -> dict[str, np.ndarray]:
    """Members of `reconstruction.npz`.

    `object` (H, W) complex64, `origin` [x, y] (object position of the canvas pixel [0, 0]), `covered` (H, W) bool, `probe`
    (P, N, N) complex64 in the unit of the patterns, the strongest mode first, `positions` (n, 2) float64 [x, y] px, `residuals`
    a sweep, `settled`, `checked` (JSON); where it is known `object_pixel` (m); of two halves `frc`,
    `frc_threshold`, `frc_frequency`; where it is known what a photon is, `noise_floor` (the residual that photon noise alone
    leaves), `chi_square` (the squared misfit in units of the noise's), and where positions were refined `position_noise` (px,
    rms: by how much noise alone moves them).
    """
    known: dict[str, Any] = {
        "object": found.object,
        "origin": found.frame.origin,
        "covered": found.covered,
        "probe": found.probe,
        "positions": found.positions,
        "residuals": found.residuals,
        "settled": found.settled,
        "checked": as_text([report]),
    }
    if pixel is not None:
        known["object_pixel"] = pixel
    if noise is not None:
        known |= {"noise_floor": noise.floor, "chi_square": noise.chi_square}
        known |= {} if noise.shaken is None else {"position_noise": noise.shaken}
    if rings is not None:
        known |= {"frc": rings.correlation, "frc_threshold": rings.threshold, "frc_frequency": rings.frequency}
    return {name: np.asarray(value) for name, value in known.items()}


def draw_solution(found: Any, folder: Path, pixel: float | None) -> list[Path]:
    """Write amplitude, phase and overview; returns their paths."""
    view = View(found.object, found.frame.origin, found.probe.shape[-1], found.covered, pixel)
    written = []
    for name, draw in {"amplitude": view.draw_amplitude, "phase": view.draw_phase}.items():
        figure = Figure(figsize=(6.4, 5.2), layout="constrained")
        draw(figure.add_subplot())
        written.append(save(figure, folder / f"reconstructed_{name}.png"))
    return [*written, draw_overview(found, folder / "overview.png", pixel)]


def draw_overview(found: Any, path: Path, pixel: float | None) -> Path:
    """Write amplitude, phase, probe and residuals as one picture, whole or not at all."""
    view = View(found.object, found.frame.origin, found.probe.shape[-1], found.covered, pixel)
    figure = Figure(figsize=(12, 10), layout="constrained")
    (amplitude, phase), (probe, curve) = figure.subplots(2, 2)
    view.draw_amplitude(amplitude)
    view.draw_phase(phase)
    light = np.sqrt(np.sum(np.abs(found.probe) ** 2, axis=0))
    draw_image(probe, light, title=f"probe, {len(found.probe)} modes", label="amplitude", colours="magma")
    curve.semilogy(range(1, len(found.residuals) + 1), found.residuals, marker=".")
    curve.set(xlabel="sweep", ylabel="relative residual of amplitudes", title="residual")
    return save(figure, path)


def picture_of_rings(rings: Any, path: Path) -> Path:
    """The Fourier rings of two halves as a picture of their own."""
    figure = Figure(figsize=(7.2, 4.8), layout="constrained")
    draw_rings(figure.add_subplot(), {"two halves": rings})
    return save(figure, path)
