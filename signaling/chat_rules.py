"""This module owns what a message to the other teachers comes to, and that nobody floods them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from signaling.chat import Said, Say
from signaling.errors import Refusal
from signaling.messages import AnyRoomEvent
from signaling.room import Room
from signaling.room_state import Participant
from signaling.wire import Command

BURST, WITHIN = 8, 20.0
"""Messages of one person within so many seconds."""


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
