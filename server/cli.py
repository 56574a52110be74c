"""This module owns the command `tongke`: which commands there are, and how a failure leaves the process.

Exit code 0 is good, 1 a finding or a failure, 2 bad usage or bad input with one sentence on standard error. A command
returns its exit code, or None for 0. Commands live in modules of their own, imported only when they are called.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from cyclopts import App, CycloptsError

from server.errors import STATUS, code_of

GOOD, FINDING, BAD_USAGE = 0, 1, 2
BAD_INPUT_CODES = {code for code, status in STATUS.items() if status in {400, 422}} | {"bad_settings"}


def _usage(error: CycloptsError) -> str:
    return f"tongke: {' '.join(str(error).split())}"


app = App(
    name="tongke",
    help="One shared timetable, live lessons and their review for schools that teach together.",
    version=lambda: version("tongke"),
    result_action="return_value",
    help_format="plaintext",
)
app.command("server.commands.serve:serve", name="serve", help="Run the server.")
app.command("server.commands.demo:demo", name="demo", help="Run the demo county on this machine.")
app.command("server.commands.import_:app", name="import", help="Import registers and tables of schools.")
app.command("server.commands.people:app", name="people", help="Give people their accounts and roles.")
app.command("server.commands.table:app", name="table", help="Build, check and publish the one table.")
app.command("server.commands.recordings:app", name="recordings", help="Verify and repair recordings.")
app.command("server.commands.bench:bench", name="bench", help="Measure against the goals and the peers.")
app.command("server.commands.doctor:doctor", name="doctor", help="Say whether this installation is sound.")


def main() -> None:
    """Run one command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(tokens: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        result = app(tokens, exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        return FINDING
    except CycloptsError as error:
        # Printed here, because the library wraps long sentences to the width of a terminal.
        print(_usage(error), file=sys.stderr)
        return BAD_USAGE
    except Exception as error:
        if (code := code_of(error)) is None:
            raise
        print(f"tongke: {error}", file=sys.stderr)
        return BAD_USAGE if code in BAD_INPUT_CODES else FINDING
    return int(result or GOOD)
