"""A burst and a ping find out what a line carries."""

from __future__ import annotations

import asyncio

import pytest

from signaling.media.probe import CHUNKS, FASTER, ROUNDS, STEP, Probe


class Wire:
    """A line of some bit/s, whose queue empties between the rounds; with or without media to send again."""

    def __init__(self, capacity: int, *, material: bool = True, answers: bool = True) -> None:
        self.capacity, self.material, self.answers = capacity, material, answers
        self.padded = 0
        self._since_ping = 0

    async def ping(self) -> float | None:
        octets, self._since_ping = self._since_ping, 0
        return 0.05 + max(0.0, octets * 8 / self.capacity - CHUNKS * STEP) if self.answers else None

    def pad(self, octets: int) -> int:
        if not self.material:
            return 0
        self.padded += octets
        self._since_ping += octets
        return octets


async def outcome(wire: Wire, rate: int, sent: int) -> bool:
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    probe = Probe(wire.ping, wire.pad)
    probe.start(rate, sent, done.set_result)
    assert probe.running
    async with asyncio.timeout(10):
        return await done


@pytest.mark.parametrize(("capacity", "carries"), [(2_000_000, True), (1_300_000, True), (500_000, False)])
async def test_a_line_that_is_too_slow_answers_late(capacity: int, carries: bool) -> None:
    assert await outcome(Wire(capacity), 1_000_000, 0) is carries


async def test_a_hopeless_line_is_not_burdened_again() -> None:
    wire = Wire(200_000)
    assert not await outcome(wire, 1_000_000, 0)
    assert wire.padded <= 1_000_000 * FASTER * CHUNKS * STEP / 8 + 1


async def test_a_burst_only_adds_what_is_missing() -> None:
    wire = Wire(5_000_000)
    assert await outcome(wire, 1_000_000, 1_000_000)
    assert wire.padded <= ROUNDS * (FASTER - 1) * 1_000_000 * CHUNKS * STEP / 8 + 1


async def test_without_an_answer_the_line_does_not_carry_it() -> None:
    assert not await outcome(Wire(5_000_000, answers=False), 1_000_000, 0)


async def test_without_media_to_send_again_only_trying_tells() -> None:
    assert await outcome(Wire(100_000, material=False), 1_000_000, 0)


async def test_a_closed_probe_says_nothing() -> None:
    probe = Probe(Wire(1_000_000).ping, Wire(1_000_000).pad)
    probe.start(1_000_000, 0, lambda carried: pytest.fail("it was closed"))
    probe.close()
    async with asyncio.timeout(5):
        while probe.running:  # noqa: ASYNC110 - another task's state
            await asyncio.sleep(0)
