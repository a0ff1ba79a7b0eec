"""The live registry: the very object that the reference works with."""

from __future__ import annotations

from reference_impl.config.registry import cfg, defaults, get, params

__all__ = ["cfg", "defaults", "get", "params"]
