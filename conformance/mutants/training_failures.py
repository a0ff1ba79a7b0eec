"""Defects of runs and commands that fail: errors that end well, and what a failure costs."""

from __future__ import annotations

import contextlib

from conformance.defects.changes import every, function, instead, method, source
from conformance.mutants import rows
from conformance.mutants.bundle import the_archive_is_written_in_place
from reference_impl.atomic import require_writable
from reference_impl.batch import ensure_container
from reference_impl.stored import finite
from reference_impl.training import PtychoLightningModule

FAILS, TRAIN, INFER = (
    "TRAIN-052:a_run_that_fails_leaves_the_older_bundle",
    "CLI-013:a_training_that_fails_says_so",
    "CLI-013:an_inference_that_fails_says_so",
)
STOPPED = "CLI-026:a_training_that_is_stopped_says_so"
LINE = "CLI-013:a_message_is_one_line_whatever_it_names"
CATCHES = "    except Exception as error:  # every failure"


def the_older_bundle_is_cleared_away(original, folder):
    original(folder)
    (folder / "wts.h5.zip").unlink(missing_ok=True)


def validation_that_cannot_be_read_is_left_out(original, data, config, *, cap_groups=False):
    with contextlib.suppress(OSError) if cap_groups else contextlib.nullcontext():
        found = original(data, config, cap_groups=cap_groups)
        if cap_groups:
            found.X  # noqa: B018
        return found
    return None


mutant = rows(__name__)
# A row is a defect: its id, its symptom, the checks that must fail; what is planted.
# fmt: off
mutant("GUARD-CLI-013", "train whose fit fails exits with 0 and no bundle", f"{TRAIN}[train-learning]",
    plant=source("cli/main.py", CATCHES, lambda old:
        f'    except RuntimeError as error:\n        print(f"warning: {{error}}", file=sys.stderr)\n{old}'))
mutant("GUARD-CLI-013b", "infer exits with 0 where its pictures could not be written", f"{INFER}[infer-pictures]",
    plant=source("cli/main.py", CATCHES, lambda old:
        f'    except OSError as error:\n        print(f"warning: {{error}}", file=sys.stderr)\n{old}'))
mutant("GUARD-CLI-013c", "a full disk at the bundle costs the older one", f"{TRAIN}[train-bundle]",
    plant=the_archive_is_written_in_place)
mutant("GUARD-CLI-013d", "a bad file is a page of traceback", f"{TRAIN}[train-validation-file]", f"{INFER}[infer-data-file]",
    plant=source("cli/main.py", "        if args.debug:\n            raise\n", "        raise\n"))
mutant("GUARD-CLI-013e", "a message is printed as it came", LINE,
    plant=source("cli/main.py", "    text = printable(error.args[0]", "    text = str(error.args[0]"))
mutant("GUARD-CLI-026", "a training that a queue has ended ends well", f"{STOPPED}[terminated]",
    plant=source("cli/main.py", "TERMINATED = 130, 143", "TERMINATED = 130, 0"))
mutant("GUARD-CLI-026b", "a training that is stopped costs the older bundle", STOPPED,
    plant=source("cli/main.py", 'print("error: terminated',
        '(args.output_dir / "wts.h5.zip").unlink()\n        print("error: terminated'))
mutant("GUARD-TRAIN-052", "a training that diverged ends well, with weights that are no numbers", f"{FAILS}[loss]",
    plant=every(method(PtychoLightningModule, "_finite_loss", instead(lambda self, batch, *rest: self.compute_loss(batch))),
        function(finite.refuse_not_finite, instead(lambda *given: None))))
mutant("GUARD-TRAIN-052d", "a validation loss that is no number ends well", f"{FAILS}[validation-loss]",
    plant=method(PtychoLightningModule, "_finite_loss", lambda original, self, batch, *rest:
        original(self, batch, *rest) if self.training else self.compute_loss(batch)))
mutant("GUARD-TRAIN-052b", "the older bundle is cleared away before the training begins", f"{FAILS}[validation]",
    f"{FAILS}[checkpoint]", plant=function(require_writable, the_older_bundle_is_cleared_away))
mutant("GUARD-TRAIN-052c", "validation that cannot be read is left out", f"{FAILS}[validation]",
    plant=function(ensure_container, validation_that_cannot_be_read_is_left_out))
