"""A repair puts the lesson where it was dropped, passes the checker, and leaves alone what it need not touch."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from tests.unit.test_slots import arranged, must
from timetable.checker import check
from timetable.errors import NotFound
from timetable.habits import remarks
from timetable.model import Register, Slot
from timetable.objective import price
from timetable.problem import Problem
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.part import slot_of
from timetable.repairing.repair import CannotRepair, Repair, repair
from timetable.repairing.slots import slots
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def assert_sound(arrangement: Arrangement, lesson: str, target: Slot, done: Repair) -> None:
    register = arrangement.problem.register
    assert done.verified
    assert check(register, done.table) == []
    assert done.table.cost_by_rule == price(arrangement.problem, done.table.lessons)
    assert (done.cost_before, done.cost_after) == (arrangement.table.cost, done.table.cost)
    after = {one.id: one for one in done.table.lessons}
    assert list(after) == list(arrangement.lessons)
    assert slot_of(after[lesson]) == (target.weekday, target.period)
    moved = {move.lesson: move for move in done.moves}
    assert len(moved) == len(done.moves)
    for id, before in arrangement.lessons.items():
        if id in moved:
            assert slot_of(before) == (moved[id].source.weekday, moved[id].source.period)
            assert slot_of(after[id]) == (moved[id].target.weekday, moved[id].target.period) != slot_of(before)
        else:
            assert slot_of(before) == slot_of(after[id])
            assert [party.room for party in before.parties] == [party.room for party in after[id].parties]


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
@given(small_registers(), st.data())
def test_every_repair_passes_the_checker_and_moves_nothing_else(register: Register, data: st.DataObject) -> None:
    arrangement = arranged(register)
    assume(arrangement is not None and arrangement.lessons)
    assert arrangement is not None
    lesson = data.draw(st.sampled_from(arrangement.table.lessons))
    verdict = data.draw(st.sampled_from(slots(arrangement, lesson.id)))
    target = Slot(weekday=verdict.weekday, period=verdict.period)
    try:
        done = repair(arrangement, lesson.id, target)
    except CannotRepair:
        event("refused")
        assert verdict.verdict == "impossible"
        return
    event(done.rung)
    assert_sound(arrangement, lesson.id, target, done)
    assert {"here": 0, "fits": 1, "costs": 1}.get(verdict.verdict, len(done.moves)) == len(done.moves)


def test_two_lessons_of_a_class_change_places() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    for subject in ("语文", "数学", "音乐"):
        builder.local(school_class, subject, 1, builder.teacher(unit, subject=subject))
    arrangement = must(builder.register())
    first, second, _ = arrangement.table.lessons
    target = Slot(weekday=second.weekday, period=second.host.period)
    done = repair(arrangement, first.id, target)
    assert_sound(arrangement, first.id, target, done)
    assert [move.lesson for move in done.moves] == [first.id, second.id]
    assert done.rung == "lessons"


def test_where_no_table_is_the_reasons_are_given() -> None:
    builder = CommunityBuilder()
    unit = builder.unit(STARTS)
    school_class = builder.school_class(unit)
    stuck = builder.local(school_class, "语文", 1, builder.teacher(unit), locked=(Slot(weekday=1, period=1),))
    loose = builder.local(school_class, "数学", 1, builder.teacher(unit))
    arrangement = must(builder.register())
    with pytest.raises(CannotRepair) as refused:
        repair(arrangement, f"{stuck}.1", Slot(weekday=2, period=1))
    assert [finding.code for finding in refused.value.findings] == ["slot_locked"]
    with pytest.raises(CannotRepair) as refused:
        repair(arrangement, f"{loose}.1", Slot(weekday=1, period=1))
    assert [finding.code for finding in refused.value.findings] == ["slot_class_busy", "repair_impossible"]
    with pytest.raises(CannotRepair) as refused:
        repair(arrangement, f"{loose}.1", Slot(weekday=7, period=9))
    assert [finding.code for finding in refused.value.findings] == ["slot_block"]
    with pytest.raises(NotFound):
        repair(arrangement, "absent", Slot(weekday=1, period=1))


def test_a_repair_that_is_stopped_says_what_stands_in_the_way() -> None:
    arrangement = must(generated_community(3, shape=(2, 1, 1), lacking={2: ("音乐",)}))
    lesson = arrangement.table.lessons[0]
    slot = next(slot for slot in slots(arrangement, lesson.id) if slot.lessons)
    with pytest.raises(CannotRepair):
        repair(arrangement, lesson.id, Slot(weekday=slot.weekday, period=slot.period), should_stop=lambda: True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_the_ladder_is_within_one_move_of_the_whole_problem(seed: int) -> None:
    register = generated_community(seed, shape=(3, 2, 1), lacking={2: ("音乐",)})
    table = solve(register, "A", seconds=15, workers=2).table
    assert table is not None
    arrangement = Arrangement(Problem(register, register.communities[0]), table)
    rng = random.Random(seed)
    compared = 0
    while compared < 3:
        lesson = rng.choice(table.lessons)
        hard = [s for s in slots(arrangement, lesson.id) if s.lessons]
        if not hard:
            continue
        slot = rng.choice(hard)
        target = Slot(weekday=slot.weekday, period=slot.period)
        try:
            done = repair(arrangement, lesson.id, target)
        except CannotRepair:
            continue
        assert_sound(arrangement, lesson.id, target, done)
        assert remarks(register, done.table) == []
        best = repair(arrangement, lesson.id, target, ladder=("all",), seconds=60, patience=60)
        assert len(done.moves) <= len(best.moves) + 1
        compared += 1
