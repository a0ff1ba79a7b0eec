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
    sweep: int = 0
    settling: Settling = field(default_factory=Settling)


class Solver:
    """One experiment under one set of settings; `sweeps()` works, `solution()` tells."""

    def __init__(self, problem: Problem, settings: Settings) -> None:
        self.problem, self.settings, device = problem, settings, problem.device
        self.N = problem.patterns.shape[-1]
        self.frame = frame_of(problem.positions, self.N, MARGIN if settings.refine_positions else 0)
        shape = (self.frame.height, self.frame.width)
        image = torch.ones(shape, dtype=torch.complex64, device=device)
        first = modes.started(problem.probe, 1.0, settings.modes)
        given = torch.from_numpy(problem.positions).to(device)
        self.given = given
        fixed = not settings.refine_probe and not settings.refine_positions
        kept = first.new_empty(len(problem), *first.shape) if fixed and len(problem) * first.nbytes <= KEPT else None
        self.moved, self.known = kept, torch.zeros(len(problem), dtype=torch.bool, device=device)
        self.state = State(image, first, given.clone(), torch.zeros_like(image), torch.zeros_like(first))

    def sweeps(self) -> Iterator[float]:
        """Make sweeps until the last one, or until the residual settles; yields the residual of each."""
        while self.state.sweep < self.settings.sweeps and not self.state.settling.done:
            yield self._sweep()

    def _sweep(self) -> float:
        state, settings = self.state, self.settings
        order = np.random.default_rng([settings.seed, state.sweep]).permutation(len(self.problem))
        misfit = torch.zeros((), dtype=torch.float64, device=self.problem.device)
        for first in range(0, len(order), settings.batch):
            misfit += self._step(torch.from_numpy(order[first : first + settings.batch]))
        if settings.refine_positions and state.sweep >= settings.quiet_positions:
            places.recentre(state.positions, self.given)
        residual = float((misfit / len(order)).sqrt())
        state.sweep += 1
        state.settling = state.settling.after(residual, settings.settle)
        return residual

    def _step(self, numbers: Tensor) -> Tensor:
        """One mini-batch: what its patterns say, and a step each; returns its squared misfit."""
        state, settings, problem = self.state, self.settings, self.problem
        measured = problem.patterns[numbers.to(problem.patterns.device)].to(problem.device)
        numbers = numbers.to(problem.device)
        corner, fraction = corners(state.positions[numbers], self.frame)
        patches, turn = Patches(corner, self.frame), waves.turns(fraction, self.N)
        image, lit = patches.read(state.object), self._moved_probe(numbers, turn)
        added, misfit = waves.change(image[:, None] * lit, measured, problem.good, settings.likelihood)
        scale = state.settling.scale
        if settings.refine_positions and state.sweep >= settings.quiet_positions:
            step = places.step(image, state.probe, turn, added) * settings.position_step * scale
            state.positions[numbers] = places.within(state.positions[numbers] + step, self.given[numbers], MARGIN)
        self._move_object(patches, lit, added, scale)
        if settings.refine_probe and state.sweep >= settings.quiet_probe:
            self._move_probe(image, turn, added, scale)
        return misfit

    def _moved_probe(self, numbers: Tensor, turn: Tensor) -> Tensor:
        """`(b, P, N, N)`: the probe at these patterns' fractions of a pixel, moved once where neither ever changes."""
        if self.moved is None:
            return waves.moved(self.state.probe, turn)
        new = numbers[~self.known[numbers]]
        if len(new):
            self.moved[new] = waves.moved(self.state.probe, waves.turns(corners(self.given[new], self.frame)[1], self.N))
            self.known[new] = True
        return self.moved[numbers]

    def _move_object(self, patches: Patches, lit: Tensor, added: Tensor, scale: float) -> None:
        state, settings = self.state, self.settings
        # The light of a moved probe, where the unmoved one lies: it weighs the step, and is not what the step leads to.
        wanted, light = patches.total((lit.conj() * added).sum(dim=1), waves.power(state.probe).sum(dim=0), state.object)
        step = wanted / ((1 - settings.damping) * light + settings.damping * light.max())
        state.object_velocity = settings.momentum * state.object_velocity + settings.object_step * scale * step
        state.object = state.object + state.object_velocity

    def _move_probe(self, image: Tensor, turn: Tensor, added: Tensor, scale: float) -> None:
        state, settings = self.state, self.settings
        back = torch.fft.fft2(image.conj()[:, None] * added) * turn.conj()[:, None]
        wanted = torch.fft.ifft2(back.sum(dim=0))
        weight = waves.power(image).sum(dim=0)
        step = wanted / ((1 - settings.damping) * weight + settings.damping * weight.max())
        state.probe_velocity = settings.momentum * state.probe_velocity + settings.probe_step * scale * step
        state.probe = state.probe + state.probe_velocity

    def solution(self) -> Solution:
        """What the solver has now, as arrays on the host."""
        state = self.state
        found = modes.orthogonal(state.probe) / self.problem.unit
        return Solution(
            object=state.object.cpu().numpy(),
            probe=found.cpu().numpy(),
            positions=state.positions.cpu().numpy().copy(),
            frame=self.frame,
            covered=(self.light() > COVERED).cpu().numpy(),
            residuals=list(state.settling.residuals),
            settled=state.settling.done,
        )

    def light(self) -> Tensor:
        """`(H, W)` float32: the probe's light that the scan brought to each pixel, of the brightest pixel's."""
        corner, _ = corners(self.state.positions, self.frame)
        power = waves.power(self.state.probe).sum(dim=0)
        total, nothing = torch.zeros(self.state.object.shape, device=power.device), torch.zeros_like(self.state.probe[0])
        for first in range(0, len(corner), self.settings.batch):
            part = corner[first : first + self.settings.batch]
            total += Patches(part, self.frame).total(nothing.expand(len(part), -1, -1), power, total)[1]
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
