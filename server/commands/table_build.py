"""`tongke table build`: build the one table, with no server and no database."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from msgspec import UNSET, Struct, UnsetType

from server.commands.parameters import Flag, Seconds, Several, Workers
from server.commands.stopping import stopping
from server.commands.table_files import (
    FINDING,
    GOOD,
    BadInput,
    check_writable,
    read_around,
    read_register,
    refuse,
    sentence,
    write,
)
from server.side_by_side import build_side_by_side
from timetable.errors import NotFound
from timetable.model import Finding, TableSet
from timetable.solving.progress import Build, Outcome, Progress, Status


class Figures(Struct, frozen=True, kw_only=True):
    """What a build came to for one community, or, where it names none, for all together."""

    community: str | UnsetType = UNSET
    status: Status
    seconds_to_first: float | None
    seconds: float
    cost: int | None
    bound: int | None
    cost_by_rule: dict[str, int]
    findings: tuple[Finding, ...]


class Report(Figures, frozen=True, kw_only=True):
    """What a build leaves behind for programs. Costs and bounds of several communities are added up."""

    communities: tuple[Figures, ...]


def build(
    input: Path,
    *,
    out: Path,
    seconds: Seconds = 60.0,
    seed: Annotated[int, Parameter(validator=Number(gte=0, lt=2**31))] = 1,
    workers: Workers = 2,
    report: Path | None = None,
    community: Several = (),
    around: Path | None = None,
    progress: Flag = False,
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
        standing = read_around(around, register)
        for target in (out, report):
            check_writable(target)
        tell = _tell_machines if progress else _tell_people
        with stopping() as should_stop:
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
        Figures(
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
