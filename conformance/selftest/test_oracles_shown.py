"""The oracle of pictures: a drawn array explains its picture, another one, or the same one turned, does not."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.oracles import shown


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Two arrays `(12, 20)` that have nothing to do with each other, smooth and without a symmetry."""
    y, x = np.mgrid[:12, :20]
    return np.sin(0.3 * x + 0.2 * y) + 0.05 * x, np.cos(0.5 * y - 0.1 * x) - 0.1 * y


def drawn(values: np.ndarray, framed: bool = True) -> np.ndarray:
    """Ten pixels an element, red for high and blue for low values; in a frame, with a title and a bar beside it, on white."""
    share = (values - values.min()) / np.ptp(values)
    image = np.kron(np.stack([share, share**2, 1 - share], axis=-1), np.ones((10, 10, 1)))
    image = (255 * image).astype(np.uint8)
    if not framed:
        return image
    page = np.full((180, 300, 3), 255, np.uint8)
    page[39:161, 29:231] = 0
    page[40:160, 30:230] = image
    page[10:16, 60:180:3] = 0
    page[40:160, 250:262] = np.linspace(0, 200, 120).astype(np.uint8)[:, None, None]
    return page


@pytest.mark.parametrize("framed", [True, False])
def test_a_picture_is_explained_by_its_own_array(framed: bool) -> None:
    own, other = arrays()
    seen = np.ones(own.shape, bool)

    picture = drawn(own, framed)

    assert shown.explained(picture, own, seen) > 0.99
    for wrong in (other, own[::-1], own[:, ::-1]):
        assert shown.explained(picture, wrong, seen) < 0.8


def test_a_picture_without_axes_is_the_array_whatever_stands_at_its_rim() -> None:
    """A canvas is dark around the scan, and its rim no background."""
    own, _ = arrays()
    own[:3], own[-2:], own[:, :4], own[:, -3:] = (own.min(),) * 4

    found = [shown.explained(drawn(own, framed=False), values, np.ones(own.shape, bool)) for values in (own, own[::-1])]

    assert found[0] > 0.99 > 0.9 > found[1]


def test_the_box_of_an_image_is_found_beside_title_and_bar() -> None:
    rows, columns = shown.box(drawn(arrays()[0]))

    assert (rows.start, rows.stop, columns.start, columns.stop) == (39, 161, 29, 231)


def test_the_box_is_that_of_the_frame_where_the_image_is_white_at_its_side() -> None:
    picture = drawn(arrays()[0])
    picture[40:160, 30:40] = 255
    picture[60:160:20, 26:29] = 0  # ticks

    rows, columns = shown.box(picture)

    assert (rows.start, rows.stop, columns.start, columns.stop) == (39, 161, 29, 231)


def test_what_was_not_seen_does_not_count() -> None:
    own, _ = arrays()
    seen = np.ones(own.shape, bool)
    seen[:, 15:] = False

    picture = drawn(own)
    picture[40:160, 180:230] = 217

    assert shown.explained(picture, own, seen) > 0.99
