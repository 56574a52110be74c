"""This module owns what waits between a publisher and a slow subscriber: a bounded inbox that says when it spilled."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from server.bus.port import BusOverflow

CAPACITY = 10_000


class Inbox:
    """Messages of one subscription, oldest first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._messages: deque[bytes] = deque()
        self._capacity = capacity
        self._spilled = False
        self._closed = False
        self._stirred = asyncio.Event()

    def put(self, payload: bytes) -> None:
        """Add a message. A full inbox drops it, and the subscriber gets BusOverflow once it has read the rest."""
        if len(self._messages) >= self._capacity:
            self._spilled = True
        elif not self._spilled:
            self._messages.append(payload)
        self._stirred.set()

    def close(self) -> None:
        """Let the subscriber finish what has arrived, then end its iteration."""
        self._closed = True
        self._stirred.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._messages:
                yield self._messages.popleft()
            if self._spilled:
                raise BusOverflow("messages were dropped because they were not read in time")
            if self._closed:
                return
            self._stirred.clear()
            await self._stirred.wait()
