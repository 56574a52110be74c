"""For how long packets stood in line on their way, and by how much that varies."""

from __future__ import annotations

import pytest

from signaling.media.transit import TRANSITS, Transit

RATE = 90_000


def second(transit: Transit, begun: float, late: float, *, first: int = 0, once_late: float = 0.0) -> None:
    """Fifteen pictures, each `late` seconds on its way; the first of them later by `once_late`."""
    for number in range(15):
        sent = begun + number / 15
        transit.packet(sent + late + (once_late if number == 0 else 0.0), first + int(sent * RATE) & 0xFFFFFFFF)
    transit.settle()


def test_a_queue_is_what_all_packets_of_a_second_have_more_than_the_quickest() -> None:
    transit = Transit(RATE)
    second(transit, 100.0, 0.05)
    assert transit.queue == 0.0
    second(transit, 101.0, 0.30)
    assert transit.queue == pytest.approx(0.25, abs=0.001)
    second(transit, 102.0, 0.05, once_late=0.5)  # one large picture
    assert transit.queue == pytest.approx(0.0, abs=0.001)
    transit.settle()
    assert transit.queue is None


def test_a_route_that_became_longer_is_forgotten_after_a_while() -> None:
    transit = Transit(RATE)
    second(transit, 100.0, 0.05)
    for number in range(TRANSITS):
        second(transit, 101.0 + number, 0.15)
    assert transit.queue == pytest.approx(0.0, abs=0.001)


def test_a_stream_that_has_rested_is_held_against_no_clock_of_long_ago() -> None:
    """A layer that nobody looked at for a lesson, from a machine whose clock goes slower by 80 ppm."""
    transit = Transit(RATE)
    second(transit, 100.0, 0.05)
    for _ in range(3000):
        transit.settle()
    second(transit, 3101.0, 0.05 + 3001 * 80e-6)
    assert transit.queue == pytest.approx(0.0, abs=0.001)


def test_timestamps_that_wrap_and_clocks_that_change_are_no_queue() -> None:
    transit = Transit(RATE)
    first = 2**32 - int(100.5 * RATE)
    second(transit, 99.0, 0.05, first=first)
    second(transit, 102.0, 0.05, first=first)
    assert transit.queue == 0.0
    transit.restart()
    second(transit, 103.0, 0.9, first=7)
    assert transit.queue == 0.0


def test_jitter_is_how_much_the_way_varies() -> None:
    steady, shaky = Transit(RATE), Transit(RATE)
    for number in range(200):
        steady.packet(number / 50, int(number / 50 * RATE))
        shaky.packet(number / 50 + number % 2 * 0.01, int(number / 50 * RATE))
    assert steady.jitter < 2
    assert shaky.jitter == pytest.approx(0.01 * RATE, rel=0.05)
