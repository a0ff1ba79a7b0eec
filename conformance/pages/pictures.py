"""Pictures of what was found and of the truth: amplitude, phase, difference, and Fourier ring correlation."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

INK = "#010203"
"""Stands for the text's colour in a plot; the page's own takes its place, light or dark."""
WIDEST = 360  # pixels, of a picture that a backend drew
MOST_PIXELS = 16_000_000
UNREADABLE = (OSError, ValueError, KeyError, SyntaxError, zipfile.BadZipFile, zlib.error)
"""What NumPy, zipfile and Pillow raise at a damaged file."""


@dataclass(frozen=True)
class Picture:
    """An image as a data URI; `trouble` where there is none."""

    title: str
    caption: str = ""
    source: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class Plate:
    """All pictures of one artefact; `curve` is an SVG or empty."""

    name: str
    pictures: tuple[Picture, ...]
    curve: str = ""


def plate(name: str, path: Path) -> Plate:
    """The pictures of an artefact: an archive of `found` and `truth`, or a PNG. What cannot be read says so in its place."""
    try:
        if path.suffix == ".png":
            return Plate(name, (drawn(path),))
        with np.load(path, allow_pickle=False) as archive:
            return compared(name, archive["found"], archive["truth"])
    except UNREADABLE as error:
        return Plate(name, (Picture(name, trouble=f"{path.name} cannot be shown: {type(error).__name__}: {error}"),))


def drawn(path: Path) -> Picture:
    """A PNG that a backend drew, encoded anew and no wider than `WIDEST`."""
    from PIL import Image

    with Image.open(path, formats=["PNG"]) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.width} × {image.height} pixels are too many")
        small = image.convert("RGB")
    small.thumbnail((WIDEST, WIDEST))
    return Picture(path.stem.rpartition(".")[2], f"{small.width} × {small.height} pixels", _uri(small))


def compared(name: str, found: np.ndarray, truth: np.ndarray) -> Plate:
    """Amplitude (and, of complex images, phase) of two images on one scale, their difference, and their correlation by rings."""
    if found.shape != truth.shape or found.ndim != 2:
        raise ValueError(f"two images of one shape were expected, found {found.shape} and {truth.shape}")
    pictures: list[Picture] = []
    complex_ = np.iscomplexobj(found) or np.iscomplexobj(truth)
    sides = (("found", found), ("expected", truth))
    size = [np.abs(x) if complex_ else x for _, x in sides]
    low, high = min(float(x.min()) for x in size), max(float(x.max()) for x in size)
    for (side, _), x in zip(sides, size, strict=True):
        title = f"{side}: amplitude" if complex_ else side
        pictures.append(Picture(title, f"{low:.3g} … {high:.3g}", _coloured(x, "viridis", low, high)))
    if complex_:
        for side, x in sides:
            pictures.append(Picture(f"{side}: phase", "−π … π", _coloured(np.angle(x), "twilight", -np.pi, np.pi)))
    off = np.abs(found.astype(np.complex128) - truth)
    pictures.append(Picture("|difference|", f"0 … {off.max():.3g}", _coloured(off, "magma", 0.0, float(off.max()))))
    return Plate(name, tuple(pictures), _curve(*rings(found, truth)))


def rings(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fourier ring correlation of two images, `(frequency in Nyquist, correlation)`, over their common centred square.

    Saxton and Baumeister 1982: Σ F·G* / sqrt(Σ|F|² Σ|G|²) over rings one pixel wide; 0 where a ring is empty.
    """
    side = min(found.shape)
    f, g = (np.fft.fft2(x[:side, :side]) for x in (found, truth))
    along = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(along[:, None], along[None, :])).astype(int).ravel()

    def sums(x: np.ndarray) -> np.ndarray:
        return np.bincount(ring, x.ravel(), minlength=side)[: side // 2 + 1]

    power = np.sqrt(sums(np.abs(f) ** 2) * sums(np.abs(g) ** 2))
    cross = sums((f * np.conj(g)).real)
    return np.arange(side // 2 + 1) / (side / 2), np.divide(cross, power, out=np.zeros_like(cross), where=power > 0)


def _coloured(image: np.ndarray, name: str, low: float, high: float) -> str:
    from matplotlib import colormaps
    from PIL import Image

    span = high - low if high > low else 1.0
    return _uri(Image.fromarray(colormaps[name]((image - low) / span, bytes=True)[..., :3]))


def _uri(image: object) -> str:
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)  # type: ignore[attr-defined]
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _curve(frequency: np.ndarray, correlation: np.ndarray) -> str:
    """The correlation as an SVG whose ink is the page's text colour."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    ink = dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), INK)
    with matplotlib.rc_context({**ink, "svg.fonttype": "none", "svg.hashsalt": "frc", "font.size": 8}):
        figure = Figure(figsize=(3.2, 2.0), layout="constrained", facecolor="none")
        axes = figure.add_subplot(xlabel="spatial frequency / Nyquist", ylabel="FRC", ylim=(-0.1, 1.08), xlim=(0, 1))
        axes.patch.set_visible(False)
        axes.plot(frequency, correlation, color="#3b82f6", linewidth=1.6)
        axes.axhline(1 / 7, color=INK, linewidth=0.6, linestyle=":")
        axes.text(0.99, 1 / 7 + 0.02, "1/7", ha="right", color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        stream = io.StringIO()
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    return text[text.index("<svg") :].replace(INK, "currentColor")
