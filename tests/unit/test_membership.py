"""A school that joins or leaves in mid-term: only what is touched moves, the rest stands where it was, and the table is
valid again."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, catalogue
from tests.dated_days import community
from timetable.checker import check, missing
from timetable.errors import BuildFailed, NotFound
from timetable.model import Register, Requirement, Table
from timetable.repairing import refit
from timetable.repairing.refit import Refit
from timetable.years import membership
from timetable.years.membership import Join, Leave, changed, timely, withdrawn

FIRST = "2026-09-14"


def left(unit: str = "A2") -> Register:
    register, findings = changed(community()[0], "A", Leave(unit=unit, first=FIRST))
    assert {finding.severity for finding in findings} == {"warning"}
    return register


@cache
def fitted(unit: str = "A2") -> Refit:
    return refit.refit(left(unit), community()[1], workers=1)


def coming_back(unit: str = "A2") -> Join:
    """The change by which a unit that has left joins again."""
    standing = {r.id: r for r in left(unit).requirements}
    back = tuple(r for r in community()[0].requirements if standing.get(r.id) != r)
    return Join(unit=unit, first=FIRST, requirements=back)


def touches(requirement: Requirement, unit: str) -> bool:
    return any(party.unit == unit for party in requirement.parties)


@pytest.mark.parametrize(
    ("first", "today", "said"),
    [
        ("2026-08-30", None, [("membership_outside_term", "error")]),
        ("2031-01-01", "2026-11-01", [("membership_outside_term", "error")]),
        ("2026-11-02", "2026-11-03", [("membership_past", "warning")]),
        ("2026-11-03", "2026-11-03", []),
        ("2026-11-02", None, []),
    ],
)
def test_a_change_counts_from_a_day_of_the_term(first: str, today: str | None, said: list[tuple[str, str]]) -> None:
    term = structs.replace(community()[0].term, first_day="2026-09-01", last_day="2027-01-15")
    found = timely(term, Leave(unit="A2", first=first), today)
    assert [(finding.code, finding.severity) for finding in found] == said


@pytest.mark.parametrize("unit", ["A1", "A2"])
def test_who_leaves_takes_its_lessons_and_nobody_else_moves(unit: str) -> None:
    register, old = left(unit), community()[1]
    found = fitted(unit)
    assert (check(register, found.table), missing(register, found.table)) == ([], [])
    assert (found.moves, found.added) == ((), ())
    before = {lesson.id: lesson for lesson in old.lessons}
    after = {lesson.id: lesson for lesson in found.table.lessons}
    for id, lesson in before.items():
        if all(party.unit != unit for party in lesson.parties):
            assert after[id] == lesson
        else:
            assert id in found.dropped or id in found.changed
    for id in found.changed:
        assert (after[id].weekday, after[id].host.period) == (before[id].weekday, before[id].host.period)
        assert unit not in {party.unit for party in after[id].parties}


def test_what_becomes_of_shared_lessons_is_said() -> None:
    _, findings = changed(community()[0], "A", Leave(unit="A2", first=FIRST))
    codes = [finding.code for finding in findings]
    assert codes.count("membership_goes_on") >= 2
    small = structs.replace(
        community()[0],
        requirements=tuple(
            structs.replace(r, parties=(r.parties[0], r.parties[2])) if r.kind == "sync" else r
            for r in community()[0].requirements
        ),
    )
    register, findings = changed(small, "A", Leave(unit="A2", first=FIRST))
    assert "membership_own_now" in [finding.code for finding in findings]
    own = next(r for r in register.requirements if r.id == "A-r14")
    assert (own.kind, len(own.parties)) == ("local", 1)
    hosted = structs.replace(
        community()[0],
        requirements=tuple(
            structs.replace(r, parties=r.parties[::-1]) if r.kind == "sync" else r for r in community()[0].requirements
        ),
    )
    register, findings = changed(hosted, "A", Leave(unit="A2", first=FIRST))
    lost = [finding.values["unit"] for finding in findings if finding.code == "membership_lesson_lost"]
    assert len(lost) == 2
    assert "A-r14" not in {r.id for r in register.requirements}


def test_who_cannot_leave_or_join_hears_why() -> None:
    register = community()[0]
    for leave, code in ((Leave(unit="A0", first=FIRST), "membership_core"),):
        assert [f.code for f in changed(register, "A", leave)[1]] == [code]
    with pytest.raises(NotFound):
        changed(register, "A", Leave(unit="nobody", first=FIRST))
    with pytest.raises(NotFound):
        changed(register, "B", Leave(unit="A2", first=FIRST))
    with pytest.raises(NotFound):
        changed(register, "A", Join(unit="nobody", first=FIRST))
    assert [f.code for f in changed(register, "A", Join(unit="A2", first=FIRST))[1]] == [
        "membership_already",
        "membership_nothing",
    ]
    assert [f.code for f in changed(left(), "A", Join(unit="A2", first=FIRST))[1]] == ["membership_nothing"]
    small = structs.replace(
        register,
        communities=(structs.replace(register.communities[0], members=("A1",)),),
        requirements=(),
    )
    assert [f.code for f in changed(small, "A", Leave(unit="A1", first=FIRST))[1]] == ["membership_last"]


@pytest.mark.parametrize("unit", ["A1", "A2"])
def test_who_joins_finds_places_and_the_others_keep_theirs(unit: str) -> None:
    register, findings = changed(left(unit), "A", coming_back(unit))
    assert findings == ()
    assert {r.id: r for r in register.requirements} == {r.id: r for r in community()[0].requirements}
    before = fitted(unit).table
    found = refit.refit(register, before, workers=1)
    assert (check(register, found.table), missing(register, found.table)) == ([], [])
    own = {r.id for r in register.requirements if touches(r, unit)}
    standing = {lesson.id: lesson for lesson in before.lessons}
    moved = {move.lesson for move in found.moves}
    for lesson in found.table.lessons:
        if lesson.requirement not in own and lesson.id not in moved:
            assert standing[lesson.id] == lesson
    assert {lesson.requirement for lesson in found.table.lessons if lesson.id in found.added} <= own
    assert found.kept + len(found.moves) + len(found.changed) + len(found.added) == len(found.table.lessons)
    # nobody else has to move: the old table is one in which they stood there
    assert moved <= {lesson.id for lesson in found.table.lessons if lesson.requirement in own}


@given(st.sampled_from(["A1", "A2"]), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_a_joining_that_is_withdrawn_leaves_no_trace(unit: str, seed: int) -> None:
    """Whatever of its rows the school brought along, and the register had already."""
    chance = random.Random(seed)
    before = left(unit)
    mine = {t for r in coming_back(unit).requirements for p in r.parties if p.unit == unit for t in p.teachers}
    fresh = {id for id in mine if chance.random() < 0.5}
    before = structs.replace(before, teachers=tuple(t for t in before.teachers if t.id not in fresh))
    teachers = tuple(structs.replace(t, name="新") for t in community()[0].teachers if t.id in mine)
    roads = tuple(structs.replace(road, minutes=road.minutes + 1) for road in before.travel if chance.random() < 0.5)
    join = structs.replace(coming_back(unit), teachers=teachers, travel=roads)
    register, findings = changed(before, "A", join)
    assert findings == ()
    assert register != before
    assert withdrawn(register, before, "A", join) == before
    # what others changed meanwhile stays changed
    other = next(r for r in register.requirements if r.id not in {one.id for one in join.requirements})
    edited = tuple(structs.replace(r, weekly=r.weekly + 1) if r is other else r for r in register.requirements)
    after = withdrawn(structs.replace(register, requirements=edited), before, "A", join)
    assert [r.weekly for r in after.requirements if r.id == other.id] == [other.weekly + 1]
    assert len(after.requirements) == len(before.requirements)


@given(st.integers(0, 2**31))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_change_of_requirements_is_fitted_or_refused(seed: int) -> None:
    """Requirements come, go and change their hours and teachers; what is not named stays unless it must move."""
    chance = random.Random(seed)
    register, table = community()
    kept = [r for r in register.requirements if chance.random() < 0.9]
    edited = tuple(_edited(chance, register, r) if chance.random() < 0.15 else r for r in kept)
    new = structs.replace(register, requirements=edited)
    try:
        found = refit.refit(new, table, seconds=20, workers=1)
    except BuildFailed:
        return
    assert (check(new, found.table), missing(new, found.table)) == ([], [])
    before = {lesson.id: lesson for lesson in table.lessons}
    named = {move.lesson for move in found.moves} | set(found.changed) | set(found.added)
    for lesson in found.table.lessons:
        assert lesson.id in named or before[lesson.id] == lesson
    assert set(found.dropped) == before.keys() - {lesson.id for lesson in found.table.lessons}


def _edited(chance: random.Random, register: Register, requirement: Requirement) -> Requirement:
    if chance.random() < 0.5:
        return structs.replace(requirement, weekly=max(1, requirement.weekly + chance.choice([-1, 1])))
    host, *others = requirement.parties
    same = [t.id for t in register.teachers if host.unit in t.posts and t.id not in host.teachers]
    if not same:
        return requirement
    return structs.replace(requirement, parties=(structs.replace(host, teachers=(chance.choice(same),)), *others))


def test_more_lessons_than_slots_is_said() -> None:
    register, table = community()
    many = tuple(structs.replace(r, weekly=20) if r.kind == "sync" else r for r in register.requirements)
    with pytest.raises(BuildFailed) as failed:
        refit.refit(structs.replace(register, requirements=many), table, seconds=10, workers=1)
    assert {finding.code for finding in failed.value.findings} <= {"refit_no_slot", "refit_no_table"}
    with pytest.raises(NotFound):
        refit.refit(register, Table(community="B", term="x", lessons=()), workers=1)


def test_every_code_has_a_sentence_in_both_languages() -> None:
    known = {*membership.CODES, *refit.CODES}
    for language in LANGUAGES:
        assert [code for code in known if f"finding.{code}" not in catalogue(language)] == []
