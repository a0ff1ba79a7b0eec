"""Defects of trainings on several processes, planted in the source: the other processes are interpreters of their own."""

from __future__ import annotations

from conformance.defects.changes import source
from conformance.mutants import rows

FIRST = "TRAIN-082:the_first_losses_are_those_of_one_process"
LATER = "TRAIN-082:later_losses_are_those_of_one_process"
LOADERS, MODULE, MAPPING = "batch/loaders.py", "training/lightning_module.py", "batch/mapping.py"
OWN_FOLDER = (
    '    require_writable(settled.output_dir)\n',
    '    import os, time\n'
    '    stamp = settled.output_dir / f"run-{time.time_ns()}-{os.getpid()}"\n'
    '    config = replace(config, output_dir=stamp)\n'
    '    settled = replace(settled, output_dir=stamp)\n'
    '    require_writable(settled.output_dir)\n',
)  # fmt: skip

mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("DEF-213", "each process names its run's folder by the time", "TRAIN-081:two_processes_leave_what_one_leaves",
    "TRAIN-081:an_epoch_has_one_row",
    breaks="save: the bundle lies in a folder of the run's own",
    plant=source("dispatch/workflow.py", *OWN_FOLDER))
mutant("GUARD-TRAIN-080", "a process without a sample in the last batch dies", "TRAIN-080:two_processes_come_to_an_end",
    plant=source(LOADERS, " or whole[:1]", ""))
mutant("GUARD-TRAIN-080b", "each process sees every sample", "TRAIN-080:an_epoch_has_the_steps_of_the_whole[two]",
    plant=source(LOADERS, "execution.num_nodes > 1", "execution.num_nodes > 999"))
mutant("GUARD-TRAIN-081", "every process says what the first one says", "TRAIN-081:the_first_process_speaks",
    plant=source("cli/main.py", "args.quiet = True", "args.quiet = args.quiet"))
mutant("GUARD-TRAIN-082", "each part is divided by its own mean amplitude", f"{FIRST}[train]",
    plant=source("training/module.py", '{} if part is None else {"mean": part.mean(*light_of(fields))}', "{}"))
mutant("GUARD-TRAIN-082b", "nothing is learned from the tail of an epoch", f"{LATER}[train]",
    plant=source(MODULE, "loss * part.weight", "loss * (part.weight if part.own * part.processes == part.whole else 0.0)"))
mutant("GUARD-TRAIN-082c", "validation counts the sample that stands in for none", f"{FIRST}[val]",
    plant=source("training/ranks.py", "summed([own * self.own / self.whole])", "summed([own * (self.own or 1) / self.whole])"))
mutant("GUARD-TRAIN-083", "every process builds the map", "TRAIN-083:a_map_is_built_once",
    plant=source(MAPPING, "if remake or not (folder / NAME).exists():", "if True:"))
