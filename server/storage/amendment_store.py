"""Changes after publication, as documents beside the columns that are searched. `applied_as` counts, over the whole
county, the order in which they were applied; it stays when one is taken back."""

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Integer, Table, Text, func, insert, select, update

from server.storage.closing_store import SqlClosingStore, closings
from server.storage.database import Database, metadata
from server.storage.table_store import versions
from timetable.agreement.amendments import Amendment, State
from timetable.agreement.ports import Mark
from timetable.days.closings import Closing
from timetable.days.effects import Applied
from timetable.days.versions import Version
from timetable.errors import StaleVersion

amendments = Table(
    "amendment",
    metadata,
    Column("community", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("applied_as", Integer),
    Column("body", Text, nullable=False),
)

WAITING = (State.ASKED.value, State.AGREED.value)


class SqlAmendmentStore:
    """`timetable.agreement.ports.AmendmentStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark(self) -> Mark:
        return await self._database.read(_mark)

    async def add(self, amendment: Amendment) -> Amendment:
        def body(connection: Connection) -> Amendment:
            of_community = amendments.c.community == amendment.community
            highest = connection.execute(select(func.max(amendments.c.number)).where(of_community)).scalar()
            numbered = msgspec.structs.replace(amendment, number=(highest or 0) + 1)
            connection.execute(
                insert(amendments).values(community=numbered.community, number=numbered.number, **_values(numbered))
            )
            return numbered

        return await self._database.write(body)

    async def save(self, amendment: Amendment, *, expected: int) -> None:
        await self._database.write(lambda connection: _save(connection, amendment, expected))

    async def carry_out(
        self, amendment: Amendment, *, expected: int, mark: Mark, undone: Amendment | None, version: Version | None
    ) -> None:
        def body(connection: Connection) -> None:
            current = _mark(connection)
            if current != mark:
                raise StaleVersion(mark.amendments, current.amendments)
            order = connection.execute(select(func.max(amendments.c.applied_as))).scalar() or 0
            _save(connection, amendment, expected, applied_as=order + 1)
            if undone is not None:
                _save(connection, undone, undone.revision - 1)
            if version is not None:
                connection.execute(
                    insert(versions).values(
                        community=version.community,
                        number=version.number,
                        author=version.author,
                        at=version.at,
                        body=msgspec.json.encode(version).decode(),
                    )
                )

        await self._database.write(body)

    async def get(self, community: str, number: int) -> Amendment | None:
        found = await self._find(amendments.c.community == community, amendments.c.number == number)
        return found[0] if found else None

    async def of(self, community: str) -> list[Amendment]:
        return await self._find(amendments.c.community == community)

    async def waiting(self) -> list[Amendment]:
        return list(reversed(await self._find(amendments.c.state.in_(WAITING))))

    async def applied(self) -> list[Applied]:
        found = await self._find(amendments.c.applied_as.is_not(None), order=amendments.c.applied_as.asc())
        return [applied for amendment in found if (applied := amendment.applied) is not None]

    async def closings(self) -> list[Closing]:
        return await SqlClosingStore(self._database).all()

    async def _find(self, *wanted: ColumnElement[bool], order: ColumnElement[int] | None = None) -> list[Amendment]:
        query = select(amendments.c.body).where(*wanted)
        query = query.order_by(amendments.c.number.desc() if order is None else order)
        bodies = await self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return [msgspec.json.decode(body, type=Amendment) for body in bodies]


def _mark(connection: Connection) -> Mark:
    published = connection.execute(select(func.count()).select_from(versions)).scalar_one()
    # Each is saved anew, with a revision more, when it is undone or loses an effect.
    revisions = select(func.coalesce(func.sum(amendments.c.revision), 0)).where(amendments.c.applied_as.is_not(None))
    applied = connection.execute(revisions).scalar_one()
    closed = connection.execute(select(func.coalesce(func.sum(closings.c.revision), 0))).scalar_one()
    return Mark(versions=published, amendments=applied, closings=closed)


def _save(connection: Connection, amendment: Amendment, expected: int, *, applied_as: int | None = None) -> None:
    this = (amendments.c.community == amendment.community) & (amendments.c.number == amendment.number)
    current = connection.execute(select(amendments.c.revision).where(this)).scalar_one()
    if current != expected:
        raise StaleVersion(expected, current)
    values = _values(amendment) | ({} if applied_as is None else {"applied_as": applied_as})
    connection.execute(update(amendments).where(this).values(**values))


def _values(amendment: Amendment) -> dict[str, object]:
    return {
        "revision": amendment.revision,
        "state": amendment.state.value,
        "body": msgspec.json.encode(amendment).decode(),
    }
