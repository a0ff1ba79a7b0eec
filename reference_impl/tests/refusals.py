"""How a command refuses: one line, exit code 1, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_impl.cli.main import main


def refusal(source: str, folder: Path, capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """The one line that `convert` ends with, under 300 characters; nothing was written."""
    output = folder / "out" / "out.npz"
    code = main(["convert", "--source", source, "--output", str(output), "--quiet", *flags])
    said = capsys.readouterr().err
    assert code == 1 and len(said.splitlines()) == 1 and len(said) < 310 and said.strip().isprintable(), said
    assert not output.exists()
    return said
