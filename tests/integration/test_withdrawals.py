"""What one process takes back is gone in the others at once: two processes' services on one record and one bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from server.accesses import Accesses
from server.auth.principal import Principal
from server.bus import Bus, open_bus
from server.storage.access_store import SqlAccessStore
from server.storage.database import Database
from server.storage.people_store import PairedRoom, SqlPeopleStore
from server.withdrawals import TOPIC, Withdrawals
from signaling.commands import Hello
from signaling.errors import TokenInvalid
from tests.live_lessons import MEMBERS, classroom, plan, teacher
from tests.live_server import LiveServer, live_server
from tests.media_clients import until

PLAN = plan()
YANLI = classroom(MEMBERS[0])
GUEST = teacher("elsewhere", "t-guest")


class Process:
    """The part of a server that takes things back."""

    def __init__(self, name: str, server: LiveServer, bus: Bus, database: Database) -> None:
        self.server = server
        self.accesses = Accesses(SqlAccessStore(database), server.service, server.clock)
        self.people = SqlPeopleStore(database)
        self.withdrawals = Withdrawals(bus, self.accesses, self.people, server.service, name)
        self.bus = bus

    async def pair(self, at: float) -> Principal:
        """The classroom's panel from now on."""
        room = PairedRoom(room=YANLI.id, name=YANLI.name, unit=str(YANLI.unit), paired_at=at, paired_by="somebody")
        await self.people.pair(room)
        return replace(YANLI, pairing=room.pairing)

    def refuses(self, token: str) -> bool:
        try:
            self.server.service.admission.bearer(token)
        except TokenInvalid:
            return True
        return False


@pytest.fixture(params=["local", "redis"])
async def processes(
    request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Process, Process]]:
    """Two that listen to each other; on Redis each with a connection of its own."""
    redis = str(request.getfixturevalue("redis_url")) if request.param == "redis" else None
    async with AsyncExitStack() as stack:
        database = Database.open(sqlite_url)
        stack.push_async_callback(database.close)
        here = open_bus(redis)
        buses = (here, open_bus(redis) if redis else here)
        for bus in buses:
            stack.push_async_callback(bus.close)
        made = []
        for name, bus in zip("ab", buses, strict=True):
            server = await stack.enter_async_context(live_server(database, tmp_path / name))
            await server.service.open(PLAN)
            made.append(Process(name, server, bus, database))
        listening = [asyncio.create_task(one.withdrawals.run()) for one in made]
        await _hear_each_other(made)
        yield made[0], made[1]
        for task in listening:
            task.cancel()
        await asyncio.gather(*listening, return_exceptions=True)


async def _hear_each_other(processes: list[Process]) -> None:
    """Both have subscribed: a word of the one reaches the other."""
    for speaker, listener in (processes, processes[::-1]):
        token, claims = await speaker.accesses.give("host", PLAN, "encoder")
        async with asyncio.timeout(10):
            while not listener.refuses(token):
                await speaker.accesses.on_withdrawn(claims.jti)
                await asyncio.sleep(0.02)
        await speaker.accesses.withdraw(claims.jti)


async def test_a_withdrawn_token_is_refused_everywhere_and_whoever_came_by_it_is_out(
    processes: tuple[Process, Process],
) -> None:
    here, there = processes
    token, program = await here.accesses.give("host", PLAN, "player")
    _, link = await here.accesses.give("host", PLAN, "guest")
    await there.accesses.load()
    assert not there.refuses(token)
    ticket, _ = there.server.service.admission.invite(GUEST, PLAN, "observer", access=link.jti)
    guest = await there.server.join(GUEST, PLAN, token=ticket)
    await here.accesses.withdraw(program.jti)
    await here.accesses.withdraw(link.jti)
    await until(lambda: there.refuses(token))
    assert await guest.closed() == "unauthorized"
    assert here.refuses(token)
    assert there.accesses.of(PLAN.lesson.id) == []
    # looking at the record again finds nothing that holds
    await there.accesses.load()
    assert there.accesses.of(PLAN.lesson.id) == []


async def test_an_unpaired_panel_leaves_at_every_process_and_the_new_one_stays(
    processes: tuple[Process, Process],
) -> None:
    here, there = processes
    first = await here.pair(1.0)
    ticket, _ = there.server.service.admission.invite(first, PLAN)
    old = await there.server.join(first, PLAN)
    second = await here.pair(2.0)
    await here.withdrawals.turn_out(first.pairing)
    new = await here.server.join(second, PLAN, device="the new panel")
    assert await old.closed() == "unauthorized"
    with pytest.raises(TokenInvalid):
        there.server.service.admission.newcomer(Hello(token=ticket, device="another"), there.server.clock.now)
    # by now the process has heard its own word, too
    await _heard(there, here)
    assert not new.socket.closed
    assert here.server.room().present(YANLI.id)


async def test_a_word_that_comes_late_leaves_the_next_panel_alone(processes: tuple[Process, Process]) -> None:
    here, there = processes
    first, second = await here.pair(1.0), await here.pair(2.0)
    panel = await there.server.join(second, PLAN, device="the new panel")
    await here.withdrawals.turn_out(first.pairing)
    await _heard(here, there)
    assert not panel.socket.closed
    assert there.server.room().present(YANLI.id)


async def _heard(speaker: Process, listener: Process) -> None:
    """Whatever the one has said until now, the other has heard."""
    token, access = await speaker.accesses.give("host", PLAN, "player")
    await speaker.accesses.withdraw(access.jti)
    await until(lambda: listener.refuses(token))


async def test_what_is_not_understood_and_what_was_lost_does_no_harm(processes: tuple[Process, Process]) -> None:
    here, there = processes
    for word in (b"", b"\xc1", b"\x80", b"\x81\xa4what\xa5token"):
        await here.bus.publish(TOPIC, word)
    token, access = await here.accesses.give("host", PLAN, "encoder")
    await here.accesses._store.withdraw(access.jti, here.server.clock.now)  # a word that the bus has lost
    assert not there.refuses(token)
    await there.accesses.load()
    assert there.refuses(token)
    later, access = await here.accesses.give("host", PLAN, "encoder")
    await here.accesses.withdraw(access.jti)
    await until(lambda: there.refuses(later))


async def test_an_unpaired_panel_leaves_at_the_next_look_where_the_bus_has_lost_the_word(
    processes: tuple[Process, Process],
) -> None:
    here, there = processes
    first = await here.pair(1.0)
    ticket, _ = there.server.service.admission.invite(first, PLAN)
    panel = await there.server.join(first, PLAN)
    await there.withdrawals.look()
    assert there.server.room().present(YANLI.id)
    await here.people.unpair(YANLI.id)  # and nobody hears of it
    await there.withdrawals.look()
    assert await panel.closed() == "unauthorized"
    # nor does a token help that it was given before
    with pytest.raises(TokenInvalid):
        there.server.service.admission.newcomer(Hello(token=ticket, device="another"), there.server.clock.now)


async def test_a_panel_that_took_anothers_place_stays_at_the_next_look(processes: tuple[Process, Process]) -> None:
    here, there = processes
    await here.pair(1.0)
    second = await here.pair(2.0)
    panel = await there.server.join(second, PLAN, device="the new panel")
    await there.withdrawals.look()
    assert not panel.socket.closed
    third = await here.pair(3.0)
    await there.withdrawals.look()
    assert await panel.closed() == "unauthorized"
    newest = await there.server.join(third, PLAN, device="the newest panel")
    await there.withdrawals.look()
    assert not newest.socket.closed
    assert there.server.service.panels() == {third.pairing}
