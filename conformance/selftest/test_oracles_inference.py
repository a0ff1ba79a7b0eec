"""The oracles of stitching, schedules, bundles and pictures against closed forms, and the attacks against their own victims."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from conformance.oracles import bundle, inference, pictures, training
from conformance.scenes import archives, attacks, engines, images

EVERY_TIME = [kind for kind in attacks.ATTACKS if kind not in ("dill", "import-alone", "persistent")]
"""Attacks that leave the canary in an unwary unpickler; the other three only ask for what is not theirs."""


def test_a_patch_moves_towards_larger_indices() -> None:
    """Closed form: one bright pixel in the middle of 3 × 3 ends where centre plus offset says, shared between four."""
    patch = np.zeros((3, 3))
    patch[1, 1] = 1
    canvas = inference.moved(patch, 1.25, -0.5, (9, 9))
    truth = np.zeros((9, 9))
    truth[3, 5], truth[4, 5], truth[3, 6], truth[4, 6] = 0.5 * 0.75, 0.5 * 0.75, 0.5 * 0.25, 0.5 * 0.25
    np.testing.assert_array_equal(canvas, truth)


def test_counts_add_up_to_all_pixels() -> None:
    """Conservation: bilinear weights of one pixel add up to one, so counts add up to n · M²."""
    offsets = images.scattered(9)
    assert inference.count(offsets, 6, (60, 60)).sum() == pytest.approx(9 * 36, rel=1e-14)


def test_two_patches_average_where_they_overlap() -> None:
    """Closed form: values 1 and 3 at distance 2 in x, window 4: 1 1 2 2 3 3 in every row."""
    patches = np.ones((2, 4, 4, 1)) * np.array([1, 3]).reshape(2, 1, 1, 1)
    canvas = inference.stitch(patches, np.array([[0.0, 0], [2, 0]]), 4, (4, 6))
    np.testing.assert_allclose(canvas, np.tile([1, 1, 2, 2, 3, 3], (4, 1)), rtol=2e-9)


def test_the_crop_is_central() -> None:
    """Closed form: of six pixels the central three begin at the second, of five the central two too."""
    patches = (np.arange(6)[None, :, None, None] * 10 + np.arange(6)[None, None, :, None]).astype(complex)
    assert inference.stitch(patches, np.zeros((1, 2)), 3, (3, 3))[0].real == pytest.approx([11, 12, 13], rel=1e-8)
    assert inference.stitch(patches[:, :5, :5], np.zeros((1, 2)), 2, (2, 2))[0].real == pytest.approx([11, 12], rel=1e-8)


def test_the_known_object_agrees_with_the_oracle() -> None:
    """Two ways to one image: patches of an object stitched by the oracle show the object."""
    scene, image = images.known_object()
    shape = (30, 32)
    np.testing.assert_allclose(inference.stitch(scene.patches, scene.offsets, scene.M, shape), image(shape), atol=1e-6)


def test_the_input_scale_brings_the_energy_to_the_target() -> None:
    """Algebra: patterns times their scale have the mean energy (N/2)²."""
    patterns = np.random.default_rng(1).uniform(0, 3, size=(5, 2, 8, 8))
    scaled = patterns * inference.input_scale(patterns)
    assert np.sum(scaled**2, axis=(-2, -1)).mean() == pytest.approx(16.0, rel=1e-12)


def test_schedules_begin_and_end_where_they_should() -> None:
    """Closed forms: ends of the warm-up and of the cosine, the ratio of neighbours, the floor of the plateau."""
    rates = training.warmup_cosine(2.0, 12, 4, 0.1)
    assert rates[0] == pytest.approx(0.2) and rates[4] == pytest.approx(2.0) and rates[8] == pytest.approx(1.1)
    assert training.warmup_cosine(2.0, 2, 5, 0.1) == pytest.approx([0.2, 0.56])
    assert training.exponential(1.0, 3) == pytest.approx([1, 0.95, 0.9025])
    assert training.plateau(1.0, [5, 5, 5, 5, 4, 4, 4], 0.1, 1, 0.05, 0.0) == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.1])
    assert training.plateau(1.0, [5, 5, 5], 0.1, 0, 0.5, 0.0) == pytest.approx([1, 1, 0.5])


def test_weights_are_written_and_read_without_pytorch() -> None:
    """Round trip: dtypes, shapes and bits, a scalar and a column-major array among them."""
    rng = np.random.default_rng(3)
    weights = {
        "a.weight": rng.normal(size=(3, 2, 5)).astype(np.float32),
        "steps": np.array(7, dtype=np.int64),
        "probe": (rng.normal(size=(2, 2)) + 1j).astype(np.complex64),
        "turned": np.asfortranarray(rng.normal(size=(4, 3))),
    }
    found = bundle.state(archives.state_bytes(weights))
    assert list(found) == list(weights)
    assert all(
        found[k].dtype == v.dtype and found[k].shape == v.shape and np.array_equal(found[k], v) for k, v in weights.items()
    )


@pytest.mark.parametrize("kind", EVERY_TIME)
def test_the_attacks_work_on_an_unwary_reader(kind: str, tmp_path: Path) -> None:
    """An attack that could not succeed would prove nothing: `pickle.loads` obeys it."""
    canary = tmp_path / "canary"
    data = pickle.dumps({"N": 64}, protocol=2)[:-1] + archives.text_of("extra") + attacks.calls(canary)[kind] + b"s."
    assert pickle.loads(data)["N"] == 64
    assert canary.exists()


@pytest.mark.parametrize("kind", attacks.ATTACKS)
def test_the_plain_reader_obeys_no_attack(kind: str, tmp_path: Path) -> None:
    """The oracle's own unpickler is a wary one, for dictionaries and for weights."""
    canary = tmp_path / "canary"
    call = attacks.calls(canary)[kind]
    data = pickle.dumps({"N": 64}, protocol=2)[:-1] + archives.text_of("extra") + call + b"s."
    assert bundle.active_opcodes(data)
    with pytest.raises(bundle.NotPlain):
        bundle.plain(data)
    with pytest.raises(bundle.NotPlain):
        bundle.state(archives.state_bytes({}, call))
    assert not canary.exists()


def test_impure_places_are_named() -> None:
    """NumPy numbers, sets, objects and keys that are no strings are found at any depth."""
    found = bundle.impure({"a": [1, np.float64(2.0)], "b": {"c": {1, 2}}, 3: None}, "p")
    assert found == ["p: key 3", "p.a[1]: float64", "p.b.c: set"]


def png(image: np.ndarray, kinds: list[int]) -> bytes:
    """A PNG whose lines use the given filters; `image` `(height, width, 3)` uint8."""
    height, width, step = image.shape
    padded = np.zeros((height + 1, (width + 1) * step), dtype=int)
    padded[1:, step:] = image.reshape(height, -1)
    left, up, corner = padded[1:, :-step], padded[:-1, step:], padded[:-1, :-step]
    p = left + up - corner
    order = np.argmin(np.stack([abs(p - left), abs(p - up), abs(p - corner)]), axis=0)
    guesses = [np.zeros_like(left), left, up, (left + up) // 2, np.choose(order, [left, up, corner])]
    lines = b"".join(
        bytes([k]) + ((padded[y + 1, step:] - guesses[k][y]) % 256).astype(np.uint8).tobytes() for y, k in enumerate(kinds)
    )
    out = io.BytesIO(pictures.SIGNATURE)
    out.seek(0, io.SEEK_END)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")):
        out.write(struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)))
    return out.getvalue()


def test_pictures_are_decoded_under_every_filter(tmp_path: Path) -> None:
    """Round trip through the five filters of the format."""
    image = np.random.default_rng(6).integers(0, 256, size=(10, 7, 3)).astype(np.uint8)
    (tmp_path / "p.png").write_bytes(png(image, [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]))
    np.testing.assert_array_equal(pictures.pixels(tmp_path / "p.png"), image)
    assert pictures.colours(tmp_path / "p.png") == len(np.unique(image.reshape(-1, 3), axis=0))


@pytest.mark.parametrize(("colour", "depth"), [(c, d) for c, depths in pictures.DEPTHS.items() for d in depths])
@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
def test_pictures_of_every_kind_are_read(tmp_path: Path, colour: int, depth: int, interlaced: bool) -> None:
    """Any bits a channel, any channels, lines in one pass or in seven, colours by number."""
    channels, (height, width) = pictures.CHANNELS[colour], (11, 13)
    image = np.random.default_rng(depth).integers(0, 2**depth, (height, width, channels), dtype=np.uint16)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    passes = [image[r::d, c::s] for r, c, d, s in (pictures.ADAM7 if interlaced else ((0, 0, 1, 1),))]
    content = zlib.compress(b"".join(b"\0" + packed(line.ravel(), depth) for part in passes if part.size for line in part))
    path, palette = tmp_path / "p.png", np.random.default_rng(3).integers(0, 256, (2 ** min(depth, 8), 3), dtype=np.uint8)
    by_number = colour == pictures.PALETTE
    kinds = [(b"IHDR", header), *([(b"PLTE", palette.tobytes())] if by_number else []), (b"IDAT", content), (b"IEND", b"")]
    path.write_bytes(pictures.SIGNATURE + b"".join(chunk(*kind) for kind in kinds))

    np.testing.assert_array_equal(pictures.pixels(path), palette[image[..., 0]] if by_number else image)


def packed(line: np.ndarray, depth: int) -> bytes:
    """The numbers of a line in `depth` bits each."""
    if depth == 16:
        return line.astype(">u2").tobytes()
    return np.packbits(np.unpackbits(line.astype(np.uint8)[:, None], axis=1)[:, 8 - depth :]).tobytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("cut", [slice(0, 40), slice(1, None), slice(0, -1)], ids=["cut", "headless", "one-byte-short"])
def test_a_damaged_picture_is_none(tmp_path: Path, cut: slice) -> None:
    """Signature, checksums and end are looked at."""
    (tmp_path / "p.png").write_bytes(png(np.ones((4, 4, 3), np.uint8), [0, 1, 2, 3])[cut])
    with pytest.raises(pictures.NoPicture):
        pictures.pixels(tmp_path / "p.png")


def test_a_match_takes_out_factor_shift_and_ramp_and_nothing_else() -> None:
    shape = (50, 68)
    plain, weight = engines.truth(shape, True), np.ones(shape)
    y, x = (grid - grid.mean() for grid in np.mgrid[: shape[0], : shape[1]])
    moved = engines.transmission(*(axis - d for axis, d in zip(_places(shape), (0.1, -0.2), strict=True)))

    found = inference.matched(0.7j * moved * np.exp(1j * (1e-3 * x - 2e-3 * y)), plain, weight)

    assert found.shift == pytest.approx((-0.2, 0.1), abs=0.03)
    assert found.ramp == pytest.approx((1e-3, -2e-3), abs=2e-4)
    assert found.error < 0.03
    assert inference.matched(plain * np.where(x > 0, 1, 1.2), plain, weight).error == pytest.approx(0.09, abs=0.01)


def _places(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    x, y = engines.scan(True)
    rows, columns = (np.arange(side) - side / 2 for side in shape)
    return (y.mean() + rows)[:, None], (x.mean() + columns)[None, :]


def test_the_nearest_orientation_is_named() -> None:
    plain, weight = engines.truth((50, 68), True), np.ones((50, 68))

    assert inference.nearest(2j * plain, plain, weight) == "turned by 0°"
    assert inference.nearest(plain.conj()[:, ::-1], plain, weight) == "turned by 0°, mirrored, conjugated"
    assert inference.nearest(np.rot90(plain, -1), plain, weight) == "turned by 90°"
