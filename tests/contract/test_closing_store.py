"""Closings keep their promises on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec import structs

from server.storage.amendment_store import SqlAmendmentStore
from server.storage.closing_store import SqlClosingStore
from server.storage.database import Database
from tests.contract.test_amendment_store import Office, at_once
from timetable.agreement.amendments import State
from timetable.agreement.closing_service import ClosingService
from timetable.days.changes import Cancel, MakeUpOwn, MakeUpPlace, Undo
from timetable.days.closings import Closing
from timetable.days.standing import held
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


async def test_schools_that_open_again_keep_what_is_still_made_up(database: Database) -> None:
    """One act makes up for two lessons; one of these is called off besides, and stays so."""
    office = Office(database, "collaborative")
    await office.publish()

    async def hear(closing: Closing) -> None:
        assert closing.units == SNOW.units

    closings = ClosingService(
        SqlClosingStore(database),
        office.amendments,
        office.store,
        now=lambda: office.now,
        new_id=lambda: "snow",
        aside=at_once,
        announce=hear,
    )
    tables = await office.amendments.in_force()
    own = [
        one.occurrence.id
        for day in SNOW.days
        for one in tables.on(day)
        if [party.unit for party in one.occurrence.lesson.parties] == ["A0"]
    ]
    await office.ask(Cancel(occurrence=own[0]))
    await closings.declare(structs.replace(SNOW, at=office.now))
    free = await office.amendments.openings("A", own[0], date(2026, 9, 14), date(2026, 9, 25))
    slot = next(one for one in free if not one.findings)
    lost = next(one for one in (await closings.own_plan("A", "A0", "snow")).lost if one.choices)
    best = next(one for one in lost.choices if one.date < "2026-09-14" or one.start != slot.start)
    places = (
        MakeUpPlace(occurrence=own[0], date=slot.date, period=slot.period),
        MakeUpPlace(occurrence=lost.occurrence, date=best.date, period=best.period),
    )
    done = await office.ask(MakeUpOwn(unit="A0", lessons=places))
    assert (done.state, len(done.effects)) == (State.APPLIED, 2)
    needless, needed = done.effects[1].uid, done.effects[0].uid
    assert held((await office.amendments.in_force()).standing(needless))
    await closings.reopen("snow", by="局", revision=1)
    tables = await office.amendments.in_force()
    assert (held(tables.standing(needless)), held(tables.standing(needed))) == (False, True)
    left = await office.amendments.get("A", done.number)
    assert (left.state, [effect.uid for effect in left.effects]) == (State.APPLIED, [needed])
    await office.ask(Undo(amendment=done.number))
    assert not held((await office.amendments.in_force()).standing(needed))
