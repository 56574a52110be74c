"""This module owns telling a whole room: each message encoded and framed once, one write per socket and loop tick.

The kernel's `send` is most of what a message costs, so everything that happens within one tick of the event loop goes
out together. Order is kept for every socket, between the room's messages and its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from signaling.audience import Audience, told
from signaling.connection import Connection
from signaling.frames import Encoding
from signaling.messages import Event, ServerMessage


class Fanout:
    """The sockets of one room and what waits to be written to them in this tick."""

    def __init__(self, call_soon: Callable[[Callable[[], None]], object], clock: Callable[[], float]) -> None:
        self._call_soon = call_soon
        self._clock = clock
        self._scheduled = False
        self._shared: list[tuple[ServerMessage, bool]] = []
        self._since: dict[Connection, int] = {}
        """How many of the waiting messages came before the connection."""
        self._own: dict[Connection, list[tuple[int, ServerMessage]]] = {}

    @property
    def connections(self) -> Iterable[Connection]:
        return self._since.keys()

    def add(self, connection: Connection) -> None:
        """From now on the connection gets what the room gets."""
        self._since[connection] = len(self._shared)

    def remove(self, connection: Connection) -> None:
        """Write what waits for the connection, then forget it."""
        if connection in self._since:
            self.flush()
            del self._since[connection]
            self._own.pop(connection, None)

    def post(self, message: ServerMessage, *, presence: bool = False) -> None:
        """Tell everyone; `presence` may be left out for a socket that lags."""
        self._shared.append((message, presence))
        self._schedule()

    def send(self, connection: Connection, message: ServerMessage) -> None:
        """Tell one connection, after what the room was told before."""
        self._own.setdefault(connection, []).append((len(self._shared), message))
        self._schedule()

    def flush(self) -> None:
        """Write everything that waits."""
        self._scheduled = False
        if not self._shared and not self._own:
            return
        shared, self._shared = self._shared, []
        own, self._own = self._own, {}
        now = self._clock()
        presence = any(droppable for _, droppable in shared)
        batches: dict[tuple[Encoding, Audience], _Batch] = {}
        framed: dict[tuple[Encoding, int], bytes] = {}
        for connection, since in self._since.items():
            batch = batches.get(connection.kind)
            if batch is None:
                batch = batches[connection.kind] = _Batch(*connection.kind, shared, framed)
            if since or connection in own or (presence and connection.lagging_since is not None):
                connection.write(batch.bytes_for(connection, since, own.get(connection, [])), now)
                self._since[connection] = 0
            elif batch.whole:
                connection.write(batch.whole, now)

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._call_soon(self.flush)


class _Batch:
    """One tick's messages in one encoding, as one audience is told them."""

    def __init__(
        self,
        encoding: Encoding,
        audience: Audience,
        messages: list[tuple[ServerMessage, bool]],
        framed: dict[tuple[Encoding, int], bytes],
    ) -> None:
        """`framed`: what was framed in this tick already, by the message's identity: most of what happens is told to
        all audiences alike, and encoded once."""
        self._encoding = encoding
        self._frames: list[bytes] = []
        for message, _ in messages:
            own = told(message, audience) if isinstance(message, Event) else message
            if own is not message:
                self._frames.append(encoding.frame(own))
                continue
            key = (encoding, id(message))
            if key not in framed:
                framed[key] = encoding.frame(message)
            self._frames.append(framed[key])
        self._presence = [presence for _, presence in messages]
        self.whole = b"".join(self._frames)

    def bytes_for(self, connection: Connection, since: int, own: list[tuple[int, ServerMessage]]) -> bytes:
        lagging = connection.lagging_since is not None and any(self._presence[since:])
        connection.missed_presence = connection.missed_presence or lagging
        parts: list[bytes] = []
        for position in range(since, len(self._frames) + 1):
            parts += [self._encoding.frame(message) for at, message in own if at == position]
            if position < len(self._frames) and not (lagging and self._presence[position]):
                parts.append(self._frames[position])
        return b"".join(parts)
