"""This module owns the demo county: a deterministic register of six communities, made from `config/demo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from server.demo import county_places as places
from server.demo.county_plan import (
    CommunityPlan,
    CountyPlan,
    Curriculum,
    StagePlan,
    campuses,
    county_plan,
    curriculum,
    demo_term,
)
from server.demo.county_shared import SharedLessons
from server.demo.county_staff import CLASS_MEETING, Staff
from server.demo.county_together import TogetherPlan
from timetable.model import (
    Community,
    Party,
    Register,
    Requirement,
    Room,
    SchoolClass,
    SchoolUnit,
    Shortage,
    Slot,
    Weeks,
)
from timetable.register.parts import rows_of
from timetable.register.sheets import workbook

SEED = 2026
BUREAU_SHEETS = ("term", "closures", "make_up_days", "communities", "campuses", "travel")
RESEARCH_PERIODS = 3


def demo_register() -> Register:
    """The whole county, the same at every call: 43 units on 40 campuses in 6 communities."""
    return _County(county_plan(), curriculum()).register()


def demo_workbooks() -> dict[str, bytes]:
    """The county as its people would hand it in: one workbook of the bureau and one of every community, by name."""
    register = demo_register()
    rows = rows_of(register)
    files = {"county.xlsx": workbook({sheet: rows[sheet] for sheet in BUREAU_SHEETS})}
    for community in register.communities:
        own = rows_of(_part(register, community))
        schools = {sheet: given for sheet, given in own.items() if sheet not in BUREAU_SHEETS}
        files[f"{community.number}-{community.id}.xlsx"] = workbook(schools)
    return files


def _part(register: Register, community: Community) -> Register:
    """What the schools of one community hand in; a teacher of several units is handed in by the first."""
    units = set(community.units)
    return msgspec.structs.replace(
        register,
        units=tuple(unit for unit in register.units if unit.id in units),
        rooms=tuple(room for room in register.rooms if room.unit in units),
        teachers=tuple(teacher for teacher in register.teachers if teacher.posts[0] in units),
        classes=tuple(c for c in register.classes if c.unit in units),
        requirements=tuple(r for r in register.requirements if r.community == community.id),
        shortages=tuple(shortage for shortage in register.shortages if shortage.unit in units),
    )


class _County:
    """The county while it is being put together: places first, then people, then what must be taught."""

    def __init__(self, plan: CountyPlan, studies: Curriculum) -> None:
        self._plan = plan
        self._studies = studies
        self._campuses = places.campus_list(plan, campuses())
        self._roads = places.roads(self._campuses, campuses())
        travel = {road.campuses: road.minutes for road in self._roads}
        self._staff = Staff(studies, {**travel, **{(b, a): way for (a, b), way in travel.items()}})
        self._units: list[SchoolUnit] = []
        self._rooms: list[Room] = []
        self._classes: dict[str, list[SchoolClass]] = {}
        self._requirements: list[Requirement] = []

    def register(self) -> Register:
        for community in self._plan.communities:
            self._open(community)
        shared = [self._share(community) for community in self._plan.communities]
        research = self._research()
        for community, lessons in zip(self._plan.communities, shared, strict=True):
            together = TogetherPlan(community, self._studies, self._staff, self._classes).requirements()
            self._requirements += [*lessons, *research[community.id], *together, *self._local(community)]
        self._staff.give_mornings_off(Random(SEED))
        return Register(
            county=self._plan.county,
            term=demo_term(),
            communities=tuple(_community(community) for community in self._plan.communities),
            campuses=self._campuses,
            travel=self._roads,
            units=tuple(self._units),
            rooms=tuple(self._rooms),
            teachers=tuple(member.teacher() for member in self._staff.by_home()),
            classes=tuple(c for classes in self._classes.values() for c in classes),
            requirements=tuple(self._requirements),
            shortages=tuple(
                Shortage(unit=unit.id, subject=subject)
                for community in self._plan.communities
                for unit in community.units
                for subject in unit.lacks
            ),
        )

    def _open(self, community: CommunityPlan) -> None:
        """The community's units with their bells, classes, rooms and own teachers."""
        stage_plan = self._studies.stages[community.stage]
        for unit in community.units:
            rng = Random(f"{SEED} {unit.id}")
            classes = places.school_classes(unit, community.stage, self._plan.no_recording_consent, rng)
            self._classes[unit.id] = classes
            number = len(self._units) + 1
            self._units.append(places.school_unit(unit, community.stage, stage_plan, self._plan.winter_from, number))
            self._rooms += places.rooms(unit, classes)
            self._staff.open_unit(unit, community.stage, classes)

    def _share(self, community: CommunityPlan) -> list[Requirement]:
        """Sync and dedicated lessons; what they leave open of a shortage goes to itinerant teachers."""
        units = {unit.id: unit for unit in self._units}
        lessons = SharedLessons(community, self._studies, self._staff, units, self._classes)
        found = [*lessons.sync(), *lessons.dedicated()]
        names = [unit.id for unit in community.units]
        for unit in community.units:
            for subject in unit.lacks:
                self._staff.cover(names, unit.id, self._classes[unit.id], subject)
        return found

    def _local(self, community: CommunityPlan) -> list[Requirement]:
        """Whatever is left for each class to learn at home."""
        stage = self._studies.stages[community.stage]
        found = []
        for unit in community.units:
            for school_class in self._classes[unit.id]:
                for subject in self._studies.weekly[school_class.grade]:
                    weekly = self._staff.remaining[school_class.id, subject]
                    if not weekly:
                        continue
                    fixed = unit.class_meeting if subject == CLASS_MEETING else None
                    weeks = _weeks(stage, school_class, subject)
                    double = weeks != "all" or (weekly == 2 and school_class.grade in stage.doubles.get(subject, ()))
                    block = 2 if double else 1
                    load = 2 if weeks != "all" else weekly
                    found.append(
                        self._local_requirement(community, school_class, subject, load // block, block, weeks, fixed)
                    )
        return found

    def _local_requirement(
        self,
        community: CommunityPlan,
        school_class: SchoolClass,
        subject: str,
        weekly: int,
        block: int,
        weeks: Weeks,
        fixed: Slot | None,
    ) -> Requirement:
        teacher = self._staff.teaches[school_class.id, subject].id
        return Requirement(
            id=f"{school_class.id}.{self._studies.subjects[subject]}",
            kind="local",
            subject=subject,
            parties=(Party(unit=school_class.unit, classes=(school_class.id,), teachers=(teacher,)),),
            weekly=weekly,
            block=block,
            weeks=weeks,
            community=community.id,
            locked=(fixed,) if fixed else (),
        )

    def _research(self) -> Mapping[str, Sequence[Requirement]]:
        """By community, the half-days of the bigger subject groups, each on the county's afternoon for the subject."""
        home = {unit.id: community for community in self._plan.communities for unit in community.units}
        found: dict[str, list[Requirement]] = {community.id: [] for community in self._plan.communities}
        for unit, subject, members in self._staff.research_groups(self._studies.stages):
            stage = self._studies.stages[home[unit].stage]
            found[home[unit].id].append(
                Requirement(
                    id=f"{unit}.research.{self._studies.subjects[subject]}",
                    kind="research",
                    subject=subject,
                    parties=(Party(unit=unit, teachers=tuple(member.id for member in members)),),
                    weekly=1,
                    block=RESEARCH_PERIODS,
                    community=home[unit].id,
                    locked=(Slot(weekday=stage.research[subject], period=stage.morning_periods + 1),),
                    topic=f"{subject}教研",
                )
            )
        return found


def _weeks(stage: StagePlan, school_class: SchoolClass, subject: str) -> Weeks:
    """The weeks of one of two subjects that alternate; neighbouring classes begin with different ones, so that each
    teacher has about as much in odd weeks as in even ones."""
    for pair, grades in stage.alternating.items():
        subjects = pair.split("/")
        if school_class.grade in grades and subject in subjects:
            return "odd" if (subjects.index(subject) + school_class.number) % 2 else "even"
    return "all"


def _community(plan: CommunityPlan) -> Community:
    core, *members = plan.units
    return Community(
        id=plan.id,
        name=plan.name,
        number=plan.number,
        stage=plan.stage,
        mode=plan.mode,
        core=core.id,
        members=tuple(unit.id for unit in members),
    )
