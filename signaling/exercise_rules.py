"""This module owns who may ask all rooms something and who may answer: the host asks, each class answers for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from signaling.errors import Refusal
from signaling.exercises import (
    LEAST_OPTIONS,
    AddPhoto,
    Answer,
    Answered,
    CloseExercise,
    CountHands,
    Exercise,
    ExerciseClosed,
    ExercisePushed,
    ExercisePutAway,
    ExerciseRun,
    HandsCounted,
    PhotoAdded,
    PhotoRemoved,
    PushExercise,
    PutAwayExercise,
    RemovePhoto,
    ResultShown,
    ShowResult,
)
from signaling.wire import Command

if TYPE_CHECKING:
    from signaling.messages import AnyRoomEvent
    from signaling.room import Room
    from signaling.room_state import Participant

NewId = Callable[[], str]

PHOTOS_OF_ROOM = 60
"""Photos of one class to one exercise."""
TITLE_LENGTH = 40
"""Characters of the question that stand for it where there is little space."""


def check_exercise(exercise: Exercise) -> None:
    """Raise Refusal for a question that cannot be answered as its kind says."""
    options = len(exercise.options)
    if exercise.kind == "choice":
        sound = options >= LEAST_OPTIONS and (exercise.right is None or exercise.right < options)
        sound = sound and exercise.number is None and len(set(exercise.options)) == options
    else:
        sound = options == 0 and exercise.right is None and (exercise.kind == "number" or exercise.number is None)
    if not sound or not exercise.prompt.strip() or any(not option.strip() for option in exercise.options):
        raise Refusal("exercise_unsound")


def _push(room: Room, command: PushExercise, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    check_exercise(command.exercise)
    events: list[AnyRoomEvent] = []
    run = room.exercises.run
    if run is not None:
        if run.state == "open":
            events.append(ExerciseClosed(run=run.id))
        events.append(ExercisePutAway(run=run.id))
    return [
        *events,
        ExercisePushed(
            run=new_id(),
            number=room.exercises.pushed + 1,
            by=who.id,
            title=command.exercise.prompt.strip()[:TITLE_LENGTH],
            exercise=command.exercise,
        ),
    ]


def _close(room: Room, command: CloseExercise, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = _run(room, command.exercise)
    return [ExerciseClosed(run=run.id)] if run.state == "open" else []


def _show(room: Room, command: ShowResult, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = _run(room, command.exercise)
    if run.state == "shown":
        return []
    closed: list[AnyRoomEvent] = [ExerciseClosed(run=run.id)] if run.state == "open" else []
    return [*closed, ResultShown(run=run.id, right=run.exercise.right, number=run.exercise.number)]


def _put_away(room: Room, command: PutAwayExercise, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = room.exercises.run
    if run is None or run.id != command.exercise:
        return []
    closed: list[AnyRoomEvent] = [ExerciseClosed(run=run.id)] if run.state == "open" else []
    return [*closed, ExercisePutAway(run=run.id)]


def _answer(room: Room, command: Answer, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = _open_run(room, command.exercise)
    values = {"choice": command.choice, "text": command.text, "number": command.number}
    given = {kind for kind, value in values.items() if value is not None}
    if given - {run.exercise.kind}:
        raise Refusal("answer_unfit", kind=run.exercise.kind)
    if command.choice is not None and command.choice >= len(run.exercise.options):
        raise Refusal("answer_unfit", kind=run.exercise.kind)
    known = next((one for one in room.exercises.answers_of(who.unit).seats if one.seat == command.seat), None)
    before = (known.choice, known.text, known.number) if known else (None, None, None)
    text = command.text.strip() or None if command.text is not None else None
    if before == (command.choice, text, command.number):
        return []
    return [
        Answered(
            run=run.id,
            unit=who.unit,
            seat=command.seat,
            choice=command.choice,
            text=text,
            number=command.number,
        )
    ]


def _count(room: Room, command: CountHands, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = _open_run(room, command.exercise)
    if run.exercise.kind != "choice" or len(command.hands) != len(run.exercise.options):
        raise Refusal("answer_unfit", kind=run.exercise.kind)
    if room.exercises.answers_of(who.unit).hands == command.hands:
        return []
    return [HandsCounted(run=run.id, unit=who.unit, hands=command.hands)]


def _add_photo(room: Room, command: AddPhoto, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    run = _open_run(room, command.exercise)
    photos = room.exercises.answers_of(who.unit).photos
    if any(photo.id == command.photo for photo in photos):
        return []
    if len(photos) >= PHOTOS_OF_ROOM:
        raise Refusal("too_many_photos", most=PHOTOS_OF_ROOM)
    return [PhotoAdded(run=run.id, unit=who.unit, photo=command.photo, seat=command.seat)]


def _remove_photo(room: Room, command: RemovePhoto, who: Participant, now: float, new_id: NewId) -> list[AnyRoomEvent]:
    unit, run = room.exercises.unit_of_photo(command.photo), room.exercises.run
    if unit is None or run is None:
        return []
    if unit != who.unit:
        raise Refusal("not_your_room")
    return [PhotoRemoved(run=run.id, unit=unit, photo=command.photo)]


def _run(room: Room, id: str) -> ExerciseRun:
    run = room.exercises.run
    if run is None or run.id != id:
        raise Refusal("no_such_exercise")
    return run


def _open_run(room: Room, id: str) -> ExerciseRun:
    run = _run(room, id)
    if run.state != "open":
        raise Refusal("exercise_closed")
    return run


EXERCISE_DECISIONS: Final[dict[type[Command], Callable[[Room, Any, Participant, float, NewId], list[AnyRoomEvent]]]] = {
    PushExercise: _push,
    CloseExercise: _close,
    ShowResult: _show,
    PutAwayExercise: _put_away,
    Answer: _answer,
    CountHands: _count,
    AddPhoto: _add_photo,
    RemovePhoto: _remove_photo,
}
