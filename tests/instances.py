"""Registers for tests and benchmarks: small hand-sized ones, a generated community of any size, hypothesis strategies.

Everything here is a function of its arguments: the same seed gives the same register on every machine.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import msgspec
from hypothesis import strategies as st
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


# Generated communities ----------------------------------------------------------------------------------------------

LOWER = {"语文": 8, "数学": 5, "体育": 4, "音乐": 2, "美术": 2, "道德与法治": 2, "科学": 1, "劳动": 1, "班会": 1}
UPPER = {
    "语文": 7,
    "数学": 5,
    "英语": 3,
    "体育": 3,
    "音乐": 2,
    "美术": 2,
    "道德与法治": 2,
    "科学": 2,
    "劳动": 1,
    "信息科技": 1,
    "班会": 1,
    "综合实践": 1,
}
RESEARCH_AFTERNOON = {"语文": 2, "数学": 3, "英语": 4, "音乐": 1, "美术": 1, "体育": 5, "科学": 4}
"""The weekday on whose afternoon the teachers of a subject meet, so that none of them teaches."""

SYNCED = {
    1: [("语文", 2)],
    2: [("数学", 2)],
    3: [("英语", 2)],
    4: [("科学", 2)],
    5: [("数学", 3), ("道德与法治", 2)],
    6: [("英语", 2), ("科学", 2)],
}
LACKING = {3: ("音乐",), 4: ("美术",), 5: ("音乐", "美术", "英语"), 6: ("音乐", "美术", "英语")}
TYPICAL_BELLS = (
    (480, 30, 840),
    (480, 30, 840),
    (485, 30, 840),
    (480, 35, 845),
    (480, 30, 835),
    (500, 15, 845),
    (530, 30, 845),
)
SHAPE_OF_100_CLASSES = (6, 3, 2, 2, 2, 1, 1)
"""Classes per grade of each unit: 102 classes in seven units."""


class _Generated:
    """One generated community: a core with members of different sizes, bells and shortages."""

    def __init__(self, seed: int, shape: Sequence[int], lacking: Mapping[int, Sequence[str]], community: str) -> None:
        self.random = random.Random(seed)
        self.builder = CommunityBuilder(community=community)
        self.shape = shape
        self.lacking = lacking
        self.core_rooms = 6
        self.units = []
        for index in range(len(shape)):
            rooms = self.core_rooms if index == 0 else 1 if index == 1 else 2
            bells = TYPICAL_BELLS[index % len(TYPICAL_BELLS)]
            self.units.append(self.builder.unit(bell_times(*bells), remote_rooms=rooms))
        for a, first in enumerate(self.units):
            for b, second in enumerate(self.units):
                if a < b:
                    way = 20 + 5 * ((a * b + a + b) % 4)
                    self.builder.travel.append(Travel(campuses=(f"campus-{first}", f"campus-{second}"), minutes=way))
        self.class_at = {
            (index, grade, number): self.builder.school_class(unit, grade, number)
            for index, unit in enumerate(self.units)
            for grade in range(1, 7)
            for number in range(1, shape[index] + 1)
        }
        self.left: Counter[tuple[str, str]] = Counter()
        for (_, grade, _), school_class in self.class_at.items():
            for subject, weekly in (LOWER if grade < 3 else UPPER).items():
                self.left[school_class, subject] = weekly
        self.loads: Counter[str] = Counter()
        self.taught_by: dict[tuple[str, str], str] = {}
        for index in range(len(shape)):
            self._staff(index)
        self._sync()
        self._dedicate()
        self._stay_local()

    def _new_teacher(self, index: int, subject: str, *, itinerant: bool = False) -> str:
        unavailable = []
        if subject in RESEARCH_AFTERNOON:
            day = RESEARCH_AFTERNOON[subject]
            unavailable.append(BusyTime(weekday=day, start="13:30", end="17:30", reason="教研"))
        if not itinerant and self.random.random() < 0.05:
            day = self.random.choice(WEEKDAYS)
            unavailable.append(BusyTime(weekday=day, start="07:30", end="12:30"))
        return self.builder.teacher(self.units[index], subject=subject, max_per_day=5, unavailable=tuple(unavailable))

    def _classes_of(self, index: int) -> list[str]:
        return [c for (unit, _, _), c in self.class_at.items() if unit == index]

    def _staff(self, index: int) -> None:
        for school_class in self._classes_of(index):
            own = self._new_teacher(index, "语文")
            for subject in ("语文", "道德与法治", "班会", "劳动"):
                self.taught_by[school_class, subject] = own
        small = self.shape[index] <= 2
        plans: list[tuple[str, tuple[str, ...], int]] = [("数学", ("综合实践",), 13), ("体育", (), 16)]
        plans += [("科学", ("信息科技",), 15)] if small else [("科学", (), 14), ("信息科技", (), 14)]
        plans += [("英语", (), 15), ("音乐", (), 14), ("美术", (), 14)]
        for subject, more, most in plans:
            if subject not in self.lacking.get(index, ()):
                self._share_out(index, (subject, *more), most)

    def _share_out(self, index: int, subjects: tuple[str, ...], most: int) -> None:
        current: str | None = None
        for school_class in self._classes_of(index):
            load = sum(self.left[school_class, subject] for subject in subjects)
            if load == 0:
                continue
            if current is None or self.loads[current] + load > most:
                current = self._new_teacher(index, subjects[0])
            self.loads[current] += load
            for subject in subjects:
                self.taught_by[school_class, subject] = current

    def _sync(self) -> None:
        members = range(1, len(self.shape))
        groups = [[m] for m in members if self.shape[m] > 1]
        ones = [m for m in members if self.shape[m] == 1]
        groups += [ones] if ones else []
        for position, group in enumerate(groups):
            for grade in range(1, 7):
                host = self.class_at[0, grade, position % self.shape[0] + 1]
                for subject, weekly in SYNCED[grade]:
                    if any(subject in self.lacking.get(m, ()) for m in group):
                        subject, weekly = "语文", 2
                    together = [(0, host), *((m, self.class_at[m, grade, 1]) for m in group)]
                    parties = []
                    for index, school_class in together:
                        teacher = self.taught_by[school_class, subject]
                        parties.append(Party(unit=self.units[index], classes=(school_class,), teachers=(teacher,)))
                        self.left[school_class, subject] -= weekly
                    self.builder.require("sync", subject, weekly, *parties)

    def _dedicate(self) -> None:
        for subject in ("音乐", "美术", "英语"):
            lacking = [m for m in range(1, len(self.shape)) if subject in self.lacking.get(m, ())]
            ones = [m for m in lacking if self.shape[m] == 1]
            groups = ([ones] if ones else []) + [[m] for m in lacking if m not in ones]
            weekly = 2 if subject == "英语" else 1
            current: str | None = None
            for group in groups:
                for grade in range(1, 7):
                    if subject == "英语" and grade < 3:
                        continue
                    for number in range(1, max(self.shape[m] for m in group) + 1):
                        if current is None or self.loads[current] + weekly > 14:
                            current = self._new_teacher(0, subject)
                        self.loads[current] += weekly
                        parties = [Party(unit=self.units[0], teachers=(current,))]
                        for m in group:
                            school_class = self.class_at[m, grade, number]
                            parties.append(Party(unit=self.units[m], classes=(school_class,)))
                            self.left[school_class, subject] -= weekly
                        self.builder.require("dedicated", subject, weekly, *parties)
            self._send_itinerant(subject, lacking)

    def _send_itinerant(self, subject: str, lacking: Sequence[int]) -> None:
        current: str | None = None
        posts: dict[str, list[str]] = defaultdict(list)
        for m in lacking:
            for school_class in self._classes_of(m):
                load = self.left[school_class, subject]
                if load <= 0:
                    continue
                if current is None or self.loads[current] + load > 13:
                    current = self._new_teacher(m, subject, itinerant=True)
                self.loads[current] += load
                self.taught_by[school_class, subject] = current
                if self.units[m] not in posts[current]:
                    posts[current].append(self.units[m])
        for id, units in posts.items():
            known = self.builder.teachers[id]
            self.builder.teachers[id] = Teacher(
                id=id,
                name=known.name,
                posts=tuple(units),
                subjects=known.subjects,
                max_per_day=known.max_per_day,
                max_per_week=known.max_per_week,
                unavailable=known.unavailable,
            )

    def _stay_local(self) -> None:
        for (school_class, subject), weekly in self.left.items():
            if weekly > 0:
                self.builder.local(school_class, subject, weekly, self.taught_by[school_class, subject])


def generated_community(
    seed: int = 1,
    *,
    shape: Sequence[int] = SHAPE_OF_100_CLASSES,
    lacking: Mapping[int, Sequence[str]] | None = None,
    community: str = "A",
) -> Register:
    """A primary community like the county's: `shape` gives each unit's classes per grade, the core unit first."""
    return _Generated(seed, shape, LACKING if lacking is None else lacking, community).builder.register()


# Hypothesis ---------------------------------------------------------------------------------------------------------


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


def many_times(times: int, seed: int = 1) -> Register:
    """So many generated communities of 102 classes as one community, which has to be searched as a whole."""
    parts = [generated_community(seed + number, community=f"{chr(ord('A') + number)}") for number in range(times)]
    first = parts[0]
    units = tuple(unit for part in parts for unit in part.units)
    [community] = first.communities
    return structs.replace(
        first,
        communities=(structs.replace(community, members=tuple(unit.id for unit in units[1:])),),
        campuses=tuple(campus for part in parts for campus in part.campuses),
        travel=tuple(way for part in parts for way in part.travel),
        units=units,
        rooms=tuple(room for part in parts for room in part.rooms),
        teachers=tuple(teacher for part in parts for teacher in part.teachers),
        classes=tuple(school_class for part in parts for school_class in part.classes),
        requirements=tuple(
            structs.replace(requirement, community=community.id) for part in parts for requirement in part.requirements
        ),
    )


def many_counties(register: Register, times: int) -> Register:
    """A county so many times over, side by side: every id and every unit's code is another one in each copy."""
    document = msgspec.json.decode(msgspec.json.encode(register))
    lists = [
        name for name, rows in document.items() if isinstance(rows, list) and name not in ("mainSubjects", "weekdays")
    ]
    ids = {row["id"] for name in lists for row in document[name] if isinstance(row, dict) and "id" in row}

    def renamed(node: Any, copy: int) -> Any:
        if isinstance(node, dict):
            return {key: renamed(value, copy) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [renamed(value, copy) for value in node]
        return f"{node}-{copy}" if isinstance(node, str) and node in ids else node

    for name in lists:
        document[name] = [renamed(row, copy) for copy in range(times) for row in document[name]]
    for number, unit in enumerate(document["units"]):
        unit["code"] = "".join(chr(ord("A") + number // step % 26) for step in (676, 26, 1))
    return msgspec.convert(document, Register)
