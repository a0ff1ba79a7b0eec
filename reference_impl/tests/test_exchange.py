"""Exchanged files: what the suite does not ask of every backend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from reference_impl import exchange
from reference_impl.errors import ContractError


def product() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    probe, thing = (rng.normal(size=shape) + 1j * rng.normal(size=shape) for shape in ((2, 8, 8), (20, 31)))
    numbers = {"detector_object_distance_m": 1.0, "probe_energy_eV": 9e3, "exposure_time_s": 0.1, "mass_attenuation_m2_kg": 0.2}
    sizes = {"pixel_height_m": 2e-8, "pixel_width_m": 3e-8}
    scan = {"xcoords": np.array([4.0, 9.5, 14.25]), "ycoords": np.array([5.0, 7.5, 11.0])}
    return {"name": "a", "comments": "", **numbers, **sizes, **scan, "probe": probe, "object": thing}


def test_the_names_of_the_released_ptychodus_are_read(tmp_path: Path) -> None:
    exchange.write_product(tmp_path / "a.h5", product())
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        for ours, theirs in (("probe_energy_eV", "photon_energy_eV"), ("mass_attenuation_m2_kg", "mass_attenuation_m2_per_kg")):
            file.attrs[theirs] = file.attrs[ours]
            del file.attrs[ours]

    found = exchange.read_product(tmp_path / "a.h5")

    assert (found["probe_energy_eV"], found["mass_attenuation_m2_kg"]) == (9e3, 0.2)


def test_a_product_has_several_slices_or_is_refused(tmp_path: Path) -> None:
    exchange.write_product(tmp_path / "a.h5", product())
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        thing, kept = file["object"][()], dict(file["object"].attrs)
        del file["object"]
        file["object"] = np.concatenate([thing, thing])
        file["object"].attrs.update(kept)

    with pytest.raises(ContractError, match=r"a\.h5: object.*2 axes"):
        exchange.read_product(tmp_path / "a.h5")


def test_an_object_may_be_called_truth(tmp_path: Path) -> None:
    truth = np.exp(1j * np.random.default_rng(2).normal(size=(32, 32)))

    exchange.compare_objects({"truth": truth, "file": 2 * truth}, truth, tmp_path / "out")

    with np.load(tmp_path / "out" / "reconstructions.npz") as kept:
        assert sorted(kept) == ["file", "truth"]
        np.testing.assert_array_equal(kept["file"], 2 * truth)


def test_a_name_that_leaves_the_folder_is_no_name(tmp_path: Path) -> None:
    truth = np.exp(1j * np.random.default_rng(2).normal(size=(32, 32)))

    with pytest.raises(ContractError, match="names of letters"):
        exchange.compare_objects({"../else": truth}, truth, tmp_path / "out")

    assert not list(tmp_path.rglob("*.csv"))
