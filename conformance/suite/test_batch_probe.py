"""BATCH: the probe of a batch, its normalisation, and its meeting with the object."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import batch as oracle
from conformance.scenes import batches, surfaces
from conformance.scenes.batches import first, tagged
from conformance.scenes.optics import curved_probe

GRIDS = pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
MANNERS = pytest.mark.parametrize("manner", ["contiguous", "read-only", "views"])
PLAIN = curved_probe(12)[0]
PROBES = {
    "NxN": curved_probe(12)[0],
    "NxNx1": curved_probe(12)[0][..., None],
    "1xNxN": curved_probe(12),
    "2xNxN": curved_probe(12, 2),
    "3xNxN-of-3": curved_probe(3, 3) + 0.5,
}


def modes_of(probe: np.ndarray) -> np.ndarray:
    """A probe of an accepted shape as `(P, N, N)`."""
    return np.moveaxis(probe, -1, 0) if probe.shape[-1] == 1 else probe.reshape(-1, *probe.shape[-2:])


@pytest.mark.axes("container:modes", "container:memory", "container:g")
@pytest.mark.clause("BATCH-028~1", evidence="algebraic")
@MANNERS
@pytest.mark.parametrize("modes", [1, 2], ids=["P1", "P2"])
@GRIDS
def test_the_probe_has_five_axes(backend: Any, observe: Observer, g: int, modes: int, manner: str) -> None:
    """`(B, C, P, N, N)` complex64, all modes in their order. If this fails, suspect a probe stacked once a sample."""
    container = batches.in_memory(tagged(C=g * g, modes=modes), manner)

    with observe.accepts("container"):
        probe = native.item(first(backend, container, g), 1)

    observe.dtype("dtype", probe, "complex64")
    observe.close(
        "probe", batches.broadcast(probe, (8, g * g, modes, 12, 12)), oracle.batch_probe(tagged(modes=modes).probe, 8, g * g)
    )


@pytest.mark.clause("BATCH-028~1", evidence="algebraic")
@pytest.mark.parametrize("modes", [1, 2], ids=["P1", "P2"])
def test_a_probe_is_whole_where_its_norm_is_masked(backend: Any, observe: Observer, modes: int) -> None:
    """With `probe_mask`, too, the batch has the container's probe. If this fails, suspect a mask that stays on the probe."""
    config = batches.training(backend, N=12, gridsize=2, model={"probe_mask": True})

    probe = native.item(batches.train_batches(backend, tagged(modes=modes), config)[0], 1)

    found, truth = batches.broadcast(probe, (8, 4, modes, 12, 12)), oracle.batch_probe(tagged(modes=modes).probe, 8, 4)
    observe.close("probe", found, truth)


@pytest.mark.clause("BATCH-029~1", evidence="algebraic")
@pytest.mark.parametrize("modes", [1, 2], ids=["P1", "P2"])
def test_the_scaling_is_the_probes(backend: Any, observe: Observer, modes: int) -> None:
    """The factor between the container's probe and the batch's, or one. If this fails, suspect the constant of the patterns."""
    container = tagged(modes=modes)

    with observe.accepts("valid input"):
        batch = first(backend, container, 2)

    scaling = native.item(batch, 2)
    truth = batches.probe_scaling(batch, container.probe)
    observe.dtype("dtype", scaling, "float32")
    observe.holds("shape", native.shape(scaling) in ((8, 1, 1, 1), (1, 1, 1, 1)), "(B|1, 1, 1, 1)", str(native.shape(scaling)))
    observe.close("scaling", batches.broadcast(scaling, (8, 1, 1, 1)), np.broadcast_to(truth, (8, 1, 1, 1)))
    observe.holds("positive", truth.min() > 0, "a positive factor", str(truth.min()))


@pytest.mark.clause("BATCH-029~1", evidence="algebraic", needs=("BATCH-026",))
@pytest.mark.parametrize(("given", "masked"), [(PLAIN, True), (None, False)], ids=["masked", "none"])
def test_the_scaling_is_that_of_any_probe(backend: Any, observe: Observer, given: Any, masked: bool) -> None:
    """Of one whose norm is masked, of none, which is one everywhere. If this fails, suspect a factor made beside the probe."""
    batch = first(backend, tagged(probe=given), 2, model={"probe_mask": masked})

    scaling = batches.broadcast(native.item(batch, 2), (8, 1, 1, 1))

    truth = batches.probe_scaling(batch, {True: PLAIN, False: np.ones_like(PLAIN)}[masked])
    observe.close("scaling", scaling, np.broadcast_to(truth, (8, 1, 1, 1)))


@pytest.mark.device
@pytest.mark.clause("BATCH-028~1")
@pytest.mark.parametrize("bad", ["BxNxN", "NxN", "BxCxNxN", "six-axes", "side", "smaller", "pixel"])
def test_other_layouts_of_a_probe_are_refused(backend: Any, observe: Observer, bad: str) -> None:
    """Where probe meets object only five axes of the right side pass. If this fails, suspect a broadcast that happens to work."""
    surfaces.needed(backend, "loaders")  # the layout is the batch's: without batches there is none to refuse
    probe, shape = batches.refused_probe(bad)
    objects = np.ones((3, 4, 12, 12), np.complex64)

    with observe.raises("refusal", ValueError, "(B, C, P, H, W)", "PROBE-RANK-001", str(shape)[1:-1]):
        backend.diffract(objects, probe)


@pytest.mark.device
@pytest.mark.clause("BATCH-028~1", evidence="symmetry")
@pytest.mark.parametrize("changed", [0, 3])
@pytest.mark.parametrize("modes", [1, 2], ids=["P1", "P2"])
def test_samples_do_not_couple(backend: Any, observe: Observer, modes: int, changed: int) -> None:
    """Another probe for one sample leaves the others bit for bit. If this fails, suspect samples on the axis of modes."""
    objects, probes = batches.own_probes(modes)
    others = [0, 1, 2, 3, 4][:changed] + [0, 1, 2, 3, 4][changed + 1 :]
    disturbed = batches.with_another(probes, changed)

    before = native.array(backend.diffract(objects, probes))
    after = native.array(backend.diffract(objects, disturbed))

    observe.equal("the others", after[others], before[others])
    observe.differs("the changed one", after[changed], before[changed])


@pytest.mark.device
@pytest.mark.clause("BATCH-050~1", evidence="differential")
@pytest.mark.parametrize("probe_scale", [1.0, 4.0, 0.7], ids=["one", "four", "fraction"])
@pytest.mark.parametrize("shape", PROBES)
def test_a_probe_is_divided_by_its_norm(backend: Any, observe: Observer, shape: str, probe_scale: float) -> None:
    """P / (probe_scale · mean|P|), one norm for all modes. If this fails, suspect a norm a mode, or `(N, N, 1)` as modes."""
    probe = PROBES[shape]

    with observe.accepts("valid input"):
        found, factor = backend.normalise_probe(probe, probe_scale)

    modes = modes_of(probe)
    norm = oracle.probe_norm(modes, probe_scale)
    observe.close("probe", batches.as_modes(found), modes.astype(complex) / norm)
    observe.close("factor", native.array(factor).reshape(()), 1 / norm)


@pytest.mark.clause("BATCH-050~1", evidence="symmetry")
@GRIDS
def test_a_trailing_axis_is_no_mode(backend: Any, observe: Observer, g: int) -> None:
    """`(N, N, 1)` makes the batches of `(N, N)`, masked or not. If this fails, suspect an axis of one that is taken for modes."""
    container, masked = tagged(C=g * g), {"model": {"probe_mask": True}}
    other = tagged(C=g * g, probe=container.probe[..., None])

    plain, trailing = (native.item(first(backend, given, g), 1) for given in (container, other))
    under_a_mask, trailing_too = (native.item(first(backend, given, g, **masked), 1) for given in (container, other))

    observe.close("probe", trailing, native.array(plain))
    observe.close("probe of a masked norm", trailing_too, native.array(under_a_mask))


@pytest.mark.clause("BATCH-050~1", evidence="conservation")
@pytest.mark.parametrize("shape", PROBES)
def test_a_normalised_probe_has_a_known_mean(backend: Any, observe: Observer, shape: str) -> None:
    """probe_scale · mean|P| = 1. If this fails, suspect a norm of squares."""
    with observe.accepts("valid input"):
        found, _ = backend.normalise_probe(PROBES[shape], 2.5)

    observe.close("mean", float(2.5 * np.mean(np.abs(native.array(found).astype(np.complex128)))), 1.0)


@pytest.mark.clause("BATCH-050~1", evidence="symmetry")
@pytest.mark.parametrize("unit", [2.0**-10, 2.0**8], ids=["small", "large"])
def test_a_normalised_probe_has_no_unit(backend: Any, observe: Observer, unit: float) -> None:
    """Another unit gives the same probe, and a factor that makes up for it. If this fails, suspect an absolute constant."""
    first, first_factor = backend.normalise_probe(PROBES["2xNxN"], 2.5)
    second, second_factor = backend.normalise_probe(PROBES["2xNxN"] * np.float32(unit), 2.5)

    observe.close("probe", second, native.array(first))
    observe.close("factor", native.array(second_factor).reshape(()) * unit, native.array(first_factor).reshape(()))


@pytest.mark.clause("BATCH-050~1")
@pytest.mark.parametrize("shape", [(12,), (12, 10), (2, 12, 10), (1, 2, 12, 12)], ids=["line", "oblong", "oblong-modes", "rank4"])
def test_other_shapes_of_a_probe_are_refused(backend: Any, observe: Observer, shape: tuple[int, ...]) -> None:
    """Three shapes are known. If this fails, suspect a heuristic on ranks."""
    with observe.raises("refusal", ValueError) as caught:
        backend.normalise_probe(np.ones(shape, np.complex64), 1.0)

    observe.equal("shapes not named", batches.unnamed(caught.message, "(N,N)", "(N,N,1)", "(P,N,N)"), [])


@pytest.mark.clause("BATCH-050~1")
@pytest.mark.parametrize(("level", "probe_scale"), [(1.0, 0.0), (1.0, -1.0), (0.0, 1.0)], ids=["zero", "negative", "dark"])
def test_a_probe_without_norm_is_refused(backend: Any, observe: Observer, level: float, probe_scale: float) -> None:
    """No amplitude, or no scale. If this fails, suspect an infinite probe."""
    with observe.raises("refusal", ValueError):
        backend.normalise_probe(np.full((12, 12), level, np.complex64), probe_scale)


@pytest.mark.clause("BATCH-050~1")
@pytest.mark.parametrize("shape", [(0, 12, 12), (0, 0), (2, 0, 0)], ids=["no-modes", "no-pixels", "modes-of-no-pixels"])
def test_a_probe_of_nothing_is_refused(backend: Any, observe: Observer, shape: tuple[int, ...]) -> None:
    """It has a rank, and no amplitude. If this fails, suspect a mean of nothing."""
    with observe.raises("refusal", ValueError):
        backend.normalise_probe(np.ones(shape, np.complex64), 1.0)


@pytest.mark.clause("BATCH-050~1", evidence="symmetry")
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("copies", [2, 3])
def test_equal_modes_have_the_norm_of_one(backend: Any, observe: Observer, copies: int, masked: bool) -> None:
    """A mean over pixels and modes, under whatever mask. If this fails, suspect a mask for one mode, or for one mode alone."""
    one = curved_probe(12)[0]
    config = batches.training(backend, N=12, gridsize=2, model={"probe_mask": masked})

    alone, several = (
        native.item(batches.train_batches(backend, tagged(probe=probe), config)[0], 1)
        for probe in (one, np.stack([one] * copies))
    )

    expected = np.repeat(batches.broadcast(alone, (8, 4, 1, 12, 12)), copies, axis=2)
    observe.close("modes", batches.broadcast(several, (8, 4, copies, 12, 12)), expected)
