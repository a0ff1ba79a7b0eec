"""Which frames are kept, which position belongs to each, and where it is in pixels of the object."""

from __future__ import annotations

import numpy as np

from reference_impl.data import units
from reference_impl.data.experiment import Experiment
from reference_impl.data.geometry import Geometry, Table, Window
from reference_impl.data.geometry_survey import Survey
from reference_impl.errors import ContractError

LEAST_SPREAD = 0.01
"""Pixels: a scan whose positions all lie within a hundredth of a pixel is none (the finest published step is 0.5)."""
DECIMALS = 6
"""Lengths become pixels by constants and products of floating-point numbers; below a millionth of a pixel they are noise."""


def kept_frames(experiment: Experiment, wanted: Geometry, survey: Survey, table: Table) -> np.ndarray:
    """Numbers of the frames that are used, ascending."""
    count = experiment.frames.shape[0]
    kept = np.ones(count, bool)
    for number in wanted.drop:
        if not 0 <= number < count:
            raise ContractError(field="drop", expected=f"frames from 0 to {count - 1}", found=str(number))
        kept[number] = False
    if wanted.drop:
        table.add("frames dropped", str(len(set(wanted.drop))), "--drop", "done")
    rules = (
        (
            "--drop-dark",
            wanted.drop_dark,
            lambda limit: survey.totals < limit * np.median(survey.totals),
            "photons below {} of the median",
        ),
        ("--drop-saturated", wanted.drop_saturated, lambda limit: survey.peaks >= limit, "a pixel of {} or more"),
    )
    for flag, limit, rule, text in rules:
        if limit is not None:
            found = rule(limit) & kept
            kept &= ~found
            shown = ", ".join(map(str, np.flatnonzero(found)[:8])) + (", …" if found.sum() > 8 else "")
            table.add(
                "frames dropped",
                f"{int(found.sum())}" + (f" ({shown})" if found.any() else ""),
                f"{flag}: {text.format(limit)}",
                "done",
            )
    if not kept.any():
        raise ContractError(field="drop", expected="frames that stay", found=f"none of {count}")
    return np.flatnonzero(kept)


def pair(experiment: Experiment, frames: np.ndarray, wanted: Geometry, table: Table) -> tuple[np.ndarray, np.ndarray]:
    """`(frames, positions (n, 2))`: by index where there are indices, else one to one; nothing is dropped on a guess."""
    if experiment.positions is None:
        expected = "positions: --positions FILE::name, --positions-x with --positions-y, or --step for a raster"
        hint = f"; as long as the scan: {', '.join(experiment.candidates)}" if experiment.candidates else " in the file"
        found = f"none{hint}"
        raise ContractError(file=experiment.file, field="positions", expected=expected, found=found)
    positions, count = np.asarray(experiment.positions.value, np.float64), experiment.frames.shape[0]
    by_frame, by_position = experiment.frame_index, experiment.position_index
    if by_frame is not None or (by_position is not None and not _in_order(by_position.value, count)):
        return _by_index(experiment, frames, positions, table)
    if len(positions) != count:
        if len(positions) < count and wanted.drop_surplus:
            table.add("frames dropped", f"the last {count - len(positions)}", "--drop-surplus: they have no position", "done")
            frames = frames[frames < len(positions)]
        elif len(positions) > count and wanted.drop_surplus:
            table.add("positions dropped", f"the last {len(positions) - count}", "--drop-surplus: they have no frame", "done")
        else:
            expected = f"one position for each of {count} patterns (an index pairs them; --drop-surplus drops the last ones)"
            raise ContractError(file=experiment.file, field="positions", expected=expected, found=f"{len(positions)} positions")
    chosen = positions[frames]
    bad = ~np.isfinite(chosen).all(axis=1)
    if bad.any():
        numbers = ", ".join(map(str, frames[bad][:5]))
        raise ContractError(
            file=experiment.file,
            field="positions",
            expected="finite positions",
            found=f"{int(bad.sum())} that are not: frames {numbers} (--drop)",
        )
    return frames, chosen


def _in_order(index: np.ndarray, count: int) -> bool:
    return len(index) == count and bool((np.asarray(index) == np.arange(count)).all())


def _by_index(experiment: Experiment, frames: np.ndarray, positions: np.ndarray, table: Table) -> tuple[np.ndarray, np.ndarray]:
    count = experiment.frames.shape[0]
    frame_index = np.arange(count) if experiment.frame_index is None else np.asarray(experiment.frame_index.value)
    index = np.asarray(experiment.position_index.value) if experiment.position_index else np.arange(len(positions))
    for name, value, size in (("frame index", frame_index, count), ("position index", index, len(positions))):
        if len(value) != size or not np.isfinite(value).all():
            raise ContractError(
                file=experiment.file, field=name, expected=f"{size} numbers", found=f"{len(value)}, or not finite"
            )
    if len(np.unique(frame_index)) != count:
        raise ContractError(file=experiment.file, field="frame index", expected="each number once", found="some twice")
    if experiment.frame_index is None and index.size:
        if index.max() == count and index.min() >= 1:
            index = index - 1
            table.add(
                "position index",
                "counts from 1",
                f"{experiment.position_index.path}: its last is the number of frames",
                "assumed",
            )
        elif index.min() < 0 or index.max() >= count:
            found = f"{index.min():g} to {index.max():g}"
            raise ContractError(
                file=experiment.file, field="position index", expected=f"numbers from 0 to {count - 1}", found=found
            )
    numbers, inverse, times = np.unique(index, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(inverse, positions[:, axis]) / times for axis in (0, 1)], axis=1)
    place = np.searchsorted(numbers, frame_index[frames]).clip(max=len(numbers) - 1)
    paired = numbers[place] == frame_index[frames]
    if not paired.any():
        raise ContractError(file=experiment.file, field="position index", expected="numbers of frames", found="none of them")
    said = f"{int(paired.sum())} of {len(frames)} frames, {len(positions)} positions"
    extra = f"; {int((times > 1).sum())} numbers stood more than once: the mean" if (times > 1).any() else ""
    table.add("pairing", said, f"by index{extra}", "done")
    return frames[paired], means[place[paired]]


def to_pixels(
    experiment: Experiment, positions: np.ndarray, wanted: Geometry, cut: Window, table: Table
) -> tuple[np.ndarray, np.ndarray | None]:
    """`((n, 2) row and column in pixels of the object that comes out, its pixel in metres or None)`."""
    item = experiment.positions
    assert item is not None  # `pair` has refused it
    pixel = object_pixel(experiment, wanted, cut, table)
    spread = float(np.ptp(positions, axis=0).max())
    if not item.unit:
        likely = units.likely_position_unit(spread)
        expected = f"a unit: --position-unit, one of {', '.join(units.POSITION_UNITS)}"
        raise ContractError(
            file=item.path, field="positions", expected=expected, found=f"none (a spread of {spread:.3g}: {likely}?)"
        )
    if item.unit == "pixel":
        factor = cut.side / base_sides(experiment, cut)
        pixels = positions * factor
        text = (
            "" if np.allclose(factor, 1) else f"times {factor[1]:g}: the window makes the object pixel so much smaller or larger"
        )
        table.add(
            "positions", f"{len(positions)} in pixels", f"{item.path} {text}".strip(), "assumed" if item.assumed else "taken"
        )
    else:
        if pixel is None:
            expected = "the object pixel: --object-pixel, or --energy, --distance and --detector-pixel"
            raise ContractError(file=item.path, field="positions", expected=expected, found=f"positions in {item.unit} alone")
        pixels = positions * units.metres(item.unit) / pixel
        table.add("positions", f"{len(positions)} in {item.unit}", item.path, "taken")
    if item.assumed:
        table.add("positions", "axes and unit", item.assumed, "assumed")
    _require_scan(pixels, item.path, item.unit, spread)
    return _turned(pixels, experiment, wanted, cut.N, table), pixel


def base_sides(experiment: Experiment, cut: Window) -> np.ndarray:
    """Detector pixels across the window whose object pixel the file means: that of its probe, else that of its frames."""
    frame = np.array(experiment.frames.shape[1:], dtype=np.float64)
    probe = None if experiment.probe is None else np.array(experiment.probe.value.shape[-2:], dtype=np.float64)
    base = frame if probe is None else probe
    if probe is None and frame[0] != frame[1]:
        base = np.array([cut.side, cut.side], dtype=np.float64)
    return base


def object_pixel(experiment: Experiment, wanted: Geometry, cut: Window, table: Table) -> np.ndarray | None:
    """(height, width) in metres of a pixel of the object that comes out; None where nothing says it."""
    optics = experiment.optical_pixel((cut.side, cut.side))
    if optics is not None and cut.transpose:
        optics = optics[::-1]
    if wanted.object_pixel is not None:
        pixel, source = np.repeat(wanted.object_pixel[0] * units.metres(wanted.object_pixel[1]), 2), "--object-pixel"
    elif experiment.object_pixel is not None:
        pixel = experiment.object_pixel.metres * base_sides(experiment, cut) / cut.side
        source = experiment.object_pixel.path
    elif optics is not None:
        pixel, source = optics, "wavelength x distance / (pixels x pitch)"
    else:
        return None
    pixel = np.array([float(f"{value:.12g}") for value in pixel])
    table.add(
        "object pixel", f"{pixel[1] * 1e9:.5g} nm" + ("" if pixel[0] == pixel[1] else f" x {pixel[0] * 1e9:.5g} nm high"), source
    )
    if optics is not None and np.abs(optics / pixel - 1).max() > 0.01:
        text = f"energy, distance and detector pixel of the file make {optics[1] * 1e9:.5g} nm"
        table.add("object pixel", "two statements", text, "warning")
    return pixel


def _require_scan(pixels: np.ndarray, path: str, unit: str, spread: float) -> None:
    if len(pixels) > 1 and np.ptp(pixels, axis=0).max() < LEAST_SPREAD:
        likely = units.likely_position_unit(spread)
        expected = f"a scan wider than {LEAST_SPREAD} object pixels (is the unit {likely}? --position-unit {likely})"
        found = f"a spread of {np.ptp(pixels, axis=0).max():.2g} pixels over {len(pixels)} positions, read in {unit}"
        raise ContractError(file=path, field="positions", expected=expected, found=found)


def _turned(pixels: np.ndarray, experiment: Experiment, wanted: Geometry, N: int, table: Table) -> np.ndarray:
    """Swap, flips, then the origin: the least row and column lie at N // 2, so that every patch is inside of an object."""
    pixels = pixels[:, ::-1] if wanted.swap_xy else pixels
    pixels = pixels * np.array([-1.0 if wanted.flip_y else 1.0, -1.0 if wanted.flip_x else 1.0])
    done = [name for name, on in (("swap", wanted.swap_xy), ("flip x", wanted.flip_x), ("flip y", wanted.flip_y)) if on]
    if done:
        table.add("positions", ", ".join(done), "flags", "done")
    spread = np.ptp(pixels, axis=0)
    narrow = len(pixels) > 1 and max(spread) < 1
    text = "narrower than one object pixel: energy, distance, detector pixel or the positions have another unit"
    table.add(
        "spread of the scan",
        f"{spread[1]:.4g} x {spread[0]:.4g} pixels",
        text if narrow else "x, y",
        "warning" if narrow else "taken",
    )
    step = float(np.sqrt(max(spread[0], 1) * max(spread[1], 1) / len(pixels)))
    if len(pixels) > 1 and step > N:
        table.add(
            "step of the scan",
            f"about {step:.3g} pixels",
            f"wider than a pattern of {N}: patches do not overlap; is the unit right?",
            "warning",
        )
    if wanted.keep_origin or experiment.object is not None:
        table.add("origin", "as in the file", "--keep-origin" if wanted.keep_origin else "the object in the file has it")
        return np.round(pixels, DECIMALS)
    return np.round(pixels - pixels.min(axis=0), DECIMALS) + N // 2
