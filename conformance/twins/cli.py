"""Freedoms of the commands: the form of help and errors, flags and files besides those of the contract."""

from __future__ import annotations

from conformance.defects.planting import Plant
from conformance.twins import twin

HELP = ("CLI-001:train_documents_its_flags_and_their_defaults", "CLI-006:infer_documents_its_flags_and_their_defaults")
ERRORS = (
    "CLI-002:usage_errors_of_train_end_with_code_1_and_a_message",
    "CLI-006:infer_ends_with_code_1_and_a_message_otherwise[no-model]",
)


@twin(
    "TWIN-HELP-IN-ANOTHER-FORM",
    "help states defaults in brackets, narrow, with more flags than the contract's",
    files=("test_cli",),
    checks=HELP,
)
def help_has_another_form(plant: Plant) -> None:
    plant.source("cli/flags.py", '(default: %(default)s)"', '[default=%(default)s]"')
    plant.source("cli/flags.py", "max_help_position=34", "max_help_position=24, width=90")
    plant.source(
        "cli/flags.py",
        '    group.add_argument("--quiet"',
        '    group.add_argument("--profile", help="write a profile")\n    group.add_argument("--quiet"',
    )


@twin(
    "TWIN-USAGE-WITH-ERRORS",
    "a usage error comes with the usage, on several lines of standard error",
    files=("test_cli",),
    checks=ERRORS,
)
def errors_come_with_the_usage(plant: Plant) -> None:
    plant.source(
        "cli/flags.py",
        "        print(f\"error: {' '.join(message.split())}",
        "        self.print_usage(sys.stderr)\n        print(f\"error: {' '.join(message.split())}",
    )
