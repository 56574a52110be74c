"""Two microphones' levels on one clock: whatever their packets do, a value stands for the same moment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from signaling.media.loudness import BIN, HELD, KEPT, SILENCE, Loudness


def test_a_value_is_the_loudest_of_its_time() -> None:
    loudness = Loudness()
    for level, at in ((40, 10.01), (20, 10.03), (60, 10.04), (30, 10.06)):
        loudness.hear(level, at)
    assert loudness.past(10.11)[-2:] == bytes([20, 30])


def test_the_moment_that_is_not_over_does_not_count() -> None:
    loudness = Loudness()
    loudness.hear(20, 10.01)
    loudness.hear(90, 10.06)
    assert loudness.past(10.07)[-1] == 20


def test_a_microphone_that_sends_nothing_keeps_its_level_a_while_and_is_silent_then() -> None:
    loudness = Loudness()
    loudness.hear(70, 10.01)
    assert set(loudness.past(10.06 + HELD * BIN)[-HELD:]) == {70}
    assert loudness.past(10.06 + (HELD + 3) * BIN)[-3:] == bytes([SILENCE] * 3)
    assert set(loudness.past(1000.0)) == {SILENCE}


def test_nothing_was_heard_before_the_first_packet() -> None:
    loudness = Loudness()
    assert loudness.past(5.0) == bytes([SILENCE] * KEPT)
    loudness.hear(10, 5.0)
    assert set(loudness.past(5.1)[:-2]) == {SILENCE}


@given(st.lists(st.tuples(st.integers(0, 127), st.floats(-0.5, 30)), max_size=60))
def test_there_are_always_as_many_values(packets: list[tuple[int, float]]) -> None:
    loudness, now = Loudness(), 100.0
    for level, later in packets:
        now += later
        loudness.hear(level, now)
        assert len(loudness.past(now)) == KEPT
