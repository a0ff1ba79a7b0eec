"""PHYS-020 … PHYS-023, PHYS-032, PHYS-033: where content goes when it is moved, merged and cut out again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.oracles import physics as oracle
from conformance.scenes import motions
from conformance.scenes.answers import finite

N, M = 16, 21  # odd padding: two rows before the patch, three behind it
PLACES = np.array([[[-1, 1], [0, 0], [1, 2], [2, -1]], [[1, -1], [-1, 0], [0, 2], [2, 1]]])  # [x, y], members of two groups
PIXELS = ((3, 8), (7, 2), (5, 5))  # (row, column)
MOVES = np.array([[3, -2], [-1, 4], [0, 1]], np.float32)  # [dx, dy]


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="analytic")
@pytest.mark.parametrize("scene", motions.motion_scenes("whole"), ids=str)
def test_whole_offsets_are_exact_shifts(backend: Any, observe: Observer, scene: motions.MotionScene) -> None:
    """Whole offsets shift bit for bit, zeros come in.

    If this fails, suspect interpolation weights that are not exactly 0 and 1.
    """
    truth = [oracle.translate(image, *offset) for image, offset in zip(scene.images, scene.offsets, strict=True)]

    with observe.accepts("images"):
        moved = backend.translate(scene.images, scene.offsets)

    observe.close("whole", moved, np.stack(truth))


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="analytic")
def test_moved_images_keep_their_dtype(backend: Any, observe: Observer) -> None:
    """Real and complex, moved by whole and by broken pixels: one answer for all, so that one cause is one failure.

    If this fails, suspect a promotion to double precision, or an image that is made complex.
    """
    scenes = [scene for kind in ("whole", "between") for scene in motions.motion_scenes(kind)]

    found = motions.dtypes(backend.translate, scenes)

    observe.equal("dtypes", found, {str(scene): str(scene.images.dtype) for scene in scenes})


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="differential")
@pytest.mark.parametrize("scene", motions.motion_scenes("between"), ids=str)
def test_fractional_offsets_are_bilinear(backend: Any, observe: Observer, scene: motions.MotionScene) -> None:
    """Bilinear between pixels, zero outside. If this fails, suspect the sign, a replicated border or truncation for floor."""
    truth = [oracle.translate(image, *offset) for image, offset in zip(scene.images, scene.offsets, strict=True)]

    with observe.accepts("images"):
        moved = backend.translate(scene.images, scene.offsets)

    observe.close("between", moved, np.stack(truth), dtype=str(scene.images.dtype))


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="analytic")
def test_half_a_pixel_shares_between_neighbours(backend: Any, observe: Observer) -> None:
    """A bright pixel moved by (½, ¼) leaves ½·¾ behind and ½·¼ ahead. If this fails, suspect rounding or `align_corners`."""
    image = motions.bright_pixels(((4, 6),), 12)
    truth = np.zeros((1, 12, 12), complex)
    truth[0, 4:6, 6:8] = image[0, 4, 6].astype(complex) * np.outer([0.75, 0.25], [0.5, 0.5])

    moved = backend.translate(image, np.array([[0.5, 0.25]], np.float32))

    observe.close("shared", moved, truth, dtype=str(image.dtype))


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="analytic")
def test_outside_is_zero(backend: Any, observe: Observer) -> None:
    """Ones moved by half a pixel fade to one half at the border.

    If this fails, suspect a border filled by replication or wrapped.
    """
    truth = np.ones((1, 9, 14), np.float32)
    truth[:, :2] = 0
    truth[:, :, 0] *= 0.5

    moved = backend.translate(np.ones((1, 9, 14), np.float32), np.array([[0.5, 2.0]], np.float32))

    observe.close("outside", moved, truth, dtype="float32")


@pytest.mark.device
@pytest.mark.clause("PHYS-020~2", evidence="differential")
@pytest.mark.parametrize("form", [motions.read_only, motions.strided], ids=["read-only", "strided"])
def test_awkward_arrays_move_too(backend: Any, observe: Observer, form: Any) -> None:
    """Read-only and strided images are read as they stand, and left alone.

    If this fails, suspect a reinterpretation of memory.
    """
    scene = motions.motion_scenes("between")[2]
    truth = [oracle.translate(image, *offset) for image, offset in zip(scene.images, scene.offsets, strict=True)]
    images = form(scene.images)

    with observe.accepts("images"):
        moved = backend.translate(images, scene.offsets)

    observe.close("moved", moved, np.stack(truth), dtype=str(scene.images.dtype))
    observe.equal("input_untouched", np.ascontiguousarray(images), scene.images)


@pytest.mark.device
@pytest.mark.clause("PHYS-021~1", evidence="analytic")
def test_index_zero_moves_columns(backend: Any, observe: Observer) -> None:
    """[3, −2] moves three columns right and two rows up, each image by its own. If this fails, suspect exchanged components."""
    images = motions.bright_pixels(PIXELS, 12)
    targets = tuple((row + int(dy), column + int(dx)) for (row, column), (dx, dy) in zip(PIXELS, MOVES, strict=True))

    moved = backend.translate(images, MOVES)

    observe.close("columns", moved, motions.bright_pixels(targets, 12))


@pytest.mark.device
@pytest.mark.clause("PHYS-021~1", evidence="symmetry")
def test_transposed_images_take_transposed_offsets(backend: Any, observe: Observer) -> None:
    """Exchanging rows with columns and x with y commutes with the shift. If this fails, suspect sizes of the wrong axis."""
    scene = motions.motion_scenes("whole")[2]
    images, offsets = scene.images.swapaxes(1, 2).copy(), scene.offsets[:, ::-1].copy()

    (moved,) = finite(backend.translate(scene.images, scene.offsets))
    turned = native.array(backend.translate(images, offsets))

    observe.close("transposed", turned.swapaxes(1, 2), moved)


@pytest.mark.device
@pytest.mark.clause("PHYS-022~1", evidence="analytic", needs=("PHYS-021",))
def test_merge_puts_content_at_its_true_place(backend: Any, observe: Observer) -> None:
    """A mark in the middle of a patch lands where its member stands. If this fails, suspect the sign of the merge."""
    patches = np.zeros((*PLACES.shape[:2], N, N), np.complex64)
    patches[..., N // 2, N // 2] = np.arange(1, 9).reshape(2, 4)
    truth = np.zeros((2, M, M), complex)
    middle = (M - N) // 2 + N // 2
    truth[np.arange(2)[:, None], middle + PLACES[..., 1], middle + PLACES[..., 0]] = np.arange(1, 9).reshape(2, 4) / 4.001

    canvas = backend.merge(patches, -PLACES[:, :, None].astype(np.float32), M)

    observe.close("marks", motions.planes(canvas), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-022~1", evidence="analytic", needs=("PHYS-021",))
def test_extraction_looks_where_the_member_stands(backend: Any, observe: Observer) -> None:
    """A mark where a member stands comes to the middle of its patch. If this fails, suspect the sign of the extraction."""
    canvas = np.zeros((2, 1, M, M), np.complex64)
    middle = (M - N) // 2 + N // 2
    marks = np.arange(1, 9).reshape(2, 4)
    canvas[np.arange(2)[:, None], 0, middle + PLACES[..., 1], middle + PLACES[..., 0]] = marks

    patches = native.array(backend.extract(canvas, -PLACES[:, :, None].astype(np.float32), N))

    observe.close("middle", patches[..., N // 2, N // 2], marks.astype(complex))


@pytest.mark.device
@pytest.mark.clause("PHYS-022~1", evidence="differential")
def test_mirrored_offsets_give_another_object(backend: Any, observe: Observer) -> None:
    """Mirrored offsets are no small error. If this fails, suspect a merge that takes no notice of its offsets."""
    scene = motions.group_scenes()[2]
    truth = oracle.merge(scene.patches, scene.offsets, scene.M)

    canvas = backend.merge(scene.patches, scene.offsets, scene.M)
    mirrored = backend.merge(scene.patches, -scene.offsets, scene.M)

    observe.close("placed", motions.planes(canvas), truth)
    observe.differs("mirrored", motions.planes(mirrored), truth)


@pytest.mark.device
@pytest.mark.clause("PHYS-023~1", needs=("PHYS-022",), evidence="algebraic")
@pytest.mark.parametrize("padding", [8, 9], ids=["even-padding", "odd-padding"])
def test_extraction_undoes_the_merge(backend: Any, observe: Observer, padding: int) -> None:
    """Patches of one object come back in the common support. If this fails, suspect one sign in both directions, or the trim."""
    offsets = motions.group_offsets("whole", 3, 4)
    patches, support = motions.consistent_group(offsets, 32), motions.common_support(offsets, 32)

    canvas = motions.planes(backend.merge(patches, offsets, 32 + padding))[:, None]
    back = native.array(backend.extract(canvas, offsets, 32)) * (4.001 / 4)

    observe.close("round_trip", np.where(support, back, 0), np.where(support, patches, 0))


@pytest.mark.device
@pytest.mark.clause("PHYS-023~1", evidence="symmetry")
def test_round_trip_notices_the_sign(backend: Any, observe: Observer) -> None:
    """With mirrored offsets the round trip is far off. If this fails, suspect offsets that play no part."""
    offsets = motions.group_offsets("whole", 3, 4)
    patches, support = motions.consistent_group(offsets, 32), motions.common_support(offsets, 32)

    canvas = motions.planes(backend.merge(patches, -offsets, 40))[:, None]
    back = native.array(backend.extract(canvas, -offsets, 32)) * (4.001 / 4)

    observe.differs("wrong_sign", np.where(support, back, 0), np.where(support, patches, 0))


@pytest.mark.clause("PHYS-032~1")
@pytest.mark.parametrize(
    ("N", "g", "distance", "side"),
    [(64, 2, 3.0, 68), (64, 1, 3.0, 64), (64, 2, 4.0, 68), (64, 2, 4.1, 70), (128, 3, 2.0, 132), (256, 2, 0.0, 256)],
)
def test_canvas_has_no_buffer(backend: Any, observe: Observer, N: int, g: int, distance: float, side: int) -> None:
    """M = N + (g − 1)·even_ceil(d). If this fails, suspect a jitter term or a distance rounded down."""
    observe.equal("side", int(backend.padded_size(N, g, distance)), side)


@pytest.mark.clause("PHYS-032~1")
@pytest.mark.parametrize(("N", "g", "distance"), [(64, 3, 3.0), (64, 3, 4.5), (128, 4, 1.0), (64, 2, 40.0), (64, 1, 40.0)])
def test_each_neighbour_adds_an_even_number(backend: Any, observe: Observer, N: int, g: int, distance: float) -> None:
    """Groups of nine and of sixteen, neighbours near and far. If this fails, suspect a sum that is rounded as a whole."""
    observe.equal("side", int(backend.padded_size(N, g, distance)), oracle.padded_size(N, g, distance))


@pytest.mark.device
@pytest.mark.clause("PHYS-033~2", needs=("PHYS-020", "PHYS-022"), evidence="differential")
@pytest.mark.parametrize("scene", motions.group_scenes(), ids=str)
def test_extraction_translates_then_trims(backend: Any, observe: Observer, scene: motions.GroupScene) -> None:
    """Each channel: the canvas moved by plus its offset, trimmed from (M−N)//2. If this fails, suspect the start of the trim."""
    side = scene.patches.shape[-1]
    canvas = motions.canvases(len(scene.patches), scene.M)

    with observe.accepts("valid input"):
        patches = backend.extract(canvas[:, None], scene.offsets, side)

    observe.close("patches", patches, oracle.extract(canvas, scene.offsets, side))
    observe.dtype("dtype", patches, "complex64")


@pytest.mark.device
@pytest.mark.clause("PHYS-033~2", evidence="analytic")
@pytest.mark.parametrize("padding", [0, 4, 5], ids=str)
def test_trim_starts_at_half_the_padding(backend: Any, observe: Observer, padding: int) -> None:
    """With zero offsets the patch is the canvas from (M−N)//2 on. If this fails, suspect a start at ceil((M−N)/2)."""
    canvas, start = motions.canvases(2, 12 + padding), padding // 2
    truth = np.repeat(canvas[:, None, start : start + 12, start : start + 12], 4, axis=1)

    with observe.accepts("valid input"):
        patches = backend.extract(canvas[:, None], np.zeros((2, 4, 1, 2), np.float32), 12)

    observe.close("trimmed", patches, truth)
