"""A bad line between a client and a server, for tests: UDP and TCP, each direction for itself.

A `Line` says how one direction fares and may be changed at any time: delay, jitter, loss, bandwidth and queue, cut.
Several proxies may share their lines, as a classroom's socket and its media share one cable. The same seed loses the
same datagrams of a stream.

    async with udp_proxy(hub.address) as line: ...   # line.address is where clients send to; line.down.loss = 0.05
    async with tcp_proxy(("127.0.0.1", port), up=line.up, down=line.down) as web: ...

TCP hides loss: a lost chunk comes one retransmission later. A cut TCP line holds what is on its way, and tells neither
end that the other has hung up (half-open), until it is mended. `abort()` is a reset of every connection.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any, cast

Address = tuple[str, int]

RESEND = 0.2
"""Seconds until TCP repeats a lost chunk."""
CHUNK = 16 << 10
IN_FLIGHT = 16
"""Chunks of one TCP direction between reading and writing: beyond it the sender is made to wait."""


def media_only(data: bytes) -> bool:
    """SRTP and SRTCP: what may be lost when connecting itself is not under test (RFC 7983)."""
    return bool(data) and 127 < data[0] < 192


class Line:
    """One direction. delay, jitter: seconds, jitter uniform and without reordering; loss: fraction; rate: bit/s, None
    is no limit; queue: seconds of waiting beyond which the bottleneck drops; hits: which datagrams may be lost.
    """

    def __init__(
        self,
        *,
        delay: float = 0.0,
        jitter: float = 0.0,
        loss: float = 0.0,
        rate: int | None = None,
        queue: float = 0.3,
        hits: Callable[[bytes], bool] = lambda data: True,
        seed: int = 1,
    ) -> None:
        self.delay, self.jitter, self.loss, self.rate, self.queue, self.hits = delay, jitter, loss, rate, queue, hits
        self.passed = self.lost = self.octets = 0
        self._random = random.Random(seed)
        self._free_at = self._last_due = 0.0
        self._whole = asyncio.Event()
        self._whole.set()

    @property
    def is_cut(self) -> bool:
        return not self._whole.is_set()

    def cut(self) -> None:
        """Nothing passes: datagrams are lost, TCP stands still."""
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    async def whole(self) -> None:
        """Wait until the line is not cut."""
        await self._whole.wait()

    def datagram(self, data: bytes, now: float) -> float | None:
        """When a datagram that enters now comes out; None: never."""
        if self.is_cut or (self.loss and self.hits(data) and self._random.random() < self.loss):
            self.lost += 1
            return None
        due = self._through(len(data) + 28, now, self.queue)
        if due is None:
            self.lost += 1
        return due

    def chunk(self, size: int, now: float) -> float:
        """When a chunk of a TCP stream that enters now comes out."""
        due = self._through(size, now, float("inf"))
        assert due is not None
        if self.loss and self._random.random() < self.loss:
            self.lost += 1
            self._last_due = due = due + RESEND
        return due

    def _through(self, size: int, now: float, queue: float) -> float | None:
        begin = now
        if self.rate is not None:
            begin = max(now, self._free_at)
            if begin - now > queue:
                return None
            begin = self._free_at = begin + size * 8 / self.rate
        self.passed += 1
        self.octets += size
        due = begin + self.delay + (self._random.random() * self.jitter if self.jitter else 0.0)
        if due <= self._last_due:  # a tie among timers may go either way
            due = self._last_due + 1e-6
        self._last_due = due
        return due


class UdpProxy(asyncio.DatagramProtocol):
    """A socket towards the server for each client, as a NAT has."""

    def __init__(self, to: Address, up: Line, down: Line) -> None:
        self.to, self.up, self.down = to, up, down
        self._sockets: dict[Address, asyncio.DatagramTransport] = {}
        self._early: dict[Address, list[bytes]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def address(self) -> Address:
        return cast(Address, self._transport.get_extra_info("sockname")[:2])

    def reroute(self, sdp: str) -> str:
        """An answer whose UDP candidates lead through this proxy."""
        host, port = self.address
        return re.sub(r"(a=candidate:\S+ \d+ udp \d+ )\S+ \d+", rf"\g<1>{host} {port}", sdp, flags=re.IGNORECASE)

    def datagram_received(self, data: bytes, client: Any) -> None:
        due = self.up.datagram(data, self._loop.time())
        if due is None:
            return
        if client in self._sockets:
            self._later(due, self._send_up, data, client)
        elif client in self._early:
            self._early[client].append(data)
        else:
            self._early[client] = [data]
            self._spawn(self._connect(client))

    def rebind(self) -> None:
        """What a NAT does when it forgets: every client now comes from another port."""
        for client in list(self._sockets):
            self._spawn(self._connect(client))

    def close(self) -> None:
        self._transport.close()
        for task in self._tasks:
            task.cancel()
        for transport in self._sockets.values():
            transport.close()

    def _send_up(self, data: bytes, client: Address) -> None:
        transport = self._sockets.get(client)
        if transport is not None and not transport.is_closing():
            transport.sendto(data)

    def _send_down(self, data: bytes, client: Address) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, client)

    def _later(self, due: float, send: Callable[[bytes, Address], None], data: bytes, client: Address) -> None:
        if due <= self._loop.time():
            send(data, client)
        else:
            self._loop.call_at(due, send, data, client)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, client: Address) -> None:
        proxy = self

        class Back(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: Any) -> None:
                due = proxy.down.datagram(data, proxy._loop.time())
                if due is not None:
                    proxy._later(due, proxy._send_down, data, client)

        transport, _ = await self._loop.create_datagram_endpoint(Back, remote_addr=self.to)
        old, self._sockets[client] = self._sockets.get(client), transport
        for data in self._early.pop(client, []):
            self._later(self._loop.time() + self.up.delay, self._send_up, data, client)
        if old is not None:
            old.close()


class TcpProxy:
    """Connections to a server, each carried by two lines."""

    def __init__(self, to: Address, up: Line, down: Line, chunk: int) -> None:
        self.to, self.up, self.down = to, up, down
        self.accepted = 0
        self._chunk = chunk
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, ...]] = {}

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=self._chunk)

    @property
    def address(self) -> Address:
        return cast(Address, self._server.sockets[0].getsockname()[:2])

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._pairs)

    def abort(self) -> None:
        """Both ends see a reset."""
        for writers in list(self._pairs.values()):
            for writer in writers:
                if writer.transport.is_closing():
                    continue
                linger = struct.pack("ii", 1, 0)  # or the close would be an orderly one
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()

    def refuse(self) -> None:
        """The line is dead: every connection is reset, and a new one is refused until `listen`."""
        self._dead = self.address
        self._server.close()
        self.abort()

    async def listen(self) -> None:
        """The line is back, at the same address."""
        self._server = await asyncio.start_server(self._accept, *self._dead, limit=self._chunk)

    async def close(self) -> None:
        self._server.close()
        self.abort()
        tasks = list(self._pairs)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._pairs[task] = (writer,)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        for writer in self._pairs.pop(task):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.up.whole()  # a SYN into a cut line waits, too
        try:
            up_reader, up_writer = await asyncio.open_connection(*self.to, limit=self._chunk)
        except OSError:
            return
        task = asyncio.current_task()
        assert task is not None
        self._pairs[task] = (writer, up_writer)
        try:
            await _together(
                _carry(reader, up_writer, self.up, self._chunk), _carry(up_reader, writer, self.down, self._chunk)
            )
        except OSError:  # one end has reset the connection: so do we with the other
            return


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: Line, chunk: int) -> None:
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(IN_FLIGHT)

    async def write() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            await line.whole()
            if writer.is_closing():
                raise ConnectionResetError
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    async def read() -> None:
        while True:
            try:
                data = await reader.read(chunk)
            except OSError:
                await line.whole()  # a reset is no faster than anything else
                raise
            await under_way.put((line.chunk(len(data), loop.time()), data))
            if not data:
                return

    await _together(read(), write())


async def _together(*works: Coroutine[Any, Any, None]) -> None:
    """Until all are done or one fails; then none is left running."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _lines(up: Line | None, down: Line | None) -> Iterator[Line]:
    yield up if up is not None else Line(seed=1)
    yield down if down is not None else Line(seed=2)


@asynccontextmanager
async def udp_proxy(to: Address, *, up: Line | None = None, down: Line | None = None) -> AsyncIterator[UdpProxy]:
    """A UDP proxy before `to` (which may be set later); up: from client to server."""
    loop = asyncio.get_running_loop()
    _, proxy = await loop.create_datagram_endpoint(lambda: UdpProxy(to, *_lines(up, down)), local_addr=("127.0.0.1", 0))
    try:
        yield proxy
    finally:
        proxy.close()


@asynccontextmanager
async def tcp_proxy(
    to: Address, *, up: Line | None = None, down: Line | None = None, chunk: int = CHUNK
) -> AsyncIterator[TcpProxy]:
    """A TCP proxy before `to`; up: from client to server; chunk: octets that travel together, 16 of which the line
    holds back for a connection before its sender is made to wait."""
    proxy = TcpProxy(to, *_lines(up, down), chunk)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.close()
