"""This module owns the teachers' chat: host, assistants and observers write to each other; no classroom reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Final

from msgspec import Meta

from signaling.errors import Refusal
from signaling.wire import Command, Part, Role, RoomEvent

if TYPE_CHECKING:
    from signaling.messages import AnyRoomEvent
    from signaling.room import Room
    from signaling.room_state import Participant

KEPT = 100
"""Messages that a snapshot holds; older ones are in the journal."""
BURST, WITHIN = 8, 20.0
"""Messages of one person within so many seconds."""


class ChatMessage(Part, frozen=True, kw_only=True):
    """`unit_name` and `name` as they were when it was written: the writer may have gone."""

    id: str
    at: float
    participant: str
    role: Role
    name: str
    unit_name: str
    text: str


class Say(Command, frozen=True, kw_only=True, tag="say"):
    """Write to the other teachers of the lesson."""

    text: Annotated[str, Meta(min_length=1, max_length=500)]


class Said(RoomEvent, frozen=True, kw_only=True, tag="said"):
    message: str
    participant: str
    role: Role
    name: str
    unit_name: str
    text: str


class Chat:
    """The newest messages, the oldest first. Changes by events only."""

    def __init__(self) -> None:
        self.messages: tuple[ChatMessage, ...] = ()

    def said(self, event: Said, at: float) -> None:
        message = ChatMessage(
            id=event.message,
            at=at,
            participant=event.participant,
            role=event.role,
            name=event.name,
            unit_name=event.unit_name,
            text=event.text,
        )
        self.messages = (*self.messages, message)[-KEPT:]


def _say(room: Room, command: Say, who: Participant, now: float, new_id: Callable[[], str]) -> list[AnyRoomEvent]:
    text = command.text.strip()
    if not text:
        return []
    lately = [one.at for one in room.chat.messages if one.participant == who.id and now - one.at < WITHIN]
    if len(lately) >= BURST:
        raise Refusal("chat_too_fast", seconds=round(WITHIN - (now - lately[-BURST])) or 1)
    return [
        Said(message=new_id(), participant=who.id, role=who.role, name=who.name, unit_name=who.unit_name, text=text)
    ]


CHAT_DECISIONS: Final[
    dict[type[Command], Callable[[Room, Any, Participant, float, Callable[[], str]], list[AnyRoomEvent]]]
] = {Say: _say}
