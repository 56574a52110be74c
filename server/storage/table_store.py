"""Drafts and published versions of the communities' tables, as documents beside the columns that are searched."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Table,
    Text,
    func,
    insert,
    select,
)

from server.storage.database import Database, metadata
from server.storage.draft_history import drafts, keep_draft
from timetable.agreement.service import Draft
from timetable.days.versions import Version
from timetable.errors import StaleVersion

KEPT = 64
"""Decoded versions held in memory."""

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
    """`timetable.agreement.service.TableStore` on SQLite or PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._kept: dict[tuple[str, int], Version] = {}

    async def draft(self, community: str) -> Draft | None:
        body = await self._database.read(
            lambda c: c.execute(select(drafts.c.body).where(drafts.c.community == community)).scalar_one_or_none()
        )
        return None if body is None else msgspec.json.decode(body, type=Draft)

    async def save_draft(self, draft: Draft, *, expected: int) -> None:
        await self._database.write(lambda c: keep_draft(c, draft, expected))

    async def publish(self, draft: Draft, *made: Version, expected: int) -> None:
        def all_of_it(connection: Connection) -> None:
            keep_draft(connection, draft, expected)
            for version in made:
                _insert(connection, version)

        await self._database.write(all_of_it)

    async def follow(self, following: Sequence[Version], draft: Draft | None, *, expected: int) -> None:
        def all_of_it(connection: Connection) -> None:
            first = following[0]
            highest = select(func.max(versions.c.number)).where(versions.c.community == first.community)
            newest = connection.execute(highest).scalar() or 0
            if newest != first.number - 1:
                raise StaleVersion(first.number - 1, newest)
            if draft is not None:
                keep_draft(connection, draft, expected)
            for version in following:
                _insert(connection, version)

        await self._database.write(all_of_it)

    async def version(self, community: str, number: int) -> Version | None:
        return next(iter(await self._versions(community, versions.c.number == number)), None)

    async def newest(self, community: str) -> Version | None:
        highest = select(func.max(versions.c.number)).where(versions.c.community == community).scalar_subquery()
        return next(iter(await self._versions(community, versions.c.number == highest)), None)

    async def history(self, community: str) -> list[Version]:
        return await self._versions(community, versions.c.number > 0)

    async def _versions(self, community: str, which: ColumnElement[bool]) -> list[Version]:
        """The newest first. Bodies are megabytes and never change: each is read and decoded once."""
        numbers = await self._database.read(
            lambda c: list(
                c.execute(
                    select(versions.c.number)
                    .where(versions.c.community == community, which)
                    .order_by(versions.c.number.desc())
                ).scalars()
            )
        )
        return [self._kept.get((community, number)) or await self._read(community, number) for number in numbers]

    async def _read(self, community: str, number: int) -> Version:
        query = select(versions.c.body).where(versions.c.community == community, versions.c.number == number)
        body = await self._database.read(lambda c: c.execute(query).scalar_one())
        version = msgspec.json.decode(body, type=Version)
        self._kept[community, number] = version
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return version


def _insert(connection: Connection, version: Version) -> None:
    connection.execute(
        insert(versions).values(
            community=version.community,
            number=version.number,
            author=version.author,
            at=version.at,
            body=msgspec.json.encode(version).decode(),
        )
    )
