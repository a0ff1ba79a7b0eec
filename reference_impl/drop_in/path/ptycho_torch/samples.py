"""Records of the client as containers: which exposures are trained on, which are held out, and how they are grouped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ptycho.raw_data import RawData

from ptycho_torch.config_params import DataConfig
from reference_impl.batch import PtychoContainer, container_from_groups
from reference_impl.config.bridge import gridsize_of
from reference_impl.errors import ContractError

SEED = 42
"""Of weights and groups: the client has no setting for it (decision 10)."""


def training_containers(folder: Path, data: DataConfig, configs: Any) -> tuple[PtychoContainer, PtychoContainer | None]:
    """Training and validation groups of the one experiment in `folder`.

    Files: `train_data.npz` and, where there is one, `test_data.npz` to validate on; or one NPZ of any name, of whose exposures a
    fraction (`finetune_val_split`) is held out. Exposures outside `x_bounds`, `y_bounds` (fractions of the scan) are left out.
    """
    files = sorted(folder.glob("*.npz"))
    train = folder / "train_data.npz" if len(files) > 1 else (files or [folder / "train_data.npz"])[0]
    others = [path.name for path in files if path not in (train, folder / "test_data.npz")]
    if others or not train.is_file():
        found = ", ".join(path.name for path in files) or "none"
        raise ContractError(file=folder, field="data_dir", expected="train_data.npz and test_data.npz, or one NPZ", found=found)
    record = RawData.from_file(train)
    inside = _within(record, data)
    if (folder / "test_data.npz").is_file() and train.name != "test_data.npz":
        held, validation = np.zeros(len(record), bool), RawData.from_file(folder / "test_data.npz")
    else:
        held = _held_out(len(record), configs.training_config.finetune_val_split)
        validation = _part(record, held) if held.any() else None
    kept = _part(record, inside & ~held)
    return _grouped(kept, data, data.n_subsample), None if validation is None else _grouped(validation, data, 1)


def inference_container(
    patterns: np.ndarray, probe: np.ndarray, positions: np.ndarray, data: DataConfig
) -> tuple[PtychoContainer, tuple[int, int]]:
    """One group for each exposure, and the `(H, W)` of the object, which the client builds around its scan.

    Positions `(n, 2)` are [y, x] in pixels of that object: as far from its first pixel as from its last.
    """
    y, x = np.asarray(positions, np.float64).T
    record = RawData.from_coords_without_pc(x, y, patterns, probe)
    shape = tuple(int(np.rint(axis.min() + axis.max())) + 1 for axis in (y, x))
    return _grouped(record, data, 1), shape


def weights_of(probe: np.ndarray, weighting: str) -> np.ndarray:
    """`(N, N)` float64 weights of a patch: the probe's intensity, summed over modes, or ones."""
    modes = probe.reshape(-1, *probe.shape[-2:])
    return np.sum(np.abs(modes).astype(np.float64) ** 2, axis=0) if weighting == "probe" else np.ones(probe.shape[-2:])


def _grouped(record: RawData, data: DataConfig, rounds: int) -> PtychoContainer:
    side = gridsize_of(data.grid_size)
    if not data.C == side**2:
        raise ContractError(field="C", expected=f"grid_size {tuple(data.grid_size)} multiplied out", found=repr(data.C))
    groups = record.generate_grouped_data(data.N, K=data.K, nsamples=rounds, gridsize=side, seed=SEED)
    counted = float(np.square(record.diff3d, dtype=np.float64).sum(axis=(1, 2)).mean())
    return container_from_groups(groups, record.probeGuess, counted)


def _within(record: RawData, data: DataConfig) -> np.ndarray:
    inside = np.ones(len(record), bool)
    for values, (low, high) in ((record.xcoords, data.x_bounds), (record.ycoords, data.y_bounds)):
        away, reach = values - values.min(), np.ptp(values)  # of which the largest is the reach to the last bit
        inside &= (away >= low * reach) & (away <= high * reach)
    return inside


def _held_out(count: int, fraction: float) -> np.ndarray:
    """Evenly spread over the scan."""
    steps = np.floor(np.arange(count + 1) * fraction)
    return np.diff(steps) > 0


def _part(record: RawData, chosen: np.ndarray) -> RawData:
    if not chosen.any():
        raise ContractError(file=record.file, field="x_bounds, y_bounds", expected="exposures to train on", found="none")
    names = ("xcoords", "ycoords", "xcoords_start", "ycoords_start", "diff3d", "scan_index")
    rest = {"probeGuess": record.probeGuess, "objectGuess": record.objectGuess, "mask": record.mask, "file": record.file}
    return RawData(**{name: getattr(record, name)[chosen] for name in names}, **rest)
