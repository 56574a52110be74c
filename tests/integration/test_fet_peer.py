"""The peer of the benchmarks does what it says: FET's best table of a community, held to our rules and our price."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.fet_peer import solve_by_fet
from tests.instances import generated_community
from timetable.checker import check


def test_fet_is_asked_until_the_time_is_over(require: Callable[[str], str]) -> None:
    require("fet-cl")
    register = generated_community(3, shape=(2, 1), lacking={})
    run = solve_by_fet(register, "A", seconds=6.0)
    assert run.table is not None
    assert check(register, run.table) == []
    assert run.cost == run.table.cost <= (run.first_cost or 0)
    assert run.runs > 1
    assert 0 < (run.seconds_to_first or 0) <= run.seconds
