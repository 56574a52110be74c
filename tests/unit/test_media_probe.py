"""Bursts and pings find out what a line carries: the sending and the waiting, in real time."""

from __future__ import annotations

import asyncio
import time

import pytest

from signaling.media.burst import CHUNKS, FASTER, STEP, Finding
from signaling.media.probe import Probe

TRIP = 0.02


class Receiver:
    """Behind a line of some bit/s with an endless queue; with or without anything to send, and answers."""

    def __init__(self, capacity: int, *, material: bool = True, answers: bool = True, stands: float = 0.0) -> None:
        self.capacity, self.material, self.answers = capacity, material, answers
        self.padded = 0
        self._last: asyncio.Future[float]
        self._free = time.monotonic() + stands

    def ping(self) -> asyncio.Future[float]:
        answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        if self.answers:
            trip = TRIP + max(self.stays, self._free - time.monotonic())
            asyncio.get_running_loop().call_later(trip, lambda: answer.done() or answer.set_result(trip))
        self._last = answer
        return answer

    async def asked(self) -> None:
        """Until the ping after this moment has been answered and looked at."""
        last = self._last
        while self._last is last or not self._last.done():  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0.01)
        await asyncio.sleep(0)

    stays = 0.0
    """Seconds of queue that do not change."""

    upward = 0.0

    def shortest_trip(self) -> float | None:
        return TRIP

    def octets_sent(self) -> int:
        return self.padded

    def pad(self, octets: int) -> int:
        if not self.material:
            return 0
        self.padded += octets
        self._free = max(self._free, time.monotonic()) + octets * 8 / self.capacity
        return octets


class Filled(Receiver):
    """Somebody else fills the line more and more."""

    @property
    def stays(self) -> float:
        return 0.06 + (time.monotonic() - self._free) / 10


async def outcome(receiver: Receiver, rate: int) -> Finding:
    done: asyncio.Future[Finding] = asyncio.get_running_loop().create_future()
    probe = Probe(receiver, time.monotonic)
    probe.start(rate, done.set_result, lambda: None)
    assert probe.running
    try:
        async with asyncio.timeout(20):
            return await done
    finally:
        probe.close()


async def known(receiver: Receiver, rate: int) -> Finding:
    """The outcome, once this machine is fast enough to try."""
    async with asyncio.timeout(60):
        while (found := await outcome(receiver, rate)) == "unclear":
            pass
    return found


async def test_a_fast_line_carries_it() -> None:
    assert await known(Receiver(50_000_000), 1_000_000) == "carries"


async def test_a_slow_line_does_not_and_is_not_burdened_again() -> None:
    receiver = Receiver(200_000)
    assert await outcome(receiver, 1_000_000) == "queues"
    assert receiver.padded <= 2 * 1_000_000 * FASTER * CHUNKS * STEP / 8 + 1


async def test_a_burst_waits_until_the_line_is_empty() -> None:
    receiver = Receiver(50_000_000, stands=0.3)
    assert await outcome(receiver, 1_000_000) != "queues"


async def test_a_way_that_has_become_longer_is_no_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.media.probe.EMPTIED_WITHIN", 0.5)
    receiver = Receiver(50_000_000)
    receiver.stays = 0.06
    assert await known(receiver, 1_000_000) == "carries"


async def test_a_rise_on_a_way_that_has_become_longer_is_watched_by_its_own_trips(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("signaling.media.probe.EMPTIED_WITHIN", 0.5)
    receiver, fallen = Receiver(50_000_000), asyncio.Event()
    receiver.stays = 0.15
    probe = Probe(receiver, time.monotonic)
    probe.start(1_000_000, lambda finding: None, fallen.set)
    async with asyncio.timeout(20):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0.01)
        if probe._watch_task is None:
            pytest.skip("this machine was too slow to try the line")
        for stays in (0.16, 0.18, 0.2):  # more each time, and next to nothing above what the way takes
            receiver.stays = stays
            await receiver.asked()
        assert not fallen.is_set()
    probe.close()


async def test_a_queue_that_becomes_another_one_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.media.probe.EMPTIED_WITHIN", 0.5)
    receiver = Filled(50_000_000)
    assert await outcome(receiver, 1_000_000) == "queues"
    assert receiver.padded == 0


async def test_without_an_answer_the_line_does_not_carry_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.media.probe.EMPTIED_WITHIN", 0.2)
    monkeypatch.setattr("signaling.media.probe.PING_SECONDS", 0.1)
    assert await outcome(Receiver(5_000_000, answers=False), 1_000_000) == "queues"


async def test_without_anything_to_send_only_trying_tells() -> None:
    assert await outcome(Receiver(100_000, material=False), 1_000_000) == "carries"


async def test_a_rise_that_does_not_last_is_told_once_and_at_once() -> None:
    receiver, fallen = Receiver(50_000_000), asyncio.Event()
    probe = Probe(receiver, time.monotonic)
    probe.start(1_000_000, lambda finding: None, fallen.set)
    async with asyncio.timeout(20):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0.01)
        if probe._watch_task is None:
            pytest.skip("this machine was too slow to try the line")
        receiver.stays = 0.5
        await fallen.wait()
    probe.close()


async def test_a_rise_is_watched_on_while_a_next_one_waits_for_an_empty_line() -> None:
    receiver, fallen = Receiver(50_000_000), asyncio.Event()
    probe = Probe(receiver, time.monotonic)
    probe.start(1_000_000, lambda finding: None, fallen.set)
    async with asyncio.timeout(20):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0.01)
        if probe._watch_task is None:
            pytest.skip("this machine was too slow to try the line")
        receiver.stays = 0.5  # the picture has come only now
        probe.start(2_000_000, lambda finding: None, fallen.set)
        await fallen.wait()
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0)
    probe.close()


async def test_a_queue_on_the_way_up_is_another_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    receiver, fallen = Receiver(50_000_000), asyncio.Event()
    probe = Probe(receiver, time.monotonic)
    monkeypatch.setattr("signaling.media.probe.WATCHED_FOR", 2.0)
    probe.start(1_000_000, lambda finding: None, fallen.set)
    async with asyncio.timeout(20):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0.01)
        watch = probe._watch_task
        if watch is None:
            pytest.skip("this machine was too slow to try the line")
        receiver.stays = receiver.upward = 0.5
        await watch
    assert not fallen.is_set()
    monkeypatch.setattr("signaling.media.probe.EMPTIED_WITHIN", 0.2)
    assert await outcome(receiver, 1_000_000) == "unclear"


async def test_a_closed_probe_says_nothing() -> None:
    receiver = Receiver(1_000_000)
    probe = Probe(receiver, time.monotonic)
    probe.start(1_000_000, lambda finding: pytest.fail("it was closed"), lambda: pytest.fail("it was closed"))
    probe.close()
    async with asyncio.timeout(5):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0)
