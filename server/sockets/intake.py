"""This module owns when the lines of the process are read: those that speak at the same time, together.

To be woken costs a server about as much as to carry out several commands, and to write to a room much more than that.
So while it is quiet a line is read as soon as bytes come; once several messages have come together, the next ones are
left in the kernel for GATHER_SECONDS and are then taken all at once. The lines lie in an epoll of their own inside that
of the event loop: leaving all of them alone for a moment is one call, whichever of them speaks.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import Protocol

import structlog

GATHER_SECONDS = 0.001
"""How long what comes is gathered while many speak: nobody sees it, and eight rooms that raise their hands at once cost
little more than one. No longer than that, for what was cold before costs more afterwards."""

_ONCE = select.EPOLLIN | select.EPOLLONESHOT

log = structlog.get_logger()


class Source(Protocol):
    """What is read here."""

    def read(self) -> int:
        """Take in what has come and pass it on, without blocking; how many messages that was."""
        ...


class Intake:
    """The open lines of one process, and what waits until all that has come from them is carried out."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting = select.epoll()
        self._bell = select.epoll()
        """Rings in the event loop when something waits. It can be muted and set again by one call each; the loop's own
        way to leave a descriptor alone and take it up again costs as much as a command."""
        self._sources: dict[int, Source] = {}
        self._reading = False
        self._afterwards: list[Callable[[], object]] = []
        self._busy = False
        """Whether several messages came together the last time."""
        self._bell.register(self._waiting.fileno(), _ONCE)
        loop.add_reader(self._bell.fileno(), self._wake)

    def add(self, fd: int, source: Source) -> None:
        """From now on `source` is read when bytes come at `fd`, and when nothing can come there any more."""
        self._sources[fd] = source
        self._waiting.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Leave it alone; while the descriptor is open, and as often as one likes."""
        if self._sources.pop(fd, None) is not None:
            self._waiting.unregister(fd)

    def soon(self, work: Callable[[], object]) -> None:
        """Do this after what has come by now: where lines are being read, as soon as all of them are."""
        if self._reading:
            self._afterwards.append(work)
        else:
            self._loop.call_soon(work)

    def close(self) -> None:
        """Read nothing any more; again is allowed."""
        self._sources.clear()
        if self._bell.closed:
            return
        self._loop.remove_reader(self._bell.fileno())
        self._bell.close()
        self._waiting.close()

    def _wake(self) -> None:
        if self._busy:
            # having rung once, it is silent
            self._bell.poll(0)
            self._loop.call_later(GATHER_SECONDS, self._gathered)
        else:
            self._read()

    def _gathered(self) -> None:
        if not self._waiting.closed:
            self._read()
            self._bell.modify(self._waiting.fileno(), _ONCE)

    def _read(self) -> None:
        self._reading = True
        messages = 0
        for fd, _ in self._waiting.poll(0):
            # one line may have closed another meanwhile
            if (source := self._sources.get(fd)) is not None:
                try:
                    messages += source.read()
                except Exception:
                    log.exception("line_failed")
        self._busy = messages > 1
        self._reading = False
        afterwards, self._afterwards = self._afterwards, []
        for work in afterwards:
            try:
                work()
            except Exception:
                log.exception("line_failed")
