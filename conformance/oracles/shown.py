"""What a picture of numbers shows: how much of an array the colours at its pixels' places explain."""

from __future__ import annotations

import numpy as np

EQUAL, WHOLE = 0.9, 0.99
"""Of the longest line without background: lines this long are the box in which an image is drawn, and go from side to side."""


def _runs(drawn: np.ndarray) -> np.ndarray:
    """`(H, 2)` begin and end of the longest run of True in each row of `drawn` `(H, W)`."""
    found = np.zeros((len(drawn), 2), int)
    for row, line in enumerate(drawn):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], line.astype(int), [0]])))
        if edges.size:
            begins, ends = edges[::2], edges[1::2]
            longest = int(np.argmax(ends - begins))
            found[row] = begins[longest], ends[longest]
    return found


def box(picture: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the largest framed or filled rectangle of a picture `(H, W, 3)`; all where no background shows."""
    corners = picture[[0, 0, -1, -1], [0, -1, 0, -1]]
    if (corners != corners[0]).any():
        return slice(0, picture.shape[0]), slice(0, picture.shape[1])
    runs = _runs((picture != corners[0]).any(axis=-1))
    lengths = runs[:, 1] - runs[:, 0]
    rows = np.flatnonzero(lengths >= EQUAL * lengths.max())
    # A column of the image may be as white as the background: the frame's own lines tell its sides, ticks lengthen few of them.
    places, counts = np.unique(runs[lengths >= WHOLE * lengths.max()], axis=0, return_counts=True)
    begin, end = places[counts.argmax()].tolist()
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(begin, end)


def explained(picture: np.ndarray, values: np.ndarray, seen: np.ndarray) -> float:
    """The share of the variance of `values` `(h, w)` that the colours of `picture` `(H, W, 3)` explain, of the pixels `seen`.

    `values` are real or complex. The image fills its box, or the picture where no axes were drawn around it: its own dark rim
    would pass for background. Row 0 is at the top, column 0 at the left; a colour tells a value through a polynomial of
    second order in red, green and blue, whichever map was chosen. 1: every colour has its value; 0: they tell nothing of it.
    """
    return max(_explained(picture[place], values, seen) for place in (box(picture), (slice(None), slice(None))))


def _explained(inside: np.ndarray, values: np.ndarray, seen: np.ndarray) -> float:
    inside = inside.astype(float) / np.iinfo(inside.dtype).max
    y, x = (((np.arange(n) + 0.5) * side / n).astype(int) for n, side in zip(values.shape, inside.shape[:2], strict=True))
    r, g, b = inside[y[:, None], x[None, :]][seen].T
    terms = np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, r * b, g * b], axis=-1)
    wanted = values[seen]
    left = wanted - terms @ np.linalg.lstsq(terms.astype(wanted.dtype), wanted, rcond=None)[0]
    return 1 - float(np.sum(np.abs(left) ** 2) / np.sum(np.abs(wanted - wanted.mean()) ** 2))
