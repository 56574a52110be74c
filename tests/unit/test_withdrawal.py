"""What a withdrawn consent hides: a pure rule over who sat where, whose last word is no, and what names a pupil."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recordings.journal import Record
from recordings.review import Author, Comment, Conclusion, Dossier, Review, ReviewPart
from recordings.withdrawal import (
    NOTHING,
    Hidden,
    Naming,
    hidden_of,
    shown_dossier,
    shown_events,
    shows_photo,
    units_of_photos,
    word_of_comment,
    word_of_conclusion,
    word_of_note,
)
from signaling.plan import UnitPart


def room(unit: str, *classes: str) -> UnitPart:
    return UnitPart(unit=unit, unit_name=unit, classes=classes)


CORE, WEST, EAST = room("core", "c1"), room("west", "w1", "w2"), room("east")
ROOMS = (CORE, WEST, EAST)
CLASSES = ("c1", "w1", "w2", "elsewhere")
WEST_HIDDEN = Hidden(units=frozenset({"west"}))


def test_one_class_of_a_room_hides_the_room_and_no_other() -> None:
    assert hidden_of(ROOMS, {"w2"}) == WEST_HIDDEN
    assert hidden_of(ROOMS, {"c1", "w1"}).units == {"core", "west"}


def test_a_class_that_was_not_there_hides_nothing() -> None:
    assert hidden_of(ROOMS, {"elsewhere"}) == NOTHING
    assert hidden_of(ROOMS, ()) == NOTHING


def test_a_text_is_hidden_only_as_long_as_the_class_that_it_names_has_withdrawn() -> None:
    namings = [Naming("w1", "comment.a"), Naming("c1", "comment.b"), Naming("elsewhere", "comment.c")]
    assert hidden_of(ROOMS, {"w1", "elsewhere"}, namings).words == {"comment.a"}
    assert hidden_of(ROOMS, (), namings).words == frozenset()


@given(st.sets(st.sampled_from(CLASSES)), st.sets(st.sampled_from(CLASSES)))
def test_who_withdraws_beside_others_never_shows_more(some: set[str], others: set[str]) -> None:
    namings = [Naming(one, f"comment.{one}") for one in CLASSES]
    fewer, more = hidden_of(ROOMS, some, namings), hidden_of(ROOMS, some | others, namings)
    assert fewer.units <= more.units
    assert fewer.words <= more.words


HOST = Author("p1", "core", "host")
COMMENT = Comment(id="a", author=HOST, at=3.0, text="小明答得好", label="pupils", reply_to=None, written_at=10.0)
OTHER = replace(COMMENT, id="b", text="节奏合适")
CONCLUSION = Conclusion(
    author=HOST, worked="小红会了", change="慢一点", follow_up="家访小红", owner="李", due="2026-12-01", written_at=20.0
)
DOSSIER = Dossier(
    Review(
        id="r",
        session="s",
        title="科学",
        subject="科学",
        held_at=0.0,
        due_at=1.0,
        duration=1.0,
        parts=(ReviewPart("core", "host", True),),
    ),
    (COMMENT, OTHER),
    (),
    (CONCLUSION,),
)


def test_hidden_words_leave_their_place_and_nothing_of_what_they_said() -> None:
    hidden = Hidden(words=frozenset({word_of_comment(COMMENT), word_of_conclusion(CONCLUSION)}))
    shown = shown_dossier(DOSSIER, hidden)
    assert shown.comments == (replace(COMMENT, text=""), OTHER)
    assert shown.conclusions == (replace(CONCLUSION, worked="", change="", follow_up="", owner="", due=""),)
    assert shown.written == DOSSIER.written
    assert shown_dossier(DOSSIER, WEST_HIDDEN) is DOSSIER


def test_a_conclusion_that_is_written_anew_is_another_word() -> None:
    assert word_of_conclusion(CONCLUSION) != word_of_conclusion(replace(CONCLUSION, written_at=21.0))
    assert word_of_note("a", 10.0) != word_of_note("a", 10.5)


def journal(*events: dict[str, Any]) -> list[Record]:
    return [Record(number, 1, float(number), event) for number, event in enumerate(events, 1)]


LESSON = journal(
    {"type": "joined", "participant": "h", "unit": "core"},
    {"type": "joined", "participant": "w", "unit": "west"},
    {"type": "stroke_drawn", "participant": "h", "stroke": "s1"},
    {"type": "stroke_drawn", "participant": "w", "stroke": "s2"},
    {"type": "stroke_extended", "stroke": "s2"},
    {"type": "stroke_extended", "stroke": "s1"},
    {"type": "stroke_erased", "stroke": "s2"},
    {"type": "photo_added", "photo": "p1", "unit": "core"},
    {"type": "photo_added", "photo": "p2", "unit": "west"},
)


def test_what_was_drawn_in_a_hidden_room_is_drawn_no_more() -> None:
    assert list(shown_events(LESSON, NOTHING)) == LESSON
    strokes = [one.event["stroke"] for one in shown_events(LESSON, WEST_HIDDEN) if "stroke" in one.event]
    assert strokes == ["s1", "s1"]


def test_a_photo_is_shown_while_its_room_is_and_an_unknown_one_only_where_nothing_is_hidden() -> None:
    units = units_of_photos(LESSON)
    assert units == {"p1": "core", "p2": "west"}
    assert [shows_photo(photo, units, WEST_HIDDEN) for photo in ("p1", "p2", "p3")] == [True, False, False]
    assert all(shows_photo(photo, units, NOTHING) for photo in ("p1", "p2", "p3"))
