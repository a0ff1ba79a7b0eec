"""How soon a command speaks: what it imports before it has looked at what was typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "spared"),
    [
        (["--help"], {"torch", "lightning", "matplotlib"}),
        (["train", "--train-data-file", "absent.npz", "--output-dir", "out"], {"lightning", "matplotlib"}),
        (["infer", "--model-path", "absent", "--test-data", "absent.npz", "--output-dir", "out"], {"lightning", "matplotlib"}),
    ],
    ids=["help", "train", "infer"],
)
def test_no_library_is_imported_before_it_is_needed(tmp_path: Path, words: list[str], spared: set[str]) -> None:
    """Help and what is wrong with a path are there in half a second or one, not after five."""
    code = "import runpy, sys\ntry: runpy.run_module('reference_impl', run_name='__main__')\n"
    code += f"finally: print('imported:', sorted({spared!r} & set(sys.modules)), file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True)

    assert done.stderr.endswith("imported: []\n"), done.stderr
    assert done.returncode == (words != ["--help"])
