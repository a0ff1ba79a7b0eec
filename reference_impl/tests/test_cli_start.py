"""How soon a command speaks: what it imports before it has looked at what was typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from reference_impl.bundle import save_torch_bundle
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.training import PtychoModule


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (["--help"], {"torch", "lightning", "matplotlib"}),
        (["train", "--train-data-file", "absent.npz", "--output-dir", "out"], {"lightning", "matplotlib"}),
        (["infer", "--model-path", "absent", "--test-data", "absent.npz", "--output-dir", "out"], {"lightning", "matplotlib"}),
        (["infer", "--model-path", "absent", "--test-data", "there.npz", "--output-dir", "out"], {"torch", "matplotlib"}),
        (["infer", "--model-path", "there", "--test-data", "there.npz", "--output-dir", "out"], {"torch", "matplotlib"}),
    ],
    ids=["help", "train", "infer", "infer: no model", "infer: an empty folder"],
)
def test_no_library_is_imported_before_it_is_needed(tmp_path: Path, words: list[str], spared: set[str]) -> None:
    """Help and what is wrong with a path are there in half a second or one, not after five."""
    (tmp_path / "there.npz").write_bytes(b"")
    (tmp_path / "there").mkdir()
    code = "import runpy, sys\ntry: runpy.run_module('reference_impl', run_name='__main__')\n"
    code += f"finally: print('imported:', sorted({spared!r} & set(sys.modules)), file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)

    assert done.stderr.endswith("imported: []\n"), done.stderr
    assert done.returncode == (words != ["--help"])


COMMANDS = [
    ["infer", "--model-path", "bundle", "--test-data", "test.npz", "--output-dir", "inferred", "--accelerator", "cpu"],
    ["reconstruct", "--data", "test.npz", "--output-dir", "reconstructed", "--sweeps", "2", "--accelerator", "cpu"],
    ["evaluate", "reconstructed/reconstruction.npz", "test.npz", "--output-dir", "evaluated"],
    ["inspect", "test.npz", "--output", "seen.png"],
    ["convert", "--source", "test.npz", "--output", "converted.npz"],
]
"""One after the other, in one folder."""


def test_who_trains_nothing_does_not_import_what_trains(tmp_path: Path) -> None:
    """Lightning, TensorDict and torch's compiler are two thirds of the time to import everything."""
    config = TrainingConfig(model=ModelConfig(N=64, gridsize=1, n_filters_scale=1, probe_big=False), nphotons=1e9)
    module = PtychoModule.from_config(config).eval()
    models = {"autoencoder": module.model.autoencoder, "diffraction_to_obj": module}
    save_torch_bundle(models, tmp_path / "bundle" / "wts.h5", config)
    np.savez(tmp_path / "test.npz", **simulate(Experiment(patterns=24, test_patterns=12))["test"])
    code = (
        "import sys\nfrom reference_impl.cli.main import main\n"
        f"for words in {COMMANDS!r}:\n"
        "    assert main(words) == 0, words\n"
        "    found = {'lightning', 'tensordict', 'torch._dynamo'} & set(sys.modules)\n"
        "    assert not found, (words[0], found)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
