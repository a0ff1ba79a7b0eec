"""What a reconstruction is worth: how well it explains the patterns, whether its patches fit together, what it covers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, Delaunay, QhullError

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402

from reference_impl.batch import fields  # noqa: E402
from reference_impl.batch.container import as_array  # noqa: E402
from reference_impl.inference.agreement import Disagreement, disagreement  # noqa: E402
from reference_impl.inference.predict import amplitude_residual, predict_patches  # noqa: E402
from reference_impl.inference.routes import counted, origin_of  # noqa: E402

COVERED = 1e-3
"""Of a patch's pixel on a pixel of the canvas: below it the 1e-9 of the stitch (INFER-005) would show in float32's digits."""
WHOLE = 0.9
"""Least share of the scanned field that is covered without a word: a raster whose step is 1.05 crops covers 0.91 of it."""
FLAT = 1e-3
"""Least standard deviation over root mean square of an object: trained ones have 0.1 to 0.5, a collapsed one less than 1e-4."""
TELLING = 0.98
"""Largest residual, in residuals of a flat object, without a word: four trained scenes have 0.66 to 0.72, a collapsed one 1."""
FAR = 1.2
"""Residual, in residuals of a flat object, that no short training explains: a collapsed network has 1."""
FITTING = 0.9
"""Largest disagreement, in disagreements at random positions, without a word. Four scenes, a training of 12 to 40 epochs each:
right 0.42 to 0.71; detector transposed, or positions in metres, 0.98 to 1.00; x and y exchanged 0.82 to 0.98; steps of twice the
size 0.79 to 0.94. What is less wrong than that is not seen."""
SAMPLE = 64  # groups that a training is judged by at its end: a second at N = 64


@dataclass(frozen=True)
class Figures:
    """`residual`: relative amplitude residual of the reconstruction, `flat_residual`: of the best constant object under the same
    probe; `overlap`: how patches disagree; `covered`: pixels of the canvas that a patch covers, bool `(H, W)`; `share`: of the
    scanned field, the hull of the record's positions, what is covered."""

    residual: float
    flat_residual: float
    overlap: Disagreement
    covered: np.ndarray
    share: float

    def lines(self) -> list[str]:
        """Three sentences with all figures."""
        overlap = self.overlap
        places = (
            f"patches disagree by {overlap.plain:.3f} where they overlap ({overlap.aligned:.3f} with each patch's global phase "
            f"free, {overlap.shuffled:.3f} at positions dealt out at random)"
            if np.isfinite(overlap.plain)
            else "no two patches overlap"
        )
        return [
            f"relative amplitude residual {self.residual:.4f} (a flat object: {self.flat_residual:.4f})",
            places,
            f"{self.share:.1%} of the scanned field is covered",
        ]

    def warnings(self, groups: int, patterns: int, M: int, file: str | Path = "FILE") -> list[str]:
        """What the figures say that is wrong; `groups` of `patterns` of `file` were asked for, `M` pixels of a patch placed."""
        found, look = [], f"look at the file with python -m reference_impl inspect {file} --orientations"
        if self.residual >= FAR * self.flat_residual:
            why = "the bundle may have been trained under another probe, or on patterns of another kind"
            found.append(not_better(self.residual, self.flat_residual, f"{why}; or {look}"))
        elif self.residual >= TELLING * self.flat_residual:
            found.append(not_better(self.residual, self.flat_residual, f"train longer, or {look}"))
        elif self.overlap.plain >= FITTING * self.overlap.shuffled:  # False for NaN: nothing overlaps, nothing disagrees
            found.append(
                f"patches disagree where they overlap ({self.overlap.plain:.3f}) as at random positions "
                f"({self.overlap.shuffled:.3f}): positions (unit, exchange or sign of x and y) or the detector's orientation are "
                f"wrong, or the training was too short; {look}"
            )
        if self.share < WHOLE:
            why = f"{groups} of {patterns} patterns were used: --n-groups all" if groups < patterns else "steps are wide"
            found.append(f"{self.share:.1%} of the scanned field is covered ({why}; --stitch-crop-size is {M})")
        return found


def figures(
    results: Mapping[str, Any],
    module: torch.nn.Module,
    config: Any,
    execution: Any,
    positions: np.ndarray,
    M: int,
    transpose: bool = False,
) -> Figures:
    """The figures of the `results` of `reassemble_cdi_image_torch`, whose patches it turned where `transpose`.

    `positions` `(k, 2)` [x, y] px are all that were scanned, with the signs of the results' offsets.
    """
    residual = amplitude_residual(module, results["test_container"], config, execution)
    return figures_of(results, residual, config, positions, M, transpose)


def figures_of(
    results: Mapping[str, Any], residual: float, config: Any, positions: np.ndarray, M: int, transpose: bool = False
) -> Figures:
    """The same for a residual that is known."""
    container, patches, offsets = results["test_container"], results["obj_tensor_full"], results["global_offsets"]
    covered, light = counted(results, M) > COVERED, light_of(container, config)
    return Figures(
        residual=residual,
        flat_residual=flat_residual(container, config),
        overlap=disagreement(patches, offsets, M, light.T if transpose else light),
        covered=covered,
        share=covered_share(covered, origin_of(results), positions),
    )


def light_of(container: Any, config: Any) -> np.ndarray:
    """Intensity of the container's probe, modes together, `(N, N)`."""
    probe, _ = fields.probe(container, config.model.N, config.model)
    return np.sum(np.abs(probe) ** 2, axis=0)


def flat_residual(container: Any, config: Any) -> float:
    """The relative amplitude residual of the best constant object under the container's probe, over the good pixels.

    Its pattern is `B = sqrt(Σ_p |FFT(P_p)|²)` times a number; of the least squares over that number
    `1 - (Σ A·B)² / (Σ A² · Σ B²)` is left.
    """
    images = fields.images(container, config.model.gridsize**2)
    images = images.reshape(-1, *images.shape[2:])
    probe, _ = fields.probe(container, images.shape[-1], config.model)
    field = np.fft.fftshift(np.fft.fft2(probe.astype(np.complex128)), axes=(-2, -1))
    pattern = np.sqrt(np.sum(np.abs(field) ** 2, axis=0))
    good = fields.mask(container, images.shape[-1])
    pattern = pattern if good is None else np.where(good, pattern, 0)
    energy = sum(float(np.square(image, dtype=np.float64).sum()) for image in images)
    product = float(np.sum(images.sum(axis=0, dtype=np.float64) * pattern)) ** 2
    explained = product / (len(images) * float(np.sum(pattern**2)) * energy) if energy > 0 and pattern.any() else 0.0
    return float(np.sqrt(max(0.0, 1 - explained)))


def covered_share(covered: np.ndarray, origin: tuple[float, float], positions: np.ndarray) -> float:
    """Of the pixels inside the hull of `positions` `(k, 2)` [x, y], the share that is covered; what is off the canvas is not.

    For positions on one line, or fewer than three, the share of the positions themselves.
    """
    rows, columns = covered.shape
    try:
        hull = ConvexHull(positions)
    except (QhullError, ValueError):
        at = np.rint(positions - np.asarray(origin)).astype(np.int64)
        inside = (at >= 0).all(axis=1) & (at[:, 0] < columns) & (at[:, 1] < rows)
        return float(np.sum(covered[at[inside, 1], at[inside, 0]]) / len(at))
    triangles = Delaunay(positions[hull.vertices])
    found = 0
    x = origin[0] + np.arange(columns)
    for row in range(rows):
        line = np.column_stack([x, np.full(columns, origin[1] + row)])
        found += int(np.sum(covered[row] & (triangles.find_simplex(line) >= 0)))
    return min(1.0, found / hull.volume)  # in two dimensions Qhull's volume is the area


def collapse(module: torch.nn.Module, container: Any, config: Any, execution: Any = None, cause: str = "") -> list[str]:
    """What says that a training came to nothing, judged by its first groups: a flat object, or one no better than a flat one.

    `cause`: what was known before to end so.
    """
    part = _first_groups(container, SAMPLE)
    patches = predict_patches(module, part, config, execution)
    side = patches.shape[1]
    centre = patches[:, side // 4 : side - side // 4, side // 4 : side - side // 4]
    square = float(np.mean(np.abs(centre) ** 2))
    variance = max(0.0, square - abs(complex(centre.mean(dtype=np.complex128))) ** 2)
    found = []
    if square == 0 or np.sqrt(variance / square) < FLAT:
        amount = 0.0 if square == 0 else np.sqrt(variance / square)
        flat_text = f"the object that was learned is flat (it varies by {amount:.2g} of its size): the training has collapsed"
        found.append(f"{flat_text}: {cause}" if cause else flat_text)
    residual, flat = amplitude_residual(module, part, config, execution), flat_residual(part, config)
    if residual >= TELLING * flat:
        longer = "train longer, or look at the file with python -m reference_impl inspect"
        found.append(not_better(residual, flat, cause or longer))
    return found


def not_better(residual: float, flat: float, advice: str) -> str:
    """The sentence about a reconstruction that is no better than a flat object, and what to do."""
    return (
        f"the reconstruction explains the patterns no better than a flat object (relative amplitude residual {residual:.4f}, "
        f"flat {flat:.4f}): {advice}"
    )


def _first_groups(container: Any, count: int) -> dict[str, Any]:
    from reference_impl.batch import MappedDataset  # late: who infers has none, and would wait for TensorDict

    if isinstance(container, MappedDataset):
        return container.part(count)
    names = ("X", "coords_relative", "rms_scaling_constant")
    taken = {name: fields.attribute(container, name) for name in names}
    cut = {name: as_array(value)[:count] for name, value in taken.items() if value is not None and np.ndim(value)}
    return {**cut, "probe": fields.attribute(container, "probe"), "mask": fields.attribute(container, "mask")}
