"""`tongke table close`: schools that are shut for some days, on files, with no server and no database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct, structs

from server.commands.parameters import AsJson, Flag, Several
from server.commands.table_change import DatedFile, in_force, moment_of
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
from timetable.days.changes import MakeUp, MakeUpOwn, MakeUpPlace
from timetable.days.closings import Closing, faults
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.make_ups import MakeUpPlan, OwnMakeUpPlan
from timetable.days.outcomes import work_out
from timetable.errors import NotFound
from timetable.model import Finding, MakeUpDay, Register


class CloseReport(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a closing takes, and what makes up for it."""

    closing: Closing
    losses: tuple[Loss, ...]
    plans: tuple[MakeUpPlan, ...]
    own_plans: tuple[OwnMakeUpPlan, ...]
    """Of each school, where they were asked for."""
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
    unit: Several = (),
    make_up_day: Several = (),
    own: Flag = False,
    make_up: Flag = False,
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
    own
        Plan also what each school lost of its own.
    make_up
        Take the best slots of what is planned at once.
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
        now = moment_of(at, register)
        tables, known = in_force(register, table, known, now)
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
    taken = losses(tables, closing)
    plans = tuple(make_ups.plan(grounds, tables, closing, community, now) for community in tables.communities)
    book = _Book(grounds, tables, known.amendments, now)
    if make_up:
        book.make_up(plans)
    own_plans = []
    for community, school_unit in [(loss.community, lost.unit) for loss in taken for lost in loss.units if own]:
        school = make_ups.own_plan(grounds, book.tables, closing, community, school_unit, now)
        own_plans.append(school)
        if make_up:
            book.make_up_own(school)
    amendments = tuple(book.history)
    write(
        dated,
        msgspec.json.encode(structs.replace(known, amendments=amendments, closings=(*known.closings, closing))),
    )
    made_up = sum(len(one.effects) for one in amendments[len(known.amendments) :])
    if as_json:
        report = CloseReport(
            closing=closing, losses=tuple(taken), plans=plans, own_plans=tuple(own_plans), made_up=made_up
        )
        print(msgspec.json.encode(report).decode())
    else:
        _tell(closing, taken, plans, own_plans)
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


class _Book:
    """The changes of single days, with what makes up for lost lessons added."""

    def __init__(self, grounds: Grounds, tables: DatedTables, history: Sequence[Applied], now: float) -> None:
        self._grounds = grounds
        self.tables = tables
        self._now = now
        self.history = list(history)

    def make_up(self, plans: Sequence[MakeUpPlan]) -> None:
        """The best slot of every lost shared lesson."""
        for plan in plans:
            for lost in plan.lost:
                for best in lost.choices[:1]:
                    self._apply(plan.community, MakeUp(occurrence=lost.occurrence, date=best.date, period=best.period))

    def make_up_own(self, plan: OwnMakeUpPlan) -> None:
        """The best slot of everything that a school lost of its own."""
        lessons = tuple(
            MakeUpPlace(occurrence=lost.occurrence, date=best.date, period=best.period)
            for lost in plan.lost
            for best in lost.choices[:1]
        )
        if lessons:
            self._apply(plan.community, MakeUpOwn(unit=plan.unit, lessons=lessons))

    def _apply(self, community: str, change: MakeUp | MakeUpOwn) -> None:
        number = 1 + max((one.number for one in self.history if one.community == community), default=0)
        outcome = work_out(
            change, community=community, number=number, grounds=self._grounds, tables=self.tables, now=self._now
        )
        if outcome.possible:
            one = Applied(community=community, number=number, at=self._now, effects=outcome.effects)
            self.history.append(one)
            self.tables = self.tables.with_applied(one)


def _refused(found: Sequence[Finding]) -> int:
    for finding in found:
        print(sentence(finding))
    return FINDING


def _tell(
    closing: Closing, taken: Sequence[Loss], plans: Sequence[MakeUpPlan], own_plans: Sequence[OwnMakeUpPlan]
) -> None:
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
    for school in own_plans:
        placed = sum(bool(lost.choices) for lost in school.lost)
        short = f", {school.days_short} more free days needed" if school.days_short else ""
        print(f"{school.unit}: {len(school.lost)} own, {placed} with a slot{short}")
        for lost in school.lost:
            slot = f"{lost.choices[0].date} {lost.choices[0].start}" if lost.choices else "-"
            print(f"  {lost.title}  {lost.date} {lost.start} -> {slot}")


def _reason(texts: dict[str, str], code: str, values: dict[str, str | int]) -> str:
    text = texts[f"make_up.reason.{code}"]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text
