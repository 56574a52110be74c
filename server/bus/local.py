"""This module owns the bus inside one process: the default of an installation with a single server process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.bus.inbox import Inbox


class LocalBus:
    """Hands each message to the inboxes of its topic; a publisher never waits for a reader."""

    def __init__(self) -> None:
        self._inboxes: dict[str, set[Inbox]] = {}

    async def publish(self, topic: str, payload: bytes) -> None:
        for inbox in self._inboxes.get(topic, ()):
            inbox.put(payload)

    @asynccontextmanager
    async def subscribe(self, topic: str) -> AsyncIterator[AsyncIterator[bytes]]:
        inbox = Inbox()
        self._inboxes.setdefault(topic, set()).add(inbox)
        try:
            yield aiter(inbox)
        finally:
            self._inboxes[topic].discard(inbox)
            if not self._inboxes[topic]:
                del self._inboxes[topic]

    async def close(self) -> None:
        for inboxes in self._inboxes.values():
            for inbox in inboxes:
                inbox.close()
