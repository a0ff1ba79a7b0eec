"""What is wrong with a solution where nobody knows the truth: `reconstruct`, `infer --refine` and `train --labels` ask here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_impl.cli.probe_refinement import mean_residual

GOOD = 0.58
"""Largest settled residual, in residuals of the mean pattern, without a word. Star and a synthetic scan: the right way round 0.45
to 0.49, transposed or flipped 0.67 to 1.00; with a probe that is wrong and kept 1.4."""
FAR = 4.0
"""Largest settled squared misfit, in that of photon noise, without a word. Scans that end within 1 % of their object have 0.9 to
1.6, the star with three modes 1.7 and with one 3.2; of an object half black, at 1e9 photons, states that are wrong by 5 to 26 %
have 24 to 250."""
FINE = 0.003
"""Residual that is never far: at 1e9 photons and more rounding and the last steps leave 0.001 of a right object."""


def warn_of(found: Any, record: Any, solver: Any, file: Path, keep_probe: bool = False, final: bool = False) -> Any:
    """Warn of all that is wrong with a `Solution` of `record`, a line each; returns its `Noise`, or None where nobody knows what
    a photon is. `solver`: as it stood after the last sweep, or None without one. `final`: settled or not, nobody sweeps on."""
    from reference_impl.engine.noise import noise_of, photons_of

    photons = photons_of(record.diff3d, record.nphotons)
    noise = None if photons is None or solver is None else noise_of(solver, photons)
    for said in doubts(found, mean_residual(record.diff3d), noise, file, keep_probe, final):
        warnings.warn(f"{file}: {said}", UserWarning, stacklevel=3)
    return noise


def doubts(found: Any, mean: float, noise: Any, file: Path, keep_probe: bool = False, final: bool = False) -> Iterator[str]:
    """Sentences; none for a solution that nothing speaks against. `mean`: the residual of the mean pattern for all positions."""
    residual = found.residuals[-1]
    if residual >= (GOOD if found.settled else 1) * mean:
        probe = "the probe (leave out --keep-probe), " if keep_probe else ""
        yield (
            f"the relative residual stays at {residual:.3f}, and the mean pattern alone for all positions leaves {mean:.3f}: "
            f"{probe}the detector's orientation or the positions are wrong, or there are too few photons; look at the file with "
            f"python -m reference_impl inspect {file} --orientations"
        )
    elif noise is not None and (found.settled or final) and residual > FINE and noise.chi_square > FAR:
        probe = "without --keep-probe, " if keep_probe else ""
        yield (
            f"the solver ended at a relative residual of {residual:.4f}, and photon noise alone leaves {noise.floor:.4f}: the "
            "probe or the positions are not those of the patterns, or the object is in a wrong state, as strongly absorbing ones "
            f"may be; try reconstruct {probe}with --modes 3, --refine-positions, another --batch or --seed, and lay the objects "
            "over each other with evaluate"
        )
    if noise is not None and noise.moved is not None and noise.shaken > noise.moved / SHARE:
        yield (
            f"positions moved by {noise.moved:.2g} px rms, and photon noise alone moves them by about {noise.shaken:.2g} px: "
            "the given ones are the better ones; leave out --refine-positions"
        )


SHARE = 2**0.5
"""Moves are errors of the given positions and noise, squares added: where noise has more than half of that, refining did harm."""
