"""This module owns who is told what. Teachers hear everything. Classrooms, recording hosts and patrols hear neither the
teachers' chat, nor which answer is right before the host shows it, nor what single pupils wrote, nor who watches.

What is kept from an audience leaves no hole in its numbers: `withheld` stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, get_args

from msgspec.structs import replace

from signaling.chat import Said
from signaling.events import Joined, Left, Reconnecting, Returned, Withheld
from signaling.exercises import Answered, Exercise, ExercisePushed, ExerciseRun
from signaling.messages import AnyRoomEvent, Event
from signaling.room_state import Snapshot
from signaling.wire import Role

Audience = Literal["teachers", "rooms"]
AUDIENCES: Final[tuple[Audience, ...]] = get_args(Audience)

TEACHERS: Final[frozenset[Role]] = frozenset({"host", "assistant", "observer"})


def audience_of(role: Role) -> Audience:
    return "teachers" if role in TEACHERS else "rooms"


def told(event: Event, audience: Audience) -> Event:
    """An event as an audience is told it; the same one where nothing is kept back."""
    if audience == "teachers":
        return event
    change = _FOR_ROOMS.get(type(event.event))
    if change is None:
        return event
    left = change(event.event)
    return event if left is event.event else replace(event, event=left)


def seen(snapshot: Snapshot, audience: Audience, viewer: str = "") -> Snapshot:
    """A snapshot as an audience sees it: what its events would have added up to. Whoever watches is there for itself
    alone (`viewer`, a participant)."""
    if audience == "teachers":
        return snapshot
    run = snapshot.exercise
    return replace(
        snapshot,
        participants=tuple(who for who in snapshot.participants if not who.hidden or who.id == viewer),
        chat=(),
        exercise=None if run is None else _run_for_rooms(run),
    )


def _run_for_rooms(run: ExerciseRun) -> ExerciseRun:
    answers = tuple(
        replace(room, seats=tuple(replace(one, text=_unread(one.text)) for one in room.seats)) for room in run.answers
    )
    exercise = run.exercise if run.state == "shown" else _unanswered(run.exercise)
    return replace(run, exercise=exercise, answers=answers)


def _unanswered(exercise: Exercise) -> Exercise:
    return replace(exercise, right=None, number=None)


def _unread(text: str | None) -> str | None:
    return None if text is None else ""


def _unless_hidden(event: Joined | Reconnecting | Returned | Left) -> AnyRoomEvent:
    return Withheld() if event.hidden else event


_FOR_ROOMS: Final[dict[type, Callable[[Any], AnyRoomEvent]]] = {
    Joined: _unless_hidden,
    Reconnecting: _unless_hidden,
    Returned: _unless_hidden,
    Left: _unless_hidden,
    Said: lambda event: Withheld(),
    ExercisePushed: lambda event: replace(event, exercise=_unanswered(event.exercise)),
    Answered: lambda event: replace(event, text=_unread(event.text)),
}
