"""Inputs drawn by Hypothesis: the same in every run, small, and shrunk to the smallest that refutes.

`CONFORM_EXAMPLES=500` draws more of them than the 25 of a usual run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

SETTINGS = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=int(os.environ.get("CONFORM_EXAMPLES", "25")),
    report_multiple_bugs=False,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def every(**drawn: st.SearchStrategy[Any]) -> Callable[[Any], Any]:
    """The check holds for every example of these strategies."""
    return lambda test: SETTINGS(given(**drawn)(test))


def ready() -> None:
    """Hypothesis reads the sources of all that is loaded, for their constants, when it draws: once for all forks of a process."""
    every(numbers=st.lists(st.integers(), min_size=200, max_size=200))(lambda numbers: None)()


def complex_images(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """complex64 arrays of this shape with parts in sixteenths from −4 to 4."""
    parts = arrays.arrays(np.int8, (2, *shape), elements=st.integers(-64, 64))
    return parts.map(lambda p: ((p[0] + 1j * p[1]) / 16).astype(np.complex64))


@st.composite
def moved_images(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, H, W)`, one to three, up to 9 × 9, and their offsets `(n, 2)` in sixteenths of a pixel up to 12."""
    n, H, W = draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 9))
    steps = draw(arrays.arrays(np.int16, (n, 2), elements=st.integers(-192, 192)))
    return draw(complex_images(n, H, W)), (steps / 16).astype(np.float32)


@st.composite
def cut_canvases(draw: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """A canvas `(B, 1, M, M)`, relative offsets `(B, C, 1, 2)` in sixteenths up to 3 px, and the side N of what is cut out."""
    B, C, N = draw(st.integers(1, 2)), draw(st.sampled_from([1, 4])), draw(st.sampled_from([4, 8]))
    M = N + draw(st.integers(0, 5))
    steps = draw(arrays.arrays(np.int8, (B, C, 1, 2), elements=st.integers(-48, 48)))
    return draw(complex_images(B, 1, M, M)), (steps / 16).astype(np.float32), N


@st.composite
def illuminated_fields(draw: Any) -> tuple[np.ndarray, np.ndarray]:
    """A field `(B, C, N, N)` and a probe `(B|1, C|1, P, N, N)`, which bring light to one pixel at least.

    Without any, a detector may show the floor under its square root (PHYS-002), whose share of nothing has no bound.
    """
    B, C, P, N = draw(st.integers(1, 3)), draw(st.sampled_from([1, 4])), draw(st.integers(1, 3)), draw(st.sampled_from([4, 6, 8]))
    shape = (draw(st.sampled_from([1, B])), draw(st.sampled_from([1, C])), P, N, N)
    field, probe = draw(complex_images(B, C, N, N)), draw(complex_images(*shape))
    field.flat[0], probe.flat[0] = field.flat[0] or 1, probe.flat[0] or 1
    return field, probe


@st.composite
def scans(draw: Any) -> tuple[np.ndarray, int, int]:
    """Points `(n, 2)` on a coarse grid, many of them at one place or equally far, a grid size, and K neighbours."""
    g = draw(st.sampled_from([2, 2, 1]))
    n = draw(st.integers(g * g + 2, 24))
    points = draw(arrays.arrays(np.int8, (n, 2), elements=st.integers(-9, 9)))
    return points.astype(float) * [1.75, 1.0], g, draw(st.integers(g * g, 9))


@st.composite
def layouts(draw: Any) -> tuple[np.ndarray, int]:
    """Channel-last images `(B, N, N, g²)`, every pixel with a value of its own, and g."""
    B, N, g = draw(st.integers(1, 4)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    return np.arange(B * N * N * g * g, dtype=np.float32).reshape(B, N, N, g * g), g


@st.composite
def records(draw: Any) -> dict[str, np.ndarray]:
    """A raw record: stack `(M, N, N)` float32, positions and starts `(M,)` float64, probe `(N, N)` complex64, scan indices."""
    M, N = draw(st.integers(1, 7)), draw(st.sampled_from([8, 10]))
    place = st.floats(-1e6, 1e6, allow_subnormal=False)
    named = ("xcoords", "ycoords", "xcoords_start", "ycoords_start")
    positions = {name: draw(arrays.arrays(np.float64, M, elements=place)) for name in named}
    stack = draw(arrays.arrays(np.float32, (M, N, N), elements=st.floats(0, 1e6, width=32)))
    stack[:, N // 2, N // 2] += 1  # no pattern is dark
    probe = draw(complex_images(N, N)) + np.complex64(5)
    scan = draw(arrays.arrays(np.int64, M, elements=st.integers(0, 3)))
    return {**positions, "diff3d": stack, "probeGuess": probe, "scan_index": scan}


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_POSITIVE = st.floats(0.015625, 64, width=16)
MODEL_FIELDS = _some(
    N=st.sampled_from([64, 128, 256]),
    gridsize=st.integers(1, 5),
    n_filters_scale=st.integers(1, 4),
    probe_scale=_POSITIVE,
    gaussian_smoothing_sigma=_POSITIVE,
    amp_activation=st.sampled_from(["sigmoid", "swish", "softplus", "relu"]),
    **{name: st.booleans() for name in ("object_big", "probe_big", "probe_mask", "pad_object")},
)
"""Some fields of a model configuration, with valid values."""

TRAINING_FIELDS = _some(
    batch_size=st.sampled_from([1, 2, 4, 8, 16, 32]),
    nepochs=st.integers(1, 500),
    nphotons=st.sampled_from([1.0, 2.5e4, 1e9]),
    n_groups=st.integers(1, 9999),
    subsample_seed=st.integers(0, 2**31 - 1),
    neighbor_count=st.integers(1, 30),
    gradient_clip_val=_POSITIVE,
    weight_decay=st.floats(0, 1, width=16),
    scheduler=st.sampled_from(["Default", "Exponential", "WarmupCosine", "ReduceLROnPlateau"]),
    **{name: st.booleans() for name in ("sequential_sampling", "enable_oversampling", "intensity_scale_trainable")},
)
"""Some fields of a training configuration, with valid values."""
