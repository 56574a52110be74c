"""The county's register: one document per version, none ever changed."""

import msgspec
from sqlalchemy import Column, Connection, Double, Integer, Table, Text, func, insert, select

from server.storage.database import Database, metadata
from timetable.errors import StaleVersion
from timetable.model import Register

versions = Table(
    "register_version",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class SqlRegisterStore:
    """`timetable.ports.RegisterStore` on SQLite or PostgreSQL. The decoded newest version is kept at hand."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: tuple[int, Register] | None = None

    async def load(self) -> Register | None:
        number = await self.version()
        if number == 0:
            return None
        if self._known is None or self._known[0] != number:
            query = select(versions.c.body).where(versions.c.number == number)
            body: str = await self._database.read(lambda c: c.execute(query).scalar_one())
            self._known = number, msgspec.json.decode(body, type=Register)
        return self._known[1]

    async def version(self) -> int:
        return await self._database.read(_newest)

    async def save(self, register: Register, author: str, at: float, expected_version: int) -> int:
        body = msgspec.json.encode(register).decode()

        def append(connection: Connection) -> int:
            newest = _newest(connection)
            if newest != expected_version:
                raise StaleVersion(expected_version, newest)
            connection.execute(insert(versions).values(number=newest + 1, author=author, at=at, body=body))
            return newest + 1

        return await self._database.write(append)


def _newest(connection: Connection) -> int:
    newest: int | None = connection.execute(select(func.max(versions.c.number))).scalar()
    return newest or 0
