"""How a row of groups is cut into sheets, and what stands on one however many bells ring."""

from __future__ import annotations

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.sentences import words_in
from tests.community_builder import CommunityBuilder
from timetable.export.paper import PAPERS, PaperName, Printing, parts_of
from timetable.export.wall_clock import day_pages
from timetable.export.wall_pages import Wall
from timetable.model import Table


def by_trying(groups: list[float], count: int) -> list[range]:
    """Every way to cut them, and the best of all."""
    ways = [
        [range(*ends) for ends in pairwise((0, *cut, len(groups)))]
        for cut in combinations(range(1, len(groups)), min(count, len(groups)) - 1)
    ]

    def wide(parts: list[range]) -> tuple[float, list[float]]:
        found = [sum(groups[part.start : part.stop]) for part in parts]
        return max(found), [-width for width in found]

    return min(ways, key=wide)


@given(st.lists(st.sampled_from([1.0, 1.5, 2.0, 2.5, 7.0]), min_size=1, max_size=9), st.integers(1, 10))
def test_the_widest_part_is_as_narrow_as_can_be_and_the_wider_ones_come_first(groups: list[float], count: int) -> None:
    assert parts_of(groups, count) == by_trying(groups, count)


def test_a_day_of_fifty_schools_is_cut_at_once() -> None:
    groups = [1.0 + number % 3 for number in range(50)]
    begun = time.process_time()
    for count in range(1, 51):
        assert [group for part in parts_of(groups, count) for group in part] == list(range(50))
    assert time.process_time() - begun < 10
    assert parts_of([], 3) == [range(0)]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("schools", [2, 8, 12, 30])
def test_schools_that_all_ring_at_other_times_share_the_sheet(schools: int, paper: PaperName) -> None:
    builder = CommunityBuilder()
    for school in range(schools):
        builder.unit([470 + school + 50 * period for period in range(9)])
    register = builder.register()
    table = Table(community="A", term=register.term.name, lessons=(), cost=0)
    wall = Wall(register, register.communities[0], table, words_in("zh-CN"), "")
    for page in day_pages(wall, 1, Printing(paper=paper)):
        assert min(page.rows) > 0
        assert sum(page.rows) == pytest.approx(page.paper.height, abs=0.5)
