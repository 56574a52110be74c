"""This module owns the demo county's teachers: who is hired where, who teaches what, who serves several units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from server.demo.county_plan import Curriculum, StagePlan, TeachingGroup, UnitPlan
from timetable.model import BusyTime, SchoolClass, Stage, Teacher

SMALL_UNIT = 6
"""A unit with at most so many classes lets one teacher teach several related subjects."""
MOST_POSTS = 3
LONGEST_WAY = 45
"""Minutes that an itinerant teacher is sent at most, unless nobody is nearer."""
EXTRA = 2
"""Lessons beyond the usual load that a teacher takes on for another unit before somebody new is hired."""
CLASS_MEETING = "班会"
CLASS_TEACHER_SUBJECTS = ("语文", "数学", "英语")
PART_TIME = 0.03
AFTERNOON = ("13:30", "18:00")
MORNING = ("07:30", "12:30")


@dataclass
class StaffMember:
    """A teacher while the county is being put together."""

    id: str
    name: str
    stage: Stage
    posts: list[str]
    group: TeachingGroup
    load: int = 0
    leads_class: bool = False
    unavailable: list[BusyTime] = field(default_factory=list)

    @property
    def home(self) -> str:
        return self.posts[0]

    @property
    def subject(self) -> str:
        return self.group.subjects[0]

    def teacher(self) -> Teacher:
        return Teacher(
            id=self.id,
            name=self.name,
            posts=tuple(self.posts),
            subjects=self.group.subjects,
            unavailable=tuple(self.unavailable),
        )


def even_shares(loads: Sequence[int], most: int) -> list[int]:
    """Which teacher takes which of these neighbouring loads: as few teachers as `most` allows, evenly."""
    fewest = _fill(loads, most)[-1]
    return next(shares for cap in range(max(loads), most + 1) if (shares := _fill(loads, cap))[-1] == fewest)


def _fill(loads: Sequence[int], cap: int) -> list[int]:
    shares, carried = [0], loads[0]
    for load in loads[1:]:
        full = carried + load > cap
        shares.append(shares[-1] + full)
        carried = load if full else carried + load
    return shares


class Staff:
    """All teachers of the county. `teaches` and `remaining` are by class and subject; `remaining` counts the weekly
    lessons that are not yet part of a requirement."""

    def __init__(self, plan: Curriculum, travel: Mapping[tuple[str, str], int]) -> None:
        self._curriculum = plan
        self._travel = travel
        self._units: dict[str, tuple[UnitPlan, Stage]] = {}
        self._numbers: Counter[tuple[str, str]] = Counter()
        self.members: list[StaffMember] = []
        self.teaches: dict[tuple[str, str], StaffMember] = {}
        self.remaining: dict[tuple[str, str], int] = {}

    def by_home(self) -> list[StaffMember]:
        """All teachers, unit by unit in the order in which the units were opened."""
        order = {unit: number for number, unit in enumerate(self._units)}
        return sorted(self.members, key=lambda member: order[member.home])

    # Own teachers ---------------------------------------------------------------------------------------------------

    def open_unit(self, unit: UnitPlan, stage: Stage, classes: Sequence[SchoolClass]) -> None:
        """Hire the unit's own teachers and give them their classes; subjects that the unit lacks stay open."""
        self._units[unit.id] = (unit, stage)
        plan = self._curriculum.stages[stage]
        for school_class in classes:
            for subject, weekly in self._curriculum.weekly[school_class.grade].items():
                self.remaining[school_class.id, subject] = weekly
        for group in plan.small if len(classes) <= SMALL_UNIT else plan.groups:
            self._staff_group(unit, stage, group, classes)
        for school_class in classes:
            self._choose_class_teacher(school_class)

    def _staff_group(self, unit: UnitPlan, stage: Stage, group: TeachingGroup, classes: Sequence[SchoolClass]) -> None:
        """Give every teacher of the group neighbouring classes with about the same load."""
        own = [subject for subject in group.subjects if subject not in unit.lacks]
        loads = {c.id: sum(self.remaining.get((c.id, subject), 0) for subject in own) for c in classes}
        taught = [c for c in classes if loads[c.id]]
        if not taught:
            return
        each = [loads[c.id] for c in taught]
        shares = list(range(len(taught))) if group.one_class else even_shares(each, group.most)
        hired = [self.hire(unit.id, stage, group) for _ in range(shares[-1] + 1)]
        for share, school_class in zip(shares, taught, strict=True):
            for subject in own:
                if (school_class.id, subject) in self.remaining:
                    self._give(hired[share], school_class.id, subject)

    def _choose_class_teacher(self, school_class: SchoolClass) -> None:
        candidates = [self.teaches.get((school_class.id, subject)) for subject in CLASS_TEACHER_SUBJECTS]
        free = [member for member in candidates if member is not None and not member.leads_class]
        if not free:
            taught = [member for (c, _), member in self.teaches.items() if c == school_class.id]
            free = [member for member in taught if not member.leads_class]
        leader = min(free, key=lambda member: (not member.group.one_class, member.load))
        leader.leads_class = True
        self._give(leader, school_class.id, CLASS_MEETING)

    def _give(self, member: StaffMember, school_class: str, subject: str) -> None:
        self.teaches[school_class, subject] = member
        member.load += self.remaining[school_class, subject]

    def hire(self, unit: str, stage: Stage, group: TeachingGroup) -> StaffMember:
        subject = group.subjects[0]
        self._numbers[unit, subject] += 1
        number = self._numbers[unit, subject]
        label = f"{self._curriculum.subjects[subject]}{number:02d}"
        member = StaffMember(f"{unit}.t.{label}", f"{subject}教师{number:02d}", stage, [unit], group)
        self.members.append(member)
        return member

    # Teachers for others --------------------------------------------------------------------------------------------

    def host_for(self, core: str, subject: str, lessons: int) -> StaffMember:
        """The core's least busy teacher of the subject with time for these dedicated lessons, or a new one."""
        able = [m for m in self._of_subject(subject) if m.home == core and m.load + lessons <= m.group.most + EXTRA]
        member = min(able, key=lambda m: m.load, default=None) or self._hire_for(core, subject)
        member.load += lessons
        return member

    def assistant_for(self, unit: str, lessons: int) -> StaffMember:
        """The least busy teacher of the unit without a class to lead, where there is one."""
        own = [member for member in self.members if member.home == unit]
        member = min(own, key=lambda m: (m.leads_class, m.load))
        member.load += lessons
        return member

    def one_of(self, unit: str, subject: str) -> StaffMember | None:
        """The unit's own least busy teacher of the subject, where there is one; an hour is added to their load."""
        own = [member for member in self._of_subject(subject) if member.home == unit]
        member = min(own, key=lambda m: (m.leads_class, m.load), default=None)
        if member is not None:
            member.load += 1
        return member

    def cover(self, community: Iterable[str], unit: str, classes: Iterable[SchoolClass], subject: str) -> None:
        """Send teachers of nearby units for what is left of a subject that the unit lacks (走教)."""
        near = sorted(
            (self._minutes(other, unit), other)
            for other in self._units
            if other != unit and (other in community or self._same_campus(other, unit))
        )
        for school_class in classes:
            open_lessons = self.remaining.get((school_class.id, subject), 0)
            if open_lessons:
                member = self._itinerant(near, unit, subject, open_lessons)
                if unit not in member.posts:
                    member.posts.append(unit)
                self._give(member, school_class.id, subject)

    def _itinerant(self, near: Sequence[tuple[int, str]], unit: str, subject: str, lessons: int) -> StaffMember:
        minutes = {other: way for way, other in near}
        able = [
            member
            for member in self._of_subject(subject)
            if member.home in minutes
            and member.load + lessons <= member.group.most + EXTRA
            and (unit in member.posts or (minutes[member.home] <= LONGEST_WAY and len(member.posts) < MOST_POSTS))
        ]
        # a teacher who comes already comes again; a new post goes to whoever is nearest
        chosen = min(able, key=lambda m: (unit not in m.posts, minutes[m.home], m.load), default=None)
        if chosen is not None:
            return chosen
        home = next(other for _, other in near if subject not in self._units[other][0].lacks)
        return self._hire_for(home, subject)

    def _hire_for(self, unit: str, subject: str) -> StaffMember:
        _, stage = self._units[unit]
        group = next(g for g in self._curriculum.stages[stage].groups if subject in g.subjects)
        return self.hire(unit, stage, group)

    def _of_subject(self, subject: str) -> list[StaffMember]:
        return [member for member in self.members if subject in member.group.subjects]

    def _minutes(self, a: str, b: str) -> int:
        first, second = self._units[a][0].campus_id, self._units[b][0].campus_id
        return 0 if first == second else self._travel[first, second]

    def _same_campus(self, a: str, b: str) -> bool:
        return self._units[a][0].campus_id == self._units[b][0].campus_id

    # Time -----------------------------------------------------------------------------------------------------------

    def research_groups(self, stages: Mapping[Stage, StagePlan]) -> list[tuple[str, str, list[StaffMember]]]:
        """Unit, subject and teachers of every subject group whose research half-day stands in the table. Everyone
        else who meets that afternoon becomes unavailable then."""
        groups: dict[tuple[str, str], list[StaffMember]] = {}
        for member in self.members:
            groups.setdefault((member.home, member.subject), []).append(member)
        found = []
        for (unit, subject), members in groups.items():
            plan = stages[members[0].stage]
            weekday = plan.research.get(subject)
            if weekday is None:
                continue
            if subject in plan.research_in_table and len(members) >= plan.research_group:
                found.append((unit, subject, members))
                continue
            start, end = AFTERNOON
            for member in members:
                member.unavailable.append(BusyTime(weekday=weekday, start=start, end=end, reason=f"{subject}教研"))
        return found

    def give_mornings_off(self, rng: Random) -> None:
        """A few teachers have other duties on one morning (培训、行政)."""
        for member in self.members:
            weekday = rng.randint(1, 5)
            if rng.random() < PART_TIME and len(member.posts) == 1 and not member.leads_class:
                start, end = MORNING
                member.unavailable.append(BusyTime(weekday=weekday, start=start, end=end, reason="其他公务"))
