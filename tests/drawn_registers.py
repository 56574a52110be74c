"""Registers of small communities as hypothesis draws them: whatever the model allows, with and without a table."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from hypothesis import strategies as st
from msgspec import structs

from tests.community_builder import WEEKDAYS, CommunityBuilder, bell_times
from timetable.model import BusyTime, Kind, Party, Register, Slot, Travel, Weeks


@st.composite
def small_registers(draw: st.DrawFn) -> Register:
    """One community of two or three units with a few classes: requirements of every kind, odd and even weeks, lessons
    that go round, blocks, locks, unavailable times, bells that change once or twice in mid-term or differ by weekday,
    teachers with several posts, campuses of two units. Some have no table at all."""
    builder = CommunityBuilder(overlap_slack=draw(st.sampled_from([0, 5, 10])))
    count = draw(st.integers(2, 3))
    same_campus = draw(st.booleans())
    for index in range(count):
        first, noon = 480 + draw(st.sampled_from([0, 0, 5, 10])), 840 + draw(st.sampled_from([0, 5, 15]))
        campus = "campus-A0" if same_campus and index == 1 else None
        rooms, link = draw(st.integers(1, 2)), draw(st.integers(1, 2))
        unit = builder.unit(bell_times(first, 20, noon, later=2), remote_rooms=rooms, link=link, campus=campus)
        for from_day in draw(st.sampled_from([(), (), ("2026-10-08",), ("2026-11-02",), ("2026-10-08", "2026-11-02")])):
            first, noon = first + draw(st.sampled_from([0, 10, 20])), noon - draw(st.sampled_from([0, 20, 30]))
            builder.rings_anew(unit, from_day, bell_times(first, draw(st.sampled_from([20, 25])), noon, later=2))
        if draw(st.integers(0, 3)) == 0:
            builder.rings_on(unit, draw(st.sampled_from(WEEKDAYS)), draw(st.sampled_from([-10, 5, 20])))
    units = [unit.id for unit in builder.units]
    for index in range(count):
        if draw(st.booleans()):
            day = draw(st.sampled_from(WEEKDAYS))
            wish = BusyTime(weekday=day, start="08:00", end=draw(st.sampled_from(["10:00", "17:00"])))
            builder.units[index] = structs.replace(builder.units[index], wishes=(wish,))
    for a, first_campus in enumerate(builder.campuses):
        for second_campus in builder.campuses[a + 1 :]:
            way = draw(st.sampled_from([10, 25, 60]))
            builder.travel.append(Travel(campuses=(first_campus.id, second_campus.id), minutes=way))
    classes = {unit: [builder.school_class(unit) for _ in range(draw(st.integers(1, 2)))] for unit in units}
    teachers = {unit: [_some_teacher(draw, builder, unit) for _ in range(draw(st.integers(1, 3)))] for unit in units}
    roving = _some_teacher(draw, builder, units[0], units[-1])
    everyone = {unit: [*teachers[unit], *([roving] if unit in (units[0], units[-1]) else [])] for unit in units}
    for unit in units:
        for school_class in classes[unit]:
            for subject in draw(st.lists(st.sampled_from(["语文", "数学", "体育", "音乐"]), max_size=4, unique=True)):
                builder.local(
                    school_class,
                    subject,
                    draw(st.integers(1, 4)),
                    draw(st.sampled_from(everyone[unit])),
                    **draw(some_weeks()),
                    block=draw(st.sampled_from([1, 1, 1, 2])),
                )
    for _ in range(draw(st.integers(0, 4))):
        _some_shared(draw, builder, draw(st.permutations(units)), classes, everyone)
    for _ in range(draw(st.integers(0, 2))):
        _some_meeting(draw, builder, units, classes, everyone)
    return builder.register()


class AskedWeeks(TypedDict):
    """In which weeks a requirement takes place."""

    weeks: Weeks
    only_weeks: tuple[int, ...]


@st.composite
def some_weeks(draw: st.DrawFn) -> AskedWeeks:
    """All, odd or even weeks, or a few of these: few enough that two often have none in common."""
    weeks: Weeks = draw(st.sampled_from(["all", "all", "odd", "even"]))
    among = [week for week in range(2, 8) if weeks == "all" or week % 2 == (weeks == "odd")]
    only_weeks = tuple(sorted(draw(st.sets(st.sampled_from(among), min_size=1)))) if draw(st.booleans()) else ()
    return {"weeks": weeks, "only_weeks": only_weeks}


def _some_teacher(draw: st.DrawFn, builder: CommunityBuilder, *posts: str) -> str:
    unavailable: tuple[BusyTime, ...] = ()
    if draw(st.booleans()):
        day = draw(st.sampled_from(WEEKDAYS))
        weeks: Weeks = draw(st.sampled_from(["all", "odd"]))
        unavailable = (BusyTime(weekday=day, start="08:30", end="15:00", weeks=weeks),)
    return builder.teacher(*posts, max_per_day=draw(st.integers(2, 6)), unavailable=unavailable)


def _some_shared(
    draw: st.DrawFn,
    builder: CommunityBuilder,
    units: Sequence[str],
    classes: Mapping[str, Sequence[str]],
    teachers: Mapping[str, Sequence[str]],
) -> None:
    kind: Kind = draw(st.sampled_from(["sync", "dedicated"]))
    parties = []
    for position, unit in enumerate(units[: draw(st.integers(2, len(units)))]):
        has_class = kind == "sync" or position > 0
        assistant = position == 0 or draw(st.booleans())
        parties.append(
            Party(
                unit=unit,
                classes=(draw(st.sampled_from(classes[unit])),) if has_class else (),
                teachers=(draw(st.sampled_from(teachers[unit])),) if assistant else (),
            )
        )
    locked: tuple[Slot, ...] = ()
    if draw(st.integers(0, 4)) == 0:
        locked = (Slot(weekday=draw(st.sampled_from(WEEKDAYS)), period=draw(st.integers(1, 6))),)
    subject = draw(st.sampled_from(["英语", "美术"]))
    leading = [party.unit for party in parties if party.teachers and party.classes]
    rotation = tuple(draw(st.permutations(leading))) if kind == "sync" and draw(st.booleans()) else ()
    weekly = draw(st.integers(1, 3))
    builder.require(kind, subject, weekly, *parties, **draw(some_weeks()), locked=locked, rotation=rotation)


def _some_meeting(
    draw: st.DrawFn,
    builder: CommunityBuilder,
    units: Sequence[str],
    classes: Mapping[str, Sequence[str]],
    teachers: Mapping[str, Sequence[str]],
) -> None:
    kind: Kind = draw(st.sampled_from(["joint_preparation", "joint_meeting", "common_test", "research"]))
    sits = kind == "common_test"
    parties = [
        Party(
            unit=unit,
            classes=(draw(st.sampled_from(classes[unit])),) if sits else (),
            teachers=(draw(st.sampled_from(teachers[unit])),),
        )
        for unit in (units[:1] if kind == "research" else units)
    ]
    rotation = tuple(units) if kind in ("joint_preparation", "joint_meeting") and draw(st.booleans()) else ()
    block = draw(st.sampled_from([1, 1, 2]))
    builder.require(kind, "教研", 1, *parties, **draw(some_weeks()), block=block, rotation=rotation)
