"""What is withdrawn in one process is news in the others at once, and after a bus that was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from server.bus import Bus, open_bus
from server.review_news import ReviewNews
from tests.media_clients import until


class Process:
    """One that notes what it did first, and who looked again after it."""

    def __init__(self, bus: Bus) -> None:
        self.news = ReviewNews(bus)
        self.news.on_news = self._first
        self.done: list[str] = []
        self.listening = asyncio.create_task(self.news.run())

    async def _first(self) -> None:
        self.done.append("followed")

    async def page(self) -> None:
        """An open review, until the server goes down."""
        async for _ in self.news.changes():
            self.done.append("looked")


@pytest.fixture(params=["local", "redis"])
async def processes(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Process, Process]]:
    """Two that listen to each other; on Redis each with a connection of its own."""
    redis = str(request.getfixturevalue("redis_url")) if request.param == "redis" else None
    async with AsyncExitStack() as stack:
        here = open_bus(redis)
        buses = (here, open_bus(redis) if redis else here)
        for bus in buses:
            stack.push_async_callback(bus.close)
        made = [Process(bus) for bus in buses]
        # a subscription that has begun looks once: nothing said before it is missed
        await until(lambda: all(one.done for one in made))
        yield made[0], made[1]
        for one in made:
            one.listening.cancel()
        await asyncio.gather(*(one.listening for one in made), return_exceptions=True)


def times(process: Process, word: str) -> Callable[[], int]:
    return lambda: process.done.count(word)


async def test_every_process_follows_first_and_its_pages_look_again(processes: tuple[Process, Process]) -> None:
    here, there = processes
    pages = [asyncio.create_task(one.page()) for one in processes]
    await until(lambda: times(here, "looked")() == times(there, "looked")() == 1)
    before = {one: list(one.done) for one in processes}
    await here.news.tell()
    await until(lambda: times(here, "looked")() > 1 and times(there, "looked")() > 1)
    for one in processes:
        fresh = one.done[len(before[one]) :]
        assert fresh[0] == "followed"
    for one in processes:
        one.news.close()
    async with asyncio.timeout(5):
        await asyncio.gather(*pages)


@pytest.mark.parametrize("trouble", [None, OSError("the database is away")])
async def test_a_bus_that_is_away_withdraws_nothing_of_a_withdrawal(
    unused_tcp_port: int, trouble: Exception | None
) -> None:
    bus = open_bus(f"redis://127.0.0.1:{unused_tcp_port}/0")
    news = ReviewNews(bus)
    told: list[str] = []

    async def follow() -> None:
        told.append("here")
        if trouble is not None:
            raise trouble

    news.on_news = follow
    await news.tell()
    assert told == ["here"]
    await bus.close()
