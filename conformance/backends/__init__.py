"""Adapters of the backends that the harness knows by name; each imports its backend alone, and only when it is made."""
