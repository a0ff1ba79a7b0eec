"""The harness that proves or refutes the contract in `specs/` on any backend. Importing it imports no numeric framework."""

from __future__ import annotations

__version__ = "0.1.0"
