"""Bodies about exercises outside the socket: what was prepared for a lesson, and photos of pupils' work."""

from typing import Annotated

from msgspec import Meta

from server.shapes.base import Body
from signaling.exercises import Exercise

MOST_PREPARED = 40


class LessonExercises(Body, frozen=True, kw_only=True):
    """In the order in which they are meant to be asked."""

    lesson: str
    revision: int
    may_change: bool
    exercises: tuple[Exercise, ...]


class PrepareExercises(Body, frozen=True, kw_only=True):
    """The whole list anew; `revision` is the one that the writer has seen."""

    revision: int
    exercises: Annotated[tuple[Exercise, ...], Meta(max_length=MOST_PREPARED)]


class PhotoKept(Body, frozen=True, kw_only=True):
    photo: str
