"""`tongke table close`: schools that are shut for some days, on files, with no server and no database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter
from msgspec import Struct, structs

from server.commands.table_change import AsJson, DatedFile, Flag, in_force, moment_of
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
from timetable.agreement.closing_service import Loss, losses
from timetable.days import make_ups
from timetable.days.changes import MakeUp
from timetable.days.closings import Closing, faults
from timetable.days.dated import Applied, DatedTables
from timetable.days.grounds import Grounds
from timetable.days.make_ups import MakeUpPlan
from timetable.days.outcomes import work_out
from timetable.errors import NotFound
from timetable.model import Finding, MakeUpDay, Register

Several = Parameter(consume_multiple=False, negative="")


class CloseReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a closing takes, and what makes up for it."""

    closing: Closing
    losses: tuple[Loss, ...]
    plans: tuple[MakeUpPlan, ...]
    made_up: int


def close(
    input: Path,
    table: Path,
    *,
    dated: Path,
    first: str = "",
    last: str = "",
    reason: str = "",
    start: str | None = None,
    end: str | None = None,
    unit: Annotated[tuple[str, ...], Several] = (),
    make_up_day: Annotated[tuple[str, ...], Several] = (),
    make_up: Annotated[bool, Flag] = False,
    reopen: str | None = None,
    at: str | None = None,
    as_json: AsJson = False,
) -> int:
    """Shut schools for some days: all their lessons are off. Exit code 1 when it is not possible, or when a lost shared
    lesson has no slot.

    Parameters
    ----------
    input
        The register.
    table
        The tables, as `tongke table build` writes them.
    dated
        The changes of single days: read where it exists, and written with the closing.
    first
        The first day, `2026-11-23`.
    last
        The last day; the first one where absent.
    reason
        Why.
    start
        From this time of the first day on.
    end
        Until this time of the last day.
    unit
        Only this unit (may be given several times); without, the whole county.
    make_up_day
        A free day on which lost lessons may be made up, with the weekday whose bells ring: `2026-11-28=3`.
    make_up
        Take the best slots of the plan at once.
    reopen
        Open the schools again: the id of the closing.
    at
        When it is declared, `2026-11-22T20:00`; what has begun by then goes on. Absent: the beginning of the
        term.
    as_json
        One JSON object.
    """
    try:
        register = read_register(input)
        known = read(dated, DatedFile) if dated.exists() else DatedFile()
        tables, now = in_force(register, table, known), moment_of(at, register)
        check_writable(dated)
        if reopen is not None:
            return _reopen(dated, known, reopen, now)
        closing = _closing(register, known, first, last or first, reason, start, end, unit, make_up_day, now)
    except (BadInput, NotFound) as error:
        return refuse(str(error))
    if found := faults(closing, register.term, register.weekdays, now):
        return _refused(found)
    tables = tables.with_closings((*tables.closings.all, closing))
    grounds = Grounds(register)
    plans = tuple(make_ups.plan(grounds, tables, closing, community, now) for community in tables.communities)
    taken = losses(tables, closing)
    amendments = _accepted(grounds, tables, plans, known.amendments, now) if make_up else known.amendments
    write(
        dated,
        msgspec.json.encode(structs.replace(known, amendments=amendments, closings=(*known.closings, closing))),
    )
    made_up = len(amendments) - len(known.amendments)
    if as_json:
        report = CloseReport(closing=closing, losses=tuple(taken), plans=plans, made_up=made_up)
        print(msgspec.json.encode(report).decode())
    else:
        _tell(closing, taken, plans)
    return FINDING if any(one.state == "open" and not one.choices for plan in plans for one in plan.lost) else GOOD


def _closing(
    register: Register,
    known: DatedFile,
    first: str,
    last: str,
    reason: str,
    start: str | None,
    end: str | None,
    units: Sequence[str],
    days: Sequence[str],
    now: float,
) -> Closing:
    all_units = [unit.id for unit in register.units]
    for unit in units:
        if unit not in all_units:
            raise NotFound("unit", unit)
    raw = {
        "id": f"closing-{len(known.closings) + 1}",
        "units": tuple(units) or tuple(all_units),
        "first": first,
        "last": last,
        "reason": reason,
        "start": start,
        "end": end,
        "makeUpDays": tuple(_given(day) for day in days),
        "by": "",
        "at": now,
    }
    try:
        return msgspec.convert(raw, Closing)
    except msgspec.ValidationError as error:
        raise BadInput(str(error)) from error


def _given(text: str) -> MakeUpDay:
    day, _, weekday = text.partition("=")
    try:
        return msgspec.convert({"date": day, "followsWeekday": int(weekday)}, MakeUpDay)
    except (ValueError, msgspec.ValidationError) as error:
        raise BadInput(f"{text}: no such make-up day") from error


def _reopen(dated: Path, known: DatedFile, id: str, now: float) -> int:
    closing = next((one for one in known.closings if one.id == id), None)
    if closing is None:
        raise NotFound("closing", id)
    opened = structs.replace(closing, reopened_at=closing.reopened_at or now)
    closings = tuple(opened if one.id == id else one for one in known.closings)
    write(dated, msgspec.json.encode(structs.replace(known, closings=closings)))
    return GOOD


def _accepted(
    grounds: Grounds, tables: DatedTables, plans: Sequence[MakeUpPlan], history: Sequence[Applied], now: float
) -> tuple[Applied, ...]:
    """The history with the best slot of every lost lesson taken."""
    found = list(history)
    for plan in plans:
        for lost in plan.lost:
            if not lost.choices:
                continue
            best = lost.choices[0]
            number = 1 + max((one.number for one in found if one.community == plan.community), default=0)
            change = MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period)
            outcome = work_out(change, community=plan.community, number=number, grounds=grounds, tables=tables, now=now)
            if outcome.possible:
                one = Applied(community=plan.community, number=number, at=now, effects=outcome.effects)
                found.append(one)
                tables = tables.with_applied(one)
    return tuple(found)


def _refused(found: Sequence[Finding]) -> int:
    for finding in found:
        print(sentence(finding))
    return FINDING


def _tell(closing: Closing, taken: Sequence[Loss], plans: Sequence[MakeUpPlan]) -> None:
    texts = catalogue(language_of(dict(os.environ)))
    print(f"{closing.id}  {closing.first} - {closing.last}  {closing.reason}")
    for loss in taken:
        print(
            f"{loss.community}: {loss.shared} shared, {loss.own} own, {loss.reduced} without the schools that are shut"
        )
    for plan in plans:
        for lost in plan.lost:
            best = lost.choices[0] if lost.choices else None
            slot = f"{best.date} {best.start}" if best else "-"
            reasons = "; ".join(_reason(texts, one.code, one.values) for one in best.reasons) if best else ""
            print(f"  {lost.title}  {lost.date} {lost.start} -> {slot}  {reasons}")


def _reason(texts: dict[str, str], code: str, values: dict[str, str | int]) -> str:
    text = texts[f"make_up.reason.{code}"]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
