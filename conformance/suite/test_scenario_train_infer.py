"""The first thing that every user does: train in one process, infer in another, look at the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance import process
from conformance.observe import Observer
from conformance.oracles import bundle as oracle
from conformance.oracles import pictures
from conformance.scenes import archives, runs
from conformance.scenes.records import write_npz

PICTURES = ("reconstructed_amplitude.png", "reconstructed_phase.png")
RUN = "--max_epochs 2 --n_images 64 --gridsize 1 --batch_size 4 --accelerator cpu --quiet"
LEFT = ("wts.h5.zip", "checkpoints/last.ckpt", "lightning_logs/version_0/metrics.csv")


@pytest.mark.clause("CLI-010~1", needs=("CLI-001", "CLI-006", "TRAIN-051", "BUNDLE-030", "INFER-001"))
def test_train_save_load_infer(backend: Any, observe: Observer, tmp_path: Path) -> None:
    """Two epochs of 64 groups, then a picture from the bundle alone. If this fails, suspect whatever stands before it."""
    train, test = write_npz(tmp_path / "train.npz", **runs.raw(72)), write_npz(tmp_path / "test.npz", **runs.raw(30, seed=8))
    out, pictured = tmp_path / "run", tmp_path / "pictures"

    files = ["--train_data_file", train, "--test_data_file", test, "--output_dir", out]
    trained = process.run([*backend.command("train"), *files, *RUN.split()], cwd=tmp_path)
    observe.holds("train", trained.returncode == 0, "exit code 0", f"{trained.returncode}: {trained.output[-1500:]}")
    observe.equal("artefacts missing", [name for name in LEFT if not (out / name).is_file()], [])
    observe.equal("entries", sorted(archives.entries(out)), sorted(oracle.ENTRIES))

    files = ["--model_path", out, "--test_data", test, "--output_dir", pictured]
    inferred = process.run([*backend.command("infer"), *files, "--n_images", "24", "--accelerator", "cpu"], cwd=tmp_path)
    observe.holds("infer", inferred.returncode == 0, "exit code 0", f"{inferred.returncode}: {inferred.output[-1500:]}")
    observe.equal("pictures missing", [name for name in PICTURES if not (pictured / name).is_file()], [])
    paths = [pictured / name for name in PICTURES]
    observe.at_least("bytes of the smaller picture", min(path.stat().st_size for path in paths), 1001)
    observe.at_least("colours of the plainer picture", min(pictures.colours(path) for path in paths), 32)
