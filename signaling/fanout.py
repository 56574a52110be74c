"""This module owns telling a whole room: each message encoded and framed once, one write per socket and batch.

The kernel's `send` is most of what a message costs, so what happens together goes out together; what belongs together
says whoever reads the sockets. Order is kept for every socket, between the room's messages and its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from signaling.audience import Audience, told
from signaling.connection import Connection, Outlet, WriteAll, write_each
from signaling.frames import Encoding
from signaling.messages import Event, ServerMessage

Kind = tuple[Encoding, Audience]
Shared = tuple[ServerMessage, bool]
"""A message for all, and whether it is presence."""
Answer = tuple[int, ServerMessage]
"""A message for one, and how many of the shared ones go before it."""
Soon = Callable[[Callable[[], object]], object]
"""How a thing is done once what belongs together has happened."""


class Fanout:
    """The sockets of one room and what waits to be written to them."""

    def __init__(self, soon: Soon, clock: Callable[[], float], write_all: WriteAll = write_each) -> None:
        self.before: Callable[[], object] = lambda: None
        """Called whenever something is about to be written; it may `amend` what waits."""
        self.last_told = 0.0
        """When all were last told something together."""
        self._soon = soon
        self._clock = clock
        self._write_all = write_all
        self._members: dict[Kind, dict[Connection, Outlet]] = {}
        """Who has the same kind gets the same bytes."""
        self._shared: list[Shared] = []
        self._own: dict[Connection, list[Answer]] = {}
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

    def amend(self, change: Callable[[ServerMessage], ServerMessage | None]) -> None:
        """Replace every message that waits by what `change` makes of it; None: it is not told."""
        shared: list[Shared] = []
        moved = [0]
        for message, presence in self._shared:
            if (other := change(message)) is not None:
                shared.append((other, presence))
            moved.append(len(shared))
        self._shared = shared
        self._since = {connection: moved[first] for connection, first in self._since.items()}
        self._own = {
            connection: [(moved[after], other) for after, one in own if (other := change(one)) is not None]
            for connection, own in self._own.items()
        }

    def flush(self) -> None:
        """Write everything that waits."""
        self._scheduled = False
        if not self._shared and not self._own:
            return
        self.before()
        shared, own = self._shared, self._own
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
        framed: dict[Encoding, list[bytes]] = {}
        for (encoding, audience), members in self._members.items():
            if not members:
                continue
            frames = framed.get(encoding)
            if frames is None:
                frames = framed[encoding] = [encoding.frame(message) for message, _ in shared]
            if audience != "teachers":
                frames = _as_told(shared, audience, encoding, frames)
            whole = b"".join(frames)
            rest = members
            if apart:
                rest = members.copy()
                for connection in apart:
                    if rest.pop(connection, None) is None:
                        continue
                    answers = own.get(connection, ())
                    first, heard = since.get(connection, 0), frames
                    if connection.lagging_since is not None:
                        heard = [b"" if presence else data for (_, presence), data in zip(shared, frames, strict=True)]
                        connection.missed_presence |= b"" in heard[first:]
                    connection.write(_woven(encoding, heard, first, answers), now)
                    if connection.lagging_since is not None:
                        self._lagging.add(connection)
            if whole:
                for connection, waiting in self._write_all(rest, whole):
                    connection.press(waiting, now)
                    if connection.lagging_since is not None:
                        self._lagging.add(connection)

    def _schedule(self) -> None:
        self._scheduled = True
        self._soon(self.flush)


def _as_told(shared: Sequence[Shared], audience: Audience, encoding: Encoding, frames: Sequence[bytes]) -> list[bytes]:
    """The frames as an audience is told them. Most of what happens is told to all alike, and framed once."""
    own: list[bytes] = []
    for (message, _), data in zip(shared, frames, strict=True):
        if type(message) is Event and (left := told(message, audience)) is not message:
            data = encoding.frame(left)
        own.append(data)
    return own


def _woven(encoding: Encoding, frames: list[bytes], since: int, answers: Sequence[Answer]) -> bytes:
    """The frames from `since` on, with each answer in its place."""
    parts: list[bytes] = []
    at = since
    for after, message in answers:
        if after > at:
            parts += frames[at:after]
            at = after
        parts.append(encoding.frame(message))
    parts += frames[at:]
    return b"".join(parts)
