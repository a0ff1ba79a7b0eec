"""The client that imports `ptycho`: configuration, files, training, model, reconstruction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.oracles import client as oracle
from conformance.scenes import client, client_doors, client_scan, client_variations
from conformance.scenes import client_settings as settings
from conformance.specification.effects import Effect, effects

pytestmark = pytest.mark.slow

REFUSED = {
    "no-file": ("OSError", ("nowhere.npz",)),
    "no-probe": ("Exception", ("probeGuess", "no_probe.npz")),
    "few-positions": ("Exception", ("few_positions.npz", "coords")),
    "no-bundle": ("Exception", ("empty",)),
    "broken-bundle": ("Exception", ("broken",)),
    "few-in-memory": ("Exception", ("coords", "positions", "diff3d")),
}
"""Input → the class of its error, and the file or the key: the message names one of them."""


@pytest.mark.clause("CLIENT-001~1")
def test_the_package_is_found_with_every_name(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Every name that the client imports of `ptycho` is there.

    If this fails, suspect a module or function that was renamed, or a folder that is not the package's parent.
    """
    found = client.session(backend, shared_folder).found

    observe.equal("packages", found["packages"], {"ptycho": True})
    observe.equal("missing", found["missing"], [])


@pytest.mark.clause("CLIENT-002~1")
def test_a_configuration_learns_its_side_from_the_data(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Made with N = 0 and without a framework, pickled, changed by the child, and in the registry with that change.

    If this fails, suspect a frozen model configuration, or a framework imported at the head of the module.
    """
    session = client.session(backend, shared_folder)

    observe.equal("frameworks in the parent", session.configured["numeric"], [])
    observe.equal("registry", session.settled, settings.REGISTRY)


@pytest.mark.clause("CLIENT-002~1")
def test_each_setting_of_the_client_is_in_the_registry(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Whatever another training left there. If this fails, suspect a list of names written by hand, or a value that is false."""
    registries = client.session(backend, shared_folder).registries

    observe.equal("entries that differ", client_doors.unlike(registries), {})


@pytest.mark.clause("CLIENT-003~2", needs=("CLIENT-002",))
def test_an_exported_file_is_read(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Counts, mask, probe with its mode axis, double precision.

    If this fails, suspect a check for the probe's rank, or for known keys.
    """
    session = client.session(backend, shared_folder)

    observe.equal("shape", session.trained["shape"], [12, settings.N, settings.N])
    probe = np.squeeze(client_scan.scan(*client.TRAIN)["probeGuess"])
    observe.close("probe", np.squeeze(session.arrays("train")["probe"]), probe, dtype="float32")


@pytest.mark.clause("CLIENT-004~1", needs=("CLIENT-003",), evidence="analytic")
def test_counts_become_amplitudes_once(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The patterns that a model sees are the roots of the counts, from a file and from memory.

    If this fails, suspect a conversion that sits in the file reader and not in the record, or in both.
    """
    session = client.session(backend, shared_folder)
    trained, (_, opened) = session.trained, session.reconstructed()
    file = session.arrays("train")

    observe.equal("shape", trained["shape"], [12, settings.N, settings.N])
    for_file, for_memory = oracle.scaled_amplitudes(file["counts"]), oracle.scaled_amplitudes(session.scan["diff3d"])
    observe.close("from a file", client.in_order(file["X"][..., 0]), client.in_order(for_file))
    observe.close("from memory", client.in_order(opened["X"][..., 0]), client.in_order(for_memory))


@pytest.mark.clause("CLIENT-004~1", needs=("CLIENT-003",))
@pytest.mark.parametrize("form", client.FORMS)
def test_counts_of_every_form_are_counts(backend: Proxy, observe: Observer, shared_folder: Path, form: str) -> None:
    """Brighter, and otherwise in memory: the patterns stay. If this fails, suspect counts that pass through 16 bits."""
    far = client.session(backend, shared_folder).forms[form]

    observe.close("from memory", 1 + far, 1.0, dtype="float32")


@pytest.mark.clause("CLIENT-005~1", needs=("CLIENT-003", "CLIENT-004"))
def test_filled_pixels_keep_their_values(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """What the client put into bad pixels is there in every pattern, and alike.

    If this fails, suspect a mask that is applied.
    """
    session = client.session(backend, shared_folder)
    _ = session.trained
    patterns = session.arrays("train")["X"][..., 0]

    rows, columns = np.array(client_scan.FILLED).T
    observe.at_least("smallest filled pixel", float(patterns[:, rows, columns].min()), np.finfo(np.float32).tiny)
    observe.equal("different values", len(np.unique(patterns[:, rows, columns])), 1)


@pytest.mark.clause("CLIENT-006~1", needs=("CLIENT-003",))
def test_a_training_leaves_a_model_and_nothing_else_behind(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The archive lies where it was asked for; the working directory is empty.

    If this fails, suspect checkpoints and logs under the empty `output_dir`.
    """
    session = client.session(backend, shared_folder)

    observe.equal("left in the working directory", session.trained["left_behind"], [])
    observe.equal("archive", (session.folder / "output" / "wts.h5.zip").is_file(), True)
    observe.equal("another model after another training", session.trained["renewed"], True)


@pytest.mark.clause("CLIENT-007~1", needs=("CLIENT-006",))
def test_a_model_opens_as_saved_and_as_unpacked(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Both ways give one model, and its scale is in the registry.

    If this fails, suspect a loader that knows the archive alone, or a registry that the bundle does not reach.
    """
    session = client.session(backend, shared_folder)
    (said, saved), (_, unpacked) = session.reconstructed(), session.reconstructed("unpacked")

    observe.equal("patches", unpacked["patches"], saved["patches"])
    observe.at_least("intensity scale", said["scale"], np.finfo(np.float64).tiny)
    observe.equal("an unknown key", client.wrongly_said({"get": said["unknown"]}, {"get": ("KeyError", ("",))}), {})


@pytest.mark.clause("CLIENT-008~1", needs=("CLIENT-006",))
def test_every_exposure_has_its_group(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """One sample for each exposure: every position is there, once.

    If this fails, suspect a count that is taken for the total.
    """
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()

    positions = np.column_stack([session.scan["xcoords"], session.scan["ycoords"]])
    observe.equal("positions", client.in_order(opened["offsets"].reshape(-1, 2)), client.in_order(positions))
    _ = session.trained
    file = session.arrays("train")["offsets"].reshape(-1, 2)
    owed = client_scan.scan(*client.TRAIN)
    positions = np.column_stack([owed["xcoords"], owed["ycoords"]])
    observe.equal("positions from a file", client.in_order(file), client.in_order(positions))
    observe.equal("groups of a few", session.of_few, [[n, settings.N, settings.N, 1] for n in client.FEW])


@pytest.mark.clause("CLIENT-009~2", needs=("CLIENT-006",))
def test_a_prediction_is_a_patch_for_each_position(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Finite complex patches, as many as positions, not all alike; of more positions than a batch holds, too.

    If this fails, suspect amplitude and phase returned apart, or a training that ended in NaN.
    """
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()

    patches = opened["patches"]
    observe.shape("patches", patches, (opened["offsets"].size // 2, settings.N, settings.N, 1))
    observe.equal("complex", np.iscomplexobj(patches), True)
    observe.equal("not finite", int((~np.isfinite(patches)).sum()), 0)
    observe.at_least("largest difference of two patches", float(np.abs(patches - patches[:1]).max()), np.finfo(np.float32).tiny)
    said, seen = session.together
    observe.shape("patches of many", seen["many"], (said["rows"], settings.N, settings.N, 1))
    observe.equal("not finite of many", int((~np.isfinite(seen["many"])).sum()), 0)


@pytest.mark.clause("CLIENT-010~2", needs=("CLIENT-008",), evidence="analytic")
def test_known_patches_give_the_object_back(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Patches cut from the client's object come to lie on it, wherever the scan's mean is.

    If this fails, suspect a canvas around the mean position, a half pixel, or swapped axes.
    """
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()
    scan, image = session.scan, opened["placed"]

    truth = oracle.on_canvas(scan["objectGuess"], image.shape)
    seen = oracle.covered(scan["xcoords"], scan["ycoords"], 20, scan["objectGuess"].shape, image.shape)
    observe.at_least("pixels compared", int(seen.sum()), 2000)
    observe.close("known patches", image[seen], truth[seen])
    observe.shape("image of the model", opened["image"], image.shape)


@pytest.mark.clause("CLIENT-015~1", needs=("CLIENT-010",))
def test_as_much_of_each_patch_is_placed_as_is_asked_for(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Twelve central pixels: the object there, nothing beyond. If this fails, suspect a number that is not handed on."""
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()
    scan, image = session.scan, opened["narrow"]

    seen = [oracle.covered(scan["xcoords"], scan["ycoords"], M, scan["objectGuess"].shape, image.shape) for M in client.REACH]
    observe.close("known patches", image[seen[0]], oracle.on_canvas(scan["objectGuess"], image.shape)[seen[0]])
    observe.equal("beyond", int(np.count_nonzero(image[~seen[1]])), 0)
    reach = [int(np.ptp(scan[f"{axis}coords"])) + client.ODD for axis in "xy"]
    wider = np.subtract(client.extent(opened["odd"]), reach)
    # The middle of a patch of an even side lies between pixels: an odd square about it may cover one more.
    observe.equal("width and height beside an odd square's", [int(more) for more in wider if more not in (0, 1)], [])


@pytest.mark.clause("CLIENT-011~2")
def test_errors_are_one_line_that_names_what_is_wrong(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Missing and broken input each end in one line.

    If this fails, suspect an error passed on from a library.
    """
    errors = client.session(backend, shared_folder).refused

    observe.equal("said otherwise", client.wrongly_said(errors, REFUSED), {})


@pytest.mark.clause("CLIENT-012~1", needs=("CLIENT-006",))
@pytest.mark.parametrize("effect", effects(*client_variations.LIBRARY), ids=str)
def test_a_setting_acts_or_is_refused(backend: Proxy, observe: Observer, shared_folder: Path, effect: Effect) -> None:
    """Another value, another model. If this fails, suspect a setting that is accepted and read by nobody."""
    seen = client_variations.library(backend, shared_folder)
    first, second = (seen[case] for case in (client_variations.without(effect), str(effect)))

    observe.equal("refused otherwise than in one line that names it", client_variations.unnamed(effect, second), "")
    acts = first != second or not client_variations.owed(effect, first)
    observe.holds("effect", acts, "another model", f"the same: {second}")


@pytest.mark.clause("CLIENT-012~1", needs=("CLIENT-006",))
def test_the_same_once_more_is_the_same_model(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Settings and files decide the model. If this fails, suspect weights or groups that are drawn without a seed."""
    seen = client_variations.library(backend, shared_folder)
    first, second = (seen[case] for case in (client_variations.BASE, client_variations.AGAIN))

    observe.equal("refused", first["refusal"], "")
    observe.equal("a patch for each row of the offsets", *first["seen"]["rows"])
    observe.equal("predictions", second["seen"], first["seen"])


@pytest.mark.clause("CLIENT-013~1", needs=("CLIENT-006",))
def test_every_exposure_is_trained_on(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """A pattern upside down, another model, though fewer are validated on. If this fails, suspect a number by default."""
    seen = client_variations.library(backend, shared_folder)

    observe.equal("refused", seen[client_variations.BASE]["refusal"], "")
    rows = [row for row in client_variations.CHANGED if seen[f"exposure {row}"] == seen[client_variations.BASE]]
    observe.equal("exposures without a part", rows, [])


@pytest.mark.clause("CLIENT-010~2", needs=("CLIENT-008",), evidence="analytic")
def test_known_patches_reach_the_first_and_the_last_pixel(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Positions on the corners of the object give its corners back. If this fails, suspect a bound that is one pixel short."""
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()
    scan, image = session.scan, opened["corners"]

    truth = oracle.on_canvas(scan["objectGuess"], image.shape)
    first = [(side - whole) // 2 for side, whole in zip(image.shape, scan["objectGuess"].shape, strict=True)]
    rows, columns = np.add(first, [(0, 0), (client_scan.HEIGHT - 1, client_scan.WIDTH - 1)]).T
    observe.close("known patches", image[rows, columns], truth[rows, columns])


@pytest.mark.clause("CLIENT-014~2", needs=("CLIENT-008",))
def test_groups_are_as_they_are_asked_for(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """As many for each exposure as asked for, by the seed, of the nearest. If this fails, suspect an argument not handed on."""
    seen = client.session(backend, shared_folder).grouped

    shape = [12, settings.N, settings.N, 4]
    observe.equal("groups", [seen[case]["X"] for case in ("given", "nsamples")], [shape, [24, *shape[1:]]])
    observe.equal("the same seed", [seen[case] for case in ("again", "zero again")], [seen["given"], seen["zero"]])
    astray = [case for case, found in seen.items() if found["at"][0] != found["at"][1]]
    observe.equal("with patterns at other positions", astray, [])
    observe.equal("no others with another", [case for case in ("seed", "K") if seen[case] == seen["given"]], [])
