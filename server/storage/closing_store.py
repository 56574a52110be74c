"""Sudden closings of schools, as documents."""

import msgspec
from sqlalchemy import Column, Double, Integer, Table, Text, insert, select, update

from server.storage.database import Database, metadata
from timetable.days.closings import Closing
from timetable.errors import StaleVersion

closings = Table(
    "closing",
    metadata,
    Column("id", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class SqlClosingStore:
    """`timetable.agreement.ports.ClosingStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Closing]:
        query = select(closings.c.body).order_by(closings.c.at.desc(), closings.c.id)
        bodies = await self._database.read(lambda connection: list(connection.execute(query).scalars()))
        return [msgspec.json.decode(body, type=Closing) for body in bodies]

    async def add(self, closing: Closing) -> None:
        row = {"id": closing.id, "revision": closing.revision, "at": closing.at, "body": _text(closing)}
        await self._database.write(lambda connection: connection.execute(insert(closings).values(row)))

    async def save(self, closing: Closing, *, expected: int) -> None:
        change = (
            update(closings)
            .where(closings.c.id == closing.id, closings.c.revision == expected)
            .values(revision=closing.revision, body=_text(closing))
        )
        saved = await self._database.write(lambda connection: connection.execute(change).rowcount)
        if saved != 1:
            raise StaleVersion(expected, closing.revision)


def _text(closing: Closing) -> str:
    return msgspec.json.encode(closing).decode()
