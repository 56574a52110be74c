"""Both databases keep people, login sessions, rooms and pairings the same way."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest
from msgspec import structs

from server.shapes.people import Grant
from server.storage.database import Database
from server.storage.people_store import LoginSession, PairedRoom, Person, SqlPeopleStore

TEACHER = Person(
    id="p1",
    login="yanli.li",
    name="李老师",
    unit="yanli",
    teacher="t1",
    password_hash="$argon2id$…",
    grants=(Grant(role="researcher", community="c1"), Grant(role="teacher", unit="yanli")),
)
BUREAU = Person(
    id="p2", login="bureau", name="局", unit=None, teacher=None, password_hash="x", grants=(Grant(role="bureau_admin"),)
)
ROOM = PairedRoom(room="yanli.r1", name="远程教室", unit="yanli", paired_at=1.0, paired_by="p1")


@pytest.fixture
def store(database: Database) -> SqlPeopleStore:
    return SqlPeopleStore(database)


# people


async def test_people_are_kept_with_their_grants(store: SqlPeopleStore) -> None:
    await store.save([TEACHER, BUREAU])
    assert await store.by_login("yanli.li") == TEACHER
    assert await store.by_id("p2") == BUREAU
    assert await store.all() == [TEACHER, BUREAU]
    assert await store.by_login("YANLI.LI") is None
    assert await store.by_id("absent") is None


async def test_a_person_is_replaced_whole(store: SqlPeopleStore) -> None:
    await store.save([TEACHER])
    moved = structs.replace(TEACHER, unit="gulong", active=False, grants=(Grant(role="teacher", unit="gulong"),))
    await store.save([moved])
    assert await store.all() == [moved]
    await store.save([structs.replace(moved, grants=())])
    found = await store.by_id("p1")
    assert found is not None
    assert found.grants == ()
    await store.save([])


async def test_a_login_is_one_persons(store: SqlPeopleStore) -> None:
    await store.save([TEACHER])
    with pytest.raises(Exception, match=r"(?i)unique"):
        await store.save([structs.replace(BUREAU, login="yanli.li"), structs.replace(TEACHER, id="p3", login="new")])
    assert await store.all() == [TEACHER]


# login sessions


async def test_a_session_lives_until_its_time_or_until_it_is_closed(store: SqlPeopleStore) -> None:
    person, room = (LoginSession(kind=kind, subject="x", expires_at=100.0) for kind in ("person", "room"))
    await store.open_session("a", person, 0.0)
    await store.open_session("b", room, 0.0)
    assert [await store.session(token, 99.9) for token in ("a", "b", "c")] == [person, room, None]
    assert await store.session("a", 100.0) is None
    await store.close_session("b")
    await store.close_session("b")
    assert await store.session("b", 1.0) is None


async def test_old_sessions_are_swept_when_a_new_one_opens(store: SqlPeopleStore) -> None:
    await store.open_session("old", LoginSession(kind="person", subject="p", expires_at=10.0), 0.0)
    await store.open_session("new", LoginSession(kind="person", subject="p", expires_at=99.0), 50.0)
    # asked as of a time when it still stood: it is gone for good
    assert await store.session("old", 1.0) is None
    assert await store.session("new", 51.0) is not None


# rooms


async def test_a_room_has_one_panel(store: SqlPeopleStore) -> None:
    await store.pair(ROOM)
    await store.open_session("panel", LoginSession(kind="room", subject=ROOM.room, expires_at=99.0), 0.0)
    await store.open_session("person", LoginSession(kind="person", subject=ROOM.room, expires_at=99.0), 0.0)
    await store.seen(ROOM.room, 7.0)
    assert await store.room(ROOM.room) == structs.replace(ROOM, last_seen=7.0)
    second = structs.replace(ROOM, paired_at=8.0)
    await store.pair(second)
    assert await store.rooms() == [second]
    assert await store.session("panel", 9.0) is None
    assert await store.session("person", 9.0) is not None
    assert await store.unpair(ROOM.room) == second.pairing
    assert await store.unpair(ROOM.room) is None
    await store.seen(ROOM.room, 9.0)
    assert (await store.rooms(), await store.room(ROOM.room)) == ([], None)


# pairings


async def collect(store: SqlPeopleStore, secret: str, now: float) -> tuple[bool, str | None]:
    """What a panel is told that asks with this secret; a room comes with the panel's login session."""
    token = f"token of {secret} {next(_NUMBERS)}"
    told = await store.collect_pairing(secret, now, token, now + 99.0)
    opened = await store.session(token, now)
    assert (opened.subject if opened else None) == told[1]
    return told


_NUMBERS = count()


async def test_a_code_gives_its_panel_a_room_once(store: SqlPeopleStore) -> None:
    await store.begin_pairing("secret", "code", 100.0, 0.0)
    assert await collect(store, "secret", 1.0) == (True, None)
    assert await store.confirm_pairing("other code", ROOM, 1.0) == (False, None)
    assert await store.confirm_pairing("code", ROOM, 100.0) == (False, None)
    assert await store.rooms() == []
    assert await store.confirm_pairing("code", ROOM, 2.0) == (True, None)
    assert await store.rooms() == [ROOM]
    assert await store.confirm_pairing("code", structs.replace(ROOM, room="other"), 3.0) == (False, None)
    assert await collect(store, "secret", 4.0) == (True, ROOM.room)
    assert await collect(store, "secret", 5.0) == (False, None)
    assert await collect(store, "absent", 5.0) == (False, None)


async def test_what_was_confirmed_too_late_to_collect_is_lost(store: SqlPeopleStore) -> None:
    await store.begin_pairing("secret", "code", 100.0, 0.0)
    assert await store.confirm_pairing("code", ROOM, 99.0) == (True, None)
    assert await collect(store, "secret", 100.0) == (False, None)
    # the next panel sweeps what is too old, and its code may be the same again
    await store.begin_pairing("secret 2", "code", 300.0, 200.0)
    assert await collect(store, "secret 2", 201.0) == (True, None)


async def test_a_panel_that_was_replaced_before_it_heard_of_its_room_gets_none(store: SqlPeopleStore) -> None:
    later = structs.replace(ROOM, paired_at=9.0)
    for number, (room, gone) in enumerate([(ROOM, None), (later, ROOM.pairing)]):
        await store.begin_pairing(f"secret {number}", f"code {number}", 100.0, 0.0)
        assert await store.confirm_pairing(f"code {number}", room, 1.0) == (True, gone)
    assert await collect(store, "secret 0", 2.0) == (False, None)
    assert await collect(store, "secret 1", 2.0) == (True, ROOM.room)


async def test_of_two_who_confirm_one_code_one_gets_it(store: SqlPeopleStore) -> None:
    await store.begin_pairing("secret", "code", 100.0, 0.0)
    rooms = [structs.replace(ROOM, room=f"r{number}") for number in range(4)]
    taken = await asyncio.gather(*(store.confirm_pairing("code", room, 1.0) for room in rooms))
    assert sorted(taken, key=lambda one: one[0]) == [(False, None)] * 3 + [(True, None)]
    [paired] = await store.rooms()
    assert await collect(store, "secret", 2.0) == (True, paired.room)


async def test_of_two_polls_at_once_one_is_told_the_room(store: SqlPeopleStore) -> None:
    await store.begin_pairing("secret", "code", 100.0, 0.0)
    await store.confirm_pairing("code", ROOM, 1.0)
    told = await asyncio.gather(*(collect(store, "secret", 2.0) for _ in range(4)))
    assert sorted(room or "" for _, room in told) == ["", "", "", ROOM.room]
