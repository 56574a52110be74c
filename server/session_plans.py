"""From the table to what a live session must know: its plan, for a lesson on its date or for a rehearsal."""

from server.county import County
from server.today import lesson_title
from signaling.plan import SessionPlan, UnitPart
from signaling.room_state import ExpectedRoom, LessonInfo
from timetable.model import Lesson, PlacedParty
from timetable.term import Occurrence


def occurrence_plan(county: County, occurrence: Occurrence) -> SessionPlan:
    """The session of a lesson on its date; its id is the occurrence's."""
    lesson = occurrence.lesson
    return SessionPlan(
        session=occurrence.id,
        occurrence=occurrence.id,
        community=_community(county, lesson),
        lesson=_info(
            county,
            lesson,
            occurrence.parties,
            starts=occurrence.starts,
            ends=occurrence.ends,
            rehearsal=False,
            week=occurrence.day.week,
        ),
        parts=tuple(_part(county, party) for party in occurrence.parties),
    )


def rehearsal_plan(county: County, lesson: Lesson, *, session: str, starts: float, seconds: float) -> SessionPlan:
    """A rehearsal (试讲) of a lesson outside its time, with everybody who belongs to the lesson."""
    return SessionPlan(
        session=session,
        community=_community(county, lesson),
        lesson=_info(county, lesson, lesson.parties, starts=starts, ends=starts + seconds, rehearsal=True, week=0),
        parts=tuple(_part(county, party) for party in lesson.parties),
    )


def _info(
    county: County,
    lesson: Lesson,
    parties: tuple[PlacedParty, ...],
    *,
    starts: float,
    ends: float,
    rehearsal: bool,
    week: int,
) -> LessonInfo:
    host = parties[0]
    return LessonInfo(
        id=lesson.id,
        title=lesson_title(county, lesson),
        subject=lesson.subject,
        kind=lesson.kind,
        rehearsal=rehearsal,
        host_unit=host.unit,
        host_teacher=county.teacher_name(host.teachers[0]) if host.teachers else "",
        starts=starts,
        ends=ends,
        expected=tuple(party.room for party in parties[1:] if party.room),
        rooms=tuple(_expected(county, party) for party in parties[1:] if party.room),
        host_pupils=_pupils(county, host),
        week=week,
        weekday=lesson.weekday,
        period=host.period,
    )


def _expected(county: County, party: PlacedParty) -> ExpectedRoom:
    part = _part(county, party)
    return ExpectedRoom(
        room=part.room,
        unit=part.unit,
        unit_name=part.unit_name,
        class_name=part.class_name,
        phone=part.phone,
        pupils=_pupils(county, party),
        listen_only=part.listen_only,
    )


def _pupils(county: County, party: PlacedParty) -> int:
    return sum(county.school_class(id).pupils for id in party.classes)


def _part(county: County, party: PlacedParty) -> UnitPart:
    unit = county.unit(party.unit)
    return UnitPart(
        unit=unit.id,
        unit_name=unit.name,
        room=party.room or "",
        room_name=county.room(party.room).name if party.room else "",
        class_name="、".join(county.school_class(id).name for id in party.classes),
        phone=unit.phone,
        teachers=party.teachers,
        classes=party.classes,
        listen_only=county.room(party.room).listen_only if party.room else False,
    )


def _community(county: County, lesson: Lesson) -> str:
    community = county.community_of(lesson.host.unit)
    return community.id if community else ""
