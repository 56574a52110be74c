"""A register of one community for tests, collected piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import structs

from timetable.model import (
    BellSchedule,
    BusyTime,
    Campus,
    Community,
    Kind,
    Party,
    Period,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Slot,
    Teacher,
    Term,
    Travel,
    Weeks,
    clock,
    minutes,
)

WEEKDAYS = (1, 2, 3, 4, 5)
TERM = Term(
    id="2026-autumn", name="2026 秋季学期", first_day="2026-09-01", last_day="2027-01-22", week_one="2026-08-31"
)


def bell_times(
    first: int, long_break: int, afternoon: int, *, lesson: int = 40, morning: int = 4, later: int = 3
) -> list[int]:
    """The starts of a school day's periods in minutes: ten-minute breaks, one long break after the second period."""
    starts, at = [], first
    for number in range(1, morning + 1):
        starts.append(at)
        at += lesson + (long_break if number == 2 else 10)
    at = afternoon
    for _ in range(later):
        starts.append(at)
        at += lesson + 10
    return starts


def schedule(starts: Sequence[int], *, lesson: int = 40, weekdays: tuple[int, ...] = WEEKDAYS) -> BellSchedule:
    periods = tuple(
        Period(number=n, start=clock(start), end=clock(start + lesson)) for n, start in enumerate(starts, start=1)
    )
    return BellSchedule(weekdays=weekdays, periods=periods)


@dataclass
class CommunityBuilder:
    """Collects a register piece by piece; every method returns the id of what it added."""

    community: str = "A"
    overlap_slack: int = 5
    campuses: list[Campus] = field(default_factory=list)
    units: list[SchoolUnit] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    teachers: dict[str, Teacher] = field(default_factory=dict)
    classes: list[SchoolClass] = field(default_factory=list)
    requirements: list[Requirement] = field(default_factory=list)
    travel: list[Travel] = field(default_factory=list)

    def unit(
        self,
        starts: Sequence[int],
        *,
        remote_rooms: int = 1,
        link: int | None = None,
        campus: str | None = None,
        lesson: int = 40,
    ) -> str:
        number = len(self.units)
        id = f"{self.community}{number}"
        where = campus or f"campus-{id}"
        if all(known.id != where for known in self.campuses):
            self.campuses.append(Campus(id=where, name=f"校区{id}"))
        self.units.append(
            SchoolUnit(
                id=id,
                name=f"学校{id}",
                short_name=id,
                code=id[:4],
                campus=where,
                stage="primary",
                bells=(schedule(starts, lesson=lesson),),
                link_capacity=remote_rooms if link is None else link,
            )
        )
        for room in range(1, remote_rooms + 1):
            self.rooms.append(
                Room(id=f"{id}-remote{room}", name=f"远程教室{room}", unit=id, campus=where, kind="remote")
            )
        return id

    def school_class(self, unit: str, grade: int = 5, number: int | None = None) -> str:
        same = sum(c.unit == unit and c.grade == grade for c in self.classes) + 1
        id = f"{unit}-{grade}-{number or same}"
        campus = next(u.campus for u in self.units if u.id == unit)
        self.rooms.append(Room(id=f"room-{id}", name=f"教室{id}", unit=unit, campus=campus, kind="home"))
        self.classes.append(
            SchoolClass(
                id=id, name=f"{id}班", unit=unit, grade=grade, number=number or same, pupils=40, room=f"room-{id}"
            )
        )
        return id

    def teacher(
        self,
        *posts: str,
        subject: str = "语文",
        max_per_day: int = 6,
        max_per_week: int = 40,
        unavailable: tuple[BusyTime, ...] = (),
    ) -> str:
        id = f"{posts[0]}-t{len(self.teachers) + 1}"
        self.teachers[id] = Teacher(
            id=id,
            name=f"{subject}教师{len(self.teachers) + 1:03d}",
            posts=posts,
            subjects=(subject,),
            max_per_day=max_per_day,
            max_per_week=max_per_week,
            unavailable=unavailable,
        )
        return id

    def require(
        self,
        kind: Kind,
        subject: str,
        weekly: int,
        *parties: Party,
        weeks: Weeks = "all",
        block: int = 1,
        locked: tuple[Slot, ...] = (),
        only_weeks: tuple[int, ...] = (),
        rotation: tuple[str, ...] = (),
    ) -> str:
        id = f"{self.community}-r{len(self.requirements) + 1}"
        self.requirements.append(
            Requirement(
                id=id,
                kind=kind,
                subject=subject,
                parties=parties,
                weekly=weekly,
                community=self.community,
                weeks=weeks,
                block=block,
                locked=locked,
                only_weeks=only_weeks,
                rotation=rotation,
            )
        )
        return id

    def rings_anew(self, unit: str, day: str, starts: Sequence[int], *, lesson: int = 40) -> None:
        """The unit rings other bells from that ISO date on."""
        index = next(n for n, known in enumerate(self.units) if known.id == unit)
        anew = structs.replace(schedule(starts, lesson=lesson), valid_from=day)
        self.units[index] = structs.replace(self.units[index], bells=(*self.units[index].bells, anew))

    def rings_on(self, unit: str, weekday: int, later: int) -> None:
        """On that weekday the unit rings all its bells so many minutes later than on the others."""
        index = next(n for n, known in enumerate(self.units) if known.id == unit)
        bells: list[BellSchedule] = []
        for known in self.units[index].bells:
            others = tuple(day for day in known.weekdays if day != weekday)
            periods = tuple(
                structs.replace(one, start=clock(minutes(one.start) + later), end=clock(minutes(one.end) + later))
                for one in known.periods
            )
            bells += (
                structs.replace(known, weekdays=others),
                structs.replace(known, weekdays=(weekday,), periods=periods),
            )
        self.units[index] = structs.replace(self.units[index], bells=tuple(bells))

    def local(
        self,
        school_class: str,
        subject: str,
        weekly: int,
        teacher: str,
        *,
        weeks: Weeks = "all",
        block: int = 1,
        locked: tuple[Slot, ...] = (),
        only_weeks: tuple[int, ...] = (),
    ) -> str:
        unit = next(c.unit for c in self.classes if c.id == school_class)
        party = Party(unit=unit, classes=(school_class,), teachers=(teacher,))
        return self.require(
            "local", subject, weekly, party, weeks=weeks, block=block, locked=locked, only_weeks=only_weeks
        )

    def register(self) -> Register:
        units = [unit.id for unit in self.units]
        return Register(
            county="测试县",
            term=TERM,
            communities=(
                Community(
                    id=self.community,
                    name=f"教共体{self.community}",
                    number=1,
                    stage="primary",
                    mode="collaborative",
                    core=units[0],
                    members=tuple(units[1:]),
                    overlap_slack=self.overlap_slack,
                ),
            ),
            campuses=tuple(self.campuses),
            travel=tuple(self.travel),
            units=tuple(self.units),
            rooms=tuple(self.rooms),
            teachers=tuple(self.teachers.values()),
            classes=tuple(self.classes),
            requirements=tuple(self.requirements),
        )
