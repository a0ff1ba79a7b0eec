"""Writers that are killed, and writers at once: the chain holds, and no line that was promised is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conformance.connectors import process
from conformance.evidence import ledger_file
from conformance.evidence.ledger import Ledger

LEDGERS, KILLS_EACH = 8, 25
# A writer forks after its imports, so that a kill costs milliseconds. The child appends without end and says what `append` has
# promised. On a slow disk a write is visible piece by piece, so that a kill falls into the middle of a line.
WRITER = """
import os, sys, time
from pathlib import Path
from conformance.evidence import ledger_file

whole = os.write

def slowly(file, data):
    for start in range(0, len(data), 200):
        whole(file, data[start:start + 200])
        time.sleep(0.0003)
    return len(data)

def add(path, name, copies):
    entry = {"kind": "entry", "utc": "now", "check": name, "clauses": [], "event": "run", "state": "pass", "dirty": False}
    ledger_file.append(Path(path), [entry] * copies)

def forever(path, turn, slow):
    if slow == "slow":
        ledger_file.os.write = slowly
    number = 0
    while True:
        add(path, f"{turn}.{number}", 3)
        whole(1, f"{turn}.{number}\\n".encode())
        number += 1

if len(sys.argv) > 1:
    for number in range(int(sys.argv[3])):
        add(sys.argv[1], f"{sys.argv[2]}.{number}", 1)
    sys.exit()
for order in sys.stdin:
    child = os.fork()
    if child == 0:
        forever(*order.split())
    whole(1, f"{child}\\n".encode())
    os.waitpid(child, 0)
    whole(1, b"dead\\n")
"""


@dataclass
class Killed:
    """One ledger: what its writers had promised, and what stood after each kill (None where nothing did)."""

    path: Path
    promised: list[str] = field(default_factory=list)
    seen: list[Ledger] = field(default_factory=list)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Killed]:
    """Ledgers whose writers were killed at random moments, every second one on a slow disk."""
    root, moments = tmp_path_factory.mktemp("killed"), random.Random(20261124)
    environment = {**os.environ, "PYTHONPATH": str(process.PACKAGE.parent)}
    argv = [sys.executable, "-c", WRITER]
    found = [Killed(root / f"{number}.jsonl") for number in range(LEDGERS)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as writer:
        assert writer.stdin and writer.stdout
        for turn in range(LEDGERS * KILLS_EACH):
            book = found[turn // KILLS_EACH]
            writer.stdin.write(f"{book.path} {turn} {'slow' if turn // KILLS_EACH % 2 else 'fast'}\n")
            writer.stdin.flush()
            # The child may speak before its parent has named it.
            said = [writer.stdout.readline().strip()]
            while "." in said[-1]:
                said.append(writer.stdout.readline().strip())
            time.sleep(moments.uniform(0.0, 0.025))
            os.kill(int(said[-1]), signal.SIGKILL)
            while said[-1] != "dead":
                said.append(writer.stdout.readline().strip())
            book.promised += [word for word in said if "." in word]
            book.seen.append(ledger_file.read(book.path))
        writer.stdin.close()
    return found


def test_no_kill_breaks_the_chain(killed: list[Killed]) -> None:
    """`read` in the fixture verifies after each kill; what stood once stands for ever."""
    assert sum(len(book.seen) for book in killed) == LEDGERS * KILLS_EACH >= 200
    for book in killed:
        for earlier, later in zip(book.seen, book.seen[1:], strict=False):
            assert later.lines[: len(earlier.lines)] == earlier.lines


def test_no_line_that_was_promised_is_lost(killed: list[Killed]) -> None:
    assert all(book.promised for book in killed), "a writer that never gets to its first line proves nothing"
    for book in killed:
        kept = Counter(entry["check"] for entry in book.seen[-1].entries)
        assert {name: kept[name] for name in book.promised} == dict.fromkeys(book.promised, 3)


def test_torn_lines_were_kept_in_notes(killed: list[Killed]) -> None:
    """The kills did fall into lines, and the next writer put what was left of them aside."""
    for book in killed[1::2]:
        torn = [ledger.torn for ledger in book.seen[:-1] if ledger.torn]
        notes = [line["torn"] for line in book.seen[-1].lines if line["kind"] == "note"]
        assert notes and set(notes) <= set(torn)


def test_eight_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    path, each = tmp_path / "b.jsonl", 25
    environment = {**os.environ, "PYTHONPATH": str(process.PACKAGE.parent)}
    argv = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*argv, str(name), str(each)], env=environment) for name in range(8)]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 8
    found = ledger_file.read(path)
    told = [entry["check"] for entry in found.entries]
    assert sorted(told) == sorted(f"{name}.{number}" for name in range(8) for number in range(each))
    for name in range(8):
        mine = [check for check in told if check.startswith(f"{name}.")]
        assert mine == [f"{name}.{number}" for number in range(each)], "a writer's own lines keep their order"
