"""The ways into a lesson that its host has given away, and taken back. They stay as evidence of who opened what."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from sqlalchemy import Column, Connection, Double, Row, Table, Text, insert, select, update

from server.storage.database import Database, metadata

AccessKind = Literal["encoder", "player", "guest", "peers"]
"""A program that publishes, one that watches, whoever opens a link, the teachers of the schools that take part."""

session_access = Table(
    "session_access",
    metadata,
    Column("id", Text, primary_key=True),
    Column("lesson", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("given_by", Text, nullable=False),
    Column("given_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("withdrawn_at", Double),
)


class GivenAccess(Struct, frozen=True, kw_only=True):
    """`id` is that of the token; times are unix seconds."""

    id: str
    lesson: str
    kind: AccessKind
    given_by: str
    given_at: float
    expires_at: float
    withdrawn_at: float | None = None


class SqlAccessStore:
    """On SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, access: GivenAccess) -> None:
        values = {name: getattr(access, name) for name in GivenAccess.__struct_fields__}
        await self._database.write(lambda c: c.execute(insert(session_access).values(values)))

    async def withdraw(self, id: str, at: float) -> None:
        """Of one that is withdrawn already the first time counts."""
        one = (session_access.c.id == id) & session_access.c.withdrawn_at.is_(None)
        await self._database.write(lambda c: c.execute(update(session_access).where(one).values(withdrawn_at=at)))

    async def unexpired(self, now: float) -> list[GivenAccess]:
        """The oldest first, withdrawn ones among them."""
        query = select(session_access).where(session_access.c.expires_at > now).order_by(session_access.c.given_at)

        def body(connection: Connection) -> list[GivenAccess]:
            return [_given(row) for row in connection.execute(query)]

        return await self._database.read(body)


def _given(row: Row[tuple[object, ...]]) -> GivenAccess:
    return GivenAccess(**row._mapping)
