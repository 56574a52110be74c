"""What the journal keeps of a line: a measurement a minute, and the rest at the end."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from signaling.commands import LinkReport
from signaling.line_log import EVERY, LineLog
from signaling.room_state import Link

GOOD = Link(state="connected", loss=0.0, rtt_ms=40.0, kbps=250.0, down_kbps=800.0, sees="high")
BAD = Link(state="weak", loss=0.1, rtt_ms=240.0, kbps=50.0, down_kbps=200.0, sees="still")
GONE = Link(state="offline")


def test_minute_is_measured_once_and_in_the_mean() -> None:
    log = LineLog()
    measured = [one for second in range(61) for one in log.look({"room": GOOD if second % 2 else BAD}, float(second))]
    assert [(one.since, one.seconds) for one in measured] == [(0.0, EVERY)]
    [one] = measured
    assert (round(one.loss, 2), one.worst_loss, round(one.weak, 1), round(one.still, 1)) == (0.05, 0.1, 0.5, 0.5)


def test_end_cuts_the_minute_short_and_nothing_is_told_twice() -> None:
    log = LineLog()
    log.look({"room": GOOD}, 0.0)
    log.reported("room", LinkReport(freezes=2))
    log.reported("room", LinkReport(freezes=-5))
    log.reported("nobody", LinkReport(freezes=1))
    [one] = log.rest(10.0)
    assert (one.participant, one.seconds, one.freezes, one.kbps) == ("room", 10.0, 2, 250.0)
    assert log.rest(11.0) == []


def test_camera_that_sends_nothing_is_no_weak_line() -> None:
    log = LineLog()
    log.look({"dark": Link(state="audio_only"), "thin": Link(state="audio_only", up_still=True)}, 0.0)
    assert {one.participant: one.weak for one in log.rest(1.0)} == {"dark": 0.0, "thin": 1.0}


@given(st.lists(st.tuples(st.sampled_from([GOOD, BAD, GONE]), st.floats(0.5, 50.0)), max_size=40))
def test_shares_are_shares_and_time_is_not_counted_twice(looks: list[tuple[Link, float]]) -> None:
    log, now = LineLog(), 0.0
    measured = []
    for link, step in looks:
        now += step
        measured += log.look({"room": link}, now)
    measured += log.rest(now)
    for one in measured:
        assert 0 <= one.loss <= one.worst_loss <= 0.1
        assert all(0 <= share <= 1 for share in (one.weak, one.low, one.still))
    for before, after in pairwise(measured):
        assert before.since + before.seconds <= after.since + 0.1
