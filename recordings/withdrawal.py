"""This module owns what a withdrawn consent hides of a recorded lesson.

A class that withdraws is shown to nobody any more, wherever it sat: its room's pictures and sound, photos of its work,
what it answered, what was drawn in its room, and what teachers wrote that its school says names a pupil. Where several
classes sat in one room, one is enough. What is only counted stays. Nothing is deleted by it: files and words end with
their retention, and a new consent of the class shows them again.

Pure: `hidden_of` decides, and every way to what was recorded asks it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recordings.journal import Record
from recordings.review import Comment, Conclusion, Dossier

STROKES = frozenset({"stroke_drawn", "stroke_extended", "stroke_erased"})
"""Events that speak of one stroke."""


class ClassRoom(Protocol):
    """One unit's room in the lesson, with the ids of the classes that sat in it."""

    @property
    def unit(self) -> str: ...
    @property
    def classes(self) -> Collection[str]: ...


Room = TypeVar("Room", bound=ClassRoom)


class Naming(Struct, frozen=True):
    """A school's word that something written in a review names a pupil of this class."""

    school_class: str
    word: str


class Hidden(Struct, frozen=True, kw_only=True):
    """What nobody is shown of a lesson: everything of the rooms of these units, and these words."""

    units: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


NOTHING = Hidden()


def hidden_of(rooms: Iterable[Room], refusing: Collection[str], namings: Iterable[Naming] = ()) -> Hidden:
    """What is hidden of a lesson in these rooms, while the last word of the classes `refusing` is no."""
    withdrawn: set[str] = set()
    units: set[str] = set()
    for room in rooms:
        gone = {one for one in room.classes if one in refusing}
        if gone:
            withdrawn |= gone
            units.add(room.unit)
    words = {naming.word for naming in namings if naming.school_class in withdrawn}
    return Hidden(units=frozenset(units), words=frozenset(words))


def word_of_comment(comment: Comment) -> str:
    return f"comment.{comment.id}"


def word_of_conclusion(conclusion: Conclusion) -> str:
    """Written anew it is another one: whoever left the name out is read again."""
    return f"conclusion.{conclusion.author.person}.{conclusion.written_at:.3f}"


def word_of_note(participant: str, at: float) -> str:
    """A note that somebody put at a moment of the lesson; `at` is its Unix time in the journal."""
    return f"note.{participant}.{at:.3f}"


def shown_dossier(dossier: Dossier, hidden: Hidden) -> Dossier:
    """The review with nothing where the hidden words stood: that somebody wrote, and when, stays."""
    if not hidden.words:
        return dossier
    return replace(
        dossier,
        comments=tuple(
            replace(one, text="") if word_of_comment(one) in hidden.words else one for one in dossier.comments
        ),
        conclusions=tuple(
            replace(one, worked="", change="", follow_up="", owner="", due="")
            if word_of_conclusion(one) in hidden.words
            else one
            for one in dossier.conclusions
        ),
    )


def shown_events(events: Iterable[Record], hidden: Hidden) -> Iterator[Record]:
    """The events of a lesson without what was drawn in the hidden rooms."""
    units: dict[str, str] = {}
    dropped: set[str] = set()
    for record in events:
        event = record.event
        if event["type"] == "joined":
            units[str(event["participant"])] = str(event["unit"])
        elif event["type"] in STROKES:
            if event["type"] == "stroke_drawn" and units.get(str(event["participant"])) in hidden.units:
                dropped.add(str(event["stroke"]))
            if event["stroke"] in dropped:
                continue
        yield record


def units_of_photos(events: Iterable[Record]) -> dict[str, str]:
    """Whose class each photo of a lesson is of."""
    added = (record.event for record in events if record.event["type"] == "photo_added")
    return {str(event["photo"]): str(event["unit"]) for event in added}


def shows_photo(photo: str, units: Mapping[str, str], hidden: Hidden) -> bool:
    """Whether a photo may be shown. Where anything is hidden, one of which nobody knows whose it is may not."""
    return not hidden.units or (photo in units and units[photo] not in hidden.units)
