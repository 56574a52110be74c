"""This module owns the state of a session's exercises: which one all rooms see, and what each class answered.

Like the room it changes only by events. An answer given again replaces the earlier one; one to an exercise that has
given way is passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from signaling.exercises import (
    Answered,
    ExerciseClosed,
    ExercisePushed,
    ExercisePutAway,
    ExerciseRun,
    HandsCounted,
    Photo,
    PhotoAdded,
    PhotoRemoved,
    ResultShown,
    RoomAnswers,
    SeatAnswer,
)


class Exercises:
    """Read it freely; change it by events only."""

    def __init__(self) -> None:
        self.run: ExerciseRun | None = None
        self.pushed = 0
        """How many there were in this session."""

    def answers_of(self, unit: str) -> RoomAnswers:
        """What a class has answered to the exercise that is there."""
        found = self.run.answers if self.run is not None else ()
        return next((one for one in found if one.unit == unit), RoomAnswers(unit=unit))

    def unit_of_photo(self, photo: str) -> str | None:
        """Whose photo it is, of the exercise that is there."""
        found = self.run.answers if self.run is not None else ()
        return next((one.unit for one in found if any(p.id == photo for p in one.photos)), None)

    # by events

    def begun(self, event: ExercisePushed, at: float) -> None:
        self.pushed = event.number
        self.run = ExerciseRun(
            id=event.run, number=event.number, by=event.by, exercise=event.exercise, state="open", since=at
        )

    def closed(self, event: ExerciseClosed) -> None:
        if self.run is not None and self.run.id == event.run:
            self.run = replace(self.run, state="closed")

    def shown(self, event: ResultShown) -> None:
        if self.run is not None and self.run.id == event.run:
            told = replace(self.run.exercise, right=event.right, number=event.number)
            self.run = replace(self.run, state="shown", exercise=told)

    def put_away(self, event: ExercisePutAway | None = None) -> None:
        if event is None or (self.run is not None and self.run.id == event.run):
            self.run = None

    def answered(self, event: Answered, at: float) -> None:
        answer = SeatAnswer(seat=event.seat, at=at, choice=event.choice, text=event.text, number=event.number)
        given = (event.choice, event.text, event.number) != (None, None, None)

        def with_answer(room: RoomAnswers) -> RoomAnswers:
            others = tuple(one for one in room.seats if one.seat != event.seat)
            return replace(room, seats=(*others, answer) if given else others)

        self._change(event.run, event.unit, with_answer)

    def counted(self, event: HandsCounted) -> None:
        self._change(event.run, event.unit, lambda room: replace(room, hands=event.hands))

    def photo_added(self, event: PhotoAdded, at: float) -> None:
        photo = Photo(id=event.photo, at=at, seat=event.seat)
        self._change(event.run, event.unit, lambda room: replace(room, photos=(*room.photos, photo)))

    def photo_removed(self, event: PhotoRemoved) -> None:
        self._change(
            event.run,
            event.unit,
            lambda room: replace(room, photos=tuple(one for one in room.photos if one.id != event.photo)),
        )

    def _change(self, run: str, unit: str, change: Callable[[RoomAnswers], RoomAnswers]) -> None:
        if self.run is None or self.run.id != run:
            return
        changed = change(self.answers_of(unit))
        known = any(one.unit == unit for one in self.run.answers)
        answers = tuple(changed if one.unit == unit else one for one in self.run.answers)
        self.run = replace(self.run, answers=answers if known else (*answers, changed))


def by_option(answers: RoomAnswers, options: int) -> tuple[int, ...]:
    """How many of a class chose each of `options` options: those counted, and never fewer than the seats known."""
    seats = [sum(1 for one in answers.seats if one.choice == place) for place in range(options)]
    hands = [*answers.hands, *(0,) * options][:options]
    return tuple(max(pair) for pair in zip(seats, hands, strict=True))


def answered(answers: RoomAnswers, options: int) -> int:
    """How many of a class have answered: by options, otherwise by texts, numbers and photos of different seats."""
    if options:
        return sum(by_option(answers, options))
    seats = {one.seat for one in answers.seats} | {photo.seat for photo in answers.photos if photo.seat is not None}
    return len(seats) + sum(1 for photo in answers.photos if photo.seat is None)
