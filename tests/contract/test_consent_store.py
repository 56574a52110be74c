"""The store of consents keeps its promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from recordings.review import Review, ReviewPart
from recordings.withdrawal import Naming
from server.storage.consent_store import ConsentWord, SqlConsentStore
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from server.storage.review_store import SqlReviewStore
from server.storage.session_store import SqlSessionStore
from signaling.plan import SessionPlan, SessionRecord, UnitPart
from tests.live_lessons import plan
from timetable.errors import StaleVersion

NOW = 1_790_000_000.0


async def test_the_last_word_of_a_class_stands(database: Database) -> None:
    store, registers = SqlConsentStore(database), SqlRegisterStore(database)
    assert (await store.words(), await registers.state(), await registers.refused()) == ({}, (0, 0), frozenset())
    await store.say("a", agreed=False, person="p", at=NOW, expected=0)
    await store.say("b", agreed=False, person="q", at=NOW + 1, expected=0)
    assert await registers.refused() == {"a", "b"}
    await store.say("a", agreed=True, person="q", at=NOW + 2, expected=1)
    assert await store.words() == {
        "a": ConsentWord(3, True, "q", NOW + 2),
        "b": ConsentWord(2, False, "q", NOW + 1),
    }
    assert (await registers.refused(), await registers.state()) == ({"b"}, (0, 3))


async def test_of_two_words_at_once_one_is_refused(database: Database) -> None:
    store = SqlConsentStore(database)
    said = await asyncio.gather(
        *(store.say("a", agreed=False, person=person, at=NOW, expected=0) for person in "pq"), return_exceptions=True
    )
    assert sorted(type(one) is StaleVersion for one in said) == [False, True]
    with pytest.raises(StaleVersion):
        await store.say("a", agreed=True, person="p", at=NOW, expected=0)
    assert {word.agreed for word in (await store.words()).values()} == {False}


async def test_what_names_a_pupil_is_kept_once_for_each_class(database: Database) -> None:
    store = SqlConsentStore(database)
    for school_class, words in (("a", {("r", "w")}), ("a", {("r", "w"), ("other", "w")}), ("b", {("r", "w")})):
        await store.name(school_class, words, person="p", at=NOW)
    assert sorted((one.school_class, one.word) for one in await store.namings("r")) == [("a", "w"), ("b", "w")]
    assert await store.namings("other") == [Naming("a", "w")]


def lesson(id: str, classes: tuple[str, ...]) -> SessionPlan:
    known = plan(id, starts=NOW)
    parts = (
        UnitPart(unit="core", unit_name="核心", classes=("c",)),
        UnitPart(unit="west", unit_name="西河", class_name="五(1)班", classes=classes),
    )
    return msgspec.structs.replace(known, session=id, parts=parts)


async def test_the_lessons_of_a_class_are_those_that_it_was_in(database: Database) -> None:
    store, sessions, reviews = SqlConsentStore(database), SqlSessionStore(database), SqlReviewStore(database)
    for number, (id, classes, attended) in enumerate(
        [("s1", ("w_1",), True), ("s2", ("w_1", "w2"), True), ("s3", ("w_1",), False), ("s4", ("wx1",), True)]
    ):
        await sessions.add(
            SessionRecord(plan=lesson(id, classes), kind="lesson", state="ended", journal="j", ended_at=NOW)
        )
        await reviews.add(
            Review(
                id=f"r{id}",
                session=id,
                title="科学",
                subject="科学",
                held_at=NOW + number,
                due_at=NOW,
                duration=1.0,
                parts=(ReviewPart("core", "host", True), ReviewPart("west", "member", attended)),
            )
        )
    # "_" is a letter here, not any letter
    assert [one.review for one in await store.held_with("w_1")] == ["rs2", "rs1"]
    [held] = await store.held_with("w2")
    assert (held.session, held.title, held.rehearsal, held.ended_at) == ("s2", "科学", False, NOW)
    assert [(seat.unit, seat.unit_name, seat.class_name, seat.classes) for seat in held.seats][1:] == [
        ("west", "西河", "五(1)班", ("w_1", "w2"))
    ]
    assert await store.held_with("w") == []
    assert len(await store.held(None)) == len(await store.held({"west"})) == 4
    assert await store.held({"elsewhere"}) == []
