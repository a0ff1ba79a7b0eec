"""CLIENT-036, CLIENT-037: the client's process lives on, its calls do not meet, and its doors lead to one model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.connectors import native
from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.oracles import client as oracle
from conformance.scenes import archives, client, client_kept, client_scan, client_variations

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLIENT-009~2", needs=("CLIENT-012",))
def test_patches_come_group_by_group(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Groups in another order: their patches in that order. If this fails, suspect channels that come before groups."""
    far = client_variations.of_turned_groups(client_variations.library(backend, shared_folder))

    observe.close("once groups are turned", 1 + far, 1.0)


@pytest.mark.clause("CLIENT-010~2", needs=("CLIENT-008",), evidence="analytic")
def test_patches_between_pixels_give_the_slope_back(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """An object that rises evenly, cut between pixels. If this fails, suspect positions that are rounded."""
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()
    image, whole = opened["slope"], client_scan.slope()

    scan = client_scan.between(session.scan)
    seen = oracle.within(scan["xcoords"], scan["ycoords"], 20, whole.shape, image.shape)
    observe.at_least("pixels compared", int(seen.sum()), 500)
    observe.close("known patches", image[seen], oracle.on_canvas(whole, image.shape)[seen])


@pytest.mark.clause("CLIENT-037~1", needs=("CLIENT-009", "BUNDLE-020", "MODEL-021"))
def test_the_client_predicts_what_the_bundle_does(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Patches of one model through both doors. If this fails, suspect patches that are turned, or other patterns fed."""
    session = client.session(backend, shared_folder)
    _, opened = session.reconstructed()

    module = native.item(backend.load(session.folder / "output")[0], archives.MODEL)
    owed = client_kept.predicted(backend, module, opened["X"], session.scan["probeGuess"])

    observe.close("patches", opened["patches"][: len(owed), ..., 0], owed)


@pytest.mark.clause("CLIENT-036~1", needs=("CLIENT-007", "CLIENT-009"))
def test_calls_of_a_process_do_not_meet(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Two models beside each other. If this fails, suspect the model that was opened last, or a scale that was there before."""
    session = client.session(backend, shared_folder)
    said, seen = session.together

    observe.equal("the first model once another is opened", seen["beside"], seen["alone"])
    apart = float(np.abs(seen["other"] - seen["alone"]).max())
    observe.at_least("how far the other's patches are", apart, np.finfo(np.float32).tiny)
    owed = float(client_kept.stated(session.folder / client.OTHER)["intensity_scale"])
    observe.close("the scale of the model that was opened last", said["scale"], owed, dtype="float64")
    opened, _ = session.reconstructed()
    observe.equal("arrays of the client that were changed", [*opened["changed"], *said["changed"]], [])


@pytest.mark.clause("CLIENT-036~1", needs=("CLIENT-011",))
def test_what_is_refused_leaves_no_trace(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """In the registry. If this fails, suspect a value that is written before a file is looked at."""
    observe.equal("changed", client.session(backend, shared_folder).changed_by_refusals, [])


@pytest.mark.clause("CLIENT-013~1", needs=("CLIENT-006",))
def test_a_configuration_that_was_used_trains_on_all(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """On a longer scan, after a shorter one. If this fails, suspect a number of groups that is written where it was missing."""
    trained = client_kept.told(client.session(backend, shared_folder).trained)

    observe.at_least("groups", trained["groups"], client.TRAIN[0])
