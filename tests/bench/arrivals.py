"""Everybody comes at the bell, stays in silence, and comes back after a cut: joins, memory, resuming.

Joins: sessions of forty, all sockets at once, each until its `welcome` is read. Memory: what one idle connection adds
to the server's resident memory, beside a bare WebSocket of aiohttp. Resuming: the pages' own `connection.ts`, run in
Node, behind a line that is torn and dead for five seconds; the time runs from the moment at which the line is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import uvloop
from aiohttp import ClientSession, web

from server.auth.principal import Principal
from server.collector import spare_what_is_loaded
from server.process import BACKLOG
from server.storage.database import Database
from server.storage.migrate import migrate
from signaling.commands import Hello
from signaling.frames import MSGPACK
from signaling.service import TICK
from tests import client_code, services
from tests.bench.runner import Figure
from tests.bench.signaling import _process, _watcher
from tests.fault_proxy import tcp_proxy
from tests.live_lessons import plan
from tests.live_server import LiveServer

ROOM = 40
JOINS = 2_000
IDLE = 1_000
RETURNING = 40
CUT = 5.0
BODY = Path(__file__).with_name("returning.mjs")
SUBPROTOCOL = MSGPACK.subprotocol


def figures(full: bool) -> Iterator[Figure]:
    joins = JOINS if full else JOINS // 2
    with _server("product") as port:
        waited, failed = asyncio.run(_joins(port, joins))
    yield _figure(f"{joins} joins at once, p99", _percentile(waited, 0.99), "s", goal="at most 1.5 s", most=1.5)
    yield _figure(f"{joins} joins at once, failed", float(failed), "", goal="none", most=0.0)
    with _server("bare") as port:
        bare = asyncio.run(_memory(port))
    with _server("product") as port:
        ours = asyncio.run(_memory(port))
    yield Figure(
        figure="memory of an idle connection",
        value=round(ours / 1024, 1),
        unit="KB",
        peer="aiohttp WebSocket",
        peer_value=round(bare / 1024, 1),
        ratio=round(ours / bare, 2),
        goal="at most 1.3 of it",
        met=ours / bare <= 1.3,
    )
    with _server("product") as port:
        back = asyncio.run(_returns(port))
    yield _figure(f"back after a cut of {CUT:.0f} s, p95", _percentile(back, 0.95), "s", goal="at most 1 s", most=1.0)


def _figure(name: str, value: float, unit: str, *, goal: str, most: float) -> Figure:
    return Figure(
        figure=name,
        value=round(value, 3),
        unit=unit,
        peer=None,
        peer_value=None,
        ratio=None,
        goal=goal,
        met=value <= most,
    )


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[max(0, round(share * len(values)) - 1)] if values else float("inf")


# the clients


class _Socket:
    """A WebSocket client that costs little: one upgrade, one hello, and then it counts bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> _Socket:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"GET /ws/live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Sec-WebSocket-Protocol: " + SUBPROTOCOL.encode() + b"\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise ConnectionError(head[:80])
        return cls(reader, writer)

    async def welcomed(self, token: str) -> None:
        body = msgspec.msgpack.encode(Hello(token=token, device="bench"))
        # a mask of zeros leaves the payload as it is
        self.writer.write(b"\x82" + bytes((0x80 | 126,)) + len(body).to_bytes(2, "big") + bytes(4) + body)
        size = (await self.reader.readexactly(2))[1]
        if size >= 126:
            size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
        if b"welcome" not in await self.reader.readexactly(size):
            raise ConnectionError("not welcomed")


async def _joins(port: int, count: int) -> tuple[list[float], int]:
    tokens = await _tokens(port, count)
    started = time.monotonic()
    sockets: list[_Socket] = []

    async def join(token: str) -> float:
        socket = await _Socket.open(port)
        sockets.append(socket)
        await socket.welcomed(token)
        return time.monotonic() - started

    async with asyncio.timeout(60):
        done = await asyncio.gather(*(join(token) for token in tokens), return_exceptions=True)
    for socket in sockets:
        socket.writer.transport.abort()
    return [found for found in done if isinstance(found, float)], sum(isinstance(one, BaseException) for one in done)


async def _memory(port: int) -> float:
    """Bytes for each of IDLE connections."""
    tokens = await _tokens(port, 100 + IDLE)
    sockets: list[_Socket] = []

    async def more(some: list[str]) -> None:
        for token in some:
            sockets.append(await _Socket.open(port))
            await sockets[-1].welcomed(token)

    # what the first ones cost is the program's, not theirs
    await more(tokens[:100])
    before = await _rss(port)
    await more(tokens[100:])
    used = await _rss(port) - before
    for socket in sockets:
        socket.writer.transport.abort()
    return used / IDLE


async def _returns(port: int) -> list[float]:
    tokens = await _tokens(port, RETURNING)
    async with tcp_proxy(("127.0.0.1", port)) as line:
        given = {"port": line.address[1], "tokens": tokens}
        node = await asyncio.create_subprocess_exec(
            services.require("node"),
            str(BODY),
            client_code.bundle("classroom/connection.ts").as_uri(),
            str(services.edge_modules()),
            json.dumps(given),
            stdout=asyncio.subprocess.PIPE,
        )
        assert node.stdout is not None
        assert (await node.stdout.readline()).strip() == b"connected"
        line.refuse()
        await asyncio.sleep(CUT)
        await line.listen()
        whole = time.time()
        said = await asyncio.wait_for(node.stdout.readline(), 60)
        await node.wait()
    return [at / 1000 - whole for at in json.loads(said)]


async def _tokens(port: int, count: int) -> list[str]:
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{port}/tokens?count={count}") as response:
        found: list[str] = await response.json()
        return found


async def _rss(port: int) -> float:
    async with ClientSession() as http, http.get(f"http://127.0.0.1:{port}/rss") as response:
        return float(await response.text())


# the servers


@contextlib.contextmanager
def _server(kind: str) -> Iterator[int]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8192)), hard))
    with _process([sys.executable, "-m", "tests.bench.arrivals", kind]) as port:
        yield port


async def _rss_of_this(_request: web.Request) -> web.Response:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return web.Response(text=str(pages * resource.getpagesize()))


async def _serve_product() -> None:
    sessions = [plan(f"s{number}", lesson=f"lesson-{number}") for number in range(JOINS // ROOM + 3)]
    given = 0

    async def tokens(request: web.Request) -> web.Response:
        nonlocal given
        found: list[str] = []
        for number in range(given, given + int(request.query["count"])):
            person: Principal = _watcher(number)
            found.append(server.service.admission.invite(person, sessions[number // ROOM % len(sessions)])[0])
        given += len(found)
        return web.json_response(found)

    with tempfile.TemporaryDirectory() as name:
        database = Database.open(f"sqlite:///{name}/tongke.db")
        await asyncio.to_thread(migrate, database.engine)
        server = LiveServer(database, Path(name) / "journals")
        await server.start(web.get("/tokens", tokens), web.get("/rss", _rss_of_this))
        assert server.web.runner is not None
        for site in server.web.runner.sites:
            site._sock.listen(BACKLOG)  # type: ignore[attr-defined] # as the product listens; a test server waits for few
        for session in sessions:
            await server.service.open(session)
        spare_what_is_loaded()
        print(server.web.port, flush=True)
        while True:
            await asyncio.sleep(TICK)
            server.pass_time(TICK)


async def _serve_bare() -> None:
    """The peer: it reads a message, answers, and waits."""

    async def socket(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse(protocols=(SUBPROTOCOL,), heartbeat=10.0, compress=False)
        await answer.prepare(request)
        await answer.receive()
        await answer.send_bytes(b"welcome")
        async for _ in answer:
            pass
        return answer

    async def tokens(request: web.Request) -> web.Response:
        return web.json_response(["token"] * int(request.query["count"]))

    app = web.Application()
    app.add_routes([web.get("/ws/live", socket), web.get("/tokens", tokens), web.get("/rss", _rss_of_this)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        run, what = (uvloop.run, _serve_product) if sys.argv[1] == "product" else (asyncio.run, _serve_bare)
        run(what())
