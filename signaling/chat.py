"""This module owns the teachers' chat: host, assistants and observers write to each other; no classroom reads it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from signaling.wire import Command, Part, Role, RoomEvent

KEPT = 100
"""Messages that a snapshot holds; older ones are in the journal."""


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
