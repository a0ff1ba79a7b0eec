"""The client that imports `ptycho_torch`: settings, training, checkpoint, reconstruction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import client, client_scan, client_variations
from conformance.scenes import client_settings as settings
from conformance.specification.effects import Effect, effects, further

pytestmark = pytest.mark.slow

REFUSED = {
    "empty": ("Exception", ("empty", "train_data")),
    "no_probe": ("Exception", ("probe", "train_data.npz")),
    "few_positions": ("Exception", ("train_data.npz", "coords")),
    "nowhere.ckpt": ("OSError", ("nowhere.ckpt",)),
    "cut_off.ckpt": ("Exception", ("cut_off.ckpt",)),
}
"""Input → the class of its error, and the file or the key: the message names one of them."""


@pytest.mark.clause("CLIENT-001~1")
def test_the_other_package_is_found_with_every_name(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Every name that the client imports of `ptycho_torch` is there.

    If this fails, suspect a module or class that was renamed, or a folder that is not the package's parent.
    """
    found = client.session(backend, shared_folder).found_torch

    observe.equal("packages", found["packages"], {"ptycho_torch": True})
    observe.equal("missing", found["missing"], [])


@pytest.mark.clause("CLIENT-020~1")
def test_the_other_library_takes_all_of_its_settings(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Eighty settings go in by name, through a pickle, and can be changed.

    If this fails, suspect a renamed field.
    """
    said = client.session(backend, shared_folder).trained_torch

    observe.equal("settings that were told and kept", said["kept"], {name: True for name in settings.TORCH_SETTINGS})
    observe.equal("devices, set afterwards", said["devices"], 1)


@pytest.mark.clause("CLIENT-021~2", needs=("CLIENT-020",))
def test_the_other_library_trains(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Two epochs with finite losses under the client's own callback, and a checkpoint in the output folder.

    If this fails, suspect a trainer with its own list of callbacks.
    """
    session = client.session(backend, shared_folder)
    said = session.trained_torch

    observe.equal("epochs with a loss", len(said["train"]), settings.TORCH_SETTINGS["training_config"]["epochs"])
    observe.equal("losses that are not finite", int((~np.isfinite([*said["train"], *said["val"]])).sum()), 0)
    inside = str(said["checkpoint"]).startswith(str(session.folder / "output_torch [1]"))
    observe.equal("left in the working directory", said["left_behind"], [])
    observe.holds("checkpoint", inside, "a file under the output folder", str(said["checkpoint"]))


@pytest.mark.clause("CLIENT-011~2", needs=("CLIENT-020",))
def test_errors_of_the_other_are_one_line(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Missing and broken input each end in one line. If this fails, suspect an error passed on from a library."""
    errors = client.session(backend, shared_folder).refused_torch

    observe.equal("said otherwise", client.wrongly_said(errors, REFUSED), {})


@pytest.mark.clause("CLIENT-022~1", needs=("CLIENT-021",))
def test_a_checkpoint_gives_back_what_was_stated(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Settings that shape a reconstruction come out of the file, whatever the client's own are by then.

    If this fails, suspect a checkpoint that keeps the module's own settings alone.
    """
    said, _ = client.session(backend, shared_folder).reconstructed_torch

    observe.equal("configurations missing", said["missing"], [])
    observe.equal("mode", said["mode"], settings.TORCH_SETTINGS["model_config"]["mode"])
    told = {name: {key: said["told"][name].get(key) for key in part} for name, part in settings.TOLD.items()}
    observe.equal("settings", told, settings.TOLD)


@pytest.mark.clause("CLIENT-022~1", needs=("CLIENT-021",))
def test_a_checkpoint_gives_back_every_setting(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """As it was stated. If this fails, suspect a setting that is translated on its way, or a list of names."""
    said, _ = client.session(backend, shared_folder).reconstructed_torch

    observe.equal("settings that differ", client.told_otherwise(said["told"]), {})


@pytest.mark.clause("CLIENT-022~1", needs=("CLIENT-021",))
def test_a_reconstruction_is_by_the_settings_of_its_checkpoint(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """So many pixels of each patch as were stated. If this fails, suspect settings of the client's default on the way."""
    session = client.session(backend, shared_folder)
    _, arrays = session.reconstructed_torch

    trim = settings.TORCH_SETTINGS["inference_config"]["middle_trim"]
    reach = [int(np.ptp(session.scan[f"{axis}coords"])) + trim for axis in "xy"]
    wider = np.subtract(client.extent(np.squeeze(arrays["image"])), reach)
    # A canvas about the middle of the scan may begin between pixels, and a patch between pixels covers one more.
    observe.equal("pixels of width and height beside it", [int(more) for more in wider if more not in (0, 1)], [])


@pytest.mark.clause("CLIENT-023~2", needs=("CLIENT-021",))
def test_the_other_object_lies_around_the_scan(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The middle of what is covered is the middle of the image, along x and along y, of a scan that is wider than high.

    If this fails, suspect swapped positions, or a canvas around the mean position.
    """
    session = client.session(backend, shared_folder)
    _, arrays = session.reconstructed_torch
    image, scan = np.squeeze(arrays["image"]), session.scan

    observe.equal("complex", np.iscomplexobj(image), True)
    observe.equal("not finite", int((~np.isfinite(image)).sum()), 0)
    observe.at_most("distance of the middles", float(np.abs(client.box(image)).max()), 1.0)
    wide = np.ptp(scan["xcoords"]) - np.ptp(scan["ycoords"])
    observe.at_most("width beyond height, pixels beside it", float(abs(client.width_beyond_height(image) - int(wide))), 1.0)
    moved = np.squeeze(arrays["moved"])
    observe.at_most("distance of the middles on a larger object", float(np.abs(client.box(moved)).max()), 1.0)
    trim = settings.TORCH_SETTINGS["inference_config"]["middle_trim"]
    observe.equal("empty and covered where they should not be", client_scan.astray(image, scan, trim), [0, 0])


@pytest.mark.clause("CLIENT-035~1", needs=("CLIENT-023",))
def test_a_hair_moves_no_object(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Positions that are whole but for rounding. If this fails, suspect a side that is cut off where it should be rounded."""
    _, arrays = client.session(backend, shared_folder).reconstructed_torch
    image, less = (np.squeeze(arrays[name]) for name in ("image", "less"))

    observe.equal("shape", less.shape, image.shape)
    observe.close("image", less, image)


@pytest.mark.clause("CLIENT-036~1", needs=("CLIENT-023",))
def test_an_engine_serves_again(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """On other data, as a fresh one. If this fails, suspect what an engine remembers, or arrays that are worked in."""
    said, arrays = client.session(backend, shared_folder).reconstructed_torch

    observe.equal("shape", arrays["used"].shape, arrays["fresh"].shape)
    observe.close("image", arrays["used"], arrays["fresh"])
    observe.equal("arrays of the client that were changed", said["changed"], [])


@pytest.mark.clause("CLIENT-028~1", needs=("CLIENT-023",))
def test_modes_of_a_probe_have_no_order(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Two, exchanged: one image; two are not one. If this fails, suspect weights of the first mode alone."""
    _, arrays = client.session(backend, shared_folder).reconstructed_torch

    observe.close("exchanged", arrays["swapped"], arrays["two"])
    observe.equal("side", np.squeeze(arrays["two"]).shape, np.squeeze(arrays["image"]).shape)


@pytest.mark.clause("CLIENT-024~1", needs=("CLIENT-021",))
@pytest.mark.parametrize("effect", effects(*client_variations.OTHER), ids=str)
def test_a_setting_of_the_other_acts_or_is_refused(
    backend: Proxy, observe: Observer, shared_folder: Path, effect: Effect
) -> None:
    """Another value, other losses or another image. If this fails, suspect a setting that is accepted and read by nobody."""
    seen = client_variations.other(backend, shared_folder)
    first, second = (seen[case] for case in (client_variations.without(effect), str(effect)))

    observe.equal("refused otherwise than in one line that names it", client_variations.unnamed(effect, second), "")
    acts = first != second or not client_variations.owed(effect, first)
    observe.holds("effect", acts, "other losses or another image", f"the same: {second}"[:300])


@pytest.mark.clause("CLIENT-024~1", needs=("CLIENT-021",))
@pytest.mark.parametrize("effect", further(*client_variations.OTHER), ids=str)
def test_a_setting_of_the_other_acts_at_its_other_values(
    backend: Proxy, observe: Observer, shared_folder: Path, effect: Effect
) -> None:
    """Of a scan with wide groups, too. If this fails, suspect a default in the place of what is stated."""
    seen = client_variations.other(backend, shared_folder)
    first, second = (seen[case] for case in (client_variations.without(effect), str(effect)))

    observe.equal("refused otherwise than in one line that names it", client_variations.unnamed(effect, second), "")
    acts = first != second or not client_variations.owed(effect, first)
    observe.holds("effect", acts, "other losses or another image", f"the same: {second}"[:300])


@pytest.mark.clause("CLIENT-024~1", needs=("CLIENT-021",))
def test_the_same_once_more_is_the_same_image(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Settings and files decide losses and image. If this fails, suspect weights or groups that are drawn without a seed."""
    seen = client_variations.other(backend, shared_folder)
    first, second = (seen[case] for case in (client_variations.BASE, client_variations.AGAIN))

    observe.equal("refused", first["refusal"], "")
    observe.equal("losses, weights and image", second["seen"], first["seen"])


@pytest.mark.clause("CLIENT-025~1", needs=("CLIENT-021",))
@pytest.mark.parametrize("axis", ["x", "y"])
def test_bounds_choose_what_is_trained_on(backend: Proxy, observe: Observer, shared_folder: Path, axis: str) -> None:
    """Patterns upside down: those outside change nothing, those within do. If this fails, suspect swapped bounds."""
    seen = client_variations.other(backend, shared_folder)
    named = (f"client_data_config-{axis}_bounds", f"{axis}, outside", f"{axis}, within")
    given, outside, within = (client_variations.learned(seen[case]) for case in named)

    observe.equal("with other patterns outside", outside, given)
    observe.holds("with other patterns within", within != given, "other weights", f"the same: {within}")


@pytest.mark.clause("CLIENT-026~2", needs=("CLIENT-021",))
def test_the_best_checkpoint_is_that_of_the_best_epoch(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """The weights of the epoch whose validation loss is least. If this fails, suspect the last checkpoint."""
    case = client_variations.other(backend, shared_folder)[client_variations.LONGER]

    observe.equal("refused", case["refusal"], "")
    seen = case["seen"]
    observe.equal("validated epochs", len(seen["val"]), len(seen["weights"]))
    observe.equal("weights of the checkpoint", seen["best"], seen["weights"][int(np.argmin(seen["val"]))])


@pytest.mark.clause("CLIENT-027~1", needs=("CLIENT-021",))
def test_a_second_file_is_validated_on(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Its patterns upside down: another validation loss, the same weights. If this fails, suspect files put together."""
    given, turned = (client_variations.other(backend, shared_folder)[f"two files, {what}"] for what in ("given", "turned"))

    observe.equal("refused", (given["refusal"], turned["refusal"]), ("", ""))
    observe.equal("training", client_variations.learned(turned), client_variations.learned(given))
    told = turned["seen"]["val"]
    observe.holds("validation losses", told != given["seen"]["val"], "others", f"the same: {told}")


@pytest.mark.clause("CLIENT-031~2", needs=("CLIENT-021",))
def test_what_is_held_out_teaches_nothing(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Half of the exposures have a part in the weights, and the others none. If this fails, suspect a part that is in both."""
    seen = client_variations.other(backend, shared_folder)

    found = client_variations.taught(seen)

    observe.equal("refused", seen[f"held out, {client_variations.GIVEN}"]["refusal"], "")
    observe.equal("exposures with a part", len(found), round(client_variations.SMALL * (1 - client_variations.SPLIT)))
