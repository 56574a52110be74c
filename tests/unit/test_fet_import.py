"""From FET to a register: what is understood, what is assumed, what is left out, and that nothing makes it fail."""

from __future__ import annotations

import gzip
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sentences import LANGUAGES, catalogue
from tests.community_builder import TERM, CommunityBuilder, bell_times
from tests.unit.small_register import SMALL
from timetable.checker import check
from timetable.fet import importing as fet_import
from timetable.fet.exporting import export
from timetable.fet.importing import FetImport, import_fet, joined
from timetable.model import BusyTime, Register, Slot
from timetable.problem import Problem
from timetable.register.check import check as check_rows
from timetable.register.parts import rows_of
from timetable.register.references import check_references
from timetable.solving import solver

EXAMPLES = Path("/usr/share/doc/fet-data/examples")
LARGEST_EXAMPLE = 400_000
"""Bytes: the larger ones, all of which are read too, take minutes."""


def fet(activities: str, *, constraints: str = "", students: str = "", hours: str = "", more: str = "") -> bytes:
    """A FET file of two days, four hours, two classes and two teachers."""
    days = "".join(f"<Day><Name>{name}</Name></Day>" for name in ("Monday", "Wednesday"))
    hours = hours or "".join(f"<Hour><Name>{n}</Name></Hour>" for n in range(1, 5))
    students = students or "".join(
        f"<Year><Name>{name}</Name><Number_of_Students>30</Number_of_Students></Year>" for name in ("五(1)", "6b")
    )
    teachers = "".join(f"<Teacher><Name>{name}</Name></Teacher>" for name in ("Li", "Wang"))
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><fet version='6.8.5'>{more}<Institution_Name>北小</Institution_Name>"
        f"<Days_List>{days}</Days_List><Hours_List>{hours}</Hours_List><Teachers_List>{teachers}</Teachers_List>"
        f"<Students_List>{students}</Students_List><Activities_List>{activities}</Activities_List>"
        f"<Time_Constraints_List>{constraints}</Time_Constraints_List></fet>"
    ).encode()


def activity(
    id: int, *students: str, teacher: str = "Li", subject: str = "Art", duration: int = 1, group: int = 0
) -> str:
    teachers = f"<Teacher>{teacher}</Teacher>" if teacher else ""
    sets = "".join(f"<Students>{name}</Students>" for name in students)
    return (
        f"<Activity>{teachers}<Subject>{subject}</Subject>{sets}<Duration>{duration}</Duration><Id>{id}</Id>"
        f"<Activity_Group_Id>{group}</Activity_Group_Id><Active>true</Active></Activity>"
    )


def constraint(tag: str, content: str, percent: str = "100") -> str:
    return f"<{tag}><Weight_Percentage>{percent}</Weight_Percentage>{content}<Active>true</Active></{tag}>"


def times(tag: str, *slots: tuple[str, int]) -> str:
    return "".join(f"<{tag}><Day>{day}</Day><Hour>{hour}</Hour></{tag}>" for day, hour in slots)


def taken(document: bytes) -> tuple[Register, Counter[str]]:
    """The register, which must be sound, and the codes of what was found."""
    found = import_fet("a.fet", document, TERM)
    assert found.register is not None, found.findings
    assert_sound(found.register)
    return found.register, Counter(finding.code for finding in found.findings)


def assert_sound(register: Register) -> None:
    assert msgspec.json.decode(msgspec.json.encode(register), type=Register) == register
    assert check_references(register) == []
    clashes = {"locked_teacher_twice", "locked_class_twice"}
    errors = [f for f in check_rows(rows_of(register)) if f.severity == "error" and f.code not in clashes]
    assert errors == []


def test_activities_become_requirements() -> None:
    register, codes = taken(
        fet(
            activity(1, "五(1)", group=1)
            + activity(2, "五(1)", group=1)
            + activity(3, "五(1)", group=1, duration=2)
            + activity(4, "五(1)", "6b", teacher="Wang", subject="PE")
            + activity(5, teacher="Wang", subject="Meeting")
            + activity(6, "6b", teacher="", subject="Reading")
            + activity(7, teacher="", subject="Nothing")
        )
    )
    classes = {c.id: (c.name, c.grade, c.pupils) for c in register.classes}
    assert list(classes.values()) == [("五(1)", 5, 30), ("6b", 6, 30)]
    first, second = classes
    teachers = {t.id: t.name for t in register.teachers}
    assert [
        (r.kind, r.subject, r.weekly, r.block, r.parties[0].classes, [teachers[t] for t in r.parties[0].teachers])
        for r in register.requirements
    ] == [
        ("local", "Art", 2, 1, (first,), ["Li"]),
        ("local", "Art", 1, 2, (first,), ["Li"]),
        ("local", "PE", 1, 1, (first, second), ["Wang"]),
        ("joint_preparation", "Meeting", 1, 1, (), ["Wang"]),
        ("local", "Reading", 1, 1, (second,), ["? Reading"]),
    ]
    assert register.weekdays == (1, 3)
    assert codes == {"fet_hours_assumed": 1, "fet_teacher_assumed": 1, "fet_nobody": 1}


def test_constraints_with_a_counterpart_are_taken_and_the_others_are_counted() -> None:
    constraints = (
        constraint("ConstraintBasicCompulsoryTime", "")
        + constraint(
            "ConstraintTeacherNotAvailableTimes",
            "<Teacher>Li</Teacher>" + times("Not_Available_Time", ("Monday", 2), ("Monday", 1), ("Wednesday", 4)),
        )
        + constraint("ConstraintTeachersMaxHoursDaily", "<Maximum_Hours_Daily>3</Maximum_Hours_Daily>")
        + constraint(
            "ConstraintTeacherMaxHoursDaily",
            "<Teacher_Name>Li</Teacher_Name><Maximum_Hours_Daily>2</Maximum_Hours_Daily>",
        )
        + constraint(
            "ConstraintStudentsSetNotAvailableTimes",
            "<Students>6b</Students>" + times("Not_Available_Time", ("Wednesday", 1)),
        )
        + constraint("ConstraintBreakTimes", times("Break_Time", ("Monday", 3)))
        + constraint(
            "ConstraintActivityPreferredStartingTime",
            "<Activity_Id>1</Activity_Id><Preferred_Day>Monday</Preferred_Day><Preferred_Hour>4</Preferred_Hour>",
        )
        + constraint(
            "ConstraintActivityPreferredStartingTime",
            "<Activity_Id>2</Activity_Id><Preferred_Day>Monday</Preferred_Day><Preferred_Hour>1</Preferred_Hour>",
            "90",
        )
        + constraint("ConstraintTeacherMaxGapsPerWeek", "<Teacher_Name>Li</Teacher_Name><Max_Gaps>2</Max_Gaps>")
    )
    register, codes = taken(fet(activity(1, "五(1)") + activity(2, "6b"), constraints=constraints))
    li, wang = register.teachers
    assert li.unavailable == (
        BusyTime(weekday=1, start="08:20", end="09:50"),
        BusyTime(weekday=3, start="10:50", end="11:30"),
    )
    assert (li.max_per_day, wang.max_per_day) == (2, 3)
    home = next(c.room for c in register.classes if c.name == "6b")
    assert register.busy_rooms == ((home, BusyTime(weekday=3, start="08:20", end="09:00")),)
    bells = {day: [p.number for p in b.periods] for b in register.units[0].bells for day in b.weekdays}
    assert bells == {1: [1, 2, 4], 3: [1, 2, 3, 4]}
    assert [r.locked for r in register.requirements] == [(Slot(weekday=1, period=4),), ()]
    assert codes == {"fet_hours_assumed": 1, "fet_kept_by_us": 1, "fet_constraint_dropped": 2}


def test_a_divided_class_becomes_its_divisions_and_an_undivided_one_stays_whole() -> None:
    group = "<Group><Name>{0}</Name>{1}</Group>"
    parts = "<Subgroup><Name>5a boys</Name></Subgroup><Subgroup><Name>5a girls</Name></Subgroup>"
    students = (
        f"<Year><Name>5</Name>{group.format('5a', parts)}{group.format('5b', '')}</Year>"
        f"<Year><Name>6</Name>{group.format('6a', '')}{group.format('6b', '')}</Year>"
    )
    register, _ = taken(
        fet(
            activity(1, "5a")
            + activity(2, "5a boys", subject="PE")
            + activity(3, "5a girls", subject="PE", teacher="Wang")
            + activity(4, "5b")
            + activity(5, "6"),
            students=students,
        )
    )
    names = {c.id: c.name for c in register.classes}
    assert sorted(names.values()) == ["5a boys", "5a girls", "5b", "6"]
    taught = {r.subject + str(n): [names[c] for c in r.parties[0].classes] for n, r in enumerate(register.requirements)}
    assert taught == {
        "Art0": ["5a boys", "5a girls"],
        "PE1": ["5a boys"],
        "PE2": ["5a girls"],
        "Art3": ["5b"],
        "Art4": ["6"],
    }


def test_hours_with_times_are_the_bells() -> None:
    names = ("8:00-8:45", "第2节 08:55～09:40", "3. 10.00 – 10.45", "14h00-14h45")
    hours = "".join(f"<Hour><Name>{name}</Name></Hour>" for name in names)
    register, codes = taken(fet(activity(1, "6b"), hours=hours))
    (bells,) = register.units[0].bells
    assert [(p.start, p.end) for p in bells.periods] == [
        ("08:00", "08:45"),
        ("08:55", "09:40"),
        ("10:00", "10:45"),
        ("14:00", "14:45"),
    ]
    assert not codes


def test_a_school_stands_beside_others_and_comes_again() -> None:
    standing = SMALL
    document = fet(activity(1, "五(1)") + activity(2, "6b", teacher="Wang", subject="PE"))
    first = import_fet("a.fet", document, standing.term, unit="xihe", beside=standing).register
    assert first is not None
    assert all(row.id.startswith("xihe.") for rows in (first.classes, first.teachers, first.rooms) for row in rows)
    both = joined(standing, first)
    assert [f for f in check_rows(rows_of(both)) if f.severity == "error"] == []
    assert both.communities[-1].number == len(standing.communities) + 1
    again = import_fet("a.fet", document, standing.term, unit="xihe", beside=both).register
    assert again is not None
    assert joined(both, again) == both
    fewer = import_fet("a.fet", fet(activity(1, "五(1)")), standing.term, unit="xihe", beside=both).register
    assert fewer is not None
    left = joined(both, fewer)
    assert len(left.requirements) == len(standing.requirements) + 1
    assert set(standing.teachers) <= set(left.teachers)


@pytest.mark.parametrize("names", [("8:00-8:45", "8:30-9:15"), ("9:00-9:45", "8:00-8:45"), ("8:00-8:45", "?")])
def test_hours_that_make_no_day_are_assumed(names: tuple[str, str]) -> None:
    hours = "".join(f"<Hour><Name>{name}</Name></Hour>" for name in names)
    _, codes = taken(fet(activity(1, "6b"), hours=hours))
    assert codes["fet_hours_assumed"] == 1


def test_mornings_and_afternoons_are_halves_of_days() -> None:
    constraints = constraint(
        "ConstraintActivityPreferredStartingTime",
        "<Activity_Id>1</Activity_Id><Preferred_Day>Wednesday</Preferred_Day><Preferred_Hour>2</Preferred_Hour>",
    )
    document = fet(activity(1, "6b"), constraints=constraints, more="<Mode>Mornings_Afternoons</Mode>")
    register, _ = taken(document)
    assert register.weekdays == (1,)
    assert len(register.units[0].bells[0].periods) == 8
    assert register.requirements[0].locked == (Slot(weekday=1, period=6),)


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "file_empty"),
        (b"<fet", "fet_no_file"),
        (b"<fet></fet>", "fet_empty"),
        (fet(""), "fet_empty"),
        (fet(activity(1, "6b"), hours="<Hour><Name>x</Name></Hour>" * 17), "fet_too_many_hours"),
        (
            fet(activity(1, "6b")).replace(b"<Days_List>", b"<Days_List>" + b"<Day><Name>x</Name></Day>" * 6),
            "fet_too_many_days",
        ),
    ],
)
def test_what_cannot_become_a_register_is_refused_with_the_reason(document: bytes, code: str) -> None:
    found = import_fet("a.fet", document, TERM)
    assert found.register is None
    assert [(finding.code, finding.file, finding.severity) for finding in found.findings] == [(code, "a.fet", "error")]


def test_our_own_export_comes_back_with_its_ids() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(bell_times(480, 30, 840))
    school_class = builder.school_class(unit)
    busy = (BusyTime(weekday=2, start="14:00", end="16:20"),)
    teacher = builder.teacher(unit, unavailable=busy)
    builder.local(school_class, "语文", 5, teacher, locked=(Slot(weekday=4, period=2),))
    builder.local(school_class, "美术", 1, teacher, block=2)
    given = builder.register()
    register, _ = taken(export(Problem(given, given.communities[0]), preferences={}).document)
    assert [(c.id, c.grade, c.pupils, c.room) for c in register.classes] == [
        (c.id, c.grade, c.pupils, c.room) for c in given.classes
    ]
    assert [(t.id, t.name, t.unavailable, t.max_per_day) for t in register.teachers] == [
        (t.id, t.name, t.unavailable, t.max_per_day) for t in given.teachers
    ]
    assert [(r.id, r.subject, r.weekly, r.block, r.locked) for r in register.requirements] == [
        (r.id, r.subject, r.weekly, r.block, r.locked) for r in given.requirements
    ]
    assert register.units[0].bells == given.units[0].bells


def test_a_timetable_that_fet_made_is_a_table_of_ours(tmp_path: Path, require: Callable[[str], str]) -> None:
    builder = CommunityBuilder()
    unit = builder.unit(bell_times(480, 30, 840))
    for _ in range(2):
        school_class = builder.school_class(unit)
        for subject, weekly in {"语文": 6, "数学": 5, "英语": 3, "体育": 3, "美术": 2}.items():
            builder.local(school_class, subject, weekly, builder.teacher(unit, subject=subject))
    given = builder.register()
    (tmp_path / "a.fet").write_bytes(export(Problem(given, given.communities[0])).document)
    command = [require("fet-cl"), "--inputfile=a.fet", "--timelimitseconds=30"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=90)
    register, _ = taken((tmp_path / "timetables/a/a_data_and_timetable.fet").read_bytes())
    assert sum(len(requirement.locked) for requirement in register.requirements) == 38
    table = solver.solve(register, register.communities[0].id, seconds=20, seed=1, workers=1, improve_until=0).table
    assert table is not None
    assert check(register, table) == []


def test_every_code_has_a_sentence_in_both_languages() -> None:
    for language in LANGUAGES:
        codes = [*fet_import.ERRORS, *fet_import.WARNINGS]
        assert [code for code in codes if f"finding.{code}" not in catalogue(language)] == []


@pytest.mark.slow
def test_the_examples_of_fet_are_read() -> None:
    files = sorted(file for file in EXAMPLES.rglob("*.fet*") if file.stat().st_size < LARGEST_EXAMPLE)
    if not files:
        pytest.skip("fet-data is not installed")
    registers = 0
    for file in files:
        document = file.read_bytes()
        found = import_fet(file.name, gzip.decompress(document) if file.suffix == ".gz" else document, TERM)
        if found.register is None:
            assert {f.code for f in found.findings} <= {"fet_too_many_days", "fet_too_many_hours"}, file
        else:
            registers += 1
            assert_sound(found.register)
    assert registers > 0.7 * len(files)


SAMPLE = fet(
    activity(1, "五(1)", group=1) + activity(2, "6b", group=1, duration=2),
    constraints=constraint("ConstraintTeacherNotAvailableTimes", times("Not_Available_Time", ("Monday", 2))),
).decode()


PIECES = ["", "9999999999", "999999999", "-1", "&#0;", "<Year>", "x" * 200, "\n"]


@st.composite
def edited(draw: st.DrawFn) -> bytes:
    """The sample with spans taken out, doubled or overwritten."""
    text = SAMPLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 40)))
        middle = draw(
            st.sampled_from(
                ["", text[start:end] * 2, "9999999999", "-1", "999999999", "&#0;", "<Year>", "x" * 200, "\n"]
            )
        )
        text = text[:start] + middle + text[end:]
    return text.encode("utf-8", "replace")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | edited())
def test_garbage_never_raises(document: bytes) -> None:
    found: FetImport = import_fet("a.fet", document, TERM)
    if found.register is None:
        assert any(finding.severity == "error" for finding in found.findings)
    else:
        assert_sound(found.register)
