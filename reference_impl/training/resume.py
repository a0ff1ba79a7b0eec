"""Going on from a checkpoint: what it was trained with and on is compared with what this run says (TRAIN-065, TRAIN-066).

A setting that differs would have no effect (what optimiser and schedule remember) or take effect half-way (a loss, a batch
size), while the bundle states the new one. So it is refused, naming both values, unless the override `resume_override` names it:
then it acts, from the next epoch on. What shapes the weights, or is remembered and cannot be put right, cannot be changed at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from reference_impl.policy import require_torch

require_torch()

from lightning.pytorch import LightningModule, Trainer  # noqa: E402
from lightning.pytorch.callbacks import Callback  # noqa: E402
from torch.optim.lr_scheduler import LambdaLR  # noqa: E402

from reference_impl.batch import MappedDataset  # noqa: E402
from reference_impl.batch.container import as_array, resolve_seed  # noqa: E402
from reference_impl.domains.fields import shown  # noqa: E402
from reference_impl.errors import ContractError  # noqa: E402
from reference_impl.execution import PyTorchExecutionConfig  # noqa: E402
from reference_impl.training.checkpoints import read_checkpoint  # noqa: E402

KEY = "trained_with"
SECTIONS = ("data_config", "model_config", "training_config")
EXECUTION = ("precision", "channels_last", "devices", "num_nodes")
"""Settings of the execution that change what is computed, beyond the order of a sum."""

NAMES = {"epochs": "nepochs", "K": "neighbor_count", "mode": "model_type", "grid_size": "gridsize"}
"""Torch-side name → the setting's own name."""
LEFT_OUT = ("train_data_file", "test_data_file", "output_dir", "C", "C_model", "C_forward", "num_datasets", "intensity_scale")
"""Paths (the digests of the data decide) and what follows from other settings."""

CHANGEABLE = (
    *("learning_rate", "weight_decay", "nepochs", "batch_size", "accum_steps", "nll", "nll_weight", "mae_weight"),
    *("realspace_weight", "realspace_mae_weight", "torch_loss_mode", "gradient_clip_val", "gradient_clip_algorithm"),
    *("amp_activation", "probe_scale", "probe_mask", "nphotons", "max_neighbor_distance", "gaussian_smoothing_sigma"),
    *("n_groups", "neighbor_count", "train_data", "test_data", *EXECUTION),
)
"""What may be changed on the way, once it is said."""
GROUPS = ("n_groups", "neighbor_count")
"""Settings that draw other groups from the same file."""
SCAN, RECORD = "train_scan", ("diff3d", "xcoords", "ycoords", "mask", "probeGuess")
"""The digest of the record that the groups are drawn from, and its arrays that count: however groups are drawn, it stays."""


@dataclass(frozen=True)
class Provenance:
    """What a run trains with and on: setting → plain value; the digests of its data are two of them. `file`: where they lie."""

    settings: Mapping[str, Any]
    file: str | Path | None = None

    @classmethod
    def of(
        cls, module: LightningModule, execution: PyTorchExecutionConfig, train: Any, test: Any, record: Any = None
    ) -> Provenance:
        """The provenance of a run about to begin; `record`: the scan that the groups `train` were drawn from, if it is known."""
        own = {name: getattr(execution, name) for name in EXECUTION}
        data = {"train_data": digest_of(train), "test_data": None if test is None else digest_of(test)}
        dose = (
            {} if getattr(train, "nphotons", None) is None else {"nphotons": train.nphotons}
        )  # a file's own comes before a flag
        whole = SimpleNamespace(**{name: getattr(record, name, None) for name in RECORD})
        scan = {SCAN: digest_of(whole)} if hasattr(record, "diff3d") else {}
        return cls({**_flat(module.hparams), **own, **dose, **data, **scan}, getattr(record, "file", None))


DOSE = ("nphotons", "nphotons_source", "physics_scaling_constant")
"""Of a container: the photons a pattern, and what follows from them. They are a setting, compared by its name, and no data."""


def digest_of(container: Any) -> str:
    """The digest of all that a container holds but its dose: dtype, shape and bytes of its arrays, and every number.

    A map has one already.
    """
    if isinstance(container, MappedDataset):
        return container.digest
    names = [field.name for field in fields(container)] if is_dataclass(container) else vars(container)
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(set(names) - set(DOSE)):
        value = getattr(container, name)
        if name == "label_light" and value is None:  # labels that no solver made say nothing more than they did
            continue
        if not hasattr(value, "shape"):
            found.update(f"{name} {value!r}".encode())
            continue
        array = as_array(value)
        if name == "Y" and array.size and not any(array.strides):  # labels that are none occupy one number
            array = array.reshape(-1)[:1]
        found.update(f"{name} {array.dtype.str} {array.shape}".encode())
        for part in array if array.ndim > 1 else (array,):  # never a copy of the whole stack
            found.update(np.ascontiguousarray(part).data.cast("B") if part.size else b"")
    return found.hexdigest()


def changed_settings(path: Path, now: Provenance, accepted: Iterable[str]) -> list[str]:
    """What this run changes of what the checkpoint was trained with, all of it among the `accepted` settings.

    Raises `ContractError` for a checkpoint that this run cannot honestly go on from.
    """
    chosen = {_known(name, now.settings) for name in accepted}
    if "train_data" in chosen:
        chosen |= {SCAN}
    if chosen & set(GROUPS):  # other groups are other data, of the same scan
        chosen |= {"train_data", "test_data"}
    checkpoint = _read(path)
    then = {**_flat(checkpoint["hyper_parameters"]), **checkpoint.get(KEY, {})}
    done = checkpoint["epoch"] + 1
    if now.settings["nepochs"] <= done:
        expected = f"more than the {done} epochs that {path} has been trained for"
        raise ContractError(field="nepochs", expected=expected, found=f"{now.settings['nepochs']}: nothing is left to train")
    differing = [name for name in now.settings if name in then and _meant(name, then[name]) != _meant(name, now.settings[name])]
    # More epochs are the usual way to go on; under a schedule that ends with them they bend it.
    if then.get("scheduler") != "WarmupCosine":
        differing = [name for name in differing if name != "nepochs"]
    for name in sorted(differing, key=_first_said):
        if name not in (*CHANGEABLE, SCAN) or name not in chosen:
            raise _contradiction(
                "train_data" if name == SCAN else name,
                then[name],
                now.settings[name],
                path,
                now.file if name in ("N", "train_data", SCAN) else None,
            )
    return differing


def _meant(name: str, value: Any) -> Any:
    """A setting as it acts: no seed is the one that stands for none (TRAIN-011)."""
    return resolve_seed(value) if name == "subsample_seed" else value


def _first_said(name: str) -> int:
    """What cannot be changed at all, then what makes other groups, then the data themselves: another file says other photons."""
    if name == SCAN:
        return 1
    return 0 if name not in CHANGEABLE else 2 if name in GROUPS else 3 if name.endswith("_data") else 4


def _contradiction(name: str, then: Any, now: Any, path: Path, file: str | Path | None) -> ContractError:
    advice = f"resume_override='{name}' lets it act from here on" if name in CHANGEABLE else "it cannot change: start anew"
    if name.endswith("_data"):
        then, now = (f"data of digest {value[:8]}…" if value else "none" for value in (then, now))
        found = f"another file, or others of its patterns, positions or mask ({now}); {advice}"
        return ContractError(file=file, field=name, expected=f"the {then} that {path} was trained with", found=found)
    expected = f"{shown(then)}, which {path} was trained with"
    return ContractError(file=file, field=name, expected=expected, found=f"{shown(now)}; {advice}")


def _known(name: str, settings: Mapping[str, Any]) -> str:
    plain = name.removeprefix("--").replace("-", "_")
    known = {
        **{setting: setting for setting in settings},
        "max_epochs": "nepochs",
        "n_images": "n_groups",
        "seed": "subsample_seed",
    }
    known |= {"accumulate_grad_batches": "accum_steps", "train_data_file": "train_data", "test_data_file": "test_data"}
    if plain not in known:
        near = get_close_matches(plain, list(known), n=1, cutoff=0.0)[0]
        raise ContractError(field="resume_override", expected=f"a setting (nearest: {near})", found=shown(name))
    return known[plain]


def _read(path: Path) -> dict[str, Any]:
    """The checkpoint: tensors and plain values only, nothing in it runs."""
    checkpoint = read_checkpoint(path)
    plain = all(isinstance(checkpoint["hyper_parameters"].get(section), dict) for section in SECTIONS)
    kinds = {"epoch": int, "optimizer_states": list, KEY: dict}
    if not plain or not all(isinstance(checkpoint.get(name, {} if name == KEY else None), kind) for name, kind in kinds.items()):
        expected = "a checkpoint of this backend: epoch, optimiser's states and hyper-parameters"
        raise ContractError(file=path, field="checkpoint", expected=expected, found="none of these")
    return checkpoint


def _flat(hyper: Mapping[str, Any]) -> dict[str, Any]:
    """Setting → value of the four configurations in a module's hyper-parameters."""
    sides = (hyper[section] for section in SECTIONS)
    return {NAMES.get(name, name): value for side in sides for name, value in side.items() if name not in LEFT_OUT}


class Memory(Callback):
    """Writes the provenance into every checkpoint; makes a changed learning rate or weight decay act after a restore."""

    def __init__(self, provenance: Provenance, changed: Collection[str]) -> None:
        self.settings, self.changed = dict(provenance.settings), frozenset(changed)

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:
        checkpoint[KEY] = dict(self.settings)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Optimiser and schedule are restored by now, with what the checkpoint remembers."""
        scheduler = pl_module.lr_schedulers()
        for group in pl_module.optimizers().param_groups:
            if "weight_decay" in self.changed:
                group["weight_decay"] = self.settings["weight_decay"]
            if "learning_rate" not in self.changed:
                continue
            group["lr"] = rate = self.settings["learning_rate"]
            if isinstance(scheduler, LambdaLR):
                group["initial_lr"], scheduler.base_lrs = rate, [rate] * len(scheduler.base_lrs)
                group["lr"] = rate * scheduler.lr_lambdas[0](scheduler.last_epoch)
