"""This module owns the demo county's shared lessons: the sync lessons as planned, the dedicated lessons as needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from server.demo.county_plan import CommunityPlan, Curriculum, SyncLessonPlan, SyncPlan, UnitPlan
from server.demo.county_staff import Staff
from timetable.bells import matching_period, periods, windows_meet
from timetable.model import DEFAULT_OVERLAP_SLACK, Party, Requirement, SchoolClass, SchoolUnit

MOST_MEMBERS = 3
"""Classes that follow one dedicated lesson."""
FEWEST_MEETINGS = 10
"""Weekly periods in which the bells of a group must meet before its classes are taught together."""
ANY_DATE = "2026-09-01"


class SharedLessons:
    """The shared lessons of one community; what they teach is taken off what remains for the classes at home."""

    def __init__(
        self,
        community: CommunityPlan,
        studies: Curriculum,
        staff: Staff,
        units: Mapping[str, SchoolUnit],
        classes: Mapping[str, Sequence[SchoolClass]],
    ) -> None:
        self._community = community
        self._studies = studies
        self._staff = staff
        self._units = units
        self._classes = classes
        self._turns: Counter[tuple[str, int]] = Counter()

    @property
    def _core(self) -> str:
        return self._community.units[0].id

    def sync(self) -> list[Requirement]:
        return [self._sync(plan, lesson) for plan in self._community.sync for lesson in plan.lessons]

    def _sync(self, plan: SyncPlan, lesson: SyncLessonPlan) -> Requirement:
        chosen = [self._next_class(unit, lesson.grade) for unit in (plan.host, *plan.members)]
        parties = []
        for school_class in chosen:
            teacher = self._staff.teaches[school_class.id, lesson.subject]
            self._staff.remaining[school_class.id, lesson.subject] -= 1
            parties.append(Party(unit=school_class.unit, classes=(school_class.id,), teachers=(teacher.id,)))
        return Requirement(
            id=f"{chosen[0].id}.sync.{self._studies.subjects[lesson.subject]}",
            kind="sync",
            subject=lesson.subject,
            parties=tuple(parties),
            weekly=1,
            community=self._community.id,
            rotation=(plan.host, *plan.members) if lesson.goes_round else (),
            topic=lesson.topic,
        )

    def _next_class(self, unit: str, grade: int) -> SchoolClass:
        """The classes of a grade take turns, so that no class sits in the remote room all week."""
        of_grade = [c for c in self._classes[unit] if c.grade == grade]
        turn = self._turns[unit, grade]
        self._turns[unit, grade] += 1
        return of_grade[turn % len(of_grade)]

    def dedicated(self) -> list[Requirement]:
        """Lessons from the core school for the subjects that its members lack, several members together where their
        bells meet."""
        stage = self._studies.stages[self._community.stage]
        found = []
        for subject, weekly in stage.dedicated.items():
            lacking = [unit for unit in self._community.units[1:] if subject in unit.lacks]
            for number, group in enumerate(self._groups(lacking), 1):
                for grade in stage.dedicated_grades:
                    for turn in range(max(unit.classes_per_grade for unit in group)):
                        classes = [c for unit in group for c in self._classes[unit.id] if c.grade == grade]
                        taught = [c for c in classes if c.number == turn + 1]
                        found.append(self._dedicated(subject, weekly, taught, f"{number}-{grade}-{turn + 1}"))
        return found

    def _dedicated(self, subject: str, weekly: int, taught: Sequence[SchoolClass], label: str) -> Requirement:
        host = self._staff.host_for(self._core, subject, weekly)
        parties = [Party(unit=self._core, teachers=(host.id,))]
        for school_class in taught:
            assistant = self._staff.assistant_for(school_class.unit, weekly)
            self._staff.remaining[school_class.id, subject] -= weekly
            parties.append(Party(unit=school_class.unit, classes=(school_class.id,), teachers=(assistant.id,)))
        return Requirement(
            id=f"{self._core}.dedicated.{self._studies.subjects[subject]}-{label}",
            kind="dedicated",
            subject=subject,
            parties=tuple(parties),
            weekly=weekly,
            community=self._community.id,
        )

    def _groups(self, lacking: Sequence[UnitPlan]) -> list[list[UnitPlan]]:
        groups: list[list[UnitPlan]] = []
        for unit in lacking:
            for group in groups:
                together = [self._core, *(other.id for other in group), unit.id]
                if len(group) < MOST_MEMBERS and self.meetings(together) >= FEWEST_MEETINGS:
                    group.append(unit)
                    break
            else:
                groups.append([unit])
        return groups

    def meetings(self, units: Sequence[str]) -> int:
        """In how many periods of the first unit's week the bells of all units meet."""
        count = 0
        for weekday in range(1, 6):
            host, *others = (periods(self._units[unit], weekday, ANY_DATE) for unit in units)
            for window in host.values():
                matched = [matching_period(window, day, DEFAULT_OVERLAP_SLACK) for day in others]
                windows = [window, *(day[p] for day, p in zip(others, matched, strict=True) if p is not None)]
                count += None not in matched and windows_meet(windows, DEFAULT_OVERLAP_SLACK)
        return count
