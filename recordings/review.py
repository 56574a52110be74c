"""This module owns the bilateral review: who writes what, and when both sides have done their part.

A review opens when the lesson ends. It closes only when the host and one teacher of every unit that attended have
written their conclusion; units that were absent do not block it. Everything here is pure: an operation takes the
dossier as it is and returns it as it should be, or raises a ReviewError.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from recordings.errors import ConclusionsMissing, InvalidEntry, NotInvolved, ReviewClosed, VersionConflict
from recordings.rubric import Rubric

Side = Literal["host", "member"]
Group = Literal["host", "member", "researcher"]
Scope = Literal["teachers", "units", "community"]

MAX_TEXT = 4000
MAX_LABEL = 40


class ReviewState(StrEnum):
    """How far a review has come. `one_side`: the host's conclusion is there, or all of the members', not both."""

    OPEN = "open"
    ONE_SIDE = "one_side"
    BOTH_SIDES = "both_sides"
    CLOSED = "closed"


class ReviewEvent(StrEnum):
    """What moves a review on."""

    ONE_SIDE_WRITTEN = "one_side_written"
    BOTH_SIDES_WRITTEN = "both_sides_written"
    CLOSING = "closing"


TRANSITIONS: Mapping[tuple[ReviewState, ReviewEvent], ReviewState] = {
    (ReviewState.OPEN, ReviewEvent.ONE_SIDE_WRITTEN): ReviewState.ONE_SIDE,
    (ReviewState.OPEN, ReviewEvent.BOTH_SIDES_WRITTEN): ReviewState.BOTH_SIDES,
    (ReviewState.ONE_SIDE, ReviewEvent.ONE_SIDE_WRITTEN): ReviewState.ONE_SIDE,
    (ReviewState.ONE_SIDE, ReviewEvent.BOTH_SIDES_WRITTEN): ReviewState.BOTH_SIDES,
    (ReviewState.BOTH_SIDES, ReviewEvent.BOTH_SIDES_WRITTEN): ReviewState.BOTH_SIDES,
    (ReviewState.BOTH_SIDES, ReviewEvent.CLOSING): ReviewState.CLOSED,
}
"""Every step there is. Closing from elsewhere lacks conclusions; nothing leads out of `closed`."""


class ReviewPart(Struct, frozen=True):
    """One unit's part in the lesson. Its conclusion is written by one of `teachers`, by any teacher when empty."""

    unit: str
    side: Side
    attended: bool
    teachers: tuple[str, ...] = ()


class Review(Struct, frozen=True, kw_only=True):
    """The review of one session. Times are Unix seconds; `revision` counts the changes that closing must have seen."""

    id: str
    session: str
    title: str
    subject: str
    held_at: float
    due_at: float
    duration: float
    parts: tuple[ReviewPart, ...]
    rehearsal: bool = False
    taught: tuple[str, ...] = ()
    """Persons who were in the lesson as host or assistant while it was live."""
    state: ReviewState = ReviewState.OPEN
    revision: int = 1
    closed_at: float | None = None
    closed_by: str | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The units whose conclusion it waits for, the host's first."""
        return tuple(part.unit for part in self.parts if part.attended)

    def overdue(self, now: float) -> bool:
        return self.state != ReviewState.CLOSED and now > self.due_at

    def part(self, unit: str) -> ReviewPart | None:
        return next((part for part in self.parts if part.unit == unit), None)


class Author(Struct, frozen=True):
    """Who writes: the person, the unit they write for, and whether as host, as member or as a researcher."""

    person: str
    unit: str
    group: Group


class Comment(Struct, frozen=True, kw_only=True):
    """A remark about a moment (`at`, lesson seconds) or, without one, about the whole lesson."""

    id: str
    author: Author
    at: float | None
    text: str
    label: str
    reply_to: str | None
    written_at: float


class Score(Struct, frozen=True, kw_only=True):
    """One person's points, with the rubric they were given under."""

    author: Author
    points: dict[str, int]
    total: int
    band: str
    rubric: Rubric
    given_at: float


class Conclusion(Struct, frozen=True, kw_only=True):
    """What one unit takes from the lesson. A follow-up has an owner and a due date (ISO), or there is none."""

    author: Author
    worked: str
    change: str
    follow_up: str
    owner: str
    due: str
    written_at: float


class Release(Struct, frozen=True, kw_only=True):
    """With whom the recording is shared beside the lesson's teachers: a scope, and researchers by name. `by` whom, at
    which Unix time; empty for what an upgrade decided."""

    scope: Scope
    invited: tuple[str, ...] = ()
    by: str = ""
    at: float = 0.0


PRIVATE = Release(scope="teachers")
"""How every recording begins."""


class Dossier(Struct, frozen=True):
    """A review with everything written into it. Comments and releases are in the order of their making."""

    review: Review
    comments: tuple[Comment, ...] = ()
    scores: tuple[Score, ...] = ()
    conclusions: tuple[Conclusion, ...] = ()
    releases: tuple[Release, ...] = ()

    @property
    def release(self) -> Release:
        """The one that holds."""
        return self.releases[-1] if self.releases else PRIVATE

    @property
    def written(self) -> tuple[str, ...]:
        """The units that attended and have concluded."""
        done = {conclusion.author.unit for conclusion in self.conclusions}
        return tuple(unit for unit in self.review.required if unit in done)

    @property
    def missing(self) -> tuple[str, ...]:
        """The units that attended and have not concluded."""
        return tuple(unit for unit in self.review.required if unit not in self.written)


def comment(dossier: Dossier, new: Comment) -> Dossier:
    """Add a comment or a reply. Raises ReviewClosed, InvalidEntry."""
    _must_be_open(dossier.review)
    _check_text("text", new.text, required=True)
    if len(new.label) > MAX_LABEL:
        raise InvalidEntry("label", "too_long")
    if new.at is not None and not 0 <= new.at <= max(dossier.review.duration, 1):
        raise InvalidEntry("at", "outside_lesson")
    if new.reply_to is not None and new.reply_to not in {known.id for known in dossier.comments}:
        raise InvalidEntry("reply_to", "unknown_comment")
    return replace(dossier, comments=(*dossier.comments, new))


def score(dossier: Dossier, author: Author, points: Mapping[str, int], rubric: Rubric, now: float) -> Dossier:
    """Give points, or change one's own. Raises ReviewClosed, InvalidEntry."""
    _must_be_open(dossier.review)
    total = rubric.total(points)
    new = Score(author=author, points=dict(points), total=total, band=rubric.band(total), rubric=rubric, given_at=now)
    others = tuple(known for known in dossier.scores if known.author.person != author.person)
    return replace(dossier, scores=(*others, new))


def conclude(dossier: Dossier, new: Conclusion) -> Dossier:
    """Write one's conclusion, or write it anew. Raises ReviewClosed, NotInvolved, InvalidEntry."""
    review = dossier.review
    _must_be_open(review)
    part = review.part(new.author.unit)
    if part is None or not part.attended or (part.teachers and new.author.person not in part.teachers):
        raise NotInvolved(review.id, new.author.person)
    _check_text("worked", new.worked, required=True)
    _check_text("change", new.change, required=True)
    _check_text("follow_up", new.follow_up, required=False)
    for field, value in (("owner", new.owner), ("due", new.due)):
        _check_text(field, value, required=bool(new.follow_up))
    others = tuple(known for known in dossier.conclusions if known.author.person != new.author.person)
    written = replace(dossier, conclusions=(*others, new))
    return replace(written, review=replace(_moved(written), revision=review.revision + 1))


def close(dossier: Dossier, author: Author, expected: int, now: float) -> Dossier:
    """Close the review as it was read at revision `expected`.

    Raises ReviewClosed, VersionConflict, NotInvolved, ConclusionsMissing.
    """
    review = dossier.review
    _must_be_open(review)
    if review.revision != expected:
        raise VersionConflict(review.id, expected, review.revision)
    if review.part(author.unit) is None:
        raise NotInvolved(review.id, author.person)
    state = TRANSITIONS.get((review.state, ReviewEvent.CLOSING))
    if state is None:
        raise ConclusionsMissing(review.id, dossier.missing)
    closed = replace(review, state=state, revision=review.revision + 1, closed_at=now, closed_by=author.person)
    return replace(dossier, review=closed)


def _moved(dossier: Dossier) -> Review:
    """The review in the state that its conclusions give it."""
    review = dossier.review
    done = set(dossier.written)
    sides = [[part.unit for part in review.parts if part.attended and part.side == side] for side in ("host", "member")]
    complete = [done.issuperset(units) for units in sides]
    if all(complete):
        return replace(review, state=TRANSITIONS[review.state, ReviewEvent.BOTH_SIDES_WRITTEN])
    if any(whole and units for whole, units in zip(complete, sides, strict=True)):
        return replace(review, state=TRANSITIONS[review.state, ReviewEvent.ONE_SIDE_WRITTEN])
    return review


def _must_be_open(review: Review) -> None:
    if review.state == ReviewState.CLOSED:
        raise ReviewClosed(review.id)


def _check_text(field: str, text: str, *, required: bool) -> None:
    if required and not text.strip():
        raise InvalidEntry(field, "missing")
    if len(text) > MAX_TEXT:
        raise InvalidEntry(field, "too_long")
