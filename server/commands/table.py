"""`tongke table`: build and check the one table, with no server and no database."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, TextIO, TypeVar

import msgspec
from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number
from msgspec import Struct

from server.commands.table_files import (
    FINDING,
    GOOD,
    BadInput,
    check_writable,
    read,
    read_register,
    refuse,
    sentence,
    write,
)
from server.side_by_side import build_side_by_side
from timetable.bell_changes import parted_lessons
from timetable.checker import check as check_tables
from timetable.checker import missing
from timetable.errors import NotFound
from timetable.habits import remarks
from timetable.model import Finding, Register, Table, TableSet
from timetable.solving.progress import Build, Outcome, Progress, Status

MOST_SECONDS = 24 * 3600.0

UNREADABLE = ("table_unknown", "table_lesson_differs")
"""Findings about a table that does not belong to the register."""

T = TypeVar("T")
Flag = Parameter(negative="")

app = App(
    name="table",
    help="Build, check and publish the one table.",
    result_action="return_value",
    help_format="plaintext",
)

app.command("server.commands.table_change:amend", name="amend", help="Change published tables.")
app.command("server.commands.table_talks:propose", name="propose", help="Put a table before the schools.")
app.command("server.commands.table_talks:agree", name="agree", help="Agree to the proposed table.")
app.command("server.commands.table_talks:object_", name="object", help="Object to the proposed table.")
app.command("server.commands.table_talks:publish", name="publish", help="Publish the table that was agreed on.")
app.command("server.commands.table_talks:diff", name="diff", help="Say what differs between two tables.")
app.command("server.commands.table_close:close", name="close", help="Shut schools, and plan what makes up for it.")
app.command("server.commands.table_export:export", name="export", help="Take a table away for wall, desk or calendar.")
app.command("server.commands.table_import:import_", name="import", help="Take in a table that exists already.")
app.command("server.commands.table_member:member", name="member", help="Let a school join or leave in mid-term.")
app.command("server.commands.table_rollover:rollover", name="rollover", help="Make the register of the next term.")
app.command("server.commands.table_change:cover", name="cover", help="Say who could stand in for an absent teacher.")


class CommunityReport(Struct, frozen=True, kw_only=True):
    """One community's part of a report."""

    community: str
    status: Status
    seconds_to_first: float | None
    seconds: float
    cost: int | None
    bound: int | None
    cost_by_rule: dict[str, int]
    findings: tuple[Finding, ...]


class Report(Struct, frozen=True, kw_only=True):
    """What a build leaves behind for programs. Costs and bounds of several communities are added up."""

    status: Status
    seconds_to_first: float | None
    seconds: float
    cost: int | None
    bound: int | None
    cost_by_rule: dict[str, int]
    findings: tuple[Finding, ...]
    communities: tuple[CommunityReport, ...]


@app.command
def build(
    input: Path,
    *,
    out: Path,
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=MOST_SECONDS))] = 60.0,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=2**31))] = 1,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=256))] = 2,
    report: Path | None = None,
    community: Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")] = (),
    around: Path | None = None,
    progress: Annotated[bool, Flag] = False,
) -> int:
    """Build a table for every community of a register. Exit code 1 when one of them gets none.

    Parameters
    ----------
    input
        The register: JSON as `tongke table schema` describes it.
    out
        Where to write the tables; from the first ones on, so that a build which is killed leaves its best behind.
    seconds
        How long to search in all; a first table is looked for longer where none was found by then.
    seed
        The same seed searches in the same way.
    workers
        How many cores to use.
    report
        Where to write how the search went, for programs.
    community
        Only this community (may be given several times).
    around
        Standing tables of the other communities, whose teachers and rooms are taken.
    progress
        One JSON object a line on standard output while it works.
    """
    try:
        register = read_register(input)
        standing = () if around is None else read(around, TableSet).tables
        for target in (out, report):
            check_writable(target)
        tell = _tell_machines if progress else _tell_people
        with _stopping() as should_stop:
            built = build_side_by_side(
                register,
                seconds=seconds,
                seed=seed,
                workers=workers,
                only=community,
                around=standing,
                on_progress=tell,
                on_tables=lambda found: write(out, msgspec.json.encode(TableSet(tables=tuple(found)))),
                should_stop=should_stop,
            )
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    tables = built.tables
    if tables:
        write(out, msgspec.json.encode(TableSet(tables=tables)))
    if report is not None:
        write(report, msgspec.json.format(msgspec.json.encode(_report(built)), indent=1))
    for outcome in built.outcomes:
        _print_outcome(outcome)
    return GOOD if len(tables) == len(built.outcomes) else FINDING


@app.command
def check(input: Path, table: Path, *, as_json: Annotated[bool, Parameter(name="--json", negative="")] = False) -> int:
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
def explain(
    input: Path,
    *,
    lesson: str | None = None,
    table: Path | None = None,
    community: Annotated[tuple[str, ...], Parameter(consume_multiple=False, negative="")] = (),
    seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=MOST_SECONDS))] = 60.0,
    workers: Annotated[int, Parameter(validator=Number(gte=1, lte=256))] = 2,
    around: Path | None = None,
    progress: Annotated[bool, Flag] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Say what would have to be conceded for a table to exist, each concession verified. Exit code 1 when there is no
    table without one.

    Parameters
    ----------
    input
        The register.
    lesson
        Say instead where this lesson of `--table` could stand, and why not elsewhere.
    table
        The tables, as `tongke table build` writes them.
    community
        Only this community (may be given several times).
    seconds
        How long to search in all.
    workers
        How many cores to use.
    around
        Standing tables of the other communities, whose teachers and rooms are taken.
    progress
        One JSON object a line on standard output while it works: a step, a concession, the end.
    as_json
        One JSON object.
    """
    from server.commands import table_explain

    try:
        if (lesson is None) != (table is None):
            raise BadInput("--lesson and --table go together")
        register = read_register(input)
        if lesson is not None and table is not None:
            tables: tuple[Table, ...] = read(table, TableSet).tables
            if wrong := [f for f in check_tables(register, *tables) if f.code in UNREADABLE]:
                raise BadInput(f"{table}: {sentence(wrong[0])}")
            return table_explain.explain_lesson(register, tables, lesson, as_json=as_json)
        with _stopping() as should_stop:
            return table_explain.explain_register(
                register,
                communities=community,
                around=() if around is None else read(around, TableSet).tables,
                seconds=seconds,
                workers=workers,
                telling="lines" if progress else "json" if as_json else "people",
                should_stop=should_stop,
            )
    except (BadInput, NotFound) as error:
        return refuse(str(error))


@app.command
def schema(*, tables: Annotated[bool, Flag] = False) -> None:
    """Print the JSON Schema of the register (the INPUT of build and check).

    Parameters
    ----------
    tables
        The schema of the tables instead.
    """
    described = msgspec.json.schema(TableSet if tables else Register)
    print(msgspec.json.format(msgspec.json.encode(described), indent=2).decode())


# Telling ------------------------------------------------------------------------------------------------------------


def _tell_machines(step: Progress) -> None:
    with _heard_by_few(sys.stdout):
        sys.stdout.buffer.write(msgspec.json.encode(step) + b"\n")
        sys.stdout.buffer.flush()


def _tell_people(step: Progress) -> None:
    found = "" if step.cost is None else f"  cost {step.cost}, none below {step.bound or 0}"
    with _heard_by_few(sys.stderr):
        print(f"{step.seconds:7.1f} s  {step.community}  {step.phase}{found}", file=sys.stderr)


@contextmanager
def _heard_by_few(stream: TextIO) -> Iterator[None]:
    """Whoever reads along may stop at any time (`| head`); the search goes on, silent, for the tables' sake."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _print_outcome(outcome: Outcome) -> None:
    cost = "" if outcome.cost is None else f", cost {outcome.cost} (none below {outcome.bound or 0})"
    print(f"{outcome.community}: {outcome.status} after {outcome.seconds:.1f} s{cost}", file=sys.stderr)
    for finding in outcome.findings:
        print(f"  {sentence(finding)}", file=sys.stderr)


def _report(built: Build) -> Report:
    parts = tuple(
        CommunityReport(
            community=outcome.community,
            status=outcome.status,
            seconds_to_first=outcome.seconds_to_first,
            seconds=outcome.seconds,
            cost=outcome.cost,
            bound=outcome.bound,
            cost_by_rule={rule.rule: rule.cost for rule in outcome.cost_by_rule},
            findings=outcome.findings,
        )
        for outcome in built.outcomes
    )
    rules = dict.fromkeys(rule for part in parts for rule in part.cost_by_rule)
    return Report(
        status=built.status,
        seconds_to_first=built.seconds_to_first,
        seconds=built.seconds,
        cost=_total([part.cost for part in parts]),
        bound=_total([part.bound for part in parts]),
        cost_by_rule={rule: sum(part.cost_by_rule.get(rule, 0) for part in parts) for rule in rules},
        findings=tuple(finding for part in parts for finding in part.findings),
        communities=parts,
    )


def _total(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """While this lasts, SIGINT and SIGTERM ask the search to end with the best it has."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(tokens: Sequence[str]) -> int:
    """Run as `python -m server.commands.table ...`."""
    try:
        return int(app(list(tokens), exit_on_error=False, print_error=False) or GOOD)
    except CycloptsError as error:
        return refuse(" ".join(str(error).split()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
