"""What a check means may hang on a method that it does not call."""

from __future__ import annotations

from typing import Any


def needed(backend: Any, *methods: str) -> None:
    """Raises `NotClaimed` where the backend does not offer one of these methods."""
    for method in methods:
        getattr(backend, method)
