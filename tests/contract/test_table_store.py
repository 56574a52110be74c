"""The table store keeps its promises on SQLite and on PostgreSQL."""

import asyncio

import pytest
from msgspec import structs

from server.storage.database import Database
from server.storage.table_store import SqlTableStore
from timetable.agreement.service import DraftOutdated, TimetableService
from timetable.days.versions import Version, diff
from timetable.errors import NotFound, StaleVersion
from timetable.model import (
    BellSchedule,
    Campus,
    Community,
    Lesson,
    Period,
    PlacedParty,
    Register,
    SchoolUnit,
    Table,
    Term,
)

NOW = 1_700_000_000.0


def unit(id: str) -> SchoolUnit:
    bells = BellSchedule(weekdays=(1, 2, 3, 4, 5), periods=(Period(number=1, start="08:20", end="09:00"),))
    return SchoolUnit(id=id, name=id, short_name=id, code="AA", campus="here", stage="primary", bells=(bells,))


REGISTER = Register(
    county="县",
    term=Term(id="t", name="t", first_day="2026-09-01", last_day="2027-01-15", week_one="2026-08-31"),
    communities=(
        Community(id="one", name="一", number=1, stage="primary", mode="collaborative", core="core", members=("east",)),
    ),
    campuses=(Campus(id="here", name="here"),),
    travel=(),
    units=(unit("core"), unit("east")),
    rooms=(),
    teachers=(),
    classes=(),
    requirements=(),
)


class Fixed:
    async def load(self) -> Register:
        return REGISTER


def table(weekday: int) -> Table:
    parties = tuple(PlacedParty(unit=u, period=1, start="08:20", end="09:00") for u in ("core", "east"))
    lesson = Lesson(
        id="r.1",
        requirement="r",
        kind="sync",
        subject="语文",
        weekday=weekday,
        start="08:20",
        end="09:00",
        parties=parties,
    )
    return Table(community="one", term="t", lessons=(lesson,))


def service(database: Database) -> tuple[TimetableService, list[Version]]:
    heard: list[Version] = []

    async def announce(version: Version) -> None:
        heard.append(version)

    return TimetableService(SqlTableStore(database), Fixed(), now=lambda: NOW, announce=announce), heard


async def test_draft_is_agreed_and_published_as_version_one(database: Database) -> None:
    tables, heard = service(database)
    await tables.take_draft("one", table(1), author="a", revision=0)
    await tables.propose("one", unit="core", by="a", revision=1)
    await tables.agree("one", unit="east", by="b", revision=2)
    version = await tables.publish("one", unit="core", by="a", revision=3)
    assert (version.number, version.diff.added, version.diff.units) == (1, ("r.1",), ("core", "east"))
    assert (await tables.version("one", 1), await tables.history("one"), heard) == (version, [version], [version])


async def test_second_version_names_what_moved(database: Database) -> None:
    tables, _ = service(database)
    for number, weekday in ((1, 1), (2, 3)):
        base = (number - 1) * 4
        await tables.take_draft("one", table(weekday), author="a", revision=base)
        await tables.propose("one", unit="core", by="a", revision=base + 1)
        await tables.agree("one", unit="east", by="b", revision=base + 2)
        await tables.publish("one", unit="core", by="a", revision=base + 3)
    newest = await tables.newest("one")
    assert newest is not None
    assert (newest.number, newest.diff.moved, newest.diff.added) == (2, ("r.1",), ())


async def test_two_directors_at_once_one_is_told(database: Database) -> None:
    tables, _ = service(database)
    await tables.take_draft("one", table(1), author="a", revision=0)
    await tables.propose("one", unit="core", by="a", revision=1)
    outcomes = await asyncio.gather(
        tables.agree("one", unit="east", by="b", revision=2),
        tables.object("one", unit="east", by="c", revision=2, reason="不行"),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Draft", "StaleVersion"]
    draft = await tables.draft("one")
    assert draft is not None
    assert draft.revision == 3


async def test_stale_publication_keeps_nothing(database: Database) -> None:
    tables, heard = service(database)
    await tables.take_draft("one", table(1), author="a", revision=0)
    with pytest.raises(StaleVersion):
        await tables.publish("one", unit="core", by="a", revision=0)
    assert (await tables.newest("one"), heard) == (None, [])


async def test_draft_older_than_a_published_change_is_not_published(database: Database) -> None:
    tables, heard = service(database)
    store = SqlTableStore(database)
    await tables.take_draft("one", table(1), author="a", revision=0)
    await tables.propose("one", unit="core", by="a", revision=1)
    agreed = await tables.agree("one", unit="east", by="b", revision=2)
    change = Version(community="one", number=1, author="c", at=NOW, table=table(2), diff=diff(None, table(2)))
    await store.publish(structs.replace(agreed, revision=4), change, expected=3)
    with pytest.raises(DraftOutdated):
        await tables.publish("one", unit="core", by="a", revision=4)
    assert (await tables.history("one"), heard) == ([change], [])


async def test_unknown_community_and_version_are_named(database: Database) -> None:
    tables, _ = service(database)
    with pytest.raises(NotFound):
        await tables.take_draft("two", table(1), author="a", revision=0)
    with pytest.raises(NotFound):
        await tables.version("one", 9)
