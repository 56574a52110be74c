"""Finding out what a line carries without risking the picture: bursts of an eighth of a second, with pings among them.

Media that the receiver has already is sent again, or nothing but padding, so that all that it gets comes at the rate in
question. What the bursts show is judged in `burst`; a rise is watched until it has lasted. This module owns the
sending, the waiting for answers, and that watch.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Protocol

from signaling.media.burst import CHUNKS, EMPTY, STEP, Experiment, Finding, Mark, Rise, is_empty

PAUSE = 0.05
"""Seconds between two bursts, and between two looks whether the line is empty."""
EMPTIED_WITHIN = 2.0
"""Seconds: a line that never empties has nothing to spare."""
PING_SECONDS = 1.5
"""In which an answer must come."""
ANSWERED_BY = 0.3
"""Seconds by which a ping may be later than the last that was answered, before it is taken for lost."""
WAITS, STILL = 2, 0.01
"""How often that is waited for, and the seconds by which the shortest trips then differ at most where it was no queue
that made them long."""
PING_OCTETS = 112
"""On the wire."""
WATCHED_FOR, GLANCE = 5.0, 0.2
"""Seconds that a rise is watched, and between two pings then."""


class Receiver(Protocol):
    """At the other end of the line. upward: seconds of queue on its own line up, as far as that is known: pings stand
    in it, too."""

    upward: float

    def ping(self) -> asyncio.Future[float]:
        """Asks at once; seconds to the receiver and back, when and if an answer comes."""

    def shortest_trip(self) -> float | None:
        """The shortest of the last minute."""

    def octets_sent(self) -> int:
        """Ever, as the line saw them, without pings."""

    def pad(self, octets: int) -> int:
        """Send about so many bytes that change nothing; how many it were, 0: it cannot be done."""


class Probe:
    def __init__(self, receiver: Receiver, clock: Callable[[], float]) -> None:
        self._receiver, self._clock = receiver, clock
        self._task: asyncio.Task[None] | None = None
        self._watch_task: asyncio.Task[None] | None = None
        self.base = 0.0
        """Seconds: the round trip of the empty line, where it has become longer than the shortest lately."""

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self, rate: int, done: Callable[[Finding], None], fell: Callable[[], None]) -> None:
        """Does the line carry `rate` bit/s? fell: called when it has said so and then does not."""

        async def run() -> None:
            finding = await self._find(Experiment(rate))
            if finding == "carries":
                self._watch_task = asyncio.get_running_loop().create_task(self._watch(fell))
            done(finding)

        self._task = asyncio.get_running_loop().create_task(run())

    def close(self) -> None:
        self._stop_watch()
        if self._task is not None:
            self._task.cancel()

    def _stop_watch(self) -> None:
        if self._watch_task is not None:
            self._watch_task.cancel()
            self._watch_task = None

    async def _find(self, experiment: Experiment) -> Finding:
        while True:
            if (reason := await self._in_line()) is not None:
                return reason
            self._stop_watch()  # the line carries what it was given before
            marks = await self._burst(experiment)
            if marks is None:
                return "carries"  # only trying tells
            finding = experiment.add(marks, self._empty_trip() or 0.0)
            if finding is not None:
                return finding
            await asyncio.sleep(PAUSE)

    async def _in_line(self) -> Finding | None:
        """Wait until nothing stands in line: what was sent before is no part of the burst. None: nothing does; else
        what that shows."""
        trips: list[float] = []
        for _ in range(WAITS):
            least = await self._emptied()
            if least is None:
                return None
            if self._receiver.upward > EMPTY:
                return "unclear"
            if least == math.inf:
                return "queues"
            trips.append(least)
        if max(trips) - min(trips) > STILL:
            return "queues"
        # No queue stands so still where less is sent than before: the way has become longer.
        self.base = min(trips)
        return None

    async def _emptied(self) -> float | None:
        """None: the line is empty. Else the shortest trip of all the time that it was waited for."""
        until, least = self._clock() + EMPTIED_WITHIN, math.inf
        while self._clock() < until:
            empty = self._empty_trip()
            # one that comes later than this does not come back from an empty line
            trip = await self._trip(None if empty is None else empty + ANSWERED_BY)
            if trip is not None:
                self.base = min(self.base, trip)
                if is_empty(trip, self._empty_trip() or trip):
                    return None
                least = min(least, trip)
            await asyncio.sleep(PAUSE)
        return least

    async def _burst(self, experiment: Experiment) -> list[Mark] | None:
        """None: nothing can be sent."""
        receiver = self._receiver
        begun, before = self._clock(), receiver.octets_sent()
        sent = [(0, begun)]
        pings = [receiver.ping()]
        for _ in range(CHUNKS):
            owed = experiment.owed(self._clock() - begun, self._octets(before, pings))
            if owed and not receiver.pad(owed):
                return None
            sent.append((self._octets(before, pings), self._clock()))
            pings.append(receiver.ping())
            await asyncio.sleep(STEP)
        trips = await _answers(pings)
        return [
            Mark(octets, at, None if trip is None else at + trip)
            for (octets, at), trip in zip(sent, trips, strict=True)
        ]

    def _octets(self, before: int, pings: list[asyncio.Future[float]]) -> int:
        return self._receiver.octets_sent() - before + PING_OCTETS * len(pings)

    def _empty_trip(self) -> float | None:
        """Seconds to the receiver and back while nothing stands in line; None: not known."""
        shortest = self._receiver.shortest_trip()
        return None if shortest is None else max(self.base, shortest)

    async def _trip(self, within: float | None = None) -> float | None:
        ping = self._receiver.ping()
        await asyncio.wait([ping], timeout=PING_SECONDS if within is None else within)
        return ping.result() if ping.done() else None

    async def _watch(self, fell: Callable[[], None]) -> None:
        rise, until = Rise(), self._clock() + WATCHED_FOR
        while self._clock() < until:
            await asyncio.sleep(GLANCE)
            trip = await self._trip()
            empty = self._empty_trip()
            if rise.fails(None if trip is None or empty is None else trip - empty - self._receiver.upward):
                if self._task is not None:
                    self._task.cancel()
                fell()
                return


async def _answers(pings: list[asyncio.Future[float]]) -> list[float | None]:
    """A line keeps the order: what is not answered although later ones are is lost."""
    while not pings[-1].done():
        answered = any(ping.done() for ping in pings)
        done, _ = await asyncio.wait(
            [ping for ping in pings if not ping.done()],
            timeout=ANSWERED_BY if answered else PING_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if not done:
            break
    return [ping.result() if ping.done() else None for ping in pings]
