"""The time of live sessions follows the wall clock, and not its jumps."""

from __future__ import annotations

import pytest

from server.steady_clock import BELIEVED_AFTER, SteadyClock


class Times:
    def __init__(self) -> None:
        self.wall, self.even = 1_000_000.0, 50.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.even)

    def passes(self, seconds: float) -> float:
        self.wall += seconds
        self.even += seconds
        return self.clock()


def test_small_corrections_are_followed() -> None:
    times = Times()
    times.wall += 1.5
    assert times.passes(10) == times.wall


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_jump_that_is_put_right_is_never_seen(jump: float) -> None:
    times = Times()
    start = times.clock()
    times.wall += jump
    assert [times.passes(60) - start for _ in range(10)] == pytest.approx([60.0 * n for n in range(1, 11)])
    times.wall -= jump
    assert times.passes(1) == times.wall


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_jump_that_lasts_is_believed(jump: float) -> None:
    times = Times()
    times.wall += jump
    times.passes(1)
    assert times.passes(BELIEVED_AFTER) != times.wall
    assert times.passes(1) == times.wall
