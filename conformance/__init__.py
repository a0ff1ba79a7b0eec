"""The harness that proves or refutes the contract in `specs/` on any backend. Importing it imports no numeric framework."""

from __future__ import annotations

__version__ = "1.0.0"
"""Its first two numbers say which specification it contains (`specs/releases`): 1.0.0 a candidate of 1.0, 1.0.0 the final."""
