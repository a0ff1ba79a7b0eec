"""Entry point: picks the command, turns every failure into one line and exit code 1 (specs/cli.md)."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from reference_impl import processes
from reference_impl.cli import convert, drop_in, evaluate, export, infer, inspect, reconstruct, simulate, train
from reference_impl.cli.flags import Names, Parser, check_flags
from reference_impl.cli.progress import forgiving_output
from reference_impl.errors import ContractError, printable

COMMANDS = {
    "train": train,
    "infer": infer,
    "reconstruct": reconstruct,
    "evaluate": evaluate,
    "inspect": inspect,
    "convert": convert,
    "export": export,
    "simulate": simulate,
    "drop-in": drop_in,
}
INTERRUPTED, TERMINATED = 130, 143

LONGEST_WARNING = 1000
"""Characters: a warning may say at length what to do; what it repeats of a file is short."""


def build_parser() -> Parser:
    """The parser of all commands; usage errors exit with 1 (CLI-002)."""
    parser = Parser(prog="python -m reference_impl", description="Reconstruct objects from scanning diffraction patterns.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name, module in COMMANDS.items():
        own = commands.add_parser(name, help=module.SUMMARY, description=module.DESCRIPTION)
        module.add_flags(own)
        own.add_argument("--debug", action="store_true", help="show the traceback of an error, and every warning")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 1 with one line on the error stream otherwise, 130 or 143 when a signal ended it.

    A disk that is full behind standard output stops no work, and is no success (CLI-045).
    """
    with forgiving_output() as out:
        try:
            code: int | SystemExit = _called(list(sys.argv[1:] if argv is None else argv))
        except SystemExit as end:  # a help, or an error of usage
            code = end
    if out.lost is not None:
        print(f"error: standard output: {one_line(out.lost)}: what was told is lost; files were written as ever", file=sys.stderr)
        return 1
    if isinstance(code, SystemExit):
        raise code
    return code


def _called(given: list[str]) -> int:
    parser = build_parser()
    if not given or given in [[name] for name, module in COMMANDS.items() if module is not drop_in]:
        parser.parse_help(given)
        return 1
    args = parser.parse_args(given)
    names = Names(parser.of_command(args.command), args.typed)
    _configure_messages(args.debug, names)
    if processes.number() and not args.debug:  # what several processes of one run have to say, the first one says
        warnings.simplefilter("ignore")
        args.quiet = True
    return _run(args, names)


def _run(args: Any, names: Names) -> int:
    """The command, and how it ended; every failure is one line that speaks of flags as they were typed."""
    try:
        check_flags(args, names)
        COMMANDS[args.command].run(args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except SystemExit:  # Lightning turns SIGTERM into an exit with code 0, as if a training cut short had ended well
        print("error: terminated before the end", file=sys.stderr)
        return TERMINATED
    except Exception as error:  # every failure of a command is one line; its traceback is for --debug
        if args.debug:
            raise
        told = names.refusal(error) if isinstance(error, ContractError) else error
        print(f"error: {names.advice(one_line(told))}", file=sys.stderr)
        return 1
    return 0


def one_line(error: BaseException) -> str:
    """The message on one line; errors that do not speak for themselves are named by their class."""
    if isinstance(error, MemoryError):
        return f"not enough memory ({printable(error) or 'no details'}): ask for fewer, smaller or less at a time"
    text = printable(error.args[0] if isinstance(error, KeyError) and error.args else str(error))
    return (
        text if isinstance(error, ValueError | OSError | RuntimeError | KeyError) and text else f"{type(error).__name__}: {text}"
    )


def _configure_messages(debug: bool, names: Names) -> None:
    """Our own warnings a line each on the error stream; those of libraries, and Lightning's chatter, with --debug alone."""

    def show(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        print(f"warning: {names.advice(printable(message, LONGEST_WARNING))}", file=sys.stderr)

    warnings.showwarning = show
    if debug:
        return
    warnings.filterwarnings("ignore", module=r"(lightning|torch|tensordict|matplotlib)(\.|$)")
    warnings.filterwarnings("default", category=DeprecationWarning, module=r"reference_impl(\.|$)")
    for package in ("pytorch", "fabric"):  # the loggers that speak; their parents set their own level when they are imported
        logging.getLogger(f"lightning.{package}.utilities.rank_zero").setLevel(logging.WARNING)
