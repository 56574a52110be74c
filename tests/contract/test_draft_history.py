"""Drafts that were replaced are kept for undoing, on SQLite and on PostgreSQL."""

from __future__ import annotations

from server.storage.database import Database
from server.storage.draft_history import KEPT, SqlDraftHistory
from server.storage.table_store import SqlTableStore
from tests.contract.test_table_store import NOW, Fixed, table
from timetable.agreement.service import TimetableService
from timetable.days.versions import Version


async def unheard(version: Version) -> None:
    return None


def service(database: Database) -> TimetableService:
    return TimetableService(SqlTableStore(database), Fixed(), now=lambda: NOW, announce=unheard)


async def test_a_replaced_table_is_kept_and_what_is_said_is_not(database: Database) -> None:
    tables, history = service(database), SqlDraftHistory(database)
    await tables.take_draft("one", table(1), author="甲", revision=0)
    assert await history.newest("one") is None
    await tables.propose("one", unit="core", by="甲", revision=1)
    assert await history.newest("one") is None
    await tables.take_draft("one", table(2), author="乙", revision=2)
    kept = await history.newest("one")
    assert kept is not None
    assert (kept.revision, kept.author, kept.table) == (2, "甲", table(1))
    await history.forget("one", 2)
    assert await history.newest("one") is None


async def test_only_the_last_ones_are_kept(database: Database) -> None:
    tables, history = service(database), SqlDraftHistory(database)
    for revision in range(KEPT + 5):
        await tables.take_draft("one", table(revision % 5 + 1), author="甲", revision=revision)
    seen = []
    while (kept := await history.newest("one")) is not None:
        seen.append(kept.revision)
        await history.forget("one", kept.revision)
    assert seen == list(range(KEPT + 4, 4, -1))
