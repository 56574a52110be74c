"""`tongke table`: everything about the one table, with no server and no database; and the check of tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cyclopts import App, CycloptsError

from server.commands.parameters import AsJson, Flag
from server.commands.table_files import (
    FINDING,
    GOOD,
    BadInput,
    read,
    read_register,
    refuse,
    sentence,
)
from timetable.bell_changes import parted_lessons
from timetable.checker import check as check_tables
from timetable.checker import missing
from timetable.habits import remarks
from timetable.model import Register, Table, TableSet

app = App(
    name="table",
    help="Build, check and publish the one table.",
    result_action="return_value",
    help_format="plaintext",
)

app.command(
    "server.commands.table_build:build",
    name="build",
    help="Build a table for every community of a register. Exit code 1 when one of them gets none.",
)
app.command(
    "server.commands.table_explain:explain",
    name="explain",
    help="Say what would have to be conceded for a table to exist. Exit code 1 when there is no table without that.",
)
app.command("server.commands.table_change:amend", name="amend", help="Change published tables.")
app.command("server.commands.table_talks:propose", name="propose", help="Put a table before the schools.")
app.command("server.commands.table_talks:agree", name="agree", help="Agree to the proposed table.")
app.command("server.commands.table_talks:object_", name="object", help="Object to the proposed table.")
app.command("server.commands.table_talks:publish", name="publish", help="Publish the table that was agreed on.")
app.command("server.commands.table_diff:diff", name="diff", help="Say what differs between two tables.")
app.command("server.commands.table_close:close", name="close", help="Shut schools, and plan what makes up for it.")
app.command("server.commands.table_export:export", name="export", help="Take a table away for wall, desk or calendar.")
app.command("server.commands.table_import:import_", name="import", help="Take in a table that exists already.")
app.command("server.commands.table_member:member", name="member", help="Let a school join or leave in mid-term.")
app.command("server.commands.table_rollover:rollover", name="rollover", help="Make the register of the next term.")
app.command("server.commands.table_change:cover", name="cover", help="Say who could stand in for an absent teacher.")


@app.command
def check(input: Path, table: Path, *, as_json: AsJson = False) -> int:
    """Check tables against their register, independently of how they were made. Exit code 1 when a rule is broken.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    as_json
        One JSON object: the findings, errors first.
    """
    try:
        register = read_register(input)
        tables: tuple[Table, ...] = read(table, TableSet).tables
    except BadInput as error:
        return refuse(str(error))
    wrong = [*missing(register, *tables), *check_tables(register, *tables)]
    parted = (finding for one in tables for finding in parted_lessons(register, one))
    found = [*wrong, *remarks(register, *tables), *parted]
    if as_json:
        print(msgspec.json.encode({"findings": found}).decode())
    else:
        for finding in found:
            print(sentence(finding))
        lessons = sum(len(one.lessons) for one in tables)
        print(f"{len(tables)} table(s), {lessons} lessons, {len(wrong)} broken rule(s)")
    return FINDING if wrong else GOOD


@app.command
def schema(*, tables: Flag = False) -> None:
    """Print the JSON Schema of the register (the INPUT of build and check).

    Parameters
    ----------
    tables
        The schema of the tables instead.
    """
    described = msgspec.json.schema(TableSet if tables else Register)
    print(msgspec.json.format(msgspec.json.encode(described), indent=2).decode())


def main(tokens: Sequence[str]) -> int:
    """Run as `python -m server.commands.table ...`."""
    try:
        return int(app(list(tokens), exit_on_error=False, print_error=False) or GOOD)
    except CycloptsError as error:
        return refuse(" ".join(str(error).split()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
