"""The register store keeps its promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from functools import cache

import msgspec
import pytest
from sqlalchemy import Connection, select, text

from server.demo.county import demo_register
from server.storage import register_store
from server.storage.database import Database
from server.storage.migrate import migrate
from server.storage.register_store import SqlRegisterStore
from timetable.errors import StaleVersion
from timetable.model import Register
from timetable.ports import RegisterStore

NOW = 1_790_000_000.0
modelled = cache(demo_register)


async def test_store_is_empty_before_the_first_import(database: Database) -> None:
    store: RegisterStore = SqlRegisterStore(database)
    assert await store.load() is None
    assert await store.version() == 0


async def test_store_returns_what_was_saved(database: Database) -> None:
    register = modelled()
    assert await SqlRegisterStore(database).save(register, "person", NOW, 0) == 1
    assert await SqlRegisterStore(database).load() == register


async def test_store_keeps_every_version(database: Database) -> None:
    store = SqlRegisterStore(database)
    first = modelled()
    second = msgspec.structs.replace(first, county="另一县")
    await store.save(first, "person", NOW, 0)
    assert await store.load() == first
    assert await store.save(second, "other", NOW + 1, 1) == 2
    assert await store.load() == second
    columns = register_store.versions.c
    query = select(columns.number, columns.author, columns.at).order_by(columns.number)
    kept = await database.read(lambda c: [tuple(row) for row in c.execute(query)])
    assert kept == [(1, "person", NOW), (2, "other", NOW + 1)]


async def test_stale_version_is_refused_and_nothing_is_written(database: Database) -> None:
    store = SqlRegisterStore(database)
    await store.save(modelled(), "person", NOW, 0)
    with pytest.raises(StaleVersion) as refused:
        await store.save(msgspec.structs.replace(modelled(), county="另一县"), "late", NOW, 0)
    assert (refused.value.expected, refused.value.current) == (0, 1)
    assert await store.version() == 1
    assert await store.load() == modelled()


async def test_another_process_sees_the_new_version(database: Database) -> None:
    one, two = SqlRegisterStore(database), SqlRegisterStore(database)
    await one.save(modelled(), "person", NOW, 0)
    assert await two.load() == modelled()
    changed = msgspec.structs.replace(modelled(), county="另一县")
    await one.save(changed, "person", NOW, 1)
    assert await two.load() == changed


async def test_a_version_is_unfollowed_until_it_is_followed(database: Database) -> None:
    store: RegisterStore = SqlRegisterStore(database)
    first = modelled()
    second = msgspec.structs.replace(first, county="另一县")
    await store.save(first, "person", NOW, 0)
    await store.save(second, "other", NOW + 10, 1)
    assert (await store.unfollowed(NOW + 9), await store.unfollowed(NOW + 10)) == ([1], [1, 2])
    assert (await store.at(1), await store.author(2)) == (first, "other")
    await store.followed(1)
    assert await store.unfollowed(NOW + 10) == [2]


def consenting(answers: dict[str, bool]) -> Register:
    """A register with a class for each answer."""
    model = modelled()
    classes = tuple(
        msgspec.structs.replace(model.classes[0], id=id, number=number, recording_consent=agreed)
        for number, (id, agreed) in enumerate(answers.items(), 1)
    )
    return msgspec.structs.replace(model, classes=classes)


LAST_WORDS: tuple[dict[str, bool], ...] = (
    {"left": False, "turned": True, "back": False, "yes": True},
    {"turned": False, "back": True, "yes": True},
    {"yes": True},
    {},
)
REFUSED = frozenset({"left", "turned"})


async def test_a_class_that_has_left_stands_by_its_last_word(database: Database) -> None:
    store = SqlRegisterStore(database)
    for number, answers in enumerate(LAST_WORDS):
        await store.save(consenting(answers), "person", NOW, number)
    assert await store.refused() == REFUSED
    await store.save(consenting({"left": True}), "person", NOW, len(LAST_WORDS))
    assert await store.refused() == REFUSED - {"left"}


async def test_the_last_words_of_a_database_that_kept_none_are_found_in_its_versions(database: Database) -> None:
    store = SqlRegisterStore(database)
    for number, answers in enumerate(LAST_WORDS):
        await store.save(consenting(answers), "person", NOW, number)

    def go_back(connection: Connection) -> None:
        for statement in ("DROP TABLE consent_refused", "DELETE FROM schema_version WHERE number = 17"):
            connection.execute(text(statement))

    await database.write(go_back)
    assert "0017_consent_refused" in await asyncio.to_thread(migrate, database.engine)
    assert await store.refused() == REFUSED
