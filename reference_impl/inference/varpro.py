"""Two factors for the two parts of an object, from what was measured (INFER-021)."""

from __future__ import annotations

from reference_impl.policy import require_torch

require_torch()

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.physics import illuminate  # noqa: E402

CHUNK = 64
"""Patterns looked at together."""
STEPS = 40
DARK = 1e-24
"""Share of the brighter part's squared light below which a part has none."""


def varpro_scales(
    real: Tensor, imaginary: Tensor, probe: Tensor, measured: Tensor, good: Tensor | None = None
) -> tuple[float, float]:
    """`(s1, s2)`, s1 ≥ 0, for which `|s1·Ψa + s2·Ψb|²` has the least squared distance from the measured intensities.

    `Ψa`, `Ψb`: the far fields of `a` and of `i·b` under the probe, orthonormal. With `X1 = Σ|Ψa|²`, `X2 = Σ|Ψb|²` and
    `X3 = 2·Re Σ Ψa·conj(Ψb)`, sums over modes, the prediction is `s1²·X1 + s2²·X2 + s1·s2·X3`: the sums of their products
    over all patterns and pixels are all that the factors depend on. `real`, `imaginary`, `measured` `(n, N, N)`, `probe`
    `(N, N)` or `(P, N, N)`, physical, in the unit of `measured`; `good` bool `(N, N)` or None for all: other pixels have no part
    in the distance. A part without light has the other's factor. Raises `ContractError`.
    """
    _refuse_other_shapes(real, imaginary, probe, measured)
    gram, right = torch.zeros(3, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    modes = probe.to(torch.complex128).reshape(1, 1, -1, *probe.shape[-2:])
    for first in range(0, len(real), CHUNK):
        part = slice(first, first + CHUNK)
        bases = _bases(real[part].double(), imaginary[part].double(), modes)
        bases = (bases if good is None else torch.where(good, bases, 0.0)).flatten(1)
        gram += (bases @ bases.T).cpu()
        right += (bases @ measured[part].double().flatten()).cpu()
    return _solved(gram, right)


def _bases(real: Tensor, imaginary: Tensor, modes: Tensor) -> Tensor:
    """`(3, n, N, N)` float64: X1, X2, X3, centred as the detector is."""

    def far(part: Tensor) -> Tensor:
        return torch.fft.fft2(illuminate(part[:, None], modes), norm="ortho")[:, 0]

    a, b = far(torch.complex(real, torch.zeros_like(real))), far(torch.complex(torch.zeros_like(imaginary), imaginary))
    bases = torch.stack([a.abs().square().sum(1), b.abs().square().sum(1), 2 * (a * b.conj()).real.sum(1)])
    return torch.fft.fftshift(bases, dim=(-2, -1))


def _solved(gram: Tensor, right: Tensor) -> tuple[float, float]:
    """The factors: normal equations for (s1², s2², s1·s2), then Newton's steps on the squared distance itself."""
    lights = gram.diagonal()[:2]
    if not bool(lights.max() > 0):
        raise ContractError(field="patches", expected="patches that scatter light", found="none")
    dark = lights < DARK * lights.max()
    if bool(dark.any()):
        bright = int(lights.argmax())
        factor = float((right[bright] / gram[bright, bright]).clamp_min(0).sqrt())
        return factor, factor
    squares = torch.linalg.lstsq(gram, right[:, None], driver="gelsd").solution[:, 0]
    s = squares[:2].clamp_min(0).sqrt()
    s[1] = torch.copysign(s[1], squares[2])
    starts = [s, torch.stack([s[0], -s[1]])]
    found = min((_descended(start, gram, right) for start in starts), key=lambda end: _distance(end, gram, right))
    found = -found if found[0] < 0 else found
    return float(found[0]), float(found[1])


def _features(s: Tensor) -> Tensor:
    return torch.stack([s[0] ** 2, s[1] ** 2, s[0] * s[1]])


def _distance(s: Tensor, gram: Tensor, right: Tensor) -> float:
    """The squared distance, up to what the factors do not change."""
    f = _features(s)
    return float(f @ gram @ f - 2 * f @ right)


def _descended(s: Tensor, gram: Tensor, right: Tensor) -> Tensor:
    """Gauss and Newton's steps, each halved until it leads down."""
    for _ in range(STEPS):
        jacobian = torch.stack([torch.stack([2 * s[0], 0 * s[0]]), torch.stack([0 * s[0], 2 * s[1]]), s.flip(0)])
        slope = jacobian.T @ (gram @ _features(s) - right)
        curvature = jacobian.T @ gram @ jacobian
        step = torch.linalg.lstsq(curvature, slope[:, None], driver="gelsd").solution[:, 0]
        before, size = _distance(s, gram, right), 1.0
        while size > 1e-9 and _distance(s - size * step, gram, right) > before:
            size /= 2
        if size <= 1e-9:
            break
        s = s - size * step
    return s


def _refuse_other_shapes(real: Tensor, imaginary: Tensor, probe: Tensor, measured: Tensor) -> None:
    shape = tuple(real.shape)
    for name, value in {"imaginary": imaginary, "measured": measured}.items():
        if len(shape) != 3 or tuple(value.shape) != shape:
            raise ContractError(field=name, expected=f"shape {shape}, (n, N, N)", found=f"shape {tuple(value.shape)}")
    if probe.ndim not in (2, 3):  # other sides are refused where it meets a patch
        raise ContractError(field="probe", expected="(N, N) or (P, N, N)", found=f"shape {tuple(probe.shape)}")
    if not bool(torch.isfinite(measured).all()) or bool((measured < 0).any()):
        raise ContractError(field="measured", expected="finite intensities, none negative", found="others")
