"""The `unrolled` architecture: steps of the physics, and between them small networks that learn what a pattern leaves open.

A pattern alone does not decide its patch: many objects explain it to a thousandth, and a flat start leads to one of them. So the
network does not guess the object from the pattern; it corrects the gradient step that the known probe allows (learned proximal
steps: Gregor and LeCun, ICML 2010; in phase retrieval deep Griffin-Lim, Masuyama et al., IEEE JSTSP 15 (2021) 37; in
ptychography PtychoDV, arXiv 2310.07504). Patterns of a group share one image, and what one leaves open another decides. The
learned part works on blocks of 4 x 4 pixels, which are channels: a sixteenth of
the places of a convolution at full resolution. Its skip connections join pixels of the object with pixels of the object: the
pattern enters through the transform alone.
"""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

from reference_impl.config.canonical import ModelConfig  # noqa: E402
from reference_impl.domains.fields import SUPPORTED_SIZES  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.model.network import register_architecture  # noqa: E402
from reference_impl.physics import extract  # noqa: E402
from reference_impl.physics.precision import at_least_float32, full_precision  # noqa: E402

STAGES = 3
WIDTH = 16
"""Channels before `n_filters_scale`."""
BLOCK = 4
"""Side of the blocks of pixels that become channels."""
INPUTS = 5  # object less one (two), step (two), light
DAMPING = 0.1
"""Share of the brightest light in each weight of a step (rPIE: Maiden, Johnson and Li, Optica 4 (2017) 736, table 1)."""
DARK = 1e-4
"""Added to squared amplitudes, whose mean is near 1: a dark pixel has a finite gradient, and rounding no say in its direction."""
BEND = 8.0
"""How sharply a bounded amplitude turns towards 1: 0.9 becomes 0.86, and 0.7 stays 0.695."""
LARGEST = 100.0  # of what is bent: its eighth power is still a float32


class UnrolledNetwork(nn.Module):
    """Patterns of whole groups `(B, C, N, N)`, their probes `(B, C, P, N, N)` and relative positions `(B, C, 1, 2)` [x, y] px →
    `(amplitude, phase)`, float32 `(B, C, N, N)`: a patch around each position, all of a group cut from one object.

    `amp_activation` bounds the amplitude as the function of this name does: `sigmoid` below 1, the others by zero alone. Without
    `probe_big` the border of N/4 pixels is zero (MODEL-006). Raises `ContractError` for a side or a width that it has no network
    for.
    """

    takes_probe = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.N not in SUPPORTED_SIZES:
            found = f"{config.N!r}: Unsupported input size"
            raise ContractError(field="N", expected=f"one of {list(SUPPORTED_SIZES)}", found=found)
        width = round(WIDTH * config.n_filters_scale)
        if width < 2:
            expected = f"a scale that leaves two of {WIDTH} filters"
            raise ContractError(field="n_filters_scale", expected=expected, found=repr(config.n_filters_scale))
        self.stages = nn.ModuleList(Stage(width) for _ in range(STAGES))
        self.bounded = config.amp_activation == "sigmoid"
        self.border = 0 if config.probe_big else config.N // 4

    def forward(
        self, patterns: torch.Tensor, probe: torch.Tensor, positions: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        with full_precision(patterns):
            lit = Illumination(at_least_float32(patterns), moved(at_least_float32(probe), positions))
            image = torch.ones_like(lit.light, dtype=torch.complex64)
        for stage in self.stages:
            with full_precision(patterns):
                step = lit.step(image)
                seen = torch.stack([image.real - 1, image.imag, step.real, step.imag, lit.light], dim=1)
            learned = stage(seen.contiguous(memory_format=_layout(stage)))
            with full_precision(patterns):
                image = image + stage.length * step + torch.complex(*at_least_float32(learned).unbind(1))
        with full_precision(patterns):
            patches = self._cut(image + lit.step(image), positions) * lit.flat
            return self._amplitude(patches), torch.angle(patches)

    def _cut(self, image: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
        """`(B, C, N, N)` around the members' positions, of the group's image `(B, N, N)`; flat where that ends."""
        if positions is None:
            return image[:, None]
        return 1 + extract((image - 1)[:, None], positions, image.shape[-1])

    def _amplitude(self, image: torch.Tensor) -> torch.Tensor:
        amplitude = image.abs()
        if self.bounded:
            amplitude = amplitude.clamp_max(LARGEST)
            amplitude = amplitude / (1 + amplitude**BEND) ** (1 / BEND)
        if not self.border:
            return amplitude
        inner = amplitude[..., self.border : -self.border, self.border : -self.border]
        return functional.pad(inner, [self.border] * 4)


register_architecture("unrolled")(UnrolledNetwork)


def moved(modes: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
    """Modes `(B, C, P, N, N)` where their patterns lie on the image of the group: at minus their relative positions (GROUP-022).

    By a phase ramp in Fourier space, for a probe ends before its patch does (shift theorem). None moves nothing.
    """
    if positions is None:
        return modes
    q = torch.fft.fftfreq(modes.shape[-1], device=modes.device, dtype=torch.float32)
    angle = 2 * torch.pi * at_least_float32(positions).squeeze(2)[..., None] * q  # (B, C, 2, N)
    columns, rows = (torch.polar(torch.ones_like(one), one) for one in angle.unbind(2))
    turn = rows[..., :, None] * columns[..., None, :]
    return torch.fft.ifft2(torch.fft.fft2(modes) * turn[:, :, None])


class Illumination:
    """Patterns `(B, C, N, N)` and the modes `(B, C, P, N, N)` that made them of one image a group, in units of a flat one.

    `flat` `(B, 1, 1, 1)`: the amplitude of the flat object that has the patterns' energy; `light` `(B, N, N)`: intensity of all
    modes over its largest.
    """

    def __init__(self, patterns: torch.Tensor, modes: torch.Tensor) -> None:
        tiny = torch.finfo(torch.float32).tiny
        energy = _power(modes).sum(dim=(1, 2, 3, 4), keepdim=True)[:, 0].clamp_min(tiny)
        self.flat = (patterns.square().sum(dim=(1, 2, 3), keepdim=True) / energy).sqrt()
        unit = patterns.shape[-1] * (patterns.shape[1] / energy).sqrt()  # a mean intensity of 1 a pixel and pattern
        self.modes = modes * unit[:, None]
        bright = torch.where(self.flat > 0, self.flat, torch.ones_like(self.flat))
        self.amplitudes = torch.fft.ifftshift(patterns, dim=(-2, -1)) * (unit / bright)
        power = _power(self.modes).sum(dim=(1, 2))
        brightest = power.amax(dim=(1, 2), keepdim=True)
        self.light = power / brightest
        self.weight = (1 - DAMPING) * power + DAMPING * brightest

    def step(self, image: torch.Tensor) -> torch.Tensor:
        """`(B, N, N)` complex64: by how much images `(B, N, N)` are to move towards the measured amplitudes (rPIE)."""
        far = torch.fft.fft2(image[:, None, None] * self.modes, norm="ortho")
        modulus = (_power(far).sum(dim=2) + DARK).sqrt()
        change = far * ((self.amplitudes - modulus) / modulus)[:, :, None]
        return (self.modes.conj() * torch.fft.ifft2(change, norm="ortho")).sum(dim=(1, 2)) / self.weight


class Stage(nn.Module):
    """What is learned between two steps: `(n, INPUTS, N, N)` → `(n, 2, N, N)`, real and imaginary part of a correction.

    Blocks of pixels as channels on two levels, N/4 and N/8, joined by a skip. It starts as nothing: an untrained network makes
    plain steps. `length`: of the physical step before it.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.length = nn.Parameter(torch.ones(()))
        self.enter = _convolution(INPUTS * BLOCK**2, width)
        self.before, self.after = Residual(width), Residual(width)
        self.down = nn.Conv2d(width, 2 * width, kernel_size=2, stride=2)
        self.deep = nn.Sequential(Residual(2 * width), Residual(2 * width))
        self.up = nn.Conv2d(2 * width, 4 * width, kernel_size=1)
        self.leave = _convolution(width, 2 * BLOCK**2)
        _silence(self.leave)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        fine = self.before(self.enter(functional.pixel_unshuffle(seen, BLOCK)))
        coarse = self.deep(self.down(fine))
        joined = self.after(fine + functional.pixel_shuffle(self.up(coarse), 2))
        return functional.pixel_shuffle(self.leave(functional.silu(joined)), BLOCK)


class Residual(nn.Module):
    """Two convolutions beside the identity, which it starts as (He et al., ECCV 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(width, width), _convolution(width, width)
        _silence(self.second)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features + self.second(functional.silu(self.first(functional.silu(features))))


def _convolution(features_in: int, features_out: int) -> nn.Conv2d:
    return nn.Conv2d(features_in, features_out, kernel_size=3, padding=1)


def _silence(layer: nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def _power(waves: torch.Tensor) -> torch.Tensor:
    return waves.real.square() + waves.imag.square()


def _layout(stage: Stage) -> torch.memory_format:
    """The layout that the weights have: `use_channels_last` has turned them, or nobody has."""
    return torch.channels_last if stage.enter.weight.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
