"""Drafts and published versions of the communities' tables, as documents beside the columns that are searched."""

import msgspec
from sqlalchemy import Column, Connection, Double, Integer, Table, Text, insert, select, update

from server.storage.database import Database, metadata
from timetable.errors import StaleVersion
from timetable.service import Draft
from timetable.versions import Version

drafts = Table(
    "table_draft",
    metadata,
    Column("community", Text, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
versions = Table(
    "table_version",
    metadata,
    Column("community", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("author", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("body", Text, nullable=False),
)


class SqlTableStore:
    """`timetable.service.TableStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def draft(self, community: str) -> Draft | None:
        body = await self._database.read(
            lambda c: c.execute(select(drafts.c.body).where(drafts.c.community == community)).scalar_one_or_none()
        )
        return None if body is None else msgspec.json.decode(body, type=Draft)

    async def save_draft(self, draft: Draft, *, expected: int) -> None:
        await self._database.write(lambda c: _save(c, draft, expected))

    async def publish(self, draft: Draft, version: Version, *, expected: int) -> None:
        def both(connection: Connection) -> None:
            _save(connection, draft, expected)
            connection.execute(
                insert(versions).values(
                    community=version.community,
                    number=version.number,
                    author=version.author,
                    at=version.at,
                    body=msgspec.json.encode(version).decode(),
                )
            )

        await self._database.write(both)

    async def version(self, community: str, number: int) -> Version | None:
        query = select(versions.c.body).where(versions.c.community == community, versions.c.number == number)
        body = await self._database.read(lambda c: c.execute(query).scalar_one_or_none())
        return None if body is None else msgspec.json.decode(body, type=Version)

    async def newest(self, community: str) -> Version | None:
        query = (
            select(versions.c.body).where(versions.c.community == community).order_by(versions.c.number.desc()).limit(1)
        )
        body = await self._database.read(lambda c: c.execute(query).scalar_one_or_none())
        return None if body is None else msgspec.json.decode(body, type=Version)

    async def history(self, community: str) -> list[Version]:
        query = select(versions.c.body).where(versions.c.community == community).order_by(versions.c.number.desc())
        bodies = await self._database.read(lambda c: list(c.execute(query).scalars()))
        return [msgspec.json.decode(body, type=Version) for body in bodies]


def _save(connection: Connection, draft: Draft, expected: int) -> None:
    kept = connection.execute(select(drafts.c.revision).where(drafts.c.community == draft.community)).scalar()
    if (kept or 0) != expected:
        raise StaleVersion(expected, kept or 0)
    values = {"revision": draft.revision, "body": msgspec.json.encode(draft).decode()}
    if kept is None:
        connection.execute(insert(drafts).values(community=draft.community, **values))
    else:
        connection.execute(update(drafts).where(drafts.c.community == draft.community).values(**values))
