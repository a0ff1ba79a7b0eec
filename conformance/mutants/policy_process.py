"""Defects of what work leaves behind in its process: switches that stay, generators that have moved."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from conformance.defects.changes import function
from conformance.mutants import rows
from reference_impl.batch import container
from reference_impl.bundle import archive, parameters
from reference_impl.engine import solver
from reference_impl.inference import stitch
from reference_impl.training import checkpoints, trainer

SWITCHES = "POLICY-013:work_leaves_the_switches_of_its_process"
DRAWN = "POLICY-014:work_that_is_not_random_draws_nothing"


def a_failure_leaves_gradients_off(original: Any, *given: Any, **options: Any) -> Any:
    try:
        return original(*given, **options)
    except RuntimeError:
        torch.set_grad_enabled(False)
        raise


def overflows_are_hushed(original: Any, *given: Any, **options: Any) -> Any:
    np.seterr(all="ignore")
    return original(*given, **options)


def all_is_deterministic(original: Any, *given: Any, **options: Any) -> Any:
    torch.use_deterministic_algorithms(True, warn_only=True)
    return original(*given, **options)


def weights_are_drawn(original: Any, *given: Any, **options: Any) -> Any:
    torch.rand(1)
    return original(*given, **options)


def the_process_is_seeded(original: Any, problem: Any, settings: Any, *rest: Any) -> Any:
    np.random.seed(settings.seed)
    return original(problem, settings, *rest)


def numpys_numbers_begin_anew(original: Any, *given: Any, **options: Any) -> Any:
    np.random.seed(0)
    return original(*given, **options)


def _afterwards(act: Callable[[], Any]) -> Any:
    def change(original: Any, *given: Any, **options: Any) -> Any:
        found = original(*given, **options)
        act()
        return found

    return change


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-POLICY-013", "after a training and after one that failed an overflow of others says nothing",
    f"{SWITCHES}[training]", f"{SWITCHES}[failing]",
    plant=function(trainer.fit, overflows_are_hushed))
mutant("GUARD-POLICY-013d", "after a reconstruction other computations of the process fail that are not deterministic",
    f"{SWITCHES}[reconstructing]", plant=function(stitch, all_is_deterministic))
mutant("GUARD-POLICY-013b", "after a training that failed nothing learns any more", f"{SWITCHES}[failing]",
    plant=function(trainer.fit, a_failure_leaves_gradients_off))
mutant("GUARD-POLICY-013c", "after a stitching an overflow of others says nothing", f"{SWITCHES}[stitching]",
    plant=function(stitch, overflows_are_hushed))
mutant("GUARD-POLICY-014", "a simulation goes on otherwise once a bundle was opened", f"{DRAWN}[opening]",
    plant=function(parameters.module_of, weights_are_drawn))
mutant("GUARD-POLICY-014c", "a simulation goes on otherwise once a checkpoint was opened", f"{DRAWN}[continuing]",
    plant=function(checkpoints.read_checkpoint, weights_are_drawn))
mutant("GUARD-POLICY-014d", "groups are drawn by everybody's random numbers", f"{DRAWN}[grouping]",
    plant=function(container.ensure_container, numpys_numbers_begin_anew))
mutant("GUARD-POLICY-014b", "an engine seeds everybody's random numbers", f"{DRAWN}[solving]",
    plant=function(solver.solve, the_process_is_seeded))
mutant("GUARD-POLICY-013e", "who has trained cannot be ended", f"{SWITCHES}[training]",
    plant=function(trainer.fit, _afterwards(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN))))
mutant("GUARD-POLICY-013f", "whoever opened a bundle computes on two threads", f"{SWITCHES}[opening]",
    plant=function(parameters.module_of, _afterwards(lambda: torch.set_num_threads(2))))
mutant("GUARD-POLICY-013g", "whoever saved a bundle stands in another folder", f"{SWITCHES}[saving]",
    plant=function(archive.save_torch_bundle, _afterwards(lambda: os.chdir(Path(tempfile.gettempdir()).parent))))
mutant("GUARD-POLICY-013h", "an interrupt ends the process of who has stitched", f"{SWITCHES}[stitching]",
    plant=function(stitch, _afterwards(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))))
