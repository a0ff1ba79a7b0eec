"""Scans larger than memory: `reconstruct` in the memory that the picture needs, not the patterns."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from reference_impl.cli.judging import read_record
from reference_impl.engine import Settings, solve_record
from reference_impl.stored import room

COUNT, SIDE = 9000, 64
PATTERNS = COUNT * SIDE**2 * 4
SPARE = PATTERNS // 3
"""Bytes beyond what the same command had taken for a small scan: the canvas and its pictures, one part of a mini-batch,
one piece of the file."""

SCRIPT = """
import resource, sys
from pathlib import Path
from reference_impl.cli.main import main
from reference_impl.engine import solver
from reference_impl.stored import room

def solve(name):
    folder = Path(sys.argv[1])
    flags = ("--sweeps", "1", "--keep-probe", "--quiet", "--accelerator", "cpu", "--accept", "repeated-patterns")
    return main(["reconstruct", "--data", str(folder / f"{name}.npz"), "--output-dir", str(folder / name), *flags])

solver.KEPT = 0
assert solve("small") == 0
room.LARGE = int(sys.argv[2])
taken = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (taken + int(sys.argv[3]), -1))
sys.exit(solve("large"))
"""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of noise, one of few patterns, one of 141 MiB."""
    folder, draw = tmp_path_factory.mktemp("scans"), np.random.default_rng(0)
    probe = np.exp(-(np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE // 2)) ** 2) / 200).astype(np.complex64)
    mean = 1e4 * np.exp(-(np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE // 2)) ** 2) / 100)
    some = np.sqrt(draw.poisson(mean, (60, SIDE, SIDE))).astype(np.float32)
    for name, count in {"small": 60, "large": COUNT}.items():
        x, y = draw.uniform(0, 200, (2, count))
        np.savez(folder / name, diff3d=np.tile(some, (count // 60, 1, 1)), xcoords=x, ycoords=y, probeGuess=probe)
    return folder


def solved(scans: Path, large: int) -> subprocess.CompletedProcess[str]:
    """The command on the large file, in a process that may take `SPARE` bytes more than the small one took."""
    call = [sys.executable, "-c", SCRIPT, str(scans), str(large), str(SPARE)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(call, capture_output=True, text=True, timeout=600, check=False, env=environment)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a process's data is Linux's")
def test_patterns_need_no_memory(scans: Path) -> None:
    """A scan of three times the memory that is left is solved, and leaves nothing but its result."""
    run = solved(scans, 1 << 20)
    assert run.returncode == 0, run.stderr
    with np.load(scans / "large" / "reconstruction.npz") as found:
        assert found["positions"].shape == (COUNT, 2) and found["residuals"].shape == (1,)
    assert not [path for path in (scans / "large").iterdir() if path.suffix not in (".npz", ".png")]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit on a process's data is Linux's")
def test_in_memory_they_do(scans: Path) -> None:
    """The limit of the test above is one: patterns that are to be held in memory break it, in one line."""
    run = solved(scans, 1 << 40)
    assert run.returncode != 0 and "Traceback" not in run.stderr and "memory" in run.stderr.lower()


def test_a_file_and_memory_give_the_same(scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts, a mask and all: bit for bit, and without a file that stays."""
    good = np.random.default_rng(1).random((SIDE, SIDE)) > 0.1
    np.save(tmp_path / "good.npy", good)
    flags = Namespace(measurement="counts", mask=tmp_path / "good.npy", position_scale=2.0)
    objects = []
    for large in (1 << 30, 1):
        monkeypatch.setattr(room, "LARGE", large)
        record = read_record(flags, scans / "small.npz", tmp_path)
        assert isinstance(record.diff3d.base, np.memmap) is (large == 1)
        objects.append(solve_record(record, Settings(sweeps=2), scratch=tmp_path).object)
    assert np.array_equal(*objects)
    assert [path.name for path in tmp_path.iterdir()] == ["good.npy"]


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error, not a signal."""
    monkeypatch.setattr(room, "LARGE", 1)
    with pytest.raises(OSError):
        room.empty((1 << 60,), np.uint8, tmp_path)
