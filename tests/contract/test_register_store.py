"""The register store keeps its promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from server.demo.county import demo_register
from server.storage import register_store
from server.storage.database import Database
from server.storage.register_store import SqlRegisterStore
from timetable.errors import StaleVersion
from timetable.ports import RegisterStore

NOW = 1_790_000_000.0


async def test_store_is_empty_before_the_first_import(database: Database) -> None:
    store: RegisterStore = SqlRegisterStore(database)
    assert await store.load() is None
    assert await store.version() == 0


async def test_store_returns_what_was_saved(database: Database) -> None:
    register = demo_register()
    assert await SqlRegisterStore(database).save(register, "person", NOW, 0) == 1
    assert await SqlRegisterStore(database).load() == register


async def test_store_keeps_every_version(database: Database) -> None:
    store = SqlRegisterStore(database)
    first = demo_register()
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
    await store.save(demo_register(), "person", NOW, 0)
    with pytest.raises(StaleVersion) as refused:
        await store.save(msgspec.structs.replace(demo_register(), county="另一县"), "late", NOW, 0)
    assert (refused.value.expected, refused.value.current) == (0, 1)
    assert await store.version() == 1
    assert await store.load() == demo_register()


async def test_another_process_sees_the_new_version(database: Database) -> None:
    one, two = SqlRegisterStore(database), SqlRegisterStore(database)
    await one.save(demo_register(), "person", NOW, 0)
    assert await two.load() == demo_register()
    changed = msgspec.structs.replace(demo_register(), county="另一县")
    await one.save(changed, "person", NOW, 1)
    assert await two.load() == changed


async def test_a_version_is_unfollowed_until_it_is_followed(database: Database) -> None:
    store: RegisterStore = SqlRegisterStore(database)
    first = demo_register()
    second = msgspec.structs.replace(first, county="另一县")
    await store.save(first, "person", NOW, 0)
    await store.save(second, "other", NOW + 10, 1)
    assert (await store.unfollowed(NOW + 9), await store.unfollowed(NOW + 10)) == ([1], [1, 2])
    assert (await store.at(1), await store.author(2)) == (first, "other")
    await store.followed(1)
    assert await store.unfollowed(NOW + 10) == [2]
