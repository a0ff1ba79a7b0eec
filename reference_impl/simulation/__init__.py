"""Synthetic experiments: objects, probes, scans and the exposures they make.

NumPy and SciPy only; every draw comes from a given generator.
`objects`, `probes`, `pupils`, `scans` describe the experiment, `exposures` measures it, `experiment` puts them together, `recipe`
is its text, `minimal_dataset` is the pinned integration record.
Positions are object pixels, `x` = column, `y` = row; pixel `N // 2` of a patch lies on its position.
"""
