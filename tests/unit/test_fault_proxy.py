"""The bad line that other tests rely on does what it says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fault_proxy import Address, Line, UdpProxy, media_only, tcp_proxy, udp_proxy
from tests.media_clients import until


class Inbox(asyncio.DatagramProtocol):
    """A UDP end that keeps what arrives, and when; it may echo."""

    def __init__(self, echo: bool) -> None:
        self.got: list[tuple[float, bytes]] = []
        self.sources: set[Any] = set()
        self._echo = echo

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, source: Any) -> None:
        self.got.append((asyncio.get_running_loop().time(), data))
        self.sources.add(source)
        if self._echo:
            self.transport.sendto(data, source)


@asynccontextmanager
async def udp_ends() -> AsyncIterator[tuple[Inbox, Inbox, UdpProxy]]:
    """(client, server that echoes, the proxy between)."""
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(lambda: Inbox(True), local_addr=("127.0.0.1", 0))
    async with udp_proxy(server.transport.get_extra_info("sockname")) as proxy:
        _, client = await loop.create_datagram_endpoint(lambda: Inbox(False), remote_addr=proxy.address)
        try:
            yield client, server, proxy
        finally:
            client.transport.close()
            server.transport.close()


@asynccontextmanager
async def echo_server() -> AsyncIterator[tuple[Address, list[asyncio.StreamWriter]]]:
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2], writers
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def test_datagrams_pass_both_ways_and_a_nat_may_rebind() -> None:
    async with udp_ends() as (client, server, proxy):
        client.transport.sendto(b"one")
        await until(lambda: [data for _, data in client.got] == [b"one"])
        proxy.rebind()
        await until(lambda: client.transport.sendto(b"two") or len(server.sources) == 2)


async def test_a_cut_line_loses_datagrams_until_it_is_mended() -> None:
    async with udp_ends() as (client, server, proxy):
        client.transport.sendto(b"one")
        await until(lambda: len(client.got) == 1)
        proxy.down.cut()
        client.transport.sendto(b"two")
        await until(lambda: proxy.down.lost == 1)
        proxy.down.mend()
        client.transport.sendto(b"three")
        await until(lambda: len(client.got) == 2)
        assert [data for _, data in server.got] == [b"one", b"two", b"three"]
        assert [data for _, data in client.got] == [b"one", b"three"]


async def test_a_delay_is_kept_and_the_order_too() -> None:
    async with udp_ends() as (client, _, proxy):
        client.transport.sendto(b"first")
        await until(lambda: len(client.got) == 1)
        proxy.up.delay, proxy.up.jitter = 0.1, 0.05
        begun = asyncio.get_running_loop().time()
        for number in range(50):
            client.transport.sendto(bytes([number]))
        await until(lambda: len(client.got) == 51)
        assert client.got[1][0] - begun >= 0.1
        assert [data[0] for _, data in client.got[1:]] == list(range(50))


def test_the_same_seed_loses_the_same_datagrams() -> None:
    def fates(seed: int) -> list[bool]:
        line = Line(loss=0.2, seed=seed)
        return [line.datagram(b"x", 0.0) is None for _ in range(200)]

    assert fates(3) == fates(3)
    assert fates(3) != fates(4)
    assert 20 <= sum(fates(3)) <= 60


def test_only_media_is_lost_where_connecting_is_not_the_question() -> None:
    line = Line(loss=1.0, hits=media_only)
    assert line.datagram(b"\x00\x01stun", 0.0) is not None
    assert line.datagram(b"\x16dtls", 0.0) is not None
    assert line.datagram(b"\x80rtp", 0.0) is None


def test_a_bottleneck_queues_and_then_drops() -> None:
    line = Line(rate=80_000, queue=0.35)  # 10 kB/s: 100 ms for each datagram of 1,000 bytes
    dues = [line.datagram(bytes(972), 0.0) for _ in range(6)]
    assert [round(due, 3) if due is not None else None for due in dues] == [0.1, 0.2, 0.3, 0.4, None, None]
    assert line.datagram(bytes(972), 1.0) == pytest.approx(1.1)


async def test_a_stream_passes_whole_through_a_slow_and_lossy_line() -> None:
    async with echo_server() as (to, _), tcp_proxy(to, up=Line(delay=0.02), down=Line(rate=8_000_000)) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        sent = bytes(range(256)) * 400
        writer.write(sent)
        writer.write_eof()
        assert await reader.read(-1) == sent
        writer.close()
        await until(lambda: proxy.connections == 0)


async def test_a_cut_stream_stands_still_and_goes_on() -> None:
    async with echo_server() as (to, _), tcp_proxy(to) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"one")
        assert await reader.readexactly(3) == b"one"
        proxy.down.cut()
        writer.write(b"two")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(3), 0.2)
        proxy.down.mend()
        assert await reader.readexactly(3) == b"two"
        writer.close()


async def test_a_half_open_socket_is_not_told_that_the_other_end_is_gone() -> None:
    async with echo_server() as (to, writers), tcp_proxy(to) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"one")
        await reader.readexactly(3)
        proxy.up.cut()
        writer.transport.abort()
        with pytest.raises(TimeoutError):
            await until(lambda: writers[0].transport.is_closing(), 0.2)
        proxy.up.mend()
        await until(lambda: writers[0].transport.is_closing())


async def test_a_reset_ends_every_connection() -> None:
    async with echo_server() as (to, _), tcp_proxy(to) as proxy:
        reader, writer = await asyncio.open_connection(*proxy.address)
        writer.write(b"one")
        await reader.readexactly(3)
        proxy.abort()
        with pytest.raises(ConnectionError):
            await reader.readexactly(1)
        writer.close()
