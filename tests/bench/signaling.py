"""What telling a room costs the server, for each message that goes out: beside Node with `ws`, and beside the floor.

One room of forty sockets; one of them commands, everybody is told. Server and clients are processes of their own, and
the CPU time is the server's, user and system. `single`: the next command follows the answer to the last. `burst`:
eight commands at once, as when all rooms raise their hands. Ours decodes by type, applies the rules, writes the
journal before it answers and tells typed events; Node sends bytes of the same length as they are and keeps nothing.
Nobody compresses. The bare loop only sends: nobody who makes one system call for each socket gets below it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import uvloop
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from server.auth.principal import Principal
from server.collector import spare_what_is_loaded
from server.shapes.people import Grant
from server.sockets.intake import GATHER_SECONDS
from server.storage.database import Database
from server.storage.migrate import migrate
from signaling import connection
from signaling.commands import Hello, Mark, StartLesson
from signaling.frames import MSGPACK
from signaling.service import TICK
from tests.bench.runner import Figure
from tests.live_lessons import COMMUNITY, HOST_UNIT, plan, teacher
from tests.live_server import LiveServer

ROOT = Path(__file__).parents[2]
SOCKETS = 40
BURST = 8
EVENT_BYTES = 95
"""About the length of our event for a mark."""
COMMAND = b"x" * 24
"""What the peers are sent: about as long as our command."""
NODE, FLOOR = "Node ws", "a bare send loop"
GOALS = {"single": 0.67, "burst": 0.17}
"""Of Node's cost: 1.5 times as fast with one message in flight, six times with several."""
NODE_FOLDERS = (str(ROOT / "tests/edge/node_modules"), "/usr/share/nodejs", "/usr/lib/node_modules")


def figures(full: bool) -> Iterator[Figure]:
    rounds, seconds = (5, 6.0) if full else (3, 3.0)
    for shape, size in (("single", 1), ("burst", BURST)):
        ours: list[float] = []
        node: list[float] = []
        floor: list[float] = []
        # the rounds take turns, and the best counts: other work on the machine only adds
        for _ in range(rounds):
            with _product() as port:
                ours.append(asyncio.run(_cost(port, size, seconds, product=True)))
            with _node() as node_port:
                if node_port:
                    node.append(asyncio.run(_cost(node_port, size, seconds, product=False)))
            with _bare_loop(size) as port:
                floor.append(asyncio.run(_cost(port, size, seconds, product=False)))
        yield _figure(shape, min(ours), NODE, min(node, default=None), GOALS[shape])
        yield _figure(shape, min(ours), FLOOR, min(floor), None)


def _figure(shape: str, value: float, peer: str, peer_value: float | None, goal: float | None) -> Figure:
    ratio = value / peer_value if peer_value else None
    return Figure(
        figure=f"CPU per message to {SOCKETS} sockets, {shape}",
        value=round(value, 2),
        unit="us",
        peer=peer,
        peer_value=round(peer_value, 2) if peer_value else None,
        ratio=round(ratio, 3) if ratio else None,
        goal=f"at most {goal} of {peer}" if goal else None,
        met=ratio <= goal if ratio and goal else None,
    )


# the load


async def _cost(port: int, size: int, seconds: float, *, product: bool) -> float:
    """CPU microseconds for each message out of the server on `port`, with `size` commands at once."""
    base = f"http://127.0.0.1:{port}"
    async with _room(base, product) as clients:
        commander, told = clients[0], _Told()
        readers = [asyncio.create_task(_read(client, told)) for client in clients]
        started, cpu, before = time.monotonic(), await _cpu(clients.http, base), told.messages
        expected, number = told.messages, 0
        while time.monotonic() - started < seconds:
            for _ in range(size):
                number += 1
                command = Mark(msg_id=str(number)) if product else None
                await commander.send_bytes(msgspec.msgpack.encode(command) if command else COMMAND)
            expected += size * (len(clients) + 1)
            await told.reach(expected)
        used = await _cpu(clients.http, base) - cpu
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        return used / (told.messages - before)


class _Told:
    """How many messages have arrived at all sockets together."""

    def __init__(self) -> None:
        self.messages = 0
        self._wanted = 0
        self._reached = asyncio.Event()

    def one(self) -> None:
        self.messages += 1
        if self.messages >= self._wanted:
            self._reached.set()

    async def reach(self, count: int) -> None:
        self._wanted = count
        self._reached.clear()
        if self.messages < count:
            async with asyncio.timeout(20):
                await self._reached.wait()


class _Clients(list[ClientWebSocketResponse]):
    http: ClientSession


@contextlib.asynccontextmanager
async def _room(base: str, product: bool) -> AsyncIterator[_Clients]:
    clients = _Clients()
    async with ClientSession() as clients.http:
        protocols = [MSGPACK.subprotocol] if product else []
        tokens: list[str] = []
        if product:
            async with clients.http.get(f"{base}/tokens") as response:
                tokens = await response.json()
        for number in range(SOCKETS):
            client = await clients.http.ws_connect(f"{base}/ws/live", protocols=protocols)
            if product:
                await client.send_bytes(msgspec.msgpack.encode(Hello(token=tokens[number], device=str(number))))
                await client.receive()
            clients.append(client)
        if product:
            await clients[0].send_bytes(msgspec.msgpack.encode(StartLesson(msg_id="start")))
            await _silence(clients)
        yield clients


async def _silence(clients: _Clients) -> None:
    """Read what the joining and the start brought, until nothing comes."""
    for client in clients:
        with contextlib.suppress(TimeoutError):
            while True:
                await client.receive(timeout=0.1)


async def _read(client: ClientWebSocketResponse, told: _Told) -> None:
    async for message in client:
        # an empty `links` is the heartbeat
        if message.type == WSMsgType.BINARY and b"\xa5links" not in message.data:
            told.one()


async def _cpu(http: ClientSession, base: str) -> float:
    async with http.get(f"{base}/cpu") as response:
        return float(await response.text())


# the servers


@contextlib.contextmanager
def _process(command: list[str]) -> Iterator[int]:
    """The port that a server prints once it listens."""
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        yield int(running.stdout.readline())
    finally:
        running.terminate()
        running.wait(20)
        if running.stdout is not None:
            running.stdout.close()


@contextlib.contextmanager
def _product() -> Iterator[int]:
    with _process([sys.executable, "-m", "tests.bench.signaling"]) as port:
        yield port


@contextlib.contextmanager
def _node() -> Iterator[int | None]:
    folders = [*os.environ.get("NODE_PATH", "").split(":"), *NODE_FOLDERS]
    folder = next((folder for folder in folders if folder and (Path(folder) / "ws").exists()), None)
    node = shutil.which("node")
    if node is None or folder is None:
        yield None
        return
    script = str(Path(__file__).with_name("ws_peer.mjs"))
    with _process([node, script, str(Path(folder).parent), str(EVENT_BYTES)]) as port:
        yield port


@contextlib.contextmanager
def _bare_loop(size: int) -> Iterator[int]:
    given = (SOCKETS, EVENT_BYTES, len(COMMAND), GATHER_SECONDS if size > 1 else 0)
    with _process([sys.executable, "-m", "tests.bench.bare_sends", *map(str, given)]) as port:
        yield port


async def _serve() -> None:
    """The product: one session with its journal, its port printed, until it is terminated."""
    connection.BURST = connection.RATE = 1e9
    lesson = plan()
    people = [
        teacher(HOST_UNIT),
        *(_watcher(number) for number in range(1, SOCKETS)),
    ]

    async def tokens(_request: web.Request) -> web.Response:
        return web.json_response([server.service.admission.invite(asker, lesson)[0] for asker in people])

    with tempfile.TemporaryDirectory() as name:
        database = Database.open(f"sqlite:///{name}/tongke.db")
        await asyncio.to_thread(migrate, database.engine)
        server = LiveServer(database, Path(name) / "journals")
        await server.start(web.get("/cpu", _own_cpu), web.get("/tokens", tokens))
        await server.service.open(lesson)
        spare_what_is_loaded()
        print(server.web.port, flush=True)
        while True:
            await asyncio.sleep(TICK)
            server.pass_time(TICK)


def _watcher(number: int) -> Principal:
    grant = Grant(role="researcher", community=COMMUNITY)
    return Principal(kind="person", id=f"p-{number}", name=f"n{number}", unit=None, grants=(grant,))


async def _own_cpu(_request: web.Request) -> web.Response:
    return web.Response(text=str(time.process_time() * 1e6))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve())
