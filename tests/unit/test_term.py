"""The term's calendar against the autumn of 2026 in Shanxi: holidays, make-up days, odd and even weeks."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from timetable.model import Closure, Lesson, MakeUpDay, PlacedParty, Term, Weeks
from timetable.term import local_date, moment, occurrences, occurrences_on, parity, teaching_day, week_of, weeks

TERM = Term(
    id="2026-autumn",
    name="2026年秋季学期",
    first_day="2026-09-01",
    last_day="2027-01-22",
    week_one="2026-08-31",
    closures=(
        Closure(first="2026-10-01", last="2026-10-07", name="国庆节"),
        Closure(first="2026-11-18", last="2026-11-18", name="停水", units=("west",)),
    ),
    make_up_days=(MakeUpDay(date="2026-10-10", follows_weekday=3, follows_week=6),),
    provisional_from="2027-01-01",
)


def lesson(id: str, weekday: int, units: tuple[str, ...] = ("core",), in_weeks: Weeks = "all") -> Lesson:
    parties = tuple(PlacedParty(unit=unit, period=1, start="08:20", end="09:00") for unit in units)
    return Lesson(
        id=id,
        requirement=id,
        kind="local" if len(units) == 1 else "sync",
        subject="语文",
        weekday=weekday,
        start="08:20",
        end="09:00",
        parties=parties,
        weeks=in_weeks,
    )


def on(day: str, *lessons: Lesson) -> list[str]:
    return [occurrence.id for occurrence in occurrences_on(TERM, lessons, date.fromisoformat(day))]


def test_weeks_count_from_week_one() -> None:
    assert [week_of(TERM, date(2026, 9, day)) for day in (1, 6, 7, 14)] == [1, 1, 2, 3]
    assert weeks(TERM) == 21


def test_holiday_has_no_lessons_and_the_make_up_saturday_follows_its_weekday() -> None:
    assert on("2026-10-07", lesson("a", 3)) == []
    assert on("2026-10-10", lesson("a", 3), lesson("b", 6)) == ["a.2026-10-10"]


def test_make_up_day_counts_the_parity_of_the_week_it_follows() -> None:
    even, odd = lesson("even", 3, in_weeks="even"), lesson("odd", 3, in_weeks="odd")
    assert on("2026-10-10", even, odd) == ["even.2026-10-10"]


def test_shared_lesson_goes_on_without_a_closed_member_but_not_without_its_host() -> None:
    three = lesson("three", 3, ("core", "west", "east"))
    hosted_west = lesson("hosted", 3, ("west", "core", "east"))
    two = lesson("two", 3, ("core", "west"))
    assert on("2026-11-18", three, hosted_west, two) == ["three.2026-11-18"]
    found = occurrences_on(TERM, [three], date(2026, 11, 18))
    assert [party.unit for party in found[0].parties] == ["core", "east"]


def test_weeks_without_an_official_calendar_are_provisional() -> None:
    days = [teaching_day(TERM, day) for day in (date(2026, 12, 31), date(2027, 1, 4))]
    assert [day.provisional for day in days if day] == [False, True]


def test_before_and_after_the_term_there_is_no_school() -> None:
    assert (teaching_day(TERM, date(2026, 8, 31)), teaching_day(TERM, date(2027, 1, 23))) == (None, None)


def test_moment_is_in_the_countys_zone() -> None:
    assert moment(date(2026, 9, 1), "08:20") == 1788222000.0
    assert local_date(1788222000.0) == date(2026, 9, 1)


@given(st.integers(1, 5), st.sampled_from(["odd", "even"]))
def test_odd_and_even_share_the_weeks_without_a_gap(weekday: int, first: Weeks) -> None:
    second: Weeks = "even" if first == "odd" else "odd"
    both = [lesson("x", weekday, in_weeks=first), lesson("x", weekday, in_weeks=second)]
    every = [lesson("x", weekday)]
    halves = sorted(occurrence.id for occurrence in occurrences(TERM, both))
    assert halves == [occurrence.id for occurrence in occurrences(TERM, every)]


@given(st.dates(date(2026, 9, 1), date(2027, 1, 22)))
def test_parity_follows_the_weeks(day: date) -> None:
    assert parity(week_of(TERM, day)) != parity(week_of(TERM, day + timedelta(days=7)))
