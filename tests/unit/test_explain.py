"""What is said to let a table exist does: the register with that concession made has a table."""

from __future__ import annotations

from server.sentences import LANGUAGES, catalogue
from tests.community_builder import CommunityBuilder, bell_times
from tests.instances import generated_community
from timetable.checker import check
from timetable.explaining.candidate import CODES, Concession
from timetable.explaining.cures import CURES
from timetable.explaining.explain import explain
from timetable.model import BusyTime, Party, Register, Slot
from timetable.solving.lints import CODES as LINTS
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)


def assert_verified(register: Register, concession: Concession) -> None:
    """Make the concession by hand and build the table."""
    changed = concession.change.made(register)
    outcome = solve(changed, "A", seconds=20, workers=1, improve_until=0, explain=False)
    assert outcome.table is not None
    assert check(changed, outcome.table) == []


def crowded() -> CommunityBuilder:
    """A class whose teacher is away so often that the lessons do not fit."""
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    away = tuple(BusyTime(weekday=day, start="07:00", end="18:00") for day in (1, 2, 3, 4))
    teacher = builder.teacher(unit, subject="音乐", max_per_day=3, unavailable=away)
    for _ in range(2):
        builder.local(builder.school_class(unit), "音乐", 2, teacher)
    return builder


def test_each_concession_alone_lets_a_table_exist() -> None:
    register = crowded().register()
    told: list[Concession] = []
    explanation = explain(register, "A", seconds=30, workers=1, on_found=told.append)
    assert not explanation.feasible
    assert sorted(told, key=lambda c: c.price) == list(explanation.concessions)
    kinds = [concession.kind for concession in explanation.concessions]
    assert kinds.count("unavailable") == 4
    assert {"teacher_day", "weekly"} <= set(kinds)
    assert [c.price for c in explanation.concessions] == sorted(c.price for c in explanation.concessions)
    for concession in explanation.concessions:
        assert_verified(register, concession)


def test_two_locks_in_one_period_are_told_apart() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(STARTS, remote_rooms=2, link=1), builder.unit(STARTS, remote_rooms=2, link=2)]
    for _ in range(2):
        builder.require(
            "dedicated",
            "音乐",
            1,
            Party(unit=units[0], teachers=(builder.teacher(units[0]),)),
            Party(unit=units[1], classes=(builder.school_class(units[1]),)),
            locked=(Slot(weekday=1, period=1),),
        )
    register = builder.register()
    explanation = explain(register, "A", seconds=30, workers=1)
    kinds = [concession.kind for concession in explanation.concessions]
    assert kinds[:2] == ["locked", "locked"]
    assert "link" in kinds
    for concession in explanation.concessions:
        assert_verified(register, concession)


def test_bells_that_never_meet_concede_minutes_or_the_bell() -> None:
    builder = CommunityBuilder()
    units = [builder.unit(STARTS), builder.unit([start + 8 for start in STARTS])]
    parties = [Party(unit=u, classes=(builder.school_class(u),), teachers=(builder.teacher(u),)) for u in units]
    builder.require("sync", "语文", 1, *parties)
    register = builder.register()
    explanation = explain(register, "A", seconds=30, workers=1)
    for concession in explanation.concessions:
        assert_verified(register, concession)
    said = {c.kind: c.finding.values for c in explanation.concessions}
    assert said["bells"]["minutes"] == 3
    assert said["overlap"]["minutes"] == 5


def test_a_register_with_a_table_needs_no_concession() -> None:
    register = generated_community(3, shape=(1, 1), lacking={})
    explanation = explain(register, "A", seconds=30)
    assert explanation.feasible
    assert explanation.concessions == ()


def test_a_sweep_that_is_stopped_keeps_what_it_found() -> None:
    told: list[Concession] = []
    explanation = explain(
        crowded().register(), "A", seconds=30, workers=1, on_found=told.append, should_stop=lambda: bool(told)
    )
    assert len(explanation.concessions) == 1
    assert not explanation.complete


def test_more_than_one_lesson_too_many_is_said_together() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    for subject in ("语文", "数学", "音乐", "体育"):
        builder.local(school_class, subject, 10, builder.teacher(unit, subject=subject))
    register = builder.register()
    explanation = explain(register, "A", seconds=30, workers=1)
    assert sum(explanation.missing.values()) == 5
    for concession in explanation.concessions:
        assert_verified(register, concession)
    assert explanation.concessions
    assert all(concession.kind in ("weekly", "lessons") for concession in explanation.concessions)


def overworked(weekly: int, max_per_day: int = 7, max_per_week: int = 30) -> Register:
    """A teacher with so many lessons a week of one class."""
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    teacher = builder.teacher(unit, subject="科学", max_per_day=max_per_day, max_per_week=max_per_week)
    for _ in range(weekly // 4):
        builder.local(builder.school_class(unit), "科学", 4, teacher)
    return builder.register()


def test_a_teacher_concedes_as_many_lessons_a_day_as_counting_asks_for() -> None:
    register = overworked(12, max_per_day=1)
    explanation = explain(register, "A", seconds=30, workers=1)
    cheapest = explanation.concessions[0]
    assert (cheapest.kind, cheapest.finding.values["most"]) == ("teacher_day", 3)
    assert_verified(register, cheapest)
    # two more a day cost twice what one more does
    assert cheapest.price == 2 * explain(overworked(8, max_per_day=1), "A", seconds=30, workers=1).concessions[0].price


def test_a_teacher_may_concede_lessons_a_week_before_a_class_loses_one() -> None:
    register = overworked(12, max_per_week=11)
    explanation = explain(register, "A", seconds=30, workers=1)
    cheapest = explanation.concessions[0]
    assert (cheapest.kind, cheapest.finding.values["most"]) == ("teacher_week", 12)
    assert_verified(register, cheapest)


def test_every_code_is_known() -> None:
    assert set(CURES) <= set(LINTS)
    for language in LANGUAGES:
        assert [code for code in CODES if f"finding.{code}" not in catalogue(language)] == []
