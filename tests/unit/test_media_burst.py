"""What bursts show of a line: simulated lines with deep and shallow queues; a picture and sound go on beside them."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.media.burst import CHUNKS, EMPTY, GROWN, MOST_BURSTS, STEP, UNANSWERED, Experiment, Finding, Mark, Rise

RATE = 800_000
PING = 112


class Line:
    """rate: bit/s; depth: seconds of queue beyond which it drops; rtt: seconds when empty; loss: share of all that is
    lost each way; busy: seconds, on average, by which the far end's machine answers late; stands: seconds of queue that
    are there in the beginning."""

    def __init__(
        self,
        rate: int,
        *,
        depth: float,
        rtt: float = 0.05,
        loss: float = 0.0,
        busy: float = 0.0,
        stands: float = 0.0,
        picture: int = 80_000,
        seed: int = 1,
    ) -> None:
        self.now, self.sent, self.rtt = 1.0, 0, rtt
        self._rate, self._depth, self._loss, self._busy = rate, depth, loss, busy
        self._random = Random(seed)
        self._free = self.now + stands
        self._media = self._stream(picture)
        self._next = next(self._media)

    def _stream(self, picture: int) -> Iterator[tuple[float, int]]:
        """Sound at 80 kbit/s, and a picture of which each eighth frame is three times as large."""
        frame, sound, number = self._random.random() / 15, self._random.random() / 50, self._random.randrange(8)
        while True:
            if sound < frame:
                yield sound, 200
                sound += 0.02
                continue
            size = int(picture / 15 / 8 * (3 if number % 8 == 0 else 5 / 7))
            while size > 0:
                yield frame, min(size, 1150) + 60
                size -= 1150
            frame, number = frame + 1 / 15, number + 1

    def forward(self, to: float) -> None:
        while self._next[0] + 1.0 <= to:
            self.now = max(self.now, self._next[0] + 1.0)
            self.send(self._next[1])
            self._next = next(self._media)
        self.now = to

    def send(self, size: int) -> float | None:
        self.sent += size
        begin = max(self.now, self._free)
        if begin - self.now > self._depth or self._random.random() < self._loss:
            return None
        self._free = begin + size * 8 / self._rate
        return self._free

    def ping(self) -> float | None:
        through = self.send(PING)
        if through is None or self._random.random() < self._loss:
            return None
        late = self._random.expovariate(1 / self._busy) if self._busy else 0.0
        return through + self.rtt + late


def probed(line: Line, rate: int, *, slow_sender: float = 0.0) -> tuple[Finding, float]:
    """What the bursts say, and after how many seconds. slow_sender: seconds by which each of its parts may be late."""
    experiment, begun = Experiment(rate), line.now
    while True:
        line.forward(line.now + 0.05)
        before, start = line.sent, line.now
        marks = [Mark(0, start, line.ping())]
        for _ in range(CHUNKS):
            owed = experiment.owed(line.now - start, line.sent - before)
            while owed > 0:
                line.send(1250)
                owed -= 1250
            octets = line.sent - before
            marks.append(Mark(octets, line.now, line.ping()))
            line.forward(line.now + STEP + line._random.random() * slow_sender)
        line.forward(max([line.now, *(mark.answered for mark in marks if mark.answered is not None)]))
        finding = experiment.add(marks, line.rtt)
        if finding is not None:
            return finding, line.now - begun


queues = st.floats(0.03, 3.0)
rtts = st.floats(0.001, 0.6)
seeds = st.integers(0, 1000)


@given(st.floats(0.05, 0.75), queues, rtts, st.floats(0.0, 3.0), st.integers(20_000, 300_000), seeds)
def test_no_queue_is_deep_enough_to_hide_a_slow_line(
    share: float, depth: float, rtt: float, stands: float, picture: int, seed: int
) -> None:
    line = Line(
        int(RATE * share), depth=depth, rtt=rtt, stands=min(stands, depth), picture=min(picture, 300_000), seed=seed
    )
    assert probed(line, RATE)[0] != "carries"


@given(st.floats(1.15, 20.0), queues, rtts, seeds)
def test_a_line_that_is_fast_enough_is_known_by_two_bursts(share: float, depth: float, rtt: float, seed: int) -> None:
    finding, seconds = probed(Line(int(RATE * share), depth=max(depth, 0.1), rtt=rtt, seed=seed), RATE)
    assert finding == "carries"
    assert seconds <= 4 * (CHUNKS * STEP + 0.1) + 4 * rtt  # a large frame may have stood in line: then another burst


@given(st.floats(0.05, 0.7), st.floats(0.0, 0.1), st.floats(0.0, 0.06), queues, seeds)
def test_neither_loss_nor_a_busy_receiver_makes_a_slow_line_look_fast(
    share: float, loss: float, busy: float, depth: float, seed: int
) -> None:
    line = Line(int(RATE * share * (1 - 2 * loss)), depth=depth, loss=loss, busy=busy, seed=seed)
    assert probed(line, RATE)[0] != "carries"


@pytest.mark.parametrize(("loss", "busy"), [(0.05, 0.0), (0.0, 0.02), (0.03, 0.01)])
def test_a_radio_line_and_a_busy_receiver_are_nearly_always_known_to_be_fast(loss: float, busy: float) -> None:
    found = [probed(Line(3_000_000, depth=0.5, loss=loss, busy=busy, seed=seed), RATE)[0] for seed in range(200)]
    assert found.count("carries") >= 190


def test_a_late_sender_says_nothing_against_the_line() -> None:
    found = [probed(Line(3_000_000, depth=0.5, seed=seed), RATE, slow_sender=0.2)[0] for seed in range(200)]
    assert "queues" not in found


def test_a_hopeless_line_is_not_burdened_again() -> None:
    line = Line(200_000, depth=1.0)
    before = line.sent
    assert probed(line, RATE)[0] == "queues"
    assert line.sent - before < 1.5 * RATE * 1.25 * CHUNKS * STEP / 8 + 20_000


def test_a_queue_that_stands_says_nothing_until_bursts_are_too_many() -> None:
    experiment = Experiment(RATE)
    marks = [Mark(2500 * number, number * STEP, number * STEP + 0.5) for number in range(CHUNKS + 1)]
    assert [experiment.add(marks, 0.05) for _ in range(MOST_BURSTS)] == [None] * (MOST_BURSTS - 1) + ["unclear"]


def test_what_is_owed_is_the_rest_and_no_stall_is_made_up_for() -> None:
    experiment = Experiment(RATE)
    part = int(RATE * 1.25 * STEP / 8)
    assert experiment.owed(0.0, 0) == part
    assert experiment.owed(STEP, part + 400) == part - 400
    assert experiment.owed(STEP, 5 * part) == 0
    assert experiment.owed(1.0, part) == 2 * part


def test_a_rise_that_is_too_much_is_known_within_a_few_pings() -> None:
    rise = Rise()
    assert [rise.fails(queue) for queue in (0.02, 0.12, 0.2, 0.33)] == [False, False, False, True]
    full = Rise()
    assert [full.fails(queue) for queue in (0.5, 0.5)] == [False, True]
    gone = Rise()
    assert [gone.fails(None) for _ in range(UNANSWERED)] == [False] * (UNANSWERED - 1) + [True]


def test_a_large_picture_and_a_late_answer_are_no_fall() -> None:
    rise = Rise()
    keyframe = (0.3, 0.25, 0.2, 0.15, 0.1, 0.05, 0.01)
    late_answers = (0.0, 0.9, 0.0, 0.2, 0.3, 0.0, None, None, 0.1)
    assert not any(rise.fails(queue) for queue in (*keyframe, *late_answers))
    assert GROWN > 2
    assert EMPTY > 0
