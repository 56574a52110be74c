"""Communities that may be built side by side share nothing that two lessons could want at once."""

from __future__ import annotations

from msgspec import structs

from server.demo.county import demo_register
from tests.community_builder import CommunityBuilder, bell_times
from tests.unit.test_builder import joined, nine_year_school
from timetable.model import Register
from timetable.solving.coupling import coupled, shared_out

STARTS = bell_times(480, 20, 840)


def school(community: str, campus: str | None = None) -> CommunityBuilder:
    builder = CommunityBuilder(community)
    unit = builder.unit(STARTS, campus=campus)
    builder.local(builder.school_class(unit), "音乐", 4, builder.teacher(unit, subject="音乐"))
    return builder


def groups(register: Register) -> list[tuple[str, ...]]:
    return coupled(register, [community.id for community in register.communities])


def test_communities_with_nothing_in_common_stand_alone() -> None:
    assert groups(joined(school("A"), school("B"), school("C"))) == [("A",), ("B",), ("C",)]


def test_a_campus_joins() -> None:
    assert groups(joined(school("A", "one"), school("B"), school("C", "one"))) == [("A", "C"), ("B",)]
    assert groups(nine_year_school()) == [("P", "J")]


def test_a_post_in_two_communities_joins_and_joins_on() -> None:
    register = joined(school("A"), school("B"), school("C"), school("D"))
    posts = {"A": ("A0", "C0"), "C": ("C0", "D0")}
    teachers = tuple(
        structs.replace(teacher, posts=posts.get(teacher.id[0], teacher.posts)) for teacher in register.teachers
    )
    assert groups(structs.replace(register, teachers=teachers)) == [("A", "C", "D"), ("B",)]


def test_only_those_asked_for_are_grouped() -> None:
    register = joined(school("A", "one"), school("B"), school("C", "one"))
    assert coupled(register, ["C", "B"]) == [("C",), ("B",)]


def test_the_demo_county_falls_into_three_pairs() -> None:
    assert sorted(map(len, groups(demo_register()))) == [2, 2, 2]


def test_many_groups_become_few_that_are_about_alike() -> None:
    register = joined(*(school(name) for name in "ABCDEFG"))
    alone = groups(register)
    assert shared_out(register, alone, 7) == shared_out(register, alone, 9) == alone
    assert shared_out(register, alone, 1) == [tuple("ABCDEFG")]
    shares = shared_out(register, alone, 3)
    assert sorted(map(len, shares)) == [2, 2, 3]
    assert sorted(community for share in shares for community in share) == [*"ABCDEFG"]
    assert [share[0] for share in shares] == ["A", "B", "C"]
    assert shared_out(register, [], 3) == []
