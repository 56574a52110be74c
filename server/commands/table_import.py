"""`tongke table import`: tables that schools have already, from workbooks, texts, calendars and FET, as a register or
a table, with no server and no database."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import Parameter
from msgspec import Struct

from server.commands.import_ import placed
from server.commands.parameters import AsJson, Flag
from server.commands.table_files import (
    BAD_INPUT,
    FINDING,
    GOOD,
    BadInput,
    check_writable,
    read_register,
    refuse,
    write,
)
from server.sentences import LANGUAGES, Language, finding_sentence
from timetable.checker import check as check_tables
from timetable.checker import missing
from timetable.errors import NotFound
from timetable.export.table_list import read_list
from timetable.fet.exporting import export as export_fet
from timetable.fet.importing import import_fet, term_from
from timetable.fet.solution import read_solution
from timetable.fet.xml import FetUnreadable
from timetable.model import Finding, Lesson, Register, Stage, Table, TableSet, Term
from timetable.objective import priced
from timetable.own.ics import Proposal, read_calendar, with_calendar
from timetable.own.lessons import take_own_table
from timetable.problem import Problem
from timetable.register.check import check as check_rows
from timetable.register.parts import rows_of
from timetable.term import local_date

Wanted = Literal["locked", "busy", "table"]


class ImportReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of an import, for programs. `counts` are lessons, slots and times that were taken."""

    written: bool
    counts: dict[str, int]
    findings: tuple[Finding, ...]


class Outcome(Struct, frozen=True):
    """What to write, how much of it was found, and what is wrong."""

    document: Register | TableSet | None
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    broken: bool = False
    """Whether the findings are rules that a table breaks, rather than faults of the input."""


def import_(
    *files: Path,
    out: Path | None = None,
    register: Path | None = None,
    unit: str = "",
    wanted: Annotated[Wanted, Parameter(name="--as")] = "locked",
    teacher: str = "",
    room: str = "",
    community: str = "",
    first_day: str = "",
    stage: Stage = "primary",
    good_rows: Flag = False,
    check: Flag = False,
    as_json: AsJson = False,
    lang: Language | None = None,
) -> int:
    """Take in a table that exists already: a school's own (xlsx, xls, ods, csv), a calendar (ics), a FET file.

    A school's own table and a calendar go into a register. A FET file becomes a register. With --as table a list that
    was exported here, or what FET made of an export, becomes a table again.

    Parameters
    ----------
    files
        The files.
    out
        Where to write the register, or the table.
    register
        The register that they go into.
    unit
        Whose own table it is.
    wanted
        locked: its lessons keep their slots; busy: its teachers and rooms are taken then; table: it is one of ours.
    teacher
        Whose calendar it is.
    room
        Which room's calendar it is.
    community
        Whose table, where the register has several communities.
    first_day
        The Monday with which the term of a FET file begins, such as 2026-08-31.
    stage
        The stage of the school in a FET file.
    good_rows
        Take what is sound, and list the rest.
    check
        Only say what is wrong; exit code 1 when something is.
    as_json
        One JSON object on standard output: written, counts, findings.
    lang
        The language of the sentences; without it they come in both.
    """
    try:
        contents = _read(files)
        if out is None and not check:
            raise BadInput("name with --out where to write")
        check_writable(out)
        outcome = _outcome(contents, register, unit, wanted, teacher, room, community, first_day, stage)
    except (BadInput, NotFound, FetUnreadable) as error:
        return refuse(str(error))
    errors = any(finding.severity == "error" for finding in outcome.findings)
    refused = outcome.document is None or (errors and not outcome.broken and not good_rows)
    written = not check and not refused
    if written and out is not None and outcome.document is not None:
        write(out, msgspec.json.format(msgspec.json.encode(outcome.document), indent=1))
    _tell(ImportReport(written=written, counts=outcome.counts, findings=outcome.findings), as_json, lang)
    if refused and not check:
        return BAD_INPUT
    return FINDING if errors and (check or outcome.broken) else GOOD


def _read(paths: Sequence[Path]) -> dict[str, bytes]:
    if not paths:
        raise BadInput("name at least one file; --help says more")
    found = {}
    for path in paths:
        try:
            found[str(path)] = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path}: {error.strerror or error}") from error
    return found


def _outcome(
    contents: Mapping[str, bytes],
    register: Path | None,
    unit: str,
    wanted: Wanted,
    teacher: str,
    room: str,
    community: str,
    first_day: str,
    stage: Stage,
) -> Outcome:
    endings = {name.rsplit(".", 1)[-1].lower() for name in contents}
    if wanted == "table":
        return _table(_needed(register, "--register"), contents, community)
    if endings == {"fet"}:
        if len(contents) > 1:
            raise BadInput("one FET file at a time")
        ((name, content),) = contents.items()
        taken = import_fet(name, content, _term(register, first_day), stage=stage)
        count = len(taken.register.requirements) if taken.register else 0
        return Outcome(taken.register, {"requirements": count}, taken.findings)
    standing = read_register(_needed(register, "--register"))
    if endings == {"ics"}:
        return _calendars(standing, contents, teacher, room)
    if all(known.id != unit for known in standing.units):
        raise NotFound("unit", unit) if unit else BadInput("name with --unit whose table it is")
    own = take_own_table(contents, standing, unit, wanted)
    counts = {"lessons": own.lessons, "locked": own.locked, "requirements": own.requirements, "busy": own.busy}
    return Outcome(own.register, counts, (*own.findings, *_new_faults(standing, own.register)))


def _needed(path: Path | None, option: str) -> Path:
    if path is None:
        raise BadInput(f"name with {option} the register that it belongs to")
    return path


def _calendars(standing: Register, contents: Mapping[str, bytes], teacher: str, room: str) -> Outcome:
    if bool(teacher) == bool(room):
        raise BadInput("name with --teacher or with --room whose calendar it is")
    proposals: list[Proposal] = []
    findings: list[Finding] = []
    for name, content in contents.items():
        found = read_calendar(name, content, standing.term)
        proposals += found.proposals
        findings += found.findings
    noun: Literal["teacher", "room"] = "teacher" if teacher else "room"
    changed = with_calendar(standing, noun, teacher or room, proposals)
    return Outcome(changed, {"busy": len(proposals)}, tuple(findings))


def _new_faults(before: Register, after: Register) -> list[Finding]:
    """What is wrong with the register now and was not before."""
    known = {(fault.code, str(fault.values)) for fault in check_rows(rows_of(before))}
    found = check_rows(rows_of(after))
    return [f for f in found if f.severity == "error" and (f.code, str(f.values)) not in known]


def _table(path: Path, contents: Mapping[str, bytes], community: str) -> Outcome:
    """A table of ours: a list that was exported here, or what FET made of an export."""
    standing = read_register(path)
    wanted = [known for known in standing.communities if community in ("", known.id)]
    if len(wanted) != 1:
        raise NotFound("community", community) if community else BadInput("choose with --community whose table it is")
    problem = Problem(standing, wanted[0])
    lessons: list[Lesson] = []
    findings: list[Finding] = []
    for name, content in contents.items():
        if name.lower().endswith((".fet", ".xml")):
            lessons += read_solution(problem, export_fet(problem), content).lessons
        else:
            found = read_list(name, content)
            lessons += found.lessons
            findings += found.findings
    table = Table(community=wanted[0].id, term=standing.term.id, lessons=tuple(lessons))
    if findings:
        return Outcome(TableSet(tables=(table,)), {"lessons": len(lessons)}, tuple(findings))
    others = {known.id for known in standing.communities} - {table.community}
    absent = [f for f in missing(standing, table) if not others or f.values["community"] == wanted[0].name]
    broken = (*absent, *check_tables(standing, table))
    if not broken:
        table = priced(problem, table)
    return Outcome(TableSet(tables=(table,)), {"lessons": len(lessons)}, broken, broken=True)


def _term(register: Path | None, first_day: str) -> Term:
    """The term of a FET file: the register's, or twenty weeks from the given Monday, or from this week's."""
    if register is not None:
        return read_register(register).term
    today = local_date(time.time())
    try:
        monday = date.fromisoformat(first_day) if first_day else today - timedelta(days=today.weekday())
    except ValueError as error:
        raise BadInput(f"--first-day: {first_day} is no date such as 2026-08-31") from error
    if monday.isoweekday() != 1:
        raise BadInput(f"--first-day: {first_day} is no Monday")
    return term_from(monday)


def _tell(report: ImportReport, as_json: bool, lang: Language | None) -> None:
    if as_json:
        print(msgspec.json.encode(report).decode())
        return
    for finding in report.findings:
        for language in (lang,) if lang else LANGUAGES:
            print(f"{placed(finding, language)}{finding_sentence(finding, language)}", file=sys.stderr)
    counts = ", ".join(f"{noun} {count}" for noun, count in report.counts.items())
    print(f"tongke: {counts}; {'written' if report.written else 'nothing written'}", file=sys.stderr)
