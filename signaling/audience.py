"""This module owns who is told what. Teachers hear everything. Classrooms, recording hosts and patrols hear neither the
teachers' chat, nor which answer is right before the host shows it, nor what single pupils wrote.

What is kept from an audience leaves no hole in its numbers: `withheld` stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, get_args

from msgspec.structs import replace

from signaling.chat import Said
from signaling.events import Withheld
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
    return event if change is None else replace(event, event=change(event.event))


def seen(snapshot: Snapshot, audience: Audience) -> Snapshot:
    """A snapshot as an audience sees it: what its events would have added up to."""
    if audience == "teachers":
        return snapshot
    run = snapshot.exercise
    return replace(snapshot, chat=(), exercise=None if run is None else _run_for_rooms(run))


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


_FOR_ROOMS: Final[dict[type, Callable[[Any], AnyRoomEvent]]] = {
    Said: lambda event: Withheld(),
    ExercisePushed: lambda event: replace(event, exercise=_unanswered(event.exercise)),
    Answered: lambda event: replace(event, text=_unread(event.text)),
}
