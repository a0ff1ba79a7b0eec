"""How commands speak: flags in both spellings, typos, presets, a line an epoch, and work that goes on when nobody listens."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reference_impl.cli import presets
from reference_impl.cli.flags import Names
from reference_impl.cli.main import COMMANDS, build_parser, main
from reference_impl.cli.progress import Forgiving
from reference_impl.cli.simulate import Experiment, simulate
from reference_impl.tests.samples import arrays
from reference_impl.training.progress import Pace, spoken

TRAIN = ["train", "--train-data-file", "x.npz", "--output-dir", "y"]


def test_both_spellings_are_one_flag_and_the_help_has_one(capsys: pytest.CaptureFixture[str]) -> None:
    mixed = ["--max_epochs", "3", "--batch-size=8", "--n_images=all", "--learning_rate", "0.01", "--no-probe_big"]

    args = build_parser().parse_args([*TRAIN, *mixed])

    assert (args.max_epochs, args.batch_size, args.n_groups, args.learning_rate, args.probe_big) == (3, 8, "all", 0.01, False)
    assert args.typed["max_epochs"] == "--max_epochs" and args.typed["batch_size"] == "--batch-size"
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
    assert re.findall(r"--\w+_\w+", capsys.readouterr().out) == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (
            [*TRAIN, "--max-epoch", "3"],
            "unknown flag --max-epoch; is --max-epochs meant? (see python -m reference_impl train --help)",
        ),
        ([*TRAIN, "--learningrate=3"], "unknown flag --learningrate; is --learning-rate meant?"),
        ([*TRAIN, "--zzz"], "unknown flag --zzz (see python -m reference_impl train --help)"),
        ([*TRAIN, "extra"], "expected flags and their values, found 'extra' (see python -m reference_impl train --help)"),
        ([*TRAIN, "--strategy=--"], "--strategy: expected a value"),
        ([*TRAIN, "--seed"], "--seed: expected one argument"),
        (["trian"], "unknown command 'trian'; is train meant?"),
        (["infer", "--model_path", "m"], "--test-data, --output-dir"),
        ([*TRAIN, "--\x1b[2Jflag", "3"], "unknown flag --"),
    ],
)
def test_a_wrong_call_is_answered_with_what_was_meant(capsys: pytest.CaptureFixture[str], argv: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    line = capsys.readouterr().err
    assert caught.value.code == 1 and said in line and line.count("\n") == 1 and "\x1b" not in line


def test_advice_speaks_of_flags_where_there_are_any() -> None:
    parser = build_parser()
    args = parser.parse_args([*TRAIN, "--batch_size", "4"])

    names = Names(parser.of_command("train"), args.typed)

    assert names.advice("say measurement='counts'") == "say --measurement counts"
    assert names.advice("accelerator='cpu' accepts that") == "--accelerator cpu accepts that"
    assert names.advice("say enable_oversampling=True; batch_size=8, x=3") == "say --enable-oversampling; --batch_size 8, x=3"


def test_a_preset_sets_what_nobody_typed_and_says_it() -> None:
    args = build_parser().parse_args([*TRAIN, "--preset", "quick", "--max_epochs", "7"])

    said = presets.apply(args)

    assert (args.max_epochs, args.gridsize, args.torch_loss_mode) == (7, 1, "mae")
    assert said.startswith("preset quick: --gridsize 1 ") and "--max-epochs" not in said
    standard = build_parser().parse_args(TRAIN)
    assert presets.apply(standard) == "" and (standard.max_epochs, standard.gridsize) == (100, 2)


def test_one_word_asks_for_the_network_that_the_solver_teaches() -> None:
    args = build_parser().parse_args([*TRAIN, "--preset", "unrolled", "--labels", "none"])
    said = presets.apply(args)
    assert (args.architecture, args.labels, args.views, args.amp_activation) == ("unrolled", "none", None, "softplus")
    assert "--architecture unrolled" in said and "--labels" not in said


def test_presets_set_flags_of_train_within_their_domains() -> None:
    known = {action.dest: action for action in build_parser().of_command("train")._actions}
    for values in presets.PRESETS.values():
        for name, value in values.items():
            domain: Any = getattr(known[name].type, "domain", None)
            assert domain.accepts(value) if domain else isinstance(value, bool)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "train.npz"
    np.savez(path, **simulate(Experiment(patterns=16, test_patterns=4))["train"])
    return path


def command(*argv: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONWARNINGS": "default"}
    call = [sys.executable, "-m", "reference_impl", *argv]
    return subprocess.run(call, env=environment, timeout=300, text=True, check=False, **options)


QUICK = ["--preset", "quick", "--batch-size", "4", "--accelerator", "cpu"]


def test_a_log_has_a_line_an_epoch(small: Path, tmp_path: Path) -> None:
    flags = ["train", "--train-data-file", str(small), "--output-dir", str(tmp_path), *QUICK, "--max-epochs", "3"]

    done = command(*flags, capture_output=True)

    lines = [line for line in done.stdout.splitlines() if line.startswith("epoch ")]
    assert done.returncode == 0 and [line.split(":")[0] for line in lines] == [f"epoch {k} of 3" for k in (1, 2, 3)]
    assert all("mae_train_loss" in line for line in lines) and "16 groups of 1, 3 epochs" in done.stdout
    assert "\x1b" not in done.stdout and "\r" not in done.stdout


@pytest.mark.parametrize("ending", ["pipe", "full", "closed"])
def test_nobody_has_to_listen(small: Path, tmp_path: Path, ending: str) -> None:
    """A closed pipe, a full disk, no standard output at all: the files are there, and the code is 0 where nothing is lost."""
    flags = ["train", "--train-data-file", str(small), "--output-dir", str(tmp_path / "run"), *QUICK, "--max-epochs", "1"]
    call = " ".join([sys.executable, "-m", "reference_impl", *flags])
    after = {"pipe": "| true; exit ${PIPESTATUS[0]}", "full": ">/dev/full", "closed": ">&- 2>&-"}[ending]

    done = subprocess.run(["bash", "-c", f"{call} {after}"], timeout=300, check=False, stderr=subprocess.PIPE, text=True)

    assert done.returncode == (ending == "full") and (tmp_path / "run" / "wts.h5.zip").is_file()
    assert ("No space left on device" in done.stderr) == (ending == "full")


def test_a_closed_pipe_loses_no_simulation(tmp_path: Path) -> None:
    call = f"{sys.executable} -m reference_impl simulate --output_dir {tmp_path} --patterns 9 --test-patterns 4"

    done = subprocess.run(["bash", "-c", f"{call} | true; exit ${{PIPESTATUS[0]}}"], timeout=300, check=False)

    assert done.returncode == 0
    assert sorted(path.name for path in tmp_path.glob("*.npz")) == ["ground_truth.npz", "test.npz", "train.npz"]


class Broken:
    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def fileno(self) -> int:
        raise ValueError("no descriptor")


def test_a_forgiving_stream_falls_silent() -> None:
    stream = Forgiving(Broken())

    assert stream.write("word") == 4
    stream.flush()
    assert stream.write("another") == 7
    assert stream.lost is None


def test_a_full_disk_behind_a_stream_is_known() -> None:
    stream = Forgiving(Broken())

    stream.flush()

    assert str(stream.lost) == "[Errno 28] No space left on device"
    assert stream.write("another") == 7


def test_other_sides_are_named_with_their_file_and_a_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    large = arrays(n=5, N=192)
    np.savez(tmp_path / "wide.npz", **large)

    code = main(
        ["train", "--train-data-file", str(tmp_path / "wide.npz"), "--output-dir", str(tmp_path / "out"), "--accelerator=cpu"]
    )

    said = capsys.readouterr().err
    assert code == 1 and "wide.npz" in said and "found 192" in said and "crop the patterns to 128" in said


def test_a_time_is_spoken_in_the_unit_of_a_person() -> None:
    assert [spoken(seconds) for seconds in (0.2, 41.3, 300, 9000, 40_000)] == [
        "1 s",
        "41 s",
        "5 minutes",
        "2.5 hours",
        "11 hours",
    ]


def test_the_pace_is_told_once_and_after_the_first_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100))
    monkeypatch.setattr("reference_impl.training.progress.time", SimpleNamespace(perf_counter=lambda: next(clock) + 1.0))
    trainer: Any = SimpleNamespace(num_training_batches=50, max_epochs=6, current_epoch=0)
    pace = Pace()

    said = [pace.step(trainer) for _ in range(8)]

    assert [line for line in said if line] == ["about 5 minutes for 6 epochs of 50 steps, 1 s a step"] and not any(said[:3])


@pytest.mark.parametrize("command", ["train --train-data-file", "reconstruct --data", "infer --model-path run --test-data"])
@pytest.mark.parametrize("kind", ["hdf5", "npy"])
def test_a_file_of_another_format_is_sent_to_convert(
    command: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has an HDF5 file reads what to do with it, not that it has no end record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("reference_impl.inference.load_inference_bundle_torch", lambda folder: ({}, {}))
    Path("run").mkdir()
    Path("run", "wts.h5.zip").touch()
    content = b"\x89HDF\r\n\x1a\n" + bytes(600) if kind == "hdf5" else b"\x93NUMPY\1\0" + bytes(100)
    Path("scan.cxi").write_bytes(content)

    assert main([*command.split(), "scan.cxi", "--output-dir", "out", "--accelerator", "cpu", "--quiet"]) == 1

    said = capsys.readouterr().err
    assert "scan.cxi: file: expected a contract NPZ, found " + {"hdf5": "HDF5", "npy": "NPY"}[kind] in said
    assert "convert it first (python -m reference_impl convert --source scan.cxi --output scan.npz)" in said


def test_what_holds_no_bundle_is_said_before_data_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder, a checkpoint, another file: what was expected, what was found, and how a checkpoint becomes a bundle."""
    monkeypatch.chdir(tmp_path)
    last = Path("run") / "checkpoints" / "last.ckpt"
    last.parent.mkdir(parents=True)
    Path("empty").mkdir()
    Path("notes.txt").touch()
    Path("scan.npz").touch()
    last.touch()

    def said(path: Path) -> str:
        flags = ["--test-data", "scan.npz", "--output-dir", "out", "--quiet"]
        assert main(["infer", "--model-path", str(path), *flags]) == 1
        line = capsys.readouterr().err
        assert "model_path: expected a folder with wts.h5.zip" in line.replace("--model-path", "model_path"), line
        return line

    assert all(f"--resume {last}" in said(path) for path in (last, last.parent, last.parent.parent))
    assert "--resume" not in said(Path("empty")) and "found another file" in said(Path("notes.txt"))
