"""`/ws/live`: the socket of a live session, from the handshake to the last frame. What a message means the session
decides; here are origins, subprotocols, time limits and who is let in."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib

import structlog
from aiohttp import web

from server.auth.errors import ForeignRequest
from server.auth.middleware import origins_key
from server.keys import intake_key, live_key, site_key
from server.sockets.line import Line
from signaling.commands import Hello
from signaling.connection import STATUS, CloseCode, Connection
from signaling.errors import Draining, Refusal, SessionOver, SignalingError
from signaling.frames import ENCODINGS, Encoding
from signaling.history import JournalRefused
from signaling.messages import Closing, Refused
from signaling.service import LiveService
from signaling.session import LiveSession

HELLO_SECONDS = 5.0
FAREWELLS: dict[type[Exception], CloseCode] = {
    SessionOver: "ended",
    Draining: "drain",
    JournalRefused: "server_error",
}
"""How those are turned away who are let in as such."""
_KEY_SUFFIX = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16
_VERSION = "13"

routes = web.RouteTableDef()
log = structlog.get_logger()


class UnknownSubprotocol(SignalingError):
    """The client offers none of the subprotocols that PROTOCOL.md names."""

    code = "unknown_subprotocol"


@routes.get("/ws/live")
async def live_socket(request: web.Request) -> web.StreamResponse:
    """One participant's socket."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in request.app[origins_key]:
        raise ForeignRequest
    response, encoding = _shake_hands(request)
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        return response
    line = Line(transport, asyncio.get_running_loop(), request.app[intake_key])
    guest = Guest(request.app[live_key], line, encoding)
    try:
        await line.over
    finally:
        guest.lost()
    return response


class Guest:
    """Who is at the other end of a line: nobody yet, then a participant of a session, at last nobody any more."""

    __slots__ = ("_connection", "_encoding", "_line", "_patience", "_service", "_session")

    def __init__(self, service: LiveService, line: Line, encoding: Encoding) -> None:
        self._service = service
        self._line = line
        self._encoding = encoding
        self._session: LiveSession | None = None
        self._connection: Connection | None = None
        loop = asyncio.get_running_loop()
        self._patience: asyncio.TimerHandle | None = loop.call_later(HELLO_SECONDS, self._turn_away, "hello_missing")
        line.listen(self)

    def heard(self, messages: list[bytes | str]) -> None:
        if self._session is None or self._connection is None:
            self._introduce(messages.pop(0))
        if messages and self._session is not None and self._connection is not None:
            try:
                self._session.receive(self._connection, messages)
            except Exception:
                # a fault of ours ends this socket and no other
                log.exception("socket_failed", session=self._session.id)
                self._connection.close("server_error")
                self.lost()

    def lost(self) -> None:
        """Nothing more comes from this socket."""
        self._line.listen(None)
        self._hurry()
        session, self._session = self._session, None
        if session is not None and self._connection is not None:
            session.detach(self._connection)

    def _introduce(self, first: bytes | str) -> None:
        try:
            hello = self._encoding.read(first)
            if not isinstance(hello, Hello):
                raise Refusal("hello_missing")
            self._session, self._connection = self._service.enter(hello, self._line, self._encoding)
        except Refusal as refusal:
            self._turn_away(refusal.reason)
        except SignalingError as error:
            farewell = next((code for kind, code in FAREWELLS.items() if isinstance(error, kind)), None)
            self._turn_away(error.code, farewell or "unauthorized")
        except Exception:
            log.exception("socket_failed", session=None)
            self._turn_away("internal_error", "server_error")
        else:
            self._hurry()

    def _hurry(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _turn_away(self, reason: str, code: CloseCode = "unauthorized") -> None:
        self._hurry()
        self._line.listen(None)
        refused, closing = Refused(msg_id="", code=reason), Closing(code=code)
        self._line.write(self._encoding.frame(refused) + self._encoding.frame(closing))
        self._line.close(STATUS[code], code)


def _shake_hands(request: web.Request) -> tuple[web.StreamResponse, Encoding]:
    """The answer that opens the socket (RFC 6455, section 4.2), and the encoding to speak; raises HTTPBadRequest or
    UnknownSubprotocol. Nothing is compressed: deflating for each socket costs more than sending."""
    headers = request.headers
    upgrades = {word.strip().lower() for word in headers.get("Connection", "").split(",")}
    key = headers.get("Sec-WebSocket-Key", "")
    if headers.get("Upgrade", "").strip().lower() != "websocket" or "upgrade" not in upgrades:
        raise web.HTTPBadRequest
    if headers.get("Sec-WebSocket-Version") != _VERSION or not _is_key(key):
        raise web.HTTPBadRequest(headers={"Sec-WebSocket-Version": _VERSION})
    offered = [name.strip() for name in headers.get("Sec-WebSocket-Protocol", "").split(",")]
    encoding = next((ENCODINGS[name] for name in offered if name in ENCODINGS), None)
    if encoding is None:
        raise UnknownSubprotocol(", ".join(ENCODINGS))
    accept = base64.b64encode(hashlib.sha1(key.encode() + _KEY_SUFFIX, usedforsecurity=False).digest()).decode()
    response = web.StreamResponse(
        status=101,
        headers={
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": accept,
            "Sec-WebSocket-Protocol": encoding.subprotocol,
        },
    )
    response.force_close()
    return response, encoding


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        return False


async def close_sockets(app: web.Application) -> None:
    """For `on_shutdown`: say goodbye before the web server waits for the handlers of open sockets."""
    # absent where the start failed: that error must be the one that is shown
    if live_key in app:
        await app[live_key].close(app[site_key].socket_url)
