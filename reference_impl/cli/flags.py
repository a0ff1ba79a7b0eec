"""The parser and its flags: both spellings, defaults stated in the help, usage errors in one line with exit code 1.

`type=of("nepochs")` gives a flag the domain of a setting: its text becomes a value, the value is checked by `check_flags` once
the paths are known to be there (CLI-009), and an error about the setting, wherever it comes from, names the flag as it was typed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from reference_impl.domains.fields import domain_of, refuse_outside, shown
from reference_impl.errors import ContractError


class Reader:
    """From the text of a flag to the value of the setting `name`; `must_exist`: an input file, looked for first."""

    def __init__(self, name: str, must_exist: bool) -> None:
        self.name, self.must_exist, self.domain = name, must_exist, domain_of(name)

    def __call__(self, text: str) -> Any:
        return self.domain.read(text)


def of(name: str, must_exist: bool = False) -> Reader:
    """The reader of a flag that states the setting `name` of `domains.fields`."""
    return Reader(name, must_exist)


class _Defaults(argparse.HelpFormatter):
    """States a default that is one; None and switches say nothing."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)

    def _get_default_metavar_for_optional(self, action: argparse.Action) -> str:
        """What a value is, not the flag once more in capitals."""
        kind = action.type.domain.kind if isinstance(action.type, Reader) else ""
        return {"whole": "NUMBER", "real": "NUMBER", "path": "PATH"}.get(kind, "NAME")

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or isinstance(action.default, bool) or action.default is argparse.SUPPRESS
        return action.help if silent or not action.help else f"{action.help} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """Exits with 1 and one line that names the flag; abbreviations are refused, so that a new flag breaks no script.

    `--max_epochs` and `--max-epochs` are one flag. The namespace keeps, as `typed`, each flag that was given: destination → as
    it was typed.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, "formatter_class": _Defaults, **options})

    def error(self, message: str) -> NoReturn:
        print(f"error: {' '.join(message.split())} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(1)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        given = list(sys.argv[1:] if args is None else args)
        if any(isinstance(action, argparse._SubParsersAction) for action in self._actions):
            return super().parse_known_args(self._with_a_known_command(given), namespace)
        tokens, typed = self._spelled(given)
        self.typed = typed
        found, rest = super().parse_known_args(tokens, namespace)
        if rest:
            self.error(f"expected flags and their values, found {shown(' '.join(rest))}")
        found.typed = typed
        return found, rest

    def _with_a_known_command(self, given: list[str]) -> list[str]:
        """An unknown command is refused here, with the nearest known one."""
        known = next(action.choices for action in self._actions if isinstance(action, argparse._SubParsersAction))
        if given and not given[0].startswith("-") and given[0] not in known:
            self.error(f"unknown command {shown(given[0])}{_meant(given[0], known)}; there are {', '.join(known)}")
        return given

    def _spelled(self, given: list[str]) -> tuple[list[str], dict[str, str]]:
        """The tokens with every flag as the parser knows it, and what was typed; an unknown flag with the nearest known one."""
        known = {option.replace("_", "-"): option for option in self._option_string_actions}
        tokens, typed = [], {}
        for token in given:
            name, sign, value = token.partition("=")
            if not token.startswith("--") or token == "--":
                tokens.append(token)
                continue
            option = known.get(name.replace("_", "-"))
            if option is None:
                self.error(f"unknown flag {shown(name)[1:-1]}{_meant(name.replace('_', '-'), known)}")
            if sign and value == "--":  # argparse of Python 3.11 would make an empty list of it
                self.error(f"{name}: expected a value, found '--'")
            typed[self._option_string_actions[option].dest] = name
            tokens.append(f"{option}{sign}{value}")
        return tokens, typed

    def parse_help(self, given: Sequence[str]) -> None:
        """Print the help of the command in `given`, or of the program."""
        self.of_command(given[0] if given else "").print_help(sys.stderr)

    def of_command(self, name: str) -> argparse.ArgumentParser:
        """The parser of a command, or this one."""
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction) and name in action.choices:
                return action.choices[name]
        return self


def _meant(name: str, known: Any) -> str:
    near = get_close_matches(name, [option for option in known if not option.startswith("-h")], n=1, cutoff=0.6)
    return f"; is {near[0]} meant?" if near else ""


class Older(argparse.Action):
    """A flag of the older interface: refused the moment it is met, whatever stands beside it (CLI-002)."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: str | None = None
    ) -> NoReturn:
        name = getattr(parser, "typed", {}).get(self.dest, option_string)
        parser.error(f"{name}: the older interface is not offered; expected --train-data-file and --output-dir")


class Names:
    """What the flags of one call are called: field of a configuration, or destination → the flag as it was typed, else as the
    help has it."""

    def __init__(self, parser: argparse.ArgumentParser, typed: dict[str, str]) -> None:
        self.flags: dict[str, str] = {}
        self.values: list[tuple[str, Reader]] = []
        for action in parser._actions:
            if not action.option_strings or action.help is argparse.SUPPRESS:
                continue
            name = typed.get(action.dest, action.option_strings[0])
            self.flags[action.dest] = name
            if isinstance(action.type, Reader):
                self.flags.setdefault(action.type.name, name)
                self.values.append((action.dest, action.type))
        for field, same in _SAME.items():
            if same in self.flags:
                self.flags.setdefault(field, self.flags[same])

    def refusal(self, error: ContractError) -> ContractError:
        """The same error under the flag's name, where it is about a setting that a flag states."""
        if error.file is not None or error.field not in self.flags:
            return error
        found = self.advice(error.found)
        return ContractError(field=self.flags[error.field], expected=self.advice(error.expected), found=found)

    def advice(self, text: str) -> str:
        """`text` with `setting='value'` as the flag that says it."""
        return re.sub(r"\b([A-Za-z_]\w*)=(?:'([^']*)'|\"([^\"]*)\"|([\w.+-]+))", self._as_flag, text)

    def _as_flag(self, match: re.Match[str]) -> str:
        name, value = match[1], next(part for part in match.groups()[1:] if part is not None)
        if name not in self.flags:
            return match[0]
        if name == "resume_override" and value in self.flags:
            value = self.flags[value].lstrip("-")
        return self.flags[name] if value == "True" else f"{self.flags[name]} {value}"


_SAME = {
    "nsamples": "n_groups",
    "n_images": "n_groups",
    "epochs": "nepochs",
    "max_epochs": "nepochs",
    "K": "neighbor_count",
    "subsample_seed": "seed",
    "M": "stitch_crop_size",
    "resume_from": "resume",
    "resume_override": "override",
    "train_data": "train_data_file",
    "test_data": "test_data_file",
    "mode": "model_type",
}
"""Other names of a setting → the one that its flag states."""


def check_flags(args: argparse.Namespace, names: Names) -> None:
    """CLI-009: input files first, then values within their domains; `FileNotFoundError`, `ContractError` with the flag's name."""
    for dest, reader in names.values:
        given = getattr(args, dest)
        for path in given if isinstance(given, list) else [given]:
            folder = isinstance(given, list)  # several files may also come as a folder of them
            if reader.must_exist and isinstance(path, Path) and not (path.is_file() or (folder and path.is_dir())):
                raise FileNotFoundError(f"{names.flags[dest]}: expected a file, found none: {path}")
    for dest, reader in names.values:
        if dest in args.typed:
            values = getattr(args, dest)
            for value in values if isinstance(values, list) else [values]:
                refuse_outside(reader.name, value, label=names.flags[dest])


def add_execution_flags(parser: argparse.ArgumentParser) -> None:
    """Flags that `train` and `infer` share: how to run, not what to compute."""
    group = parser.add_argument_group("execution")
    group.add_argument("--accelerator", type=of("accelerator"), default="auto", help="auto, cpu, gpu, cuda or mps")
    group.add_argument("--device", type=of("device"), default=None, help="deprecated: cpu or cuda; use --accelerator")
    group.add_argument("--num-workers", type=of("num_workers"), default=0, help="processes that load batches")
    precision = (
        "of the convolutions: 32-true, 16-mixed or bf16-mixed; unless given bf16 on a CPU that multiplies it, else 32-true"
    )
    group.add_argument("--precision", type=of("precision"), help=precision)
    group.add_argument("--channels-last", action="store_true", help="memory format of the convolutions: faster on most hardware")
    group.add_argument("--quiet", action="store_true", help="nothing on standard output")


def add_measurement_flag(parser: argparse.ArgumentParser) -> None:
    """What the files hold (decision 22)."""
    parser.add_argument(
        "--measurement", type=of("measurement"), default="amplitude", help="what the patterns are: amplitude or counts"
    )


def add_groups_flag(parser: argparse._ActionsContainer, text: str) -> None:
    """How many groups: a number, or `all`; `--n-images` is its older name."""
    parser.add_argument("--n-groups", "--n-images", type=of("groups"), default="all", metavar="NUMBER", help=text)
