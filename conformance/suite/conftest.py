"""Fixtures of the suite that need pytest: a folder that all workers of a session share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.scenes import commands

CHAIN = "test_train_save_load_infer[g1]"


@pytest.fixture(scope="session")
def shared_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder in every worker of a session, and another in every session."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    folder.mkdir(exist_ok=True)
    if not request.config.getoption("--trials") and any(item.name == CHAIN for item in request.session.items):
        commands.expect_the_chain(folder)
    return folder
