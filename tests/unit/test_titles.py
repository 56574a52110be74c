"""What has no class is called by what it is, whose and about what, wherever a finding names it."""

from __future__ import annotations

from msgspec import structs

from tests.unit.small_register import SMALL
from timetable.bell_changes import parted_lessons
from timetable.days.grounds import Grounds
from timetable.explaining import concessions
from timetable.model import BellSchedule, Kind, Lesson, Party, Period, PlacedParty, Register, Requirement, Table
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.titles import KIND_WORDS, requirement_title, short_title

LESSON, OWN = SMALL.requirements


def meeting(id: str, kind: Kind, host: str, topic: str = "") -> Requirement:
    units = (host, "east" if host == "core" else "core")
    teachers = {"core": ("t1",), "east": ("t3",)}
    parties = tuple(Party(unit=unit, classes=(), teachers=teachers[unit]) for unit in units)
    return Requirement(id=id, kind=kind, subject="科学", parties=parties, weekly=1, community="one", topic=topic)


MEETINGS = (
    meeting("m1", "joint_preparation", "core"),
    meeting("m2", "joint_preparation", "core", "光的反射"),
    meeting("m3", "joint_preparation", "east"),
    meeting("m4", "research", "core"),
    meeting("m5", "joint_preparation", "core", "科学集体备课"),
)
TITLES = ["集体备课 科学 中", "集体备课 科学 中 光的反射", "集体备课 科学 东", "教研 科学 中", "集体备课 科学 中"]
REGISTER = structs.replace(SMALL, requirements=(*SMALL.requirements, *MEETINGS))


def lesson(requirement: Requirement) -> Lesson:
    parties = tuple(
        PlacedParty(unit=p.unit, period=1, start="08:20", end="09:00", classes=p.classes, teachers=p.teachers)
        for p in requirement.parties
    )
    return Lesson(
        id=f"{requirement.id}.1",
        requirement=requirement.id,
        kind=requirement.kind,
        subject=requirement.subject,
        weekday=1,
        start="08:25",
        end="09:00",
        parties=parties,
        topic=requirement.topic,
    )


def test_meetings_of_one_subject_are_told_apart() -> None:
    grounds, problem = Grounds(REGISTER), Problem(REGISTER, REGISTER.communities[0])
    table = Table(community="one", term=SMALL.term.id, lessons=tuple(lesson(one) for one in MEETINGS))
    assert [grounds.title(one) for one in table.lessons] == TITLES
    assert [Arrangement(problem, table).title(one) for one in table.lessons] == TITLES
    assert [concessions.title(problem, one) for one in MEETINGS] == TITLES
    assert [requirement_title(REGISTER, one) for one in MEETINGS[1:4]] == [
        "集体备课 科学 中、东 光的反射",
        "集体备课 科学 东、中",
        "教研 科学 中、东",
    ]


def test_lessons_keep_their_title() -> None:
    assert Grounds(REGISTER).title(lesson(LESSON)) == "科学 五(1)班"
    assert concessions.title(Problem(REGISTER, REGISTER.communities[0]), LESSON) == "科学 中 五(1)班、东 五(1)班"
    assert requirement_title(REGISTER, LESSON) == "科学 中 五(1)班、东 五(1)班"
    assert requirement_title(REGISTER, OWN) == "语文 东 五(1)班"


def test_a_kind_that_is_its_own_subject_is_said_once() -> None:
    chaired = structs.replace(meeting("m", "joint_meeting", "core"), subject=KIND_WORDS["joint_meeting"])
    assert short_title(chaired, (), "中") == "联席会议 中"


def test_a_meeting_that_the_bells_part_is_named_whole() -> None:
    late = tuple(Period(number=n, start=f"{15 + n}:00", end=f"{15 + n}:40") for n in (1, 2))
    autumn = BellSchedule(weekdays=(1, 2, 3, 4, 5), periods=late, valid_from="2026-11-02")
    core, east = SMALL.units
    register: Register = structs.replace(REGISTER, units=(core, structs.replace(east, bells=(*east.bells, autumn))))
    table = Table(community="one", term=SMALL.term.id, lessons=(lesson(MEETINGS[1]),))
    [parted] = parted_lessons(register, table)
    assert parted.values["title"] == "集体备课 科学 中学校 光的反射"
