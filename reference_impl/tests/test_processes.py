"""Several processes: the SLURM job of the README, the parts of a batch, who is the first one."""

from __future__ import annotations

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


def job() -> str:
    """The SLURM job in the README."""
    return next(
        block for block in re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.S) if "SBATCH" in block
    )


def test_the_job_of_the_readme_is_a_script_that_the_command_understands() -> None:
    """Bash reads it, the parser takes its flags, and SLURM starts as many processes as Lightning expects."""
    assert subprocess.run(["bash", "-n"], input=job(), text=True, capture_output=True).returncode == 0
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)=(\S+)$", job(), re.M))
    words = shlex.split(next(line for line in job().replace("\\\n", " ").splitlines() if line.startswith("srun")))
    args = build_parser().parse_args(words[words.index("reference_impl") + 1 :])
    assert (args.num_nodes, args.devices) == (int(asked["nodes"]), int(asked["ntasks-per-node"]))
    assert args.devices == int(asked["gpus-per-node"]) and args.strategy == "ddp" and args.map_dir is not None


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
