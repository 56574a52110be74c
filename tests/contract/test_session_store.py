"""Sessions are kept alike on both databases."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from server.storage.database import Database
from server.storage.session_store import SqlSessionStore
from signaling.plan import SessionRecord
from tests.live_lessons import plan


@pytest.fixture
def store(database: Database) -> SqlSessionStore:
    return SqlSessionStore(database)


def record(session: str, *, starts: float = 1000.0, community: str = "c1", lesson: str = "music-1.1") -> SessionRecord:
    planned = plan(session, starts=starts, lesson=lesson)
    return SessionRecord(
        plan=replace(planned, community=community), kind="lesson", state="scheduled", journal=f"{session}.journal"
    )


async def test_a_session_comes_back_as_it_was_added(store: SqlSessionStore) -> None:
    added = record("s1")
    assert await store.add(added)
    assert await store.get("s1") == added
    assert await store.get("s2") is None


async def test_a_session_is_added_once(store: SqlSessionStore) -> None:
    await store.add(record("s1", starts=1000.0))
    assert not await store.add(record("s1", starts=2000.0))
    assert await store.get("s1") == record("s1", starts=1000.0)


async def test_between_takes_the_first_moment_and_leaves_the_last(store: SqlSessionStore) -> None:
    for name, starts in (("a", 100.0), ("b", 200.0), ("c", 300.0)):
        await store.add(record(name, starts=starts, community="c2" if name == "b" else "c1"))
    assert [found.id for found in await store.between(100.0, 300.0)] == ["a", "b"]
    assert [found.id for found in await store.between(100.0, 400.0, "c1")] == ["a", "c"]


async def test_of_lesson_is_newest_first(store: SqlSessionStore) -> None:
    for name, starts in (("old", 100.0), ("new", 200.0)):
        await store.add(record(name, starts=starts))
    await store.add(record("other", lesson="art-1.1"))
    assert [found.id for found in await store.of_lesson("music-1.1")] == ["new", "old"]


async def test_a_session_is_unfinished_until_its_recordings_are_closed(store: SqlSessionStore) -> None:
    await store.add(record("s1"))
    await store.set_state("s1", "ended")
    assert [found.state for found in await store.unfinished()] == ["ended"]
    await store.finish("s1", 4000.0, "review-1")
    assert await store.unfinished() == []
    found = await store.get("s1")
    assert found is not None
    assert (found.state, found.ended_at, found.review) == ("ended", 4000.0, "review-1")


async def test_only_a_session_that_has_not_begun_is_removed(store: SqlSessionStore) -> None:
    for name, state in (("open", "open"), ("live", "live")):
        await store.add(replace(record(name), state=state))
        await store.remove(name)
    assert [found.id for found in await store.unfinished()] == ["live"]
