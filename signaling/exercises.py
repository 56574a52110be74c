"""This module owns exercises (课堂练习) on the wire: what is asked of all rooms at once, and what their classes answer.

A class answers by a show of hands, counted by its assistant or tapped at its panel, and by seats: a choice, a text, a
number, a photo. Hands are counted of the whole class; the answer of a seat is one of them.
"""

from typing import Annotated, Literal

from msgspec import Meta

from signaling.wire import Command, Part, RoomEvent, Seat, Short

ExerciseKind = Literal["choice", "text", "number", "photo"]
RunState = Literal["open", "closed", "shown"]
"""Classes answer; nobody answers any more; all rooms see the result."""
Prompt = Annotated[str, Meta(min_length=1, max_length=500)]
OptionText = Annotated[str, Meta(min_length=1, max_length=80)]
AnswerText = Annotated[str, Meta(max_length=200)]
OptionPlace = Annotated[int, Meta(ge=0, le=5)]
Hands = Annotated[int, Meta(ge=0, le=99)]
Number = Annotated[float, Meta(ge=-1e12, le=1e12)]

LEAST_OPTIONS, MOST_OPTIONS = 2, 6


class Exercise(Part, frozen=True, kw_only=True):
    """A question. `right` is the place of the right option, `number` the right number; absent: there is none, or it is
    not told yet."""

    kind: ExerciseKind
    prompt: Prompt
    options: Annotated[tuple[OptionText, ...], Meta(max_length=MOST_OPTIONS)] = ()
    right: OptionPlace | None = None
    number: Number | None = None


class SeatAnswer(Part, frozen=True, kw_only=True):
    """What one pupil answered; without `seat` the class as one."""

    seat: int | None
    at: float
    choice: int | None = None
    text: str | None = None
    number: float | None = None


class Photo(Part, frozen=True, kw_only=True):
    """A photo of a pupil's work. The picture itself is read over HTTP."""

    id: str
    at: float
    seat: int | None = None


class RoomAnswers(Part, frozen=True, kw_only=True):
    """What the class of one unit answered."""

    unit: str
    hands: tuple[int, ...] = ()
    """By option, counted of the whole class; empty until somebody counted."""
    seats: tuple[SeatAnswer, ...] = ()
    photos: tuple[Photo, ...] = ()


class ExerciseRun(Part, frozen=True, kw_only=True):
    """The exercise that all rooms see now, with what they answered."""

    id: str
    number: int
    """1 for the first of the session."""
    by: str
    exercise: Exercise
    state: RunState
    since: float
    answers: tuple[RoomAnswers, ...] = ()


class PushExercise(Command, frozen=True, kw_only=True, tag="push_exercise"):
    """Put an exercise before all rooms; one that is there already gives way."""

    exercise: Exercise


class CloseExercise(Command, frozen=True, kw_only=True, tag="close_exercise"):
    """No more answers."""

    exercise: Short


class ShowResult(Command, frozen=True, kw_only=True, tag="show_result"):
    """All rooms see what was answered and what is right; nobody answers any more."""

    exercise: Short


class PutAwayExercise(Command, frozen=True, kw_only=True, tag="put_away_exercise"):
    """The rooms see the lesson again."""

    exercise: Short


class Answer(Command, frozen=True, kw_only=True, tag="answer"):
    """The answer of a seat in the sender's class, or of the class as one; without any value it is taken back."""

    exercise: Short
    seat: Seat | None = None
    choice: OptionPlace | None = None
    text: AnswerText | None = None
    number: Number | None = None


class CountHands(Command, frozen=True, kw_only=True, tag="count_hands"):
    """How many hands were up in the sender's class for each option."""

    exercise: Short
    hands: Annotated[tuple[Hands, ...], Meta(max_length=MOST_OPTIONS)]


class AddPhoto(Command, frozen=True, kw_only=True, tag="add_photo"):
    """A photo of the sender's class. It comes over HTTP, never by a socket."""

    exercise: Short
    photo: Short
    seat: Seat | None = None


class RemovePhoto(Command, frozen=True, kw_only=True, tag="remove_photo"):
    """A photo of the sender's class is taken back. It comes over HTTP, never by a socket."""

    photo: Short


class ExercisePushed(RoomEvent, frozen=True, kw_only=True, tag="exercise_pushed"):
    run: str
    number: int
    by: str
    title: str
    exercise: Exercise


class ExerciseClosed(RoomEvent, frozen=True, kw_only=True, tag="exercise_closed"):
    run: str


class ResultShown(RoomEvent, frozen=True, kw_only=True, tag="result_shown"):
    """`right` and `number` are told to everybody now, where there are such."""

    run: str
    right: int | None = None
    number: float | None = None


class ExercisePutAway(RoomEvent, frozen=True, kw_only=True, tag="exercise_put_away"):
    run: str


class Answered(RoomEvent, frozen=True, kw_only=True, tag="answered"):
    """Without any value: taken back."""

    run: str
    unit: str
    seat: int | None = None
    choice: int | None = None
    text: str | None = None
    number: float | None = None


class HandsCounted(RoomEvent, frozen=True, kw_only=True, tag="hands_counted"):
    run: str
    unit: str
    hands: tuple[int, ...]


class PhotoAdded(RoomEvent, frozen=True, kw_only=True, tag="photo_added"):
    run: str
    unit: str
    photo: str
    seat: int | None = None


class PhotoRemoved(RoomEvent, frozen=True, kw_only=True, tag="photo_removed"):
    run: str
    unit: str
    photo: str
