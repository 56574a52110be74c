"""Both databases keep the addresses of calendars the same way."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs
from sqlalchemy.exc import IntegrityError

from server.storage.database import Database
from server.storage.feed_store import Feed, SqlFeedStore


@pytest.fixture
def store(database: Database) -> SqlFeedStore:
    return SqlFeedStore(database)


def feed(id: str, owner: str = "p1", created_at: float = 1.0) -> Feed:
    return Feed(
        id=id,
        secret_hash=f"hash of {id}",
        kind="teacher",
        target="t1",
        owner=owner,
        device="手机",
        created_at=created_at,
    )


async def test_an_address_is_found_by_its_hash_alone(store: SqlFeedStore) -> None:
    await store.add([feed("f1"), feed("f2")])
    assert await store.by_secret("hash of f2") == feed("f2")
    assert await store.by_secret("f2") is None
    assert await store.by_secret("") is None


async def test_everybody_has_their_own_addresses_the_oldest_first(store: SqlFeedStore) -> None:
    await store.add([feed("f3", created_at=3.0), feed("f1"), feed("f2", owner="p2")])
    assert [kept.id for kept in await store.of("p1")] == ["f1", "f3"]
    assert [kept.id for kept in await store.of("p2")] == ["f2"]
    assert await store.of("p3") == []


async def test_a_revoked_address_is_remembered_as_gone(store: SqlFeedStore) -> None:
    await store.add([feed("f1"), feed("f2")])
    assert not await store.revoke("f1", "p2", 5.0)
    assert not await store.revoke("absent", "p1", 5.0)
    assert await store.revoke("f1", "p1", 5.0)
    assert not await store.revoke("f1", "p1", 6.0)
    assert [kept.id for kept in await store.of("p1")] == ["f2"]
    assert await store.by_secret("hash of f1") == structs.replace(feed("f1"), revoked_at=5.0)


async def test_of_two_who_revoke_one_does(store: SqlFeedStore) -> None:
    await store.add([feed("f1")])
    assert sorted(await asyncio.gather(*(store.revoke("f1", "p1", float(n)) for n in range(5)))) == [False] * 4 + [True]


async def test_a_reading_is_noted(store: SqlFeedStore) -> None:
    await store.add([feed("f1")])
    await store.read_at("f1", 9.0)
    await store.read_at("absent", 9.0)
    assert await store.by_secret("hash of f1") == structs.replace(feed("f1"), last_read=9.0)


async def test_of_many_at_once_all_or_none_are_kept(store: SqlFeedStore) -> None:
    await store.add([feed("f1")])
    twice = structs.replace(feed("f9"), secret_hash="hash of f1")
    with pytest.raises(IntegrityError):
        await store.add([feed("f8"), twice])
    assert [kept.id for kept in await store.of("p1")] == ["f1"]
