"""Sweeps over the patterns in mini-batches: each moves the object, the probe's modes and the positions a step.

The update of a mini-batch is the regularised one, summed over its patterns (rPIE: Maiden, Johnson and Li, Optica 4 (2017) 736,
table 1; over many patterns at once: Odstrčil, Menzel and Guizar-Sicairos, Opt. Express 26 (2018) 3108, section 2.3),
with heavy-ball momentum (Polyak, USSR Comput. Math. 4 (1964) 1; in ptychography mPIE, Maiden et al. 2017, eq. 19).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from reference_impl.engine import positions as places
from reference_impl.engine import probe as modes
from reference_impl.engine import waves
from reference_impl.engine.canvas import Frame, Patches, corners, frame_of
from reference_impl.engine.problem import Problem
from reference_impl.engine.settings import Settings
from reference_impl.engine.settling import Settling

MARGIN = 8
"""Pixels by which a position may move from where it was given."""

TOGETHER = 1 << 17
"""Pixels of exit waves that are worked on together: larger mini-batches are heard in parts."""

KEPT = 1 << 28
"""Bytes of moved probes that are kept from sweep to sweep: 8,192 of 64 x 64 pixels."""


@dataclass
class Solution:
    """`object` `(H, W)` complex64 on `frame`; `probe` `(P, N, N)` complex64 in the record's unit; `positions` `(n, 2)` [x, y] px.

    `covered` `(H, W)` bool: where the scan brought light; `residuals`: each sweep's relative misfit of amplitudes,
    sqrt(Σ (|F| - A)² / Σ A²); `settled`: whether the last sweep was the solver's own decision.
    """

    object: np.ndarray
    probe: np.ndarray
    positions: np.ndarray
    frame: Frame
    covered: np.ndarray
    residuals: list[float]
    settled: bool


@dataclass
class State:
    """Where the solver stands between two sweeps; everything that a later sweep depends on."""

    object: Tensor
    probe: Tensor
    positions: Tensor
    object_velocity: Tensor
    probe_velocity: Tensor
    object_best: Tensor
    probe_best: Tensor
    positions_best: Tensor
    sweep: int = 0
    settling: Settling = field(default_factory=Settling)

    @classmethod
    def start(cls, image: Tensor, probe: Tensor, positions: Tensor) -> State:
        """Before the first sweep, at rest."""
        still = torch.zeros_like(image), torch.zeros_like(probe)
        return cls(image, probe, positions, *still, image.clone(), probe.clone(), positions.clone())

    def after(self, residual: float, settle: bool) -> None:
        """One sweep more: a state that is better than all before is remembered, and one that has gone astray is left for it."""
        self.sweep, self.settling = self.sweep + 1, self.settling.after(residual, settle)
        if self.settling.lowest:
            self._copy("{}", "{}_best")
        elif self.settling.astray:
            self._copy("{}_best", "{}")
            self.object_velocity.zero_()
            self.probe_velocity.zero_()

    def _copy(self, source: str, target: str) -> None:
        for name in ("object", "probe", "positions"):
            getattr(self, target.format(name)).copy_(getattr(self, source.format(name)))


class Said:
    """What the patterns of a mini-batch say together, summed up part by part.

    `object` `(H, W)` and `light` `(H, W)`: the change that they ask for, and what weighs it; `probe` `(P, N, N)` in Fourier space
    and `weight` `(N, N)` likewise; `misfit`: squared, of amplitudes. `transform`, `power`: of the probe that they are heard with;
    `slopes`: of `positions.slopes_of` where positions move, or None; `known`: one over the light where that was kept, or None.
    """

    def __init__(self, image: Tensor, probe: Tensor, positions: bool, known: Tensor | None = None) -> None:
        self.object, self.probe = torch.zeros_like(image), torch.zeros_like(probe)
        self.light, self.weight = torch.zeros_like(image, dtype=torch.float32), torch.zeros_like(probe[0], dtype=torch.float32)
        self.known, self.misfit = known, self.light.new_zeros((), dtype=torch.float64)
        self.transform, self.power = torch.fft.fft2(probe), waves.power(probe).sum(dim=0)
        self.slopes = places.slopes_of(self.transform) if positions else None


@dataclass
class Kept:
    """What is computed once, by the first number of its part or mini-batch: where neither `positions` move nor anything else.

    `places`: patches and the factors of fractions; `probes`: the probe moved, and its conjugate; `weights`: one over the light.
    """

    positions: bool
    everything: bool
    places: dict[int, tuple[Patches, Tensor]] = field(default_factory=dict)
    probes: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    weights: dict[int, Tensor] = field(default_factory=dict)


def _weighed(light: Tensor, damping: float) -> Tensor:
    """One over the light, the faintest held up by a share of the brightest; in place."""
    brightest = light.max()
    return light.mul_(1 - damping).add_(damping * brightest).reciprocal_()


class Solver:
    """One experiment under one set of settings; `sweeps()` works, `solution()` tells."""

    def __init__(self, problem: Problem, settings: Settings) -> None:
        self.problem, self.settings, device = problem, settings, problem.device
        self.N = problem.patterns.shape[-1]
        self.frame = frame_of(problem.positions, self.N, MARGIN if settings.refine_positions else 0)
        shape = (self.frame.height, self.frame.width)
        image = torch.ones(shape, dtype=torch.complex64, device=device)
        first = modes.started(problem.probe, 1.0, settings.modes, problem.good)
        self.given = torch.from_numpy(problem.positions).to(device)
        self.together = max(1, TOGETHER // first.numel())
        self.kept = self._keepers(first.nbytes)
        self.state = State.start(image, first, self.given.clone())

    def sweeps(self) -> Iterator[float]:
        """Make sweeps until the last one, or until the residual settles; yields the residual of each."""
        while self.state.sweep < self.settings.sweeps and not self.state.settling.done:
            yield self._sweep()

    def _keepers(self, probe: int) -> Kept:
        """What is the same in every sweep is kept, as far as memory allows; `probe`: its bytes."""
        settings, problem = self.settings, self.problem
        canvas = self.frame.height * self.frame.width * 4
        positions = not settings.refine_positions and len(problem) * self.N**2 * 12 <= KEPT
        everything = len(problem) * (2 * probe + self.N**2 * 4) + len(problem.batches) * canvas <= KEPT
        return Kept(positions, positions and everything and not settings.refine_probe)

    def _sweep(self) -> float:
        state, settings = self.state, self.settings
        misfit = torch.zeros((), dtype=torch.float64, device=self.problem.device)
        for number in np.random.default_rng([settings.seed, state.sweep]).permutation(len(self.problem.batches)):
            misfit += self._step(self.problem.batches[number])
        if settings.refine_positions and state.sweep >= settings.quiet_positions:
            places.recentre(state.positions, self.given)
        residual = float((misfit / len(self.problem)).sqrt())
        state.after(residual, settings.settle)
        return residual

    def _step(self, batch: slice) -> Tensor:
        """One mini-batch: what its patterns say, and a step each; returns its squared misfit."""
        state, settings = self.state, self.settings
        probe = state.sweep >= settings.quiet_probe and settings.refine_probe
        positions = state.sweep >= settings.quiet_positions and settings.refine_positions
        said = Said(state.object, state.probe, positions, self.kept.weights.get(batch.start))
        for first in range(batch.start, batch.stop, self.together):
            self._listen(slice(first, min(first + self.together, batch.stop)), said, probe)
        self._move_object(said, batch)
        if probe:
            self._move_probe(said)
        return said.misfit

    def _listen(self, part: slice, said: Said, probe: bool) -> None:
        """Add what these patterns say to what the mini-batch has `said`, and move their positions."""
        state, settings, problem = self.state, self.settings, self.problem
        measured = problem.patterns[part].to(problem.device)
        patches, turn, lit, back = self._placed(part, said)
        image = patches.read(state.object)
        added, misfit = waves.change(image[:, None] * lit, measured, problem.good, settings.likelihood)
        said.misfit += misfit
        patches.add(waves.over_modes(back * added), said.object)
        if said.known is None:
            # The light of a moved probe, where the unmoved one lies: it weighs the step, and is not what the step leads to.
            patches.add(said.power, said.light)
        if not probe and said.slopes is None:
            return
        back, power = torch.fft.fft2(image.conj()[:, None] * added).mul_(turn.conj()[:, None]), waves.power(image)
        if said.slopes is not None:
            step = places.step(power, said.transform, back, said.slopes) * settings.position_step * state.settling.scale
            state.positions[part] = places.within(state.positions[part] + step, self.given[part], MARGIN)
        said.probe += back.sum(dim=0)
        said.weight += power.sum(dim=0)

    def _placed(self, part: slice, said: Said) -> tuple[Patches, Tensor, Tensor, Tensor]:
        """The patches of these patterns, the factors `(b, N, N)` of their fractions, the probe `(b, P, N, N)` moved by these, and
        its conjugate."""
        if part.start in self.kept.places:
            patches, turn = self.kept.places[part.start]
        else:
            corner, fraction = corners(self.state.positions[part], self.frame)
            patches, turn = Patches(corner, self.frame), waves.turns(fraction, self.N)
            if self.kept.positions:
                self.kept.places[part.start] = patches, turn
        if part.start in self.kept.probes:
            return patches, turn, *self.kept.probes[part.start]
        lit = waves.moved(said.transform, turn)
        if self.kept.everything:
            self.kept.probes[part.start] = lit, lit.conj().resolve_conj()
            self.kept.places[part.start] = patches, turn[:0]  # needed no more
        return patches, turn, lit, lit.conj()

    def _move_object(self, said: Said, batch: slice) -> None:
        state, settings = self.state, self.settings
        weight = said.known
        if weight is None:
            weight = _weighed(said.light, settings.damping)
            if self.kept.everything:
                self.kept.weights[batch.start] = weight
        step = said.object.mul_(weight)
        state.object_velocity.mul_(settings.momentum).add_(step, alpha=settings.object_step * state.settling.scale)
        state.object.add_(state.object_velocity)

    def _move_probe(self, said: Said) -> None:
        state, settings = self.state, self.settings
        step = torch.fft.ifft2(said.probe).mul_(_weighed(said.weight, settings.damping))
        state.probe_velocity.mul_(settings.momentum).add_(step, alpha=settings.probe_step * state.settling.scale)
        state.probe.add_(state.probe_velocity)

    def solution(self) -> Solution:
        """What the solver has now, as arrays on the host."""
        state = self.state
        found = modes.orthogonal(state.probe) / self.problem.unit
        return Solution(
            object=state.object.cpu().numpy().copy(),
            probe=found.cpu().numpy(),
            positions=state.positions.cpu().numpy()[np.argsort(self.problem.numbers)],
            frame=self.frame,
            covered=(self.light() > COVERED).cpu().numpy(),
            residuals=list(state.settling.residuals),
            settled=state.settling.done,
        )

    def model(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Measured amplitudes and the model's, `(b, N, N)` each with zero frequency at [0, 0], part by part."""
        said = Said(self.state.object, self.state.probe, False)
        for batch in self.problem.batches:
            for first in range(batch.start, batch.stop, self.together):
                part = slice(first, min(first + self.together, batch.stop))
                patches, _, lit, _ = self._placed(part, said)
                far = torch.fft.fft2(patches.read(self.state.object)[:, None] * lit, norm="ortho")
                yield self.problem.patterns[part].to(self.problem.device), waves.modulus_of(far)

    def light(self) -> Tensor:
        """`(H, W)` float32: the probe's light that the scan brought to each pixel, of the brightest pixel's."""
        corner, _ = corners(self.state.positions, self.frame)
        power = waves.power(self.state.probe).sum(dim=0)
        total = torch.zeros(self.state.object.shape, device=power.device)
        for part in corner.split(self.together):
            Patches(part, self.frame).add(power, total)
        return total / total.max()


COVERED = 0.02
"""Share of the brightest pixel's light that an object's pixel needs to count as measured."""


def solve(
    problem: Problem,
    settings: Settings,
    told: Callable[[Solver, float], None] | None = None,
    before: Callable[[Solver], None] | None = None,
) -> Solution:
    """Object, probe and positions of an experiment.

    `told(solver, residual)` is called after each sweep, `before(solver)` ahead of the first one: it may set another state.
    """
    with torch.no_grad():
        solver = Solver(problem, settings)
        if before is not None:
            before(solver)
        for residual in solver.sweeps():
            if told is not None:
                told(solver, residual)
        return solver.solution()
