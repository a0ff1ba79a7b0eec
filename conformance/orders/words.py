"""What an order leaves in words: the log of a step, the blocker, the summary with the notes of whoever works on it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from conformance.evidence.report import Report
from conformance.judging.states import RED
from conformance.orders.order import Order, Step

BEGIN, END = "<!-- conform order: begin -->", "<!-- conform order: end -->"
NOTES = "Notes of your own go below this line; they are kept.\n"
LAYERS = {
    "policy": "torch or the package itself",
    "config": "configuration, before data are read",
    "execution": "settings of the execution",
    "data": "the file, or the record read from it",
    "grouping": "groups and their positions",
    "batch": "keys, axes or scales of the batches",
    "physics": "the physics of the network",
    "model": "the network",
    "loss": "the loss",
    "training": "the training itself",
    "bundle": "persistence: the bundle is written or opened wrongly",
    "inference": "the reconstruction from a bundle",
    "dispatch": "the choice of the backend",
    "cli": "a command, end to end",
}


def first_failure(report: Report) -> tuple[str, str, str]:
    """Clause key, area and message of the first check that fails; empty where none does."""
    for line in report.results:
        if line["state"] in RED:
            key = (line.get("stop") or {}).get("clauses", line["clauses"])[0]
            return key, report.header["clauses"][key]["area"], line["message"]
    return "", "", ""


def layer(report: Report) -> str:
    """`batch, keys, axes or scales of the batches (BATCH-022~1 Images are channel-first)`: where it is still wrong."""
    key, area, _ = first_failure(report)
    if not key:
        return "none of the checks fails by itself: see the log"
    return f"{area}: {LAYERS.get(area, area)} ({key} {report.header['clauses'][key]['title']})"


def log(order: Order, step: Step, selectors: Sequence[str], states: Mapping[str, str], report: Report, run: str) -> str:
    """What was asked, what came of each check, then all output of the run."""
    said = {line["check"]: line["message"] for line in report.results}
    env = "".join(f"{name}={value!r} " for name, value in step.env.items())
    lines = [f"# {order.row} step {step.number} ({step.kind}): {env}{' '.join(step.tests)}", f"# checks: {', '.join(selectors)}"]
    for check, state in states.items():
        lines += [f"{state} {check}", *([said[check]] if state in RED and said.get(check) else [])]
    return "\n".join([*lines, "", run])


def summary(order: Order, marks: Sequence[str], before: str) -> str:
    """summary.md: our part anew, everything outside of it as it was."""
    ours = "\n".join([BEGIN, f"# {order.row}: {order.summary}", "", *marks, END])
    if BEGIN in before and END in before:
        head, _, rest = before.partition(BEGIN)
        return f"{head}{ours}{rest.partition(END)[2]}"
    return f"{ours}\n\n{before if before.strip() else NOTES}"


def attempt(order: Order, outcome: str, logs: Mapping[str, str]) -> list[str]:
    """The attempt as a plan's ledger takes it: number, outcome, artefacts with their digests."""
    lines = [f"- Attempt #{order.attempt}: {outcome}. Artefacts: `{order.folder}`"]
    return lines + [f"  - `{name}` sha256 {digest[:16]}…" for name, digest in logs.items()]


def plain(text: str) -> str:
    """One line."""
    return re.sub(r"\s+", " ", text).strip()
