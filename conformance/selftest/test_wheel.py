"""What is installed: two packages and no third name. What works in a checkout works from the wheel, in any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; dependencies are this interpreter's, its own checkout is not."""
    place = tmp_path_factory.mktemp("fresh") / "env"
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(pip, check=True)
    site = next(place.glob("lib*/python*/site-packages"))
    # A folder on the path, not a site of its own: the editable installation that lies there is not followed.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (site / "fixtures.py").write_text("class Fixture:\n    pass\n")  # the name of another distribution, widely used in tests
    return python


def said(python: Path, folder: Path, *words: str) -> str:
    """What a command prints in an empty folder; it has to end with 0."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(python), *words], cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def test_the_wheel_holds_two_packages_and_the_data_inside_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"conformance", "reference_impl"}
    assert {"conformance/_specs/batch.md", "reference_impl/_fixtures/minimal_dataset_v1.json"} <= set(names)
    assert not [name for name in names if name.endswith((".npz", ".pyc")) or "/tests/" in name or "selftest" in name]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("-m", "conformance", "list"), "BATCH-022"),
        (("-c", "from reference_impl.formats.layout import known; print(known()[0].title)"), "contract file"),
        (("-m", "conformance", "explain", "BATCH-022"), "Images are channel-first"),
        (("-m", "conformance", "run", "--backend", "numpy", "-k", "PHYS-002", "--workers", "0"), "exit 0"),
        (("-m", "conformance", "new-backend", "mine"), "mine"),
        (("-m", "reference_impl", "--help"), "simulate"),
        (("-m", "reference_impl", "simulate", "--output_dir", "made", "--patterns", "9", "--test-patterns", "4"), "made"),
        (("-m", "reference_impl.simulation.minimal_dataset"), "64 exposures"),
        (("-c", "import fixtures, conformance, reference_impl; print(fixtures.Fixture, conformance.__file__)"), "site-packages"),
    ],
    ids=["list", "layouts", "explain", "run", "new-backend", "help", "simulate", "minimal-dataset", "fixtures"],
)
def test_it_works_outside_of_the_checkout(python: Path, tmp_path: Path, words: tuple[str, ...], expected: str) -> None:
    assert expected in said(python, tmp_path, *words)


def test_nothing_of_the_checkout_is_found(python: Path, tmp_path: Path) -> None:
    place = said(python, tmp_path, "-c", "import conformance; print(conformance.__file__)")
    assert not Path(place.strip()).is_relative_to(ROOT)
