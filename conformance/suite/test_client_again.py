"""CLIENT-013, CLIENT-036: the client's process lives on, and its calls do not meet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import client, client_kept

pytestmark = pytest.mark.slow


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
