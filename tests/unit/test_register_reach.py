"""Whose rows an import touches."""

from datetime import date

from msgspec import structs

from tests.county_server import county_register
from timetable.model import BusyTime
from timetable.register.reach import Reach, reach

REGISTER = county_register(date(2026, 11, 18))


def test_same_register_touches_nobody() -> None:
    assert reach(REGISTER, REGISTER) == Reach(frozenset(), county=False)


def test_first_register_is_the_countys() -> None:
    assert reach(None, REGISTER) == Reach(frozenset(unit.id for unit in REGISTER.units), county=True)


def test_changed_teacher_touches_every_school_of_theirs() -> None:
    first, *others = REGISTER.teachers
    busy = BusyTime(weekday=1, start="08:20", end="09:00")
    changed = structs.replace(first, unavailable=(busy,))
    after = structs.replace(REGISTER, teachers=(changed, *others))
    assert reach(REGISTER, after) == Reach(frozenset(first.posts), county=False)


def test_removed_class_and_taken_over_class_touch_both_sides() -> None:
    first, *others = REGISTER.classes
    foreign = next(unit.id for unit in REGISTER.units if unit.id != first.unit)
    removed = structs.replace(REGISTER, classes=tuple(others))
    taken = structs.replace(REGISTER, classes=(structs.replace(first, unit=foreign), *others))
    assert reach(REGISTER, removed).units == {first.unit}
    assert reach(REGISTER, taken).units == {first.unit, foreign}


def test_shared_lesson_touches_all_its_schools() -> None:
    shared = next(r for r in REGISTER.requirements if len(r.parties) > 1)
    others = tuple(r for r in REGISTER.requirements if r is not shared)
    after = structs.replace(REGISTER, requirements=(structs.replace(shared, weekly=shared.weekly + 1), *others))
    assert reach(REGISTER, after).units == {party.unit for party in shared.parties}


def test_term_and_communities_are_the_countys() -> None:
    after = structs.replace(REGISTER, term=structs.replace(REGISTER.term, name="另一学期"))
    assert reach(REGISTER, after) == Reach(frozenset(), county=True)
