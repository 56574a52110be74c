"""What did not arrive: asking for it again, and what is told and expected of it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.loss import (
    FEWEST,
    FRESH,
    MOST_FORECAST,
    RETRY_MAX,
    RETRY_MIN,
    TRIES,
    LossForecast,
    MissingPackets,
    ReportedLoss,
    retry_after,
    share,
)


def test_a_hole_is_asked_for_at_once_and_again_after_the_retry_time() -> None:
    missing = MissingPackets()
    missing.add(10, 12, now=5.0)
    assert missing.request(5.0, 0, 0.1) == ([10, 11], 0)
    assert missing.request(5.05, 0, 0.1) == ([], 0)
    assert missing.arrived(10)
    assert missing.request(5.1, 0, 0.1) == ([11], 0)
    assert not missing.arrived(10)


def test_a_packet_is_given_up_after_enough_requests() -> None:
    missing = MissingPackets()
    missing.add(1, 2, now=0.0)
    asked = [missing.request(float(second), 0, 1.0) for second in range(TRIES + 1)]
    assert asked == [([1], 0)] * TRIES + [([], 1)]
    assert len(missing) == 0


def test_what_has_left_the_ring_is_given_up() -> None:
    missing = MissingPackets()
    missing.add(1, 4, now=0.0)
    assert missing.request(0.0, 3, 1.0) == ([3], 2)


def test_sound_that_would_come_too_late_is_given_up() -> None:
    missing = MissingPackets(patience=0.5)
    missing.add(1, 2, now=0.0)
    missing.add(2, 3, now=0.4)
    assert missing.request(0.4, 0, 0.1) == ([1, 2], 0)
    assert missing.request(0.6, 0, 0.1) == ([2], 1)


def test_a_receivers_reports_are_summed_up_however_often_it_sends_them() -> None:
    told = ReportedLoss()
    told.report(1000, 0.5)  # of nobody knows how many
    for highest in range(1002, 1042, 2):
        told.report(highest, 0.5 if highest % 20 == 0 else 0.0)
    told.settle()
    assert (told.packets, told.lost, told.loss) == (40, 2, 0.05)


def test_what_is_asked_for_counts_as_lost_although_it_is_received_in_the_end() -> None:
    told = ReportedLoss()
    told.report(65_530, 0.0)
    for number in (65_531, 65_535, 0, 3, 40):
        told.asked(number)
    told.report(65_580, 0.0)
    told.settle()
    assert told.loss == 0.1
    told.asked(60)  # of the next report's packets
    told.report(65_590, 0.0)
    told.report(65_640, 0.02)
    told.settle()
    assert (told.packets, told.lost) == (110, 6)


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("repaired", [True, False])
def test_what_is_told_of_a_loss_is_neither_more_nor_less(asks: bool, repaired: bool) -> None:
    """repaired: under its own number, so that a report no longer counts what has come again by then."""
    told, random = ReportedLoss(), Random(1)
    highest = reported = 0
    lost: set[int] = set()
    for second in range(3600):
        for number in range(highest + 1, highest + 41):
            if random.random() < 0.05:
                lost.add(number)
                if asks or repaired:
                    told.asked(number & 0xFFFF)
        highest += 40
        if second % 3:  # not with every second, and never of all that was sent
            before, reported = reported, highest - 20
            share = sum(before < number <= reported for number in lost) / (reported - before)
            told.report(reported, 0.0 if repaired else share)
        told.settle()
    assert told.lost / told.packets == pytest.approx(0.05, abs=0.004)


def test_a_few_packets_say_nothing() -> None:
    told = ReportedLoss()
    told.report(0, 0.0)
    told.report(FEWEST - 1, 1.0)
    told.settle()
    assert (told.packets, told.loss) == (0, 0.0)
    told.report(200, 0.0)
    told.settle()
    assert told.loss == pytest.approx((FEWEST - 1) / 200)


@given(st.lists(st.tuples(st.integers(0, 1 << 32), st.floats(0, 1), st.booleans())))
def test_no_report_makes_more_lost_than_sent(reports: list[tuple[int, float, bool]]) -> None:
    told = ReportedLoss()
    for highest, loss, settled in reports:
        told.asked(highest & 0xFFFF)
        told.report(highest, loss)
        if settled:
            told.settle()
        assert 0 <= told.lost <= told.packets
        assert 0 <= told.loss <= 1


def test_a_forecast_rises_at_once_and_outlasts_lucky_seconds() -> None:
    forecast = LossForecast()
    for loss in (0.08, 0.0, 0.06, 0.0, 0.0):
        forecast.sample(loss)
    assert forecast.loss > 0.03
    for _ in range(60):
        forecast.sample(0.0)
    assert forecast.loss < 0.005
    for _ in range(60):
        forecast.sample(1.0)
    assert forecast.loss <= MOST_FORECAST


@given(st.one_of(st.none(), st.floats(0, 10)))
def test_the_retry_time_follows_the_round_trip_within_limits(rtt: float | None) -> None:
    retry = retry_after(rtt)
    assert RETRY_MIN <= retry <= RETRY_MAX
    assert rtt is None or retry == RETRY_MAX or retry >= rtt


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5))), st.sets(st.integers(0, 60)))
def test_only_what_is_missing_is_asked_for(gaps: list[tuple[int, int]], arrived: set[int]) -> None:
    missing = MissingPackets()
    expected: set[int] = set()
    for first, size in gaps:
        missing.add(first, first + size, now=0.0)
        expected |= set(range(first, first + size))
    for number in arrived:
        assert missing.arrived(number) == (number in expected)
    wanted, given_up = missing.request(0.0, 0, 0.1)
    assert (set(wanted), given_up) == (expected - arrived, 0)


def test_a_picture_that_rests_says_nothing_of_the_line_any_more() -> None:
    picture = ReportedLoss()
    picture.report(1000, 0.0)
    picture.report(1100, 0.5)
    picture.settle()
    assert picture.lately == (100, 50)
    for _ in range(FRESH):
        picture.settle()
    assert (picture.lately, picture.loss) == ((0, 0), 0.5)


def test_the_loss_of_a_line_is_that_of_its_packets_and_not_of_its_worst_stream() -> None:
    assert share([(1000, 100), (30, 15)]) == 115 / 1030
    assert share([(FEWEST - 1, 5)]) == share([]) == 0.0
