"""Workflows chosen by `config.backend`. Importing this package imports no numeric stack."""

from __future__ import annotations
