"""SIDE-001 … SIDE-005, SIDE-020, SIDE-021: products and pairs, written and read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance.connectors import native
from conformance.judging.observe import Observer
from conformance.scenes import interop

SAME = ("xcoords", "ycoords", "object", "probe", "loss_values", "pixel_height_m", "pixel_width_m", *interop.NUMBERS)


def written(backend: Any, folder: Path, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A product, and what the file of it holds."""
    given = interop.product(**changes)
    backend.write_product(folder / "product.h5", given)
    return given, interop.contents(folder / "product.h5")


@pytest.mark.clause("SIDE-001~1", evidence="differential")
def test_a_product_has_its_attributes(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Texts and numbers at the root, pixels at probe and object. If this fails, suspect width for height."""
    given, found = written(backend, tmp_path)

    for_root = {name: found.get(f"@{name}") for name in (*interop.TEXTS, *interop.NUMBERS, *interop.OPTIONAL)}
    observe.equal("root", for_root, {**interop.TEXTS, **interop.NUMBERS, **interop.OPTIONAL})
    sizes = {name: found.get(name) for name in ("probe@pixel_width_m", "object@pixel_width_m")}
    observe.equal("width", sizes, dict.fromkeys(sizes, interop.WIDTH))
    sizes = {name: found.get(name) for name in ("probe@pixel_height_m", "object@pixel_height_m")}
    observe.equal("height", sizes, dict.fromkeys(sizes, interop.HEIGHT))
    observe.equal("parts missing", [n for n in ("object_layer_spacing_m", "loss_values") if n not in found], [])
    observe.close("loss_values", found["loss_values"], given["loss_values"])


@pytest.mark.clause("SIDE-001~1", evidence="differential")
def test_a_product_has_object_and_modes(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """As they stand, modes in their order. If this fails, suspect an object that is turned, or modes that are sorted."""
    given, found = written(backend, tmp_path)

    probe, thing = found["probe"], found["object"]
    observe.close("probe", probe.reshape(-1, *probe.shape[-2:]), given["probe"])
    observe.close("object", thing.reshape(thing.shape[-2:]), given["object"])


@pytest.mark.clause("SIDE-001~1", evidence="analytic")
@pytest.mark.parametrize("axis", ["x", "y"])
def test_positions_are_metres_about_the_objects_centre(backend: Any, observe: Observer, tmp_path: Path, axis: str) -> None:
    """Pixels times their size, and half a pixel between two conventions. If this fails, suspect x and y exchanged."""
    given, found = written(backend, tmp_path)
    pixel, side, k = {"x": (interop.WIDTH, 54, 0), "y": (interop.HEIGHT, 39, 1)}[axis]

    observe.dtype("dtype", found[f"probe_position_{axis}_m"], "float64")
    observe.close("positions", found[f"probe_position_{axis}_m"], given[f"{axis}coords"] * pixel)
    observe.close("centre", np.array(found[f"object@center_{axis}_m"]), np.array((given["origin"][k] + side / 2) * pixel))


@pytest.mark.clause("SIDE-002~3", evidence="symmetry")
@pytest.mark.parametrize("name", [*SAME, *interop.OPTIONAL, *interop.TEXTS, "origin"])
def test_what_was_written_is_read_again(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Every part. If this fails, suspect a part that is written and not read."""
    given, _ = written(backend, tmp_path)

    found = backend.read_product(tmp_path / "product.h5")

    observe.close(name, *interop.numbers(native.item(found, name), given[name]))


@pytest.mark.clause("SIDE-002~3", evidence="symmetry")
@pytest.mark.parametrize("name", ["exposure_time_s", *interop.OPTIONAL, "loss_values", "scan_index"])
def test_a_zero_that_was_written_is_a_number(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Nothing is no less stated than something. If this fails, suspect a value whose truth is asked for its presence."""
    zeros = dict.fromkeys(("exposure_time_s", *interop.OPTIONAL), 0.0) | {
        "loss_values": np.zeros(3),
        "scan_index": np.zeros(12, int),
    }
    given, _ = written(backend, tmp_path, **zeros)

    found = backend.read_product(tmp_path / "product.h5")

    observe.equal("stated", name in found, True)
    observe.close(name, *interop.numbers(native.item(found, name), given[name]))


@pytest.mark.clause("SIDE-002~3", evidence="differential")
@pytest.mark.parametrize("form", ["two", "three", "four"])
@pytest.mark.parametrize("name", [*SAME, "origin"])
def test_a_product_of_others_is_read(backend: Any, observe: Observer, tmp_path: Path, name: str, form: str) -> None:
    """Other axes, other precision, positions in another order. If this fails, suspect positions left in the order of the file."""
    given = interop.product(patterns=False, **interop.FORMS[form])
    path = interop.foreign(tmp_path / "foreign.h5", given, form)

    with observe.accepts("product"):
        found = backend.read_product(path)

    observe.close(name, *interop.numbers(native.item(found, name), given[name]))


@pytest.mark.clause("SIDE-002~3", evidence="differential")
def test_a_specimen_of_ptychodus_is_read(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Its attenuation, under the name that ptychodus gives it. If this fails, suspect that the energy alone has two names."""
    path = interop.foreign(tmp_path / "foreign.h5", interop.product(patterns=False), "four")

    found = backend.read_product(path)

    observe.close(
        "mass_attenuation_m2_kg", float(native.item(found, "mass_attenuation_m2_kg")), interop.ATTENUATION, dtype="float64"
    )


@pytest.mark.clause("SIDE-003~1")
def test_indexes_are_those_of_the_patterns(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """0 … M − 1, whatever the scan counts. If this fails, suspect the scan's numbers in their place."""
    given, found = written(backend, tmp_path)

    indexes = found["probe_position_indexes"]
    observe.holds("kind", indexes.dtype.kind in "iu", "integers", str(indexes.dtype))
    observe.equal("indexes", indexes.tolist(), list(range(12)))
    observe.equal("scan_index", found["raw_data/scan_index"].tolist(), given["scan_index"].tolist())
    alone = written(backend, tmp_path, patterns=False)[1]
    observe.equal("indexes without patterns", alone["probe_position_indexes"].tolist(), list(range(12)))


@pytest.mark.clause("SIDE-004~2")
@pytest.mark.parametrize("M", [12, 16, 1], ids=["M12", "M16", "M1"])
def test_patterns_stand_beside_a_product(backend: Any, observe: Observer, tmp_path: Path, M: int) -> None:
    """One after the other, also where there are as many as rows. If this fails, suspect axes found by their length."""
    given, found = written(backend, tmp_path, M=M)

    observe.equal("diffraction", found["raw_data/diffraction"], given["diffraction"])
    words = {name: found.get(f"raw_data/diffraction@{name}") for name in ("axis_canonical", "original_axis_order")}
    observe.equal("axes", words, {"axis_canonical": "NHW", "original_axis_order": "NHW"})
    observe.equal("x", found["raw_data/xcoords"], given["xcoords"])
    observe.equal("y", found["raw_data/ycoords"], given["ycoords"])
    observe.equal("probe", found["raw_data/probeGuess"], found["probe"])
    observe.equal("object", found["raw_data/objectGuess"], found["object"])
    observe.equal("root", bool(found.get("@contains_raw_data")) and "@bundle_version" in found, True)
    observe.equal(
        "read again", np.array(native.array(backend.read_product(tmp_path / "product.h5")["diffraction"])), given["diffraction"]
    )


@pytest.mark.clause("SIDE-005~2")
@pytest.mark.parametrize("kind", sorted(interop.NO_PRODUCT))
def test_what_is_no_product_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """By file and part. If this fails, suspect a default for what is missing."""
    part, edit = interop.NO_PRODUCT[kind]
    backend.write_product(tmp_path / "product.h5", interop.product())
    path = interop.edited(tmp_path / "product.h5", edit)

    with observe.raises("refusal", ValueError, "product.h5", part):
        backend.read_product(path)


@pytest.mark.clause("SIDE-005~2")
@pytest.mark.parametrize("kind", sorted(interop.LACKING))
def test_half_a_product_is_not_written(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """Refused, and the older file stays. If this fails, suspect a file that was opened for writing first."""
    (tmp_path / "product.h5").write_bytes(b"an older product")

    with observe.raises("refusal", ValueError):
        backend.write_product(tmp_path / "product.h5", interop.product(**interop.LACKING[kind]))

    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    observe.equal("left", left, {"product.h5": b"an older product"})


@pytest.mark.clause("SIDE-020~1", evidence="differential")
def test_a_pair_has_its_parts(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Intensities, and positions about the middle. If this fails, suspect amplitudes in dp, or the other axis's middle."""
    given = interop.pair()
    double = {name: given[name].astype(np.complex128) for name in ("object", "probe")}

    backend.write_pair(tmp_path / "scan", {**given, **double})

    dp, para = (interop.contents(path) for path in interop.files(tmp_path / "scan"))
    observe.equal("complex", {name: str(para[name].dtype) for name in double}, dict.fromkeys(double, "complex64"))
    observe.holds("dp", dp["dp"].dtype.kind == "f", "floating", str(dp["dp"].dtype))
    observe.close("intensities", dp["dp"], given["diffraction"].astype(float) ** 2, dtype="float32")
    observe.close("object", para["object"], given["object"][None])
    observe.close("probe", para["probe"], given["probe"][None])
    observe.close("x", para["probe_position_x_m"], (given["xcoords"] - 28 - 0.5) * interop.WIDTH)
    observe.close("y", para["probe_position_y_m"], (given["ycoords"] - 20 - 0.5) * interop.HEIGHT)
    sizes = [para[f"{name}@pixel_{side}_m"] for side in ("height", "width") for name in ("object", "probe")]
    observe.equal("pixels", sizes, [interop.HEIGHT, interop.HEIGHT, interop.WIDTH, interop.WIDTH])


@pytest.mark.clause("SIDE-020~1", evidence="conservation")
def test_a_pair_keeps_the_light(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Each pattern's energy, each mode's power. If this fails, suspect patterns that were normalised."""
    given = interop.pair()

    backend.write_pair(tmp_path / "scan", given)

    dp, para = (interop.contents(path) for path in interop.files(tmp_path / "scan"))
    observe.close("energies", dp["dp"].sum(axis=(1, 2), dtype=float), (given["diffraction"].astype(float) ** 2).sum(axis=(1, 2)))
    powers = [np.sum(np.abs(probe.astype(complex)) ** 2, axis=(-2, -1)) for probe in (para["probe"][0], given["probe"])]
    observe.close("powers", *powers)


@pytest.mark.clause("SIDE-021~1", evidence="differential")
@pytest.mark.parametrize("writer", ["own", "foreign"])
@pytest.mark.parametrize("name", ["diffraction", "xcoords", "ycoords", "object", "probe", "pixel_height_m", "pixel_width_m"])
def test_a_pair_is_read(backend: Any, observe: Observer, tmp_path: Path, name: str, writer: str) -> None:
    """Amplitudes and pixels again. If this fails, suspect a middle of the other axis."""
    given, stem = interop.pair(), tmp_path / "scan"
    {"own": backend.write_pair, "foreign": interop.foreign_pair}[writer](stem, given)

    found = backend.read_pair(stem)

    observe.close(name, *interop.numbers(native.item(found, name), given[name]), dtype="float32")


@pytest.mark.clause("SIDE-021~1", evidence="symmetry")
@pytest.mark.parametrize("kind", sorted(interop.NO_PAIR))
def test_what_is_no_pair_is_refused(backend: Any, observe: Observer, tmp_path: Path, kind: str) -> None:
    """By the file's name. If this fails, suspect a reader that squeezes what it finds."""
    which, edit = interop.NO_PAIR[kind]
    stem = interop.foreign_pair(tmp_path / "scan", interop.pair())
    broken = interop.edited(interop.files(stem)[which], edit)

    with observe.raises("refusal", ValueError, broken.name):
        backend.read_pair(stem)


@pytest.mark.clause("SIDE-003~1")
@pytest.mark.parametrize("name", ["diffraction", "scan_index"])
def test_patterns_keep_their_order_whatever_positions_have(backend: Any, observe: Observer, tmp_path: Path, name: str) -> None:
    """Positions in another order beside patterns in theirs. If this fails, suspect an order that is applied to both."""
    given = interop.product()
    path = interop.with_patterns(interop.foreign(tmp_path / "foreign.h5", given, "three"), given)

    found = backend.read_product(path)

    observe.equal(name, native.array(native.item(found, name)).tolist(), np.asarray(given[name]).tolist())


@pytest.mark.clause("SIDE-020~1")
def test_a_pair_has_its_whole_name(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Dots and all. If this fails, suspect an ending that is taken off a name that has none."""
    stem = tmp_path / "scan 1.5um.003"

    backend.write_pair(stem, interop.pair())

    names = sorted(path.name for path in tmp_path.iterdir())
    observe.equal("files", names, [f"{stem.name}_dp.hdf5", f"{stem.name}_para.hdf5"])
    observe.close("read again", native.array(backend.read_pair(stem)["xcoords"]), interop.pair()["xcoords"])
