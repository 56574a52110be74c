"""This module owns the bus between processes on Redis; each subscription has a connection of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.bus.inbox import Inbox
from server.bus.port import BusUnavailable

CONNECT_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
# a peer that vanished without a word is noticed after 10 + 3 * 5 seconds
KEEPALIVE = {socket.TCP_KEEPIDLE: 10, socket.TCP_KEEPINTVL: 5, socket.TCP_KEEPCNT: 3}

log = structlog.get_logger()


class RedisBus:
    """Messages go through Redis; a subscription outlives its restarts, the messages sent meanwhile do not."""

    def __init__(self, url: str) -> None:
        # the library's own retries would send a message twice when only the answer was lost
        self._redis = Redis.from_url(
            url,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
            socket_keepalive_options=KEEPALIVE,
        )
        self._inboxes: set[Inbox] = set()

    async def publish(self, topic: str, payload: bytes) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self._redis.publish(topic, payload)
        except (RedisError, TimeoutError) as error:
            raise BusUnavailable(f"Redis did not take the message: {error}") from error

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        inbox = Inbox()
        async with self._redis.pubsub() as pubsub:
            await self._listen(pubsub, topic)
            pump = asyncio.create_task(self._pump(pubsub, topic, inbox), name=f"bus {topic}")
            self._inboxes.add(inbox)
            try:
                yield aiter(inbox)
            finally:
                self._inboxes.discard(inbox)
                pump.cancel()
                await asyncio.gather(pump, return_exceptions=True)

    async def close(self) -> None:
        for inbox in self._inboxes:
            inbox.close()
        await self._redis.aclose()

    async def _listen(self, pubsub: PubSub, topic: str) -> None:
        """Subscribe and wait for Redis to confirm: only then does no later message pass by unheard."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await pubsub.subscribe(topic)
                await pubsub.get_message(timeout=None)
        except (RedisError, TimeoutError) as error:
            raise BusUnavailable(f"Redis did not confirm the subscription: {error}") from error

    async def _pump(self, pubsub: PubSub, topic: str, inbox: Inbox) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=None)
            except (RedisError, OSError) as error:
                log.warning("bus_reconnecting", topic=topic, error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            pause = FIRST_PAUSE_SECONDS
            if message is not None:
                inbox.put(message["data"])
