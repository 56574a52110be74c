"""This module owns what a socket is told when it comes: where the session stands, or what it missed."""

from __future__ import annotations

from collections.abc import Iterator

from signaling.audience import seen, told
from signaling.commands import Hello
from signaling.connection import Connection
from signaling.history import History
from signaling.messages import Links, Resumed, ServerMessage, Welcome
from signaling.room import Room
from signaling.session_media import SessionMedia

HEARTBEAT = 5.0
"""Seconds of silence after which a socket gets an empty message, so that the client can tell a dead line."""


def greeting(
    connection: Connection, hello: Hello, room: Room, history: History, media: SessionMedia, now: float
) -> Iterator[ServerMessage]:
    """The whole room, or only the events since those that the client has seen; then how the lines are, and what the
    participant is asked to send."""
    participant = connection.participant
    role = room.participants[participant].role
    missed = history.missed(hello)
    if missed is None:
        yield Welcome(
            participant=participant,
            role=role,
            epoch=history.epoch,
            seq=history.last_seq,
            snapshot=seen(room.snapshot(), connection.audience, participant),
            tracks=media.tracks(),
            server_time=now,
            heartbeat_seconds=HEARTBEAT,
        )
    else:
        yield Resumed(
            participant=participant,
            role=role,
            epoch=history.epoch,
            seq=history.last_seq,
            tracks=media.tracks(),
            server_time=now,
        )
        for event in missed:
            yield told(event, connection.audience)
    if media.links:
        yield Links(links=dict(media.links))
    asked = media.sending(participant)
    if asked is not None:
        yield asked
