"""Drafts that another table took the place of, so that it can be undone; the last KEPT of every community."""

import msgspec
from msgspec import Struct
from sqlalchemy import Column, Connection, Integer, Table, Text, delete, insert, select

from server.storage.database import Database, metadata
from timetable.agreement.service import Draft

KEPT = 20

replaced = Table(
    "table_draft_history",
    metadata,
    Column("community", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("body", Text, nullable=False),
)


class _Talks(Struct, frozen=True):
    draft: int


class _Numbered(Struct, frozen=True):
    """A draft as far as its number goes; its lessons are not decoded."""

    negotiation: _Talks


def remember(connection: Connection, community: str, revision: int, body: str, next_draft: int) -> None:
    """Keep a draft that is about to be overwritten, if the new one has another table."""
    if msgspec.json.decode(body, type=_Numbered).negotiation.draft == next_draft:
        return
    here = replaced.c.community == community
    connection.execute(delete(replaced).where(here, replaced.c.revision >= revision))
    connection.execute(insert(replaced).values(community=community, revision=revision, body=body))
    kept = select(replaced.c.revision).where(here).order_by(replaced.c.revision.desc()).offset(KEPT).limit(1)
    oldest = connection.execute(kept).scalar()
    if oldest is not None:
        connection.execute(delete(replaced).where(here, replaced.c.revision <= oldest))


class SqlDraftHistory:
    """What was on the table before, the newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, community: str) -> Draft | None:
        query = select(replaced.c.body).where(replaced.c.community == community)
        newest = query.order_by(replaced.c.revision.desc()).limit(1)
        body = await self._database.read(lambda c: c.execute(newest).scalar())
        return None if body is None else msgspec.json.decode(body, type=Draft)

    async def forget(self, community: str, revision: int) -> None:
        """Drop the drafts from this revision on: they were gone back to, or gone back from."""
        which = delete(replaced).where(replaced.c.community == community, replaced.c.revision >= revision)
        await self._database.write(lambda c: c.execute(which))
