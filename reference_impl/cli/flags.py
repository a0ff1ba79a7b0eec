"""The parser and its flags: defaults stated in the help, usage errors in one line with exit code 1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn


class _Defaults(argparse.HelpFormatter):
    """States a default that is one; None and switches say nothing."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or isinstance(action.default, bool) or action.default is argparse.SUPPRESS
        return action.help if silent or not action.help else f"{action.help} (default: %(default)s)"


class Parser(argparse.ArgumentParser):
    """Exits with 1 and one line that names the flag; abbreviations are refused, so that a new flag breaks no script."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, "formatter_class": _Defaults, **options})

    def error(self, message: str) -> NoReturn:
        print(f"error: {' '.join(message.split())} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(1)

    def parse_help(self, given: Sequence[str]) -> None:
        """Print the help of the command in `given`, or of the program."""
        parser: argparse.ArgumentParser = self
        for action in self._actions:
            if given and isinstance(action, argparse._SubParsersAction):
                parser = action.choices[given[0]]
        parser.print_help(sys.stderr)


class Older(argparse.Action):
    """A flag of the older interface: refused the moment it is met, whatever stands beside it (CLI-002)."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: str | None = None
    ) -> NoReturn:
        parser.error(f"{option_string}: the older interface is not offered; expected --train_data_file and --output_dir")


def count_or_all(text: str) -> int | None:
    """A number of groups, or `all` as None."""
    return None if text == "all" else int(text)


count_or_all.__name__ = "number or 'all'"


def add_execution_flags(parser: argparse.ArgumentParser) -> None:
    """Flags that `train` and `infer` share: how to run, not what to compute. Values are checked by the configuration."""
    group = parser.add_argument_group("execution")
    group.add_argument("--accelerator", default="auto", help="auto, cpu, gpu, cuda or mps")
    group.add_argument("--device", default=None, help="deprecated: cpu or cuda; use --accelerator")
    group.add_argument("--num-workers", type=int, default=0, help="processes that load batches")
    group.add_argument("--precision", default="32-true", help="of the convolutions: 32-true, 16-mixed or bf16-mixed")
    group.add_argument("--channels-last", action="store_true", help="memory format of the convolutions: faster on most hardware")
    group.add_argument("--quiet", action="store_true", help="nothing on standard output")


def add_measurement_flag(parser: argparse.ArgumentParser) -> None:
    """What the files hold (decision 22)."""
    parser.add_argument("--measurement", default="amplitude", help="what the patterns are: amplitude or counts")
