"""The kernels of the `cnn` network as the specification counts them: pairs `(in, out)` of its 3×3 convolutions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

ENCODER = {64: (32, 64, 128), 128: (16, 32, 64, 128), 256: (8, 16, 32, 64, 128)}  # MODEL-002
DECODER = {64: (64, 32), 128: (128, 64, 32), 256: (256, 128, 64, 32)}  # MODEL-004
BOTTLENECK = 128  # MODEL-003

Kernels = Counter[tuple[int, int]]


def two_a_block(widths: Sequence[int]) -> Kernels:
    """Blocks of two convolutions: the first changes the number of channels, the second keeps it (MODEL-001, MODEL-004)."""
    pairs = list(pairwise(widths))
    return Counter(pairs) + Counter((out, out) for _, out in pairs)


def encoder(N: int, scale: int, inputs: int) -> Kernels:
    """Kernels of the encoder for `inputs` channels (MODEL-001, MODEL-002)."""
    return two_a_block([inputs, *(width * scale for width in ENCODER[N])])


def decoder(N: int, scale: int) -> Kernels:
    """Kernels of one decoder, behind the bottleneck (MODEL-004)."""
    return two_a_block([width * scale for width in (BOTTLENECK, *DECODER[N])])


def kernels(shapes: Iterable[tuple[int, ...]]) -> Kernels:
    """The 3×3 kernels among weights of these shapes, whether stored `(out, in, 3, 3)` or `(3, 3, in, out)`."""
    found: Kernels = Counter()
    for shape in shapes:
        if len(shape) == 4 and shape[2:] == (3, 3):
            found[shape[1], shape[0]] += 1
        elif len(shape) == 4 and shape[:2] == (3, 3):
            found[shape[2], shape[3]] += 1
    return found


def halvings(found: Kernels, inputs: int, width: int) -> int:
    """How many widening blocks lead from `inputs` to `width` channels, one halving each; -1 where none does (MODEL-003)."""
    count = 0
    while inputs != width:
        wider = [out for into, out in found if into == inputs and out > inputs]
        if not wider:
            return -1
        inputs, count = min(wider), count + 1
    return count
