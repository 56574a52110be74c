"""`/ws/live`: the socket of a live session, from the handshake to the last frame. What a message means the session
decides; here are origins, subprotocols, time limits and bytes."""

from __future__ import annotations

import asyncio
from os import write

import structlog
from aiohttp import WSMsgType, web

from server.auth.errors import ForeignRequest
from server.auth.middleware import origins_key
from server.keys import live_key
from signaling.commands import Hello
from signaling.connection import STATUS, CloseCode
from signaling.errors import Draining, Refusal, SessionOver, SignalingError
from signaling.frames import ENCODINGS, LARGEST_MESSAGE, Encoding
from signaling.history import JournalRefused
from signaling.messages import Closing, Refused

HELLO_SECONDS = 5.0
PING_SECONDS = 10.0
"""A socket that does not answer a ping within half of this is dead."""
FAREWELL_SECONDS = 3.0
"""How long a client may take to answer a close frame before its line is cut."""
FAREWELLS: dict[type[Exception], CloseCode] = {
    SessionOver: "ended",
    Draining: "drain",
    JournalRefused: "server_error",
}
"""How those are turned away who are let in as such."""

routes = web.RouteTableDef()
log = structlog.get_logger()


class UnknownSubprotocol(SignalingError):
    """The client offers none of the subprotocols that PROTOCOL.md names."""

    code = "unknown_subprotocol"


class SocketOutlet:
    """Frames written straight to the socket: the room has made them already, once for everybody.

    While nothing waits in the transport, bytes go to the kernel without it: its own way there costs about as much again
    as the system call. What the kernel does not take, the transport keeps and sends later, so order holds.
    """

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport
        self._closing: asyncio.Task[None] | None = None
        self._waiting = transport.get_write_buffer_size
        self._is_closing = transport.is_closing
        # behind TLS the transport alone knows what goes over the wire
        plain = transport.get_extra_info("sslcontext") is None
        self._fd: int = transport.get_extra_info("socket").fileno() if plain else -1

    def write(self, data: bytes) -> int:
        if self._is_closing():
            return 0
        if self._fd < 0 or self._waiting():
            self._transport.write(data)
            return self._waiting()
        try:
            # the descriptor is the transport's until it is closing
            taken = write(self._fd, data)
        except OSError:
            taken = 0  # full or broken: the transport waits, or finds out
        if taken == len(data):
            return 0
        self._transport.write(data[taken:])
        return self._waiting()

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, status: int, reason: str) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close(status, reason))

    async def closed(self) -> None:
        """Wait until a close under way is over."""
        if self._closing is not None:
            await self._closing

    async def _close(self, status: int, reason: str) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._socket.close(code=status, message=reason.encode())
        except TimeoutError:
            # who does not read does not see the close frame either
            self._transport.abort()


@routes.get("/ws/live")
async def live_socket(request: web.Request) -> web.StreamResponse:
    """One participant's socket."""
    origin = request.headers.get("Origin")
    if origin is not None and origin not in request.app[origins_key]:
        raise ForeignRequest
    # every server frame is made by us, uncompressed: deflating for each socket costs more than sending
    socket = web.WebSocketResponse(
        protocols=tuple(ENCODINGS),
        heartbeat=PING_SECONDS,
        max_msg_size=LARGEST_MESSAGE,
        compress=False,
    )
    ready = socket.can_prepare(request)
    if ready.ok and ready.protocol is None:
        raise UnknownSubprotocol(", ".join(ENCODINGS))
    await socket.prepare(request)
    transport = request.transport
    encoding = ENCODINGS[socket.ws_protocol or ""]
    if transport is None:
        return socket
    outlet = SocketOutlet(socket, transport)
    try:
        await _serve(request, socket, outlet, encoding)
    finally:
        await outlet.closed()
    return socket


async def _serve(request: web.Request, socket: web.WebSocketResponse, outlet: SocketOutlet, encoding: Encoding) -> None:
    try:
        hello = await _hello(socket, encoding)
        if hello is None:
            return
        session, connection = request.app[live_key].enter(hello, outlet, encoding)
    except Refusal as refusal:
        _turn_away(outlet, encoding, refusal.reason, "unauthorized")
        return
    except (SignalingError, TimeoutError) as error:
        farewell = next((code for kind, code in FAREWELLS.items() if isinstance(error, kind)), None)
        _turn_away(outlet, encoding, getattr(error, "code", "hello_missing"), farewell or "unauthorized")
        return
    try:
        async for message in socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                session.receive(connection, message.data)
    except Exception:
        # a fault of ours ends this socket and no other
        log.exception("socket_failed", session=session.id)
        connection.close("server_error")
    finally:
        session.detach(connection)


async def _hello(socket: web.WebSocketResponse, encoding: Encoding) -> Hello | None:
    """The first message; None when the client went away before it. Raises TimeoutError, or Refusal for another one."""
    message = await socket.receive(timeout=HELLO_SECONDS)
    if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
        return None
    hello = encoding.read(message.data)
    if not isinstance(hello, Hello):
        raise Refusal("hello_missing")
    return hello


def _turn_away(outlet: SocketOutlet, encoding: Encoding, reason: str, code: CloseCode) -> None:
    outlet.write(encoding.frame(Refused(msg_id="", code=reason)) + encoding.frame(Closing(code=code)))
    outlet.close(STATUS[code], code)


async def close_sockets(app: web.Application) -> None:
    """For `on_shutdown`: say goodbye before the web server waits for the handlers of open sockets."""
    # absent where the start failed: that error must be the one that is shown
    if live_key in app:
        await app[live_key].close()
