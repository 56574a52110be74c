"""This module owns what the demo county's schools do together beside lessons: joint preparation, the monthly joint
meeting, and tests at the same time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from server.demo.county_plan import CommunityPlan, Curriculum, StagePlan
from server.demo.county_staff import Staff
from timetable.model import Party, Requirement, SchoolClass

MEETING = "联席会议"
MEETING_PERIODS = 2
CONCEDED_MINUTES = 10
"""Minutes that a meeting or a test may share less than a lesson: all schools of a community have to meet at once."""


class TogetherPlan:
    """The requirements of one community that are no lessons."""

    def __init__(
        self,
        community: CommunityPlan,
        studies: Curriculum,
        staff: Staff,
        classes: Mapping[str, Sequence[SchoolClass]],
    ) -> None:
        self._community = community
        self._studies = studies
        self._staff = staff
        self._classes = classes

    @property
    def _stage(self) -> StagePlan:
        return self._studies.stages[self._community.stage]

    @property
    def _core(self) -> str:
        return self._community.units[0].id

    def requirements(self) -> Iterator[Requirement]:
        for subject in self._stage.preparation:
            yield self._preparation(subject)
        yield self._meeting()
        yield self._test()

    def _preparation(self, subject: str) -> Requirement:
        """Every other week; the school that leads it changes (轮流主持)."""
        parties = []
        for unit in self._community.units:
            member = self._staff.one_of(unit.id, subject)
            if member is not None:
                parties.append(Party(unit=unit.id, teachers=(member.id,)))
        return Requirement(
            id=f"{self._core}.preparation.{self._studies.subjects[subject]}",
            kind="joint_preparation",
            subject=subject,
            parties=tuple(parties),
            weekly=1,
            weeks="odd",
            community=self._community.id,
            rotation=tuple(party.unit for party in parties),
            overlap_conceded=CONCEDED_MINUTES,
            topic=f"{subject}集体备课",
        )

    def _meeting(self) -> Requirement:
        """Once a month, with a rotating chair (轮值主席)."""
        units = [unit.id for unit in self._community.units]
        delegates = {unit: self._staff.assistant_for(unit, MEETING_PERIODS) for unit in units}
        return Requirement(
            id=f"{self._core}.meeting",
            kind="joint_meeting",
            subject=MEETING,
            parties=tuple(Party(unit=unit, teachers=(member.id,)) for unit, member in delegates.items()),
            weekly=1,
            weeks="even",
            only_weeks=self._stage.meeting_weeks,
            block=MEETING_PERIODS,
            community=self._community.id,
            rotation=tuple(units),
            overlap_conceded=CONCEDED_MINUTES,
        )

    def _test(self) -> Requirement:
        """All classes of the highest grade at one time, watched by their teachers of the subject."""
        plan = self._stage.test
        parties = []
        for unit in self._community.units:
            sitting = [c for c in self._classes[unit.id] if c.grade == plan.grade]
            watching = dict.fromkeys(self._staff.teaches[c.id, plan.subject].id for c in sitting)
            parties.append(Party(unit=unit.id, classes=tuple(c.id for c in sitting), teachers=tuple(watching)))
        return Requirement(
            id=f"{self._core}.test.{self._studies.subjects[plan.subject]}-{plan.grade}",
            kind="common_test",
            subject=plan.subject,
            parties=tuple(parties),
            weekly=1,
            weeks="even",
            only_weeks=plan.weeks,
            block=plan.periods,
            community=self._community.id,
            overlap_conceded=CONCEDED_MINUTES,
            topic=plan.topic,
        )
