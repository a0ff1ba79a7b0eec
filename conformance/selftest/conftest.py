"""Fixtures of the self-tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.selftest.house import House, build, sound


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house in order."""
    return sound(tmp_path)


@pytest.fixture
def shell(tmp_path: Path) -> House:
    """A house without chapters and tests."""
    return build(tmp_path)
