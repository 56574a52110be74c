"""The cover plan: every candidate really can stand in, nobody who can is left out, and reasons make the ranking."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.sentences import LANGUAGES, catalogue
from tests.dated_days import broken_on, community, days, version
from timetable.days import cover
from timetable.days.changes import Cancel, MakeUp, Move, Substitute
from timetable.days.cover import CoverPlan, chosen
from timetable.days.dated import DatedTables
from timetable.days.effects import Applied
from timetable.days.grounds import Grounds
from timetable.days.openings import openings
from timetable.days.outcomes import work_out
from timetable.errors import NotFound
from timetable.model import BusyTime
from timetable.term import moment

NOW = moment(date(2026, 9, 2), "07:00")
FIRST, LAST = date(2026, 9, 7), date(2026, 9, 11)


@cache
def grounds(mode: str = "collaborative") -> Grounds:
    register, _ = community()
    return Grounds(
        structs.replace(register, communities=tuple(structs.replace(c, mode=mode) for c in register.communities))
    )


def published() -> DatedTables:
    register, table = community()
    return DatedTables(register.term, [[version(table)]])


def plan(teacher: str, mode: str = "collaborative", first: date = FIRST, last: date = LAST) -> CoverPlan:
    return cover.plan(grounds(mode), published(), teacher, first, last, NOW)


def teachers(*subjects: str) -> list[str]:
    return [t.id for t in community()[0].teachers if set(subjects) & set(t.subjects)]


def possible(change: object, tables: DatedTables, mode: str = "collaborative", now: float = NOW) -> bool:
    outcome = work_out(change, community="A", number=1, grounds=grounds(mode), tables=tables, now=now)  # type: ignore[arg-type]
    return outcome.possible


@pytest.mark.parametrize("mode", ["collaborative", "co_built", "merged"])
def test_candidates_are_exactly_those_who_can_stand_in(mode: str) -> None:
    tables, register = published(), community()[0]
    for teacher in register.teachers:
        for need in plan(teacher.id, mode).needs:
            able = {
                other.id
                for other in register.teachers
                if other.id != teacher.id
                and possible(
                    Substitute(
                        lesson=need.lesson, absent=teacher.id, substitute=other.id, first=need.date, last=need.date
                    ),
                    tables,
                    mode,
                )
            }
            assert {candidate.teacher for candidate in need.candidates} <= able
            if len(able) <= cover.MOST_CANDIDATES:
                assert {candidate.teacher for candidate in need.candidates} == able


def test_every_lesson_of_the_absent_teacher_is_in_the_plan() -> None:
    tables = published()
    for teacher in community()[0].teachers:
        held = [
            standing.occurrence.id
            for day in days(community()[0])
            if FIRST <= day <= LAST
            for standing in tables.on(day)
            if any(teacher.id in party.teachers for party in standing.occurrence.parties)
        ]
        assert [need.occurrence for need in plan(teacher.id).needs if need.role != "supervises"] == held


def test_same_subject_at_the_same_school_comes_first_and_says_so() -> None:
    first, second = teachers("科学")
    needs = [need for need in plan(first).needs if second in {c.teacher for c in need.candidates}]
    assert needs
    for need in needs:
        best = need.candidates[0]
        assert (best.teacher, need.suggested) == (second, second)
        assert {"same_subject", "same_unit", "load"} <= {reason.code for reason in best.reasons}


def test_ranking_falls_by_points_and_is_the_same_again() -> None:
    for teacher in community()[0].teachers:
        found = plan(teacher.id, "merged")
        for need in found.needs:
            points = [candidate.points for candidate in need.candidates]
            assert points == sorted(points, reverse=True)
        assert found == plan(teacher.id, "merged")


@pytest.mark.parametrize("mode", ["collaborative", "co_built", "merged"])
def test_all_suggestions_of_a_plan_hold_together(mode: str) -> None:
    register = community()[0]
    for teacher in register.teachers:
        tables = published()
        found = plan(teacher.id, mode)
        for number, need in enumerate(found.needs, start=1):
            if need.suggested is None:
                continue
            change = chosen(found, need, need.suggested)
            outcome = work_out(change, community="A", number=number, grounds=grounds(mode), tables=tables, now=NOW)
            assert outcome.possible, (need, outcome.findings)
            tables = tables.with_applied(Applied(community="A", number=number, at=NOW, effects=outcome.effects))
        for day in days(register):
            assert broken_on(register, day, tables.on(day)) == []


def test_where_nobody_can_the_lesson_is_made_up_after_the_absence() -> None:
    register, tables = community()[0], published()
    absent = teachers("语文")[0]
    everywhere = tuple(BusyTime(weekday=day, start="07:00", end="20:00") for day in range(1, 8))
    alone = Grounds(
        structs.replace(
            register,
            teachers=tuple(
                t if t.id == absent else structs.replace(t, unavailable=everywhere) for t in register.teachers
            ),
        )
    )
    needs = [n for n in cover.plan(alone, tables, absent, FIRST, LAST, NOW).needs if n.role == "teaches"]
    assert needs
    for need in needs:
        assert (need.candidates, need.suggested, len(need.make_up)) == ((), None, cover.MOST_PROPOSALS)
        cancelled = work_out(
            Cancel(occurrence=need.occurrence), community="A", number=1, grounds=alone, tables=tables, now=NOW
        )
        without = tables.with_applied(Applied(community="A", number=1, at=NOW, effects=cancelled.effects))
        for proposal in need.make_up:
            assert proposal.date > LAST.isoformat()
            assert possible(MakeUp(occurrence=need.occurrence, date=proposal.date, period=proposal.period), without)


def test_lessons_that_have_begun_are_not_covered() -> None:
    teacher = teachers("科学")[0]
    needs = plan(teacher).needs
    later = cover.plan(grounds(), published(), teacher, FIRST, LAST, moment(date(2026, 9, 9), "00:00"))
    assert [need.occurrence for need in later.needs] == [n.occurrence for n in needs if n.date >= "2026-09-09"]


def test_unknown_teacher_is_not_found() -> None:
    with pytest.raises(NotFound):
        plan("nobody")


def test_long_absence_keeps_one_substitute_for_one_lesson() -> None:
    teacher = teachers("科学")[0]
    found = plan(teacher, "merged", date(2026, 9, 21), date(2026, 10, 30))
    by_lesson: dict[str, set[str | None]] = {}
    for need in found.needs:
        by_lesson.setdefault(need.lesson, set()).add(need.suggested)
    assert by_lesson
    assert min(len(who) for who in by_lesson.values()) == 1


def test_every_reason_has_a_sentence() -> None:
    codes = {
        reason.code
        for teacher in community()[0].teachers
        for mode in ("collaborative", "co_built", "merged")
        for need in plan(teacher.id, mode).needs
        for candidate in need.candidates
        for reason in candidate.reasons
    }
    assert {"same_subject", "load", "lent", "pooled"} <= codes
    for language in LANGUAGES:
        assert [code for code in codes if f"cover.reason.{code}" not in catalogue(language)] == []


# Where an occurrence could go


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_an_opening_is_free_exactly_when_the_move_is_possible(pick: int) -> None:
    tables, register = published(), community()[0]
    standings = [s for day in days(register)[6:20] for s in tables.on(day)]
    one = standings[pick % len(standings)]
    first = one.occurrence.day.date
    for opening in openings(grounds(), tables, one, first, first + timedelta(days=6), NOW):
        change = Move(occurrence=one.occurrence.id, date=opening.date, period=opening.period)
        assert possible(change, tables) == (opening.findings == ()), opening
