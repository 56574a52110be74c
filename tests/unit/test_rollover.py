"""The next term and the next year: classes keep their ids and move up, grades keep what they learn, teachers go along
or stay, and what is unclear is said before anything is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from server.demo.county import demo_register
from server.sentences import LANGUAGES, catalogue
from tests.unit.small_register import SMALL
from timetable.model import BellSchedule, Closure, Register, Requirement, Term
from timetable.register.check import check
from timetable.register.parts import rows_of
from timetable.term import weeks
from timetable.years import next_year, promotion, rollover
from timetable.years.next_classes import Entry
from timetable.years.next_year import WEEKLY_PERIODS
from timetable.years.rollover import Next, Rollover, roll_over

AFTER = date(2027, 8, 1)
AUTUMN = Term(
    id="2027-autumn",
    name="新学年",
    first_day="2027-09-01",
    last_day="2028-01-14",
    week_one="2027-08-30",
    closures=(Closure(first="2027-10-01", last="2027-10-07", name="国庆节"),),
)


@cache
def county() -> Register:
    return demo_register()


@cache
def turned(teachers: str = "follow", entries: tuple[Entry, ...] = ()) -> Next:
    plan = Rollover(term=AUTUMN, promote=True, teachers=teachers, entries=entries)  # type: ignore[arg-type]
    return roll_over(county(), plan, today=AFTER)


def codes(found: Next) -> Counter[str]:
    return Counter(finding.code for finding in found.findings)


def periods(requirements: Iterable[Requirement]) -> Counter[str]:
    found: Counter[str] = Counter()
    for requirement in requirements:
        if requirement.kind not in next_year.LESSONS or requirement.only_weeks:
            continue
        for party in requirement.parties:
            for school_class in party.classes:
                twice = requirement.weekly * requirement.block * (2 if requirement.weeks == "all" else 1)
                found[school_class] += twice
    return Counter({school_class: count // 2 for school_class, count in found.items()})


def taught(register: Register) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (party.classes[0], r.subject): party.teachers
        for r in register.requirements
        if r.kind == "local"
        for party in r.parties
    }


# The year


@pytest.mark.parametrize("teachers", ["follow", "stay"])
def test_the_county_turns_without_an_error_and_with_whole_weeks(teachers: str) -> None:
    found = turned(teachers)
    assert set(codes(found)) <= {"rollover_entry_assumed", "rollover_unavailable"}
    assert check(rows_of(found.register)) == []
    weekly = periods(found.register.requirements)
    assert {weekly[c.id] for c in found.register.classes} == {26, 30, 34}
    assert all(weekly[c.id] == WEEKLY_PERIODS[c.grade] for c in found.register.classes)


def test_classes_keep_their_ids_and_rooms_and_move_up() -> None:
    old, new = county(), turned().register
    after = {c.id: c for c in new.classes}
    for before in old.classes:
        if before.grade in (6, 9):
            assert before.id not in after
        else:
            now = after[before.id]
            assert (now.grade, now.number, now.room, now.unit) == (
                before.grade + 1,
                before.number,
                before.room,
                before.unit,
            )
            assert now.name == f"{'一二三四五六七八九'[before.grade]}({before.number})班"
            room = next(r for r in new.rooms if r.id == now.room)
            assert room.name == f"{now.name}教室"
            assert now.recording_consent == before.recording_consent
    assert Counter(c.unit for c in old.classes) == Counter(c.unit for c in new.classes)


def test_new_classes_are_named_by_the_year_in_which_they_begin() -> None:
    known = {c.id for c in county().classes}
    for one in turned().register.classes:
        if one.id not in known:
            assert one.id == f"{one.unit}.e2027-{one.number}"
            assert (one.grade in (1, 7), one.recording_consent) == (True, False)


def test_given_numbers_of_new_classes_are_taken() -> None:
    unit = county().units[0]
    found = turned("stay", (Entry(unit=unit.id, pupils=(31, 32, 33, 34, 35, 36)),))
    begun = [c for c in found.register.classes if c.unit == unit.id and c.grade == 1]
    assert [c.pupils for c in begun] == [31, 32, 33, 34, 35, 36]
    assert len({c.room for c in found.register.classes}) == len(found.register.classes)
    assert check(rows_of(found.register)) == []
    weekly = periods(found.register.requirements)
    assert {weekly[c.id] for c in begun} == {26}
    none = turned("stay", (Entry(unit=unit.id, pupils=()),)).register
    assert not [c for c in none.classes if c.unit == unit.id and c.grade == 1]


def test_teachers_follow_their_classes_or_stay_with_the_grade() -> None:
    old, follow, stay = taught(county()), taught(turned("follow").register), taught(turned("stay").register)
    grades = {c.id: c for c in county().classes}
    followed = [pair for pair in follow if pair in old]
    assert followed
    assert all(follow[pair] == old[pair] for pair in followed)
    for school_class in turned("stay").register.classes:
        if school_class.id in grades and school_class.grade not in (1, 7):
            was = next(
                c
                for c in county().classes
                if (c.unit, c.grade, c.number) == (school_class.unit, school_class.grade, school_class.number)
            )
            for subject in ("语文", "体育"):
                assert stay[school_class.id, subject] == old[was.id, subject]
    assert turned("stay").teachers != turned("follow").teachers


def test_shared_lessons_stay_with_their_grade() -> None:
    def shape(register: Register) -> Counter[tuple[object, ...]]:
        grades = {c.id: (c.unit, c.grade, c.number) for c in register.classes}
        return Counter(
            (r.kind, r.subject, r.weekly, tuple((p.unit, tuple(grades[c] for c in p.classes)) for p in r.parties))
            for r in register.requirements
            if r.kind != "local"
        )

    assert shape(turned().register) == shape(county())


def test_ids_of_requirements_are_unique_and_named_by_their_class() -> None:
    ids = [r.id for r in turned().register.requirements]
    assert len(ids) == len(set(ids))
    for requirement in turned().register.requirements:
        if requirement.kind == "local":
            assert requirement.id.startswith(f"{requirement.parties[0].classes[0]}.")


@given(st.lists(st.tuples(st.integers(0, 42), st.integers(0, 7)), max_size=5), st.sampled_from(["follow", "stay"]))
@settings(max_examples=8, deadline=None)
def test_whatever_begins_the_register_is_sound_or_says_why(begun: list[tuple[int, int]], teachers: str) -> None:
    entries = {county().units[index].id: classes for index, classes in begun}
    plan = Rollover(
        term=AUTUMN,
        promote=True,
        teachers=teachers,  # type: ignore[arg-type]
        entries=tuple(Entry(unit=unit, pupils=(30,) * classes) for unit, classes in entries.items()),
    )
    found = roll_over(county(), plan, today=AFTER)
    faults = [fault for fault in check(rows_of(found.register)) if fault.severity == "error"]
    assert bool(faults) <= (not found.possible)
    short = {str(f.values["name"]) for f in found.findings if f.code == "rollover_periods"}
    weekly = periods(found.register.requirements)
    for one in found.register.classes:
        assert weekly[one.id] == WEEKLY_PERIODS[one.grade] or one.name in short


def test_three_years_on_ids_are_still_unique_and_nobody_is_lost() -> None:
    register = county()
    ever = {c.id: c.name for c in register.classes}
    for year in (2027, 2028, 2029):
        term = structs.replace(
            AUTUMN,
            id=f"{year}-autumn",
            first_day=f"{year}-09-01",
            last_day=f"{year + 1}-01-12",
            week_one=date.fromordinal(date(year, 9, 1).toordinal() - date(year, 9, 1).weekday()).isoformat(),
            closures=(),
        )
        found = roll_over(register, Rollover(term=term, promote=True), today=date(year, 8, 1))
        assert found.possible, found.findings
        register = found.register
        assert check(rows_of(register)) == []
        begun = {c.id for c in register.classes if c.grade in (1, 7)}
        assert not begun & ever.keys()
        ever |= {c.id: c.name for c in register.classes}
    assert len(register.classes) == len(county().classes)


# The term


def term_codes(
    register: Register = SMALL, today: date = AFTER, known: tuple[str, ...] = (), **fields: object
) -> list[str]:
    plan = Rollover(term=structs.replace(AUTUMN, **fields))
    found = roll_over(register, plan, today=today, known=known)
    return [f.code for f in found.findings if f.code != "rollover_unavailable"]


def test_without_a_turn_of_the_year_only_the_term_is_another() -> None:
    found = roll_over(SMALL, Rollover(term=AUTUMN), today=AFTER)
    assert found.register == structs.replace(SMALL, term=AUTUMN)
    assert (found.classes, found.teachers, found.possible) == ((), (), True)
    assert found.requirements == {"kept": 2, "changed": 0, "new": 0, "dropped": 0}


def test_terms_that_cannot_follow_are_refused() -> None:
    assert term_codes() == []
    assert term_codes(last_day="2027-08-01") == ["rollover_term_dates"]
    assert term_codes(week_one="2027-08-31") == ["rollover_term_dates"]
    assert term_codes(first_day="soon") == ["rollover_term_dates"]
    assert term_codes(first_day="2027-01-04", week_one="2027-01-04", last_day="2027-07-01") == ["rollover_term_early"]
    assert term_codes(id="2026-autumn") == ["rollover_term_known"]
    assert term_codes(known=("2027-autumn",)) == ["rollover_term_known"]
    assert term_codes(today=date(2027, 1, 10)) == ["rollover_running"]
    assert term_codes(closures=()) == ["rollover_calendar_empty"]
    early = Rollover(term=AUTUMN, end_running=True)
    assert roll_over(SMALL, early, today=date(2027, 1, 10)).possible


def test_bells_that_have_ended_are_left_out() -> None:
    core, east = SMALL.units
    winter = structs.replace(core.bells[0], valid_to="2027-04-30")
    summer = structs.replace(core.bells[0], valid_from="2027-05-01")
    both = structs.replace(SMALL, units=(structs.replace(core, bells=(winter, summer)), east))
    assert term_codes(both) == ["rollover_bells_end"]
    assert roll_over(both, Rollover(term=AUTUMN), today=AFTER).register.units[0].bells == (summer,)
    gone: tuple[BellSchedule, ...] = (winter,)
    only = structs.replace(SMALL, units=(structs.replace(core, bells=gone), east))
    assert term_codes(only) == ["rollover_bells_end", "rollover_no_bells"]


def test_weeks_that_the_new_term_does_not_have_give_way_to_its_last_ones() -> None:
    last = weeks(AUTUMN)
    first, *others = SMALL.requirements
    named = structs.replace(first, only_weeks=(2, last, last + 1))
    register = structs.replace(SMALL, requirements=(named, *others))
    found = roll_over(register, Rollover(term=AUTUMN), today=AFTER)
    assert found.register.requirements[0].only_weeks == (2, last - 1, last)
    assert found.register.requirements[1:] == SMALL.requirements[1:]
    assert term_codes(register) == ["rollover_weeks_moved"]
    assert found.possible
    assert "week_not_held" not in {one.code for one in check(rows_of(found.register))}


def test_what_is_unclear_is_said() -> None:
    odd = structs.replace(
        SMALL,
        classes=(structs.replace(SMALL.classes[0], name="雏鹰班"), SMALL.classes[1]),
        requirements=SMALL.requirements[:1],
    )
    plan = Rollover(term=AUTUMN, promote=True, entries=(Entry(unit="nowhere", pupils=(20,)),))
    found = roll_over(odd, plan, today=AFTER)
    assert {"rollover_name_kept", "rollover_entry_unknown", "rollover_no_template"} <= set(codes(found))
    assert not found.possible


def test_every_code_has_a_sentence_in_both_languages() -> None:
    known = {*promotion.CODES, *rollover.CODES}
    for language in LANGUAGES:
        assert [code for code in known if f"finding.{code}" not in catalogue(language)] == []
