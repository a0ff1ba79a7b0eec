"""The first thing that every user does: train in one process, infer in another, look at the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.oracles import pictures
from conformance.scenes import archives, commands, runs

PICTURES = ("reconstructed_amplitude.png", "reconstructed_phase.png")
LEFT = ("wts.h5.zip", "checkpoints/last.ckpt", "lightning_logs/version_*/metrics.csv")


@pytest.mark.slow
@pytest.mark.clause("CLI-010~1", needs=("CLI-001", "CLI-006", "TRAIN-051", "BUNDLE-030", "INFER-001"))
@pytest.mark.parametrize("g", [1, 2], ids=["g1", "g2"])
def test_train_save_load_infer(backend: Any, observe: Observer, shared_folder: Path, g: int) -> None:
    """Two epochs of 64 groups, then pictures from the bundle alone. If this fails, suspect whatever stands before it."""
    flow = commands.flow(backend, shared_folder, g)

    observe.holds("train", flow.train.returncode == 0, "exit code 0", f"{flow.train.returncode}: {flow.train.output[-1500:]}")
    observe.equal("artefacts missing", [name for name in LEFT if not any(flow.output.glob(name))], [])
    observe.equal("entries", sorted(archives.entries(flow.output)), sorted(oracle.ENTRIES))
    observe.equal("epochs in the table", len(flow.losses), 2)
    observe.holds("infer", flow.infer.returncode == 0, "exit code 0", f"{flow.infer.returncode}: {flow.infer.output[-1500:]}")
    observe.equal("pictures missing", [name for name in PICTURES if not (flow.pictures / name).is_file()], [])
    paths = [flow.pictures / name for name in PICTURES]
    observe.picture("amplitude", paths[0])
    observe.picture("phase", paths[1])
    observe.at_least("bytes of the smaller picture", min(path.stat().st_size for path in paths), 1001)
    observe.at_least("colours of the plainer picture", min(pictures.colours(path) for path in paths), 3)


@pytest.mark.slow
@pytest.mark.clause("CLI-010~1", needs=("TRAIN-051", "BUNDLE-023"))
def test_what_was_trained_elsewhere_opens_here(backend: Any, observe: Observer, shared_folder: Path) -> None:
    """The command's bundle and its last checkpoint are one model. If this fails, suspect a bundle of untrained weights."""
    flow = commands.brief(backend, shared_folder)
    observe.equal("artefacts missing", [name for name in LEFT if not any(flow.output.glob(name))], [])

    models, parameters = backend.load(flow.output)
    module = backend.load_checkpoint(flow.output / LEFT[1])

    weights = [runs.flat(runs.weights(backend, part)) for part in (models["diffraction_to_obj"], module)]
    observe.equal("weights", *weights)
    asked = {"N": 64, "gridsize": 1, "batch_size": 4, "nepochs": 2, "n_groups": flow.groups}
    observe.equal("parameters", {name: parameters.get(name) for name in asked}, asked)
