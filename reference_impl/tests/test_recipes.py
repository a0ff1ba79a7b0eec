"""Recipes of `simulate`: what they may ask for, that they alone decide every bit, and what is refused in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_impl.cli.main import main
from reference_impl.cli.simulate import Experiment, recorded, simulate, write
from reference_impl.data import RawData, npz
from reference_impl.simulation import exposures, pupils, recipe
from reference_impl.simulation.experiment import Optic

SMALL = Experiment(N=16, size=48, patterns=20, test_patterns=4, photons=1e4)
BASE = "N = 16\nphotons = 1e4\n[object]\nkinds = ['lines']\nsize = 48\n[scan]\npatterns = 20\ntest_patterns = 4\n"
SPIRAL = (np.exp(-((np.mgrid[:16, :16] - 8) ** 2).sum(0) / 9) * np.exp(0.3j * np.arange(16))).astype(np.complex64)
EVERY = [
    SMALL,
    replace(SMALL, probe="zernike", optic=Optic(aperture=0.7, coefficients={4: 1.0, 11: -0.25}), powers=(0.6, 0.3, 0.1)),
    replace(SMALL, probe="zone_plate", optic=Optic(stop=0.5, defocus=-7.5), beam_stop=1.5, others=("grf", "dead_leaves")),
    replace(SMALL, probe="file", probe_array=np.stack([SPIRAL, SPIRAL.T / 3]), seed=7, photons=123456.0),
]
IDS = ["plain", "zernike-modes", "zone-plate-stop-objects", "file"]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("experiment", EVERY, ids=IDS)
def test_the_recipe_that_is_left_makes_the_same_files(tmp_path: Path, experiment: Experiment) -> None:
    write(recorded(experiment), tmp_path / "first", experiment)

    code = main(
        ["simulate", "--recipe", str(tmp_path / "first" / "recipe.toml"), "--output-dir", str(tmp_path / "again"), "--quiet"]
    )

    assert code == 0
    assert contents(tmp_path / "again") == contents(tmp_path / "first")


@pytest.mark.parametrize("experiment", EVERY, ids=IDS)
def test_every_scan_holds_the_digest_of_its_recipe(tmp_path: Path, experiment: Experiment) -> None:
    write(recorded(experiment), tmp_path, experiment)

    scans = [path for path in tmp_path.glob("*.npz") if path.name != "ground_truth.npz"]
    found = {json.loads(npz.Archive(path).text("_metadata"))["simulation"]["recipe_sha256"] for path in scans}
    assert found == {recipe.digest(experiment)} and len(scans) == 2 + len(experiment.others)


def test_no_two_experiments_have_one_digest() -> None:
    others = [
        replace(SMALL, **{name: value}) for name, value in {"seed": 1, "size": 50, "photons": 2e4, "beam_stop": 1.0}.items()
    ]
    others += [replace(SMALL, others=("lines",)), replace(SMALL, powers=(0.5, 0.5)), replace(EVERY[3], probe_array=SPIRAL)]
    others += [replace(EVERY[1], optic=Optic(aperture=0.7, coefficients={4: 1.0, 11: 0.25}))]

    digests = {recipe.digest(one) for one in [*EVERY, *others]}

    assert len(digests) == len(EVERY) + len(others)


def test_what_a_recipe_leaves_out_and_how_it_is_written_is_no_part_of_its_digest(tmp_path: Path) -> None:
    (tmp_path / "probe.npy").parent.mkdir(exist_ok=True)
    np.save(tmp_path / "probe.npy", SPIRAL)
    np.savez(tmp_path / "other.npz", probeGuess=SPIRAL)
    texts = ["[probe]\nkind='file'\npath='probe.npy'\n", '# a word\n[probe]\npath = "other.npz"\nkind = "file"\npowers = [1.0]\n']
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.toml").write_text(BASE + text)

    first, second = (recipe.digest(recipe.load(tmp_path / f"{number}.toml")) for number in range(2))

    assert first == second


def test_a_beam_stop_hides_and_is_masked(tmp_path: Path) -> None:
    experiment = replace(SMALL, beam_stop=2.5)
    write(recorded(experiment), tmp_path, experiment)

    record, open_ = RawData.from_file(tmp_path / "train.npz"), simulate(SMALL)["train"]
    hidden = np.hypot(*(np.mgrid[:16, :16] - 8)) <= 2.5
    assert np.array_equal(record.mask, ~hidden) and not record.diff3d[:, hidden].any()
    assert np.array_equal(record.diff3d[:, ~hidden], open_["diff3d"][:, ~hidden])
    assert "mask" not in open_


def test_modes_are_orthogonal_with_the_stated_shares_and_make_the_counts() -> None:
    made = simulate(replace(SMALL, powers=(6.0, 3.0, 1.0), photons=1e9))["train"]

    modes = made["probeGuess"].reshape(3, -1)
    gram = modes @ modes.conj().T
    np.testing.assert_allclose(gram / np.trace(gram), np.diag([0.6, 0.3, 0.1]), atol=1e-5)
    wanted = exposures.far_field_intensity(made["objectGuess"], made["probeGuess"], made["xcoords"], made["ycoords"])
    assert np.linalg.norm(made["diff3d"].astype(float) ** 2 - wanted) < 1e-3 * np.linalg.norm(wanted)


def test_several_objects_have_a_scan_each_and_leave_the_first_alone() -> None:
    one, three = simulate(SMALL), simulate(replace(SMALL, others=("lines", "grf")))

    objects = [three[f"train_{number}"]["objectGuess"] for number in (1, 2, 3)]
    assert np.array_equal(objects[0], one["train"]["objectGuess"]) and np.array_equal(
        three["train_1"]["diff3d"], one["train"]["diff3d"]
    )
    assert not np.array_equal(objects[1], objects[0])
    assert not np.array_equal(three["train_2"]["xcoords"], three["train_1"]["xcoords"])
    assert all(np.array_equal(three["ground_truth"][f"object_train_{n + 1}"], objects[n]) for n in range(3))


def test_an_older_set_leaves_no_scan_behind(tmp_path: Path) -> None:
    for experiment in (EVERY[2], EVERY[3], SMALL):
        write(recorded(experiment), tmp_path, experiment)

    assert sorted(contents(tmp_path)) == ["ground_truth.npz", "recipe.toml", "test.npz", "train.npz"]


def test_zernike_terms_are_nolls() -> None:
    """Orthonormal over the disc, and the well-known ones by their formulas (Noll 1976, table 1)."""
    y, x = (np.mgrid[:401, :401] - 200) / 200
    rho, azimuth = np.hypot(x, y), np.arctan2(y, x)
    inside = rho <= 1
    terms = np.array([pupils.zernike(j, rho, azimuth)[inside] for j in range(1, 23)])

    np.testing.assert_allclose(terms @ terms.T / inside.sum(), np.eye(22), atol=0.02)
    known = {2: 2 * x, 3: 2 * y, 4: 3**0.5 * (2 * rho**2 - 1), 5: 6**0.5 * 2 * x * y, 8: 8**0.5 * (3 * rho**2 - 2) * x}
    known[11] = 5**0.5 * (6 * rho**4 - 6 * rho**2 + 1)
    for j, formula in known.items():
        np.testing.assert_allclose(terms[j - 1], formula[inside], atol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_zone_plates_far_field_is_a_ring_with_the_stated_curvature(sign: int) -> None:
    N, aperture, stop, defocus = 64, 0.5, 0.4, 12.0 * sign
    probe = pupils.zone_plate(N, aperture, stop, defocus)

    far = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(probe)))
    radius = np.hypot(*(np.mgrid[:N, :N] - N // 2)) / (aperture * N / 2)
    lit = (radius > stop + 0.05) & (radius < 0.95)
    assert np.abs(far[lit]).std() < 1e-3 * np.abs(far[lit]).mean()
    assert np.abs(far[(radius < stop - 0.05) | (radius > 1.05)]).max() < 1e-3 * np.abs(far[lit]).mean()
    turned = far * np.exp(-1j * defocus * radius**2)
    assert np.abs(np.angle(turned[lit] / turned[lit][0])).max() < 1e-2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("N = 15.5\n", "N: expected a whole number from 4 to 1024, found 15.5"),
        ("M = 3\n", "recipe: expected one of N, photons, seed, [object], [probe], [scan], [detector], found 'M'"),
        ("[scann]\n", "found 'scann'; is 'scan' meant?"),
        ("probe = 3\n", "probe: expected a section [name], found 3"),
        ("[object]\nkinds = []\n", "object.kinds: expected a list of 1 to 64 kinds, found []"),
        (
            "[object]\nkinds = ['lines', 'circles']\n",
            "object.kinds: expected one of ['lines', 'dead_leaves', 'grf'], found 'circles'",
        ),
        ("[object]\nsize = 100\n", "object.size: expected at least 2 N = 128, found 100"),
        ("[probe]\nkind = 'round'\n", "probe.kind: expected one of"),
        ("[probe]\nkind = 'file'\n", "probe.kind: expected a file with the probe, and 'file', together, found one of them"),
        ("[probe]\npowers = 2\n", "probe.powers: expected a list of numbers, found 2"),
        ("[probe]\npowers = [0.5, -1]\n", "probe.powers: expected a positive number, at most 1e+06, found -1"),
        ("[probe]\npowers = []\n", "probe.powers: expected one to ten shares of the light, found 0"),
        ("[probe]\naperture = 1.5\n", "probe.aperture: expected a share from 0.0625 to 1, found 1.5"),
        ("[probe]\nstop = true\n", "probe.stop: expected a share from 0 to 0.95, found True"),
        ("[probe]\ndefocus = nan\n", "probe.defocus: expected a number of rad from -1000 to 1000, found nan"),
        ("[probe]\ncoefficients = {defocus = 1}\n", "probe.coefficients: expected Noll's numbers and rad rms"),
        ("[probe]\ncoefficients = {1 = 1.0}\n", "probe.coefficients: expected Noll's numbers from 2 to 66, found 1"),
        ("[probe]\ncoefficients = {4 = inf}\n", "probe.coefficients: expected numbers of rad rms from -20 to 20, found inf"),
        (
            "[probe]\nkind = 'zernike'\ndefocus = 1.0\n",
            "probe.defocus: expected a probe that has it (zone_plate), found 'zernike'",
        ),
        ("[probe]\nkind = 'file'\npath = 'none.npy'\n", "none.npy: probe not found"),
        ("[probe]\nkind = 'file'\npath = 'flat.npy'\n", "flat.npy: probe: expected a complex array, found float32"),
        ("[probe]\nkind = 'file'\npath = 'wide.npy'\n", "probe.path: expected a probe (64, 64) or up to ten modes of that"),
        ("[probe]\nkind = 'file'\npath = 'code.npy'\n", "code.npy: probe: expected an array, NPY or NPZ"),
        ("[probe]\nkind = 'file'\npath = 'large.npy'\n", "large.npy: probe: expected an array, NPY or NPZ"),
        ("[detector]\nbeam_stop = 33\n", "detector.beam_stop: expected a radius of at most N / 2 = 32 pixels, found 33"),
        ("[detector]\nbeam_stop = 'wide'\n", "detector.beam_stop: expected a"),
        ("[scan]\npatterns = 0\n", "scan.patterns: expected a positive whole number from 1 to 1000000, found 0"),
        ("N = [\n", "recipe: expected TOML, found"),
        ("\x00", "recipe: expected TOML, found"),
    ],
)
def test_bad_recipes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    np.save(tmp_path / "flat.npy", np.ones((64, 64), np.float32))
    np.save(tmp_path / "wide.npy", np.ones((32, 32), np.complex64))
    np.save(tmp_path / "code.npy", np.array([print], dtype=object), allow_pickle=True)
    header = (tmp_path / "wide.npy").read_bytes().replace(b"(32, 32)", b"(9999999, 9999999)".ljust(8))
    (tmp_path / "large.npy").write_bytes(header)
    (tmp_path / "bad.toml").write_text(text)

    code = main(["simulate", "--recipe", str(tmp_path / "bad.toml"), "--output-dir", str(tmp_path / "out"), "--quiet"])

    error = capsys.readouterr().err
    assert code == 1 and len(error.splitlines()) == 1 and said in error, error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--recipe", "R", "--seed", "3"], "--recipe: expected no flag beside it that says what is simulated"),
        (["--mode-powers", "1", "0"], "--mode-powers: expected a positive number"),
        (["--beam-stop", "40"], "--beam-stop: expected a radius of at most N / 2 = 32 pixels, found 40"),
        (["--probe", "file"], "--probe: expected a file with the probe, and 'file', together"),
        (["--object", "lines", "rings"], "--object: expected one of"),
    ],
)
def test_wrong_flags_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], said: str) -> None:
    (tmp_path / "R").write_text(BASE)
    given = [str(tmp_path / "R") if flag == "R" else flag for flag in flags]

    code = main(["simulate", "--output-dir", str(tmp_path / "out"), *given])

    error = capsys.readouterr().err
    assert code == 1 and len(error.splitlines()) == 1 and said in error, error


def test_flags_and_recipe_say_the_same(tmp_path: Path) -> None:
    np.save(tmp_path / "probe.npy", SPIRAL)
    flags: list[Any] = ["--N", 16, "--size", 48, "--patterns", 20, "--test-patterns", 4, "--photons", 1e4, "--beam-stop", 1.5]
    flags += ["--object", "lines", "grf", "--probe-file", tmp_path / "probe.npy", "--mode-powers", 0.8, 0.2]
    text = (
        BASE.replace("'lines'", "'lines', 'grf'")
        + "[detector]\nbeam_stop = 1.5\n[probe]\nkind = 'file'\npowers = [0.8, 0.2]\npath = 'probe.npy'\n"
    )
    (tmp_path / "r.toml").write_text(text)

    codes = [
        main(["simulate", "--quiet", "--output-dir", str(tmp_path / "a"), *map(str, flags)]),
        main(["simulate", "--quiet", "--output-dir", str(tmp_path / "b"), "--recipe", str(tmp_path / "r.toml")]),
    ]

    assert codes == [0, 0] and contents(tmp_path / "a") == contents(tmp_path / "b")


def test_the_recipe_of_the_page_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    (tmp_path / "scan.toml").write_text(page.split("```toml\n")[1].split("```")[0])

    found = recipe.load(tmp_path / "scan.toml")

    assert (found.object, found.others, found.probe, found.powers, found.beam_stop) == (
        "lines",
        ("grf",),
        "zone_plate",
        (0.8, 0.2),
        2.5,
    )
