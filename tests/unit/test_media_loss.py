"""Asking a publisher again for what did not arrive."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.loss import RETRY_MAX, RETRY_MIN, TRIES, MissingPackets, retry_after


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
