"""`tongke table amend` and `tongke table cover`: changes after publication on files, with no server and no database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, structs

from server.commands.parameters import AsJson
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
from server.sentences import catalogue, language_of
from timetable.days import cover as covering
from timetable.days import rung_days
from timetable.days.changes import Change
from timetable.days.closings import Closing
from timetable.days.cover import CoverNeed, CoverPlan
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.new_bells import following
from timetable.days.outcomes import work_out
from timetable.days.scene import Line, Outcome, lines_of
from timetable.days.versions import Diff, Version
from timetable.errors import NotFound
from timetable.model import Finding, Register, TableSet
from timetable.term import TIME_ZONE, moment


class DatedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The changes of single days that count already: what `--dated` reads and writes."""

    format: Literal["tongke-dated/1"] = "tongke-dated/1"
    amendments: tuple[Applied, ...] = ()
    closings: tuple[Closing, ...] = ()


class AmendReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What came of one change."""

    number: int
    possible: bool
    findings: tuple[Finding, ...]
    lines: tuple[Line, ...]
    affected: tuple[str, ...]
    valid_from: str | None
    """The first date of a lasting change."""


def amend(
    input: Path,
    table: Path,
    changes: Path,
    *,
    community: str,
    out: Path | None = None,
    dated: Path | None = None,
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Change published tables: move, swap, substitute, cancel, make up, undo. Exit code 1 when one is not possible;
    nothing is written then.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    changes
        JSON: one change or a list of them, as PROTOCOL.md describes them.
    community
        The community whose lessons change.
    out
        Where to write the tables with the changes that last.
    dated
        The changes of single days: read where it exists, and written with the new ones.
    at
        When they are asked for, `2026-09-01T07:30`; what has begun by then cannot be changed. The default is the
        beginning of the term.
    as_json
        One JSON object a line for each change.
    """
    try:
        register = read_register(input)
        grounds, now = Grounds(register), moment_of(at, register)
        known = DatedFile() if dated is None or not dated.exists() else read(dated, DatedFile)
        tables, known = in_force(register, table, known, now)
        history = known.amendments
        if community not in grounds.communities:
            raise NotFound("community", community)
        for target in (out, dated):
            check_writable(target)
        wanted = _changes(changes)
        asked = []
        for change in wanted:
            number = 1 + max((one.number for one in history if one.community == community), default=0)
            outcome = work_out(change, community=community, number=number, grounds=grounds, tables=tables, now=now)
            asked.append((number, outcome))
            if outcome.possible:
                _check_kept(outcome, out, dated)
                if outcome.version is not None:
                    tables = tables.with_version(outcome.version)
                else:
                    history = _with(history, community, number, outcome, now)
                    tables = tables.with_amendments(history)
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    for number, outcome in asked:
        _tell(grounds, number, outcome, as_json=as_json)
    if not all(outcome.possible for _, outcome in asked):
        return FINDING
    if out is not None:
        newest = (tables.newest(id) for id in tables.communities)
        write(out, msgspec.json.encode(TableSet(tables=tuple(version.table for version in newest if version))))
    if dated is not None:
        write(dated, msgspec.json.encode(structs.replace(known, amendments=history)))
    return GOOD


def cover(
    input: Path,
    table: Path,
    teacher: str,
    *,
    first: str,
    last: str,
    dated: Path | None = None,
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Say who could stand in for an absent teacher, for each lesson, and why. Exit code 1 when nobody can for one.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    teacher
        The teacher's id.
    first
        The first day of the absence.
    last
        The last one.
    dated
        The changes of single days, as `tongke table amend` writes them.
    at
        What has begun by then needs no cover. The default is the beginning of the term.
    as_json
        The plan as one JSON object.
    """
    try:
        register = read_register(input)
        grounds = Grounds(register)
        now = moment_of(at, register)
        tables, _ = in_force(register, table, DatedFile() if dated is None else read(dated, DatedFile), now)
        found = covering.plan(grounds, tables, teacher, _date(first), _date(last), now)
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    if as_json:
        print(msgspec.json.encode(found).decode())
    else:
        _tell_plan(grounds, found)
    return GOOD if all(need.candidates for need in found.needs) else FINDING


# Reading ------------------------------------------------------------------------------------------------------------


def in_force(register: Register, table: Path, dated: DatedFile, now: float) -> tuple[DatedTables, DatedFile]:
    """The tables of the file on every date, as the changes of single days and the closings have it, and these. Where
    the register rings other bells, what is still to come `now` (unix seconds) follows them."""
    units = {unit.id for unit in register.units}
    kept = read(table, TableSet).tables
    versions = []
    for one in kept:
        first = Version(community=one.community, number=1, author="", at=0.0, table=one, diff=Diff())
        around = [other for other in kept if other is not one]
        versions.append([first, *following(register, units, [first], around, by="", at=now)])
    tables = DatedTables(register.term, versions, dated.amendments, dated.closings)
    grounds = Grounds(register)
    followed = tuple(
        structs.replace(one, effects=rung_days.rung(grounds, tables, units, one, at=now).effects)
        for one in dated.amendments
    )
    return tables.with_amendments(followed), structs.replace(dated, amendments=followed)


def _changes(path: Path) -> tuple[Change, ...]:
    raw = read(path, msgspec.Raw)
    try:
        if bytes(raw).lstrip()[:1] == b"[":
            return msgspec.json.decode(raw, type=tuple[Change, ...])
        return (msgspec.json.decode(raw, type=Change),)
    except msgspec.ValidationError as error:
        raise BadInput(f"{path}: {error}") from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text}: no such date") from error


def moment_of(text: str | None, register: Register) -> float:
    """Unix seconds of `2026-09-01T07:30`; absent: the beginning of the term."""
    if text is None:
        return moment(date.fromisoformat(register.term.first_day), "00:00") - 1
    return moment_from(text)


def moment_from(text: str) -> float:
    """Unix seconds of `2026-09-01T07:30` on the county's clock."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=TIME_ZONE).timestamp()
    except ValueError as error:
        raise BadInput(f"{text}: no such moment") from error


def _check_kept(outcome: Outcome, out: Path | None, dated: Path | None) -> None:
    """A change that would be lost is bad usage."""
    if outcome.version is not None and out is None:
        raise BadInput("a change that lasts needs --out")
    if outcome.version is None and dated is None:
        raise BadInput("a change of single days needs --dated")


def _with(history: Sequence[Applied], community: str, number: int, outcome: Outcome, now: float) -> tuple[Applied, ...]:
    """The amendments with the one of this outcome; what was taken back stays, so that its number is not used again."""
    kept = [
        structs.replace(one, undone_at=now) if (one.community, one.number) == (community, outcome.undone) else one
        for one in history
    ]
    return (*kept, Applied(community=community, number=number, at=now, effects=outcome.effects))


# Telling ------------------------------------------------------------------------------------------------------------


def _tell(grounds: Grounds, number: int, outcome: Outcome, *, as_json: bool) -> None:
    lines = lines_of(grounds, outcome)
    if as_json:
        report = AmendReport(
            number=number,
            possible=outcome.possible,
            findings=outcome.findings,
            lines=lines,
            affected=outcome.affected,
            valid_from=outcome.version.valid_from if outcome.version else None,
        )
        print(msgspec.json.encode(report).decode())
        return
    for line in lines if outcome.possible else ():
        before = f"{line.before.date} {line.before.start}" if line.before else "-"
        after = f"{line.after.date} {line.after.start}" if line.after else "-"
        teachers = "、".join(grounds.teacher_name(id) for id in (line.after or line.before).teachers)  # type: ignore[union-attr]
        print(f"{number}  {line.title}  {before} -> {after}  {teachers}")
    for finding in outcome.findings:
        print(f"{number}  {sentence(finding)}")


def _tell_plan(grounds: Grounds, plan: CoverPlan) -> None:
    texts = catalogue(language_of(dict(os.environ)))
    for need in plan.needs:
        role = texts[f"cover.role.{need.role}"]
        print(f"{need.date} {need.start}-{need.end}  {grounds.unit_name(need.unit)}  {need.title}  {role}")
        for candidate in need.candidates:
            mark = "*" if candidate.teacher == need.suggested else " "
            reasons = "; ".join(_reason(texts, reason) for reason in candidate.reasons)
            print(f"  {mark} {candidate.points:4d}  {grounds.teacher_name(candidate.teacher)}  {reasons}")
        if not need.candidates:
            print(f"    {texts['cover.nobody']}  {_slots(need)}")


def _reason(texts: dict[str, str], reason: covering.Reason) -> str:
    text = texts[f"cover.reason.{reason.code}"]
    for name, value in reason.values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _slots(need: CoverNeed) -> str:
    return ", ".join(f"{one.date} {one.start}" for one in need.make_up)
