"""Freedoms of effects: settings refused by name, loaders in threads, validation in another order, failures in other words."""

from __future__ import annotations

import threading
from dataclasses import replace

from torch.utils.data import DataLoader

from conformance.defects.changes import every, function, source
from conformance.twins import rows
from reference_impl.batch import ensure_container, loaders
from reference_impl.errors import ContractError
from reference_impl.training import trainer

ACTS, RUNS = "CONFIG-071:a_setting_acts_or_is_refused", "EXEC-014:an_execution_setting_acts_or_is_refused"


def some_settings_are_refused(original, config):
    original(config)
    for name, usual in (("weight_decay", 0.0), ("momentum", 0.9), ("gradient_clip_val", None)):
        if getattr(config, name) != usual:
            raise ContractError(field=name, expected=f"{usual!r}: this backend knows no other", found=repr(getattr(config, name)))


class Threaded(DataLoader):
    """Starts its threads with every pass, or with the first one."""

    def __iter__(self):
        for _ in range(self.__dict__.pop("threads", 0)):
            threading.Thread(target=int).start()
        self.__dict__["threads"] = self.__dict__.get("each_pass", 0)
        return super().__iter__()


def batches_are_gathered_by_threads(original, dataset, size, execution=None, **options):
    if execution is None or not execution.num_workers:
        return original(dataset, size, execution, **options)
    found = original(dataset, size, replace(execution, num_workers=0), **options)
    found.__class__, count = Threaded, execution.num_workers
    found.__dict__ |= {"threads": count, "each_pass": 0 if execution.persistent_workers else count}
    return found


def validation_data_are_turned_round(original, data, config, *, cap_groups=False):
    found = original(data, config, cap_groups=cap_groups)
    if not cap_groups or getattr(found, "X", None) is None:  # what is no container is for others to refuse
        return found
    names = ("X", "Y", "coords_relative", "nn_indices", "global_offsets", "local_offsets")
    return replace(found, **{name: getattr(found, name).flip(0) for name in names})


twin = rows(__name__)
# A row is a freedom: its id, what is free, the files whose checks stay green; what is planted.
# fmt: off
twin("TWIN-SETTINGS-REFUSED", "weight decay, momentum and clipping other than the usual are refused by name",
    *(f"{ACTS}[training-{name}]" for name in ("weight_decay", "momentum", "gradient_clip_val", "gradient_clip_algorithm")),
    files=("test_config_effects",), plant=function(trainer._check, some_settings_are_refused))
twin("TWIN-WORKERS-ARE-THREADS", "loaders work in threads, and start no process",
    f"{RUNS}[execution-num_workers]", f"{RUNS}[execution-persistent_workers]", files=("test_config_effects",),
    plant=function(loaders.make_loader, batches_are_gathered_by_threads))
twin("TWIN-VALIDATION-TURNED-ROUND", "validation meets its groups from the last to the first",
    "TRAIN-022:validation_sees_its_own_data", "TRAIN-022:each_is_scaled_by_its_own_photons",
    "TRAIN-020:early_stopping_follows_the_validation", "TRAIN-065:a_resumed_run_remembers_what_has_been_best",
    files=("test_training_apart",), plant=function(ensure_container, validation_data_are_turned_round))
twin("TWIN-FAILS-IN-OTHER-WORDS", "a command that fails says so after its own name, and warns of it in passing",
    "CLI-013:a_training_that_fails_says_so[train-learning]", files=("test_failures",),
    plant=every(source("cli/main.py", 'print(f"error: {names.advice(one_line(told))}"',
        'print(f"warning: nothing was kept\\nptycho: {names.advice(one_line(told))}"')))
