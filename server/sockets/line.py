"""This module owns the line to one client: its transport, from the end of the handshake until the last byte.

It stands in the place of the web server's own protocol and reads and writes the socket itself: a message reaches its
session in the callback that was told of its bytes, and a frame for a whole room reaches the kernel without anything in
between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from os import read, write
from typing import Final, Protocol, TypeVar

from server.sockets.intake import Intake
from signaling.frame_reader import CLOSE, PING, PONG, Control, FrameBroken, FrameReader
from signaling.frames import LARGEST_MESSAGE, frame

PING_SECONDS = 10.0
"""Within so long of silence a client is asked whether it is there; half of it later its line is dead."""
FAREWELL_SECONDS = 3.0
"""How long a client may take to answer a close frame before its line is cut."""
_FINAL = 0x80
_PING: Final = frame(_FINAL | PING, b"")
_READ_AT_ONCE = 64 * 1024

K = TypeVar("K")


class Listener(Protocol):
    """Whom a line tells what comes."""

    def heard(self, messages: list[bytes | str]) -> None:
        """Whole messages have come, these together."""
        ...

    def lost(self) -> None:
        """Nothing comes any more."""
        ...


class Line(asyncio.Protocol):
    """`signaling.connection.Outlet` over one transport, which must be a plain socket's: a proxy ends TLS.

    The transport reads nothing, `Intake` says when there is something. While nothing waits in the transport, bytes go
    to the kernel without it: its own way there costs about as much again as the system call. What the kernel does not
    take, the transport keeps and sends later, so order holds.
    """

    __slots__ = (
        "_before",
        "_closing",
        "_farewell",
        "_intake",
        "_listener",
        "_loop",
        "_pulse",
        "_reader",
        "_silent",
        "_socket",
        "_transport",
        "fd",
        "over",
    )

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, intake: Intake) -> None:
        self.over: asyncio.Future[None] = loop.create_future()
        """Done when the transport is gone."""
        self._loop = loop
        self._transport = transport
        self._before = transport.get_protocol()
        self._reader = FrameReader(LARGEST_MESSAGE)
        self._listener: Listener | None = None
        self._closing = False
        self._farewell: asyncio.TimerHandle | None = None
        self._silent = 0
        self._intake = intake
        self._socket: int = transport.get_extra_info("socket").fileno()
        self.fd = self._socket
        """The descriptor to write to; -1 while bytes must go through the transport. It is the transport's own until it
        says that the connection is lost."""
        transport.set_protocol(self)
        # from the first byte that waits until none does, the transport says so; there may be some already
        transport.set_write_buffer_limits(high=0)
        transport.pause_reading()
        intake.add(self._socket, self)
        self._pulse = loop.call_later(PING_SECONDS / 2, self._beat)

    def listen(self, listener: Listener | None) -> None:
        """From now on `listener` is told what comes."""
        self._listener = listener

    # the way out

    def write(self, data: bytes) -> int:
        if self.fd < 0:
            return self.keep(data)
        try:
            taken = write(self.fd, data)
        except OSError:
            taken = 0  # full or broken: the transport waits, or finds out
        return 0 if taken == len(data) else self.keep(data[taken:])

    def keep(self, rest: bytes) -> int:
        """Let the transport send what the kernel has not taken; how many bytes wait now."""
        if self._closing or self._transport.is_closing():
            return 0
        self._transport.write(rest)
        return self._transport.get_write_buffer_size()

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, status: int, reason: str) -> None:
        if not self._closing:
            self._farewells(status.to_bytes(2, "big") + reason.encode())

    # the way in

    def read(self) -> int:
        """Take in what has come and tell the listener; how many messages that was."""
        try:
            data = read(self._socket, _READ_AT_ONCE)
        except BlockingIOError:
            return 0
        except OSError:
            self._intake.remove(self._socket)
            self._transport.abort()
            return 0
        if not data:
            # a client that is gone reads nothing: what waits for it is written as far as that goes
            self._hang_up()
            return 0
        self._silent = 0
        try:
            found = self._reader.feed(data)
        except FrameBroken as broken:
            self.close(broken.status, str(broken))
            self._lose()
            return 0
        messages: list[bytes | str] = []
        for one in found:
            if isinstance(one, Control):
                self._control(one)
            else:
                messages.append(one)
        if messages and self._listener is not None:
            self._listener.heard(messages)
        return len(messages)

    # what the transport says

    def pause_writing(self) -> None:
        self.fd = -1

    def resume_writing(self) -> None:
        if not self._closing:
            self.fd = self._socket

    def connection_lost(self, error: Exception | None) -> None:
        self._closing = True
        self.fd = -1
        self._intake.remove(self._socket)
        self._pulse.cancel()
        if self._farewell is not None:
            self._farewell.cancel()
        self._before.connection_lost(error)
        self._lose()
        if not self.over.done():
            self.over.set_result(None)

    # inside

    def _control(self, control: Control) -> None:
        if control.opcode == PING:
            self.write(frame(_FINAL | PONG, control.payload))
        elif control.opcode == CLOSE:
            # ours has gone before, or goes now
            if not self._closing:
                self._farewells(control.payload[:2])
            self._hang_up()

    def _hang_up(self) -> None:
        """The client says nothing more."""
        self._intake.remove(self._socket)
        self._lose()
        self._transport.close()
        self._end_soon()

    def _farewells(self, payload: bytes) -> None:
        self.fd = -1
        self._transport.write(frame(_FINAL | CLOSE, payload))
        self._end_soon()

    def _end_soon(self) -> None:
        """Write nothing more, and wait for the end only so long: who does not read does not see a close frame."""
        self._closing = True
        self.fd = -1
        if self._farewell is None:
            self._farewell = self._loop.call_later(FAREWELL_SECONDS, self._transport.abort)

    def _lose(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.lost()

    def _beat(self) -> None:
        """Twice in PING_SECONDS: look whether anything has come."""
        self._silent += 1
        if self._silent > 2:
            self._transport.abort()
            return
        if self._silent == 2:
            self.write(_PING)
        self._pulse = self._loop.call_later(PING_SECONDS / 2, self._beat)


def write_all(lines: Mapping[K, Line], data: bytes) -> Sequence[tuple[K, int]]:
    """Write the same bytes to many lines; those where bytes wait now, and how many."""
    size = len(data)
    behind: list[tuple[K, int]] = []
    for key, line in lines.items():
        taken = 0
        if line.fd >= 0:
            try:
                taken = write(line.fd, data)
            except OSError:
                taken = 0  # as in `write` of a single line
            if taken == size:
                continue
        if waiting := line.keep(data[taken:]):
            behind.append((key, waiting))
    return behind
