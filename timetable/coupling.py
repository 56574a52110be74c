"""Communities that share campuses: what one's table leaves to another, written into that one's register."""

from collections import defaultdict
from collections.abc import Iterable

from msgspec import structs

from timetable.errors import NotFound
from timetable.model import BusyTime, Lesson, Register, Table, Teacher, clock, minutes

LAST_MINUTE = 24 * 60 - 1


def community_register(register: Register, community: str, others: Iterable[Table]) -> Register:
    """`register` with one community only; the lessons of the `others`' tables stand in it as unavailable times of
    their teachers (with the way between campuses) and busy times of their rooms."""
    own = next((known for known in register.communities if known.id == community), None)
    if own is None:
        raise NotFound("community", community)
    held_teachers: dict[str, list[BusyTime]] = defaultdict(list)
    held_rooms: list[tuple[str, BusyTime]] = []
    campus_of = {unit.id: unit.campus for unit in register.units}
    ways = {frozenset(travel.campuses): travel.minutes for travel in register.travel}
    teachers = {teacher.id: teacher for teacher in register.teachers}
    for table in others:
        for lesson in table.lessons:
            for party in lesson.parties:
                for id in party.teachers:
                    if id in teachers:
                        way = _longest_way(teachers[id], campus_of[party.unit], campus_of, ways)
                        held_teachers[id].append(_busy(lesson, party.start, party.end, way))
                if party.room is not None:
                    held_rooms.append((party.room, _busy(lesson, party.start, party.end, 0)))
    return structs.replace(
        register,
        communities=(own,),
        requirements=tuple(r for r in register.requirements if r.community == community),
        teachers=tuple(
            structs.replace(teacher, unavailable=(*teacher.unavailable, *held_teachers[teacher.id]))
            if teacher.id in held_teachers
            else teacher
            for teacher in register.teachers
        ),
        busy_rooms=(*register.busy_rooms, *held_rooms),
    )


def _busy(lesson: Lesson, start: str, end: str, way: int) -> BusyTime:
    return BusyTime(
        weekday=lesson.weekday,
        start=clock(max(0, minutes(start) - way)),
        end=clock(min(LAST_MINUTE, minutes(end) + way)),
        weeks=lesson.weeks,
        reason=lesson.id,
    )


def _longest_way(teacher: Teacher, campus: str, campus_of: dict[str, str], ways: dict[frozenset[str], int]) -> int:
    """Minutes to the farthest of the teacher's other campuses, so that any of them can be reached."""
    there = {campus_of[post] for post in teacher.posts if post in campus_of} - {campus}
    return max((ways.get(frozenset({campus, other}), 0) for other in there), default=0)
