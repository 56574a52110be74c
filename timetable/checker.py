"""This module owns the check of a finished table, independent of the search: plain loops over register and table.

It and its parts in `checking` share no code with the problem or the formulation, so that a mistake there cannot hide
here. Every finding is a breach of a hard rule; habits that a good table keeps are told by `habits`. Where bells change
in the term, everything that depends on the clock is checked again as of each change; a finding that only arises then
names it (`since`).
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from timetable.checking.alone import check_counts, check_required, check_times, check_turns
from timetable.checking.calendar import Calendar
from timetable.checking.facts import Facts, finding
from timetable.checking.together import check_together
from timetable.model import Finding, Lesson, Register, Table

CODES: Mapping[str, str] = {
    "table_missing": "a community with requirements has no table",
    "table_unknown": "the table names a community, requirement, unit or period that the register does not have",
    "table_lesson_differs": "a lesson's kind, subject, weeks, parties, classes or teachers differ from its requirement",
    "table_count": "a requirement has more or fewer lessons than it needs",
    "table_twice": "two lessons have the same id",
    "table_bell": "a party's start or end is not what its unit rings",
    "table_window": "the shared window is not the intersection of the parties' periods",
    "table_overlap": "the parties share fewer minutes than required",
    "table_class_clash": "a class has two lessons at one time",
    "table_teacher_clash": "a teacher has two lessons at one time",
    "table_teacher_travel": "a teacher has too little time for the way between two campuses",
    "table_teacher_unavailable": "a teacher is unavailable then",
    "table_teacher_day": "a teacher has more lessons on a day than allowed",
    "table_teacher_week": "a teacher has more lessons a week than allowed",
    "table_room_clash": "a room holds two lessons at one time",
    "table_room_busy": "a room is taken by others then",
    "table_room_kind": "a lesson is in a room of the wrong kind, place or owner, or in none",
    "table_link": "a unit has more shared lessons at one time than its line carries",
    "table_lock": "a locked slot of a requirement is not kept",
    "table_leftover": "the leftover minutes of a party are not what its bells leave over",
    "table_supervisor": "the teacher named for leftover minutes is elsewhere then",
    "table_turns": "a lesson goes round units that cannot host it, or one of them twice, or in weeks it has not",
}
"""Every code that this module can report."""


def check(register: Register, *tables: Table) -> list[Finding]:
    """Everything wrong with the tables, taken together (teachers and rooms may serve several communities)."""
    facts = Facts(register)
    found: list[Finding] = []
    lessons: list[Lesson] = []
    seen: set[str] = set()
    for table in tables:
        if table.community not in facts.communities:
            found.append(finding("table_unknown", noun="community", id=table.community))
            continue
        for lesson in table.lessons:
            if lesson.id in seen:
                found.append(finding("table_twice", lesson=lesson.id))
            seen.add(lesson.id)
            wrong = check_required(facts, lesson, table)
            if wrong is None:
                lessons.append(lesson)
            else:
                found.append(wrong)
        found += check_counts(facts, table)
    for lesson in lessons:
        found += check_turns(lesson)
    calendar = Calendar(lessons)
    for day in facts.dates:
        as_of = _as_of(facts, calendar, lessons, day)
        if day == facts.dates[0]:
            found += as_of
        else:
            known = {(one.code, repr(one.values)) for one in found}
            later = [one for one in as_of if (one.code, repr(one.values)) not in known]
            found += [Finding(code=one.code, values={**one.values, "since": day}) for one in later]
    return found


def missing(register: Register, *tables: Table) -> list[Finding]:
    """The communities that have requirements and no table."""
    have = {table.community for table in tables}
    needed = {requirement.community for requirement in register.requirements} - have
    return [
        Finding(code="table_missing", values={"community": community.name})
        for community in register.communities
        if community.id in needed
    ]


def _as_of(facts: Facts, calendar: Calendar, lessons: Sequence[Lesson], day: str) -> Iterator[Finding]:
    """Everything that depends on the clock, by the bells of a date."""
    dated = [_on(lesson, day) for lesson in lessons]
    for lesson in dated:
        yield from check_times(facts, lesson, day)
    yield from check_together(facts, calendar, dated)


def _on(lesson: Lesson, day: str) -> Lesson:
    """The lesson with the times that it has on a date."""
    parties, start, end = lesson.parties, lesson.start, lesson.end
    for times in lesson.later:
        if times.first <= day:
            start, end = times.start, times.end
            parties = tuple(
                structs.replace(party, start=own.start, end=own.end, leftover=own.leftover)
                for party, own in zip(lesson.parties, times.parties, strict=True)
            )
    return structs.replace(lesson, start=start, end=end, parties=parties, later=())
