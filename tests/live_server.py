"""A server of live sessions for tests, and the panels and phones that connect to it: real sockets, real journals."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from itertools import count
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from aiohttp.test_utils import TestServer

from server.api import whip
from server.auth.middleware import origins_key
from server.errors import problems
from server.journals import FileJournals
from server.keys import intake_key, live_key, relay_key, site_key
from server.relay import Relay
from server.site import Site
from server.sockets import live as live_socket
from server.sockets.intake import Intake
from server.sockets.line import write_all
from server.storage.database import Database
from server.storage.session_store import SqlSessionStore
from signaling.commands import Hello
from signaling.frames import JSON, MSGPACK, Encoding
from signaling.media.hub import MediaConfig, MediaHub, TrackInfo
from signaling.messages import Ack, AnyRoomEvent, Closing, Event, MediaAnswer, Refused, Resumed, ServerMessage, Welcome
from signaling.plan import SessionPlan
from signaling.roles import Asker
from signaling.room import Room
from signaling.room_state import Participant, Snapshot
from signaling.service import LiveService
from signaling.wire import Command, RecordingState, Role, SessionState
from tests.live_lessons import Clock
from tests.media_clients import until

M = TypeVar("M", bound=ServerMessage)
ORIGIN = "http://tongke.test"


class Notebook:
    """`signaling.ports.SessionRecording` that writes down what it is asked to record, and records nothing."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, ...]] = []
        self.on_state: Callable[[str, str, RecordingState], None] = lambda session, participant, state: None
        self.stopping = asyncio.Event()
        self.stopping.set()

    def start(self, plan: SessionPlan, at: float) -> None:
        self.notes.append(("start", plan.session))

    def attach(self, session: str, participant: Participant, track: TrackInfo) -> RecordingState:
        self.notes.append(("attach", participant.id, track.source))
        return "recording"

    def detach(self, session: str, track: TrackInfo) -> None:
        self.notes.append(("detach", track.participant, track.source))
        self.on_state(session, track.participant, "off")

    async def stop(self, plan: SessionPlan, ended: Snapshot, reason: str) -> str | None:
        await self.stopping.wait()
        self.notes.append(("stop", plan.session, reason))
        return f"review-{plan.session}" if reason == "ended" else None


class LiveServer:
    """One process with its sessions. `restart` is what a kill and a new start leave."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.clock = Clock()
        self.store = SqlSessionStore(database)
        self.recording = Notebook()
        self.relay = Relay((), "", 3600.0, self.clock)
        self.hub = MediaHub(MediaConfig())
        self.service: LiveService
        self.web: TestServer
        self.intake: Intake
        self._folder = folder
        self._client = ClientSession()
        self._panels: list[Panel] = []

    async def start(self, *routes: web.RouteDef) -> None:
        """Listen; `routes` are answered beside the server's own."""
        await self.hub.open()
        self.intake = Intake(asyncio.get_running_loop())
        self.service = LiveService(
            store=self.store,
            journals=FileJournals(self._folder),
            media=self.hub,
            recording=self.recording,
            secret=b"s" * 32,
            clock=self.clock,
            new_id=lambda: secrets.token_hex(8),
            soon=self.intake.soon,
            write_all=write_all,
        )
        await self.service.restore()
        app = web.Application(middlewares=[problems])
        app[origins_key] = frozenset({ORIGIN})
        app[live_key] = self.service
        app[intake_key] = self.intake
        app[site_key] = Site(ORIGIN)
        app[relay_key] = self.relay
        app.on_response_prepare.append(whip.open_to_any_origin)
        app.add_routes(live_socket.routes)
        app.add_routes(whip.routes)
        app.add_routes(routes)
        app.on_shutdown.append(live_socket.close_sockets)
        self.web = TestServer(app)
        await self.web.start_server()

    async def stop(self) -> None:
        for panel in self._panels:
            await panel.close()
        await self.web.close()
        self.intake.close()
        await self.hub.close()
        await self._client.close()

    async def restart(self) -> None:
        """Stop as a killed process stops, as far as its sessions can tell: nothing is said and nothing is written."""
        for session in self.service.sessions:
            session._history.close()
        for task in self.service._tasks:
            task.cancel()
        await self.web.close()
        self.intake.close()
        await self.hub.close()
        self.hub = MediaHub(MediaConfig())
        await self.start()

    def pass_time(self, seconds: float) -> None:
        self.clock.now += seconds
        self.service.tick()

    def room(self, session: str = "s1") -> Room:
        return self.service.running(session).room

    async def state_becomes(self, state: SessionState, session: str = "s1") -> None:
        async with asyncio.timeout(5):
            while (record := await self.store.get(session)) is None or record.state != state:  # noqa: ASYNC110 - a database
                await asyncio.sleep(0.01)

    async def connect(
        self,
        asker: Asker,
        plan: SessionPlan,
        role: Role | None = None,
        *,
        encoding: Encoding = MSGPACK,
        device: str = "",
        seen: tuple[int, int] | None = None,
        token: str | None = None,
    ) -> Panel:
        """A socket that has said hello; `seen` is the last (epoch, seq) of a returning client."""
        panel = await self.dial(encoding)
        epoch, seq = seen or (None, None)
        token = token or self.service.admission.invite(asker, plan, role)[0]
        await panel.send(Hello(token=token, device=device or f"device of {asker.id}", epoch=epoch, seq=seq))
        return panel

    async def join(self, asker: Asker, plan: SessionPlan, role: Role | None = None, **options: Any) -> Panel:
        """A participant that has been welcomed."""
        panel = await self.connect(asker, plan, role, **options)
        panel.welcome = await panel.expect(Welcome)
        return panel

    async def dial(self, encoding: Encoding = MSGPACK, **options: Any) -> Panel:
        """An open socket that has said nothing yet."""
        options.setdefault("headers", {"Origin": ORIGIN})
        options.setdefault("protocols", [encoding.subprotocol])
        socket = await self._client.ws_connect(self.web.make_url("/ws/live"), **options)
        panel = Panel(socket, encoding)
        self._panels.append(panel)
        return panel


class Panel:
    """One client: what it was told, in order."""

    def __init__(self, socket: ClientWebSocketResponse, encoding: Encoding) -> None:
        self.socket = socket
        self.encoding = encoding
        self.told: list[ServerMessage] = []
        self.bytes = b""
        """All that came, as it came."""
        self.welcome: Welcome
        self._msg_ids = (f"{secrets.token_hex(4)}-{number}" for number in count(1))
        self._reader = asyncio.create_task(self._read())

    @property
    def events(self) -> list[AnyRoomEvent]:
        return [message.event for message in self.told if isinstance(message, Event)]

    @property
    def seen(self) -> tuple[int, int]:
        """The last (epoch, seq) that this client knows of."""
        numbered = [m for m in self.told if isinstance(m, Event | Welcome | Resumed)]
        return numbered[-1].epoch, max(m.seq for m in numbered)

    async def send(self, message: Any) -> None:
        await self.send_bytes(_encode(self.encoding, message))

    async def send_bytes(self, data: bytes) -> None:
        if self.encoding is JSON:
            await self.socket.send_str(data.decode())
        else:
            await self.socket.send_bytes(data)

    async def ask(self, kind: type[Command], **fields: Any) -> ServerMessage:
        """Send a command and wait for its answer."""
        msg_id = fields.pop("msg_id", None) or next(self._msg_ids)
        before = len(self.told)
        await self.send(kind(msg_id=msg_id, **fields))
        return cast(
            ServerMessage,
            await until(
                lambda: next(
                    (
                        message
                        for message in self.told[before:]
                        if isinstance(message, Ack | Refused | MediaAnswer) and message.msg_id == msg_id
                    ),
                    None,
                )
            ),
        )

    async def refusal(self, kind: type[Command], **fields: Any) -> tuple[str, dict[str, str | int | float]]:
        """The code and the values with which a command is refused."""
        answer = await self.ask(kind, **fields)
        assert isinstance(answer, Refused), answer
        return answer.code, answer.values

    async def expect(self, kind: type[M], after: int = 0) -> M:
        """The first message of a kind."""
        return cast(M, await until(lambda: next((m for m in self.told[after:] if isinstance(m, kind)), None)))

    async def hears(self, event: AnyRoomEvent) -> None:
        """Wait for an event of the room."""
        await until(lambda: event in self.events)

    async def closed(self) -> str:
        """Wait until the server has closed the socket; the reason it gave."""
        await self.expect(Closing)
        await until(lambda: self.socket.closed)
        return (await self.expect(Closing)).code

    def cut(self) -> None:
        """Tear the line without a word."""
        connection = self.socket._conn
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def close(self) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self.socket.close()

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type == WSMsgType.BINARY:
                self.bytes += message.data
                self.told.append(msgspec.msgpack.decode(message.data, type=ServerMessage))
            elif message.type == WSMsgType.TEXT:
                self.bytes += message.data.encode()
                self.told.append(msgspec.json.decode(message.data, type=ServerMessage))


@contextlib.asynccontextmanager
async def live_server(database: Database, folder: Path) -> AsyncIterator[LiveServer]:
    server = LiveServer(database, folder)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _encode(encoding: Encoding, message: Any) -> bytes:
    return msgspec.json.encode(message) if encoding is JSON else msgspec.msgpack.encode(message)
