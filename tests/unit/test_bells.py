"""Which periods a unit rings, and which periods of several units meet by the clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timetable import bells
from timetable.bells import Bells, BellShift, Match, Window
from timetable.model import BellSchedule, Period, SchoolUnit

MORNING = {1: Window(480, 520), 2: Window(530, 570), 3: Window(600, 640), 4: Window(650, 690), 5: Window(840, 880)}

windows = st.builds(lambda start, length: Window(start, start + length), st.integers(0, 1300), st.integers(1, 90))


def unit(*schedules: BellSchedule) -> SchoolUnit:
    return SchoolUnit(id="u", name="学校", short_name="校", code="U", campus="c", stage="primary", bells=schedules)


def schedule(start: str, end: str, *, weekdays: tuple[int, ...] = (1, 2), **dates: str) -> BellSchedule:
    return BellSchedule(weekdays=weekdays, periods=(Period(number=1, start=start, end=end),), **dates)


def test_periods_follow_the_schedule_in_force_on_the_date() -> None:
    school = unit(
        schedule("08:00", "08:40"),
        schedule("08:30", "09:10", valid_from="2026-10-01", valid_to="2027-04-30"),
    )
    assert bells.periods(school, 1, "2026-09-01") == {1: Window(480, 520)}
    assert bells.periods(school, 1, "2026-11-01") == {1: Window(510, 550)}
    assert bells.periods(school, 1, "2027-05-01") == {1: Window(480, 520)}
    assert bells.periods(school, 6, "2026-11-01") == {}


def test_periods_before_every_schedule_follow_the_first_to_begin() -> None:
    school = unit(
        schedule("09:00", "09:40", valid_from="2027-01-01"), schedule("08:30", "09:10", valid_from="2026-10-01")
    )
    assert bells.periods(school, 2, "2026-09-01") == {1: Window(510, 550)}


def test_periods_are_in_the_order_of_the_clock() -> None:
    late, early = Period(number=1, start="10:00", end="10:40"), Period(number=2, start="08:00", end="08:40")
    school = unit(BellSchedule(weekdays=(1,), periods=(late, early)))
    assert list(bells.periods(school, 1, "2026-09-01")) == [2, 1]


def test_matching_period_is_found_by_the_clock_and_not_by_number() -> None:
    later_by_a_period = {n: w.moved(50) for n, w in MORNING.items()}
    assert bells.matching_period(MORNING[2], later_by_a_period, 5) == 1
    assert bells.best_match(MORNING[2], later_by_a_period) == Match(1, 40)


@pytest.mark.parametrize(
    ("offset", "slack", "expected"), [(5, 5, 3), (6, 5, None), (-5, 5, 3), (6, 6, 3), (1, 0, None)]
)
def test_matching_period_needs_its_length_less_the_slack(offset: int, slack: int, expected: int | None) -> None:
    day = {n: w.moved(offset) for n, w in MORNING.items()}
    assert bells.matching_period(MORNING[3], day, slack) == expected


def test_the_shorter_period_decides_what_is_required() -> None:
    assert bells.matching_period(Window(480, 525), {1: Window(480, 520)}, 5) == 1
    assert bells.required_overlap((Window(480, 525), Window(480, 520)), 5) == 35


def test_three_units_have_to_meet_all_together() -> None:
    host, early, late = Window(480, 520), Window(475, 515), Window(485, 525)
    assert bells.windows_meet((host, early), 5)
    assert bells.windows_meet((host, late), 5)
    assert not bells.windows_meet((host, early, late), 5)
    assert bells.shared_window((host, early, late)) == Window(485, 515)


def test_leftover_is_what_lies_before_and_after() -> None:
    assert bells.leftover(Window(480, 525), Window(485, 520)) == (Window(480, 485), Window(520, 525))
    assert bells.leftover(Window(480, 520), Window(480, 520)) == ()


def test_a_run_of_periods_bridges_a_long_break_but_not_noon() -> None:
    assert bells.run(MORNING, 2, 2) == (2, 3)
    assert bells.run(MORNING, 4, 2) is None
    assert bells.run(MORNING, 5, 2) is None
    assert bells.run(MORNING, 9, 1) is None


def test_smallest_shift_names_unit_minutes_and_direction() -> None:
    off = {n: w.moved(15) for n, w in MORNING.items()}
    assert bells.smallest_shift([MORNING], {"far": [off]}, 5) == BellShift("far", 10, "earlier")
    assert bells.smallest_shift([off], {"far": [MORNING]}, 5) == BellShift("far", 10, "later")


def test_smallest_shift_of_one_unit_cannot_help_two_that_are_off() -> None:
    early = {1: Window(420, 460)}
    late = {1: Window(1000, 1040)}
    assert bells.smallest_shift([{1: Window(700, 740)}], {"early": [early], "late": [late]}, 5) is None


def test_bells_know_a_window_only_where_it_rings() -> None:
    known = Bells([unit(schedule("08:00", "08:40"))], (1, 2, 3), "2026-09-01")
    assert known.window("u", 1, 1) == Window(480, 520)
    assert known.window("u", 3, 1) is None
    assert known.window("other", 1, 1) is None


@given(windows, windows)
def test_overlap_is_symmetric_and_the_length_of_the_intersection(a: Window, b: Window) -> None:
    assert a.overlap(b) == b.overlap(a) == max(0, a.intersection(b).length)


@given(windows, st.dictionaries(st.integers(1, 8), windows), st.integers(0, 20))
def test_a_matching_period_has_the_largest_overlap_and_enough_of_it(
    host: Window, day: dict[int, Window], slack: int
) -> None:
    period = bells.matching_period(host, day, slack)
    if period is not None:
        assert host.overlap(day[period]) == max(host.overlap(window) for window in day.values())
        assert bells.windows_meet((host, day[period]), slack)


@given(windows, st.integers(-60, 60), st.integers(0, 20))
def test_a_shift_makes_the_windows_meet_and_one_minute_less_does_not(host: Window, offset: int, slack: int) -> None:
    other = {1: host.moved(offset)}
    shift = bells.smallest_shift([{1: host}], {"u": [other]}, slack)
    if bells.matching_period(host, other, slack) is None:
        assert shift is not None
        sign = 1 if shift.direction == "later" else -1
        assert bells.matching_period(host, {1: other[1].moved(sign * shift.minutes)}, slack) == 1
        assert bells.matching_period(host, {1: other[1].moved(sign * (shift.minutes - 1))}, slack) is None


@given(windows, windows)
def test_leftover_and_shared_window_make_up_the_period(own: Window, other: Window) -> None:
    shared = own.intersection(other)
    if shared.length > 0:
        assert sum(part.length for part in bells.leftover(own, shared)) + shared.length == own.length
