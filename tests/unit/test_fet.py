"""To FET and back: what its grid can hold, what it cannot, and what the real `fet-cl` makes of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import LANGUAGES, catalogue
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable.checker import check
from timetable.fet import exporting as fet_export
from timetable.fet.exporting import FetExport, export
from timetable.fet.solution import read_solution
from timetable.fet.xml import FetUnreadable, child, parse
from timetable.model import BusyTime, Party, Register, Slot, Travel
from timetable.problem import Problem

NOTHING = b"<Activities_Timetable></Activities_Timetable>"


def problem_of(register: Register) -> Problem:
    return Problem(register, register.communities[0])


def solve(fet: str, exported: FetExport, folder: Path, seconds: int = 30) -> tuple[bytes, bytes]:
    """What fet-cl makes of the export: its activities, and its file with the table in it."""
    (folder / "community.fet").write_bytes(exported.document)
    command = [fet, "--inputfile=community.fet", "--outputdir=out", f"--timelimitseconds={seconds}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=seconds + 60)
    assert done.returncode == 0, done.stdout[-800:]
    made = folder / "out/timetables/community"
    assert made.exists(), done.stdout[-800:]
    return (made / "community_activities.xml").read_bytes(), (made / "community_data_and_timetable.fet").read_bytes()


def codes(exported: FetExport) -> list[str]:
    return [finding.code for finding in exported.findings]


def texts(document: bytes, list: str, tag: str = "Name") -> list[str]:
    node = parse(document).find(list)
    assert node is not None
    return [child(item, tag) for item in node if item.find(tag) is not None]


def two_schools(*, first: int = 480, second: int = 480) -> CommunityBuilder:
    builder = CommunityBuilder()
    units = [builder.unit(bell_times(first, 30, 840)), builder.unit(bell_times(second, 30, 840))]
    builder.travel.append(Travel(campuses=("campus-A0", "campus-A1"), minutes=25))
    classes = [builder.school_class(unit) for unit in units]
    teachers = [builder.teacher(unit) for unit in units]
    for school_class, teacher in zip(classes, teachers, strict=True):
        builder.local(school_class, "语文", 4, teacher)
    return builder


def test_fet_itself_finds_a_table_that_keeps_our_rules(tmp_path: Path, require: Callable[[str], str]) -> None:
    register = generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)})
    problem = problem_of(register)
    exported = export(problem)
    activities, file = solve(require("fet-cl"), exported, tmp_path)
    table = read_solution(problem, exported, activities)
    assert check(register, table) == []
    assert len(table.lessons) == sum(requirement.weekly for requirement in register.requirements)
    assert table.cost == sum(rule.cost for rule in table.cost_by_rule)
    assert read_solution(problem, exported, file) == table


def test_weeks_locks_blocks_and_busy_times_survive_the_way_through_fet(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    builder = two_schools()
    first, second = builder.classes
    busy = (BusyTime(weekday=1, start="08:00", end="12:00"),)
    science = builder.teacher("A0", subject="科学", unavailable=busy)
    builder.local(first.id, "科学", 2, science, weeks="odd")
    builder.local(first.id, "劳动", 2, builder.teacher("A0", subject="劳动"), weeks="even")
    builder.local(second.id, "美术", 1, builder.teacher("A1", subject="美术"), block=2)
    builder.local(second.id, "体育", 1, builder.teacher("A1"), locked=(Slot(weekday=3, period=4),))
    register = builder.register()
    problem = problem_of(register)
    exported = export(problem)
    activities, _ = solve(require("fet-cl"), exported, tmp_path)
    table = read_solution(problem, exported, activities)
    assert check(register, table) == []
    odd, even = (
        sorted((lesson.weekday, lesson.host.period) for lesson in table.lessons if lesson.weeks == weeks)
        for weeks in ("odd", "even")
    )
    assert odd == even
    assert codes(exported) == ["fet_weeks_paired", "fet_not_priced"]


def test_different_bells_share_hours_where_their_windows_meet() -> None:
    builder = two_schools(second=530)
    members = [
        Party(unit=c.unit, classes=(c.id,), teachers=(t,))
        for c, t in zip(builder.classes, builder.teachers, strict=True)
    ]
    builder.require("sync", "英语", 1, *members)
    exported = export(problem_of(builder.register()))
    # the second school begins when the first has its second lesson, and has one more before noon
    assert [name.split(" ", 1)[1] for name in exported.hours] == [
        "08:00-08:40",
        "08:50-09:30",
        "10:00-10:40",
        "10:50-11:30",
        "11:40-12:20",
        "14:00-14:40",
        "14:50-15:30",
        "15:40-16:20",
    ]
    assert "fet_bells" in codes(exported)
    assert "fet_placements_lost" not in codes(exported)
    sync = exported.activities[-1]
    assert {hour for _, hour in sync.slots} == {1, 3, 5, 6, 7}


def test_a_travelling_teacher_has_time_between_shared_and_local_lessons(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    builder = two_schools()
    first, second = builder.classes
    travelling = builder.teacher("A0", "A1", subject="音乐", max_per_day=3)
    builder.local(second.id, "音乐", 4, travelling)
    host, member = Party(unit="A0", teachers=(travelling,)), Party(unit="A1", classes=(second.id,))
    builder.require("dedicated", "美术", 4, host, member)
    builder.local(first.id, "美术", 4, travelling)
    register = builder.register()
    problem = problem_of(register)
    exported = export(problem)
    assert exported.document.count(b"<ConstraintMinGapsBetweenActivities>") == 4 * 4
    activities, _ = solve(require("fet-cl"), exported, tmp_path)
    assert check(register, read_solution(problem, exported, activities)) == []


def test_what_fet_cannot_express_is_said() -> None:
    builder = two_schools(second=485)
    first, second = builder.classes
    third = builder.unit(bell_times(480, 30, 840), remote_rooms=2, link=1, campus="campus-A1")
    odd = (BusyTime(weekday=2, start="08:00", end="12:00", weeks="odd"),)
    both = builder.teacher("A0", "A1", subject="音乐", unavailable=odd)
    builder.local(first.id, "音乐", 1, both)
    builder.local(second.id, "音乐", 1, both, weeks="odd")
    other = builder.school_class(third)
    for pair in ((first, second.id), (first, other)):
        unit = next(c.unit for c in builder.classes if c.id == pair[1])
        host = Party(unit="A0", classes=(first.id,), teachers=("A0-t1",))
        builder.require("sync", "英语", 1, host, Party(unit=unit, classes=(pair[1],)))
    exported = export(problem_of(builder.register()))
    assert set(codes(exported)) == {
        "fet_bells",
        "fet_overlap",
        "fet_weeks",
        "fet_busy_weeks",
        "fet_travel",
        "fet_link",
        "fet_not_priced",
    }
    assert all(finding.severity == "warning" for finding in exported.findings)


def test_a_requirement_without_an_hour_is_left_out_and_named() -> None:
    builder = two_schools()
    busy = tuple(BusyTime(weekday=day, start="08:00", end="17:00") for day in range(1, 6))
    id = builder.local(builder.classes[0].id, "科学", 1, builder.teacher("A0", unavailable=busy))
    exported = export(problem_of(builder.register()))
    found = [finding.values for finding in exported.findings if finding.code == "fet_no_hour"]
    assert found == [{"requirement": id, "subject": "科学"}]
    assert id not in texts(exported.document, "Activities_List", "Comments")


def test_names_are_unique_and_harmless() -> None:
    builder = two_schools()
    evil = "<Teacher>&\x00\x1b'\""
    for id in list(builder.teachers)[:2]:
        teacher = builder.teachers[id]
        builder.teachers[id] = type(teacher)(id=id, name=evil, posts=teacher.posts, subjects=teacher.subjects)
    names = texts(export(problem_of(builder.register())).document, "Teachers_List")
    assert names == ["<Teacher>&'\"", "<Teacher>&'\" [A1-t2]"]


def test_the_same_community_gives_the_same_bytes() -> None:
    register = generated_community(3, shape=(2, 1), lacking={})
    assert export(problem_of(register)).document == export(problem_of(register)).document


def test_lessons_beyond_the_line_have_no_room_in_fet() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(bell_times(480, 30, 840), remote_rooms=3, link=1) for _ in range(2)]
    parties = [Party(unit=u, classes=(builder.school_class(u),), teachers=(builder.teacher(u),)) for u in units]
    builder.require("sync", "英语", 2, *parties)
    exported = export(problem_of(builder.register()))
    sets = parse(exported.document).iter("Set_of_Real_Rooms")
    assert [[room.text for room in rooms.iter("Real_Room")] for rooms in sets] == [
        ["A0 远程教室1"],
        ["A1 远程教室1"],
    ]
    assert "fet_link" not in codes(exported)


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        assert [code for code in fet_export.CODES if f"finding.{code}" not in catalogue(language)] == []


@settings(max_examples=30, deadline=None)
@given(small_registers())
def test_any_register_can_be_exported(register: Register) -> None:
    problem = problem_of(register)
    exported = export(problem)
    placed = sum(len(activity.demands) for activity in exported.activities)
    left_out = {finding.values["requirement"] for finding in exported.findings if finding.code == "fet_no_hour"}
    assert placed == sum(r.weekly for r in register.requirements if r.id not in left_out)
    assert read_solution(problem, exported, NOTHING).lessons == ()
    for activity in exported.activities:
        for placements in activity.slots.values():
            assert all(p in d.placements for d, p in zip(activity.demands, placements, strict=True))


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"<fet>{text}</fet>".encode()))
def test_a_garbled_solution_is_refused_or_empty(content: bytes) -> None:
    problem = problem_of(two_schools().register())
    with suppress(FetUnreadable):
        assert read_solution(problem, export(problem), content).lessons == ()


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><fet>&x;</fet>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><fet/>'.encode("utf-16"),
        b"<fet>" * 100_000,
        b"",
        b"\xff\xff",
    ],
)
def test_dangerous_documents_are_refused(document: bytes) -> None:
    with pytest.raises(FetUnreadable):
        parse(document)
