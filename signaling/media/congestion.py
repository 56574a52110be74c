"""What a line carries, judged from what its far end reports. This module owns the two estimates: of the line down to a
subscriber, and of the line up from a publisher.

Pure: reports and times in, bit/s out. Loss alone says little on a radio line, so only much of it counts as congestion,
and only where sending less helps (see `line_loss`); a queue that grows says it first. An estimate falls at once to what
got through and rises only on evidence: downwards from short bursts (see `probe`), upwards from the publisher, which
sends more by itself when it is allowed to.
"""

from __future__ import annotations

from collections import deque

from signaling.media.burst import Finding
from signaling.media.line_loss import MUCH_LOSS, LineLoss

START = 500_000
"""bit/s of a line nobody knows yet: sound and the small pictures at once, the large one after the first burst."""
FLOOR = 64_000
CUT = 0.85
"""Of what got through: the rest lets the queue drain."""
LATE, VERY_LATE = 0.15, 0.4
"""Seconds of queue that count as congestion when they last two reports, or at once."""
REMB_FELL = 0.95
"""A receiver lowers its own estimate when it sees its queue grow, and raises it so slowly that only the fall is news. A
large picture in a narrow line looks like congestion to it: one fall alone is none."""
SOME_LOSS = 0.03
DRAINING = 3.0
"""Seconds after a cut in which the old queue is still being reported."""
BACKOFF, LONGEST_BACKOFF = 3.0, 30.0
"""Seconds until a rise is tried again; doubled by each that did not last."""
LASTED = 15.0
MEMORY = 30
"""Samples among which the shortest round trip is taken for the empty line's."""
GROWTH = 1.08
"""A second, as a publisher's own loss-based control grows."""
STILL_BELOW = 90_000
"""bit/s of a line up that carries sound, and no picture beside it."""
MOVES_FROM = 110_000
"""bit/s from which a picture that stood still is tried again."""
STILL_FOR, LONGEST_STILL = 8.0, 120.0
"""Seconds until then at least; doubled by each trial that did not last."""


class _Queue:
    """Seconds above the shortest delay of the last samples."""

    def __init__(self) -> None:
        self._delays: deque[float] = deque(maxlen=MEMORY)

    def over(self, delay: float) -> float:
        self._delays.append(delay)
        return delay - min(self._delays)

    def longer(self, shortest: float) -> None:
        """The empty line takes that long by now."""
        self._delays = deque((max(delay, shortest) for delay in self._delays), maxlen=MEMORY)


class Downlink:
    """The line to one subscriber."""

    def __init__(self) -> None:
        self.rate = START
        self.limited = False  # has it ever been congested?
        self._loss = LineLoss()
        self.queue = 0.0  # seconds
        self._queue = _Queue()
        self._late = self._falls = 0
        self._remb: int | None = None
        self._deaf_until = self._try_at = 0.0
        self._backoff = BACKOFF
        self._raised_at: float | None = None
        self._rate_before = START  # the last rise
        self._rate_tried = START  # when it was cut for a loss that may stay

    def sample(
        self,
        now: float,
        *,
        sent: int,
        video: int,
        packets: int,
        lost: int,
        rtt: float | None,
        remb: int | None,
        upward: float = 0.0,
    ) -> bool:
        """One second's reports: bit/s sent in all and of pictures, packets that are newly reported on and how many of
        them are lost, the round trip (None: nothing new), the receiver's own estimate of the pictures, seconds of queue
        on the way up, which are not this line's. True: the line is congested and the rate was cut."""
        self.queue = max(0.0, self._queue.over(rtt) - upward) if rtt is not None else 0.0
        last, self._remb = self._remb, remb
        if now < self._deaf_until:
            self._loss.forget()
            return False
        loss = self._loss.hear(packets, lost)
        self._late = self._late + 1 if self.queue > LATE else 0
        fell = last is not None and remb is not None and remb < min(last * REMB_FELL, video)
        self._falls = self._falls + 1 if fell else 0
        felt = self._falls >= 2 or (fell and (self.queue > LATE / 3 or self._loss.extra > SOME_LOSS))
        queued = felt or self._late >= 2 or self.queue > VERY_LATE
        stays = loss is not None and not queued and self._loss.stays(now, loss, sent)
        if stays:
            self.rate = max(self.rate, self._rate_tried)
        lossy = loss is not None and not stays and self._loss.extra > MUCH_LOSS
        if not (queued or lossy):
            self.rate = max(self.rate, sent)  # it has just carried this
            if self._raised_at is not None and now - self._raised_at > LASTED:
                self._raised_at, self._backoff = None, BACKOFF
            return False
        if not queued:
            self._rate_tried = self.rate
            self._loss.send_less(now, sent)
        self.rate = max(FLOOR, min(self.rate, int(sent * (1 - (loss or 0.0)) * CUT)))
        self._retreat(now)
        return True

    def wants_probe(self, missing: int | None, now: float) -> bool:
        """Is it time to find out whether the line carries `missing` bit/s?"""
        return (
            missing is not None
            and missing > self.rate
            and now >= max(self._try_at, self._deaf_until)
            and not self._loss.on_trial(now)
        )

    def longer(self, shortest: float) -> None:
        """So many seconds a round trip takes at least by now."""
        self._queue.longer(shortest)

    def probed(self, rate: int, finding: Finding, now: float) -> None:
        """What bursts at `rate` bit/s have shown."""
        self._deaf_until = max(self._deaf_until, now + 1.0)  # the burst's own queue is no news
        if finding == "carries":
            self._rate_before = self.rate
            self.rate = max(self.rate, rate)
            self._raised_at = now
            return
        self._try_at = now + self._backoff
        if finding == "queues":
            self._longer()

    def fell(self, now: float) -> None:
        """What bursts have promised the line does not keep."""
        self.rate = min(self.rate, self._rate_before)
        self._retreat(now)

    def _retreat(self, now: float) -> None:
        self.limited = True
        self._late = self._falls = 0
        self._loss.forget()
        self._deaf_until = now + DRAINING
        if self._raised_at is not None:  # otherwise it was told of already
            self._longer()
        self._try_at = now + self._backoff

    def _longer(self) -> None:
        self._backoff = min(self._backoff * 2, LONGEST_BACKOFF)
        self._raised_at = None


class Uplink:
    """The line from one publisher. rate: bit/s, None: no limit was met; still: it carries no picture beside sound."""

    def __init__(self) -> None:
        self.rate: int | None = None
        self.queue = 0.0
        self.still = False
        self._loss = LineLoss()
        self._late = 0
        self._hold_until = 0.0
        self._still_until = 0.0
        self._still_for = STILL_FOR
        self._moved_at: float | None = None  # when a picture was last tried again

    def sample(self, now: float, *, received: int, packets: int, lost: int, queue: float, most: int) -> None:
        """One second's figures: bit/s received, packets that were sent and how many of them were lost, seconds of
        standing queue; most: bit/s that the publisher may send at all."""
        self.queue = queue
        self._late = self._late + 1 if queue > LATE else 0
        if now < self._hold_until:
            self._loss.forget()
            return
        loss = self._loss.hear(packets, lost)
        stays = loss is not None and self._late < 2 and self._loss.stays(now, loss, received)
        lossy = loss is not None and not stays and self._loss.extra > MUCH_LOSS
        if self._late >= 2 or lossy:
            if self._late < 2:
                self._loss.send_less(now, received)
            if self.rate is not None and self.rate < STILL_BELOW and not self.still:
                self._stand_still(now)
            carried = received if self.rate is None else min(self.rate, received)
            self.rate = max(FLOOR, int(carried * CUT))
            self._late = 0
            self._loss.forget()
            self._hold_until = now + DRAINING
        elif self.rate is not None:
            self.rate = int(self.rate * GROWTH) + 1000
            if self.still and self.rate >= MOVES_FROM:
                self.rate = MOVES_FROM
                if now >= self._still_until:
                    self.still, self._moved_at = False, now
            if self.rate > most:
                self.rate = None

    def _stand_still(self, now: float) -> None:
        """Even what little is left for a picture makes the sound late."""
        lasted = self._moved_at is None or now - self._moved_at > LASTED
        self._still_for = STILL_FOR if lasted else min(self._still_for * 2, LONGEST_STILL)
        self.still, self._still_until = True, now + self._still_for
