"""Closings keep their promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from msgspec import structs

from server.storage.amendment_store import SqlAmendmentStore
from server.storage.closing_store import SqlClosingStore
from server.storage.database import Database
from timetable.days.closings import Closing
from timetable.errors import StaleVersion

SNOW = Closing(id="snow", units=("A0",), first="2026-09-08", last="2026-09-09", reason="暴雪", by="局", at=1.0)


async def test_closings_are_kept_the_newest_first_and_show_in_the_mark(database: Database) -> None:
    store, changes = SqlClosingStore(database), SqlAmendmentStore(database)
    before = await changes.mark()
    await store.add(SNOW)
    flood = structs.replace(SNOW, id="flood", at=2.0)
    await store.add(flood)
    assert await store.all() == await changes.closings() == [flood, SNOW]
    declared = await changes.mark()
    assert declared != before
    reopened = structs.replace(SNOW, revision=2, reopened_at=3.0)
    await store.save(reopened, expected=1)
    assert (await store.all(), await changes.mark() == declared) == ([flood, reopened], False)
    with pytest.raises(StaleVersion):
        await store.save(structs.replace(SNOW, revision=2), expected=1)
    assert await store.all() == [flood, reopened]
