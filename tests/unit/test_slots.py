"""Every slot's verdict is the checker's: what is said to fit passes it after the move, what is not does not."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, catalogue
from tests.community_builder import CommunityBuilder, bell_times
from tests.drawn_registers import small_registers
from tests.instances import generated_community
from timetable.checker import check
from timetable.errors import NotFound
from timetable.model import BusyTime, Lesson, Party, Register, Slot, Table
from timetable.objective import price
from timetable.problem import Problem
from timetable.repairing import moving
from timetable.repairing import obstacles as obstacle_module
from timetable.repairing import repair as repairs
from timetable.repairing import slots as slot_module
from timetable.repairing.arrangement import Arrangement
from timetable.repairing.slots import SlotVerdict, impossible, placement_by_clock, slots
from timetable.solving.placing import NoRoom
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def arranged(register: Register) -> Arrangement | None:
    """Some table of the register, where there is one."""
    table = solve(register, "A", seconds=10, workers=1, improve_until=0, explain=False).table
    return None if table is None else Arrangement(Problem(register, register.communities[0]), table)


def must(register: Register) -> Arrangement:
    found = arranged(register)
    assert found is not None
    return found


def moved(arrangement: Arrangement, lesson: Lesson, slot: SlotVerdict) -> Table | None:
    requirement = arrangement.requirements[lesson.requirement]
    placement = placement_by_clock(arrangement.problem, requirement, slot.weekday, slot.period)
    if placement is None:
        return None
    try:
        return moving.moved(arrangement, {lesson.id: placement})
    except NoRoom:
        return None


def at(found: tuple[SlotVerdict, ...], weekday: int, period: int) -> SlotVerdict:
    return next(slot for slot in found if (slot.weekday, slot.period) == (weekday, period))


def codes(slot: SlotVerdict) -> list[str]:
    return [finding.code for finding in slot.reasons]


@settings(max_examples=40, deadline=None, suppress_health_check=SLOW)
@given(small_registers(), st.data())
def test_a_verdict_is_what_the_checker_says_after_the_move(register: Register, data: st.DataObject) -> None:
    arrangement = arranged(register)
    assume(arrangement is not None and arrangement.lessons)
    assert arrangement is not None
    lesson = data.draw(st.sampled_from(arrangement.table.lessons))
    for slot in slots(arrangement, lesson.id):
        if slot.verdict == "here":
            assert (slot.weekday, slot.period) == (lesson.weekday, lesson.host.period)
            continue
        table = moved(arrangement, lesson, slot)
        wrong = ["no table"] if table is None else [finding.code for finding in check(register, table)]
        assert (slot.verdict == "impossible") == bool(wrong), (slot, wrong)
        assert bool(slot.reasons) == bool(wrong)
        if slot.repairable:
            assert slot.lessons
            assert impossible(arrangement, lesson, slot.weekday, slot.period) == []
        if table is not None and not wrong:
            assert table.cost_by_rule == price(arrangement.problem, table.lessons)
            assert table.cost - arrangement.table.cost == slot.delta == sum(rule.cost for rule in slot.rules)
            unmoved = {other.id: other for other in table.lessons if other.id != lesson.id}
            for other in arrangement.table.lessons:
                if other.id != lesson.id:
                    assert (unmoved[other.id].weekday, unmoved[other.id].host.period) == (
                        other.weekday,
                        other.host.period,
                    )


def test_why_a_slot_is_impossible_is_said_in_words() -> None:
    builder = CommunityBuilder()
    host = builder.unit(STARTS)
    member = builder.unit([start + 15 for start in STARTS])
    roving = builder.teacher(host, member, max_per_day=2)
    away = builder.teacher(host, unavailable=(BusyTime(weekday=2, start="08:00", end="12:00"),))
    one, other = builder.school_class(host), builder.school_class(host)
    first = builder.local(one, "音乐", 1, roving, locked=(Slot(weekday=1, period=1),))
    second = builder.local(other, "数学", 1, away, locked=(Slot(weekday=1, period=3),))
    third = builder.local(one, "美术", 1, away, locked=(Slot(weekday=1, period=5),))
    register = builder.register()
    arrangement = must(register)
    assert codes(at(slots(arrangement, f"{first}.1"), 2, 1)) == ["slot_locked"]
    requirements = list(register.requirements)
    requirements[1] = structs.replace(requirements[1], locked=())
    unlocked = structs.replace(register, requirements=tuple(requirements))
    found = slots(Arrangement(Problem(unlocked, unlocked.communities[0]), arrangement.table), f"{second}.1")
    assert codes(at(found, 2, 1)) == ["slot_teacher_unavailable"]
    assert codes(at(found, 1, 5)) == ["slot_teacher_busy"]
    assert at(found, 1, 5).lessons == (f"{third}.1",)
    # another lesson may be led away, an absence may not
    assert [at(found, *slot).repairable for slot in ((1, 5), (2, 1), (1, 3))] == [True, False, False]
    assert at(found, 1, 3).verdict == "here"
    assert at(found, 3, 2).verdict in ("fits", "costs")


def test_bells_that_do_not_meet_name_the_smallest_shift() -> None:
    builder = CommunityBuilder()
    host, member = builder.unit(STARTS), builder.unit([*STARTS[:4], *(start + 15 for start in STARTS[4:])])
    parties = [
        Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),))
        for unit in (host, member)
    ]
    lesson = builder.require("sync", "语文", 1, *parties)
    arrangement = must(builder.register())
    [reason] = at(slots(arrangement, f"{lesson}.1"), 1, 5).reasons
    assert reason.code == "slot_overlap_earlier"
    assert {key: reason.values[key] for key in ("minutes", "required", "shift")} == {
        "minutes": 25,
        "required": 35,
        "shift": 10,
    }


def test_full_lines_and_remote_rooms_stand_in_the_way() -> None:
    builder = CommunityBuilder()
    host, member = builder.unit(STARTS, remote_rooms=1, link=1), builder.unit(STARTS, remote_rooms=2, link=2)
    lessons = [
        builder.require(
            "dedicated",
            "音乐",
            1,
            Party(unit=host, teachers=(builder.teacher(host),)),
            Party(unit=member, classes=(builder.school_class(member),)),
        )
        for _ in range(2)
    ]
    arrangement = must(builder.register())
    first, second = (arrangement.lessons[f"{id}.1"] for id in lessons)
    slot = at(slots(arrangement, first.id), second.weekday, second.host.period)
    assert codes(slot) == ["slot_link", "slot_no_remote_room"]
    assert slot.lessons == (second.id,)


def test_an_unknown_lesson_is_not_found() -> None:
    with pytest.raises(NotFound):
        slots(must(generated_community(1, shape=(1,), lacking={})), "absent")


def test_every_code_has_a_sentence() -> None:
    known = {*obstacle_module.CODES, *slot_module.CODES, *repairs.CODES}
    for language in LANGUAGES:
        assert [code for code in sorted(known) if f"finding.{code}" not in catalogue(language)] == []
