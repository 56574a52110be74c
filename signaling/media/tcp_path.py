"""Media over TCP, for networks that block UDP. This module owns RFC 4571 framing on the passive ICE-TCP port."""

from __future__ import annotations

import asyncio
import secrets
from typing import Protocol, cast

PATIENCE = 10.0  # seconds for the first correct check
FIRST_FRAMES = 512  # bytes a stranger may send at once: checks are small
LARGEST_FRAME = 1600
TCP_MARK = b"tcp "
MAX_CONNECTIONS = 512


class FrameSink(Protocol):
    """What a TCP connection needs of the port."""

    tcp: dict[bytes, asyncio.Transport]

    def knows(self, address: bytes) -> bool: ...
    def on_frame(self, data: bytes, address: bytes) -> None: ...
    def on_stream_closed(self, address: bytes) -> None: ...


class TcpPath(asyncio.Protocol):
    """One connection. Its `address` is made up, so that it fits wherever a UDP source address does."""

    def __init__(self, port: FrameSink) -> None:
        self._port = port
        self.address = TCP_MARK + secrets.token_bytes(12)
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if len(self._port.tcp) >= MAX_CONNECTIONS:
            self._transport.abort()
            return
        self._port.tcp[self.address] = self._transport
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, self._impatient)

    def _impatient(self) -> None:
        if not self._port.knows(self.address):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        buffer, at = self._buffer, 0
        while len(buffer) - at >= 2 and not self._transport.is_closing():
            size = int.from_bytes(buffer[at : at + 2], "big")
            if size > LARGEST_FRAME or (size > FIRST_FRAMES and not self._port.knows(self.address)):
                self._transport.abort()
                return
            if len(buffer) - at < size + 2:
                break
            if size:
                self._port.on_frame(bytes(buffer[at + 2 : at + 2 + size]), self.address)
            at += size + 2
        del buffer[:at]

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._port.tcp.pop(self.address, None)
        self._port.on_stream_closed(self.address)
