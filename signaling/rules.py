"""This module owns what may happen in a session: a command or the clock goes in, the events that follow come out.

Pure: nothing here changes the room. A command that cannot be carried out raises Refusal with a stable code; one that
changes nothing gives no events and is acknowledged all the same, so repeating it is harmless.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from signaling.board_rules import BOARD_DECISIONS, NewId
from signaling.chat_rules import CHAT_DECISIONS
from signaling.commands import (
    CallOn,
    EndCall,
    EndLesson,
    Leave,
    LowerHand,
    Mark,
    Mute,
    Publish,
    RaiseHand,
    ReportDevices,
    SetTimer,
    Signal,
    Spotlight,
    StartLesson,
    Subscribe,
    Switch,
    TakeAttendance,
)
from signaling.errors import Refusal
from signaling.events import (
    AttendanceTaken,
    CallEnded,
    DevicesReported,
    Joined,
    Left,
    Marked,
    Reconnecting,
    Returned,
    SessionEnded,
    SessionLive,
    SessionOpened,
    SessionOverrun,
    Signalled,
    SpotlightSet,
    TimerSet,
)
from signaling.exercise_rules import EXERCISE_DECISIONS
from signaling.messages import AnyRoomEvent
from signaling.pictures import SelectSource
from signaling.roles import MAY
from signaling.room import Room
from signaling.room_state import Participant
from signaling.turn_rules import TURN_DECISIONS
from signaling.wire import Command, EndReason, LeaveReason, SessionState

OPENS_BEFORE = 15 * 60.0
"""Seconds before the lesson in which the rooms check their cameras and greet each other."""
ASSISTANT_STARTS_AFTER = 5 * 60.0
"""Seconds after the bell from which an assistant may start, when no host has."""
ENDS_AFTER = 10 * 60.0
"""Seconds past the window after which the session ends by itself."""
GRACE = 60.0
"""Seconds that a participant without a socket keeps its place."""

_GATHERED: frozenset[SessionState] = frozenset({"open", "live", "overrun"})
_TAUGHT: frozenset[SessionState] = frozenset({"live", "overrun"})

DURING: Final[dict[type[Command], frozenset[SessionState]]] = {
    StartLesson: frozenset({"open"}),
    EndLesson: _TAUGHT,
    Leave: frozenset({"scheduled", "open", "live", "overrun", "ended"}),
    RaiseHand: _TAUGHT,
    LowerHand: _TAUGHT,
    CallOn: _TAUGHT,
    EndCall: _TAUGHT,
    Spotlight: _GATHERED,
    Mute: _GATHERED,
    Mark: _TAUGHT,
    Signal: _GATHERED,
    SetTimer: _GATHERED,
    TakeAttendance: _GATHERED,
    Publish: _GATHERED,
    Subscribe: _GATHERED,
    Switch: _GATHERED,
    ReportDevices: _GATHERED,
    SelectSource: _GATHERED,
    **dict.fromkeys(BOARD_DECISIONS, _GATHERED),
    **dict.fromkeys(EXERCISE_DECISIONS, _TAUGHT),
    **dict.fromkeys(CHAT_DECISIONS, _GATHERED),
}
"""In which states each command makes sense."""


def decide(room: Room, command: Command, sender: str, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    """What follows from a participant's command; raises Refusal where the role, the state or the rules forbid it."""
    who = permit(room, sender, type(command))
    return _DECISIONS[type(command)](room, command, who, now, new_id)


def permit(room: Room, sender: str, command: type[Command]) -> Participant:
    """The sender as the room knows it; raises Refusal where its role or the state forbids this kind of command."""
    who = room.participants.get(sender)
    if who is None:
        raise Refusal("not_in_session")
    if command not in MAY[who.role]:
        raise Refusal("role_may_not", role=who.role)
    if room.state not in DURING[command]:
        raise Refusal("wrong_state", state=room.state)
    return who


def due(room: Room, now: float) -> list[AnyRoomEvent]:
    """What the clock alone brings: opening, overrun, the end, and places kept too long."""
    lesson = room.lesson
    last = lesson.ends + ENDS_AFTER
    if room.state == "scheduled" and now >= lesson.starts - OPENS_BEFORE:
        return [SessionOpened()]
    if room.state == "open" and now >= last:
        return [SessionEnded(reason="time")]
    if room.state == "live" and now >= lesson.ends:
        return [SessionOverrun(ends_in=max(0.0, last - now))]
    if room.state == "overrun" and room.overrun_until is not None and now >= room.overrun_until:
        return [SessionEnded(reason="time")]
    gone = [participant for participant, until in room.away_until.items() if now >= until]
    return depart(room, gone[0], "lost") if gone else []


def arrive(room: Room, arrival: Joined) -> list[AnyRoomEvent]:
    """What follows when a participant's socket opens: a place taken, or one that was kept for it."""
    known = room.participants.get(arrival.participant)
    if known is None or known.presence == "offline":
        return [arrival]
    return [Returned(participant=known.id, hidden=known.hidden)] if known.presence == "reconnecting" else []


def vanish(room: Room, participant: str, now: float) -> list[AnyRoomEvent]:
    """What follows when a participant's socket is gone without a word."""
    known = room.participants.get(participant)
    if known is None or known.presence != "connected" or room.state == "ended":
        return []
    return [Reconnecting(participant=participant, until=now + GRACE, hidden=known.hidden)]


def depart(room: Room, participant: str, reason: LeaveReason) -> list[AnyRoomEvent]:
    """What follows when a participant's place is given up."""
    known = room.participants.get(participant)
    if known is None or known.presence == "offline":
        return []
    events: list[AnyRoomEvent] = []
    if room.called == participant:
        events.append(CallEnded(participant=participant))
    if room.spotlight == participant:
        events.append(SpotlightSet(participant=None))
    return [*events, Left(participant=participant, reason=reason, hidden=known.hidden)]


def _start(room: Room, command: StartLesson, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    earliest = room.lesson.starts + ASSISTANT_STARTS_AFTER
    if who.role == "assistant" and now < earliest:
        raise Refusal("host_starts", at=earliest)
    return [SessionLive(by=who.id)]


def _end(room: Room, command: EndLesson, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    hosted = any(p.role == "host" and p.presence != "offline" for p in room.participants.values())
    if who.role == "assistant" and hosted:
        raise Refusal("host_ends")
    reason: EndReason = "assistant" if who.role == "assistant" else "host"
    return [SessionEnded(reason=reason, by=who.id)]


def _leave(room: Room, command: Leave, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    return depart(room, who.id, "left")


def _mark(room: Room, command: Mark, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    side: Literal["host", "member"] = "host" if who.unit == room.lesson.host_unit else "member"
    return [Marked(participant=who.id, side=side, note=command.note)]


def _signal(room: Room, command: Signal, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    # without its classroom's panel the word still reaches the host, from the assistant's own place
    place = room.endpoint_of(who.unit) or who
    return [] if place.signal == command.kind else [Signalled(participant=place.id, kind=command.kind)]


def _timer(room: Room, command: SetTimer, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if command.seconds == 0:
        return [] if room.timer_until is None else [TimerSet(until=None)]
    return [TimerSet(until=now + command.seconds)]


def _attendance(room: Room, command: TakeAttendance, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    place = who if who.role == "host" else room.endpoint_of(who.unit) or who
    absent = tuple(sorted(set(command.absent)))
    late = tuple(sorted(set(command.late) - set(command.absent)))
    if (place.absent, place.late) == (absent, late):
        return []
    return [AttendanceTaken(participant=place.id, absent=absent, late=late)]


def _devices(room: Room, command: ReportDevices, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    if (who.camera, who.microphone) == (command.camera, command.microphone):
        return []
    return [DevicesReported(participant=who.id, camera=command.camera, microphone=command.microphone)]


_DECISIONS: Final[dict[type[Command], Callable[[Room, Any, Participant, float, NewId], list[AnyRoomEvent]]]] = {
    StartLesson: _start,
    EndLesson: _end,
    Leave: _leave,
    Mark: _mark,
    Signal: _signal,
    SetTimer: _timer,
    TakeAttendance: _attendance,
    ReportDevices: _devices,
    **TURN_DECISIONS,
    **BOARD_DECISIONS,
    **EXERCISE_DECISIONS,
    **CHAT_DECISIONS,
}
