"""`conform order`: a work order read, and the part of it carried out that is proof. No code is edited."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.evidence.report import Report
    from conformance.orders.order import Order, Step
    from conformance.running.run import Ended

BOOK = "orders"
"""The ledger of rows and attestations: `<output>/ledger/orders.jsonl`."""


def add(verbs: Any) -> None:
    """order."""
    verb = verbs.add_parser(
        "order", help="read a work order, and carry out what it wants proven: RED, GREEN, integration, its row"
    )
    verb.add_argument("file", type=Path, nargs="?", metavar="FILE", help="the order, in Markdown or (.toml) TOML; none: all rows")
    verb.add_argument("--dry-run", action="store_true", help="say what was understood, and run nothing")
    verb.add_argument("--backend", default="reference", help="as for `conform run`; default: reference")
    verb.add_argument("--aliases", type=Path, metavar="FILE", help="names of tests → checks, in TOML, beside the built-in ones")
    verb.add_argument("--any-branch", action="store_true", help="carry it out on another branch than the order names")
    verb.add_argument("--output", type=Path, default=Path("reports"), help="the folder of all reports (default: reports)")
    verb.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    verb.add_argument("--patience", type=float, default=600.0, metavar="S", help="as in `conform run`")
    verb.set_defaults(act=_act)


def _act(arguments: argparse.Namespace) -> int:
    from conformance.evidence.ledger import LedgerError
    from conformance.orders.order import BadOrder
    from conformance.specification.texts import said

    try:
        return _rows(arguments) if arguments.file is None else _carry(arguments)
    except BadOrder as error:
        return _fail(4, f"{arguments.file}: {error}")
    except LedgerError as error:
        return _fail(1, f"refused: {_book(arguments)}: {type(error).__name__}: {error}")
    except OSError as error:
        return _fail(4, f"refused: {said(error)}")
    except ValueError as error:
        return _fail(4, f"{arguments.aliases}: {error}")


def _rows(arguments: argparse.Namespace) -> int:
    from conformance.evidence import ledger_file
    from conformance.orders import rows

    for line in rows.table(ledger_file.read(_book(arguments)).lines) or ["no row yet: conform order FILE"]:
        print(line)
    return 0


def _carry(arguments: argparse.Namespace) -> int:
    """One step after the other, until one waits for a change of the code, one fails, or the row is closed."""
    from conformance.evidence import ledger_file
    from conformance.orders import aliases, guards, reading, rows
    from conformance.orders.order import told
    from conformance.specification.bindings import scan
    from conformance.specification.texts import read

    text = read(arguments.file)
    order = reading.read(text, toml=arguments.file.suffix == ".toml")
    known = aliases.table(arguments.aliases)
    bindings = scan(arguments.suite)[0]
    selectors = {test: aliases.selector(test, known, bindings) for step in order.steps for test in step.tests}
    print("\n".join([*told(order), *(f"check     {test.rpartition('::')[2]} is {found}" for test, found in selectors.items())]))
    if arguments.dry_run:
        return 0
    first = guards.look(order, Path.cwd())
    if reasons := guards.before(order, first, Path.cwd(), any_branch=arguments.any_branch):
        return _fail(1, *(f"refused: {reason}" for reason in reasons))
    job = _Job(arguments, order, rows.identity(text), selectors, first)
    while step := rows.following(order, rows.of_order(ledger_file.read(_book(arguments)).lines, job.identity, arguments.backend)):
        code, more = job.carry(step)
        if code or not more:
            return code
    print(f"{rows.DONE} {order.row}: every step is done; conform order shows all rows")
    return 0


class _Job:
    """One call: what it carries out, where, and what it saw before."""

    def __init__(
        self, arguments: argparse.Namespace, order: Order, identity: str, selectors: Mapping[str, str], first: Any
    ) -> None:
        self.arguments, self.order, self.identity, self.selectors, self.first = arguments, order, identity, selectors, first
        self.folder = Path(order.folder)

    def carry(self, step: Step) -> tuple[int, bool]:
        """The exit code, and whether the next step may follow at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if step.kind == "close":
            return self._close(step), True
        reports = [self._prove(step, self.selectors[test]) for test in step.tests]
        if refused := next((told for _, told in reports if told), None):
            return refused, False
        return self._done(step, [ended for ended, _ in reports]), step.kind != "red"

    def _prove(self, step: Step, selector: str) -> tuple[Ended, int]:
        """A run of the checks behind one test, entered in the ledger of checks; a code where it proves nothing."""
        from conformance.cli import progress
        from conformance.evidence import claims, ledger_file
        from conformance.running.run import Options, run
        from conformance.specification.bindings import scan

        given = self.arguments
        label = f"{ledger_file.safe(self.order.row)}_{step.number}_{step.kind}"
        options = Options(
            backend=given.backend, output=given.output, label=label, workers=given.workers, patience=given.patience,
            select=tuple(claims.selection(scan(given.suite)[0], selector)), suite=given.suite, specs=given.specs,
            release="current",
        )  # fmt: skip
        print(f"step {step.number} ({step.kind}): {selector}")
        with _environment(step.env):
            ended = run(options, progress.watch(sys.stdout))
        report = ended.report
        if report is None or report.footer is None or not claims.chosen(report, selector):
            return ended, _fail(
                ended.code or 1, f"refused: the run did not close ({ended.trouble or 'see above'}); {ended.folder}"
            )
        self._write_log(step, selector, ended)
        path = ledger_file.file_for(given.output, given.backend)
        entries = ledger_file.read(path).entries
        reasons = _refusals(step.kind, report, selector, entries)
        if not reasons:
            event = {"integration": "run"}.get(step.kind, step.kind)
            ledger_file.append(path, claims.drafts(report, claims.chosen(report, selector), **self._stamp(event, step)))
            return ended, 0
        return ended, self._blocked(step, ended, reasons)

    def _blocked(self, step: Step, ended: Ended, reasons: list[str]) -> int:
        """A step that does not prove what it should: a RED that passes is refused, anything else is a blocker."""
        from conformance.orders import rows, words

        told = reasons[:10]
        if step.kind == "red":
            expected = f"step {step.number} wants a failure first, and there is none to put on record"
            return _fail(1, f"refused: {expected}: {told[0]}", f"log: {self.folder / (step.log or 'run.log')}")
        report = ended.report
        assert report is not None  # noqa: S101 -- a run that did not close was refused before
        where = words.layer(report)
        run = (ended.folder / "run.log").read_text(encoding="utf-8")
        text = "\n".join([f"# {self.order.row} step {step.number} ({step.kind}) is blocked", f"# layer: {where}", *told, "", run])
        path = self.folder / self.order.blocker
        _write(path, text)
        self._enter(step, rows.PARTIAL, done=False, because=f"{where}; {path}")
        return _fail(1, f"{rows.PARTIAL} {self.order.row} is blocked at step {step.number}: {where}", f"log: {path}")

    def _done(self, step: Step, runs: list[Ended]) -> int:
        from conformance.orders import rows

        if trouble := self._guarded():
            return self._guard_failed(step, trouble)
        last = step.number == self.order.steps[-1].number
        self._enter(step, rows.DONE if last else rows.PARTIAL, done=True)
        print(f"step {step.number} ({step.kind}) is on record: {self.folder / step.log if step.log else runs[-1].folder}")
        if step.kind == "red":
            print(f"next: make the change that the order asks for, then `conform order {self.arguments.file}` again")
        return 0

    def _close(self, step: Step) -> int:
        """The row is closed only with all logs there and everything else left alone."""
        from conformance.orders import guards, rows

        absent = guards.missing(self.folder, [own.log for own in self.order.steps if own.log])
        if trouble := [*self._guarded(), *(f"{name}: expected this log in {self.folder}, found none" for name in absent)]:
            return self._guard_failed(step, trouble)
        self._enter(step, rows.DONE, done=True)
        return 0

    def _guarded(self) -> list[str]:
        from conformance.orders import guards

        return guards.after(self.order, self.first, guards.look(self.order, Path.cwd()))

    def _guard_failed(self, step: Step, trouble: list[str]) -> int:
        from conformance.orders import rows

        self._enter(step, rows.PARTIAL, done=False, because=trouble[0])
        return _fail(1, *(f"refused: {line}" for line in trouble), f"{rows.PARTIAL} {self.order.row} stays open")

    def _enter(self, step: Step, mark: str, *, done: bool, because: str = "") -> None:
        """A line in the ledger of rows, and summary.md anew."""
        from conformance.evidence import ledger_file
        from conformance.orders import rows, words

        logs = {
            own.log: _digest(self.folder / own.log) for own in self.order.steps if own.log and (self.folder / own.log).is_file()
        }
        more = {"utc": _now(), "order": self.identity, "backend": self.arguments.backend, "done": done, "artefacts": logs}
        ledger_file.append(
            _book(self.arguments), [rows.draft(self.order, step, mark, **more, **({"because": because} if because else {}))]
        )
        path = self.folder / "summary.md"
        lines = rows.table(ledger_file.read(_book(self.arguments)).lines)
        own = [line for line in lines if f" {self.order.row} " in line]
        outcome = because or ("every step is done" if mark == rows.DONE else f"step {step.number} ({step.kind}) is done")
        notes = path.read_text(encoding="utf-8") if path.is_file() else ""
        _write(path, words.summary(self.order, [*own, "", *words.attempt(self.order, outcome, logs)], notes))

    def _write_log(self, step: Step, selector: str, ended: Ended) -> None:
        from conformance.evidence import claims
        from conformance.orders import words

        if not step.log or ended.report is None:
            return
        states = {check: ended.report.states()[check] for check in claims.chosen(ended.report, selector)}
        run = (ended.folder / "run.log").read_text(encoding="utf-8")
        _write(self.folder / step.log, words.log(self.order, step, [selector], states, ended.report, run))

    def _stamp(self, event: str, step: Step) -> dict[str, Any]:
        place = (self.folder / step.log).as_posix() if step.log else self.folder.as_posix()
        return {"utc": _now(), "event": event, "artefact": place, "because": None}


def _refusals(kind: str, report: Report, selector: str, entries: Any) -> list[str]:
    """Why a run does not prove what a step of this kind wants."""
    from conformance.evidence import claims

    if kind == "red":
        return claims.red_refusals(report, selector)
    if kind == "green":
        return claims.green_refusals(report, selector, entries)
    return [
        f"{check} is {report.states()[check]}" for check in claims.chosen(report, selector) if report.states()[check] != "pass"
    ]


@contextmanager
def _environment(given: Mapping[str, str]) -> Iterator[None]:
    """The variables that a step names, for its run alone."""
    before = {name: os.environ.get(name) for name in given}
    os.environ.update(given)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _book(arguments: argparse.Namespace) -> Path:
    return arguments.output / "ledger" / f"{BOOK}.jsonl"


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, text: str) -> None:
    from conformance.pages.press import write

    write(path, text)


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fail(code: int, *lines: str) -> int:
    for line in lines:
        print(line, file=sys.stderr)
    return code
