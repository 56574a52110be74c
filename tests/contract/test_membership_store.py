"""Changes of membership are kept with their draft and register in one transaction, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import sys

import pytest
from msgspec import structs

from server.solver_process import PROJECT
from server.storage.database import Database
from server.storage.membership_store import MembershipChange, SqlMembershipStore, State
from server.storage.register_store import SqlRegisterStore
from server.storage.table_store import SqlTableStore
from tests.contract.test_draft_history import service
from tests.contract.test_table_store import REGISTER, table
from timetable.agreement.service import Draft
from timetable.errors import StaleVersion
from timetable.register.importing import Edit
from timetable.years.membership import Join

JOINING = MembershipChange(
    id="m1", community="one", change=Join(unit="east", first="2026-09-14"), by="局", at=1.0, state="done"
)
AFTER = Edit(base=1, register=structs.replace(REGISTER, county="新县"), findings=(), changed=True)

KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import event
from server.storage.database import Database
from server.storage.membership_store import SqlMembershipStore
from tests.contract.test_membership_store import AFTER, JOINING, a_draft

async def main(url, last):
    database = Database.open(url)

    @event.listens_for(database.engine, "after_cursor_execute")
    def die(connection, cursor, statement, *more):
        if statement.startswith(last):
            os.kill(os.getpid(), signal.SIGKILL)

    draft = await a_draft(database)
    await SqlMembershipStore(database).keep(JOINING, was=None, by="x", at=1.0, draft=draft, edit=AFTER)

asyncio.run(main(*sys.argv[1:]))
"""


async def a_draft(database: Database) -> Draft:
    return await service(database).drafted(REGISTER.communities[0], table(2), author="x", revision=1)


async def begun(database: Database) -> None:
    await SqlRegisterStore(database).save(REGISTER, "x", 0.0, 0)
    await service(database).take_draft("one", table(1), author="x", revision=0)


async def state(database: Database) -> tuple[int, int, list[str]]:
    """The register's version, the draft's revision, the states of the changes."""
    draft = await SqlTableStore(database).draft("one")
    assert draft is not None
    changes = await SqlMembershipStore(database).of("one")
    return await SqlRegisterStore(database).version(), draft.revision, [change.state for change in changes]


async def test_all_of_a_change_is_kept_or_nothing(database: Database) -> None:
    await begun(database)
    store, draft = SqlMembershipStore(database), await a_draft(database)
    await store.keep(JOINING, was=None, by="x", at=1.0, draft=draft, edit=AFTER)
    assert await state(database) == (2, 2, ["done"])
    assert await store.get("one", "m1") == JOINING
    # a draft, a register, a state that were overtaken
    gone = structs.replace(JOINING, state="withdrawn")
    back = structs.replace(AFTER, base=2, register=REGISTER)
    next_draft = structs.replace(draft, revision=3)
    cases: tuple[tuple[State, Draft, Edit], ...] = (
        ("done", structs.replace(draft, revision=2), back),
        ("done", next_draft, structs.replace(back, base=1)),
        ("planned", next_draft, back),
    )
    for was, overtaken, edit in cases:
        with pytest.raises(StaleVersion):
            await store.keep(gone, was=was, by="x", at=2.0, draft=overtaken, edit=edit)
        assert await state(database) == (2, 2, ["done"])
    await store.keep(gone, was="done", by="x", at=2.0, draft=next_draft, edit=back)
    assert await state(database) == (3, 3, ["withdrawn"])


@pytest.mark.parametrize(
    "last", ["INSERT INTO register_version", "UPDATE table_draft", "INSERT INTO membership_change"]
)
async def test_a_process_that_is_killed_between_leaves_nothing_half_done(sqlite_url: str, last: str) -> None:
    database = Database.open(sqlite_url)
    await begun(database)
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, sqlite_url, last, cwd=PROJECT)
    assert await process.wait() == -9
    assert await state(database) == (1, 1, [])
    await database.close()
