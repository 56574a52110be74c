"""This module owns the check of lessons by themselves: whether each is what its requirement asks for, and where."""

from collections import defaultdict
from collections.abc import Iterator

from timetable.checking.facts import Facts, finding
from timetable.model import SHARED_KINDS, Finding, Lesson, PlacedParty, Table, clock, minutes


def check_required(facts: Facts, lesson: Lesson, table: Table) -> Finding | None:
    """What keeps the lesson from being looked at any further: it is not of its requirement, or stands in no period."""
    requirement = facts.requirements.get(lesson.requirement)
    if requirement is None or requirement.community != table.community:
        return finding("table_unknown", noun="requirement", id=lesson.requirement)
    same = (
        (lesson.kind, lesson.subject, lesson.weeks) == (requirement.kind, requirement.subject, requirement.weeks)
        and (lesson.only_weeks, lesson.rotation) == (requirement.only_weeks, requirement.rotation)
        and all(len(times.parties) == len(lesson.parties) for times in lesson.later)
        and [p.unit for p in lesson.parties] == [p.unit for p in requirement.parties]
        and [sorted(p.classes) for p in lesson.parties] == [sorted(p.classes) for p in requirement.parties]
        and [sorted(p.teachers) for p in lesson.parties] == [sorted(p.teachers) for p in requirement.parties]
    )
    if not same:
        return finding("table_lesson_differs", lesson=lesson.id)
    for party in lesson.parties:
        for day in facts.dates:
            if facts.span(party.unit, lesson.weekday, party.period, requirement.block, day) is None:
                place = f"{party.unit} {lesson.weekday}/{party.period}"
                since = {} if day == facts.dates[0] else {"since": day}
                return finding("table_unknown", noun="period", id=place, lesson=lesson.id, **since)
    return None


def check_counts(facts: Facts, table: Table) -> Iterator[Finding]:
    """Every requirement of the community has its lessons, and its locked slots."""
    have: dict[str, int] = defaultdict(int)
    at: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for lesson in table.lessons:
        have[lesson.requirement] += 1
        at[lesson.requirement].add((lesson.weekday, lesson.host.period))
    for requirement in facts.register.requirements:
        if requirement.community != table.community:
            continue
        if have[requirement.id] != requirement.weekly:
            yield finding(
                "table_count",
                requirement=requirement.id,
                subject=requirement.subject,
                lessons=have[requirement.id],
                needed=requirement.weekly,
            )
        for slot in requirement.locked:
            if (slot.weekday, slot.period) not in at[requirement.id]:
                yield finding("table_lock", requirement=requirement.id, weekday=slot.weekday, period=slot.period)


def check_turns(lesson: Lesson) -> Iterator[Finding]:
    """A turn needs a unit of the lesson with somebody who leads it, and a week in which it takes place."""
    leading = [party.unit for party in lesson.parties if party.teachers]
    units = [unit for unit in lesson.rotation if unit in leading]
    goes_round = not lesson.rotation or lesson.kind in ("sync", "joint_preparation", "joint_meeting", "research")
    parity = {"odd": 1, "even": 0}.get(lesson.weeks)
    weeks = [week for week in lesson.only_weeks if parity is None or week % 2 == parity]
    if len(set(units)) < len(lesson.rotation) or not goes_round or len(weeks) < len(lesson.only_weeks):
        yield finding("table_turns", lesson=lesson.id)


def check_times(facts: Facts, lesson: Lesson, on: str) -> Iterator[Finding]:
    """The lesson's clock by the bells of a date of change, what that leaves over, and its rooms."""
    requirement = facts.requirements[lesson.requirement]
    windows = []
    for party in lesson.parties:
        window = (minutes(party.start), minutes(party.end))
        if window != facts.span(party.unit, lesson.weekday, party.period, requirement.block, on):
            yield finding("table_bell", lesson=lesson.id, unit=facts.units[party.unit].name, period=party.period)
        windows.append(window)
    start, end = max(start for start, _ in windows), min(end for _, end in windows)
    if (lesson.start, lesson.end) != (clock(start), clock(end)):
        yield finding("table_window", lesson=lesson.id, start=lesson.start, end=lesson.end)
    slack = facts.communities[requirement.community].overlap_slack + requirement.overlap_conceded
    required = max(1, min(end - start for start, end in windows) - slack)
    if end - start < required:
        yield finding("table_overlap", lesson=lesson.id, minutes=max(0, end - start), required=required)
    for party in lesson.parties:
        if _left_over(party, start, end) != [(left.start, left.end) for left in party.leftover]:
            yield finding("table_leftover", lesson=lesson.id, unit=facts.units[party.unit].name)
        if not _room_fits(facts, lesson, party):
            unit = facts.units[party.unit].name
            yield finding("table_room_kind", lesson=lesson.id, unit=unit, room=party.room or "-")


def _left_over(party: PlacedParty, start: int, end: int) -> list[tuple[str, str]]:
    """What the party's bells leave over of its period, before and after the shared window."""
    own = []
    if party.classes and minutes(party.start) < start:
        own.append((party.start, clock(start)))
    if party.classes and minutes(party.end) > end:
        own.append((clock(end), party.end))
    return own


def _room_fits(facts: Facts, lesson: Lesson, party: PlacedParty) -> bool:
    room = None if party.room is None else facts.rooms.get(party.room)
    if lesson.kind in SHARED_KINDS:
        unit = facts.units[party.unit]
        return room is not None and room.kind == "remote" and (room.unit == unit.id or room.campus == unit.campus)
    if party.classes:
        return room is not None and room.id in {facts.classes[c].room for c in party.classes}
    return party.room is None
