"""Patches that fit together but for what is known of them, canvases whose pixels tell their places, and fields (INFER-050 …)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from conformance.connectors import beside, native
from conformance.scenes import compared
from conformance.scenes.batches import PlainContainer, tagged

N, M = 12, 7
PARTS = ("plain", "aligned", "shuffled", "overlapping")


@dataclass(frozen=True, eq=False)
class Patches:
    """`(n, N, N, 1)` complex64 at `(n, 1, 1, 2)`, and the light on them."""

    patches: np.ndarray
    offsets: np.ndarray
    light: np.ndarray | None = None
    M: int = M

    @property
    def given(self) -> tuple[Any, ...]:
        return self.patches, self.offsets, self.M, self.light


def places(count: int = 9, seed: int = 4) -> np.ndarray:
    """`(count, 2)` positions [x, y] between pixels, a scan twice as wide as high, each within the window of another."""
    draw = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(2 * count)))
    grid = np.stack([np.arange(count) % columns, np.arange(count) // columns], -1) * [4.0, 3.0]
    return grid + draw.uniform(-0.4, 0.4, (count, 2)) + [31.0, -12.0]


def light(seed: int = 6) -> np.ndarray:
    """Light without symmetry, some pixels of the window a little above a hundredth of its largest, some a little below."""
    draw = np.random.default_rng(seed)
    found = draw.uniform(0.2, 1.0, (N, N))
    c = (N - M) // 2
    found[c + 1, c + 4] = 1.0
    found[c, c : c + M] = np.resize([0.0105, 0.0095], M)
    found[0, 0] = 50.0  # outside of the window: it plays no part
    return found


def true(seed: int = 3, count: int = 9) -> Patches:
    """Patches of one object at whole pixels near their offsets: they agree where they overlap."""
    draw = np.random.default_rng(seed)
    place = places(count)
    corner = np.rint(place).astype(int)
    least = corner.min(axis=0)
    width, height = corner.max(axis=0) - least + N
    image = draw.uniform(0.5, 1.5, (height, width)) * np.exp(1j * draw.uniform(-0.6, 0.6, (height, width)))
    cut = [image[y : y + N, x : x + N] for x, y in corner - least]
    return Patches(np.stack(cut)[..., None].astype(np.complex64), place.reshape(-1, 1, 1, 2))


def turned(scene: Patches, seed: int = 8, spread: float = np.pi) -> Patches:
    """Each patch with a phase of its own, at most `spread`."""
    phases = np.random.default_rng(seed).uniform(-spread, spread, len(scene.patches))
    return Patches(scene.patches * np.exp(1j * phases).astype(np.complex64)[:, None, None, None], scene.offsets, scene.light)


def noisy(scene: Patches, amount: float = 0.3, seed: int = 9) -> Patches:
    """Patches that disagree by what no phase mends."""
    draw = np.random.default_rng(seed)
    noise = draw.normal(size=(2, *scene.patches.shape)) * amount
    return Patches((scene.patches + noise[0] + 1j * noise[1]).astype(np.complex64), scene.offsets, scene.light)


def far_apart(scene: Patches) -> Patches:
    """The same patches, none of which overlap."""
    return Patches(scene.patches, scene.offsets * 50, scene.light)


def lit(scene: Patches) -> Patches:
    """The same patches under `light()`."""
    return Patches(scene.patches, scene.offsets, light())


def dazzled(scene: Patches, seed: int = 10) -> Patches:
    """The same patches, dark in a corner of the window, where each holds numbers of its own: they say nothing."""
    dark = np.zeros((N, N), bool)
    dark[: (N - M) // 2 + 3, : (N - M) // 2 + 5] = True
    phases = np.random.default_rng(seed).uniform(-np.pi, np.pi, (len(scene.patches), 1, 1, 1))
    patches = np.where(dark[..., None], 20 * np.exp(1j * phases), scene.patches).astype(np.complex64)
    return Patches(patches, scene.offsets, np.where(dark, 0.0, 1.0))


UNDER: dict[str, Callable[[Patches], Patches]] = {"ones": lambda scene: scene, "light": lit, "dark": dazzled}


def pair(distance: int) -> Patches:
    """Two patches of 1 and of i, `distance` columns apart: two of M columns less are shared."""
    values = np.stack([np.ones((N, N)), 1j * np.ones((N, N))])[..., None]
    return Patches(values.astype(np.complex64), np.array([[0.0, 0.0], [distance, 0.0]]).reshape(-1, 1, 1, 2))


SCENES = {
    "noisy": lambda: noisy(true()),
    "turned": lambda: turned(true()),
    "noisy-lit": lambda: lit(noisy(true())),
    "turned-lit": lambda: lit(turned(noisy(true(), 0.1))),
    "whole-window": lambda: Patches(noisy(true()).patches, true().offsets, light(), N),
    "odd-window": lambda: Patches(noisy(true()).patches, true().offsets, None, 6),
    "many": lambda: noisy(true(count=530)),
}


def figures(found: Any) -> dict[str, float]:
    """The four numbers of an answer."""
    return {name: float(native.array(native.item(found, name))) for name in PARTS}


def turns(before: np.ndarray, after: Any, light: np.ndarray | None = None) -> np.ndarray:
    """`(n,)`: what each patch was multiplied by, where it had any `light`."""
    seen = before if light is None else before * (light > 0)[..., None]
    return np.sum(native.array(after) * np.conj(seen), axis=(1, 2, 3)) / np.sum(np.abs(seen) ** 2, axis=(1, 2, 3))


JUDGED: dict[str, Callable[[Any, Patches], Any]] = {
    "disagreement": lambda backend, scene: list(figures(backend.disagreement(*scene.given)).values()),
    "agreed": lambda backend, scene: native.array(backend.agreed(*scene.given)).copy(),
    "share": lambda backend, scene: backend.covered_share(
        scene.patches[0, ..., 0].real > 0.9, (31.0, -12.0), scene.offsets.reshape(-1, 2)
    ),
    "compared": lambda backend, scene: float(native.item(backend.compared(*COMPARED), "error")),
}
"""What is told of arrays: each is asked twice."""
COMPARED = (compared.elsewhere(), compared.truth())


def twice(backend: Any, name: str) -> dict[str, tuple[Any, Any]]:
    """A figure asked for twice: both answers, whether the arrays stayed, and where the process's generators stood and stand."""
    scene = lit(turned(true()))
    arrays = (*scene.given[:2], scene.light, *COMPARED)
    before = [array.copy() for array in arrays]
    JUDGED[name](backend, scene)
    beside.seed(backend, 11)
    stood = beside.drawn(backend)
    first = JUDGED[name](backend, lit(turned(true())))
    stands = beside.drawn(backend)
    beside.seed(backend, 12)
    again = JUDGED[name](backend, lit(turned(true())))
    same = [bool(np.array_equal(array, old)) for array, old in zip(arrays, before, strict=True)]
    return {"answers": (again, first), "arrays": (same, [True] * len(same)), "generators": (stands, stood)}


# -- canvases --------------------------------------------------------------------------------------------------------------------

SCANS = {
    "wide": np.array([[0, 0], [9, 1], [4, 2], [11, -3]]) + [140.25, -60.75],
    "high": np.array([[0, 0], [1, 14], [-2, 6], [1, -4]]) + [0.5, 2000.0],
    "one": np.array([[7.125, -3.5]]),
    "lopsided": np.array([[0, 0], [0, 0], [0, 0], [12, 4]]) - [77.0, 12.5],
}
"""Positions that differ by whole pixels from their mean."""


def ramp(scan: np.ndarray, side: int = N) -> tuple[np.ndarray, np.ndarray]:
    """Patches of an object whose value at position (x, y) is `x + i·y`, and their offsets; pixel N//2 lies on the position."""
    axis = np.arange(side) - side // 2
    values = scan[:, 0, None, None] + axis[None, None, :] + 1j * (scan[:, 1, None, None] + axis[None, :, None])
    return values[..., None].astype(np.complex64), scan.reshape(-1, 1, 1, 2).astype(np.float64)


def told_places(canvas: Any, origin: Any) -> tuple[np.ndarray, np.ndarray]:
    """Of the covered pixels of a ramp's canvas: what they say, and where they lie by the origin; `(k, 2)` [x, y] each."""
    found = native.array(canvas)
    rows, columns = np.nonzero(found)
    x, y = (float(native.array(value)) for value in (native.item(origin, 0), native.item(origin, 1)))
    said = found[rows, columns]
    return np.stack([said.real, said.imag], -1), np.stack([x + columns, y + rows], -1)


# -- fields ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Field:
    """A canvas, and positions whose hull has these corners in order (none: they lie on a line, with this share)."""

    covered: np.ndarray
    origin: tuple[float, float]
    positions: np.ndarray
    corners: np.ndarray | None = None
    share: float | None = None


def _covered(seed: int, height: int = 30, width: int = 47) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(height, width)) < 0.6


KITE = np.array([[3.3, 2.1], [39.4, 6.2], [44.1, 20.7], [11.6, 27.9]])
BOX = np.array([[2.0, 3.0], [30.0, 3.0], [30.0, 12.0], [2.0, 12.0]])
LINE = np.stack([np.arange(8) * 5.0 + 1.2, np.arange(8) * 2.0 + 0.9], -1)


def _striped() -> np.ndarray:
    found = np.zeros((30, 47), bool)
    found[:, ::2] = True
    return found


FIELDS = {
    "kite": Field(_covered(1), (0.0, 0.0), KITE, KITE),
    "inner-points": Field(_covered(2), (0.0, 0.0), np.concatenate([KITE, KITE.mean(axis=0)[None], KITE[:1]]), KITE),
    "moved": Field(_covered(3), (1003.5, -41.25), KITE + [1003.5, -41.25], KITE + [1003.5, -41.25]),
    "beyond-the-canvas": Field(_covered(4), (20.0, 11.0), KITE, KITE),
    "all": Field(np.ones((30, 47), bool), (0.0, 0.0), BOX, BOX),
    "none": Field(np.zeros((30, 47), bool), (0.0, 0.0), BOX, BOX),
    "line": Field(_striped(), (0.0, 0.0), LINE, share=4 / 8),
    "line-beyond": Field(np.ones((30, 47), bool), (10.0, 0.0), LINE, share=6 / 8),
    "line-beyond-right": Field(np.ones((30, 47), bool), (-20.0, 0.0), LINE, share=6 / 8),
    "line-beyond-below": Field(np.ones((30, 47), bool), (0.0, -20.0), LINE, share=5 / 8),
    "two": Field(_striped(), (0.0, 0.0), np.array([[4.2, 3.0], [9.1, 2.0]]), share=1 / 2),
    "one": Field(_striped(), (0.5, 0.5), np.array([[4.4, 3.0]]), share=1.0),
}


def of_light(modes: int = 1, g: int = 1, seed: int = 2) -> PlainContainer:
    """A container of positive images without symmetry; under the true probe of one pattern they are not explained."""
    draw = np.random.default_rng(seed)
    plain = tagged(n=7, N=N, C=g * g, modes=modes)
    bright = (1 + np.arange(7))[:, None, None, None]
    images = draw.gamma(2.0, 1.0, plain.X.shape).astype(np.float32) * bright.astype(np.float32)
    return PlainContainer(**{**vars(plain), "X": images})


LEFT = 0.0


def explained() -> PlainContainer:
    """A container of images each of which is what the probe alone makes: nothing is left but rounding."""
    plain = tagged(n=5, N=N, C=1, modes=2)
    field = np.fft.fftshift(np.fft.fft2(plain.probe.astype(np.complex128)), axes=(-2, -1))
    pattern = np.sqrt(np.sum(np.abs(field) ** 2, axis=0))
    images = np.repeat(pattern[None, :, :, None], 5, axis=0).astype(np.float32)
    return PlainContainer(**{**vars(plain), "X": images})
