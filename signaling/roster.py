"""This module owns who is in a session by a socket: of each participant the newest one counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from signaling.commands import LinkReport
from signaling.connection import CloseCode, Connection
from signaling.fanout import Fanout
from signaling.messages import Moved
from signaling.room import Room


class Roster:
    """The open sockets of a session. Whoever is on it is told what the room is told."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout
        self._newest: dict[str, Connection] = {}

    def __contains__(self, participant: str) -> bool:
        return participant in self._newest

    @property
    def participants(self) -> frozenset[str]:
        return frozenset(self._newest)

    def get(self, participant: str) -> Connection | None:
        return self._newest.get(participant)

    def seat(self, connection: Connection) -> None:
        """From now on this is its participant's socket; an older one is let go."""
        before = self._newest.get(connection.participant)
        if before is not None:
            self._let_go(before, "replaced")
        self._newest[connection.participant] = connection
        self._fanout.add(connection)

    def lost(self, connection: Connection) -> bool:
        """A socket is gone; whether that leaves its participant without one."""
        self._fanout.remove(connection)
        if self._newest.get(connection.participant) is not connection:
            return False
        del self._newest[connection.participant]
        return True

    def part(self, connection: Connection, code: CloseCode) -> None:
        """Its participant has no place any more."""
        self._newest.pop(connection.participant, None)
        self._let_go(connection, code)

    def delays(self, room: Room) -> Iterator[float]:
        """How late the classrooms hear of things, as far as they say so and keep up."""
        for connection in self._newest.values():
            who = room.participants[connection.participant]
            if who.role == "endpoint" and connection.behind is not None and connection.lagging_since is None:
                yield connection.behind

    def reports(self) -> dict[str, LinkReport | None]:
        """What each participant's client last said about its line."""
        return {participant: connection.report for participant, connection in self._newest.items()}

    def close(self, code: CloseCode, within: float, moved: Callable[[Connection], Moved | None]) -> None:
        """Let all go. `within`: the seconds over which they are told to come back, evenly; `moved`: where to, and with
        which token."""
        connections = list(self._fanout.connections)
        for position, connection in enumerate(connections):
            where = moved(connection)
            if where is not None:
                self._fanout.send(connection, where)
            self._let_go(connection, code, round(within * position / len(connections), 3))
        self._newest.clear()

    def _let_go(self, connection: Connection, code: CloseCode, retry_in: float = 0.0) -> None:
        self._fanout.remove(connection)
        connection.close(code, retry_in)
