"""What pages are shown of closings, and of a week on its dates."""

from collections.abc import Sequence
from datetime import date, timedelta

from server.amendment_view import occurrence_row
from server.county import County
from server.shapes.closing import ClosingView, DatedDay, WeekView
from timetable.agreement.closing_service import Loss
from timetable.days.closings import MIDNIGHT, Closing
from timetable.days.dated import DatedTables
from timetable.days.grounds import Grounds
from timetable.days.standing import Standing
from timetable.days.versions import Version
from timetable.model import Community, Lesson
from timetable.term import teaching_day
from timetable.turns import in_week


def closing_view(
    county: County,
    closing: Closing,
    losses: Sequence[Loss],
    *,
    may: bool,
    plans_for: tuple[str, ...] = (),
    kept: bool = True,
) -> ClosingView:
    """`may`: whether the asker may open the schools again; `plans_for`: the schools whose own make-ups the asker may
    ask for; not `kept`: it was only looked at."""
    return ClosingView(
        id=closing.id if kept else "",
        revision=closing.revision,
        units=closing.units,
        unit_names=tuple(county.unit_short(unit) for unit in closing.units),
        first=closing.first,
        last=closing.last,
        start=closing.start,
        end=closing.end,
        reason=closing.reason,
        by=closing.by,
        at=closing.at,
        reopened_at=closing.reopened_at,
        reopened_by=closing.reopened_by,
        make_up_days=closing.make_up_days,
        losses=tuple(losses),
        may_reopen=may and kept and closing.reopened_at is None,
        plans_for=plans_for,
    )


def week_view(
    county: County, community: Community, grounds: Grounds, tables: DatedTables, shown: Version, week: int
) -> WeekView:
    """The dates of a term week. What stands as `shown` has it is named by its lesson alone."""
    first = date.fromisoformat(tables.term.week_one) + timedelta(weeks=week - 1)
    lessons = {lesson.id: _in_week(lesson, first, week) for lesson in shown.table.lessons}
    days, changed = [], []
    for day in (first + timedelta(days=n) for n in range(7)):
        standing = []
        for one in tables.on(day):
            if one.community != community.id:
                continue
            if (
                one.change == "none"
                and one.closing is None
                and lessons.get(one.occurrence.lesson.id) == one.occurrence.lesson
            ):
                standing.append(one.occurrence.lesson.id)
            else:
                changed.append(one)
        days.append(_day(tables, community, day, tuple(standing)))
    changed += _moved_away(tables, community, first, changed)
    rows = tuple(occurrence_row(grounds, one) for one in changed)
    return WeekView(week=week, first=first.isoformat(), version=shown.number, days=tuple(days), changed=rows)


def _in_week(lesson: Lesson, monday: date, week: int) -> Lesson:
    """The lesson as readers of the version see it in that week: by the bells of its date, led by whose turn it is."""
    return in_week(lesson.by_date((monday + timedelta(days=lesson.weekday - 1)).isoformat()), week)


def _day(tables: DatedTables, community: Community, day: date, standing: tuple[str, ...]) -> DatedDay:
    term = tables.term
    followed = teaching_day(term, day)
    closed = {unit for unit in community.units if teaching_day(term, day, unit) is None}
    notes = [one.name for one in term.closures if one.first <= day.isoformat() <= one.last and closed]
    for closing in tables.closings.on(day):
        here = set(closing.units).intersection(community.units)
        if closing.reopened_at is None and here:
            notes.append(closing.reason)
            closed |= here if closing.hours(day) == (0, MIDNIGHT) else set()
    return DatedDay(
        date=day.isoformat(),
        weekday=day.isoweekday(),
        school=followed is not None and len(closed) < len(community.units),
        follows_weekday=followed.weekday if followed else day.isoweekday(),
        note="、".join(dict.fromkeys(notes)),
        closed=tuple(unit for unit in community.units if unit in closed),
        standing=standing,
    )


def _moved_away(tables: DatedTables, community: Community, first: date, known: Sequence[Standing]) -> list[Standing]:
    """Lessons whose place of this week is free because they are held in another one."""
    last = first + timedelta(days=6)
    found: list[Standing] = []
    for amendment in tables.applied:
        if amendment.community != community.id:
            continue
        for effect in amendment.effects:
            standing = tables.standing(effect.uid)
            if standing is None or standing.planned is None or not standing.moved:
                continue
            was, now = standing.planned.day.date, standing.occurrence.day.date
            if first <= was <= last and not first <= now <= last and standing not in [*known, *found]:
                found.append(standing)
    return found
