"""Slow float64 truths, NumPy only, each formula symbol by symbol."""
