"""This module owns the demo county's places: campuses and roads, units and their bells, classes, rooms."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from random import Random

from msgspec.structs import replace

from server.demo.county_plan import Campuses, CountyPlan, StagePlan, UnitPlan
from timetable.model import BellSchedule, Campus, Period, Room, SchoolClass, SchoolUnit, Stage, Travel, clock, minutes

BREAK_MINUTES = 10
WEEKDAYS = (1, 2, 3, 4, 5)
GRADES: Mapping[Stage, range] = {"primary": range(1, 7), "junior": range(7, 10)}
GRADE_NAMES = "一二三四五六七八九"


def bells(unit: UnitPlan, stage: StagePlan, winter_from: str) -> tuple[BellSchedule, ...]:
    """The unit's bells, and those of the winter where the afternoon then begins earlier."""
    usual = _schedule(unit, stage, unit.afternoon_bell)
    if not unit.winter_afternoon_bell:
        return (usual,)
    return usual, replace(_schedule(unit, stage, unit.winter_afternoon_bell), valid_from=winter_from)


def _schedule(unit: UnitPlan, stage: StagePlan, afternoon_bell: str) -> BellSchedule:
    """The unit's day: the big break follows the second period, noon follows the morning."""
    starts = []
    start = minutes(unit.first_bell)
    for number in range(1, stage.morning_periods + 1):
        starts.append(start)
        start += stage.lesson_minutes + (unit.big_break if number == 2 else BREAK_MINUTES)
    start = minutes(afternoon_bell)
    for _ in range(stage.afternoon_periods):
        starts.append(start)
        start += stage.lesson_minutes + BREAK_MINUTES
    periods = (
        Period(number=number, start=clock(begin), end=clock(begin + stage.lesson_minutes))
        for number, begin in enumerate(starts, 1)
    )
    return BellSchedule(weekdays=WEEKDAYS, periods=tuple(periods))


def school_unit(plan: UnitPlan, stage: Stage, stage_plan: StagePlan, winter_from: str, number: int) -> SchoolUnit:
    return SchoolUnit(
        id=plan.id,
        name=plan.name,
        short_name=plan.short_name,
        code=plan.code,
        campus=plan.campus_id,
        stage=stage,
        bells=bells(plan, stage_plan, winter_from),
        link_capacity=plan.remote_rooms,
        phone=f"0356-000 {number:04d}",
        wishes=plan.wishes,
    )


def campus_list(county: CountyPlan, places: Campuses) -> tuple[Campus, ...]:
    """Every campus once, in the order of the units."""
    names: dict[str, str] = {}
    for community in county.communities:
        for unit in community.units:
            names.setdefault(unit.campus_id, places.shared.get(unit.campus_id, unit.name))
    return tuple(Campus(id=id, name=name) for id, name in names.items())


def roads(campuses: Sequence[Campus], places: Campuses) -> tuple[Travel, ...]:
    """Minutes between any two campuses, rounded up to five."""
    found = []
    for a, b in itertools.combinations([campus.id for campus in campuses], 2):
        kilometres = math.dist(places.positions[a], places.positions[b])
        exact = places.road.minutes_to_set_out + places.road.minutes_per_km * kilometres
        found.append(Travel(campuses=(a, b), minutes=5 * math.ceil(exact / 5)))
    return tuple(found)


def school_classes(plan: UnitPlan, stage: Stage, no_consent: Collection[str], rng: Random) -> list[SchoolClass]:
    """The unit's classes with their home rooms; villages have small classes, the town has full ones."""
    fewest, most = (20, 36) if plan.classes_per_grade <= 2 else (36, 48)
    return [
        SchoolClass(
            id=class_id(plan, grade, number),
            name=f"{GRADE_NAMES[grade - 1]}({number})班",
            unit=plan.id,
            grade=grade,
            number=number,
            pupils=rng.randint(fewest, most),
            room=home_room_id(plan, grade, number),
            recording_consent=class_id(plan, grade, number) not in no_consent,
        )
        for grade in GRADES[stage]
        for number in range(1, plan.classes_per_grade + 1)
    ]


def class_id(plan: UnitPlan, grade: int, number: int) -> str:
    return f"{plan.id}.c{grade}{number}"


def home_room_id(plan: UnitPlan, grade: int, number: int) -> str:
    return f"{plan.id}.r{grade}{number}"


def rooms(plan: UnitPlan, classes: Sequence[SchoolClass]) -> list[Room]:
    """A home room for every class, and the remote rooms."""
    home = [Room(id=c.room, name=f"{c.name}教室", unit=plan.id, campus=plan.campus_id, kind="home") for c in classes]
    remote = [
        Room(
            id=f"{plan.id}.remote{number}",
            name=f"远程教室{number}",
            unit=plan.id,
            campus=plan.campus_id,
            kind="remote",
        )
        for number in range(1, plan.remote_rooms + 1)
    ]
    return home + remote
