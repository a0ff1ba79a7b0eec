"""The client's settings one by one, and its exposures one by one: many short trainings, in one process a library."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conformance.connectors.names import NotClaimed
from conformance.scenes import client, client_scan, records
from conformance.scenes.client_settings import GROUPING, KINDS, MODEL, TORCH_SETTINGS, TRAINING
from conformance.scenes.shared import once
from conformance.specification.effects import Effect, effects, further

CASES = Path(__file__).with_name("client_cases.py")
BASE, AGAIN, LONGER = "as the client states them", "the same once more", "three epochs"
LIBRARY = ("client_model", "client_training")
OTHER = tuple(f"client_{name}" for name in TORCH_SETTINGS)
"""Kinds of entries in specs/effects.toml."""

BRIEF = {"training": {"nepochs": 1}, "training_config": {"epochs": 1, "n_devices": 1}}
"""What the settings are stated beside: one epoch on one device (the client sets what it finds)."""

GROUPS = "client_model-gridsize"
"""The case of groups of several."""
CHANGED = (0, 3, 5, 7)
"""Exposures of the training data that are turned, one in each of four files."""
FEW = 4
"""Exposures of the test data beside them."""
LIBRARY_BASE = {"model": MODEL, "training": TRAINING}
HALF = [0.25, 0.75]
AMONG = ("two files", "held out", LONGER)
"""How the cases are named that share a folder of runs."""
SMALL, SPLIT, GIVEN = 8, 0.5, "given"
"""Exposures of a file that is alone, the share of them that is held out, and the file as it is."""


def library(backend: Any, shared: Path) -> dict[str, Any]:
    """Case → what was seen with the library `ptycho`: a setting each, an exposure each."""
    own = client.session(backend, shared)
    once(own.folder, "variations", lambda _: _write(own))
    cases = {name: _stated(LIBRARY_BASE, stated) for name, stated in _settings(LIBRARY).items()}
    cases[GROUPS]["turned"] = True
    cases |= {f"exposure {row}": _stated(LIBRARY_BASE, {}) | {"train": f"turned_{row}.npz"} for row in CHANGED}
    files = {"train": "small/train_data.npz", "test": "few.npz", "view": "small/train_data.npz"}
    return own.cases(CASES, "settings_cases", {**GROUPING, **files, "cases": cases})


def other(backend: Any, shared: Path) -> dict[str, Any]:
    """Case → what was seen with the library `ptycho_torch`: a setting each, exposures within bounds and outside, a best epoch."""
    own = client.session(backend, shared)
    once(own.folder, "variations", lambda _: _write(own))
    cases = {name: {"settings": _stated(TORCH_SETTINGS, stated), "files": "small"} for name, stated in _settings(OTHER).items()}
    for axis in "xy":
        bounded = _stated(TORCH_SETTINGS, {f"{axis}_bounds": HALF})
        cases |= {f"{axis}, {what}": {"settings": bounded, "files": f"{axis}_{what}"} for what in ("within", "outside")}
    cases |= {
        f"two files, {what}": {"settings": _stated(TORCH_SETTINGS, {}), "files": f"two_{what}"} for what in ("given", "turned")
    }
    split = _stated(TORCH_SETTINGS, {"finetune_val_split": SPLIT})
    cases |= {f"held out, {row}": {"settings": split, "files": f"held_{row}"} for row in (GIVEN, *range(SMALL))}
    cases[LONGER] = {"settings": _stated(TORCH_SETTINGS, {"epochs": 3}), "files": "small"}
    named = {name: {**case, "name": f"case_{number}"} for number, (name, case) in enumerate(cases.items())}
    for name in named:  # the longer one is the last of many in its folder
        named[name]["name"] = "case_again" if name.startswith(AMONG) else named[name]["name"]
    return own.cases(CASES, "other_cases", {"settings": TORCH_SETTINGS, "kinds": KINDS, "cases": named}, torch=True)


def without(effect: Effect) -> str:
    """The case that an effect is compared with: its circumstances alone."""
    return f"without {effect}" if effect.circumstances else BASE


def unnamed(effect: Effect, case: Mapping[str, Any]) -> str:
    """The refusal of a case that is not one line, or names neither the setting nor the value; empty where there is none such."""
    refusal = case["refusal"]
    words = [word.lower() for word in (effect.field, effect.named, str(effect.to), *effect.circumstances)]
    said = any(word in refusal.lower() for word in words) and "\n" not in refusal.strip()
    return "" if said or not case["kinds"] else refusal or case["kinds"][0]


def owed(effect: Effect, case: Mapping[str, Any]) -> bool:
    """Whether an effect is owed in its circumstances, of which `case` is: not where a line that names one refuses them."""
    refusal = case["refusal"].strip().lower()
    return "\n" in refusal or not any(name.lower() in refusal for name in effect.circumstances)


def of_turned_groups(seen: Mapping[str, Any]) -> float:
    """How far patches of groups in another order are from those in the first; `NotClaimed` where such groups are refused."""
    case = seen[GROUPS]
    if "gridsize" in case["refusal"] and "\n" not in case["refusal"].strip():
        raise NotClaimed(f"ptycho: {case['refusal']}")
    return float(case["seen"]["far once groups are turned"])


def learned(case: Mapping[str, Any]) -> Any:
    """What a training of the other library came to: the losses of its epochs and their weights; or how it was refused."""
    return case["refusal"] or {name: case["seen"][name] for name in ("train", "weights")}


def taught(seen: Mapping[str, Any]) -> list[int]:
    """The exposures of a file that is alone which have a part in the weights: another pattern there, another model.

    `NotClaimed` where the share that is held out is refused by its name (CLIENT-024).
    """
    refusal = seen[f"held out, {GIVEN}"]["refusal"]
    if "finetune_val_split" in refusal and "\n" not in refusal.strip():
        raise NotClaimed(f"ptycho_torch: {refusal}")
    given = learned(seen[f"held out, {GIVEN}"])
    return [row for row in range(SMALL) if learned(seen[f"held out, {row}"]) != given]


def _settings(kinds: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Case → what it states. A field that stands in two configurations is named with its own, as in `data_config.batch_size`."""
    found: dict[str, dict[str, Any]] = {BASE: {}, AGAIN: {}}
    for effect in (*effects(*kinds), *further(*kinds)):
        found[without(effect)] = dict(effect.circumstances)
        found[str(effect)] = {**effect.circumstances, f"{effect.kind.removeprefix('client_')}.{effect.field}": effect.to}
    return found


def _stated(base: Mapping[str, Mapping[str, Any]], stated: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every setting of every configuration, those that are `stated` at their values."""
    own = {name: {} for name in base}
    for key, value in stated.items():
        place, _, field = key.rpartition(".")
        own[place or next(name for name in base if field in base[name])][field] = value
    return {name: {**fields, **BRIEF.get(name, {}), **own[name]} for name, fields in base.items()}


def turned(arrays: Mapping[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """The same file with the patterns of some exposures upside down: as bright, and of another object."""
    patterns = arrays["diff3d"].copy()
    patterns[rows] = patterns[rows, ::-1]
    return {**arrays, "diff3d": patterns}


def _write(own: client.Session) -> None:
    folder = own.folder
    small, few = (client_scan.exported(client_scan.scan(n, seed), filled=False) for n, seed in ((SMALL, 6), (FEW, 4)))
    records.write_npz(folder / "few.npz", **few)
    for row in CHANGED:
        records.write_npz(folder / f"turned_{row}.npz", **turned(small, [row]))
    for axis in "xy":
        values = small[f"{axis}coords"]
        low, high = (values.min() + bound * np.ptp(values) for bound in HALF)
        outside = (values < low) | (values > high)
        for what, rows in (("within", ~outside), ("outside", outside)):
            _folder(folder / f"{axis}_{what}", train_data=turned(small, rows))
    _folder(folder / "small", train_data=small)
    for row in (GIVEN, *range(SMALL)):
        _folder(folder / f"held_{row}", train_data=small if row == GIVEN else turned(small, [row]))
    _folder(folder / "two_given", train_data=small, test_data=few)
    _folder(folder / "two_turned", train_data=small, test_data=turned(few, slice(None)))


def _folder(place: Path, **files: Mapping[str, np.ndarray]) -> None:
    place.mkdir()
    for name, arrays in files.items():
        records.write_npz(place / f"{name}.npz", **arrays)
