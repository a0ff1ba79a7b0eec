"""Several processes: the SLURM job of the README, the parts of a batch, who is the first one."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from torch.utils.data import SequentialSampler

from reference_impl import processes
from reference_impl.batch import loaders
from reference_impl.batch.loaders import SharedBatches
from reference_impl.cli.main import build_parser
from reference_impl.training.ranks import Part

README = Path(__file__).parents[1] / "README.md"


def job(flag: str = "--nodes") -> str:
    """The SLURM job of the README that has this flag."""
    blocks = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    return next(block for block in blocks if f"#SBATCH {flag}" in block)


def test_the_job_of_the_readme_is_a_script_that_the_command_understands() -> None:
    """Bash reads it, the parser takes its flags, and SLURM starts as many processes as Lightning expects."""
    assert subprocess.run(["bash", "-n"], input=job(), text=True, capture_output=True).returncode == 0
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)$", job(), re.M))
    words = shlex.split(next(line for line in job().replace("\\\n", " ").splitlines() if line.startswith("srun")))
    args = build_parser().parse_args(words[words.index("reference_impl") + 1 :])
    assert (args.num_nodes, args.devices) == (int(asked["nodes"]), int(asked["ntasks-per-node"]))
    assert args.devices == int(asked["gpus-per-node"]) and args.strategy == "ddp" and args.map_dir is not None


def test_the_array_of_the_readme_takes_a_scan_a_task(tmp_path: Path) -> None:
    """Bash runs it with a task's number; each command is one that the parser takes, for the scan of that number."""
    (tmp_path / "scans").mkdir()
    for name in ("a", "b c"):
        (tmp_path / "scans" / f"{name}.npz").touch()
    said = subprocess.run(
        ["bash", "-c", 'srun() { printf "%s\\n" "$@" --; }\n' + job("--array")],
        cwd=tmp_path, env={"PATH": os.environ["PATH"], "SLURM_ARRAY_TASK_ID": "1"}, text=True, capture_output=True, check=True,
    )  # fmt: skip
    calls = [call.splitlines()[3:] for call in said.stdout.split("--\n") if "reference_impl" in call]
    assert [call[0] for call in calls] == ["reconstruct", "infer"]
    assert all(build_parser().parse_args(call) and "scans/b c.npz" in call for call in calls)


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 17, 24])
@pytest.mark.parametrize("together", [1, 2, 3])
def test_every_sample_counts_once(monkeypatch: pytest.MonkeyPatch, count: int, together: int) -> None:
    """All processes take as many steps; what counts of their batches is every sample, once; weights average to one."""
    taken, steps, weights = [], set(), [0.0] * -(-count // (4 * together))
    for rank in range(together):
        monkeypatch.setattr(loaders, "place", lambda rank=rank: (rank, together))
        shared = SharedBatches(SequentialSampler(range(count)), 4)
        batches = list(shared)
        steps.add(len(batches))
        assert len(shared) == len(batches) and all(batches)
        for index, batch in enumerate(batches):
            own, whole = shared.share(index)
            taken += batch[:own]
            weights[index] += Part(own, whole, together).weight / together
    assert sorted(taken) == list(range(count)) and len(steps) == 1
    assert weights == pytest.approx([1.0] * len(weights))


@pytest.mark.parametrize(
    ("environment", "number"),
    [({}, 0), ({"LOCAL_RANK": "1"}, 1), ({"SLURM_PROCID": "5", "LOCAL_RANK": "1"}, 1), ({"RANK": "3"}, 3)],
)
def test_who_is_the_first_one(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], number: int) -> None:
    for name in processes.NUMBERS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert processes.number() == number
