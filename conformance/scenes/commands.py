"""The two commands in processes of their own: one training and one inference for all checks, and calls that fail early."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from conformance.connectors import native, process
from conformance.scenes import apart, configs, entrances, rights, runs
from conformance.scenes.records import record, write_npz
from conformance.scenes.shared import once
from conformance.specification.effects import flags

TELLING = {"PYTHONWARNINGS": "default", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
"""Environment of every call: warnings are shown, help is not wrapped, nothing is coloured."""

TRAINING = {"--max_epochs": 2, "--batch_size": 4, "--learning-rate": 5e-4, "--checkpoint-save-top-k": 2}
"""CLI-010's training, with a learning rate and a number of kept checkpoints of its own."""


CHAIN = "chain"
"""Name of the file that says which flow the session has."""


@dataclass(frozen=True)
class Flow:
    """CLI-010: `train` in one process, `infer` in another; each is called when it is first asked for, once for all checks."""

    backend: Any
    shared: Path
    g: int
    groups: int
    otherwise: bool = False
    """The same data in another form, and loaded by two processes."""

    @property
    def output(self) -> Path:
        """Where `train` wrote."""
        return self._ended("train", self._train) / "output"

    @property
    def pictures(self) -> Path:
        """Where `infer` wrote."""
        return self._ended("infer", self._infer) / "pictures"

    @property
    def as_run(self) -> Any:
        """The training, for what reads metrics and checkpoints in a run's folder."""
        return SimpleNamespace(folder=self.output)

    @property
    def rates(self) -> list[float]:
        """The learning rate of each epoch of the training, as its metrics say."""
        return runs.rates(self.as_run)

    @property
    def losses(self) -> list[list[float]]:
        """The training losses of each epoch, as the metrics say."""
        return runs.logged(self.as_run, "poisson_train_loss")

    @property
    def kept(self) -> list[int]:
        """The epochs of the ranked checkpoints of the training."""
        return sorted(runs.ranked(self.as_run).values())

    @property
    def train(self) -> process.Completed:
        """How the training ended."""
        return self._told("train", self._train)

    @property
    def infer(self) -> process.Completed:
        """How the inference ended."""
        return self._told("infer", self._infer)

    def _told(self, name: str, call_it: Callable[[Path], process.Completed]) -> process.Completed:
        return process.Completed(**once(self.shared, self._name(name), lambda folder: vars(call_it(folder))))

    def _ended(self, name: str, call_it: Callable[[Path], process.Completed]) -> Path:
        self._told(name, call_it)
        return self.shared / self._name(name)

    def _name(self, name: str) -> str:
        return f"flow-{self.g}-{self.groups}{'-otherwise' if self.otherwise else ''}-{name}"

    def _train(self, folder: Path) -> process.Completed:
        # Not 64 exposures: with patterns last, a cube would be read as it stands.
        given = {**record(n=66, N=64), "_metadata": entrances.stated(3.0e5)}
        data = write_npz(folder / "data.npz", **(unusual(given) if self.otherwise else given))
        flags = {"--train_data_file": data, "--output_dir": folder / "output", "--gridsize": self.g, "--n_images": self.groups}
        argv = [*self.backend.command("train"), *listed(flags | TRAINING), "--accelerator", "cpu", "--quiet"]
        if not self.otherwise:
            return rights.masked(call)(argv, folder)
        done = call([*argv, "--num-workers", 2], folder)
        refused = done.returncode == 1 and "num-workers" in hyphened(done.stderr.strip().rpartition("\n")[2])
        return call(argv, folder) if refused else done  # who loads by itself may say so (EXEC-014)

    def _infer(self, folder: Path) -> process.Completed:
        # The flags stand in another order than in the contract, and one of them is the deprecated one.
        data = self.output.parent / "data.npz"
        flags = {"--output_dir": folder / "pictures", "--device": "cpu", "--n_images": 24, "--test_data": data}
        argv = [*self.backend.command("infer"), "--quiet", *listed(flags), "--model_path", str(self.output)]
        return rights.masked(call)(argv, folder)


def flow(backend: Any, shared: Path, g: int = 1) -> Flow:
    """CLI-010's flow of a grid size, in the folder that all checks of a session share."""
    return Flow(backend, shared, g, 64)


def brief(backend: Any, shared: Path) -> Flow:
    """For what does not depend on how much was trained: CLI-010's flow where this session has it, else one of eight groups."""
    return Flow(backend, shared, 1, 64 if (shared / CHAIN).exists() else 8)


def expect_the_chain(shared: Path) -> None:
    """Say that CLI-010's flow of single patches is among the checks of this session."""
    (shared / CHAIN).touch()


def otherwise(backend: Any, shared: Path) -> Flow:
    """The brief flow, on the same data in another form, loaded by two processes."""
    return replace(brief(backend, shared), otherwise=True)


def unusual(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same experiment in doubles, dim, patterns last, most significant byte first; the photon number as an integer."""
    dim = {**given, "diff3d": given["diff3d"] * np.float32(2.0**-12), "_metadata": entrances.stated(300000)}
    for clothes in ("double", "patterns-last", "big-endian"):
        dim = entrances.dressed(clothes, dim)
    return dim


def stated(backend: Any, shared: Path) -> Flow:
    """A training whose every flag has a value that shows, on data whose losses move apart (`scenes.apart`)."""
    return Stated(backend, shared, 1, 16)


class Stated(Flow):
    """The training of `effects.toml`'s section [train]."""

    def _name(self, name: str) -> str:
        return f"stated-{name}"

    def _train(self, folder: Path) -> process.Completed:
        files = {f"--{kind}_data_file": write_npz(folder / f"{kind}.npz", **apart.file(kind)) for kind in ("train", "test")}
        given = {f"--{name.replace('_', '-')}": value for name, (_, value) in flags().items()}
        argv = [*self.backend.command("train"), *listed(files), *listed(given), "--output_dir", folder / "output", "--quiet"]
        return call(argv, folder)

    @property
    def said(self) -> dict[str, Any]:
        """Setting → the value that the call states."""
        return dict(flags().values())

    def by_the_library(self, folder: Path) -> runs.Run:
        """The same training through `train`: the settings of the flags, and for the rest what the bundle says of it."""
        _, parameters = self.backend.load(self.output)
        known = {name: parameters.get(configs.REGISTRY_KEYS.get(name, name)) for name in (*configs.MODEL, *configs.TRAINING)}
        known = {name: value for name, value in known.items() if value is not None}
        said = self.said
        model = self.backend.canonical("model", **_of({**known, **said}, configs.MODEL))
        own = _of({**known, **said}, configs.TRAINING) | {"output_dir": folder / "out"}
        config = self.backend.canonical("training", model=model, **own)
        self.backend.synchronise(config)
        records = self._records()
        execution = self.backend.canonical("execution", **{**_of(said, configs.EXECUTION), "accum_steps": 1})
        overrides = {"accum_steps": said["accum_steps"]}
        results = self.backend.train(*records, config, execution, overrides=overrides)
        return runs.Run(runs.Recipe(), folder / "out", config, results, [])

    def _records(self) -> list[Any]:
        return [self.backend.read(self.output.parent / f"{kind}.npz") for kind in ("train", "test")]


@dataclass(frozen=True)
class Pictured:
    """An inference that has ended, and the folder of its pictures."""

    done: process.Completed
    folder: Path


def stitched(flow: Flow, folder: Path, flag: str, value: Any) -> Pictured:
    """The inference of a flow once more, one flag beside it."""
    data = {"--test_data": flow.output.parent / "data.npz", "--model_path": flow.output, "--output_dir": folder / "pictures"}
    argv = [*flow.backend.command("infer"), *listed(data), "--n_images", 24, f"--{flag}", value, "--accelerator", "cpu"]
    return Pictured(call(argv, folder), folder / "pictures")


def way(flow: Flow, flag: str, value: Any) -> Pictured:
    """The same, once for all checks of a session."""
    name = f"stitched-{flag}-{value}"
    done = once(flow.shared, name, lambda folder: vars(stitched(flow, folder, flag, value).done))
    return Pictured(process.Completed(**done), flow.shared / name / "pictures")


def _of(values: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def listed(given: Mapping[str, Any]) -> list[str]:
    """Flags and their values, one after the other."""
    return [str(part) for pair in given.items() for part in pair]


def call(argv: Sequence[Any], folder: Path) -> process.Completed:
    """Run a command in `folder`; one that does not end in time counts as ended with code -1."""
    try:
        return process.run([str(part) for part in argv], env=TELLING, cwd=folder, timeout=600)
    except process.NoAnswer as error:
        return process.Completed(tuple(str(part) for part in argv), -1, "", str(error))


def unread(argv: Sequence[Any], folder: Path) -> process.Completed:
    """The call, its output a pipe that nobody reads, and its own code."""
    done = call(["sh", "-c", '{ "$@"; echo $? > code; } | true', "sh", *argv], folder)
    return replace(done, returncode=int((folder / "code").read_text()))


def hyphened(text: str) -> str:
    """A text in which every flag is spelt with hyphens: commands may use either spelling."""
    return text.replace("_", "-")


def documented(text: str) -> dict[str, str]:
    """Flag, spelt with hyphens → its paragraph in a help text."""
    plain = re.sub(r"\x1b\[[0-9;]*m|[│╭╮╰╯─┃]", " ", text)
    found: dict[str, str] = {}
    flags: list[str] = []
    for line in plain.splitlines():
        if re.match(r"\s{1,8}-{1,2}[A-Za-z]", line):
            flags = [hyphened(flag) for flag in re.findall(r"--[A-Za-z][\w-]*", re.split(r"\s{2,}", line.strip())[0])]
        found.update({flag: f"{found.get(flag, '')} {line.strip()}" for flag in flags if line.strip()})
    return found


def states_default(paragraph: str, default: Any) -> bool:
    """True where a paragraph of help says `default` beside this value, as text or as a number: `default: 3`, `[default = 3]`,
    `defaults to 3`, `3 by default`, `3 (the default)`, `3 unless given`, `3 if omitted`.
    """
    value = r"""['"`]*([^\s,;()\[\]'"`]+)['"`]*"""
    before = rf"\bdefaults?\b(?:\s+value)?(?:\s+(?:is|to))?\s*[:=]?\s*{value}"
    behind = rf"{value}\s*(?:by|[(\[]\s*(?:the)?|,\s*the)\s*default\b(?!\s*[:=\w])"
    absent = rf"{value}\s*,?\s*(?:unless|if\s+(?:it\s+is\s+)?(?:not|omitted|absent))\b"
    said = [text for form in (before, behind, absent) for text in re.findall(form, paragraph, flags=re.IGNORECASE)]
    return any(text.strip("'\"`.").lower() == str(default).lower() or _number(text) == default for text in said)


def silent_about(found: Mapping[str, str], defaults: Mapping[str, Any]) -> list[str]:
    """The flags whose help does not state their default."""
    return [
        flag for flag, default in defaults.items() if default is not None and not states_default(found.get(flag, ""), default)
    ]


def _number(text: str) -> float | None:
    try:
        return float(text.strip("'\"`"))
    except ValueError:
        return None


def progress(text: str) -> list[str]:
    """All of an output that reports progress: returns, control sequences, bars, rates, lines for an epoch, a batch or a sweep."""
    lines = r"^\s*(?:[Ee]poch|[Bb]atch|[Ss]tep|[Ss]weep)\b.*\d"
    signs = rf"\r(?!\n)|\x1b\[|\d+%\||\d(?:\.\d+)?\s?(?:it|batch|s)/(?:s|it|batch)|{lines}|[█▏━]"
    return re.findall(signs, text, flags=re.MULTILINE)


def picture(path: Path) -> dict[str, Any]:
    """`{format, bytes}` of a picture file; an absent file has no format and no bytes."""
    content = path.read_bytes() if path.is_file() else b""
    return {"format": "png" if content.startswith(b"\x89PNG\r\n\x1a\n") else "none", "bytes": len(content)}


def pickled_text(path: Path) -> bytes:
    """The bytes of the pickles in a zipped checkpoint, unread; raises `Malformed` where there is none."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise native.Malformed(
            f"expected a checkpoint in PyTorch's zip format, found {'no' if not path.exists() else 'another'} file {path.name}"
        )
    with zipfile.ZipFile(path) as archive:
        return b"".join(archive.read(name) for name in archive.namelist() if name.endswith(".pkl"))
