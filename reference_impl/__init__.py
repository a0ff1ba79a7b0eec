"""A PyTorch Lightning pipeline for physics-informed ptychography that keeps the contract in `specs/`.

Importing this package imports nothing heavy; the areas are sub-modules, in the order in which data flows:
`config · execution · data · grouping · batch · physics · model · loss · training · bundle · inference · dispatch · cli`.
"""

from __future__ import annotations

__version__ = "0.1.0"
