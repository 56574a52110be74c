"""Registers for tests and benchmarks: a generated community of any size, and many of them.

Everything here is a function of its arguments: the same seed gives the same register on every machine.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import structs

from tests.community_builder import WEEKDAYS, CommunityBuilder, bell_times
from timetable.model import BusyTime, Party, Register, Teacher, Travel

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
