"""This module owns telling a whole room: each message encoded and framed once, one write per socket and batch.

The kernel's `send` is most of what a message costs, so what happens together goes out together; what belongs together
says whoever reads the sockets. Order is kept for every socket, between the room's messages and its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from signaling.audience import Audience, told
from signaling.connection import Connection, Outlet, WriteAll, write_each
from signaling.frames import Encoding
from signaling.messages import Event, ServerMessage

Kind = tuple[Encoding, Audience]


Soon = Callable[[Callable[[], object]], object]
"""How a thing is done once what belongs together has happened."""


class Fanout:
    """The sockets of one room and what waits to be written to them."""

    def __init__(self, soon: Soon, clock: Callable[[], float], write_all: WriteAll = write_each) -> None:
        self.last_told = 0.0
        """When all were last told something together."""
        self._soon = soon
        self._clock = clock
        self._write_all = write_all
        self._members: dict[Kind, dict[Connection, Outlet]] = {}
        """Who has the same kind gets the same bytes."""
        self._shared: list[tuple[ServerMessage, bool]] = []
        self._own: dict[Connection, list[tuple[int, ServerMessage]]] = {}
        """With each message, how many of the shared ones go before it."""
        self._since: dict[Connection, int] = {}
        """Of those who came meanwhile, how many of the waiting messages came before them."""
        self._lagging: set[Connection] = set()
        self._scheduled = False

    @property
    def connections(self) -> Iterable[Connection]:
        for members in self._members.values():
            yield from members

    def add(self, connection: Connection) -> None:
        """From now on the connection gets what the room gets."""
        self._members.setdefault(connection.kind, {})[connection] = connection.outlet
        if self._shared:
            self._since[connection] = len(self._shared)

    def remove(self, connection: Connection) -> None:
        """Write what waits for the connection, then forget it."""
        members = self._members.get(connection.kind, {})
        if connection in members:
            self.flush()
            del members[connection]
            self._own.pop(connection, None)
            self._lagging.discard(connection)

    def post(self, message: ServerMessage, *, presence: bool = False) -> None:
        """Tell everyone; `presence` may be left out for a socket that lags."""
        self._shared.append((message, presence))
        if not self._scheduled:
            self._schedule()

    def send(self, connection: Connection, message: ServerMessage) -> None:
        """Tell one connection, after what the room was told before."""
        own = self._own.get(connection)
        if own is None:
            self._own[connection] = [(len(self._shared), message)]
        else:
            own.append((len(self._shared), message))
        if not self._scheduled:
            self._schedule()

    def flush(self) -> None:
        """Write everything that waits."""
        self._scheduled = False
        shared, own = self._shared, self._own
        if not shared and not own:
            return
        self._shared, self._own = [], {}
        since, self._since = self._since, {}
        now = self._clock()
        if shared:
            self.last_told = now
        # they get other bytes than the rest of their kind
        apart: Collection[Connection] = own.keys()
        if since or self._lagging:
            self._lagging = {connection for connection in self._lagging if connection.lagging_since is not None}
            apart = {*own, *since, *self._lagging}
        framed: dict[tuple[Encoding, int], bytes] = {}
        for kind, members in self._members.items():
            if not members:
                continue
            batch = _Batch(kind, shared, framed)
            rest = members
            if apart:
                rest = members.copy()
                for connection in apart:
                    if rest.pop(connection, None) is not None:
                        first = since.get(connection, 0)
                        connection.write(batch.bytes_for(connection, first, own.get(connection, [])), now)
                        if connection.lagging_since is not None:
                            self._lagging.add(connection)
            if batch.whole:
                for connection, waiting in self._write_all(rest, batch.whole):
                    connection.press(waiting, now)
                    if connection.lagging_since is not None:
                        self._lagging.add(connection)

    def _schedule(self) -> None:
        self._scheduled = True
        self._soon(self.flush)


class _Batch:
    """What waits, in one encoding, as one audience is told it."""

    __slots__ = ("_encoding", "_frames", "_shared", "whole")

    def __init__(
        self,
        kind: Kind,
        shared: list[tuple[ServerMessage, bool]],
        framed: dict[tuple[Encoding, int], bytes],
    ) -> None:
        """`framed`: what was framed for another audience already, by the message's identity: most of what happens is
        told to all alike, and encoded once."""
        self._encoding, audience = kind
        self._shared = shared
        self._frames: list[bytes] = []
        for message, _ in shared:
            own = told(message, audience) if type(message) is Event else message
            key = (self._encoding, id(own))
            data = framed.get(key)
            if data is None:
                data = self._encoding.frame(own)
                if own is message:
                    framed[key] = data
            self._frames.append(data)
        self.whole = b"".join(self._frames)

    def bytes_for(self, connection: Connection, since: int, own: list[tuple[int, ServerMessage]]) -> bytes:
        frame, lagging = self._encoding.frame, connection.lagging_since is not None
        if not lagging and not since and len(own) == 1 and own[0][0] == len(self._frames):
            # one answer after everything: what nearly every sender gets
            return self.whole + frame(own[0][1])
        parts: list[bytes] = []
        answers = iter(own)
        answer = next(answers, None)
        for position in range(since, len(self._frames) + 1):
            while answer is not None and answer[0] <= position:
                parts.append(frame(answer[1]))
                answer = next(answers, None)
            if position < len(self._frames):
                if lagging and self._shared[position][1]:
                    connection.missed_presence = True
                else:
                    parts.append(self._frames[position])
        return b"".join(parts)
