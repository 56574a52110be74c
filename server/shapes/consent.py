"""Bodies about a class's consent to being recorded: the classes one speaks for, where a class is seen, what it takes
to withdraw."""

from typing import Annotated, Literal

from msgspec import Meta

from server.shapes.base import Body


class ConsentSaid(Body, frozen=True, kw_only=True):
    """The last word that was given on the page."""

    agreed: bool
    name: str
    at: float


class ClassConsentRow(Body, frozen=True, kw_only=True):
    id: str
    unit: str
    unit_name: str
    class_name: str
    """Of one that has left: as it was called in its last lesson."""
    left: bool
    """The register has it no more; what was recorded of it is still there."""
    agreed: bool
    recordings: int
    """Lessons in which it is seen or heard and whose recording is still kept."""
    last_held: float | None
    said: ConsentSaid | None
    revision: int


class ConsentLesson(Body, frozen=True, kw_only=True):
    """A lesson that the class was in, named as it was then."""

    review: str
    title: str
    held_at: float
    class_name: str
    rehearsal: bool
    kept_until: float | None
    deleted: bool
    """Its time is over: nothing that was recorded of it is left."""


class ReviewWord(Body, frozen=True, kw_only=True):
    """Something that somebody wrote in a review of the class: a comment, a conclusion, a note made in the lesson."""

    review: str
    word: str
    kind: Literal["comment", "conclusion", "note"]
    title: str
    held_at: float
    author_name: str
    text: str
    """Empty once it is hidden."""
    hidden: bool


class ClassConsent(Body, frozen=True, kw_only=True):
    row: ClassConsentRow
    lessons: tuple[ConsentLesson, ...]
    """The newest first."""


class NewConsent(Body, frozen=True, kw_only=True):
    """`revision`: of the row that the asker saw."""

    agreed: bool
    revision: int


class NamedPupil(Body, frozen=True, kw_only=True):
    """This text names a pupil of the class, or lets one be recognised."""

    review: str
    word: str


class NamedPupils(Body, frozen=True, kw_only=True):
    """Texts that are hidden from everybody."""

    words: Annotated[tuple[NamedPupil, ...], Meta(min_length=1, max_length=200)]
