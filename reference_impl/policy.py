"""POLICY-001, POLICY-002: torch is a hard dependency; its absence is an error at import, never a degraded mode."""

from __future__ import annotations


def require_torch() -> None:
    """Raise `RuntimeError`, chained from the import error, where torch cannot be imported (POLICY-002)."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise RuntimeError(
            "PyTorch is required by this backend: torch>=2.2 could not be imported; install it with `pip install 'torch>=2.2'`"
        ) from error
