"""This module owns what the rest of the server may expect of a bus between processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class BusError(Exception):
    """Base of what can go wrong on the bus."""

    code = "bus_error"


class BusUnavailable(BusError):
    """The message was not sent: nobody answers at the other end. Sending it again is the caller's decision."""

    code = "bus_unavailable"


class BusOverflow(BusError):
    """The subscriber was too slow and messages were dropped: it must subscribe again and look at the record."""

    code = "bus_overflow"


class Bus(Protocol):
    """Carries short messages to whoever listens now, at most once.

    Nothing is kept: the record is the database and the journal. A message is a hint to look there, so one that is
    lost while Redis restarts costs a delay and never a fact.
    """

    async def publish(self, topic: str, payload: bytes) -> None:
        """Send `payload` to every subscriber of `topic` in every process, or raise BusUnavailable."""
        ...

    def subscribe(self, topic: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Listen to `topic`: once the context is entered, later messages arrive, each sender's in order."""
        ...

    async def close(self) -> None:
        """End every subscription and let go of the connections."""
        ...
