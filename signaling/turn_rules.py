"""This module owns whose turn it is: hands, calling on a class, and who is heard and shown to all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from signaling.board_rules import NewId
from signaling.commands import CallOn, EndCall, LowerHand, Mute, RaiseHand, Spotlight
from signaling.errors import Refusal
from signaling.events import CalledOn, CallEnded, HandLowered, HandRaised, Muted, SpotlightSet
from signaling.messages import AnyRoomEvent
from signaling.pictures import SelectSource, SourceSelected
from signaling.room import Room
from signaling.room_state import Hand, Participant
from signaling.wire import Command

QUEUE_LIMIT = 100
"""Hands up in one room: every seat and one of the whole class."""


def _raise_hand(room: Room, command: RaiseHand, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    classroom = _own_classroom(room, who)
    if any(hand.seat == command.seat for hand in classroom.hands):
        return []
    if len(classroom.hands) >= QUEUE_LIMIT:
        raise Refusal("too_many_hands")
    return [HandRaised(participant=classroom.id, hand=new_id(), seat=command.seat)]


def _lower_hand(room: Room, command: LowerHand, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if who.role == "host" and command.participant is not None:
        classroom = _participant(room, command.participant)
    else:
        classroom = _own_classroom(room, who)
    hand = _hand(classroom, command.hand)
    return [HandLowered(participant=classroom.id, hand=hand.id)] if hand else []


def _call_on(room: Room, command: CallOn, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    classroom = _participant(room, command.participant)
    if classroom.role != "endpoint":
        raise Refusal("not_a_classroom")
    if classroom.presence != "connected":
        raise Refusal("room_away", unit=classroom.unit_name)
    hand = _hand(classroom, command.hand)
    events: list[AnyRoomEvent] = []
    if room.called is not None and room.called != classroom.id:
        events.append(CallEnded(participant=room.called))
    events += _mute_classrooms(room, by=who.id, but=classroom.id)
    if hand is not None:
        events.append(HandLowered(participant=classroom.id, hand=hand.id))
    # a key that is pressed twice is one turn; another hand of the same room is another
    if room.called != classroom.id or hand is not None:
        seat = hand.seat if hand else None
        events.append(CalledOn(participant=classroom.id, turn=classroom.turns + 1, seat=seat))
    if classroom.muted:
        events.append(Muted(participant=classroom.id, muted=False, by=who.id))
    if room.spotlight != classroom.id:
        events.append(SpotlightSet(participant=classroom.id))
    return events


def _end_call(room: Room, command: EndCall, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if room.called is None:
        return []
    events: list[AnyRoomEvent] = [CallEnded(participant=room.called)]
    if not room.participants[room.called].muted:
        events.append(Muted(participant=room.called, muted=True, by=who.id))
    if room.spotlight == room.called:
        events.append(SpotlightSet(participant=None))
    return events


def _spotlight(room: Room, command: Spotlight, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if command.participant is not None:
        shown = _participant(room, command.participant)
        if shown.presence == "offline":
            raise Refusal("room_away", unit=shown.unit_name)
    if command.participant == room.spotlight:
        return []
    return [SpotlightSet(participant=command.participant)]


def _mute(room: Room, command: Mute, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if who.role == "host":
        if command.participant is None and command.muted:
            return _mute_classrooms(room, by=who.id)
        wanted = [_participant(room, command.participant)] if command.participant else _classrooms(room)
    else:
        classroom = _own_classroom(room, who)
        if command.participant not in (None, classroom.id):
            raise Refusal("not_your_room")
        if not command.muted and room.called != classroom.id:
            raise Refusal("not_called")
        wanted = [classroom]
    return [
        Muted(participant=p.id, muted=command.muted, by=who.id)
        for p in wanted
        if p.muted != command.muted and p.presence != "offline"
    ]


def _select_source(
    room: Room, command: SelectSource, who: Participant, now: float, new_id: NewId
) -> list[AnyRoomEvent]:
    if who.role == "host":
        shown = _participant(room, command.participant) if command.participant is not None else who
    else:
        shown = _own_classroom(room, who)
        if command.participant not in (None, shown.id):
            raise Refusal("not_your_room")
    if shown.source == command.source:
        return []
    return [SourceSelected(participant=shown.id, source=command.source, by=who.id)]


def _participant(room: Room, participant: str) -> Participant:
    found = room.participants.get(participant)
    if found is None or found.hidden:
        raise Refusal("no_such_participant")
    return found


def _own_classroom(room: Room, who: Participant) -> Participant:
    """The place whose hands and microphone the sender may touch without naming it."""
    classroom = who if who.role in ("endpoint", "host") else room.endpoint_of(who.unit)
    if classroom is None or classroom.presence == "offline":
        raise Refusal("room_away", unit=who.unit_name)
    return classroom


def _hand(classroom: Participant, hand: str | None) -> Hand | None:
    """The named hand, otherwise the oldest that is up; None when there is none (any more)."""
    if hand is None:
        return classroom.hands[0] if classroom.hands else None
    return next((up for up in classroom.hands if up.id == hand), None)


def _classrooms(room: Room) -> list[Participant]:
    return [p for p in room.participants.values() if p.role == "endpoint" and p.presence != "offline"]


def _mute_classrooms(room: Room, by: str, but: str | None = None) -> list[AnyRoomEvent]:
    return [Muted(participant=p.id, muted=True, by=by) for p in _classrooms(room) if not p.muted and p.id != but]


TURN_DECISIONS: Final[dict[type[Command], Callable[[Room, Any, Participant, float, NewId], list[AnyRoomEvent]]]] = {
    RaiseHand: _raise_hand,
    LowerHand: _lower_hand,
    CallOn: _call_on,
    EndCall: _end_call,
    Spotlight: _spotlight,
    Mute: _mute,
    SelectSource: _select_source,
}
