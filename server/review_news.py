"""This module owns the news that somebody may be shown less, or more, of what was recorded: in every process at once.

Whoever withdraws a class's consent, gives a new one or changes who may watch says so here; pages that play a review
look again. The bus keeps nothing, so those who wait also look now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from server.bus import Bus, BusError

TOPIC = "recordings.shown"
LOOK_SECONDS = 10.0
"""How long a word that the bus has lost may be missing; a page that has gone is noticed after as long."""
AGAIN_SECONDS = 1.0

log = structlog.get_logger()


async def _nothing_else() -> None:
    pass


class ReviewNews:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: set[asyncio.Event] = set()
        self._closed = False
        self.on_news: Callable[[], Awaitable[None]] = _nothing_else
        """What this process does first, before anybody looks again."""

    async def tell(self) -> None:
        """The record has changed already, and whoever changed it must not hear of a failure: say it to all processes,
        this one first."""
        try:
            await self._heard()
        except Exception:
            # the lessons that go on look at the record every few seconds anyway
            log.exception("withdrawal_not_followed")
        try:
            await self._bus.publish(TOPIC, b"")
        except BusError as error:
            log.warning("withdrawal_not_told", code=error.code, error=str(error))

    async def changes(self) -> AsyncIterator[None]:
        """At once, then whenever something may have changed, until the server goes down."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            while not self._closed:
                yield
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await event.wait()
                except TimeoutError:
                    continue
                event.clear()
        finally:
            self._waiting.discard(event)

    async def run(self) -> None:
        """Hear what the other processes say, until cancelled."""
        while True:
            try:
                async with self._bus.subscribe(TOPIC) as words:
                    await self._heard()
                    async for _ in words:
                        await self._heard()
                    return  # the bus is closed
            except BusError as error:
                log.warning("withdrawals_not_heard", code=error.code, error=str(error))
            except Exception:
                # the database may be away for a while: what is withdrawn must be heard again after it
                log.exception("withdrawals_not_heard")
            await asyncio.sleep(AGAIN_SECONDS)

    def close(self) -> None:
        """Nobody waits any more: the web server goes down only when the last stream has ended."""
        self._closed = True
        self._wake()

    async def _heard(self) -> None:
        try:
            await self.on_news()
        finally:
            self._wake()

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
