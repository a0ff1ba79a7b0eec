"""CLI-097: flags that cannot act together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conformance.judging.observe import Observer
from conformance.scenes import commands, contrary

pytestmark = pytest.mark.slow


@pytest.mark.clause("CLI-097~2", needs=("CLI-002",))
@pytest.mark.parametrize("call", contrary.CALLS)
def test_what_cannot_act_is_refused(backend: Any, observe: Observer, shared_folder: Path, tmp_path: Path, call: str) -> None:
    """Code 1, the flag's name, no file. If this fails, suspect one flag that wins without a word."""
    done, left = contrary.called(backend, shared_folder, call, tmp_path)

    words = [word for word in contrary.CALLS[call] if word.startswith("--")]
    observe.equal("exit code", done.returncode, 1)
    named = any(word in commands.hyphened(done.stderr) for word in words)
    observe.holds("message", named, f"a message that names one of {', '.join(words)}", done.stderr[-500:])
    observe.equal("files", left, [])
