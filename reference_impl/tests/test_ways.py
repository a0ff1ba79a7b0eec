"""`infer --patch-weighting` and `--varpro-scaling`: the command does what the library does (INFER-018)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reference_impl.bundle import save_torch_bundle
from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.config import ModelConfig, TrainingConfig
from reference_impl.data import RawData, npz
from reference_impl.inference import reassemble_cdi_image_torch
from reference_impl.training import PtychoLightningModule


@cache
def scan() -> dict[str, Any]:
    """A scan that is wider than high."""
    made = simulate(Experiment(size=160, patterns=24, test_patterns=4, seed=2))["train"]
    return {**made, "ycoords": 60 + made["ycoords"] / 8, "ycoords_start": 60 + made["ycoords_start"] / 8}


def bundle(folder: Path) -> tuple[Any, TrainingConfig]:
    torch.manual_seed(4)
    model = ModelConfig(gridsize=1, n_filters_scale=0.5, object_big=False)
    config = TrainingConfig(model=model, n_groups=24, subsample_seed=42, neighbor_count=6, backend="pytorch")
    module = PtychoLightningModule.from_config(config).eval()
    save_torch_bundle({"diffraction_to_obj": module, "autoencoder": module.model.autoencoder}, folder / "wts.h5", config)
    return module, config


def inferred(tmp_path: Path, *flags: str) -> tuple[int, dict[str, np.ndarray]]:
    npz.write_npz(tmp_path / "scan.npz", scan())
    argv = [
        "infer",
        "--model-path",
        str(tmp_path),
        "--test-data",
        str(tmp_path / "scan.npz"),
        "--output-dir",
        str(tmp_path / "out"),
    ]
    code = main([*argv, "--accelerator", "cpu", "--precision", "32-true", *flags])
    path = tmp_path / "out" / "reconstruction.npz"
    return code, dict(np.load(path)) if path.is_file() else {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("turned", [False, True], ids=["as-it-is", "transposed"])
@pytest.mark.parametrize(("weighting", "scaling"), [("probe", "global"), ("central", "none"), ("count", "global")])
def test_the_command_does_what_the_library_does(tmp_path: Path, weighting: str, scaling: str, turned: bool) -> None:
    module, config = bundle(tmp_path)
    flags = ["--patch-weighting", weighting, "--varpro-scaling", scaling, "--plain"] + ["--transpose"] * turned

    code, found = inferred(tmp_path, *flags)

    record = RawData.from_file(tmp_path / "scan.npz")
    ways = {"patch_weighting": weighting, "varpro_scaling": scaling, "transpose": turned}
    amplitude, phase, results = reassemble_cdi_image_torch(
        record, config, train_results={"models": {"diffraction_to_obj": module}}, **ways
    )
    assert code == 0
    np.testing.assert_allclose(found["object"], amplitude * np.exp(1j * phase), rtol=1e-4, atol=1e-5)
    assert found["covered"].shape == found["object"].shape and found["covered"].any()
    assert ("varpro_scales" in found) == (scaling == "global")
    if scaling == "global":
        np.testing.assert_allclose(found["varpro_scales"], results["varpro_scales"], rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_a_way_of_their_own_changes_the_picture_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle(tmp_path)

    plain, weighed = (
        inferred(tmp_path, *flags)[1] for flags in (["--plain"], ["--patch-weighting", "probe", "--varpro-scaling", "global"])
    )

    said = capsys.readouterr().out
    assert "patches averaged by the weights 'probe'" in said and "factors of the real and the imaginary part: " in said
    assert plain["object"].shape[0] == plain["object"].shape[1] and weighed["object"].shape[1] > weighed["object"].shape[0]
    # Both canvases say where they lie: what one covers lies at the same places of the other.
    shift = np.rint(weighed["origin"] - plain["origin"]).astype(int)
    rows, columns = (slice(shift[1 - axis], shift[1 - axis] + weighed["covered"].shape[axis]) for axis in (0, 1))
    assert abs(plain["covered"][rows, columns].sum() - weighed["covered"].sum()) <= 4 * sum(weighed["covered"].shape)


def test_transposed_patches_are_weighed_by_a_transposed_probe() -> None:
    from reference_impl.inference import routes

    rng = np.random.default_rng(1)
    patches = (rng.normal(size=(5, 16, 16, 1)) + 1j).astype(np.complex64)
    offsets = rng.uniform(0, 9, (5, 1, 1, 2))
    probe = rng.normal(size=(16, 16)).astype(np.complex64)
    turned = np.ascontiguousarray(patches.swapaxes(1, 2)), np.ascontiguousarray(offsets[..., ::-1])

    one = routes.stitched(patches, offsets, 12, "probe", {"probe": probe})
    other = routes.stitched(*turned, 12, "probe", {"probe": probe}, transposed=True)

    np.testing.assert_allclose(other["image"].T, one["image"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("flag", ["--patch-weighting", "--varpro-scaling"])
def test_an_unknown_way_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], flag: str) -> None:
    bundle(tmp_path)

    code, _ = inferred(tmp_path, flag, "median")

    said = capsys.readouterr().err.splitlines()
    assert code == 1 and said[-1].startswith(f"error: {flag}: expected one of") and "found 'median'" in said[-1]
    assert not (tmp_path / "out" / "reconstruction.npz").exists()
