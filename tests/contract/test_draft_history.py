"""Drafts that were replaced are kept for undoing, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import Literal

import pytest

from server.storage.database import Database
from server.storage.draft_history import KEPT, SqlDraftHistory, Steps
from server.storage.table_store import SqlTableStore
from tests.contract.test_table_store import NOW, Fixed, table
from timetable.agreement.service import Draft, TimetableService
from timetable.days.versions import Version
from timetable.errors import StaleVersion


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
    assert await history.steps("one") == Steps(back=True, forward=False)


async def step(database: Database, wanted: Literal["back", "forward"]) -> Draft:
    """Undo or redo by one, as whoever stands before the draft."""
    tables, history = service(database), SqlDraftHistory(database)
    current = await tables.draft("one")
    known = await (history.newest("one") if wanted == "back" else history.newest_undone("one"))
    assert current is not None
    assert known is not None
    community = await tables.community("one")
    draft = await tables.drafted(community, known.table, author="乙", revision=current.revision)
    await (history.go_back if wanted == "back" else history.go_forward)(draft, known.revision)
    kept = await tables.draft("one")
    assert kept == draft
    return draft


async def test_tables_are_gone_back_through_and_forward_again(database: Database) -> None:
    tables, history = service(database), SqlDraftHistory(database)
    for number in (1, 2, 3):
        await tables.take_draft("one", table(number), author="甲", revision=number - 1)
    assert [(await step(database, "back")).table for _ in range(2)] == [table(2), table(1)]
    assert await history.steps("one") == Steps(back=False, forward=True)
    # what is said about a table is no change of it
    await tables.propose("one", unit="core", by="甲", revision=5)
    assert [(await step(database, "forward")).table for _ in range(2)] == [table(2), table(3)]
    assert await history.steps("one") == Steps(back=True, forward=False)
    assert (await step(database, "back")).table == table(2)
    await tables.take_draft("one", table(4), author="甲", revision=9)
    assert await history.steps("one") == Steps(back=True, forward=False)
    assert [(await step(database, "back")).table for _ in range(2)] == [table(2), table(1)]


async def test_a_step_on_a_draft_that_changed_meanwhile_changes_nothing(database: Database) -> None:
    tables, history = service(database), SqlDraftHistory(database)
    for number in (1, 2):
        await tables.take_draft("one", table(number), author="甲", revision=number - 1)
    late = await tables.drafted(await tables.community("one"), table(1), author="乙", revision=2)
    await tables.take_draft("one", table(3), author="甲", revision=2)
    with pytest.raises(StaleVersion):
        await history.go_back(late, 1)
    kept = await tables.draft("one")
    assert kept is not None
    assert kept.table == table(3)
    assert await history.steps("one") == Steps(back=True, forward=False)


async def test_only_the_last_ones_are_kept(database: Database) -> None:
    tables, history = service(database), SqlDraftHistory(database)
    for revision in range(KEPT + 5):
        await tables.take_draft("one", table(revision % 5 + 1), author="甲", revision=revision)
    seen = []
    while (kept := await history.newest("one")) is not None:
        seen.append(kept.revision)
        await step(database, "back")
    assert seen == list(range(KEPT + 4, 4, -1))
