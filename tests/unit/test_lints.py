"""Counting finds what is impossible before any search, and what it calls impossible is so."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings

from server.sentences import LANGUAGES, finding_sentence
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable import bell_changes, checker, habits, objective
from timetable.days import new_bells, rung_days
from timetable.model import BusyTime, Finding, Party, Register, Slot
from timetable.problem import Problem
from timetable.register import references
from timetable.solving import lints, solver
from timetable.solving.formulation import HABITS, Formulation
from timetable.solving.search import Effort, run

STARTS = bell_times(480, 20, 840)
EVERY_CODE = {
    **lints.CODES,
    **bell_changes.CODES,
    **new_bells.CODES,
    **rung_days.CODES,
    **checker.CODES,
    **habits.CODES,
    **references.CODES,
    **solver.CODES,
}


def lint(register: Register) -> list[Finding]:
    return lints.lint(Problem(register, register.communities[0]))


def only(register: Register) -> Finding:
    [finding] = lint(register)
    return finding


def shared(builder: CommunityBuilder, *units: str, weekly: int = 1) -> str:
    host, *members = units
    return builder.require(
        "dedicated",
        "音乐",
        weekly,
        Party(unit=host, teachers=(builder.teacher(host),)),
        *(Party(unit=unit, classes=(builder.school_class(unit),)) for unit in members),
    )


def test_a_sound_register_has_no_findings() -> None:
    assert lint(generated_community(1)) == []


def test_a_class_with_more_lessons_than_periods() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    for subject in ("语文", "数学"):
        builder.local(school_class, subject, 18, builder.teacher(unit))
    assert only(builder.register()) == Finding(
        code="class_overloaded", values={"school_class": "A0-5-1班", "lessons": 36, "periods": 35}
    )


def test_odd_and_even_weeks_are_counted_apart() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    for weeks in ("odd", "even"):
        builder.local(school_class, weeks, 20, builder.teacher(unit), weeks=weeks)
    assert lint(builder.register()) == []


def test_a_teacher_over_the_weekly_maximum() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    builder.local(builder.school_class(unit), "语文", 12, builder.teacher(unit, max_per_week=10))
    assert only(builder.register()).values == {"teacher": "语文教师001", "lessons": 12, "most": 10}


def test_a_teacher_with_more_lessons_than_free_periods() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    away = tuple(BusyTime(weekday=day, start="08:00", end="17:00") for day in (1, 2, 3, 4))
    teacher = builder.teacher(unit, max_per_day=8, unavailable=away)
    for _ in range(2):
        builder.local(builder.school_class(unit), "语文", 4, teacher)
    finding = only(builder.register())
    assert (finding.code, finding.values) == (
        "teacher_over_periods",
        {"teacher": "语文教师001", "lessons": 8, "periods": 7},
    )


def test_shared_lessons_beyond_what_rooms_and_line_hold() -> None:
    builder = CommunityBuilder()
    host, member = builder.unit(STARTS, remote_rooms=3), builder.unit(STARTS, remote_rooms=2, link=1)
    for _ in range(3):
        shared(builder, host, member, weekly=12)
    assert only(builder.register()) == Finding(
        code="remote_rooms_overbooked", values={"unit": "学校A1", "lessons": 36, "places": 35}
    )


@pytest.mark.parametrize(("rooms", "link", "code"), [(0, 1, "no_remote_room"), (1, 0, "no_link")])
def test_shared_lessons_without_a_room_or_a_line(rooms: int, link: int, code: str) -> None:
    builder = CommunityBuilder()
    shared(builder, builder.unit(STARTS), builder.unit(STARTS, remote_rooms=rooms, link=link))
    assert only(builder.register()) == Finding(code=code, values={"unit": "学校A1"})


def test_bells_that_never_meet_come_with_the_smallest_shift() -> None:
    builder = CommunityBuilder()
    requirement = shared(builder, builder.unit(STARTS), builder.unit([start + 15 for start in STARTS]))
    finding = only(builder.register())
    assert (finding.code, finding.values) == (
        "windows_never_meet_earlier",
        {"requirement": requirement, "subject": "音乐", "units": "学校A0、学校A1", "unit": "学校A1", "minutes": 10},
    )


def test_bells_that_meet_in_too_few_periods() -> None:
    builder = CommunityBuilder()
    far = [start if number == 0 else start + 15 for number, start in enumerate(STARTS)]
    shared(builder, builder.unit(STARTS), builder.unit(far), weekly=6)
    finding = only(builder.register())
    assert (finding.code, finding.values["periods"]) == ("windows_meet_rarely", 5)


def test_unavailable_times_that_leave_too_little() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    away = tuple(BusyTime(weekday=day, start="08:00", end="17:00") for day in (1, 2, 3, 4))
    builder.local(builder.school_class(unit), "语文", 8, builder.teacher(unit, max_per_day=8, unavailable=away))
    finding = only(builder.register())
    assert (finding.code, finding.values["periods"]) == ("no_slot_left", 7)


def test_locks_that_cannot_be_kept() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    first, second = builder.school_class(unit), builder.school_class(unit)
    teacher = builder.teacher(unit)
    monday = Slot(weekday=1, period=1)
    builder.local(first, "语文", 2, teacher, locked=(monday,))
    builder.local(second, "语文", 2, teacher, locked=(monday, Slot(weekday=1, period=9)))
    builder.local(
        second, "数学", 1, builder.teacher(unit), locked=(Slot(weekday=2, period=1), Slot(weekday=3, period=1))
    )
    assert [finding.code for finding in lint(builder.register())] == [
        "locked_twice",
        "locked_slot_impossible",
        "too_many_locked",
    ]


def test_an_unknown_way_is_a_warning() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(STARTS), builder.unit(STARTS)]
    roving = builder.teacher(*units)
    for unit in units:
        builder.local(builder.school_class(unit), "音乐", 1, roving)
    finding = only(builder.register())
    assert (finding.code, finding.severity) == ("travel_unknown", "warning")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(small_registers())
def test_what_counting_calls_impossible_is_impossible(register: Register) -> None:
    problem = Problem(register, register.communities[0])
    found = [finding for finding in lints.lint(problem) if finding.severity == "error"]
    # The weekly maximum and locks that overlap are no part of the model, so it cannot confirm them.
    assume(any(finding.code not in ("teacher_over_week", "locked_twice") for finding in found))
    if any(finding.code in ("locked_slot_impossible", "too_many_locked") for finding in found):
        return
    formulation = Formulation(problem, frozenset(HABITS))
    result = run(formulation.cp, Effort(seconds=20, seed=1, workers=1), lambda: False)
    assert result.status == "infeasible"


def test_every_code_and_rule_has_its_sentence_in_both_languages() -> None:
    keys = {f"finding.{code}" for code in EVERY_CODE} | {f"rule.{rule}" for rule in objective.WEIGHTS}
    for language in LANGUAGES:
        texts = json.loads((files("config") / "locale" / f"findings.{language}.json").read_text("utf-8"))
        assert {key for key in texts if not key.startswith(("noun.", "list."))} == keys


def test_both_languages_fill_the_same_places() -> None:
    texts = [json.loads((files("config") / "locale" / f"findings.{x}.json").read_text("utf-8")) for x in LANGUAGES]
    places = [{key: _places(text) for key, text in catalogue.items()} for catalogue in texts]
    assert places[0] == places[1]


def _places(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(small_registers())
def test_sentences_leave_no_place_open(register: Register) -> None:
    for finding in lint(register):
        for language in LANGUAGES:
            assert "{" not in finding_sentence(finding, language)


def test_every_code_and_rule_is_documented_with_its_meaning_and_weight() -> None:
    text = (Path(__file__).parents[2] / "docs/table.md").read_text("utf-8")
    assert [code for code, meaning in EVERY_CODE.items() if f"| `{code}` | {meaning} |" not in text] == []
    assert [rule for rule, weight in objective.WEIGHTS.items() if f"| `{rule}` | {weight} |" not in text] == []


def test_the_documented_example_is_a_register_with_a_table() -> None:
    text = (Path(__file__).parents[2] / "docs/table.md").read_text("utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    register = msgspec.json.decode(example, type=Register)
    assert references.check_references(register) == []
    table = solver.solve(register, "c", seconds=5, workers=1).table
    assert table is not None
    assert checker.check(register, table) == []
