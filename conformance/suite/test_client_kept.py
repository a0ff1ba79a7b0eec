"""CLIENT-029, CLIENT-030: what is written for the client says what its training was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from conformance.connectors.connect import Proxy
from conformance.judging.observe import Observer
from conformance.scenes import client, client_kept, client_settings

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLIENT-029~1", needs=("CLIENT-006", "BUNDLE-004"))
def test_a_saved_model_states_its_training(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Its scale and its settings, whatever the registry holds. If this fails, suspect what is looked up when a model is saved."""
    session = client.session(backend, shared_folder)
    trained = session.trained

    found = client_kept.stated(session.folder / "output")

    observe.equal("settings", {key: found.get(key) for key in client_settings.REGISTRY}, client_settings.REGISTRY)
    scale = float(found["intensity_scale"])
    observe.close("intensity scale", scale, client_kept.told(trained)["scale"], dtype="float64")


@pytest.mark.clause("CLIENT-030~1", needs=("CLIENT-006",))
def test_images_are_kept_as_they_were_given(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """Each under its name. If this fails, suspect two images exchanged, or one that is turned."""
    session = client.session(backend, shared_folder)
    folder = client_kept.kept(session.trained, session.folder / "outputs")

    amplitude, phase = client_kept.images(folder)

    whole = client_kept.BRIGHTER * session.scan["objectGuess"]
    observe.close("amplitude", amplitude.astype(float), np.abs(whole))
    observe.close("phase", phase.astype(float), np.angle(whole))


@pytest.mark.clause("CLIENT-030~1", needs=("CLIENT-006",))
def test_losses_are_kept_as_they_were(backend: Proxy, observe: Observer, shared_folder: Path) -> None:
    """A line an epoch, the first of them 1. If this fails, suspect columns exchanged, or a line that is lost."""
    session = client.session(backend, shared_folder)
    trained = client_kept.told(session.trained)

    found = client_kept.curves(client_kept.kept(session.trained, session.folder / "outputs"))

    observe.equal("epochs", found["epoch"], [1.0, 2.0])
    observe.close("training", found["train_loss"], trained["train_loss"], dtype="float64")
    observe.close("validation", found["val_loss"], trained["val_loss"], dtype="float64")
