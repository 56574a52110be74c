"""Who gives way is weighed: shared lessons keep off unwelcome times, and no school concedes above its share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tests.community_builder import CommunityBuilder, bell_times
from timetable import objective
from timetable.model import BusyTime, Party, Register, Slot
from timetable.objective import fair_share
from timetable.problem import Problem
from timetable.solving.solver import solve

STARTS = bell_times(480, 20, 840)


def wishing(weekly: int, *, locked: tuple[Slot, ...] = ()) -> Register:
    """A core school and two members that wish to keep Monday, and Tuesday to Friday, free of shared lessons."""
    builder = CommunityBuilder()
    core, *members = (builder.unit(STARTS, remote_rooms=2) for _ in range(3))
    for member in members:
        parties = [
            Party(unit=unit, classes=(builder.school_class(unit),), teachers=(builder.teacher(unit),))
            for unit in (core, member)
        ]
        builder.require("sync", "语文", weekly, *parties, locked=locked)
    days = {members[0]: (1,), members[1]: (2, 3, 4, 5)}
    builder.units = [
        structs.replace(
            unit,
            wishes=tuple(BusyTime(weekday=day, start="08:00", end="18:00") for day in days.get(unit.id, ())),
        )
        for unit in builder.units
    ]
    return builder.register()


def costs(register: Register) -> dict[str, int]:
    outcome = solve(register, "A", seconds=10, workers=1)
    assert outcome.table is not None, outcome.findings
    assert outcome.status == "optimal"
    problem = Problem(register, register.communities[0])
    assert outcome.table.cost_by_rule == objective.price(problem, outcome.table.lessons)
    return {rule.rule: rule.cost for rule in outcome.table.cost_by_rule}


def test_a_shared_lesson_keeps_off_a_time_that_a_school_wishes_free() -> None:
    found = costs(wishing(1))
    assert (found["unwelcome_time"], found["uneven_concessions"]) == (0, 0)


def test_a_lesson_that_must_stand_there_is_counted_against_the_wish() -> None:
    register = wishing(1, locked=(Slot(weekday=1, period=2),))
    found = costs(register)
    weights = objective.WEIGHTS
    assert found["unwelcome_time"] == weights["unwelcome_time"]
    # one concession of two equal schools: the share of each is one half, rounded up
    assert found["uneven_concessions"] == 0


def test_one_school_that_gives_way_alone_costs_more() -> None:
    locked = tuple(Slot(weekday=1, period=period) for period in (2, 3, 4))
    found = costs(wishing(3, locked=locked))
    weights = objective.WEIGHTS
    assert found["unwelcome_time"] == 3 * weights["unwelcome_time"]
    assert found["uneven_concessions"] == (3 - 2) * weights["uneven_concessions"]


@given(st.integers(0, 60), st.lists(st.integers(0, 20), min_size=1, max_size=8))
def test_shares_are_enough_for_all_and_in_proportion(concessions: int, sides: list[int]) -> None:
    everything = sum(sides)
    shares = [fair_share(concessions, own, everything) for own in sides]
    if everything:
        assert sum(shares) >= concessions
        assert all(0 <= share - concessions * own / everything < 1 for share, own in zip(shares, sides, strict=True))
